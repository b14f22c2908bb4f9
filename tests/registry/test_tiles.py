import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aloi.errors import EvidenceError
from aloi.evidence.merkle import Tree, leaf_hash
from aloi.registry.paths import hash_of
from aloi.registry.tiles import (
    ENTRIES,
    FULL,
    HASH,
    Tile,
    changed,
    edge,
    grow,
    pack,
    parse,
    subtree,
    tiles,
    unpack,
)

HASHES = [leaf_hash(str(number).encode()) for number in range(70_000)]


def test_the_example_of_the_specification_with_70000_entries():
    # C2SP tlog-tiles, "Partial Tiles"
    found = list(tiles(70_000))
    assert [each for each in found if each.level == 0 and each.width == 256] == [Tile(0, n) for n in range(273)]
    assert [each for each in found if each.level or each.width < 256] == [
        Tile(0, 273, 112),
        Tile(1, 0, 256),
        Tile(1, 1, 17),
        Tile(2, 0, 1),
    ]


def test_the_example_of_the_specification_with_256_entries():
    assert list(tiles(256)) == [Tile(0, 0), Tile(1, 0, 1)]
    assert list(tiles(0)) == []


def test_paths_of_the_specification():
    assert Tile(0, 1_234_067).path == "tile/0/x001/x234/067"
    assert Tile(ENTRIES, 1_234_067, 3).path == "tile/entries/x001/x234/067.p/3"
    assert Tile(1, 17, 255).path == "tile/1/017.p/255"
    assert Tile(63, 0).path == "tile/63/000"


@given(st.integers(-1, 63), st.one_of(st.integers(0, 2_000_000), st.integers(0, 10**15)), st.integers(1, 256))
def test_a_path_comes_back(level, index, width):
    tile = Tile(level, index, width)
    assert parse(tile.path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile/0/67",
        "tile/00/067",
        "tile/64/067",
        "tile/-1/067",
        "tile/0/1234/067",
        "tile/0/001/067",
        "tile/0/x000/067",
        "tile/0/x001/x234/x067",
        "tile/0/067.p/0",
        "tile/0/067.p/256",
        "tile/0/067.p/05",
        "tile/0/067.p/",
        "tile/0/067/",
        "/tile/0/067",
        "tile/0/067\n",
        "tile/0/../067",
        "tile/entries/x\u0660\u0660\u0661/067",
        "tile/entry/067",
        "tile/8/0/067",
        "tile/0/" + "x001/" * 100 + "067",
    ],
)
def test_what_is_no_path_is_refused(path):
    with pytest.raises(EvidenceError) as caught:
        parse(path)
    assert caught.value.reason == "tile-path"


def test_changed_tiles_are_those_that_were_not_there_before():
    for _ in range(300):
        old, new = sorted(
            random.Random(_).choices([0, 1, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537, 70_000], k=2)
        )
        assert set(changed(old, new)) == set(tiles(new)) - set(tiles(old))


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 1000, 65_535, 65_536, 65_537, 70_000])
def test_tiles_grown_in_any_steps_are_the_hashes_of_the_definition(size):
    kept, at, steps = {}, 0, random.Random(size)
    while at < size:
        step = min(size - at, steps.choice([1, 3, 255, 256, 257, 5000]))
        held = {place: kept[place] for place in edge(at)}
        kept |= grow(at, held, HASHES[at : at + step])
        at += step
    assert {Tile(level, index, len(data) // HASH) for (level, index), data in kept.items()} == set(tiles(size))
    for (level, index), data in kept.items():
        for place in range(0, len(data) // HASH, 97):
            first = (index * 256 + place) * 256**level
            tree = Tree()
            for each in HASHES[first : first + 256**level]:
                tree.append(each)
            assert data[place * HASH : (place + 1) * HASH] == tree.root()
    whole = Tree()
    for each in HASHES[:size]:
        whole.append(each)
    assert hash_of((0, size), kept) == whole.root()


def test_growth_from_tiles_of_another_size_is_refused():
    held = grow(0, {}, HASHES[:10])
    with pytest.raises(ValueError, match="320 bytes, not 352"):
        grow(11, held, HASHES[11:12])
    with pytest.raises(KeyError):
        grow(10, {}, HASHES[10:11])


def test_a_full_tile_hashes_to_one_hash_of_the_level_above():
    held = grow(0, {}, HASHES[:256])
    assert len(held[0, 0]) == FULL
    assert held[1, 0] == subtree(held[0, 0])


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=256))
def test_bundles_come_back(entries):
    assert unpack(pack(entries)) == entries


def test_a_bundle_is_length_and_entry():
    assert pack([b"", b"abc"]) == b"\x00\x00\x00\x03abc"
    assert unpack(pack([b"x" * 65_535] * 256)) == [b"x" * 65_535] * 256


@pytest.mark.parametrize(
    "data",
    [b"", b"\x00", b"\x00\x01", b"\x00\x03ab", b"\x00\x00\x00", b"\x00\x00" * 257, b"\xff\xff" + b"x" * 17_000_000],
)
def test_what_is_no_bundle_is_refused(data):
    with pytest.raises(EvidenceError) as caught:
        unpack(data)
    assert caught.value.reason == "entry-bundle"


@pytest.mark.parametrize("entries", [[], [b""] * 257])
def test_a_bundle_of_no_or_too_many_entries_is_not_made(entries):
    with pytest.raises(ValueError, match="a bundle holds"):
        pack(entries)
