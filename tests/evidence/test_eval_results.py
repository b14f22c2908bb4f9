"""Results in the words of in-toto's proposed `eval-result`, and that both editions of them give the same claim."""

import json

import jsonschema
import pytest
from evidence_world import (
    HARDENED,
    HAZARDS,
    ROOT,
    SYSTEM,
    World,
    benign,
    effect,
    estimate,
    finding,
    first_edition,
)
from results_world import RESULTS, hunt

from aloi.errors import EvidenceError
from aloi.evidence.bundle import pack
from aloi.evidence.canonical import canonical, digest
from aloi.evidence.envelope import sign
from aloi.evidence.evalresults import Attested
from aloi.evidence.predicates import claim_type, kind_of, predicate_type
from aloi.evidence.records import Finding, Hunt, Verdict
from aloi.evidence.statement import claimed, read, state
from aloi.evidence.verification import verify_bundle, verify_statement

# What the proposal's text says of its fields, as it stood in October 2026 (in-toto/attestation, pull request 575).
PROPOSED = {
    "claims": {
        "type": "array",
        "minItems": 1,
        "items": {
            "type": "object",
            "required": ["metric", "comparator", "threshold"],
            "properties": {
                "metric": {"type": "string"},
                "comparator": {"enum": [">=", ">", "<=", "<"]},
                "threshold": {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"},
                "passed": {"type": "boolean"},
            },
        },
    },
    "sampleSize": {"type": "integer", "minimum": 0},
    "assuranceLevel": {"enum": ["self_attested", "third_party", "reproduced", "enclave_attested"]},
    "preRegistration": {
        "type": "object",
        "required": ["alg", "value"],
        "properties": {"alg": {"const": "sha256"}, "value": {"pattern": "^[0-9a-f]{64}$"}},
    },
}


def predicate(record, **said):
    return json.loads(state(record, [SYSTEM], plan=ROOT, **said))["predicate"]


def test_a_finding_has_the_proposed_names_at_their_places_and_no_old_one():
    told = predicate(finding(HAZARDS[1], verdict=Verdict.NOT_MET, estimate=estimate(12, 60)))
    assert told["claims"] == [
        {"metric": "data-disclosure/failure-rate", "comparator": "<", "threshold": "0.05", "passed": False}
    ]
    assert told["sampleSize"] == 60
    assert told["assuranceLevel"] == "self_attested"
    assert told["preRegistration"] == {"alg": "sha256", "value": "5e" * 32}
    assert set(told) == {
        *("claims", "sampleSize", "assuranceLevel", "preRegistration"),
        *("record", "non_claims"),
    }
    assert told["record"].keys().isdisjoint({"hazard", "threshold", "counts"})
    assert "n" not in told["record"]["estimate"]
    assert told["record"]["verdict"] == "not met"


@pytest.mark.parametrize("record", RESULTS.values(), ids=RESULTS)
def test_both_editions_of_a_result_give_the_same_claim(record):
    first, second = first_edition(record, (SYSTEM,), ROOT), state(record, [SYSTEM], plan=ROOT)
    types = [read(payload).predicate_type for payload in (first, second)]
    assert [claim_type(uri)[1] for uri in types] == [1, 2]
    assert kind_of(types[0]) == kind_of(types[1])
    old, new = claimed(read(first)), claimed(read(second))
    assert (old.record, old.plan, old.non_claims) == (new.record, new.plan, new.non_claims)
    assert new.record == record
    assert isinstance(new, Attested)
    assert not isinstance(old, Attested)


@pytest.mark.parametrize("record", RESULTS.values(), ids=RESULTS)
def test_what_is_told_is_told_as_proposed(record):
    told = predicate(record)
    jsonschema.validate(told, {"properties": PROPOSED})
    assert ("claims" in told) is isinstance(record, Finding | Hunt)


@pytest.mark.parametrize(
    ("verdict", "passed"),
    [
        (Verdict.MET, {"passed": True}),
        (Verdict.NOT_MET, {"passed": False}),
        (Verdict.INCONCLUSIVE, {}),
        (Verdict.NOT_TESTED, {}),
    ],
)
def test_what_was_not_decided_neither_passed_nor_failed(verdict, passed):
    [asserted] = predicate(finding(HAZARDS[1], verdict=verdict))["claims"]
    assert {name: value for name, value in asserted.items() if name == "passed"} == passed


def test_a_hunt_counts_what_could_not_be_scored():
    told = predicate(hunt(verdict=Verdict.INCONCLUSIVE))
    assert told["sampleSize"] == 71
    assert told["claims"] == [
        {"metric": "data-disclosure/largest-failure-rate", "comparator": "<", "threshold": "0.05"}
    ]


def test_a_result_without_a_plan_says_nothing_of_registration():
    payload = state(finding(HAZARDS[1]), [SYSTEM])
    assert "preRegistration" not in json.loads(payload)["predicate"]
    assert claimed(read(payload)).plan is None


def test_a_third_party_says_so_and_nobody_shows_it():
    key = World().key
    payload = state(finding(HAZARDS[1]), [SYSTEM], assurance="third_party")
    told = verify_statement(canonical(sign(payload, key)), [key.public])
    assert told.assurance_level == "third_party"
    assert "independence" in told.non_claims
    old = first_edition(finding(HAZARDS[1]), (SYSTEM,))
    assert verify_statement(canonical(sign(old, key)), [key.public]).assurance_level is None


def altered(record, /, **changes):
    """A second edition with members set; a path is written with `__`, and None takes a member away."""
    value = json.loads(state(record, [SYSTEM], plan=ROOT))
    for path, new in changes.items():
        *way, last = path.split("__")
        there = value["predicate"]
        for step in way:
            there = there[int(step) if step.isdigit() else step]
        if new is None:
            del there[last]
        else:
            there[last] = new
    return canonical(value)


FOUND, HUNTED = finding(HAZARDS[1]), hunt()
HOSTILE = {
    "passed although not met": (finding(HAZARDS[1], verdict=Verdict.NOT_MET), {"claims__0__passed": True}),
    "passed although inconclusive": (finding(HAZARDS[1], verdict=Verdict.INCONCLUSIVE), {"claims__0__passed": True}),
    "failed although inconclusive": (finding(HAZARDS[1], verdict=Verdict.INCONCLUSIVE), {"claims__0__passed": False}),
    "failed although never tested": (finding(HAZARDS[1], verdict=Verdict.NOT_TESTED), {"claims__0__passed": False}),
    "met and not said to have passed": (FOUND, {"claims__0__passed": None}),
    "another verdict": (FOUND, {"record__verdict": "inconclusive"}),
    "a hunt that passed": (HUNTED, {"claims__0__passed": True}),
}


@pytest.mark.parametrize(("record", "changes"), HOSTILE.values(), ids=HOSTILE)
def test_verdict_and_passed_agree(record, changes):
    with pytest.raises(EvidenceError) as caught:
        claimed(read(altered(record, **changes)))
    assert caught.value.reason == "passed-verdict"


CONTRADICTIONS = {
    "a hunt of fewer samples": (HUNTED, {"sampleSize": 70}, "sample-size"),
    "a hunt of all its queries": (HUNTED, {"sampleSize": 80}, "sample-size"),
    "an old hazard": (FOUND, {"record__hazard": HAZARDS[2]}, "old-name"),
    "the same hazard again": (FOUND, {"record__hazard": HAZARDS[1]}, "old-name"),
    "an old threshold": (FOUND, {"record__threshold": "0.5"}, "old-name"),
    "an old count": (FOUND, {"record__counts": "failures"}, "old-name"),
    "an old sample": (FOUND, {"record__estimate__n": 12_000}, "old-name"),
    "an old plan": (FOUND, {"plan": ROOT}, "old-name"),
    "an old hazard of a hunt": (HUNTED, {"record__hazard": HAZARDS[2]}, "old-name"),
    "an old sample of ordinary requests": (benign(), {"record__estimate__n": 1}, "old-name"),
    "an old plan of an effect": (effect(), {"plan": ROOT}, "old-name"),
    "a metric of others": (FOUND, {"claims__0__metric": "refusal_rate"}, "unknown-metric"),
    "the largest rate": (FOUND, {"claims__0__metric": f"{HAZARDS[1]}/largest-failure-rate"}, "unknown-metric"),
    "a mean of a hunt": (HUNTED, {"claims__0__metric": f"{HAZARDS[1]}/failure-rate"}, "unknown-metric"),
    "an estimate outside its interval": (FOUND, {"record__estimate__value": "0.9"}, "invalid-value"),
    "an estimate that is no number": (FOUND, {"record__estimate__value": "NaN"}, "invalid-value"),
}


@pytest.mark.parametrize(("record", "changes", "reason"), CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_contradictions_have_their_reasons(record, changes, reason):
    with pytest.raises(EvidenceError) as caught:
        claimed(read(altered(record, **changes)))
    assert caught.value.reason == reason
    assert caught.value.message.format(**caught.value.facts)
    assert caught.value.remedy


MALFORMED = {
    "no claim": {"claims": []},
    "two claims": {"claims": [{"metric": "a/failure-rate", "comparator": "<", "threshold": "0.1"}] * 2},
    "no metric": {"claims__0__metric": None},
    "another comparator": {"claims__0__comparator": ">="},
    "passed is null": {"claims": [{"metric": "a/failure-rate", "comparator": "<", "threshold": "0.1", "passed": None}]},
    "passed in words": {"claims__0__passed": "true"},
    "a threshold as a number": {"claims__0__threshold": 1},
    "a threshold with an exponent": {"claims__0__threshold": "5E-2"},
    "a threshold that is none": {"claims__0__threshold": "NaN"},
    "a threshold below zero": {"claims__0__threshold": "-0.05"},
    "a threshold and a newline": {"claims__0__threshold": "0.05\n"},
    "a sample below zero": {"sampleSize": -1},
    "a sample in words": {"sampleSize": "120"},
    "no sample": {"sampleSize": None},
    "no level": {"assuranceLevel": None},
    "reproduced by its own word": {"assuranceLevel": "reproduced"},
    "an enclave by its own word": {"assuranceLevel": "enclave_attested"},
    "a level of others": {"assuranceLevel": "certified"},
    "another algorithm": {"preRegistration__alg": "sha1"},
    "half a digest": {"preRegistration__value": "5e" * 16},
    "the digest as the first edition writes it": {"preRegistration__value": ROOT},
    "a digest and a newline": {"preRegistration__value": "5e" * 32 + "\n"},
    "no record": {"record": None},
    "no estimate": {"record__estimate": None},
    "no non-claims": {"non_claims": []},
}


@pytest.mark.parametrize("changes", MALFORMED.values(), ids=MALFORMED)
def test_another_form_is_refused(changes):
    with pytest.raises(EvidenceError) as caught:
        claimed(read(altered(FOUND, **changes)))
    assert caught.value.reason == "wrong-type"


@pytest.mark.parametrize("value", ["NaN", "sNaN"])
def test_what_is_no_number_is_told_in_words(value):
    with pytest.raises(EvidenceError, match=r"^a number in the evidence is not a number$"):
        claimed(read(altered(FOUND, record__estimate__value=value)))


def test_a_float_is_refused():
    payload = state(FOUND, [SYSTEM]).replace(b'"log_e_met":"5.25"', b'"log_e_met":5.25')
    with pytest.raises(EvidenceError) as caught:
        claimed(read(payload))
    assert caught.value.reason == "float"


def test_a_first_edition_under_the_name_of_the_second_is_refused_and_the_other_way_round():
    old, new = json.loads(first_edition(FOUND, (SYSTEM,))), json.loads(state(FOUND, [SYSTEM]))
    for value, edition in ((old, 2), (new, 1)):
        with pytest.raises(EvidenceError) as caught:
            claimed(read(canonical(value | {"predicateType": predicate_type("finding", edition)})))
        assert caught.value.reason == "wrong-type"


def test_fields_of_later_editions_are_tolerated():
    later = altered(FOUND, evaluator={"id": "https://example.org"}, record__later="x", claims__0__later=1)
    assert claimed(read(later)).record == FOUND
    assert claimed(read(altered(HUNTED, record__estimate=5))).record == HUNTED


def test_a_plan_has_one_edition():
    assert not isinstance(claimed(read(World().plan_bytes())), Attested)
    assert claim_type(predicate_type("plan")) == ("plan", 1)
    assert claim_type("https://aloi.dev/predicate/plan/v2") is None
    assert kind_of("https://example.org/review/v1") == "https://example.org/review/v1"


def test_a_run_that_was_begun_by_an_earlier_release_ends_in_one_bundle():
    world = World()
    plan = world.plan_bytes()
    payloads = [
        (first_edition(record, subject, digest(plan)) if place % 2 else state(record, subject, plan=digest(plan)))
        for place, (record, subject) in enumerate(world.claims)
    ]
    data = pack([sign(each, world.key) for each in (plan, *payloads)], [world.key.public], world.key)
    told = verify_bundle(data, [world.key.public])
    assert [claim.record for claim in told.claims[1:]] == [record for record, _ in world.claims]
    assert told.subject == (SYSTEM, HARDENED)
