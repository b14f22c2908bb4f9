"""A log in memory from its entries to verified answers, and the monitor who replays it."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aloi.errors import EvidenceError, RegistryError
from aloi.evidence import checkpoints, lookup
from aloi.evidence.canonical import digest
from aloi.evidence.checkpoints import Checkpoint
from aloi.evidence.continuity import verify_continued
from aloi.evidence.encoding import from_base64
from aloi.evidence.envelope import read, sign, write
from aloi.evidence.keys import PrivateKey
from aloi.evidence.lookup import IndexHead, verify_lookup
from aloi.evidence.merkle import consistency, inclusion, leaf_hash
from aloi.evidence.naming import names
from aloi.evidence.notes import ED25519, NoteKey
from aloi.evidence.statement import Subject, state
from aloi.evidence.trustpolicy import Policy
from aloi.evidence.vouching import Attachment, Dispute
from aloi.registry import monitor
from aloi.registry.answers import answer
from aloi.registry.index import Index, MemoryNodes
from aloi.registry.monitor import check, replay

ORIGIN, KEY = "log.example/registry", PrivateKey.generate()
POLICY = Policy((NoteKey(ORIGIN, ED25519, KEY.public),), (), (), "none")
SYSTEMS = [f"sha256:{number:064x}" for number in range(5)]


def about(*systems, word="x"):
    record = Attachment(control="c", size=1, approved_by=word, approved_on="2026-11-26")
    return write(sign(state(record, [Subject.of("system", each) for each in systems]), KEY))


def disputed(entry):
    said = digest(from_base64(read(entry).payload, "payload"))
    record = Dispute(organisation="Institute", at="2026-11-26T00:00:00Z", reason="not so")
    return write(sign(state(record, [Subject.of("statement", said)]), KEY))


class Log:
    """A log in memory, honest."""

    def __init__(self, entries=()):
        self.entries, self.index = [], Index(MemoryNodes())
        for entry in entries:
            self.append(entry)

    def append(self, entry):
        self.entries.append(entry)
        self.index.append(entry)

    def entry(self, index):
        return self.entries[index]

    def path(self, index, size):
        return inclusion([leaf_hash(entry) for entry in self.entries[:size]], index)

    def checkpoint(self):
        *_, state = replay(self.entries)
        return Checkpoint(ORIGIN, state.size, state.root, (self.index.head().line,))

    def answer(self, subject):
        return answer(subject, self.index, self, checkpoints.sign(self.checkpoint(), ORIGIN, KEY))


def drawn(steps):
    """Entries about systems, and disputes of whatever was logged before, disputes included."""
    entries = []
    for number, (kind, at) in enumerate(steps):
        if kind == "dispute" and entries:
            entries.append(disputed(entries[at % len(entries)]))
        else:
            entries.append(about(SYSTEMS[at % 4], SYSTEMS[at % 3], word=str(number)))
    return entries


steps = st.lists(st.tuples(st.sampled_from(["about", "dispute"]), st.integers(0, 11)), max_size=10)


@settings(max_examples=40, deadline=None)
@given(steps, st.integers(0, 10), st.sampled_from(SYSTEMS))
def test_answers_hold_continue_each_other_and_leave_nothing_out(history, cut, subject):
    entries = drawn(history)
    log, earlier = Log(entries[:cut]), None
    if log.entries:
        earlier = verify_lookup(log.answer(subject), subject, POLICY)
    for entry in entries[cut:]:
        log.append(entry)
    told = verify_lookup(log.answer(subject), subject, POLICY)
    wanted, found = {subject}, []
    for index, entry in enumerate(entries):
        if wanted & set(names(entry).subjects):
            found.append(index)
            wanted.add(names(entry).statement)
    assert list(told.indices) == found
    if earlier:
        verify_continued(earlier, told, consistency([leaf_hash(entry) for entry in entries], earlier.size))


def test_a_statement_can_be_looked_up_too():
    result = about(SYSTEMS[0])
    log = Log([result, disputed(result)])
    said = names(result).statement
    assert verify_lookup(log.answer(said), said, POLICY).lists[said] == (1,)


def test_an_answer_too_large_to_be_read_is_not_made(monkeypatch):
    log = Log([about(SYSTEMS[0], word=str(number)) for number in range(4)])
    monkeypatch.setattr(lookup, "LIMIT", 2_000)
    with pytest.raises(RegistryError, match="than the 2000 bytes that verifiers read") as caught:
        log.answer(SYSTEMS[0])
    assert "replay" in caught.value.remedy


ENTRIES = drawn([("about", 0), ("about", 1), ("dispute", 0), ("about", 5), ("dispute", 2), ("about", 2)])
STATES = list(replay(ENTRIES))


def test_a_monitor_agrees_with_an_honest_log_at_every_size():
    assert [each.size for each in STATES] == list(range(7))
    for each in STATES:
        check(Log(ENTRIES[: each.size]).checkpoint(), each)


def test_a_monitor_needs_no_more_than_the_stream():
    stream = replay(iter(ENTRIES))
    assert [next(stream) for _ in STATES] == STATES
    assert all(one.head != two.head for one, two in pairwise(STATES))


def lines(*extensions):
    return Log(ENTRIES).checkpoint()._replace(extensions=extensions)


FALSE = {
    "an entry left out": (lines(Log(ENTRIES[:-1]).index.head().line), "false-index"),
    "an older index": (lines(STATES[3].head.line), "false-index"),
    "a wrong count": (lines(IndexHead(9, STATES[-1].head.root).line), "false-index"),
    "an entry filed elsewhere": (lines(Log([*ENTRIES[:-1], about(SYSTEMS[4])]).index.head().line), "false-index"),
    "another order": (lines(Log([ENTRIES[1], ENTRIES[0], *ENTRIES[2:]]).index.head().line), "false-index"),
    "no line": (lines(), "no-index"),
    "another entry": (Log([*ENTRIES[:-1], about(SYSTEMS[4])]).checkpoint(), "other-entries"),
    "entries exchanged": (Log([ENTRIES[1], ENTRIES[0], *ENTRIES[2:]]).checkpoint(), "other-entries"),
    "an entry missing": (Log(ENTRIES[:-1]).checkpoint(), "other-size"),
}


@pytest.mark.parametrize(("checkpoint", "reason"), FALSE.values(), ids=FALSE)
def test_a_monitor_refuses(checkpoint, reason):
    with pytest.raises(EvidenceError) as caught:
        check(checkpoint, STATES[-1])
    assert caught.value.reason == reason
    assert caught.value.remedy


def test_a_monitor_can_name_by_its_own_rule():
    *_, state = monitor.replay([b"anything"], lambda entry: names(entry)._replace(subjects=(SYSTEMS[0],)))
    assert state.head.subjects == 1
