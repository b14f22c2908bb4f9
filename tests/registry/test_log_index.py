"""The index of a log in its database: what it answers, when it is published, and what a failure leaves of it."""

import random

import pytest
from log_room import KEYS, ORIGIN, OTHER, SUBMITTER, SYSTEM, WRITER, envelopes, key_of

from aloi.errors import EvidenceError, RegistryError
from aloi.evidence import checkpoints, cosignatures, logentry, lookup, notes
from aloi.evidence import envelope as dsse
from aloi.evidence.canonical import digest
from aloi.evidence.checkpoints import Checkpoint
from aloi.evidence.lookup import verify_lookup
from aloi.evidence.notes import ED25519, NoteKey
from aloi.evidence.statement import Subject, state
from aloi.evidence.trustpolicy import Policy
from aloi.evidence.vouching import Dispute, Endorsement
from aloi.registry.admission import admit
from aloi.registry.check import check
from aloi.registry.index import Index, Leaf, MemoryNodes
from aloi.registry.indexcheck import built

POLICY = Policy((NoteKey(ORIGIN, ED25519, WRITER.public),), (), (), "none")
WITNESS = key_of(9)


def about(*subjects, word="right"):
    named = [Subject.of("system", subject) for subject in subjects]
    return dsse.write(dsse.sign(state(Endorsement(organisation=word, at="2026-11-26"), named), SUBMITTER))


def disputed(envelope):
    record = Dispute(organisation="Institute", at="2026-11-26", reason="not so")
    return dsse.write(dsse.sign(state(record, [Subject.of("statement", digest(envelope))]), OTHER))


def system(number):
    return digest(f"system {number}".encode())


def drawn(count, seed=3):
    """Envelopes about one or two of forty systems, some of them disputed, and the disputes too."""
    draw = random.Random(seed)
    made = []
    for number in range(count):
        if made and draw.random() < 0.25:
            made.append(disputed(draw.choice(made)))
        else:
            made.append(about(*{system(draw.randrange(40)) for _ in range(2)}, word=str(number)))
    return list(dict.fromkeys(made))


def in_memory(given):
    index = Index(MemoryNodes())
    for envelope in given:
        index.append(logentry.of(dsse.read(envelope)))
    return index


def test_a_log_answers_as_the_definition_whatever_the_batches(log, url):
    given = drawn(300)
    draw, at = random.Random(5), 0
    while at < len(given):
        step = draw.choice([1, 2, 30, 90])
        log.append(given[at : at + step], KEYS)
        at += step
    index = in_memory(given)
    said = checkpoints.verify(notes.read(log.published()), [log.key])
    assert lookup.index_head(said) == index.head()
    for number in range(45):
        told = verify_lookup(log.look_up(system(number)), system(number), POLICY)
        assert told.lists[system(number)] == tuple(index.look_up(system(number)).indices)
        assert all(each.statement in told.lists for each in map(index.naming, told.entries.values()))
    assert check(url, log.key).subjects == index.head().subjects


def test_what_is_sequenced_is_looked_up_once_it_is_published(log, url):
    log.append([about(system(1))], KEYS)
    before = log.published()
    log.sequence([admit(about(system(1), system(2), word="later"), KEYS)], publish=False)
    assert log.published() == before
    assert verify_lookup(log.look_up(system(1)), system(1), POLICY).indices == (0,)
    assert verify_lookup(log.look_up(system(2)), system(2), POLICY).indices == ()
    with pytest.raises(RegistryError, match="the log has no entry 1"):
        log.proof(1)
    assert check(url, log.key).entries == 2
    newest = notes.read(log.checkpoint())
    cosigned = cosignatures.cosign(newest, "witness.example/1", WITNESS, 1_800_000_000)
    log.publish(cosigned)
    assert log.published() == notes.write(cosigned)
    told = verify_lookup(log.look_up(system(2)), system(2), POLICY)
    assert told.indices == (1,)
    assert check(url, log.key).subjects == 2
    log.publish(notes.read(before))  # an older one changes nothing
    assert log.published() == notes.write(cosigned)


def test_another_process_takes_in_again_what_waits(log, opened, url):
    other = opened()
    log.append([about(system(1))], KEYS)
    log.sequence([admit(about(system(2)), KEYS)], publish=False)
    other.sequence([admit(about(system(3)), KEYS)], publish=False)
    log.sequence([admit(about(system(4)), KEYS)], publish=False)
    other.publish()
    log.append([about(system(5))], KEYS)
    for number in range(1, 6):
        assert verify_lookup(other.look_up(system(number)), system(number), POLICY).indices == (number - 1,)
    assert check(url, log.key).subjects == 5


def test_a_batch_that_fails_leaves_no_trace_in_the_next_checkpoint(log, opened, url, monkeypatch):
    log.append([about(system(1))], KEYS)
    log.sequence([admit(about(system(2)), KEYS)], publish=False)
    lost = admit(about(system(3)), KEYS)
    with monkeypatch.context() as broken:
        broken.setattr(log, "_signed", lambda *_: (_ for _ in ()).throw(RegistryError("the key is gone")))
        with pytest.raises(RegistryError, match="the key is gone"):
            log.sequence([lost], publish=False)
    opened().sequence([admit(about(system(4)), KEYS)])
    log.append([about(system(5))], KEYS)
    assert check(url, log.key).subjects == 4
    assert verify_lookup(log.look_up(system(3)), system(3), POLICY).indices == ()


def test_a_checkpoint_that_the_log_does_not_keep_is_not_published(log):
    log.append(envelopes(0, 3), KEYS)
    stranger = checkpoints.sign(Checkpoint(ORIGIN, 3, b"r" * 32), ORIGIN, key_of(8))
    with pytest.raises(EvidenceError) as caught:
        log.publish(stranger)
    assert caught.value.reason == "no-known-signature"
    other = checkpoints.sign(Checkpoint(ORIGIN, 3, b"r" * 32), ORIGIN, WRITER)
    with pytest.raises(RegistryError, match="keeps no such checkpoint of size 3"):
        log.publish(other)


def test_a_cosignature_may_come_after_the_checkpoint_is_published(log):
    log.append(envelopes(0, 3), KEYS)
    cosigned = cosignatures.cosign(notes.read(log.published()), "witness.example/1", WITNESS, 1_800_000_000)
    log.publish(cosigned)
    witness = cosignatures.witness_key("witness.example/1", WITNESS)
    assert cosignatures.verify(notes.read(log.published()), [witness])
    assert verify_lookup(log.look_up(SYSTEM.fingerprint), SYSTEM.fingerprint, POLICY).indices == (0, 1, 2)


@pytest.mark.parametrize("subjects", [0, 1, 2, 3, 50, 400])
def test_the_tree_built_from_sorted_leaves_is_the_tree_that_grew(subjects):
    index = Index(MemoryNodes())
    for number in range(subjects):
        index.append(logentry.of(dsse.read(about(system(number)))))
    nodes = index.store._nodes
    leaves = sorted(node for node in nodes.values() if isinstance(node, Leaf))
    found = list(built(leaves))
    assert dict(found) == nodes
    assert len(found) == len(nodes)
    assert not found or found[-1][0] == ""
