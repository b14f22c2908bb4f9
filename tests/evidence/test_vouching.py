"""What is signed beside bundles: its form, and what it refuses."""

import json

import jsonschema
import msgspec
import pytest
from evidence_world import fixed_key
from vouching_world import AT, DOMAIN, KEY, REPLICATION, SALT, WITHDRAWAL, beside, incident, organisation

from aloi.errors import EvidenceError
from aloi.evidence import envelope as dsse
from aloi.evidence.encoding import to_base64
from aloi.evidence.organisations import RosterKey
from aloi.evidence.predicates import claim_type, usual_non_claims
from aloi.evidence.schemas import schemas
from aloi.evidence.statement import claimed, read

BESIDE = beside()


@pytest.mark.parametrize("name", BESIDE)
def test_each_is_read_as_it_was_signed_and_fits_its_schema(name):
    payload = dsse.verify(BESIDE[name], [KEY.public]).payload
    statement = json.loads(payload)
    kind, _ = claim_type(statement["predicateType"])
    assert kind == name.removeprefix("sealed-")
    jsonschema.validate(statement["predicate"], schemas()[f"{kind}.v1"])
    claim = claimed(read(payload))
    assert claim.non_claims == usual_non_claims(claim.record)


def test_a_replication_is_blind_where_it_shows_what_was_sealed():
    assert REPLICATION.blind
    assert not msgspec.structs.replace(REPLICATION, sealed=None).blind


def test_a_roster_key_gives_the_key_back():
    for key in (fixed_key(1).public, KEY.public):
        assert RosterKey.of(key, AT).key() == key


def record(name):
    return json.loads(dsse.verify(BESIDE[name], [KEY.public]).payload)["predicate"]["record"]


ONE_KEY = record("organisation")["keys"][0]
HASH = to_base64(SALT)
REFUSED = {
    "withdrawn on no day": ("withdrawal", {"at": "2026-13-01T00:00:00Z"}),
    "withdrawn at a local time": ("withdrawal", {"at": "2026-11-26T10:00:00+01:00"}),
    "a newline after the time": ("withdrawal", {"at": AT + "\n"}),
    "an unknown reason": ("withdrawal", {"reason": "because"}),
    "withdrawn without a word": ("withdrawal", {"text": ""}),
    "superseded by no digest": ("withdrawal", {"superseded_by": "sha256:zz"}),
    "a short commitment": ("commitment", {"commitment": "AAAA"}),
    "committed on no day": ("commitment", {"at": "2026-02-30T00:00:00Z"}),
    "appraised by too much": ("appraisal", {"change": 2}),
    "appraised by a word": ("appraisal", {"change": "-1"}),
    "a step that nobody knows": ("appraisal", {"step": "mood"}),
    "appraised without a reason": ("appraisal", {"reason": ""}),
    "appraised on no day": ("appraisal", {"at": "2026-13-26T10:00:00Z"}),
    "appraised for no hazard": ("appraisal", {"hazard": "Data disclosure"}),
    "replicated in another way": ("replication", {"kind": "roughly"}),
    "replicates nothing": ("replication", {"of": ""}),
    "sealed without a salt": ("replication", {"sealed": {"commitment": "sha256:" + "1" * 64}}),
    "another kind of organisation": ("organisation", {"kind": "secret"}),
    "no domain": ("organisation", {"domain": "localhost"}),
    "a domain in capitals": ("organisation", {"domain": "Institute.example.org"}),
    "a domain with a path": ("organisation", {"domain": "example.org/a"}),
    "a domain with a port": ("organisation", {"domain": "example.org:80"}),
    "an address": ("organisation", {"domain": "192.0.2.1"}),
    "a domain of another script": ("organisation", {"domain": "ex\u0430mple.org"}),
    "a newline after the domain": ("organisation", {"domain": DOMAIN + "\n"}),
    "a domain that is too long": ("organisation", {"domain": "a." * 126 + "org"}),
    "no key": ("organisation", {"keys": []}),
    "a key twice": ("organisation", {"keys": [ONE_KEY, ONE_KEY]}),
    "a key that ends before it begins": (
        "organisation",
        {"keys": [ONE_KEY | {"valid_until": "2025-01-01T00:00:00Z"}]},
    ),
    "revoked without a reason": ("organisation", {"keys": [ONE_KEY | {"revoked_at": AT}]}),
    "a reason without a revocation": ("organisation", {"keys": [ONE_KEY | {"revocation": "retired"}]}),
    "revoked for no known reason": ("organisation", {"keys": [ONE_KEY | {"revoked_at": AT, "revocation": "x"}]}),
    "no relation": ("organisation", {"relations": []}),
    "a relation twice": ("organisation", {"relations": record("organisation")["relations"] * 2}),
    "a first statement with one before": ("organisation", {"previous": "sha256:" + "1" * 64}),
    "a second statement with none before": ("organisation", {"sequence": 1}),
    "a sequence below 0": ("organisation", {"sequence": -1, "previous": "sha256:" + "1" * 64}),
    "neither told nor sealed": ("incident", {"text": None}),
    "told and sealed": ("incident", {"commitment": HASH, "embargo_until": "2027-01-01T00:00:00Z"}),
    "told and under embargo": ("incident", {"embargo_until": "2027-01-01T00:00:00Z"}),
    "sealed for ever": ("sealed-incident", {"embargo_until": None}),
    "an embargo that ends before it begins": ("sealed-incident", {"embargo_until": AT}),
    "sealed and opened": ("sealed-incident", {"sealed": {"commitment": "sha256:" + "1" * 64, "salt": HASH}}),
    "another kind of incident": ("incident", {"kind": "rumour"}),
    "occurred on no day": ("incident", {"first_known_occurrence": "2026-02-30"}),
    "a hazard that is no slug": ("incident", {"hazard": "Indirect injection"}),
}


@pytest.mark.parametrize(("name", "changes"), REFUSED.values(), ids=REFUSED)
def test_what_says_nothing_clear_is_refused(name, changes):
    statement = json.loads(dsse.verify(BESIDE[name], [KEY.public]).payload)
    statement["predicate"]["record"] |= changes
    with pytest.raises(EvidenceError) as caught:
        claimed(read(msgspec.json.encode(statement)))
    assert caught.value.reason in {"wrong-type", "invalid-value"}


def test_what_is_made_here_is_refused_as_well():
    with pytest.raises(ValueError, match="none before"):
        organisation(sequence=1)
    with pytest.raises(ValueError, match="told"):
        incident(text=None)
    with pytest.raises(ValueError, match="time data"):
        msgspec.structs.replace(WITHDRAWAL, at="yesterday")
