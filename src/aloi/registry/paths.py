"""Proofs from stored tiles: which ranges of leaves a proof names, which tiles hold them, and their hashes.

The ranges are those of RFC 6962 sections 2.1.1 and 2.1.2. A proof reads at most two tiles for each level of tiles.
"""

from collections.abc import Iterable, Iterator, Mapping

from aloi.evidence.merkle import EMPTY, node_hash, split
from aloi.registry.tiles import HASH, HEIGHT, WIDTH, subtree

Range = tuple[int, int]
Place = tuple[int, int]


def inclusion(index: int, size: int) -> list[Range]:
    """The leaves under each hash of the proof that leaf `index` is in the tree of `size`, lowest first."""
    if not 0 <= index < size:
        raise IndexError(f"leaf {index} is not in a tree of {size}")
    ranges: list[Range] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + split(high - low)
        if index < middle:
            ranges.append((middle, high))
            high = middle
        else:
            ranges.append((low, middle))
            low = middle
    return ranges[::-1]


def consistency(old: int, new: int) -> list[Range]:
    """The leaves under each hash of the proof that the tree of `old` is a prefix of that of `new`.

    Nothing has to be proved of the empty tree, or of a tree and itself.
    """
    if not 0 <= old <= new:
        raise IndexError(f"no proof from size {old} to size {new}")
    if old in {0, new}:
        return []
    ranges: list[Range] = []
    low, high, complete = 0, new, True
    while high != old:
        middle = low + split(high - low)
        if old <= middle:
            ranges.append((middle, high))
            high = middle
        else:
            ranges.append((low, middle))
            low, complete = middle, False
    if not complete:
        ranges.append((low, high))
    return ranges[::-1]


def places(ranges: Iterable[Range]) -> set[Place]:
    """Level and index of each tile that `hash_of` reads for these ranges."""
    return {_place(level, index)[0] for low, high in ranges for level, index in _nodes(low, high)}


def hash_of(span: Range, tiles: Mapping[Place, bytes]) -> bytes:
    """The hash over a range that a proof names, or over a whole tree. Raises KeyError where a tile is not given."""
    low, high = span
    if low == high:
        return EMPTY
    parts = [_stored(level, index, tiles) for level, index in _nodes(low, high)]
    node = parts.pop()
    while parts:
        node = node_hash(parts.pop(), node)
    return node


def _nodes(low: int, high: int) -> Iterator[Place]:
    """The whole subtrees that make up a range, largest first: height and index at that height."""
    while low < high:
        height = (high - low).bit_length() - 1
        yield height, low >> height
        low += 1 << height


def _place(height: int, index: int) -> tuple[Place, int, int]:
    """The tile that holds a subtree, and from which hash to which."""
    level, within = divmod(height, HEIGHT)
    tile, first = divmod(index << within, WIDTH)
    return (level, tile), first, first + (1 << within)


def _stored(height: int, index: int, tiles: Mapping[Place, bytes]) -> bytes:
    place, first, end = _place(height, index)
    hashes = tiles[place][first * HASH : end * HASH]
    if len(hashes) != (end - first) * HASH:
        raise KeyError(place)
    return subtree(hashes)
