"""Exports that others' tools accept, with nothing in them that points at what is not there."""

import copy
import json
import logging

import pytest
from benchmarks.standards.bundles import drawn
from benchmarks.standards.exports import read_by_sarif, read_by_trestle
from benchmarks.standards.schemas import NO_SARIF, official_sarif
from cyclonedx.model.bom import Bom
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from standards_world import SHIPPED

from aloi.errors import EvidenceError
from aloi.evidence import envelope as dsse
from aloi.evidence.keys import PrivateKey
from aloi.standards.coverage import cover
from aloi.standards.exports import oscal
from aloi.standards.exports.cyclonedx import bom
from aloi.standards.exports.references import dangling_cyclonedx, dangling_oscal, require_whole
from aloi.standards.exports.sarif import sarif
from aloi.standards.exports.svr import properties, svr
from aloi.standards.frameworks import read_framework
from aloi.standards.gaps import next_evidence
from aloi.standards.hub import hub
from aloi.standards.judging import by_hazard, judge

ALL = [read_framework(found) for found in SHIPPED.values()]
SOME = [one for one in ALL if one.pack.id in {"owasp-llm", "nist-ai-600-1", "eu-content-code"}]
SEEDS = range(20)
STRICT = JsonStrictValidator(SchemaVersion.V1_7)
OFFICIAL_SARIF = official_sarif()
official = pytest.mark.skipif(OFFICIAL_SARIF is None, reason=NO_SARIF)
logging.getLogger("trestle").setLevel(logging.ERROR)


def covered(evidence, frameworks):
    return [(one, cover(one, evidence.items)) for one in frameworks]


def made_oscal(evidence, frameworks):
    steps = {one.pack.key: next_evidence(found, one, evidence.items) for one, found in covered(evidence, frameworks)}
    return json.loads(json.dumps(oscal.documents(evidence, hub(), frameworks, steps)))


@pytest.mark.parametrize("seed", SEEDS)
def test_oscal_is_read_by_trestle_and_whole(seed):
    documents = made_oscal(drawn(seed), SOME)
    for document in documents.values():
        assert read_by_trestle(document)
    assert dangling_oscal(documents) == ()


def test_all_frameworks_are_exported_as_oscal():
    documents = made_oscal(drawn(1), ALL)
    assert {name for name in documents if name.startswith("catalog.")} == {
        "catalog.json",
        *(f"catalog.{one.pack.key}.json" for one in ALL),
    }
    assert dangling_oscal(documents) == ()
    assert all(read_by_trestle(document) for document in documents.values())


@pytest.mark.parametrize("seed", SEEDS)
def test_cyclonedx_keeps_to_its_schema_and_is_whole(seed):
    evidence = drawn(seed)
    document = bom(evidence, covered(evidence, SOME))
    assert STRICT.validate_str(json.dumps(document)) is None
    assert dangling_cyclonedx(document) == ()


@pytest.mark.parametrize("seed", SEEDS)
def test_cyclonedx_is_read_back_by_its_library(seed):
    # The library has no model of declarations nor of model cards and drops both: what it does model comes back whole.
    evidence = drawn(seed)
    document = bom(evidence, covered(evidence, SOME))
    read = Bom.from_json(json.loads(json.dumps(document)))
    assert f"urn:uuid:{read.serial_number}" == document["serialNumber"]
    told = [document["metadata"]["component"], *document.get("components", ())]
    found = [read.metadata.component, *read.components]
    assert sorted(one.bom_ref.value for one in found) == sorted(one["bom-ref"] for one in told)
    assert {h.content for one in found for h in one.hashes} == {h["content"] for one in told for h in one["hashes"]}
    standards = {one.bom_ref.value: one for one in read.definitions.standards}
    for one in document["definitions"]["standards"]:
        known = {each.bom_ref.value: each for each in standards[one["bom-ref"]].requirements}
        assert {name: (each.identifier, each.title) for name, each in known.items()} == {
            each["bom-ref"]: (each["identifier"], each["title"]) for each in one["requirements"]
        }
        assert {prop.value for each in known.values() for prop in each.properties} <= {"primary", "secondary"}


def test_a_bundle_gives_the_same_export_every_time():
    one, other = drawn(3), drawn(3)
    assert made_oscal(one, SOME) == made_oscal(other, SOME)
    assert bom(one, covered(one, SOME)) == bom(other, covered(other, SOME))


SPOILED = {
    "an observation": ("assessment-results.json", "observation-uuid"),
    "a subject": ("assessment-results.json", "subject-uuid"),
    "the bundle": ("assessment-plan.json", "href"),
    "the plan": ("assessment-results.json", "href"),
    "a control": ("assessment-plan.json", "control-id"),
    "a statement": ("assessment-results.json", "target-id"),
    "a mapped control": ("mapping.owasp-llm@2026.json", "id-ref"),
    "the catalog": ("profile.json", "href"),
}


def spoil(value, key):
    """Change the first reference under `key`; whether there was one."""
    if isinstance(value, dict):
        for name, one in value.items():
            if name == key and isinstance(one, str) and one != "bundle.json":
                value[name] = "#gone" if one.startswith("#") else f"gone{one}"
                return True
            if spoil(one, key):
                return True
    return isinstance(value, list) and any(spoil(one, key) for one in value)


@pytest.mark.parametrize("case", SPOILED, ids=list(SPOILED))
def test_a_dangling_reference_of_oscal_is_found(case):
    name, key = SPOILED[case]
    seed = next(
        n for n in range(100) if "findings" in json.dumps(made_oscal(drawn(n), SOME)["assessment-results.json"])
    )
    documents = copy.deepcopy(made_oscal(drawn(seed), SOME))
    assert spoil(documents[name], key)
    found = dangling_oscal(documents)
    assert found
    assert found[0].startswith(name) or case == "the catalog"
    with pytest.raises(EvidenceError) as caught:
        require_whole(found)
    assert caught.value.reason == "dangling-reference"


@pytest.mark.parametrize("key", ["assessor", "requirement", "target", "evidence", "claims"])
def test_a_dangling_reference_of_cyclonedx_is_found(key):
    evidence = next(
        drawn(n) for n in range(100) if '"claims": ["claim:' in json.dumps(bom(drawn(n), covered(drawn(n), SOME)))
    )
    document = json.loads(json.dumps(bom(evidence, covered(evidence, SOME))))
    text = json.dumps(document["declarations"])
    for attestation in document["declarations"]["attestations"]:
        for row in attestation["map"]:
            if key in row:
                row[key] = "gone" if key == "requirement" else ["gone"]
        if key == "assessor":
            attestation[key] = "gone"
    for claim in document["declarations"]["claims"]:
        if key in claim:
            claim[key] = "gone" if key == "target" else ["gone"]
    assert json.dumps(document["declarations"]) != text
    assert dangling_cyclonedx(document)


def test_a_reference_that_stands_twice_is_found():
    evidence = drawn(4)
    document = bom(evidence, covered(evidence, SOME))
    document["definitions"]["standards"].append(document["definitions"]["standards"][0])
    assert any("twice" in one for one in dangling_cyclonedx(document))


def test_what_is_not_met_is_a_counter_claim_and_no_word_of_conformity_is_said():
    seen = False
    for seed in SEEDS:
        evidence = drawn(seed)
        document = bom(evidence, covered(evidence, SOME))
        text = json.dumps(document).lower()
        assert "compliant" not in text
        assert '"score"' not in text
        against = {
            f"claim:{claim.digest}"
            for claim, record in evidence.measured()
            if getattr(record, "verdict", None) == "not met" or not getattr(record, "accepted", True)
        }
        rows = [row for one in document["declarations"]["attestations"] for row in one["map"]]
        assert not against & {name for row in rows for name in row.get("claims", ())}
        assert {name for row in rows for name in row.get("counterClaims", ())} <= against
        seen = seen or any("counterClaims" in row for row in rows)
    assert seen


@pytest.mark.parametrize("seed", range(60))
def test_sarif_and_the_summary_say_what_the_judging_says_and_no_more(seed):
    evidence = drawn(seed)
    standing = by_hazard(evidence.items)
    document = json.loads(json.dumps(sarif(evidence)))
    assert read_by_sarif(document)
    run = document["runs"][0]
    assert {one["ruleId"] for one in run["results"]} == set(standing)
    for one in run["results"]:
        verdict = standing[one["ruleId"]][0]
        assert run["tool"]["driver"]["rules"][one["ruleIndex"]]["id"] == one["ruleId"]
        assert (one["kind"] == "fail") == (one["level"] == "error") == (verdict == "not met")
        assert (one["kind"] == "pass") == (verdict == "met")
    states = {control.hazards: found.state for control, found in judged(evidence) if control.proof == "findings"}
    for name in properties(evidence):
        assert states.get((name.split("_")[2],), "supported") == "supported"


def broken_sarif():
    document = json.loads(json.dumps(sarif(drawn(5))))
    for change in ({"level": "fatal"}, {"rule": "x"}, {"colour": "red"}):
        broken = copy.deepcopy(document)
        broken["runs"][0]["results"] = [{"message": {"text": "x"}} | change]
        yield broken


def test_a_member_that_sarif_does_not_have_is_found():
    assert not any(map(read_by_sarif, broken_sarif()))


@official
def test_every_kind_of_sarif_log_keeps_to_the_official_schema():
    kinds, said, empty = set(), set(), 0
    for seed in range(60):
        document = json.loads(json.dumps(sarif(drawn(seed))))
        assert [one.message for one in OFFICIAL_SARIF.iter_errors(document)] == []
        results = document["runs"][0]["results"]
        kinds |= {one["kind"] for one in results}
        said |= {one["message"]["text"].partition(":")[0] for one in results}
        empty += not results
    assert kinds == {"pass", "fail", "open", "notApplicable"}
    assert said == {"finding", "hunt"}
    assert empty


@official
def test_the_official_schema_of_sarif_refuses_what_it_does_not_have():
    assert not any(map(OFFICIAL_SARIF.is_valid, broken_sarif()))
    document = sarif(drawn(5))
    document["runs"][0]["tool"]["driver"]["informationUri"] = "no address"
    assert not OFFICIAL_SARIF.is_valid(document)


def judged(evidence):
    found = judge(hub(), evidence.items)
    return [(control, found[control.id]) for control in hub().controls]


def test_the_summary_is_signed_and_names_only_what_is_met():
    key = PrivateKey.generate()
    evidence = next(drawn(seed) for seed in range(60) if properties(drawn(seed)))
    told = json.loads(dsse.verify(svr(evidence, key), [key.public]).payload)
    assert tuple(told["predicate"]["properties"]) == properties(evidence)
    assert told["predicate"]["verifier"]["policy"]["digest"]["sha256"] in evidence.verification.digest
    assert set(told["predicate"]) == {"verifier", "timeCreated", "properties"}


def test_a_system_whose_remedies_were_refused_stands_as_it_was():
    evidence = next(
        one
        for one in map(drawn, range(100))
        if len(one.verification.subject) == 2
        and any(not getattr(record, "accepted", True) for _, record in one.measured())
    )
    before = evidence.verification.subject[0]
    document = bom(evidence, covered(evidence, SOME))
    assert document["metadata"]["component"]["bom-ref"] == f"system:{before.fingerprint}"
    poam = made_oscal(evidence, SOME)["plan-of-action.json"]["plan-of-action-and-milestones"]
    assert poam["system-id"]["id"] == before.fingerprint
    assert evidence.standing == before
