"""Nodes of an index in tiles, each a few levels of the tree in one piece, and tiles one after the other in segments.

A tile is found from the one above it, which says where it stands. It is never changed: an update writes anew the tiles
between what changed and the root, at the end of all. So what is written follows from the depth of the tree alone, and
not from where its subjects stand.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from aloi.registry.index import Branch, Leaf, Node

HEIGHT = 4  # levels of branches in a tile
SEGMENT = 16_000  # bytes of a segment, unless one tile has more: with its row, one page of SQLite
_OFFSET = 16  # bits of a place that say where in its segment a tile begins
_HASH = 32
_BRANCH = 2 * _HASH  # a leaf is never as long: its place, two numbers, then one hash for each bit of its size
_LEAF, _BELOW = 0x80, 0x40  # what a node is besides a branch: a leaf, or the root of another tile
_BITS = 0x3F
_LENGTH, _PLACE, _NUMBERS = struct.Struct(">H"), struct.Struct(">Q"), struct.Struct(">QQ")


_ADDRESSES = ["", *(format(code, "b")[1:] for code in range(1, 2 ** (HEIGHT + 1)))]
_CODES = {address: code for code, address in enumerate(_ADDRESSES) if code}


class Tile(NamedTuple):
    """Nodes, as bytes, by their addresses from the tile's root on, and where the tiles below it stand."""

    nodes: dict[str, bytes]
    below: dict[str, int]


def tile_of(address: str, node: Node) -> str:
    """The address of the root of the tile that holds a node: a leaf stands beside the branch above it."""
    return beside(address) if isinstance(node, Leaf) else address[: len(address) - len(address) % HEIGHT]


def beside(address: str) -> str:
    """The address of the root of the tile that holds a leaf, and the node above it."""
    depth = max(len(address) - 1, 0)
    return address[: depth - depth % HEIGHT]


def above(root: str) -> str:
    """The address of the root of the tile above that of `root`, which is not the first."""
    return root[:-HEIGHT]


def packed(node: Node) -> bytes:
    """The bytes of a node."""
    if isinstance(node, Branch):
        return node.left + node.right
    return b"".join((node.place, _NUMBERS.pack(node.size, node.last), *node.edge))


def unpacked(data: bytes) -> Node:
    """A node from its bytes."""
    if len(data) == _BRANCH:
        return Branch(data[:_HASH], data[_HASH:])
    size, last = _NUMBERS.unpack_from(data, _HASH)
    edge = range(_HASH + _NUMBERS.size, len(data), _HASH)
    return Leaf(data[:_HASH], size, tuple(data[start : start + _HASH] for start in edge), last)


def pack(tile: Tile) -> bytes:
    """The tile's bytes."""
    parts = [b""]
    for address, data in tile.nodes.items():
        code = _CODES[address]
        parts += ((code if len(data) == _BRANCH else _LEAF | code).to_bytes(), data)
    for address, place in tile.below.items():
        parts += ((_BELOW | _CODES[address] ^ 2**HEIGHT).to_bytes(), _PLACE.pack(place))
    parts[0] = _LENGTH.pack(sum(map(len, parts)))
    return b"".join(parts)


def unpack(segment: bytes, offset: int) -> Tile:
    """The tile that begins there."""
    nodes: dict[str, bytes] = {}
    below: dict[str, int] = {}
    at = offset + _LENGTH.size
    end = at + _LENGTH.unpack_from(segment, offset)[0]
    while at < end:
        code = segment[at]
        at += 1
        if code & _BELOW:
            below[_ADDRESSES[code & _BITS | 2**HEIGHT]] = _PLACE.unpack_from(segment, at)[0]
            at += _PLACE.size
            continue
        done = at + _BRANCH
        if code & _LEAF:
            (size,) = _PLACE.unpack_from(segment, at + _HASH)
            done = at + _HASH + _NUMBERS.size + size.bit_count() * _HASH
        nodes[_ADDRESSES[code & _BITS]] = segment[at:done]
        at = done
    return Tile(nodes, below)


def segment_of(place: int) -> int:
    """The segment in which a tile stands."""
    return place >> _OFFSET


def offset_of(place: int) -> int:
    """Where in its segment a tile begins."""
    return place & (1 << _OFFSET) - 1


class Writer:
    """Tiles that are put one after the other into segments, numbered from `first` on."""

    def __init__(self, first: int) -> None:
        self._first = first
        self._segments: list[list[bytes]] = []
        self._length = 0

    @property
    def next(self) -> int:
        """The number of the segment after these."""
        return self._first + len(self._segments)

    def put(self, tile: Tile) -> int:
        """Where the tile stands now."""
        data = pack(tile)
        if not self._segments or self._length + len(data) > SEGMENT:
            self._segments.append([])
            self._length = 0
        place = self.next - 1 << _OFFSET | self._length
        self._segments[-1].append(data)
        self._length += len(data)
        return place

    def segments(self) -> Iterator[tuple[int, int, bytes]]:
        """Each segment: its number, how many tiles it has, and its bytes."""
        for number, tiles in enumerate(self._segments, self._first):
            yield number, len(tiles), b"".join(tiles)
