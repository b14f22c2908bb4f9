"""An assurance case claims what coverage says, argues it through rows, and ends at statements that exist."""

from datetime import date

import pytest
from standards_world import effect, finding, plan, shipped, signed

from aloi.evidence.vouching import Attachment
from aloi.standards.case import assurance_case
from aloi.standards.coverage import cover
from aloi.standards.frameworks import framework, names
from aloi.standards.hub import hub
from aloi.standards.mapping import row_digest

DAY = date(2026, 11, 26)
EVIDENCE = (
    finding("direct-injection", "met"),
    finding("indirect-injection", "not met"),
    finding("jailbreak", "inconclusive"),
    finding("hidden-context-exposure", "met"),
    plan(indirect_injection="0.05", jailbreak="0.05", hidden_context_exposure="0.05"),
    effect(accepted=False),
    signed(Attachment(control="human-oversight", size=3, approved_by="Board", approved_on="2026-11-01")),
)


@pytest.mark.parametrize("key", names())
@pytest.mark.parametrize("evidence", [(), EVIDENCE], ids=["nothing", "something"])
def test_a_case_claims_what_coverage_says_and_no_more(key, evidence):
    found = framework(key)
    case = assurance_case(found, hub(), evidence, today=DAY)
    states = {item.requirement: item.state for item in cover(found, evidence, today=DAY).requirements}
    assert {claim.requirement: claim.state for claim in case.requirements} | {
        name: states[name] for name in case.undeveloped
    } == states
    assert not {claim.requirement for claim in case.requirements} & set(case.undeveloped)
    argued = {argument.row.subject for claim in case.requirements for argument in claim.arguments}
    assert argued == {control.control for control in case.controls}
    assert set(case.cited()) <= {item.digest for item in evidence}
    for control in case.controls:
        through_hazards = {digest for hazard in control.hazards for digest in hazard.evidence}
        assert not control.hazards or through_hazards >= set(control.evidence)
        assert (control.state == "untested") == (not control.evidence)


def test_what_fails_stands_beside_what_holds():
    case = assurance_case(shipped("owasp-llm@2026"), hub(), EVIDENCE, today=DAY)
    control = next(one for one in case.controls if one.control == "prompt-injection")
    assert control.state == "not met"
    verdicts = {hazard.hazard: str(hazard.verdict) for hazard in control.hazards}
    assert verdicts["indirect-injection"] == "not met"
    assert verdicts["jailbreak"] == "inconclusive"


def test_a_row_that_somebody_vouches_for_says_so():
    found = shipped("owasp-llm@2026")
    digest = row_digest(found.pack.key, found.row("prompt-injection", "LLM01:2026"))
    case = assurance_case(found, hub(), EVIDENCE, words={digest: "endorsed"}, today=DAY)
    said = [one.row.subject for claim in case.requirements for one in claim.arguments if one.standing == "endorsed"]
    assert said == ["prompt-injection"]
    assert next(one for one in case.requirements if one.requirement == "LLM01:2026").mapping == "endorsed"


def test_a_row_that_somebody_disputes_says_so():
    found = shipped("owasp-llm@2026")
    digest = row_digest(found.pack.key, found.row("prompt-injection", "LLM01:2026"))
    case = assurance_case(found, hub(), EVIDENCE, words={digest: "disputed"}, today=DAY)
    assert next(one for one in case.requirements if one.requirement == "LLM01:2026").mapping == "disputed"


def test_what_is_no_longer_valid_argues_nothing():
    late = assurance_case(shipped("eu-ai-act@2026-07-27"), hub(), EVIDENCE, today=date(2026, 10, 1))
    oversight = next(one for one in late.controls if one.control == "human-oversight")
    assert (oversight.state, oversight.evidence) == ("untested", ())
