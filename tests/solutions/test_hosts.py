"""Names of hosts are found in one pass, each once, whatever signs stand around them."""

import random
from itertools import islice

import pytest

from aloi.solutions.guards.hosts import names

SIGNS = (".", ".", " [dot] ", "[.]", "(point)", "{ punto }", "@", "-", "/x", "?q", "#", ":80", ",", " ", "  ", "\n")
LABELS = ("a", "b", "www", "WWW", "com", "fr", "ai", "io", "example", "co", "x-y", "_z", "\u00e9", "a@b", "app", "zip")


@pytest.mark.parametrize(
    ("text", "found"),
    {
        "a sign behind it": ("See banque.fr (point) now", ["banque.fr"]),
        "a word behind it": ("See banque.fr [dot] fr", ["banque.fr [dot] fr"]),
        "eight labels": ("a [dot] b.c.d [dot] e.f.g.h.fr", ["a [dot] b.c.d [dot] e.f.g.h.fr"]),
        "the last eight labels": ("a [dot] b [dot] c.d.e.f.g.h.i.fr", ["b [dot] c.d.e.f.g.h.i.fr"]),
        "without an ending": ("www.kestrel or www [dot] kestrel", ["www.kestrel", "www [dot] kestrel"]),
        "no ending": ("a.b, c [dot] d", []),
        "two": ("a.com and then b [dot] fr/x", ["a.com", "b [dot] fr/x"]),
    }.values(),
)
def test_names_with_signs(text, found):
    assert [text[low:high] for low, high in islice(names(text), 9)] == found


def test_each_name_begins_behind_the_one_before():
    draw = random.Random(20261128)
    found = 0
    for _ in range(8_000):
        pieces = draw.sample(SIGNS + LABELS, draw.randint(2, 12))
        text = "".join(draw.choices(pieces, k=draw.choice((3, 8, 20, 60))))
        starts = [low for low, _ in islice(names(text), len(text))]
        assert starts == sorted(set(starts)), text
        found += len(starts)
    assert found > 1_000
