import os
import threading

import pytest
from benchmarks.registry.logs import Log, fixed_key
from cryptography.hazmat.primitives.asymmetric import mldsa

from aloi.errors import AskerError, EvidenceError
from aloi.evidence import checkpoints, cosignatures, notes
from aloi.evidence.checkpoints import LARGEST, Checkpoint
from aloi.evidence.keys import PrivateKey
from aloi.evidence.merkle import EMPTY
from aloi.registry import durable, misbehaviour
from aloi.registry.heads import FolderHeads, Known, MemoryHeads
from aloi.registry.misbehaviour import Kind
from aloi.registry.witness import Conflict, Cosigned, Refused, Status, Witness

ORIGIN = "log.example/one"
NAME = "witness.example/1"
KEY = fixed_key(21)
POST_QUANTUM = PrivateKey(mldsa.MLDSA44PrivateKey.from_seed_bytes(b"\x18" * 32))
NOW = 1_700_000_000


@pytest.fixture
def log():
    return Log(ORIGIN, fixed_key(11), [b"entry %d" % number for number in range(20)])


@pytest.fixture
def store():
    return MemoryHeads()


def witness_of(log, store, *keys):
    return Witness(NAME, keys or [KEY], {log.origin: [log.public]}, store)


@pytest.fixture
def witness(log, store):
    return witness_of(log, store)


def ask(witness, log, old, size, now=NOW):
    return witness.add_checkpoint(old, log.proof(old, size) if old < size else [], log.signed(size), now)


def refused(answer, status, reason):
    assert isinstance(answer, Refused)
    assert (answer.status, answer.reason) == (status, reason)
    assert answer.why.remedy
    assert str(answer.why)
    return answer


def cosigned(answer, log, size, witness, time=NOW):
    assert isinstance(answer, Cosigned)
    note = notes.read(log.signed(size))
    whole = note._replace(signatures=(*note.signatures, *answer.lines))
    signed = cosignatures.verify(whole, witness.keys)
    assert [(each.key, each.time) for each in signed] == [(key, time) for key in witness.keys]


def test_heads_that_continue_each_other_are_cosigned(witness, log, store):
    last = 0
    for number, size in enumerate([0, 0, 1, 1, 2, 7, 8, 13, 20, 20]):
        answer = ask(witness, log, last, size, NOW + number)
        cosigned(answer, log, size, witness, NOW + number)
        assert store.known[ORIGIN] == Known(log.signed(size), NOW + number)
        last = size
    assert not store.evidence


def test_every_key_of_the_witness_cosigns(log, store):
    witness = witness_of(log, store, KEY, POST_QUANTUM)
    cosigned(ask(witness, log, 0, 5), log, 5, witness)


def test_only_lines_of_the_log_are_kept_and_own_lines_do_no_harm(witness, log, store):
    mine = notes.write(cosignatures.cosign(notes.read(log.signed(5)), NAME, KEY, NOW - 9))
    assert isinstance(witness.add_checkpoint(0, [], mine, NOW), Cosigned)
    assert witness.known(ORIGIN).note == log.signed(5)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "note-form"),
        (b"\xff\n", "not-utf8"),
        (b"log.example/one\nx\n\n\xe2\x80\x94 a YWJjZGVmZw==\n", "checkpoint-form"),
        (b"log.example/one\n07\nYQ==\n\n\xe2\x80\x94 a YWJjZGVmZw==\n", "checkpoint-size"),
        (b"log.example/one\n7\nYQ==\n\n\xe2\x80\x94 a YWJjZGVmZw==\n", "checkpoint-root"),
        (b"log.example/one\n7\nYQ=\n\n\xe2\x80\x94 a YWJjZGVmZw==\n", "bad-base64"),
    ],
)
def test_what_is_no_checkpoint_is_a_bad_request(witness, data, reason):
    refused(witness.add_checkpoint(0, [], data, NOW), Status.BAD_REQUEST, reason)


def test_an_empty_log_with_a_root_is_a_bad_request(witness, log):
    data = log.signed(0).replace(b"47DEQpj8HBSa", b"47DEQpj8HBSb")
    refused(witness.add_checkpoint(0, [], data, NOW), Status.BAD_REQUEST, "empty-tree")


def test_an_unknown_log_is_not_found(witness):
    other = Log("log.example/two", fixed_key(12), [b"x"])
    refused(ask(witness, other, 0, 1), Status.NOT_FOUND, "unknown-origin")


def test_a_head_that_its_log_did_not_sign_is_forbidden(witness, log, store):
    stranger = Log(ORIGIN, fixed_key(12), log.entries)
    refused(ask(witness, stranger, 0, 5), Status.FORBIDDEN, "no-known-signature")
    changed = log.signed(5).replace(b"\n5\n", b"\n6\n")
    refused(witness.add_checkpoint(0, [], changed, NOW), Status.FORBIDDEN, "bad-signature")
    assert not store.known


def test_an_old_size_beyond_the_head_is_a_bad_request(witness, log):
    for old in (6, -1):
        refused(witness.add_checkpoint(old, [], log.signed(5), NOW), Status.BAD_REQUEST, "old-size")


@pytest.mark.parametrize("proof", [[bytes(32)] * 64, [bytes(31)], [b""]])
def test_a_proof_of_another_form_is_a_bad_request(witness, log, proof):
    ask(witness, log, 0, 5)
    refused(witness.add_checkpoint(5, proof, log.signed(9), NOW), Status.BAD_REQUEST, "proof-path")


def test_an_old_size_that_is_not_the_known_one_is_a_conflict(witness, log):
    assert ask(witness, log, 3, 5) == Conflict(0, "old-size")
    ask(witness, log, 0, 5)
    for old in (0, 3, 6):
        assert ask(witness, log, old, 9) == Conflict(5, "old-size")


def test_a_rollback_is_a_conflict(witness, log, store):
    ask(witness, log, 0, 9)
    for old in (0, 4, 8):
        assert witness.add_checkpoint(old, [], log.signed(8), NOW) == Conflict(9, "rollback")
    assert store.known[ORIGIN].note == log.signed(9)


@pytest.mark.parametrize("old", [0, 5, 9])
def test_a_fork_is_a_conflict_that_keeps_both_heads(witness, log, store, old):
    ask(witness, log, 0, 9)
    fork = log.fork(3)
    answer = witness.add_checkpoint(old, [], fork.signed(9), NOW)
    assert (answer.size, answer.reason) == (9, "fork")
    assert store.known[ORIGIN].note == log.signed(9)
    found = misbehaviour.verify(misbehaviour.write(answer.misbehaviour), [log.public])
    assert (found.kind, found.proven) == (Kind.SPLIT_VIEW, True)
    assert {notes.write(found.first), notes.write(found.second)} == {log.signed(9), fork.signed(9)}
    assert store.evidence == [found]


def test_a_larger_fork_is_unprocessable_and_proves_itself_by_its_own_proof(witness, log, store):
    ask(witness, log, 0, 9)
    answer = ask(witness, log.fork(3), 9, 20)
    refused(answer, Status.UNPROCESSABLE, "not-consistent")
    found = misbehaviour.verify(misbehaviour.write(answer.misbehaviour), [log.public])
    assert (found.kind, found.proven) == (Kind.OTHER_PREFIX, True)
    assert store.evidence == [found]


def test_a_proof_that_fails_is_an_accusation_that_the_log_can_answer(witness, log):
    ask(witness, log, 0, 9)
    for proof in ([], [bytes(32)], log.proof(8, 20), [*log.proof(9, 20), bytes(32)], log.proof(9, 20)[:-1]):
        answer = witness.add_checkpoint(9, proof, log.signed(20), NOW)
        refused(answer, Status.UNPROCESSABLE, "not-consistent")
        found = misbehaviour.verify(misbehaviour.write(answer.misbehaviour), [log.public])
        assert (found.kind, found.proven) == (Kind.NO_PROOF, False)
        assert misbehaviour.answered(found, log.proof(9, 20))
    cosigned(ask(witness, log, 9, 20), log, 20, witness)


def test_a_proof_where_none_may_stand_is_unprocessable(witness, log, store):
    refused(witness.add_checkpoint(0, [bytes(32)], log.signed(5), NOW), Status.UNPROCESSABLE, "not-consistent")
    ask(witness, log, 0, 5)
    refused(witness.add_checkpoint(5, [bytes(32)], log.signed(5), NOW), Status.UNPROCESSABLE, "not-consistent")
    assert not store.evidence


@pytest.mark.parametrize("now", [NOW - 1, 0, -1, LARGEST + 1])
def test_no_cosignature_is_given_while_the_clock_is_back(witness, log, store, now):
    ask(witness, log, 0, 5)
    refused(ask(witness, log, 5, 5, now), Status.UNAVAILABLE, "clock-back")
    refused(ask(witness, log, 5, 9, now), Status.UNAVAILABLE, "clock-back")
    assert store.known[ORIGIN] == Known(log.signed(5), NOW)
    cosigned(ask(witness, log, 5, 9, NOW), log, 9, witness)


def test_extension_lines_change_no_head(witness, log):
    ask(witness, log, 0, 5)
    longer = Checkpoint(ORIGIN, 5, log.root(5), ("an extension",))
    data = notes.write(checkpoints.sign(longer, ORIGIN, log.key))
    assert isinstance(witness.add_checkpoint(5, [], data, NOW), Cosigned)


def test_a_log_with_two_keys_is_accused_by_the_one_that_signed_both(log, store):
    younger = Log(ORIGIN, fixed_key(13), log.fork(2).entries)
    witness = Witness(NAME, [KEY], {ORIGIN: [log.public, younger.public]}, store)
    ask(witness, log, 0, 5)
    assert ask(witness, younger, 5, 5) == Conflict(5, "fork", None)
    both = notes.read(younger.signed(5))
    both = notes.add(both, log.public, log.key.sign(both.text.encode()))
    answer = witness.add_checkpoint(5, [], notes.write(both), NOW)
    assert answer.misbehaviour.key == log.public


def test_one_of_many_concurrent_heads_is_cosigned(log, store):
    """Forks of one size arrive at once: one thread may win, and every other sees its head."""
    witness = witness_of(log, store)
    forks = [log.fork(number) for number in range(20)]
    answers = []
    barrier = threading.Barrier(len(forks))

    def submit(fork):
        barrier.wait()
        answers.append(ask(witness, fork, 0, 20))

    threads = [threading.Thread(target=submit, args=[fork]) for fork in forks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(answer, Cosigned) for answer in answers) == 1
    assert [answer.reason for answer in answers if isinstance(answer, Conflict)] == ["fork"] * 19


class TestFolder:
    @pytest.fixture
    def store(self, tmp_path):
        with FolderHeads.create(tmp_path / "w") as store:
            yield store

    def test_it_remembers(self, log, store, tmp_path):
        ask(witness_of(log, store), log, 0, 9)
        store.close()
        again = FolderHeads(tmp_path / "w")
        store._held = again._held
        assert again.read(ORIGIN) == Known(log.signed(9), NOW)
        assert again.read("log.example/two") is None
        assert ask(witness_of(log, again), log, 0, 5) == Conflict(9, "rollback")
        refused(ask(witness_of(log, again), log, 9, 12, NOW - 1), Status.UNAVAILABLE, "clock-back")

    def test_evidence_becomes_files_that_verify(self, log, store):
        witness = witness_of(log, store)
        ask(witness, log, 0, 9)
        for fork in (3, 3, 4):
            ask(witness, log.fork(fork), 9, 9)
        for proof in ([], [bytes(32)]):
            witness.add_checkpoint(9, proof, log.signed(20), NOW)
        kinds = [misbehaviour.verify(data, [log.public]).kind for data in store.evidence()]
        assert kinds == [Kind.NO_PROOF, Kind.SPLIT_VIEW, Kind.SPLIT_VIEW]

    def test_a_hundred_forks_are_enough(self, log, store):
        witness = witness_of(log, store)
        ask(witness, log, 0, 1)
        for number in range(103):
            fork = Log(ORIGIN, log.key, [b"%d" % number])
            assert ask(witness, fork, 1, 1).reason == "fork"
        assert len(store.evidence()) == 101

    def test_one_process_has_it(self, store, tmp_path):
        with pytest.raises(AskerError, match="another process"):
            FolderHeads(tmp_path / "w")
        with pytest.raises(AskerError, match="in use already"):
            FolderHeads.create(tmp_path / "w")

    def test_a_folder_that_is_gone_is_not_begun_anew(self, tmp_path):
        with pytest.raises(AskerError, match="missing"):
            FolderHeads(tmp_path)

    def test_a_damaged_state_is_no_state(self, log, store):
        witness = witness_of(log, store)
        ask(witness, log, 0, 9)
        path = next((store.folder / "heads").iterdir())
        whole = path.read_bytes()
        for place in range(len(whole)):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            refused(ask(witness, log, 9, 12), Status.UNAVAILABLE, "damaged-state")
        for length in range(len(whole)):
            path.write_bytes(whole[:length])
            refused(ask(witness, log, 9, 12), Status.UNAVAILABLE, "damaged-state")
        other = Log("log.example/two", fixed_key(12), [b"x"])
        store.write("log.example/two", Known(other.signed(), NOW))
        path.write_bytes(store._head("log.example/two").read_bytes())
        refused(ask(witness, log, 9, 12), Status.UNAVAILABLE, "damaged-state")

    def test_a_state_that_cannot_be_read_is_no_state(self, log, store):
        store._head(ORIGIN).mkdir()
        answer = refused(ask(witness_of(log, store), log, 0, 5), Status.UNAVAILABLE, "state-not-read")
        assert str(store.folder) not in str(answer.why)

    @pytest.mark.parametrize("call", ["open", "write", "fsync", "replace", "sync"])
    def test_no_cosignature_while_the_disk_is_full(self, log, store, monkeypatch, call):
        witness = witness_of(log, store)
        ask(witness, log, 0, 9)

        def full(*_, **__):
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            if call == "replace":
                patch.setattr("pathlib.Path.replace", full)
            elif call == "sync":
                patch.setattr(durable, "sync", full)
            else:
                patch.setattr(os, call, full)
            refused(ask(witness, log, 9, 12), Status.UNAVAILABLE, "state-not-saved")
            conflict = ask(witness, log.fork(3), 9, 9)
            assert isinstance(conflict, Conflict)
            if conflict.size == 9:  # evidence that cannot be kept is still given to who asked
                assert conflict.misbehaviour.proven
        size = checkpoints.parse(notes.read(witness.known(ORIGIN).note).text).size
        assert size == (12 if call == "sync" else 9)
        cosigned(ask(witness, log, size, 15), log, 15, witness)


def test_a_key_that_cannot_cosign_is_refused_at_once(log, store):
    with pytest.raises(EvidenceError) as caught:
        witness_of(log, store, PrivateKey.generate("p256"))
    assert caught.value.reason == "key-kind"


def test_known_is_none_before_the_first_head(witness):
    assert witness.known(ORIGIN) is None


def test_an_empty_head_comes_before_every_other(witness, log):
    assert log.root(0) == EMPTY
    cosigned(ask(witness, log, 0, 0), log, 0, witness)
    cosigned(ask(witness, log, 0, 20), log, 20, witness)
