"""What a log holds of an envelope: made again from the envelope alone, and it tells nothing of the payload."""

import json

import pytest
from evidence_world import HARDENED, SYSTEM, fixed_key

from aloi.errors import EvidenceError
from aloi.evidence import envelope as dsse
from aloi.evidence import logentry
from aloi.evidence.canonical import canonical, digest
from aloi.evidence.statement import Subject, state
from aloi.evidence.vouching import Endorsement

RECORD = Endorsement(organisation="an institute", at="2026-11-26")
KEY = fixed_key(1)


def envelope(*subjects):
    return dsse.sign(state(RECORD, subjects), KEY)


def test_an_entry_names_envelope_type_signers_and_subjects():
    signed = envelope(SYSTEM, HARDENED, SYSTEM)
    entry = logentry.of(signed)
    assert json.loads(entry) == {
        "envelope": digest(dsse.write(signed)),
        "predicateType": "https://aloi.dev/predicate/endorsement/v1",
        "signers": [KEY.public.id],
        "subjects": [SYSTEM.fingerprint, HARDENED.fingerprint],
    }
    assert entry == canonical(json.loads(entry))
    assert logentry.write(logentry.read(entry)) == entry
    assert b"an institute" not in entry


def test_another_signature_is_another_entry():
    assert logentry.of(envelope(SYSTEM)) != logentry.of(dsse.sign(state(RECORD, [SYSTEM]), fixed_key(2)))


def test_an_entry_that_does_not_fit_a_bundle_is_refused():
    subjects = [Subject.of("s", f"sha256:{number:064x}") for number in range(1000)]
    with pytest.raises(EvidenceError, match="the statement names 1000 subjects") as caught:
        logentry.of(envelope(*subjects))
    assert caught.value.reason == "entry-too-large"
    assert len(logentry.of(envelope(*subjects[:800]))) <= logentry.LONGEST
