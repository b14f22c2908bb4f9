"""What a log holds is read as statements: the envelopes that fit their entries, and no others."""

import lookup_world
import msgspec
import pytest
from evidence_world import SYSTEM
from federation_world import HOUR, KEYS, KNOWN, START, History, about
from vouching_world import organisation

from aloi.evidence import envelope as dsse
from aloi.evidence import logentry
from aloi.evidence.loggedstatements import held, read_logged
from aloi.evidence.lookup import verify_lookup
from aloi.evidence.roster import read_rosters
from aloi.evidence.statement import Subject, state
from aloi.evidence.status import read_statuses

A = "institute.example.org"


def test_a_complete_look_up_becomes_a_whole_account():
    """The withdrawal, the dispute and the reply name envelopes; the look-up follows them."""
    history = History()
    history.founded(A, 60, 61)
    result = history.result(by=[60])
    history.result(by=[60], system=Subject.of("another", lookup_world.B))
    dispute = history.dispute(result, by=[62])
    reply = history.dispute(dispute, by=[60])
    word = history.withdraw(result, by=[61])
    entries = [each.entry for each in history.held]
    envelopes = {logentry.read(each.entry).envelope: each.envelope for each in history.held}
    times = {each.index: each.time for each in history.held}
    read = []
    for subject in (SYSTEM, about(A)):
        answer = lookup_world.spelt(lookup_world.answer(subject.fingerprint, entries))
        told = verify_lookup(answer, subject.fingerprint, lookup_world.POLICY)
        read += held(told, envelopes, times)
    statements, unread = read_logged(read, [KEYS[62].public])
    assert unread == ()
    assert [each.index for each in statements] == [0, 1, 3, 4, 5]
    assert [each.time for each in statements] == [START + each.index * HOUR for each in statements]
    found = read_statuses(statements, read_rosters(statements)).statements
    assert (found[result].state, found[result].withdrawals, found[result].disputes) == (
        "withdrawn",
        (word,),
        (dispute,),
    )
    assert found[dispute].disputes == (reply,)


def test_a_log_that_holds_the_envelopes_themselves():
    told = verify_lookup(lookup_world.spelt(lookup_world.answer()), lookup_world.A, lookup_world.POLICY)
    entries = list(held(told, {}, dict.fromkeys(told.entries, START)))
    read, unread = read_logged(entries, [lookup_world.AUTHOR.public, lookup_world.fixed_key(32).public])
    assert [each.index for each in read] == list(told.indices)
    assert unread == ()


def one(**changes):
    history = History()
    history.result()
    history.result(by=[61])
    (first, second) = history.held
    return msgspec.structs.replace(first, **{name: value(second) for name, value in changes.items()})


UNREAD = {
    "erased": (one(envelope=lambda _: None), "erased"),
    "another envelope": (one(envelope=lambda other: other.envelope), "entry-mismatch"),
    "an envelope of more signatures": (
        one(
            envelope=lambda _: dsse.write(
                dsse.sign(lookup_world.from_base64(dsse.read(one().envelope).payload, "x"), KEYS[60], KEYS[61])
            )
        ),
        "entry-mismatch",
    ),
    "an entry that names another subject": (
        one(
            entry=lambda _: logentry.write(
                msgspec.structs.replace(logentry.read(one().entry), subjects=("sha256:" + "7" * 64,))
            )
        ),
        "entry-mismatch",
    ),
    "noise": (one(envelope=lambda _: b"{"), "not-json"),
    "noise in the log": (one(entry=lambda _: b"noise", envelope=lambda _: b"noise"), "not-json"),
    "no statement": (
        one(envelope=lambda _: dsse.write(dsse.sign(b'{"_type":"x"}', KEYS[60]))),
        "wrong-type",
    ),
}


@pytest.mark.parametrize(("entry", "why"), UNREAD.values(), ids=UNREAD)
def test_what_does_not_fit_is_told_and_the_rest_is_read(entry, why):
    history = History()
    history.result(by=[62])
    other = msgspec.structs.replace(history.held[0], index=9)
    read, unread = read_logged([entry, other], KNOWN)
    assert [each.why for each in unread] == [why]
    assert [each.index for each in read] == [9]


def test_an_entry_may_name_the_statement_too():
    history = History()
    history.result()
    (each,) = history.held
    named = logentry.of(dsse.read(each.envelope), with_statement=True)
    assert len(read_logged([msgspec.structs.replace(each, entry=named)], KNOWN)[0]) == 1


def test_a_key_that_nobody_knows():
    history = History()
    history.result()
    read, unread = read_logged(history.held)
    assert read == ()
    assert [each.why for each in unread] == ["unknown-signer"]


def test_an_organisation_brings_its_keys_and_no_trust():
    history = History()
    history.result(by=[60])
    history.founded(A, 60)
    read, unread = read_logged(history.held)
    assert [each.index for each in read] == [0, 1]
    assert unread == ()


def test_a_key_of_another_algorithm_makes_one_statement_unreadable():
    history = History()
    history.result()
    record = organisation(domain=A)
    wrong = msgspec.structs.replace(record.keys[0], public_key="AAAA")
    history.put(dsse.write(dsse.sign(state(organisation(domain=A, keys=(wrong,)), [about(A)]), KEYS[60])))
    read, unread = read_logged(history.held, KNOWN)
    assert [each.index for each in read] == [0]
    assert [each.why for each in unread] == ["unknown-algorithm"]
