import contextlib

import pytest
from benchmarks.registry.logs import Log, fixed_key
from hypothesis import given, settings
from hypothesis import strategies as st

from aloi.errors import AskerError, EvidenceError
from aloi.evidence import checkpoints, merkle, notes
from aloi.registry import misbehaviour
from aloi.registry.copies import FolderCopy, MemoryCopy
from aloi.registry.mirror import Declined, Heads, Mirror, Pulled
from aloi.registry.misbehaviour import Kind
from aloi.registry.tiles import pack, unpack
from aloi.registry.treereading import Tree

ORIGIN = "log.example/one"
ENTRIES = [b"entry %d" % number for number in range(700)]


class Changed:
    """A source that serves what another one does, with one answer changed."""

    def __init__(self, log, **answers):
        self._log = log
        self._answers = answers

    def __getattr__(self, name):
        return self._answers.get(name) or getattr(self._log, name)


@pytest.fixture
def log():
    return Log(ORIGIN, fixed_key(11), ENTRIES[:300])


@pytest.fixture(params=["memory", "folder"])
def copy(request, tmp_path):
    if request.param == "memory":
        yield MemoryCopy()
    else:
        copy = FolderCopy.create(tmp_path / "copy")
        yield copy
        copy.close()


def mirror_of(log, copy, source=None):
    return Mirror(ORIGIN, [log.public], source or log, copy)


def kept(copy):
    if isinstance(copy, MemoryCopy):
        return copy.entries
    return [entry for index in range((copy.count() + 255) // 256) for entry in copy.entries(index)]


def evidence(copy, log):
    files = [misbehaviour.write(each) for each in copy.evidence] if isinstance(copy, MemoryCopy) else copy.evidence()
    return [misbehaviour.verify(data, [log.public]) for data in files]


def declined(answer, reason, kind=None):
    assert isinstance(answer, Declined)
    assert (answer.reason, answer.why.reason) == (reason, reason)
    assert answer.why.remedy
    assert (answer.misbehaviour.kind if answer.misbehaviour else None) == kind
    return answer


def test_a_growing_log_is_copied(log, copy):
    mirror = mirror_of(log, copy)
    for size in (0, 1, 1, 5, 255, 256, 257, 300):
        log.shown = size
        assert mirror.pull() == Pulled(size, size)
        assert kept(copy) == ENTRIES[:size]
        assert copy.heads() == Heads(log.signed(size), log.signed(size))
    log.append(*ENTRIES[300:])
    log.shown = -1
    assert mirror.pull() == Pulled(700, 700)
    assert kept(copy) == ENTRIES


def test_a_pull_stops_anywhere_and_goes_on(log, copy):
    log.append(*ENTRIES[300:])
    log.shown = 600
    assert mirror_of(log, copy).pull(1) == Pulled(256, 600)
    assert copy.heads() == Heads(log.signed(600), b"")
    log.shown = 700
    assert mirror_of(log, copy).pull(1) == Pulled(512, 700)
    assert mirror_of(log, copy).pull(0) == Pulled(512, 700)
    assert mirror_of(log, copy).pull(1) == Pulled(700, 700)
    assert copy.heads() == Heads(log.signed(700), log.signed(700))
    assert kept(copy) == ENTRIES


def test_a_source_that_fails_leaves_a_copy_that_goes_on(log, copy):
    log.append(*ENTRIES[300:])
    calls = []

    def once(index, width):
        calls.append(index)
        if index == 1 and calls.count(1) == 1:
            raise ConnectionError("cut")
        return log.fetch_entries(index, width)

    source = Changed(log, fetch_entries=once)
    with pytest.raises(ConnectionError):
        mirror_of(log, copy, source).pull()
    assert copy.count() == 256
    assert mirror_of(log, copy, source).pull() == Pulled(700, 700)
    assert calls == [0, 1, 1, 2]


def test_what_is_no_head_of_the_log_is_declined(log, copy):
    stranger = Log(ORIGIN, fixed_key(12), ENTRIES)
    declined(mirror_of(log, copy, stranger).pull(), "no-known-signature")
    declined(mirror_of(log, copy, Changed(log, fetch_checkpoint=lambda: b"x")).pull(), "note-form")
    changed = Changed(log, fetch_checkpoint=lambda: log.signed().replace(b"\n300\n", b"\n301\n"))
    declined(mirror_of(log, copy, changed).pull(), "bad-signature")
    other = Log("log.example/two", log.key, ENTRIES)
    declined(Mirror(ORIGIN, [other.public], other, copy).pull(), "wrong-origin")
    assert copy.heads() == Heads()


def test_an_older_head_is_a_rollback(log, copy):
    mirror_of(log, copy).pull()
    log.shown = 299
    declined(mirror_of(log, copy).pull(), "rollback")
    assert copy.heads().seen == log.signed(300)
    unreadable = Changed(log, fetch_tile=lambda *_: b"")
    declined(mirror_of(log, copy, unreadable).pull(), "rollback", Kind.NO_PROOF)


def test_an_older_head_of_another_history_is_a_fork(log, copy):
    mirror_of(log, copy).pull()
    fork = log.fork(3)
    source = Changed(log, fetch_checkpoint=lambda: fork.signed(290))
    declined(mirror_of(log, copy, source).pull(), "fork", Kind.OTHER_PREFIX)
    assert [found.proven for found in evidence(copy, log)] == [True]


@pytest.mark.parametrize("place", [0, 255, 256, 299])
def test_a_head_of_the_same_size_is_a_fork(log, copy, place):
    mirror_of(log, copy).pull()
    fork = log.fork(place)
    declined(mirror_of(log, copy, fork).pull(), "fork", Kind.SPLIT_VIEW)
    source = Changed(log, fetch_checkpoint=fork.fetch_checkpoint)  # its tiles are the honest ones: they do not matter
    declined(mirror_of(log, copy, source).pull(), "fork", Kind.SPLIT_VIEW)
    assert {found.kind for found in evidence(copy, log)} == {Kind.SPLIT_VIEW}
    assert kept(copy) == ENTRIES[:300]


@pytest.mark.parametrize("known", [1, 200, 256, 300])
def test_a_larger_head_of_another_history_is_a_fork(log, copy, known):
    log.shown = known
    mirror_of(log, copy).pull()
    fork = log.fork(known - 1)
    fork.append(*ENTRIES[300:])
    declined(mirror_of(log, copy, fork).pull(), "fork", Kind.OTHER_PREFIX)
    (found,) = evidence(copy, log)
    assert notes.write(found.first) == log.signed(known)
    assert notes.write(found.second) == fork.signed()
    assert kept(copy) == ENTRIES[:known]


def test_tiles_that_do_not_lead_to_the_head(log, copy):
    log.shown = 200
    mirror_of(log, copy).pull()
    log.append(*ENTRIES[300:])
    log.shown = -1
    for tile, reason in ((bytes(32), "tile-size"), (None, "tile-mismatch")):
        source = Changed(log, fetch_tile=lambda _, __, width, tile=tile: tile or bytes(32 * width))
        answer = declined(mirror_of(log, copy, source).pull(), reason, Kind.NO_PROOF)
        assert misbehaviour.answered(answer.misbehaviour, log.proof(200))
    assert copy.heads().seen == log.signed(200)
    assert mirror_of(log, copy).pull() == Pulled(700, 700)


def test_a_first_head_without_its_tiles_is_not_taken(log, copy):
    source = Changed(log, fetch_tile=lambda _, __, width: bytes(32 * width))
    declined(mirror_of(log, copy, source).pull(), "tile-mismatch")
    assert copy.heads() == Heads()


def test_a_whole_tile_below_the_edge_is_held_to_the_root(log, copy):
    log.append(*ENTRIES[300:])

    def changed(level, index, width):
        data = log.fetch_tile(level, index, width)
        return b"\0" + data[1:] if (level, index) == (0, 1) else data

    declined(mirror_of(log, copy, Changed(log, fetch_tile=changed)).pull(), "tile-mismatch")
    assert copy.count() == 256


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda data: data[:-1], "entry-bundle"),
        (lambda data: data + b"\0", "entry-bundle"),
        (lambda data: data.replace(b"entry 7", b"entry 8"), "entry-mismatch"),
        (lambda data: pack(unpack(data)[:-1]), "entry-mismatch"),
        (lambda data: pack([*unpack(data)[:-2], *unpack(data)[:-3:-1]]), "entry-mismatch"),
        (lambda _: pack([b""] * 256) + pack([b""]), "entry-bundle"),
        (lambda _: b"", "entry-bundle"),
    ],
)
def test_a_hidden_or_changed_entry_is_declined(log, copy, change, reason):
    log.shown = 100
    source = Changed(log, fetch_entries=lambda index, width: change(log.fetch_entries(index, width)))
    declined(mirror_of(log, copy, source).pull(), reason)
    assert copy.count() == 0
    assert copy.heads() == Heads(log.signed(100), b"")
    assert mirror_of(log, copy).pull() == Pulled(100, 100)


def test_whole_tiles_and_bundles_stand_for_partial_ones(log, copy):
    log.append(*ENTRIES[300:])
    log.shown = 300
    tiles = lambda level, index, width: log.fetch_tile(level, index, 256 if (level, index) == (0, 1) else width)  # noqa: E731
    source = Changed(log, fetch_tile=tiles, fetch_entries=lambda index, _: log.fetch_entries(index, 256))
    assert mirror_of(log, copy, source).pull() == Pulled(300, 300)
    assert kept(copy) == ENTRIES[:300]


class TestFolder:
    def test_it_remembers(self, log, tmp_path):
        copy = FolderCopy.create(tmp_path / "copy")
        mirror_of(log, copy).pull()
        with pytest.raises(AskerError, match="another process"):
            FolderCopy(tmp_path / "copy")
        copy.close()
        again = FolderCopy(tmp_path / "copy")
        assert kept(again) == ENTRIES[:300]
        log.append(*ENTRIES[300:])
        assert mirror_of(log, again).pull() == Pulled(700, 700)
        again.close()

    def test_a_missing_bundle_is_seen(self, log, tmp_path):
        copy = FolderCopy.create(tmp_path / "copy")
        mirror_of(log, copy).pull()
        copy.close()
        (tmp_path / "copy" / "entries" / "000000000000").unlink()
        with pytest.raises(EvidenceError) as caught:
            FolderCopy(tmp_path / "copy")
        assert caught.value.reason == "damaged-copy"

    def test_a_full_disk_ends_the_pull_and_loses_nothing(self, log, tmp_path, monkeypatch):
        copy = FolderCopy.create(tmp_path / "copy")
        log.shown = 200
        mirror_of(log, copy).pull()
        log.shown = 300

        def full(*_):
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr("os.fsync", full)
            with pytest.raises(OSError, match="No space"):
                mirror_of(log, copy).pull()
        assert copy.heads().complete == log.signed(200)
        assert mirror_of(log, copy).pull() == Pulled(300, 300)
        copy.close()
        again = FolderCopy(tmp_path / "copy")
        assert kept(again) == ENTRIES[:300]
        again.close()


@pytest.mark.parametrize("size", [1, 2, 3, 255, 256, 257, 511, 512, 513, 700])
def test_proofs_from_tiles_are_those_of_the_whole_tree(size):
    log = Log(ORIGIN, fixed_key(11), ENTRIES[:size])
    tree = Tree(log.fetch_tile, size, log.root(size))
    assert tree.prefix(0) == merkle.EMPTY
    for first in {1, 2, size // 2, size - 1, size, 256, 300} & set(range(1, size + 1)):
        assert tree.prefix(first) == log.root(first)
        assert list(tree.proof(first)) == (log.proof(first) if first < size else [])
        if first < size:
            assert merkle.prefix_roots(first, size, tree.path(first)) == (log.root(first), log.root(size))


def test_a_tree_of_three_levels_of_tiles():
    size = 65536 + 256 * 3 + 5
    hashes = [merkle.leaf_hash(b"%d" % number) for number in range(size)]
    log = Log(ORIGIN, fixed_key(11), [])
    log.hashes = hashes
    tree = Tree(log.fetch_tile, size, log.root(size))
    for first in (1, 77, 256, 65535, 65536, 65537, size - 1):
        assert list(tree.proof(first)) == merkle.consistency(hashes, first)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_a_source_serves_only_the_signed_log_is_kept(data):
    log = Log(ORIGIN, fixed_key(11), ENTRIES)
    copy = MemoryCopy()

    def served(whole):
        kind = data.draw(st.sampled_from(["honest", "honest", "cut", "changed", "other", "gone"]))
        if kind == "gone":
            raise TimeoutError
        place = data.draw(st.integers(0, max(len(whole) - 1, 0)))
        return {
            "honest": whole,
            "cut": whole[:place],
            "changed": whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :] if whole else whole,
            "other": data.draw(st.binary(max_size=70)),
        }[kind]

    source = Changed(
        log,
        fetch_checkpoint=lambda: served(log.fetch_checkpoint()),
        fetch_tile=lambda *place: served(log.fetch_tile(*place)),
        fetch_entries=lambda *place: served(log.fetch_entries(*place)),
    )
    seen = 0
    for _ in range(data.draw(st.integers(1, 12))):
        log.shown = data.draw(st.integers(0, len(ENTRIES)))
        with contextlib.suppress(TimeoutError):
            mirror_of(log, copy, source).pull(data.draw(st.integers(0, 3)))
        assert copy.entries == ENTRIES[: copy.count()]
        heads = [checkpoints.parse(notes.read(each).text).size if each else 0 for each in copy.heads()]
        assert heads[0] >= copy.count() >= heads[1]
        assert heads[0] >= seen
        seen = heads[0]
    assert not any(found.proven for found in copy.evidence)
    log.shown = -1
    assert mirror_of(log, copy).pull() == Pulled(len(ENTRIES), len(ENTRIES))
