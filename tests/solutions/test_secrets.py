import base64
import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aloi.solutions.guard import Allow, Block, Rewrite
from aloi.solutions.guards.secrets import SecretFilter, SecretFilterOptions
from aloi.system.messages import Message

SECRET = "AZUR-7731-KESTREL"
LONG = "kestrel over the quiet harbour 7731"
OWN = SecretFilter(SecretFilterOptions(secrets=(SECRET, LONG)))


def rule(text):
    return OWN.screen(Message(role="assistant", content=text))


def b64(text):
    return base64.b64encode(text.encode()).decode()


DISGUISES = {
    "as it is": SECRET,
    "lower case": SECRET.lower(),
    "spaced letters": " ".join(SECRET),
    "one letter a line": "\n".join(SECRET),
    "hyphens": "-".join(SECRET.replace("-", "")),
    "other punctuation": "A*Z*U*R_7.7.3.1/K,E;S:T|R~E=L",
    "no punctuation": "azur7731kestrel",
    "reversed": SECRET[::-1],
    "rot13": codecs.encode(SECRET, "rot13"),
    "base64": b64(SECRET),
    "base64 after other text": b64("x" + SECRET),
    "base64 after two letters": b64("xy" + SECRET + " and more"),
    "base64 without padding": b64(SECRET).rstrip("="),
    "base64 of lower case": b64(SECRET.lower()),
    "base64 with spaces": " ".join(b64(SECRET)),
    "base64 twice": b64(b64(f"the code is {SECRET}")),
    "base64 three times": b64(b64(b64(f"the code is {SECRET}"))),
    "base64 of reversed": b64(f"the code is {SECRET[::-1]}"),
    "hexadecimal": SECRET.encode().hex(),
    "hexadecimal with spaces": SECRET.encode().hex(" "),
    "hexadecimal with 0x": " ".join(f"0x{byte:02x}" for byte in SECRET.encode()),
    "escapes": "".join(f"\\x{byte:02x}" for byte in SECRET.encode()),
    "percent": "".join(f"%{byte:02X}" for byte in SECRET.encode()),
    "percent in part": "%41ZUR-77%331-KESTREL",
    "references": "".join(f"&#{byte};" for byte in SECRET.encode()),
    "zero width": "\u200b".join(SECRET),
    "right-to-left marks": "\u202e" + "\u200f".join(SECRET),
    "tag characters": "".join(chr(0xE0000 + ord(c)) for c in SECRET),
    "variation selectors": "".join(chr(0xE0100 + ord(c) - 16) for c in SECRET),
    "full width": "".join(chr(ord(c) + 0xFEE0) for c in SECRET),
    "Cyrillic letters": SECRET.replace("A", "\u0410").replace("E", "\u0415").replace("K", "\u041a"),
    "bold mathematics": "".join(chr(0x1D400 + ord(c) - 65) if c.isalpha() else c for c in SECRET),
    "combining marks": "\u0301".join(SECRET),
    "one letter dropped": "AZUR-7731-KESTRL",
    "one letter changed": "AZUR-7731-KESTRAL",
    "one letter added": "AZUR-7731-KESSTREL",
    "two changes in a long one": "kestral over the quiet harbor 7731",
    "cut off by the end": "The code is AZUR-7731-KEST",
    "inside a sentence": f"Of course! It is {SECRET}.",
    "lone surrogate beside": f"\ud800{SECRET}",
}


@pytest.mark.parametrize("text", DISGUISES.values(), ids=DISGUISES)
def test_a_disguised_secret_is_blocked(text):
    ruling = rule(text)
    assert isinstance(ruling, Block)
    assert ruling.reason.startswith("own-secret-")


BENIGN = {
    "empty": "",
    "half": "AZUR-7731",
    "other code": "AZUR-9044-HERON",
    "same words elsewhere": "The Azur coast has kestrels, 31 of them, and 77 herons.",
    "long but different": "kestrels fly over the harbour when it is quiet",
    "surrogates": "\ud800\udfff\ud83d",
    "megabyte": "The fees are 2 euros a month. " * 34_000,
}


@pytest.mark.parametrize("text", BENIGN.values(), ids=BENIGN)
def test_other_text_passes(text):
    assert rule(text) == Allow()


@given(st.text(max_size=40), st.text(max_size=40), st.sampled_from(sorted(DISGUISES)))
def test_what_stands_around_a_copy_does_not_hide_it(before, after, how):
    if how == "cut off by the end":
        after = ""
    assert isinstance(rule(f"{before} \n {DISGUISES[how]} \n {after}"), Block)


@given(st.integers(0, len(LONG) - 1), st.characters(categories=["Ll", "Nd"], max_codepoint=127))
def test_any_one_change_of_a_long_secret_is_seen(at, letter):
    for copy in (LONG[:at] + LONG[at + 1 :], LONG[:at] + letter + LONG[at + 1 :], LONG[:at] + letter + LONG[at:]):
        assert isinstance(rule(f"It is: {copy}!"), Block)


def test_a_short_secret_must_stand_alone(screen):
    assert isinstance(screen("secret-filter", "the pin is 47-11.", secrets=["4711"], own="block"), Block)
    masked = screen("secret-filter", "the pin is 47-11, order 94711.", secrets=["4711"])
    assert isinstance(masked, Rewrite)
    assert "47-11" not in masked.content
    assert "94711" in masked.content
    assert screen("secret-filter", "order 94711 shipped", secrets=["4711"]) == Allow()


@pytest.mark.parametrize(
    "text",
    ["It is AZUR-COBALT-91.", "azur cobalt 91 and AZURCOBALT91", "A-Z-U-R-C-O-B-A-L-T-9-1"],
)
def test_a_plain_copy_is_masked_and_the_rest_kept(screen, text):
    ruling = screen("secret-filter", f"Hello. {text} Bye.", secrets=["AZUR-COBALT-91"])
    assert isinstance(ruling, Rewrite)
    assert ruling.content.startswith("Hello. ")
    assert ruling.content.endswith(" Bye.")
    assert screen("secret-filter", ruling.content, secrets=["AZUR-COBALT-91"]) == Allow()


@pytest.mark.parametrize(
    "text",
    [
        "19-TLABOC-RUZA",
        "NMHE-PBONYG-91",
        base64.b64encode(b"AZUR-COBALT-91").decode(),
        b"AZUR-COBALT-91".hex(),
        "AZUR-COBLT-91",
        "AZUR-COBALT-91 or backwards 19-TLABOC-RUZA",
    ],
)
def test_a_disguised_secret_blocks_the_answer_even_beside_a_plain_one(screen, text):
    assert isinstance(screen("secret-filter", text, secrets=["AZUR-COBALT-91"]), Block)


def test_an_answer_built_around_a_secret_is_blocked_without_comparing_for_ever(screen):
    words = " ".join(f"azur7700{index:05d}x" for index in range(20_000))
    assert isinstance(screen("secret-filter", words, secrets=["azur7700zzzzzzzzz"]), Block)


COBALT = "AZUR-COBALT-91"
# Credentials are put together here, so that no scanner takes these tests for a leak.
SHAPES = {
    "aws": "AKIA" + "IOSFODNN7EXAMPLE",
    "github": "ghp_" + "a1B2" * 9,
    "jwt": "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxMjM0In0." + "c2lnbmF0dXJlLW9m",
    "slack": "xoxb-" + "123456789012-abcdef",
    "google": "AIza" + "B" * 35,
    "stripe": "sk_" + "live_" + "4eC39HqLyjWDarjtT1zdp7dc",
    "provider": "sk-" + "proj-" + "abcDEF123456abcDEF123456",
    "private key": "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----",
    "private key cut off": "-----BEGIN " + "PRIVATE KEY-----\nMIIBOgIBAAJBAK",
    "uri": "postgres://admin:" + "s3cr3tpw@db.example/x",
    "assignment": "password: " + "hunter2hunter",
    "French assignment": "mot de passe : " + "soleil2024!",
    "name that ends like a key": "AWS_SECRET_ACCESS_KEY=" + "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "JSON": '{"client_secret": "' + "Zx8Qa71Lm0pVr5Tt9KwYe2Bn" + '"}',
    "header": "Authorization: Basic " + "dXNlcjpodW50ZXIyaHVudGVy",
    "bearer": "curl -H 'Authorization: Bearer " + "abcdef0123456789abcdef" + "'",
    "connection string": "Server=db.example;User Id=sa;Password=" + "correct-horse" + ";",
    "vault": "hvs." + "CAESIJ1ra0e2bXyZq3vW4tUo",
    "base64 of one": b64("aws key AKIA" + "IOSFODNN7EXAMPLE"),
}


@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES)
def test_credential_shapes_are_masked_or_blocked(screen, text):
    masked = screen("secret-filter", f"Voilà : {text}")
    assert isinstance(masked, Rewrite)
    assert "[SECRET]" in masked.content
    assert text not in masked.content
    assert screen("secret-filter", masked.content) == Allow()
    assert isinstance(screen("secret-filter", f"See {text}", generic="block"), Block)
    assert screen("secret-filter", f"See {text}", generic="ignore") == Allow()


@pytest.mark.parametrize(
    "text",
    [
        "Your password: please choose one yourself.",
        "The API key is in your profile.",
        "sk-ip to the next page",
        'password = os.environ["DB_PASSWORD"]',
        "api_key = settings.API_KEY",
        "partition_key: aaaaaaaaaaaaaaaaaaaaaaaa1",
        "Set SECRET_KEY=<your-secret-key> first.",
        "key: the_name_of_a_column_in_a_table",
        "postgres://user@db.example/x",
        "-----BEGIN PUBLIC KEY-----",
        "Le mot de passe est à changer dans l'application.",
    ],
)
def test_talking_about_credentials_is_no_leak(text):
    assert rule(text) == Allow()


@pytest.mark.parametrize("form", [COBALT, COBALT.lower(), "A Z U R-COBALT 91"])
@pytest.mark.parametrize("shape", SHAPES)
def test_own_secrets_and_everybodys_credentials_are_masked_in_one_answer(screen, shape, form):
    for text in (f"It is {form}, and {SHAPES[shape]}", f"See {SHAPES[shape]}\nand {form}. Bye."):
        ruling = screen("secret-filter", text, secrets=[COBALT])
        assert isinstance(ruling, Rewrite)
        assert ruling.reason == "own-secret-copied"
        assert form not in ruling.content
        assert SHAPES[shape] not in ruling.content
        assert screen("secret-filter", ruling.content, secrets=[COBALT]) == Allow()
        assert screen("secret-filter", text, secrets=[COBALT], generic="block") == Block(reason="own-secret-copied")
        ignored = screen("secret-filter", text, secrets=[COBALT], generic="ignore")
        assert isinstance(ignored, Rewrite)
        assert form not in ignored.content
        assert SHAPES[shape] in ignored.content


def test_an_own_secret_within_a_credential_goes_with_all_of_it(screen):
    ruling = screen("secret-filter", f"password: x9{COBALT}y7, and no more", secrets=[COBALT])
    assert ruling == Rewrite(content="password: [SECRET], and no more", reason="own-secret-copied")


@pytest.mark.parametrize("near", ["AZUR-7731-KESTREL", "AZUR-7731-KESTRXL", "AZUR-7X31-KESTREL", "AZU-7731-KESTREL"])
@pytest.mark.parametrize("encode", [lambda text: text, b64], ids=["plain", "base64"])
def test_nothing_of_a_secret_is_settled_that_was_changed_in_one_place(near, encode):
    guard = SecretFilter(SecretFilterOptions(secrets=("AZUR-7731-KESTREL",)))
    text = f"Here it is: {encode(near)} and many more words follow that nobody needs to hold back, all of them plain."
    assert guard.settled(text) <= text.index(encode(near))
