import random

import pytest
from benchmarks.registry.omission import CHEATS, play

SEEN = {
    "honest": set(),
    "leaves a new entry out of the index": {"monitor"},
    "takes an old entry out of the index": {"memory", "monitor"},
    "hides an entry at first, files it later": {"memory", "monitor"},
    "leaves an entry out of the answer alone": {"answers"},
    "files an entry under another system": {"answers", "monitor"},
    "files an entry under one of two systems": {"monitor"},
    "says another number of subjects": {"monitor"},
    "exchanges two entries": {"memory", "monitor"},
    "writes an old entry anew": {"memory", "monitor"},
    "removes an old entry": {"memory", "monitor"},
    "shows the client another new entry": {"monitor"},
    "goes back to an older head": {"memory"},
}


@pytest.mark.parametrize("name", CHEATS)
def test_every_way_to_cheat_is_seen_by_those_who_can_see_it(name):
    chance = random.Random(name)
    assert [play(chance, CHEATS[name]) for _ in range(12)] == [SEEN[name]] * 12
