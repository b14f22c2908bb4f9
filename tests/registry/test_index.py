import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aloi.evidence import prefixtree
from aloi.evidence.lookup import IndexHead, Lookup, Neighbour
from aloi.evidence.naming import Named
from aloi.evidence.prefixtree import EMPTY, verify_path
from aloi.registry import index as indexing
from aloi.registry.index import Branch, Index, Leaf, MemoryNodes, Taken
from evidence import naive_index

SUBJECTS = ["sha256:" + naive_index.sha(b"%d" % number).hex() for number in range(400)]


def naming(entry):
    """An entry of these tests is the subjects' numbers."""
    return Named("", tuple(SUBJECTS[number] for number in entry))


def built(entries):
    index = Index(MemoryNodes(), naming)
    for entry in entries:
        index.append(entry)
    return index


def model(entries):
    lists = {}
    for position, entry in enumerate(entries):
        for number in entry:
            lists.setdefault(SUBJECTS[number], []).append(position)
    return lists


def head_of(lists):
    return IndexHead(len(lists), naive_index.tree({naive_index.place(each): lists[each] for each in lists}))


def proof_of(lists, subject):
    places = {naive_index.place(each): lists[each] for each in lists}
    siblings, end = naive_index.way(places, naive_index.place(subject))
    if end == naive_index.place(subject):
        return Lookup(subject=subject, siblings=siblings, indices=tuple(places[end]))
    beside = end and Neighbour(place=end, size=len(places[end]), head=naive_index.list_head(places[end]))
    return Lookup(subject=subject, siblings=siblings, neighbour=beside)


def end_of(told):
    at = prefixtree.place(told.subject)
    if told.indices:
        return prefixtree.leaf_hash(at, len(told.indices), prefixtree.list_head(told.indices))
    beside = told.neighbour
    return prefixtree.leaf_hash(beside.place, beside.size, beside.head) if beside else EMPTY


histories = st.lists(st.lists(st.integers(0, 15), max_size=4, unique=True).map(tuple), max_size=24)


@settings(max_examples=150, deadline=None)
@given(histories)
def test_heads_and_proofs_are_those_of_the_definition(entries):
    index = Index(MemoryNodes(), naming)
    for count, entry in enumerate(entries, start=1):
        index.append(entry)
        assert index.head() == head_of(model(entries[:count]))
        assert index.store.taken() == Taken(count, len(model(entries[:count])))
    lists = model(entries)
    for subject in SUBJECTS[:20]:
        told = index.look_up(subject)
        assert told == proof_of(lists, subject)
        verify_path(prefixtree.place(subject), end_of(told), told.siblings, index.head().root)


@settings(max_examples=40, deadline=None)
@given(st.permutations(range(16)))
def test_one_set_of_lists_has_one_root_in_whatever_order_it_was_made(order):
    """The same subjects, first named in another order: all lists are given a last entry that all have."""
    index = built([(number,) for number in order] + [tuple(range(16))])
    lists = {SUBJECTS[number]: [position, 16] for position, number in enumerate(order)}
    assert index.head() == head_of(lists)


def test_no_entry_and_entries_that_name_nothing():
    index = Index(MemoryNodes(), naming)
    assert index.head() == IndexHead(0, EMPTY)
    assert index.look_up(SUBJECTS[0]) == Lookup(subject=SUBJECTS[0], siblings=())
    index.append(())
    assert index.head() == IndexHead(0, EMPTY)
    assert index.store.taken() == Taken(1, 0)


def test_one_subject_is_the_root_and_the_neighbour_of_all_others():
    index = built([(0,), (), (0,)])
    assert index.look_up(SUBJECTS[0]) == Lookup(subject=SUBJECTS[0], siblings=(), indices=(0, 2))
    beside = index.look_up(SUBJECTS[1]).neighbour
    assert (beside.place, beside.size) == (prefixtree.place(SUBJECTS[0]), 2)


def test_many_subjects():
    entries = [(number, (number * 7 + 1) % 400) for number in range(400)]
    index, lists = built(entries), model(entries)
    assert index.head() == head_of(lists)
    for subject in SUBJECTS[::40]:
        assert index.look_up(subject) == proof_of(lists, subject)


@pytest.fixture
def unhashed(monkeypatch):
    """Places that the test chooses: the subject's own digits."""

    def place(subject):
        return bytes.fromhex(subject.removeprefix("sha256:"))

    for module in (indexing, prefixtree, naive_index):
        monkeypatch.setattr(module, "place", place)


@pytest.mark.parametrize("shared", [1, 2, 7, 8, 9, 63, 128, 254, 255])
def test_places_that_share_long_beginnings(unhashed, shared):
    """Two subjects that part at one bit, a third that parts earlier, and absent ones that part everywhere."""
    first = random.Random(shared).getrandbits(256)

    def turned(bit):
        return f"sha256:{first ^ 1 << (255 - bit):064x}"

    ours, twin, third = f"sha256:{first:064x}", turned(shared), turned(shared // 2)
    lists = {}
    index = Index(MemoryNodes(), lambda entry: Named("", (entry,)))
    for position, subject in enumerate([ours, twin, third, twin]):
        lists.setdefault(subject, []).append(position)
        index.append(subject)
        assert index.head() == head_of(lists)
    assert len(index.look_up(twin).siblings) == shared + 1
    for absent in (turned(bit) for bit in {0, shared - 1, min(shared + 1, 255), 255} - {shared, shared // 2}):
        told = index.look_up(absent)
        assert told.indices == ()
        assert told == proof_of(lists, absent)
        verify_path(prefixtree.place(absent), end_of(told), told.siblings, index.head().root)


class CountingNodes(MemoryNodes):
    """How many nodes were read and written."""

    def __init__(self):
        super().__init__()
        self.reads = self.writes = 0

    def node(self, address):
        self.reads += 1
        return super().node(address)

    def put(self, address, node):
        self.writes += 1
        super().put(address, node)


def test_an_update_touches_one_node_for_each_level():
    store = CountingNodes()
    index = Index(store, lambda entry: Named("", (f"sha256:{naive_index.sha(entry).hex()}",)))
    for number in range(2_000):
        index.append(b"%d" % number)
    store.reads = store.writes = 0
    for number in range(2_000, 2_500):
        index.append(b"%d" % number)
    assert store.reads < 500 * 15
    assert store.writes < 500 * 17


def test_an_index_goes_on_from_its_store():
    """A store that gives back equal values, not the same objects: nothing of an index lives outside it."""

    class Written(MemoryNodes):
        def node(self, address):
            node = super().node(address)
            if isinstance(node, Branch):
                return Branch(bytes(node.left), bytes(node.right))
            return node and Leaf(bytes(node.place), node.size, tuple(node.edge), node.last)

    store, entries = Written(), [(number % 9, 20) for number in range(40)]
    for entry in entries:
        Index(store, naming).append(entry)
    assert Index(store, naming).head() == head_of(model(entries))
