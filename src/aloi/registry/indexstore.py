"""The index of a log in the log's own database, and what was taken in since it was published.

The tables hold the index of the published checkpoint, so that whoever looks up reads one state. Entries that came after
it are taken in memory, where their root is found for the checkpoint to sign; `flush` moves the tables on. What is in
memory can be lost: it follows from the entries.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import groupby

from sqlalchemy import BigInteger, Connection, bindparam, delete, func, insert, literal, select, update

from aloi.evidence.lookup import IndexHead
from aloi.evidence.naming import names
from aloi.evidence.prefixtree import BITS, EMPTY, bits, place
from aloi.registry import schema, store
from aloi.registry.index import Index, Leaf, Node, Taken
from aloi.registry.indextiles import (
    HEIGHT,
    Tile,
    Writer,
    above,
    beside,
    offset_of,
    packed,
    segment_of,
    tile_of,
    unpack,
    unpacked,
)

PAGE = 1_000
FOLDED = 16  # publications after which segments that nothing needs are removed
_KEYS = 400  # in one question to the database
_NUMBER = 8  # bytes
_REMEMBERED = 2 * HEIGHT  # depth up to which tiles are not read again: there are few, and most ways go through them

_state, _lists = schema.index_taken, schema.index_lists
_segments, _needed, _left = schema.index_segments, schema.index_needed, schema.index_left
_where = select(_state.c.size, _state.c.subjects, _state.c.root)
_read = select(_segments).where(_segments.c.id.in_(bindparam("segments", expanding=True)))
_add_lists, _add_segments, _add_needed, _add_left = map(insert, (_lists, _segments, _needed, _left))
_need_less = (
    update(_needed).where(_needed.c.segment == bindparam("of")).values(tiles=_needed.c.tiles - bindparam("fewer"))
)
_unneeded = select(_needed.c.segment).where(
    _needed.c.tiles == 0, _needed.c.segment.in_(bindparam("segments", expanding=True))
)
_drop_segment = delete(_segments).where(_segments.c.id == bindparam("segment"))
_drop_needed = delete(_needed).where(_needed.c.segment == bindparam("of"))


class Changes:
    """What was taken in since the index of `base` was published: nodes, lists, and how far it is now.

    `root` is where that index's tiles begin, `tiles` are those that were read of it, with where they stand.
    """

    def __init__(self, base: Taken, root: int | None) -> None:
        self.base, self.root = base, root
        self.taken = base
        self.nodes: dict[str, Node] = {}
        self.lists: dict[tuple[int, bytes], int | None] = {}
        self.tiles: dict[str, tuple[int, Tile]] = {}

    def goes_on(self, other: "Changes") -> bool:
        """Whether both are since the same index was published."""
        return (self.base, self.root) == (other.base, other.root)


class StoredNodes:
    """The published index with changes laid over it, in one transaction: a `NodeStore`."""

    def __init__(self, connection: Connection, changes: Changes) -> None:
        self._connection = connection
        self._changes = changes
        self._tiles = changes.tiles

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
        root = beside(address)
        tile = self._tile(root)
        if tile is None:
            return None
        end = address[len(root) :]
        found = tile.nodes.get(end)
        if found is None and end in tile.below:
            lower = self._tile(address)
            found = lower.nodes[""] if lower else None
        return unpacked(found) if found else None

    def put(self, address: str, node: Node) -> None:
        """Change a node."""
        self._changes.nodes[address] = node

    def indices(self, leaf: Leaf) -> Sequence[int]:
        """The list of a subject."""
        changed: list[int] = []
        at: int | None = leaf.last
        while at is not None and (at, leaf.place) in self._changes.lists:
            changed.append(at)
            at = self._changes.lists[at, leaf.place]
        return [*_chain(self._connection, leaf.place, at), *reversed(changed)]

    def file(self, place: bytes, index: int, before: int | None) -> None:
        """Add to the list of a place."""
        self._changes.lists[index, place] = before

    def prefetch(self, places: Iterable[bytes]) -> None:
        """Read every tile on the way to these places, level by level: one question for many of them."""
        ways = {bits(each) for each in places}
        self._fetch([""])
        for depth in range(HEIGHT, BITS, HEIGHT):
            ways = {way for way in ways if self._stands(way[:depth]) is not None}
            if not ways:
                return
            self._fetch({way[:depth] for way in ways})

    def flush(self) -> Changes:
        """Write the changes; the published index is then that of `taken`. Gives the changes since, none yet."""
        changes, connection = self._changes, self._connection
        if changes.taken == changes.base:
            return changes
        first = connection.execute(select(_state.c.segment)).scalar_one()
        writer = Writer(first)
        left = self._write(writer)
        written = list(writer.segments())
        if written:
            connection.execute(_add_segments, [{"id": at, "tiles": tiles} for at, _, tiles in written])
            connection.execute(_add_needed, [{"segment": at, "tiles": count} for at, count, _ in written])
        if left:
            connection.execute(_add_left, [{"segment": first, "tiles": _numbers(left)}])
        if changes.lists:
            listed = [{"idx": at, "place": of, "before": before} for (at, of), before in sorted(changes.lists.items())]
            connection.execute(_add_lists, listed)
        since = Changes(changes.taken, self._tiles[""][0] if self._tiles else None)
        where = {"root": since.root, "segment": writer.next}
        connection.execute(update(_state).values(**since.taken._asdict(), **where))
        _fold(connection)
        since.tiles = {root: tile for root, tile in self._tiles.items() if len(root) <= _REMEMBERED}
        return since

    def _write(self, writer: Writer) -> list[int]:
        """Write anew every tile that changed, the lowest first; the segments of those in whose place they stand."""
        changed: defaultdict[str, dict[str, bytes]] = defaultdict(dict)
        for address, node in self._changes.nodes.items():
            root = tile_of(address, node)
            changed[root][address[len(root) :]] = packed(node)
        roots = sorted(changed, key=len)
        for _, level in groupby(roots, key=len):
            self._fetch(level)
        below: defaultdict[str, dict[str, int]] = defaultdict(dict)
        left = []
        for root in reversed(roots):
            tile = Tile(changed[root], below[root])
            if root in self._tiles:
                place, old = self._tiles[root]
                left.append(segment_of(place))
                tile = Tile(old.nodes | tile.nodes, old.below | tile.below)
                for address in below[root]:  # a leaf may have stood there alone
                    tile.nodes.pop(address, None)
            place = writer.put(tile)
            self._tiles[root] = place, tile
            if root:
                below[above(root)][root[-HEIGHT:]] = place
        return left

    def _tile(self, root: str) -> Tile | None:
        if root not in self._tiles:
            self._fetch([root])
        return self._tiles[root][1] if root in self._tiles else None

    def _stands(self, root: str) -> int | None:
        """Where the published tile of a root stands, those above it being read."""
        if not root:
            return self._changes.root
        tile = self._tile(above(root))
        return tile.below.get(root[-HEIGHT:]) if tile else None

    def _fetch(self, roots: Iterable[str]) -> None:
        """Read tiles, if there are such."""
        wanted = {
            root: place for root in roots if root not in self._tiles and (place := self._stands(root)) is not None
        }
        for root, tile in tiles(self._connection, wanted).items():
            self._tiles[root] = wanted[root], tile


def published(connection: Connection) -> Taken | None:
    """How far the published index is; None before `begin`."""
    row = connection.execute(_where).first()
    return Taken(row.size, row.subjects) if row else None


def since(connection: Connection) -> Changes:
    """The changes since the published index, none yet."""
    row = connection.execute(_where).first()
    return Changes(Taken(row.size, row.subjects), row.root) if row else Changes(Taken(), None)


def whole(connection: Connection) -> bool:
    """Whether the published index is there: a database of an older release has it in other tables."""
    kept = since(connection)
    return kept.root is not None or not kept.base.subjects


def build(connection: Connection, size: int) -> IndexHead:
    """Publish the index of the first `size` entries, made from them alone; gives its head."""
    connection.execute(delete(_state))
    connection.execute(insert(_state), [{"id": 1, **Taken()._asdict(), "root": None, "segment": 0}])
    head = IndexHead(0, EMPTY)
    changes = since(connection)
    for reached in (*range(PAGE, size, PAGE), size):
        head = catch_up(connection, changes, reached)
        changes = StoredNodes(connection, changes).flush()
    return head


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


def tiles(connection: Connection, places: Mapping[str, int]) -> dict[str, Tile]:
    """The tiles that stand at these places."""
    wanted: defaultdict[int, list[tuple[str, int]]] = defaultdict(list)
    for root, at in places.items():
        wanted[segment_of(at)].append((root, offset_of(at)))
    numbers = sorted(wanted)
    found: dict[str, Tile] = {}
    for first in range(0, len(numbers), _KEYS):
        for row in connection.execute(_read, {"segments": numbers[first : first + _KEYS]}):
            segment = bytes(row.tiles)
            found |= {root: unpack(segment, offset) for root, offset in wanted[row.id]}
    return found


def left(connection: Connection) -> Counter[int]:
    """How many tiles of each segment are needed no more, since segments were last removed."""
    found = connection.execute(select(_left.c.tiles)).scalars()
    return Counter(
        int.from_bytes(data[at : at + _NUMBER]) for data in map(bytes, found) for at in range(0, len(data), _NUMBER)
    )


def _chain(connection: Connection, place: bytes, last: int | None) -> list[int]:
    """The list of a place that ends there, in order."""
    if last is None:
        return []
    chain = select(literal(last, BigInteger).label("idx")).cte(recursive=True)
    earlier = select(_lists.c.before).join(chain, chain.c.idx == _lists.c.idx)
    chain = chain.union_all(earlier.where(_lists.c.place == place, _lists.c.before.is_not(None)))
    return sorted(connection.execute(select(chain.c.idx)).scalars())


def _fold(connection: Connection) -> None:
    """Count what is left, from time to time, and remove the segments of which nothing is needed."""
    if connection.execute(select(func.count()).select_from(_left)).scalar_one() < FOLDED:
        return
    fewer = sorted(left(connection).items())
    for first in range(0, len(fewer), _KEYS):
        part = fewer[first : first + _KEYS]
        connection.execute(_need_less, [{"of": segment, "fewer": tiles} for segment, tiles in part])
        gone = connection.execute(_unneeded, {"segments": [segment for segment, _ in part]}).scalars().all()
        if gone:
            connection.execute(_drop_segment, [{"segment": segment} for segment in gone])
            connection.execute(_drop_needed, [{"of": segment} for segment in gone])
    connection.execute(delete(_left))


def _numbers(segments: Iterable[int]) -> bytes:
    return b"".join(segment.to_bytes(_NUMBER) for segment in segments)
