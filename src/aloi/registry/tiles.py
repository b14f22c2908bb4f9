"""A Merkle tree in tiles of 256 hashes (C2SP tlog-tiles): coordinates, paths, entry bundles, growth.

A tile of level L lists hashes of subtrees that are whole and 256^L leaves wide. It grows at its right end until it has
256 hashes, and never changes to the left of it. Everything here is a pure function over bytes.
"""

import re
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from aloi.errors import EvidenceError
from aloi.evidence.decoding import shown
from aloi.evidence.logentry import LONGEST
from aloi.evidence.merkle import node_hash
from aloi.translation import N_

HEIGHT = 8
WIDTH = 1 << HEIGHT
HASH = 32
FULL = WIDTH * HASH
ENTRIES = -1  # the "level" of bundles, which lie under the tiles of level 0
_LEVELS = 64
_LENGTH = struct.Struct(">H")
_PATH = re.compile(
    r"tile/(?P<level>entries|0|[1-9][0-9]?)/(?P<index>(?:x[0-9]{3}/)*[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


class Tile(msgspec.Struct, frozen=True):
    """Where a tile stands, and how many hashes (of level ENTRIES: entries) it has."""

    level: int
    index: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """Where it is served, under the log's prefix ("Merkle Tree", "Log entries")."""
        groups = [f"{self.index % 1000:03d}"]
        rest = self.index // 1000
        while rest:
            groups.append(f"x{rest % 1000:03d}")
            rest //= 1000
        level = "entries" if self.level == ENTRIES else str(self.level)
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{level}/{'/'.join(reversed(groups))}{partial}"


def parse(path: str) -> Tile:
    """The tile of a path, which has one spelling. Raises EvidenceError: 'tile-path'."""
    found = _PATH.fullmatch(path) if len(path) < 80 else None
    if found:
        level = ENTRIES if found["level"] == "entries" else int(found["level"])
        tile = Tile(level, int(re.sub("[x/]", "", found["index"])), int(found["width"] or WIDTH))
        if level < _LEVELS and tile.path == path:
            return tile
    raise EvidenceError(
        N_("“{got}” is not the path of a tile"),
        reason="tile-path",
        remedy=N_("ask as C2SP tlog-tiles says: tile/LEVEL/INDEX or tile/entries/INDEX, with .p/WIDTH where partial"),
        got=shown(path),
    )


def tiles(size: int) -> Iterator[Tile]:
    """Every tile of a tree, from the leaves up; bundles of entries are not listed."""
    return changed(0, size)


def changed(old: int, new: int) -> Iterator[Tile]:
    """The tiles that a tree of size `new` has and one of size `old` had not, or had with fewer hashes."""
    level = 0
    while new >> (HEIGHT * level):
        before, after = old >> (HEIGHT * level), new >> (HEIGHT * level)
        for index in range(before // WIDTH, -(-after // WIDTH)):
            width = min(WIDTH, after - index * WIDTH)
            if width > before - index * WIDTH:
                yield Tile(level, index, width)
        level += 1


def edge(size: int) -> list[tuple[int, int]]:
    """Level and index of each tile that is partial in a tree of this size."""
    return [(each.level, each.index) for each in _partial(size)]


def _partial(size: int) -> Iterator[Tile]:
    level = 0
    while size >> (HEIGHT * level):
        index, width = divmod(size >> (HEIGHT * level), WIDTH)
        if width:
            yield Tile(level, index, width)
        level += 1


def grow(size: int, held: Mapping[tuple[int, int], bytes], leaves: Iterable[bytes]) -> dict[tuple[int, int], bytes]:
    """The tiles that change when `leaves` come after the first `size`, whole, by level and index.

    `held` are the tiles of `edge(size)`. Raises ValueError where one of them is missing or of another width.
    """
    result: dict[tuple[int, int], bytes] = {}
    arriving = list(leaves)
    level = 0
    while arriving:
        index, width = divmod(size >> (HEIGHT * level), WIDTH)
        left = held[level, index] if width else b""
        if len(left) != width * HASH:
            raise ValueError(f"tile {level}/{index} has {len(left)} bytes, not {width * HASH}")
        data = left + b"".join(arriving)
        arriving = []
        for place in range(0, len(data), FULL):
            tile = data[place : place + FULL]
            result[level, index] = tile
            index += 1
            if len(tile) == FULL:
                arriving.append(subtree(tile))
        level += 1
    return result


def subtree(hashes: bytes) -> bytes:
    """The hash over 2^n hashes, n <= 8, that stand one after the other."""
    row = [hashes[place : place + HASH] for place in range(0, len(hashes), HASH)]
    while len(row) > 1:
        row = [node_hash(row[place], row[place + 1]) for place in range(0, len(row), 2)]
    return row[0]


def pack(entries: Sequence[bytes]) -> bytes:
    """A bundle of up to 256 entries ("Log entries"). Raises ValueError for too many, struct.error for a long one."""
    if not 0 < len(entries) <= WIDTH:
        raise ValueError(f"a bundle holds 1 to {WIDTH} entries, not {len(entries)}")
    return b"".join(_LENGTH.pack(len(entry)) + entry for entry in entries)


def unpack(data: bytes) -> list[bytes]:
    """The entries of a bundle. Raises EvidenceError: 'entry-bundle'."""
    entries: list[bytes] = []
    place = 0
    while place < len(data) <= WIDTH * (LONGEST + _LENGTH.size):
        start = place + _LENGTH.size
        if start > len(data):
            break
        (length,) = _LENGTH.unpack_from(data, place)
        entries.append(data[start : start + length])
        place = start + length
    if place != len(data) or not 0 < len(entries) <= WIDTH:
        raise EvidenceError(
            N_("this is no bundle of entries of a log: it is cut short, empty or too long"),
            reason="entry-bundle",
            remedy=N_("obtain it again from the log, or from one of its mirrors"),
        )
    return entries
