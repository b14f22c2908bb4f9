"""The published index computed again from its lists, one subject after the other, and compared with every node kept.

Subjects come in the order of their places, so that only the way to the newest one is in memory. The nodes that are kept
are walked in the same order.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain, groupby, pairwise

from sqlalchemy import Connection, func, select

from aloi.evidence import merkle
from aloi.evidence.lookup import IndexHead
from aloi.evidence.naming import names
from aloi.evidence.prefixtree import BITS, EMPTY, bits, index_leaf, place
from aloi.registry import indexstore, schema
from aloi.registry.index import Branch, Leaf, Node, node_hash
from aloi.registry.indextiles import Tile, unpacked
from aloi.registry.store import Stored

_PAGE = 500
_BROKEN = -1  # the last index of a list that does not go from each entry to the one before; no leaf has it
_lists = schema.index_lists.c
Built = tuple[str, Node]


def unfiled(connection: Connection, page: Sequence[Stored]) -> tuple[int, int | None]:
    """How many subjects the entries name, each counted for its entry, and the first entry that a list lacks.

    The entries are some that come one after the other.
    """
    if not page:
        return 0, None
    wanted = {(each.index, place(subject)) for each in page for subject in names(each.body).subjects}
    rows = select(_lists.idx, _lists.place).where(_lists.idx.between(page[0].index, page[-1].index))
    lacking = wanted - {(row.idx, bytes(row.place)) for row in connection.execute(rows)}
    return len(wanted), min(lacking)[0] if lacking else None


def filed(connection: Connection) -> int:
    """How many rows the lists have."""
    return connection.execute(select(func.count()).select_from(schema.index_lists)).scalar_one()


def recomputed(connection: Connection) -> tuple[IndexHead, str | None]:
    """The head that the lists give, and the address of the first node that is not kept as they give it.

    A node that is kept and that they do not give, and a count of tiles that is wrong, have the address '?'.
    """
    root, subjects, wrong = EMPTY, 0, None
    walk = _Walk(connection)
    kept = walk.nodes()
    for address, node in built(_leaves(connection)):
        subjects += isinstance(node, Leaf)
        root = node_hash(node)  # the root comes last
        if wrong is None and next(kept, None) != (address, node):
            wrong = address
    if wrong is None and (next(kept, None) is not None or walk.tiles != _needed(connection)):
        wrong = "?"
    return IndexHead(subjects, root), wrong


class _Walk:
    """Every node that is kept, children before parents, and how many tiles they stand in."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.tiles = 0

    def nodes(self) -> Iterator[Built]:
        """Ends early where something cannot be read."""
        root = indexstore.since(self._connection).root
        if root is not None:
            with suppress(struct.error, LookupError):
                yield from self._under("", self._read({"": root})[""])

    def _under(self, root: str, tile: Tile) -> Iterator[Built]:
        """The nodes of a tile and of those below it."""
        if len(root) > BITS:
            raise LookupError(root)
        lower = self._read({root + end: at for end, at in tile.below.items()})

        def descend(end: str) -> Iterator[Built]:
            if root + end in lower:
                yield from self._under(root + end, lower[root + end])
            elif end in tile.nodes:
                node = unpacked(tile.nodes[end])
                if isinstance(node, Branch):
                    yield from descend(end + "0")
                    yield from descend(end + "1")
                yield root + end, node

        return descend("")

    def _read(self, places: Mapping[str, int]) -> dict[str, Tile]:
        found = indexstore.tiles(self._connection, places)
        self.tiles += len(found)
        return found


def _needed(connection: Connection) -> int:
    """How many tiles are said to be needed."""
    counted = connection.execute(select(func.sum(schema.index_needed.c.tiles))).scalar_one() or 0
    return int(counted) - indexstore.left(connection).total()


def built(leaves: Iterable[Leaf]) -> Iterator[Built]:
    """Every node of the tree over leaves in the order of their places, by its address, children before parents."""
    stack: list[tuple[str, Node]] = []  # whole subtrees to the left of the next leaf, by address

    def rise(to: int) -> Iterator[Built]:
        """Join what stands deeper than `to` into the branch at that depth."""
        while len(stack[-1][0]) > to:
            address, node = stack.pop()
            above, right = address[:-1], node_hash(node)
            left = EMPTY
            if address[-1] == "0":
                left, right = right, EMPTY
            elif stack and stack[-1][0] == above + "0":
                left = node_hash(stack.pop()[1])
            branch = Branch(left, right)
            yield above, branch
            stack.append((above, branch))

    before = -1  # digits shared with the leaf to the left
    for leaf, after in pairwise(chain(leaves, [None])):
        if leaf is None:
            return
        way = bits(leaf.place)
        shared = _shared(way, bits(after.place)) if after else -1
        stack.append((way[: max(before, shared) + 1], leaf))
        yield stack[-1]
        yield from rise(shared + 1)
        before = shared


def _leaves(connection: Connection) -> Iterator[Leaf]:
    rows = select(schema.index_lists).order_by(_lists.place, _lists.idx).execution_options(yield_per=_PAGE)
    for at, filed_there in groupby(connection.execute(rows), key=lambda row: bytes(row.place)):
        tree, last, whole = merkle.Tree(), None, True
        for row in filed_there:
            tree.append(index_leaf(row.idx))
            whole = whole and row.before == last
            last = row.idx
        yield Leaf(at, tree.size, tree.edge, last if whole and last is not None else _BROKEN)


def _shared(one: str, other: str) -> int:
    return next(depth for depth, pair in enumerate(zip(one, other, strict=True)) if pair[0] != pair[1])
