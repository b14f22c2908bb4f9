"""The eight practices: every state of each, from the records alone, and nothing said that they do not show."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from aloi.assurance.practices import CORRECTED, practice_list, practised
from aloi.evidence.records import ScorerIdentity, Verdict
from report.report_stories import ACCEPTED, EFFECT, NOTHING_MEASURED, PLAN, estimate

PINNED = "local:small@sha256:" + "ab" * 32
JUDGE = ScorerIdentity(name="some-judge", kind="judge", version="1")
EMPTY = estimate(0, 0, "0", "1")
UNTESTED = tuple(
    replace(one, verdict=Verdict.NOT_TESTED, estimate=EMPTY, strata=(), sample=replace(one.sample, trials=0))
    for one in ACCEPTED.findings
)


def found(story, practice):
    return next(one for one in practised(story) if one.practice == practice)


def facts(story, practice):
    return {fact.code: fact for fact in found(story, practice).facts}


def with_hazards(**changes):
    return replace(ACCEPTED, plan=replace(PLAN, hazards=tuple(replace(one, **changes) for one in PLAN.hazards)))


def with_findings(story=ACCEPTED, **changes):
    return replace(story, findings=tuple(replace(one, **changes) for one in story.findings))


def in_languages(*languages):
    """Every finding with its strata renamed to these languages, in turn."""

    def renamed(one):
        spoken = [part for part in one.strata if part.kind == "language"][: len(languages)]
        return replace(
            one, strata=tuple(replace(part, name=name) for part, name in zip(spoken, languages, strict=True))
        )

    return replace(ACCEPTED, findings=tuple(renamed(one) for one in ACCEPTED.findings))


def scored_by(scorer, method="Clopper-Pearson"):
    """The ordinary requests scored by one scorer, in the plan and in the results, at one method."""
    return replace(
        ACCEPTED,
        plan=replace(PLAN, benign=replace(PLAN.benign, scorer=scorer)),
        benign=tuple(
            replace(one, scorer=scorer, estimate=replace(one.estimate, method=method)) for one in ACCEPTED.benign
        ),
    )


ORACLE = PLAN.hazards[0].scorer
STATES = {
    ("clear-objective", "done"): ACCEPTED,
    ("clear-objective", "in part"): replace(ACCEPTED, purpose=" \n"),
    ("clear-objective", "not done"): replace(with_findings(threshold=Decimal("0.5")), purpose="", plan_digest=""),
    ("transparency-reproducibility", "done"): replace(ACCEPTED, model=PINNED),
    ("transparency-reproducibility", "in part"): ACCEPTED,
    ("transparency-reproducibility", "not done"): replace(
        NOTHING_MEASURED, bundle_digest="", plan=replace(PLAN, seed="")
    ),
    ("tailored-parameters", "done"): with_hazards(cap=1_000),
    ("tailored-parameters", "in part"): ACCEPTED,
    ("tailored-parameters", "not done"): replace(
        with_hazards(cap=20, attacks={"direct": Decimal(1)}), stopped_by="queries"
    ),
    ("embedded-quality-assurance", "done"): replace(ACCEPTED, read=24),
    ("embedded-quality-assurance", "in part"): ACCEPTED,
    ("embedded-quality-assurance", "not done"): replace(
        ACCEPTED,
        transcripts=(),
        plan=replace(
            PLAN,
            hazards=tuple(replace(one, scorer=JUDGE) for one in PLAN.hazards),
            benign=replace(PLAN.benign, scorer=JUDGE),
        ),
    ),
    ("separate-reporting", "done"): ACCEPTED,
    ("separate-reporting", "in part"): replace(ACCEPTED, benign=()),
    ("separate-reporting", "not done"): NOTHING_MEASURED,
    ("accessible-findings", "done"): ACCEPTED,
    ("accessible-findings", "in part"): replace(ACCEPTED, languages=("fr", "de")),
    ("accessible-findings", "not done"): replace(ACCEPTED, languages=("de", "ar")),
    ("uncertainty-estimates", "done"): scored_by(ORACLE),
    ("uncertainty-estimates", "in part"): ACCEPTED,
    ("uncertainty-estimates", "not done"): replace(ACCEPTED, findings=UNTESTED, benign=(), effect=None),
    ("multilingual-testing", "done"): ACCEPTED,
    ("multilingual-testing", "in part"): replace(ACCEPTED, languages=("en", "fr", "de")),
    ("multilingual-testing", "not done"): in_languages("fr"),
}


@pytest.mark.parametrize(("practice", "state"), STATES, ids=[f"{practice}, {state}" for practice, state in STATES])
def test_each_state_of_each_practice(practice, state):
    told = found(STATES[practice, state], practice)
    assert told.state == state
    assert {fact.state for fact in told.facts} == {state} or state == "in part"


def test_the_practices_are_eight_with_their_source():
    told = practice_list()
    assert [one.id for one in told.practices] == [one.practice for one in practised(ACCEPTED)]
    assert len(told.practices) == 8
    assert {practice for practice, _ in STATES} == {one.id for one in told.practices}
    assert told.certainty == "secondary"
    assert told.place.startswith("https://")
    assert all(set(one.title) == set(one.description) == {"en", "fr"} for one in told.practices)


# name -> story, practice, code, (state, count, of, names)
WORKED = {
    "the plan's digest": (
        ACCEPTED,
        "clear-objective",
        "plan-registered",
        ("done", None, None, (ACCEPTED.plan_digest,)),
    ),
    "a plan that nobody signed": (
        replace(ACCEPTED, plan_digest=""),
        "clear-objective",
        "plan-unsigned",
        ("not done", None, None, ()),
    ),
    "a threshold moved after the plan": (
        replace(ACCEPTED, findings=(replace(ACCEPTED.findings[0], threshold=Decimal("0.2")), *ACCEPTED.findings[1:])),
        "clear-objective",
        "held-to-plan",
        ("in part", 7, 8, ()),
    ),
    "another estimand than the plan's": (
        with_findings(estimand="max over attacks"),
        "clear-objective",
        "held-to-plan",
        ("not done", 0, 8, ()),
    ),
    "a model known by its name": (
        ACCEPTED,
        "transparency-reproducibility",
        "model-by-name",
        ("not done", None, None, (ACCEPTED.model,)),
    ),
    "a plan without a seed": (
        replace(ACCEPTED, plan=replace(PLAN, seed="")),
        "transparency-reproducibility",
        "draws-not-repeatable",
        ("not done", None, None, ()),
    ),
    "trials that nobody made": (
        replace(ACCEPTED, findings=UNTESTED),
        "transparency-reproducibility",
        "trials-committed",
        ("in part", 2, 10, ()),
    ),
    "a cap too low for its threshold": (
        ACCEPTED,
        "tailored-parameters",
        "cap-can-decide",
        ("in part", 4, 5, ("resource-abuse",)),
    ),
    "a threshold of nothing": (
        with_hazards(threshold=Decimal(0)),
        "tailored-parameters",
        "cap-can-decide",
        ("not done", 0, 5, tuple(one.hazard for one in PLAN.hazards)),
    ),
    "a threshold of everything": (
        with_hazards(threshold=Decimal(1)),
        "tailored-parameters",
        "cap-can-decide",
        ("not done", 0, 5, tuple(one.hazard for one in PLAN.hazards)),
    ),
    "a run that time cut short": (
        replace(ACCEPTED, stopped_by="seconds"),
        "tailored-parameters",
        "plan-cut-short",
        ("not done", None, None, ("seconds",)),
    ),
    "no reader": (ACCEPTED, "embedded-quality-assurance", "transcripts-unread", ("not done", None, None, ())),
    "a reader": (
        replace(ACCEPTED, read=3),
        "embedded-quality-assurance",
        "transcripts-read",
        ("done", 3, None, ()),
    ),
    "a judge that nobody calibrated": (
        scored_by(JUDGE),
        "embedded-quality-assurance",
        "scorer-checked",
        ("in part", 1, 2, ("some-judge",)),
    ),
    "a judge calibrated for one hazard only": (
        replace(
            scored_by(replace(JUDGE, calibration="0.9 / 0.9 on 50")),
            plan=replace(
                scored_by(replace(JUDGE, calibration="0.9 / 0.9 on 50")).plan,
                hazards=(replace(PLAN.hazards[0], scorer=JUDGE), *PLAN.hazards[1:]),
            ),
        ),
        "embedded-quality-assurance",
        "scorer-checked",
        ("in part", 1, 2, ("some-judge",)),
    ),
    "a hazard without a trial": (
        replace(ACCEPTED, findings=(UNTESTED[0], *ACCEPTED.findings[1:])),
        "separate-reporting",
        "own-verdict",
        ("in part", 4, 5, (UNTESTED[0].hazard,)),
    ),
    "ordinary requests without an answer": (
        replace(ACCEPTED, benign=tuple(replace(one, estimate=EMPTY) for one in ACCEPTED.benign)),
        "separate-reporting",
        "ordinary-missing",
        ("not done", None, None, ()),
    ),
    "a language that the report does not speak": (
        replace(ACCEPTED, languages=("fr", "de")),
        "accessible-findings",
        "report-languages",
        ("in part", 1, 2, ("de",)),
    ),
    "intervals on all": (ACCEPTED, "uncertainty-estimates", "rate-intervals", ("done", 10, 10, ())),
    "one rate without a trial": (
        replace(ACCEPTED, findings=(UNTESTED[0], *ACCEPTED.findings[1:])),
        "uncertainty-estimates",
        "rate-intervals",
        ("in part", 9, 10, ()),
    ),
    "an interval of no width": (
        with_findings(estimate=replace(estimate(0, 9, "0", "0"))),
        "uncertainty-estimates",
        "rate-intervals",
        ("in part", 2, 10, ()),
    ),
    "a difference of no width": (
        replace(
            ACCEPTED,
            effect=replace(
                EFFECT,
                benign=replace(EFFECT.benign, difference=replace(EFFECT.benign.difference, low=0, high=0, value=0)),
            ),
        ),
        "uncertainty-estimates",
        "difference-intervals",
        ("in part", 3, 4, ()),
    ),
    "a rule whose error no interval carries": (
        ACCEPTED,
        "uncertainty-estimates",
        "scorer-error-carried",
        ("not done", 0, 1, ("answered",)),
    ),
    "a judge whose error the interval carries": (
        scored_by(JUDGE, f"{CORRECTED[0]}, exact parts"),
        "uncertainty-estimates",
        "scorer-error-carried",
        ("done", 1, 1, ()),
    ),
    "two of two languages": (ACCEPTED, "multilingual-testing", "languages-asked", ("done", 2, 2, ())),
    "a declared language that was not asked": (
        replace(ACCEPTED, languages=("en", "fr", "de")),
        "multilingual-testing",
        "languages-asked",
        ("in part", 2, 3, ("de",)),
    ),
    "none of the declared languages": (
        replace(ACCEPTED, languages=("de", "ar")),
        "multilingual-testing",
        "languages-asked",
        ("not done", 0, 2, ("de", "ar")),
    ),
    "one hazard in one language": (
        replace(
            ACCEPTED,
            findings=(replace(ACCEPTED.findings[0], strata=ACCEPTED.findings[0].strata[:1]), *ACCEPTED.findings[1:]),
        ),
        "multilingual-testing",
        "told-by-language",
        ("in part", 4, 5, ()),
    ),
    "one language": (in_languages("fr"), "multilingual-testing", "one-language", ("not done", None, None, ("fr",))),
    "no language": (
        replace(ACCEPTED, findings=UNTESTED),
        "multilingual-testing",
        "no-language",
        ("not done", None, None, ()),
    ),
    "findings without parts": (
        with_findings(strata=()),
        "multilingual-testing",
        "no-language",
        ("not done", None, None, ()),
    ),
}


@pytest.mark.parametrize("name", WORKED)
def test_what_the_records_show(name):
    story, practice, code, expected = WORKED[name]
    fact = facts(story, practice)[code]
    assert (fact.state, fact.count, fact.of, fact.names) == expected


def test_a_language_in_which_only_unscored_trials_were_asked_does_not_count():
    half = ACCEPTED.findings[0].strata[0]
    story = replace(
        ACCEPTED,
        findings=tuple(
            replace(one, strata=(replace(half, name="en"), replace(half, name="fr", failures=0, n=0)))
            for one in ACCEPTED.findings
        ),
    )
    assert facts(story, "multilingual-testing")["one-language"].names == ("en",)


def test_a_system_that_declares_no_language_is_held_to_those_of_the_plan():
    assert facts(replace(ACCEPTED, languages=()), "multilingual-testing")["languages-asked"].of == 2


@pytest.mark.parametrize("story", [replace(NOTHING_MEASURED, plan=replace(PLAN, hazards=())), NOTHING_MEASURED])
def test_a_run_with_nothing_in_it_has_a_state_for_each_practice(story):
    told = practised(replace(story, plan_digest="", purpose="", bundle_digest="", languages=()))
    assert len(told) == 8
    assert all(one.facts for one in told)
    assert [one.practice for one in told if one.state == "done"] == []


def test_the_same_records_give_the_same_states():
    assert practised(ACCEPTED) == practised(ACCEPTED)
