"""The index of a log: under every subject the entries that name it, with proofs of presence and of absence.

    index = Index(MemoryNodes())
    index.append(entry)              # the next entry of the log
    checkpoint._replace(extensions=(index.head().line,))
    index.look_up("sha256:…")

It answers for the entries that it has taken, no more: take in the entries up to a checkpoint, sign, then answer under
that checkpoint until the next one. An update reads and writes one node for each level, about log2 of the subjects.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from aloi.evidence.lookup import IndexHead, Lookup, Neighbour
from aloi.evidence.merkle import Tree
from aloi.evidence.naming import Naming, names
from aloi.evidence.prefixtree import BITS, EMPTY, bits, branch_hash, index_leaf, leaf_hash, place


class Branch(NamedTuple):
    """A node with two children, by their hashes; EMPTY where nothing stands."""

    left: bytes
    right: bytes


class Leaf(NamedTuple):
    """A subject, by its place: size and right edge of the tree over its list, and the last index in it."""

    place: bytes
    size: int
    edge: tuple[bytes, ...]
    last: int


Node = Branch | Leaf


class Taken(NamedTuple):
    """How many entries of the log the index has taken, and how many subjects they name."""

    size: int = 0
    subjects: int = 0


class NodeStore(Protocol):
    """Where an index is kept. What one entry changes must be kept whole or not at all.

    A node's address is the beginning, in digits 0 and 1, that all places below it share; the root's is empty.
    """

    def taken(self) -> Taken:
        """What `take` was last given; at first, nothing."""
        ...

    def take(self, taken: Taken) -> None:
        """Keep how far the index is."""
        ...

    def node(self, address: str) -> Node | None:
        """The node at an address; None where nothing was put."""
        ...

    def put(self, address: str, node: Node) -> None:
        """Keep a node, in place of the one that stood there."""
        ...

    def indices(self, leaf: Leaf) -> Sequence[int]:
        """The list of a subject, in the order in which it was filed."""
        ...

    def file(self, place: bytes, index: int, before: int | None) -> None:
        """Add a log index at the end of a place's list, after the one that was last."""
        ...


class MemoryNodes:
    """An index that ends with the process: for monitors, witnesses and tests."""

    def __init__(self) -> None:
        self._taken = Taken()
        self._nodes: dict[str, Node] = {}
        self._lists: defaultdict[bytes, list[int]] = defaultdict(list)

    def taken(self) -> Taken:
        """What `take` was last given."""
        return self._taken

    def take(self, taken: Taken) -> None:
        """Keep how far the index is."""
        self._taken = taken

    def node(self, address: str) -> Node | None:
        """The node at an address."""
        return self._nodes.get(address)

    def put(self, address: str, node: Node) -> None:
        """Keep a node."""
        self._nodes[address] = node

    def indices(self, leaf: Leaf) -> Sequence[int]:
        """The list of a subject."""
        return self._lists[leaf.place]

    def file(self, place: bytes, index: int, before: int | None) -> None:  # noqa: ARG002 - lists know their order
        """Add a log index."""
        self._lists[place].append(index)


class Index:
    """The tree over a store. `naming` says what an entry names."""

    def __init__(self, store: NodeStore, naming: Naming = names) -> None:
        self.store = store
        self.naming = naming

    def append(self, entry: bytes) -> None:
        """Take in the log's next entry, under every subject that it names."""
        size, subjects = self.store.taken()
        for subject in self.naming(entry).subjects:
            subjects += self._file(place(subject), size)
        self.store.take(Taken(size + 1, subjects))

    def head(self) -> IndexHead:
        """What a checkpoint of the entries taken so far commits to."""
        return IndexHead(self.store.taken().subjects, node_hash(self.store.node("")))

    def look_up(self, subject: str) -> Lookup:
        """What the index holds of `sha256:<64 hex>`, with its proof."""
        sought = place(subject)
        path, end = self._descend(bits(sought))
        siblings = tuple(node.left if right else node.right for node, right in path)
        if end is None:
            return Lookup(subject=subject, siblings=siblings)
        if end.place == sought:
            return Lookup(subject=subject, siblings=siblings, indices=tuple(self.store.indices(end)))
        head = Tree(end.size, end.edge).root()
        return Lookup(
            subject=subject, siblings=siblings, neighbour=Neighbour(place=end.place, size=end.size, head=head)
        )

    def _descend(self, way: str) -> tuple[list[tuple[Branch, bool]], Leaf | None]:
        """The branches from the root towards a place, each with whether the way goes right, and what ends it."""
        path: list[tuple[Branch, bool]] = []
        node = self.store.node("")
        while isinstance(node, Branch):
            path.append((node, way[len(path)] == "1"))
            node = self.store.node(way[: len(path)])
        return path, node

    def _file(self, at: bytes, index: int) -> bool:
        """Add the log index to the list of a place; whether the place is new."""
        way = bits(at)
        path, end = self._descend(way)
        depth, fresh = len(path), end is None or end.place != at
        known = None if fresh else end
        tree = Tree(known.size, known.edge) if known else Tree()
        tree.append(index_leaf(index))
        self.store.file(at, index, known.last if known else None)
        if end is not None and fresh:  # both places go down to where they part
            other = bits(end.place)
            depth = next(digit for digit in range(depth, BITS) if other[digit] != way[digit])
            path += [(Branch(EMPTY, EMPTY), way[digit] == "1") for digit in range(len(path), depth + 1)]
            depth += 1
            self.store.put(other[:depth], end)
            beside = node_hash(end)
            path[-1] = (Branch(beside, beside), path[-1][1])  # the new leaf takes its side below
        leaf = Leaf(at, tree.size, tree.edge, index)
        self.store.put(way[:depth], leaf)
        upper = node_hash(leaf)
        for level in range(depth - 1, -1, -1):
            branch, right = path[level]
            branch = Branch(branch.left, upper) if right else Branch(upper, branch.right)
            self.store.put(way[:level], branch)
            upper = branch_hash(*branch)
        return fresh


def node_hash(node: Node | None) -> bytes:
    """The hash by which the node above commits to this one."""
    if node is None:
        return EMPTY
    if isinstance(node, Branch):
        return branch_hash(*node)
    return leaf_hash(node.place, node.size, Tree(node.size, node.edge).root())
