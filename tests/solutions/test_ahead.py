"""What guards say of a text of which the next word is known in part, and what they leave of that word."""

import random

import pytest
from benchmarks.solutions.streamed import SECRETS, WORDS, Drawn
from hypothesis import given, settings
from hypothesis import strategies as st

from aloi.solutions.ahead import MOST, Ahead, apart
from aloi.solutions.normalise import fold
from solutions.conftest import remedy
from solutions.test_settled import GUARDS, left

STAND_INS = (
    "[IBAN]",
    "[CARD]",
    "[NIR]",
    "[SIRET]",
    "[PHONE]",
    "[EMAIL]",
    "[TAX NUMBER]",
    "[IP ADDRESS]",
    "[SECRET]",
    "[link removed]",
    "[lien supprimé]",
    "[key]",
)
# What may stand right behind a word or a stand-in.
GLUE = (
    "",
    " ",
    "\n",
    "(https://evil.example/?q=1)",
    " 75",
    "76 1999 0001 0000 0421 8001 175",
    ": https://evil.example/a",
    ".com/x",
    "[dot]com/x",
    " [dot] com/x",
    "@x.com",
    " 41 42 43 44 45 46",
    "://evil.example",
    "><",
    "[ref]",
)
# What may go on with the next word, or with what stands in its place.
LEADING = (
    "41 42 43 44 45",
    "37 37 33 31 de",
    "1234",
    "AB",
    "FR",
    "MT84 MALT 0110 0001 2345 MTLC",
    "1 85 02 2A 123",
    "jeanne @",
    "jeanne [at] example [dot]",
    "x <",
    "<a",
    "](x",
    "[x]:",
    ">",
    "[note",
    "552 008 443",
    "10.1.2.3",
    "authorization: bearer",
    "password is",
    "<b onclick=x>",
    "\n![](https://evil.example)",
)
# Secrets and a prompt that go on with the letters of what stands in place of something.
OWN = ("at card 4471", "IBAN", "gone by 77 sir", "the secret 99 link", "n phone", "de sec 7731 kestrel")
PROMPT = (
    "You say that the card and the secret link of an IBAN or phone is gone. Never tell the key, the tax number or the "
    "secret of a card, nor the link removed by the email of a plate. If they ask at the phone, the card is the one "
    "with the secret key and the link gone to the IBAN, as the VAT number says so in the plate."
)
LIKE_STAND_INS = [
    (f"{name} like stand-ins {number}", remedy(name, **options).implementation)
    for number, (name, options) in enumerate(
        [
            ("secret-filter", {"secrets": list(OWN), "own": "mask"}),
            ("secret-filter", {"secrets": list(OWN), "own": "block", "generic": "block"}),
            ("prompt-leak", {"prompt": PROMPT, "canaries": ["KESTREL-SECR-77"]}),
        ]
    )
]
ALL = [*GUARDS, *LIKE_STAND_INS]


def goes_on(rest, ahead):
    """Whether a text goes on as `ahead` tells."""
    if rest.startswith(ahead.word) or rest == "[…]":
        return True
    begun = [at for at in range(len(ahead.word)) if rest.startswith(ahead.word[:at])]
    behind = [fold(rest[at:]).text for at in begun]
    ways = [way for one in ahead.instead for way in (f"[{one}", *([one] if ahead.bare else []))]
    return any(text.startswith(way) for text in behind for way in ways)


def spelled(draw, text):
    """As it is, letter by letter, or with other signs between its words."""
    return draw.choice((text, " ".join(filter(str.isalnum, text)), text.replace(" ", "-")))


class Text(Drawn):
    """Answers that lead up to something at many of their words."""

    def answer(self, most=8):
        draw, parts = self._draw, []
        for _ in range(draw.randint(1, most)):
            some = draw.choice((*OWN, *SECRETS))
            words = PROMPT.split()[draw.randrange(40) :]
            parts += draw.choice(
                (
                    [draw.choice(LEADING)],
                    [spelled(draw, some[: draw.randint(1, len(some))])],
                    words[: draw.choice((1, 3, 8, 20))],
                    [draw.choice(WORDS)],
                    [Drawn(draw).answer(2)],
                )
            )
        return draw.choice((" ", " ", "\n")).join(parts)


def continuations(draw, text, place, ahead, stand_ins):
    """Ways in which a text that is cut at a place may go on, as `ahead` tells."""
    rest = Text(draw).answer(2)
    yield text[place:]
    yield ahead.word + draw.choice(GLUE) + rest
    yield "[…]"
    for one in stand_ins:
        # What follows its first letters may be masked or cut in its turn.
        whole = one if draw.random() < 0.7 else one[:5] + draw.choice(("[SECRET]", " […]"))
        bare = whole[1:].replace("]", "", 1)
        begun = ahead.word[: draw.choice((0, 0, draw.randrange(len(ahead.word))))]
        own = draw.choice((*OWN, PROMPT))
        behind = draw.choice((rest, text[place:], f" {own[draw.randrange(len(own)) :]}"))
        yield begun + (bare if ahead.bare and draw.random() < 0.5 else whole) + draw.choice(GLUE) + behind


def kept(guard, begin, length, ahead, rest):
    """What is wrong with what a guard leaves of a text, of whose beginning it said that so much is settled."""
    some, whole = left(guard, begin[:length]), left(guard, begin + rest)
    if some is None:
        return "something that is blocked is settled"
    if whole is None:
        return ""
    if not whole.startswith(some):
        return "what was settled has changed"
    base = ahead if length == len(begin) else Ahead.at(begin, length)
    behind = guard.leaves(base) if base and apart(some, len(some)) else None
    return "" if behind is None or goes_on(whole[len(some) :], behind) else "the word behind it is another"


@pytest.mark.parametrize(("name", "guard"), ALL, ids=[name for name, _ in ALL])
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_what_is_settled_before_a_word_is_settled_whatever_stands_in_its_place(name, guard, seed):
    draw = random.Random(seed)
    text = draw.choice((Text, Drawn))(draw).answer(6)
    places = [place for place in range(len(text)) if Ahead.at(text, place)]
    for place in draw.sample(places, min(3, len(places))):
        stand_ins = draw.sample(STAND_INS, draw.choice((0, 1, 3)))
        word = Ahead.at(text, place).word
        ahead = Ahead(word[: draw.randint(1, len(word))]).behind(*stand_ins, bare=draw.random() < 0.4)
        settled = guard.settled_before(text[:place], ahead)
        assert guard.settled(text[:place]) <= settled <= place
        for rest in continuations(draw, text, place, ahead, stand_ins):
            assert goes_on(rest, ahead)
            assert kept(guard, text[:place], settled, ahead, rest) == "", (text[:place], ahead, rest)
    end = draw.randrange(len(text) + 1)
    for rest in (text[end:], draw.choice(GLUE) + Text(draw).answer(2)):
        assert kept(guard, text[:end], guard.settled(text[:end]), None, rest) == "", (text[:end], rest)


# What it is, the guard with its options, the text, and how the next word begins or what may stand in its place.
LEADS = {
    "a secret that goes on with a stand-in": (
        "secret-filter",
        {"secrets": ["at card 4471"]},
        "So at ",
        "link",
        "[CARD]",
    ),
    "a secret spelt out": ("secret-filter", {"secrets": ["tango delta 41"]}, "so t a n g o d e ", "l", ""),
    "pairs that go on with a stand-in": (
        "personal-data-filter",
        {},
        "30 36 31 32 33 34 35 36 37 38 ",
        "link",
        "[CARD]",
    ),
    "pairs that go on": ("secret-filter", {}, "30 36 31 32 33 34 35 36 37 38 ", "ca", ""),
    "a plate": ("personal-data-filter", {}, "so 1234 ", "ABC", ""),
    "a plate that goes on with a stand-in": ("personal-data-filter", {}, "so 1234 ", "link", "[NIR]"),
    "a name": ("link-policy", {}, "evil [dot] ", "link", ""),
    "a tag": ("link-policy", {}, "so a < ", "link", ""),
    "a mail address": ("personal-data-filter", {}, "so jeanne @ ", "link", ""),
    "a copy of the prompt": ("prompt-leak", {"prompt": PROMPT}, "So you say that the ", "card", ""),
    "a copy with a stand-in": ("prompt-leak", {"prompt": PROMPT}, "So you say that the ", "link", "[CARD]"),
}


@pytest.mark.parametrize("name", LEADS)
def test_what_leads_up_to_something_is_kept_back(name):
    guard, options, text, word, stand_in = LEADS[name]
    implementation = remedy(guard, **options).implementation
    ahead = Ahead(word).behind(*filter(None, [stand_in]), bare=True)
    assert implementation.settled_before(text, ahead) < len(text)
    assert implementation.settled_before("We open up ", ahead) == len("We open up ")


def test_the_beginning_of_a_word_is_known_only_behind_one_blank():
    assert Ahead.at("We open", 3) == Ahead("open")
    assert Ahead.at("We extraordinarily", 3).word == "extraordinarily"[:MOST]
    assert Ahead.at("Ouvert l'été", 7) == Ahead("l")
    assert Ahead.at("is élu", 3) == Ahead("élu")
    for text, place in (
        ("We  open", 4),
        ("We\nopen", 3),
        (" open", 1),
        ("We 3", 3),
        ("We \u3164", 3),
        ("We", 2),
        ("a", 0),
    ):
        assert Ahead.at(text, place) is None


def test_stand_ins_that_may_be_misread_tell_nothing():
    ahead = Ahead("open")
    assert ahead.behind("[lien supprimé]", "[IBAN]").instead == {"lien", "IBAN"}
    for stand_in in ("", "***", "(gone)", "[at]", "[dot gone]", "[7]", "[bade]", "[...]", "[a", "gone"):
        assert ahead.behind("[IBAN]", stand_in) is None


def test_a_secret_that_begins_within_a_stand_in_tells_nothing_of_the_next_word():
    ahead = Ahead("open").behind("[CARD]")
    assert remedy("secret-filter", secrets=["rdab4471"], own="mask").implementation.leaves(ahead) is None
    assert remedy("secret-filter", secrets=["xyab4471"], own="mask").implementation.leaves(ahead).instead == {
        "CARD",
        "SECR",
    }
    assert (
        remedy("secret-filter", secrets=["rdab4471"], own="block", generic="ignore").implementation.leaves(ahead)
        == ahead
    )


def test_a_budget_that_ends_an_answer_in_other_words_tells_nothing_of_the_next():
    ahead = Ahead("open")
    assert remedy("output-budget").implementation.leaves(ahead) == ahead
    assert remedy("output-budget", marker=" (cut)").implementation.leaves(ahead) is None
    assert remedy("output-budget", marker=" (cut)", action="block").implementation.leaves(ahead) == ahead
