import json
from decimal import Decimal

import msgspec
import pytest
from evidence_world import SYSTEM, World, estimate, finding, plan

from aloi.errors import EvidenceError
from aloi.evidence.canonical import canonical
from aloi.evidence.predicates import CLAIMS, NonClaim, claim_type, name_of, predicate_type, usual_non_claims
from aloi.evidence.statement import Subject, claimed, read, state

PLAN = state(plan(), [SYSTEM])


def altered(**changes):
    return canonical(json.loads(PLAN) | changes)


def test_a_statement_is_in_toto_v1():
    value = json.loads(PLAN)
    assert value["_type"] == "https://in-toto.io/Statement/v1"
    assert value["subject"] == [{"name": "banque-azur", "digest": {"sha256": "a1" * 32}}]
    assert value["predicateType"] == "https://aloi.dev/predicate/plan/v1"
    assert set(value["predicate"]) == {"record", "non_claims"}
    assert value["predicate"]["record"]["alpha"] == "0.05"
    assert canonical(value) == PLAN


def test_typed_predicates_come_back():
    for payload in World().statements():
        claim = claimed(read(payload))
        name, _ = claim_type(read(payload).predicate_type)
        assert name_of(claim.record) == name
        assert claim.non_claims
    assert claimed(read(PLAN)).record == plan()


def test_an_unknown_predicate_is_tolerated_and_said():
    statement = read(altered(predicateType="https://example.org/review/v1", predicate={"score": 0.5}))
    assert claimed(statement) is None
    assert bytes(statement.predicate) == b'{"score":0.5}'


def test_later_fields_are_tolerated():
    value = json.loads(PLAN)
    value["predicate"]["record"]["added_later"] = "x"
    value["annotations"] = {}
    assert claimed(read(canonical(value))).record == plan()


HOSTILE_STATEMENTS = {
    "another type": ({"_type": "https://in-toto.io/Statement/v0.1"}, "not-a-statement"),
    "no subject": ({"subject": []}, "wrong-type"),
    "subject without digest": ({"subject": [{"name": "x"}]}, "wrong-type"),
    "digest zz": ({"subject": [{"name": "x", "digest": {"sha256": "zz"}}]}, "wrong-type"),
    "digest in capitals": ({"subject": [{"name": "x", "digest": {"sha256": "A1" * 32}}]}, "wrong-type"),
    "digest and a newline": ({"subject": [{"name": "x", "digest": {"sha256": "a1" * 32 + "\n"}}]}, "wrong-type"),
    "only sha1": ({"subject": [{"name": "x", "digest": {"sha1": "a1" * 20}}]}, "wrong-type"),
    "type is a number": ({"_type": 1}, "wrong-type"),
    "predicate of another kind": ({"predicateType": predicate_type("finding")}, "wrong-type"),
    "predicate is a list": ({"predicate": []}, "wrong-type"),
    "no non-claims": ({"predicate": {"record": {}, "non_claims": []}}, "wrong-type"),
}


@pytest.mark.parametrize(("changes", "reason"), HOSTILE_STATEMENTS.values(), ids=HOSTILE_STATEMENTS)
def test_hostile_statements(changes, reason):
    with pytest.raises(EvidenceError) as caught:
        claimed(read(altered(**changes)))
    assert caught.value.reason == reason
    assert caught.value.remedy


def with_record(**changes):
    value = json.loads(PLAN)
    value["predicate"]["record"] |= changes
    return json.dumps(value).encode()


NUMBERS = {
    "a float": ({"alpha": 0.05}, "float"),
    "a float with an exponent": ({"alpha": 5e-2}, "float"),
    "NaN as text": ({"alpha": "NaN"}, "number-out-of-range"),
    "infinity as text": ({"alpha": "Infinity"}, "number-out-of-range"),
    "a bomb": ({"alpha": "1E+999999"}, "number-out-of-range"),
    "65 digits": ({"alpha": "0." + "1" * 65}, "number-out-of-range"),
    "an integer beyond 2^53": ({"pairs": 2**53}, "number-out-of-range"),
    "a float in a field of later editions": ({"later": 0.5}, "float"),
    "not a number": ({"alpha": "five"}, "wrong-type"),
}


@pytest.mark.parametrize(("changes", "reason"), NUMBERS.values(), ids=NUMBERS)
def test_inexact_numbers_are_refused_when_read(changes, reason):
    with pytest.raises(EvidenceError) as caught:
        claimed(read(with_record(**changes)))
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (plan(alpha=0.05), "float"),
        (finding("a", errors={"timeout": 1.0}), "float"),
        (finding("a", log_e_met=Decimal("NaN")), "number-out-of-range"),
        (finding("a", log_e_met=Decimal("Infinity")), "number-out-of-range"),
        (finding("a", queries=2**60), "number-out-of-range"),
        (finding("a", queries="many"), "wrong-type"),
        (plan(seed="\ud800"), "not-canonical"),
    ],
    ids=["float", "float inside", "NaN", "infinity", "integer", "type", "surrogate"],
)
def test_inexact_records_are_not_signed(record, reason):
    with pytest.raises(EvidenceError) as caught:
        state(record, [SYSTEM])
    assert caught.value.reason == reason


def test_an_estimate_outside_its_interval_cannot_be_made():
    with pytest.raises(ValueError, match="lies outside"):
        estimate(1, 10, high=Decimal("0.05"))


@pytest.mark.parametrize("subject", [[], [Subject.of("x", "sha256:" + "a" * 64)] * 0])
def test_a_statement_is_about_something(subject):
    with pytest.raises(EvidenceError):
        state(plan(), subject)


def test_a_subject_needs_a_whole_digest():
    with pytest.raises(msgspec.ValidationError):
        Subject.of("x", "sha256:abc")
    assert SYSTEM.fingerprint == "sha256:" + "a1" * 32


def test_every_predicate_has_usual_non_claims():
    records = [claimed(read(payload)).record for payload in World().statements()]
    for record in records:
        assert set(usual_non_claims(record)) <= set(NonClaim)
        assert NonClaim.OTHER_VERSIONS in usual_non_claims(record)
    assert NonClaim.POPULATION in usual_non_claims(finding("a"))
    assert NonClaim.POPULATION in usual_non_claims(finding("a", scope="suite"))
    assert NonClaim.POPULATION not in usual_non_claims(finding("a", scope="population"))
    assert {predicate_type(name, 1) for name in CLAIMS} == {
        f"https://aloi.dev/predicate/{name}/v1"
        for name in (
            *("plan", "finding", "hunt", "benign-rate", "effect", "coverage", "manifest"),
            *("attachment", "endorsement", "dispute", "withdrawal", "commitment"),
            *("replication", "appraisal", "organisation", "incident", "monitoring"),
            *("detector-update", "update-acceptance"),
        )
    }


@pytest.mark.parametrize("codes", [["Other-Versions"], ["a b"], ["x" * 41], ["é"], ["a\n"]])
def test_non_claims_are_codes(codes):
    with pytest.raises(EvidenceError) as caught:
        state(plan(), [SYSTEM], non_claims=codes)
    assert caught.value.reason == "wrong-type"
