"""The published index computed again from its lists, one subject after the other, and compared with every node kept.

Subjects come in the order of their places, so that only the way to the newest one is in memory.
"""

from collections.abc import Iterable, Iterator
from itertools import chain, groupby, islice, pairwise
from operator import itemgetter

from sqlalchemy import Connection, func, select, tuple_

from aloi.evidence import merkle
from aloi.evidence.lookup import IndexHead
from aloi.evidence.naming import names
from aloi.evidence.prefixtree import EMPTY, bits, index_leaf, place
from aloi.registry import schema
from aloi.registry.index import Branch, Leaf, Node, node_hash
from aloi.registry.indexstore import unpacked
from aloi.registry.store import Stored

_PAGE = 500
_lists, _nodes = schema.index_lists.c, schema.index_nodes.c
Built = tuple[str, Node]


def unfiled(connection: Connection, page: Iterable[Stored]) -> tuple[int, int | None]:
    """How many subjects the entries name, each counted for its entry, and the first entry that a list lacks."""
    wanted = [(place(subject), each.index) for each in page for subject in names(each.body).subjects]
    for first in range(0, len(wanted), _PAGE):
        asked = wanted[first : first + _PAGE]
        rows = select(_lists.place, _lists.idx).where(tuple_(_lists.place, _lists.idx).in_(asked))
        kept = {(bytes(row.place), row.idx) for row in connection.execute(rows)}
        if lacking := set(asked) - kept:
            return len(wanted), min(index for _, index in lacking)
    return len(wanted), None


def filed(connection: Connection) -> int:
    """How many rows the lists have."""
    return connection.execute(select(func.count()).select_from(schema.index_lists)).scalar_one()


def recomputed(connection: Connection) -> tuple[IndexHead, str | None]:
    """The head that the lists give, and the address of the first node that is not kept as they give it.

    A node that is kept and that they do not give has the address '?'.
    """
    root, subjects, total, wrong = EMPTY, 0, 0, None
    nodes = built(_leaves(connection))
    while page := list(islice(nodes, _PAGE)):
        rows = select(schema.index_nodes).where(_nodes.address.in_([address for address, _ in page]))
        kept = {row.address: unpacked(bytes(row.node)) for row in connection.execute(rows)}
        for address, node in page:
            subjects += isinstance(node, Leaf)
            root = node_hash(node)  # the root comes last
            if wrong is None and kept.get(address) != node:
                wrong = address
        total += len(page)
    if wrong is None and total != connection.execute(select(func.count()).select_from(schema.index_nodes)).scalar_one():
        wrong = "?"
    return IndexHead(subjects, root), wrong


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
    rows = select(_lists.place, _lists.idx).order_by(_lists.place, _lists.idx)
    found = connection.execution_options(yield_per=_PAGE).execute(rows)
    for at, filed_there in groupby(((bytes(row.place), row.idx) for row in found), key=itemgetter(0)):
        tree = merkle.Tree()
        for _, index in filed_there:
            tree.append(index_leaf(index))
        yield Leaf(at, tree.size, tree.edge)


def _shared(one: str, other: str) -> int:
    return next(depth for depth, pair in enumerate(zip(one, other, strict=True)) if pair[0] != pair[1])
