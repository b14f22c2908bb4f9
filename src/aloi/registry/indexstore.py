"""The index of a log in the log's own database, and what was taken in since it was published.

The tables hold the index of the published checkpoint, so that whoever looks up reads one state. Entries that came after
it are taken in memory, where their root is found for the checkpoint to sign; `flush` moves the tables on. What is in
memory can be lost: it follows from the entries.
"""

import struct
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from aloi.evidence.lookup import IndexHead
from aloi.evidence.naming import names
from aloi.evidence.prefixtree import BITS, bits, place
from aloi.registry import schema, store
from aloi.registry.index import Branch, Index, Leaf, Node, Taken

PAGE = 1_000
_KEYS = 400  # in one question to the database
_HASH = 32
_SIZE = struct.Struct(">Q")
_BRANCH = 2 * _HASH  # a leaf is never as long: its place, its size, then one hash for each bit of the size

_taken = select(schema.index_taken.c.size, schema.index_taken.c.subjects)
_nodes = select(schema.index_nodes).where(schema.index_nodes.c.address.in_(bindparam("addresses", expanding=True)))
_list = (
    select(schema.index_lists.c.idx)
    .where(schema.index_lists.c.place == bindparam("place"))
    .order_by(schema.index_lists.c.idx)
)
_forget = delete(schema.index_nodes).where(schema.index_nodes.c.address == bindparam("at"))
_add_nodes, _add_lists = insert(schema.index_nodes), insert(schema.index_lists)


class Changes:
    """What was taken in since the index of `base` was published: nodes, lists, and how far it is now."""

    def __init__(self, base: Taken) -> None:
        self.base = base
        self.taken = base
        self.nodes: dict[str, Node] = {}
        self.lists: defaultdict[bytes, list[int]] = defaultdict(list)


class StoredNodes:
    """The published index with changes laid over it, in one transaction: a `NodeStore`."""

    def __init__(self, connection: Connection, changes: Changes) -> None:
        self._connection = connection
        self._changes = changes
        self._read: dict[str, Node | None] = {}

    def taken(self) -> Taken:
        """How far the index is, changes included."""
        return self._changes.taken

    def take(self, taken: Taken) -> None:
        """Change how far it is."""
        self._changes.taken = taken

    def node(self, address: str) -> Node | None:
        """The node at an address."""
        if address in self._changes.nodes:
            return self._changes.nodes[address]
        if address not in self._read:
            self._fetch([address])
        return self._read[address]

    def put(self, address: str, node: Node) -> None:
        """Change a node."""
        self._changes.nodes[address] = node

    def indices(self, place: bytes) -> Sequence[int]:
        """The list of a place."""
        kept = self._connection.execute(_list, {"place": place}).scalars().all()
        return [*kept, *self._changes.lists.get(place, ())]

    def file(self, place: bytes, index: int) -> None:
        """Add to the list of a place."""
        self._changes.lists[place].append(index)

    def prefetch(self, places: Iterable[bytes]) -> None:
        """Read every node on the way to these places, level by level: one question for many of them."""
        ways = {bits(each) for each in places}
        for depth in range(BITS):
            wanted = {way[:depth] for way in ways}
            self._fetch([each for each in wanted if each not in self._read and each not in self._changes.nodes])
            ways = {way for way in ways if isinstance(self.node(way[:depth]), Branch)}
            if not ways:
                return

    def flush(self) -> None:
        """Write the changes: the published index is then that of `taken`."""
        changes = self._changes
        if changes.taken == changes.base:
            return
        if changes.nodes:
            self._connection.execute(_forget, [{"at": address} for address in changes.nodes])
            written = [{"address": address, "node": _packed(node)} for address, node in sorted(changes.nodes.items())]
            self._connection.execute(_add_nodes, written)
        if changes.lists:
            listed = [{"place": at, "idx": index} for at, filed in sorted(changes.lists.items()) for index in filed]
            self._connection.execute(_add_lists, listed)
        self._connection.execute(update(schema.index_taken).values(changes.taken._asdict()))

    def _fetch(self, addresses: Sequence[str]) -> None:
        for first in range(0, len(addresses), _KEYS):
            asked = addresses[first : first + _KEYS]
            self._read.update(dict.fromkeys(asked))
            for row in self._connection.execute(_nodes, {"addresses": asked}):
                self._read[row.address] = unpacked(bytes(row.node))


def published(connection: Connection) -> Taken | None:
    """How far the published index is; None before `begin`."""
    row = connection.execute(_taken).first()
    return Taken(row.size, row.subjects) if row else None


def begin(connection: Connection) -> None:
    """Publish the index of no entries."""
    connection.execute(insert(schema.index_taken), [{"id": 1, **Taken()._asdict()}])


def take_in(connection: Connection, changes: Changes, entries: Collection[bytes]) -> IndexHead:
    """The head of the index once it has taken the log's next entries."""
    nodes = StoredNodes(connection, changes)
    named = {entry: names(entry) for entry in entries}
    nodes.prefetch(place(subject) for each in named.values() for subject in each.subjects)
    index = Index(nodes, named.__getitem__)
    for entry in entries:
        index.append(entry)
    return index.head()


def catch_up(connection: Connection, changes: Changes, size: int) -> IndexHead:
    """The head of the index of the first `size` entries, those that it lacks being read from the log."""
    head = take_in(connection, changes, ())
    while changes.taken.size < size:
        lacking = store.page(connection, changes.taken.size, min(PAGE, size - changes.taken.size))
        head = take_in(connection, changes, [each.body for each in lacking])
    return head


def _packed(node: Node) -> bytes:
    if isinstance(node, Branch):
        return node.left + node.right
    return node.place + _SIZE.pack(node.size) + b"".join(node.edge)


def unpacked(data: bytes) -> Node:
    """A node from the bytes that are kept of it."""
    if len(data) == _BRANCH:
        return Branch(data[:_HASH], data[_HASH:])
    edge = range(_HASH + _SIZE.size, len(data), _HASH)
    return Leaf(data[:_HASH], _SIZE.unpack_from(data, _HASH)[0], tuple(data[start : start + _HASH] for start in edge))
