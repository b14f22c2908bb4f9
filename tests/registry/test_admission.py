"""What does not come in: each row is one way to knock, and the reason that is given."""

import json

import pytest
from log_room import KEYS, OTHER, SUBMITTER, SYSTEM, envelope_of, envelopes, key_of, payload_of

from aloi.errors import EvidenceError
from aloi.evidence import envelope as dsse
from aloi.evidence import logentry
from aloi.evidence.canonical import canonical, digest
from aloi.evidence.encoding import to_base64
from aloi.evidence.predicates import name_of, predicate_type
from aloi.evidence.statement import Subject, state
from aloi.evidence.vouching import Endorsement
from aloi.registry.admission import admit
from evidence import update_world
from evidence.evidence_world import HAZARDS, benign, effect, finding, first_edition
from evidence.vouching_world import KEY, beside

GOOD = json.loads(envelope_of(0))
STATEMENT = json.loads(payload_of(0))


def changed(**fields):
    return canonical(GOOD | fields)


def signed(payload):
    return dsse.write(dsse.sign(payload, SUBMITTER))


def stated(**fields):
    return signed(canonical(STATEMENT | fields))


def record(**fields):
    claim = STATEMENT["predicate"]
    return stated(predicate=claim | {"record": claim["record"] | fields})


def signature(**fields):
    return changed(signatures=[GOOD["signatures"][0] | fields])


def about(count):
    subjects = [Subject.of("s", f"sha256:{number:064x}") for number in range(count)]
    return signed(state(Endorsement(organisation="o", at="2026-11-26"), subjects))


HOSTILE = {
    "nothing": (b"", "not-json"),
    "noise": (b"\x00\xff\xfe", "not-utf8"),
    "null": (b"null", "wrong-type"),
    "a list": (b"[]", "wrong-type"),
    "a bare statement": (payload_of(0), "wrong-type"),
    "cut short": (envelope_of(0)[:-1], "not-json"),
    "two in one": (envelope_of(0) * 2, "not-json"),
    "too large": (b" " * (1 << 20) + envelope_of(0), "too-large"),
    "too deep": (b'{"a":' * 40 + b"1" + b"}" * 40, "too-deep"),
    "a key twice": (b'{"payload":"",' + envelope_of(0)[1:], "duplicate-key"),
    "no signature": (changed(signatures=[]), "wrong-type"),
    "seventeen signatures": (changed(signatures=GOOD["signatures"] * 17), "wrong-type"),
    "one signature twice": (changed(signatures=GOOD["signatures"] * 2), "repeated-signer"),
    "another payload type": (changed(payloadType="text/plain"), "payload-type"),
    "payload not base64": (changed(payload="!"), "bad-base64"),
    "payload in URL base64": (changed(payload="_-_-"), "bad-base64"),
    "another payload": (changed(payload=to_base64(payload_of(1))), "bad-signature"),
    "an unknown key": (envelope_of(0, key_of(9)), "unknown-signer"),
    "a known and an unknown key": (envelope_of(0, SUBMITTER, key_of(9)), "unknown-signer"),
    "the name of another key": (signature(keyid=OTHER.public.id), "bad-signature"),
    "a name that is no key's": (signature(keyid="../../etc/passwd"), "unknown-signer"),
    "a short signature": (signature(sig="AAAA"), "bad-signature"),
    "no statement": (signed(b"{}"), "wrong-type"),
    "signed noise": (signed(b"\xff"), "not-utf8"),
    "another kind of statement": (stated(_type="https://in-toto.io/Statement/v0.1"), "not-a-statement"),
    "a kind that nobody knows": (stated(predicateType="https://aloi.dev/predicate/rumour/v1"), "unknown-predicate"),
    "a kind of others": (stated(predicateType="https://slsa.dev/provenance/v1"), "unknown-predicate"),
    "no subject": (stated(subject=[]), "wrong-type"),
    "a digest that is none": (stated(subject=[{"name": "a", "digest": {"sha256": "zz"}}]), "wrong-type"),
    "no predicate": (stated(predicate={}), "wrong-type"),
    "a field of another type": (record(at=5), "wrong-type"),
    "a float": (record(weight=0.5), "float"),
    "a name without end": (record(organisation="x" * 201), "wrong-type"),
    "too many subjects": (about(1000), "entry-too-large"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_it_stays_outside_and_takes_its_batch_with_it(log, case):
    data, reason = HOSTILE[case]
    log.append(envelopes(50, 52), KEYS)
    before = log.checkpoint()
    with pytest.raises(EvidenceError) as caught:
        log.append([*envelopes(0, 3), data, envelope_of(4)], KEYS)
    assert (caught.value.reason, caught.value.where) == (reason, "#3")
    assert log.checkpoint() == before
    assert log.append(envelopes(0, 3), KEYS) == [2, 3, 4]


def test_without_keys_nobody_comes_in():
    with pytest.raises(EvidenceError) as caught:
        admit(envelope_of(0), ())
    assert caught.value.reason == "unknown-signer"


def test_as_many_subjects_as_fit_come_in(log):
    assert log.append([about(800)], KEYS) == [0]
    assert len(logentry.read(log.entry(0).body).subjects) == 800


def test_a_subject_named_twice_is_held_once():
    twice = signed(state(Endorsement(organisation="o", at="2026-11-26"), [SYSTEM, SYSTEM]))
    assert logentry.read(admit(twice, KEYS).body).subjects == (SYSTEM.fingerprint,)


@pytest.mark.parametrize("name", beside())
def test_what_is_signed_beside_bundles_comes_in(name):
    admitted = admit(dsse.write(beside()[name]), [KEY.public])
    assert admitted.kind == name.removeprefix("sealed-")
    assert logentry.read(admitted.body).envelope == digest(dsse.write(beside()[name]))


@pytest.mark.parametrize("record", [finding(HAZARDS[0]), benign(), effect()], ids=["finding", "benign-rate", "effect"])
def test_results_of_every_edition_come_in_as_one_kind(record):
    old, new = first_edition(record, (SYSTEM,)), state(record, [SYSTEM])
    admitted = [admit(signed(payload), KEYS) for payload in (old, new)]
    assert {each.kind for each in admitted} == {name_of(record)}
    types = [logentry.read(each.body).predicate_type for each in admitted]
    assert types == [predicate_type(name_of(record), edition) for edition in (1, 2)]


def test_an_update_of_a_detector_is_looked_up_by_the_model_that_it_is_for():
    envelope = update_world.signed()
    admitted = admit(dsse.write(envelope), [update_world.AUTHOR.public])
    assert admitted.kind == "detector-update"
    assert update_world.BASE.removeprefix("sha256:") in admitted.body.decode()
    with pytest.raises(EvidenceError, match="not among the keys"):
        admit(dsse.write(envelope), [update_world.ACCEPTOR.public])
