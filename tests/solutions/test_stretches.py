"""A pattern that is tried in stretches alone finds what it finds in the whole text."""

import random

import pytest

from aloi.solutions import runs
from aloi.solutions.guards import identifiers
from aloi.solutions.stretches import Marks, Stretches


def numbers_in(text, low):
    for match in identifiers._NUMERIC.matches(identifiers._CLUSTER, text, low):
        yield match.span()


PLACES = {
    "base64": (runs._base64_spans, runs._BASE64),
    "hexadecimal": (runs._hex_spans, runs._HEX),
    "numbers": (numbers_in, identifiers._CLUSTER),
}
PIECES = {
    "base64": (
        "QUJD",
        "QUJDREVGR0hJSktM",
        "R0hJ" * 12 + "\r\n",
        "Q" * 40 + "\n",
        "=",
        "-",
        "_",
        " ",
        "word",
        "é",
        "\ud800",
    ),
    "hexadecimal": (
        "41",
        "4",
        "0x41",
        "\\x41",
        "\\u0041",
        "%41",
        " ",
        ":",
        ";",
        "z",
        "é",
        "\ud800",
        "41 42 43 44 45 46",
    ),
    "numbers": ("1", "22", "333", " ", ".", "-", "\r\n", "\n\t ", ",", "a", "é", "\ud800", "06 12 34 56 78"),
}


@pytest.mark.parametrize("kind", PLACES)
def test_what_is_found_is_found_in_stretches(kind):
    find, pattern = PLACES[kind]
    draw = random.Random(20261128)
    found = 0
    for size in [3, 10, 30, 100] * 200 + [3_000] * 5:  # of the last there are more than are looked at one by one
        text = "".join(draw.choices(PIECES[kind], k=size))
        wanted = [match.span() for match in pattern.finditer(text)]
        assert list(find(text, 0)) == wanted
        found += len(wanted)
        low = draw.randrange(len(text))
        later = [match.span() for match in pattern.finditer(text, low)]
        assert list(find(text, low)) == later
    assert found > 1_000


def test_where_stretches_stand():
    assert list(Stretches(b"ab", 3).of("ab aba bbbb\ud800aaa")) == [(3, 6), (7, 11), (12, 15)]
    assert list(Stretches(b"ab", 3).of("aaaaaa", 2)) == [(2, 6)]
    assert list(Stretches(b"ab", 3).of("aaaaaa", 4)) == []


def test_marks_stand_where_the_characters_do():
    marks = Marks({b"0": b"0123456789", b"A": b"ABC"})
    assert marks.of("A1 \ud800éC漢9") == b"A0   A 0"


def test_whether_they_are_more():
    draw = random.Random(20261128)
    stretches = Stretches(b"ab", 3)
    for _ in range(2_000):
        text = "".join(draw.choices("ab .\ud800é", weights=(6, 6, 1, 1, 1, 1), k=draw.randrange(60)))
        low = draw.choice((0, draw.randrange(len(text) + 1)))
        count = len(list(stretches.of(text, low)))
        assert [stretches.are_more(text, than, low) for than in range(8)] == [count > than for than in range(8)]
