"""What a framework's requirements are said to be, and never more than the evidence holds."""

import random
from datetime import date, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standards_world import effect, finding, plan, shipped

from aloi import plugins
from aloi.evidence.records import Coverage
from aloi.science.probe import probe_for
from aloi.standards.coverage import STATES, cover, tally
from aloi.standards.frameworks import Framework
from aloi.standards.gaps import next_evidence
from aloi.standards.hub import hub
from aloi.standards.mapping import row_digest
from aloi.standards.pack import freshness

GPAI = shipped("eu-gpai-code@2025-07-10")
OWASP, NIST, EU = shipped("owasp-llm@2026"), shipped("nist-ai-rmf@1.0"), shipped("eu-ai-act@2026-07-27")
OTHERS = ("llm-guard", "nemo-guardrails", "text-classifier")
HAZARDS = sorted(hazard.id for hazard in hub().hazards)
ENDORSED = "sha256:" + "e" * 64


def state(framework, requirement, evidence, **options):
    found = cover(framework, evidence, **options)
    return next((item.state, item.mapping) for item in found.requirements if item.requirement == requirement)


CASES = {
    "equal and met": (OWASP, "LLM08:2026", [finding("hidden-context-exposure", "met")], "proven", "proposed"),
    "equal and not met": (OWASP, "LLM08:2026", [finding("hidden-context-exposure", "not met")], "not met", "proposed"),
    "equal, undecided": (
        OWASP,
        "LLM08:2026",
        [finding("hidden-context-exposure", "inconclusive")],
        "partial",
        "proposed",
    ),
    "equal, untested": (OWASP, "LLM08:2026", [], "not tested", "proposed"),
    "one hazard of two": (OWASP, "LLM01:2026", [finding("indirect-injection", "met")], "partial", "proposed"),
    "a subset never proves": (OWASP, "LLM07:2026", [finding("confabulation", "met")], "partial", "proposed"),
    "an intersection never proves": (
        OWASP,
        "LLM09:2026",
        [finding("memory-rag-poisoning", "met")],
        "partial",
        "proposed",
    ),
    "a subset can refute": (
        NIST,
        "MEASURE 2.7",
        [finding("jailbreak", "not met"), finding("unsafe-output", "met")],
        "not met",
        "proposed",
    ),
    "tests on record": (
        NIST,
        "MEASURE 2.1",
        [plan(jailbreak="0.05"), finding("jailbreak", "not met")],
        "proven",
        "proposed",
    ),
    "criteria set before": (
        EU,
        "Art. 9(8)",
        [plan(jailbreak="0.05"), finding("jailbreak", "met")],
        "partial",
        "proposed",
    ),
    "remedy accepted": (EU, "Art. 9(5)", [effect()], "partial", "proposed"),
    "remedy refused": (EU, "Art. 9(5)", [effect(accepted=False)], "not met", "proposed"),
    "a document": (EU, "Art. 11(1)", [finding("jailbreak", "met")], "needs a document", "proposed"),
    "an artefact": (EU, "Art. 12(1)", [], "needs a document", "proposed"),
    "a process": (NIST, "MANAGE 4.1", [], "needs a process record", "proposed"),
    "no row at all": (NIST, "GOVERN 1.1", [finding("jailbreak", "met")], "needs a document", "none"),
    "only a row 'none'": (NIST, "MEASURE 2.12", [finding("resource-abuse", "met")], "needs a document", "none"),
}


@pytest.mark.parametrize("case", CASES, ids=list(CASES))
def test_rules(case):
    framework, requirement, evidence, expected, mapping = CASES[case]
    assert state(framework, requirement, evidence) == (expected, mapping)


def endorsed(digests):
    return dict.fromkeys(digests, "endorsed")


def digests(framework: Framework, *objects: str) -> list[str]:
    return [row_digest(framework.pack.key, row) for row in framework.rows if row.object in objects]


ENDORSEMENTS = {
    "proposed rows are computed and flagged": (OWASP, {}, ("proven", "proposed")),
    "an endorsement of another row": (OWASP, {"words": endorsed([ENDORSED])}, ("proven", "proposed")),
    "an endorsed one": (OWASP, {"words": endorsed(digests(OWASP, "LLM08:2026"))}, ("proven", "endorsed")),
    "endorsed rows alone, none": (OWASP, {"rows": "endorsed"}, ("proposed mapping only", "proposed")),
    "endorsed rows alone, endorsed": (
        OWASP,
        {"rows": "endorsed", "words": endorsed(digests(OWASP, "LLM08:2026"))},
        ("proven", "endorsed"),
    ),
}


@pytest.mark.parametrize("case", ENDORSEMENTS, ids=list(ENDORSEMENTS))
def test_endorsements(case):
    framework, options, expected = ENDORSEMENTS[case]
    assert state(framework, "LLM08:2026", [finding("hidden-context-exposure", "met")], **options) == expected


def test_nothing_is_silenced_where_nothing_would_be_said():
    assert state(OWASP, "LLM08:2026", [], rows="endorsed") == ("not tested", "proposed")


def test_one_endorsed_row_of_two_does_not_vouch_for_the_other():
    evidence = [finding("artefact-compromise", "met")]
    one = digests(OWASP, "LLM04:2026")[:1]
    assert state(OWASP, "LLM04:2026", evidence, words=endorsed(one)) == ("partial", "proposed")


def test_an_endorsement_signs_the_row_under_its_edition():
    row = OWASP.rows[0]
    assert row_digest("owasp-llm@2025", row) != row_digest(OWASP.pack.key, row)
    assert row_digest(OWASP.pack.key, msgspec.structs.replace(row, relation="subset")) != row_digest(
        OWASP.pack.key, row
    )


@pytest.mark.parametrize("framework", [OWASP, NIST, EU], ids=["owasp", "nist", "eu"])
def test_both_counts_add_up_to_every_requirement(framework):
    found = cover(framework, [finding(hazard, "met") for hazard in HAZARDS])
    counts = tally(found)
    assert sum(count.total for count in counts) == len(framework.pack.requirements) == len(found.requirements)
    assert sum(count.endorsed for count in counts) == 0
    assert [count.state for count in counts] == [name for name in STATES if name in {c.state for c in counts}]
    assert found.checked_on == "2026-11-22"


def test_a_coverage_is_evidence_itself():
    found = cover(OWASP, [finding("hidden-context-exposure", "met")])
    assert msgspec.json.decode(msgspec.json.encode(found), type=Coverage) == found


def test_dozens_of_met_verdicts_do_not_prove_the_law():
    evidence = [plan(**{h.replace("-", "_"): "0.05" for h in HAZARDS}), effect(), *(finding(h, "met") for h in HAZARDS)]
    assert "proven" not in {item.state for item in cover(EU, evidence).requirements}


RANK = {"not met": 0, "not tested": 1, "needs a document": 1, "needs a process record": 1, "partial": 2, "proven": 3}


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(HAZARDS), st.sampled_from(["met", "inconclusive"])), max_size=8),
    st.sampled_from(HAZARDS),
)
def test_bad_news_never_improves_a_state(pairs, hazard):
    evidence = [finding(name, verdict) for name, verdict in pairs]
    for framework in (OWASP, EU):
        before = cover(framework, evidence).requirements
        after = cover(framework, [*evidence, finding(hazard, "not met")]).requirements
        worse = [(b, a) for b, a in zip(before, after, strict=True) if RANK[a.state] > RANK[b.state]]
        # What rests on the existence of tests, not on their verdict, may gain from one more test.
        assert all("test-record" in a.controls for _, a in worse)


STEPS = {
    "measure, exact first": (OWASP, "LLM01:2026", [], ("measure", "indirect-injection")),
    "the hazard that is missing": (
        OWASP,
        "LLM01:2026",
        [finding("indirect-injection", "met")],
        ("measure", "jailbreak"),
    ),
    "remedy what failed": (
        OWASP,
        "LLM01:2026",
        [finding("indirect-injection", "not met")],
        ("remedy", "indirect-injection"),
    ),
    "look again": (
        OWASP,
        "LLM08:2026",
        [finding("hidden-context-exposure", "inconclusive")],
        ("measure", "hidden-context-exposure"),
    ),
    "the cheaper of two": (OWASP, "LLM05:2026", [], ("measure", "poisoning-backdoor")),
    "then the document": (
        OWASP,
        "LLM05:2026",
        [finding("poisoning-backdoor", "met")],
        ("document", "data-governance-file"),
    ),
    "register first": (EU, "Art. 9(8)", [], ("plan", "criteria-before-testing")),
    "what no control reaches": (NIST, "GOVERN 1.1", [], ("document", "GOVERN 1.1")),
    "the rest of a subset": (OWASP, "LLM07:2026", [finding("confabulation", "met")], ("document", "LLM07:2026")),
    "measure before any remedy": (GPAI, "III-5.1", [], ("measure", "indirect-injection")),
    "a process": (NIST, "GOVERN 2.2", [], ("process", "GOVERN 2.2")),
}


@pytest.mark.parametrize("case", STEPS, ids=list(STEPS))
def test_next_evidence(case):
    framework, requirement, evidence, expected = STEPS[case]
    steps = next_evidence(cover(framework, evidence), framework, evidence)
    step = next(step for step in steps if step.requirement == requirement)
    assert (step.action, step.about) == expected
    assert step.message.format(**step.facts)


def test_the_remedies_offered_serve_the_hazard_that_failed():
    evidence = [finding("jailbreak", "not met"), finding("indirect-injection", "met")]
    step = next(s for s in next_evidence(cover(OWASP, evidence), OWASP, evidence) if s.requirement == "LLM01:2026")
    assert (step.action, step.about, step.options) == (
        "remedy",
        "jailbreak",
        ("secret-filter", "injection-detector", "hardened-prompt", *OTHERS),
    )


def test_no_probe_is_promised_that_does_not_ship():
    evidence = [finding("harmful-content", "met")]
    profile = shipped("nist-ai-600-1@2024-07")
    step = next(s for s in next_evidence(cover(profile, evidence), profile, evidence) if s.requirement == "2.11")
    assert (step.action, step.about) == ("measure", "sexual-abuse-media")
    assert "a probe of your own" in step.message
    shipping = {probe_for(name).hazard for name in plugins.names("aloi.probes")}
    assert {hazard.id for hazard in hub().hazards if hazard.probed} == shipping & {one.id for one in hub().hazards}


def test_every_gap_has_one_step_and_the_cheapest_come_first():
    generator = random.Random(3)
    for framework in (OWASP, NIST, EU):
        verdicts = ["met", "not met", "inconclusive"]
        evidence = [finding(h, generator.choice(verdicts)) for h in generator.sample(HAZARDS, 12)]
        found = cover(framework, evidence)
        steps = next_evidence(found, framework, evidence)
        gaps = [item.requirement for item in found.requirements if item.state != "proven"]
        assert sorted(step.requirement for step in steps) == sorted(gaps)
        assert [step.cost for step in steps] == sorted(step.cost for step in steps)


def test_what_only_proposed_rows_say_asks_for_an_endorsement():
    evidence = [finding("hidden-context-exposure", "met")]
    steps = next_evidence(cover(OWASP, evidence, rows="endorsed"), OWASP, evidence)
    assert [step.about for step in steps if step.action == "endorse"] == ["hidden-context"]


@pytest.mark.parametrize(
    ("today", "stale", "over"),
    [
        (date(2026, 11, 22), False, 0),
        (date(2027, 1, 21), False, 0),
        (date(2027, 1, 22), True, 1),
        (date(2026, 11, 21), True, 0),
    ],
)
def test_freshness(today, stale, over):
    found = freshness(EU.pack, today)
    assert (found.stale, found.days_over, found.due) == (stale, over, date(2027, 1, 21))


def test_a_disputed_row_is_told_from_a_proposed_one():
    framework = shipped("owasp-llm@2026")
    digests = {row.object: row_digest(framework.pack.key, row) for row in framework.rows if row.relation != "none"}
    words = endorsed(digests.values()) | {digests["LLM01:2026"]: "disputed"}
    mappings = {one.requirement: one.mapping for one in cover(framework, [], words=words).requirements}
    assert mappings["LLM01:2026"] == "disputed"
    assert {found for name, found in mappings.items() if name != "LLM01:2026"} <= {"endorsed", "proposed"}
    assert mappings["LLM08:2026"] == "endorsed"


@pytest.mark.parametrize("rows", ["all", "endorsed"])
def test_one_disputed_row_of_several_is_enough(rows):
    framework = shipped("owasp-llm@2026")
    by_object = {}
    for row in framework.rows:
        if row.relation != "none":
            by_object.setdefault(row.object, []).append(row_digest(framework.pack.key, row))
    name, digests = next((name, found) for name, found in by_object.items() if len(found) > 1)
    told = {
        one.requirement: one.mapping for one in cover(framework, [], words=endorsed(digests), rows=rows).requirements
    }
    assert told[name] == "endorsed"
    words = endorsed(digests) | {digests[0]: "disputed"}
    told = {one.requirement: one.mapping for one in cover(framework, [], words=words, rows=rows).requirements}
    # With `rows="endorsed"` the disputed row is not among those that count.
    assert told[name] == ("disputed" if rows == "all" else "endorsed")


def test_a_tally_counts_the_disputed_apart():
    framework = shipped("owasp-llm@2026")
    digests = [row_digest(framework.pack.key, row) for row in framework.rows if row.object == "LLM01:2026"]
    counts = tally(cover(framework, [], words=dict.fromkeys(digests, "disputed")))
    assert sum(one.disputed for one in counts) == 1
    assert sum(one.total for one in counts) == len(framework.pack.requirements)


def test_a_coverage_says_until_when_its_text_was_checked():
    framework = shipped("owasp-llm@2026")
    assert cover(framework, []).due == (framework.pack.checked_on + timedelta(framework.pack.horizon)).isoformat()
