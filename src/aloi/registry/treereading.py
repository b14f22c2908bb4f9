"""The tree of a signed head, read from tiles that nobody needs to trust (C2SP tlog-tiles).

    tree = Tree(source.fetch_tile, size, root)   # its right edge leads to the root, or it is refused
    tree.prefix(old_size), tree.leaves(0)

Every tile is held to the root before a hash of it is used.
"""

from collections.abc import Callable, Sequence

from aloi.errors import EvidenceError
from aloi.evidence import merkle
from aloi.evidence.merkle import EMPTY, node_hash, split
from aloi.registry.tiles import HASH, HEIGHT, WIDTH
from aloi.translation import N_

# level, index, width: the bytes of the tile of that width, or of the whole one
FetchTile = Callable[[int, int, int], bytes]


class Tree:
    """The tree of `size` leaves under `root`. Tiles above the leaves are fetched once and kept."""

    def __init__(self, fetch: FetchTile, size: int, root: bytes) -> None:
        """Fetch the right edge. Raises EvidenceError ('tile-size', 'tile-mismatch')."""
        self.size = size
        self._fetch = fetch
        self._tiles: dict[tuple[int, int], tuple[bytes, ...]] = {}
        levels = range((size.bit_length() - 1) // HEIGHT + 1 if size else 0)
        peaks: list[bytes] = []
        for level in reversed(levels):
            width = size >> HEIGHT * level & WIDTH - 1
            if width:
                index = size >> HEIGHT * (level + 1)
                self._tiles[level, index] = hashes = self._fetched(level, index, width)
                peaks += _peaks(hashes)
        if _fold(peaks) != root:
            raise _mismatch()

    def leaves(self, index: int) -> tuple[bytes, ...]:
        """The leaf hashes of the tile `index`. Raises EvidenceError as the constructor."""
        return self._tile(0, index)

    def prefix(self, size: int) -> bytes:
        """The root of the first `size` leaves. Raises EvidenceError as the constructor."""
        peaks, low = [], 0
        while low < size:
            high = low + (1 << (size - low).bit_length() - 1)
            peaks.append(self._range(low, high))
            low = high
        return _fold(peaks)

    def path(self, first: int) -> tuple[bytes, ...]:
        """The consistency proof from `first` (0 < first <= size), its first node always named: see `prefix_roots`."""
        path: list[bytes] = []
        low, high = 0, self.size
        while high != first:
            middle = low + split(high - low)
            if first <= middle:
                path.append(self._range(middle, high))
                high = middle
            else:
                path.append(self._range(low, middle))
                low = middle
        return (self._range(low, high), *reversed(path))

    def proof(self, first: int) -> tuple[bytes, ...]:
        """The consistency proof from `first`, as witnesses take it."""
        if first in (0, self.size):
            return ()
        path = self.path(first)
        return path if first & (first - 1) else path[1:]

    def _range(self, low: int, high: int) -> bytes:
        """The hash over leaves `low` to `high`, where the tree has such a node."""
        count = high - low
        if count & (count - 1):
            middle = low + split(count)
            return node_hash(self._range(low, middle), self._range(middle, high))
        level, inside = divmod(count.bit_length() - 1, HEIGHT)
        index, start = divmod(low >> HEIGHT * level, WIDTH)
        return _whole(self._tile(level, index)[start : start + (1 << inside)])

    def _tile(self, level: int, index: int) -> tuple[bytes, ...]:
        if (level, index) in self._tiles:
            return self._tiles[level, index]
        hashes = self._fetched(level, index, WIDTH)  # whole: the edge is there already
        above, place = divmod(index, WIDTH)
        if _whole(hashes) != self._tile(level + 1, above)[place]:
            raise _mismatch()
        if level:
            self._tiles[level, index] = hashes
        return hashes

    def _fetched(self, level: int, index: int, width: int) -> tuple[bytes, ...]:
        data = self._fetch(level, index, width)
        if len(data) not in (width * HASH, WIDTH * HASH):
            raise EvidenceError(
                N_("a tile of {width} hashes has {got} bytes"),
                reason="tile-size",
                remedy=N_("fetch the tile again, or from another mirror"),
                width=width,
                got=len(data),
            )
        return tuple(data[start : start + HASH] for start in range(0, width * HASH, HASH))


def _peaks(hashes: Sequence[bytes]) -> list[bytes]:
    """The roots of the largest whole trees over the hashes, from the left."""
    peaks, low = [], 0
    while low < len(hashes):
        high = low + (1 << (len(hashes) - low).bit_length() - 1)
        peaks.append(_whole(hashes[low:high]))
        low = high
    return peaks


def _whole(hashes: Sequence[bytes]) -> bytes:
    """The root over hashes whose number is a power of two."""
    tree = merkle.Tree()
    for each in hashes:
        tree.append(each)
    return tree.root()


def _fold(peaks: Sequence[bytes]) -> bytes:
    """The root over whole trees from the largest to the smallest."""
    if not peaks:
        return EMPTY
    node = peaks[-1]
    for left in reversed(peaks[:-1]):
        node = node_hash(left, node)
    return node


def _mismatch() -> EvidenceError:
    return EvidenceError(
        N_("a tile does not lead to the root of the signed head"),
        reason="tile-mismatch",
        remedy=N_("fetch it again, or from another mirror; the log owes tiles for what it signed"),
    )
