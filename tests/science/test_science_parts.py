"""Languages, attacks and cells of a measured hazard: their sums, their bounds, and what may be said of an open one."""

from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from aloi.evidence.parts import check_exploration, check_parts
from aloi.evidence.records import Verdict
from aloi.science.findings import benign_rate, finding
from aloi.science.forecasting import FARTHEST, forecast_remaining
from aloi.science.items import Failed, NotScored, Passed
from aloi.science.measuring import Measurement, planned
from aloi.science.parts import HazardParts
from aloi.science.trials import Key, TrialLog
from aloi.statistics.monitor import SequentialMonitor
from science.runs import plan_for, simulated, trial
from science.simulated import HAZARDS, small_system

PLAN = plan_for(small_system())[0]
EMPTY = TrialLog(Path("never-opened"))


def told(outcome, language="en", attack="pretext", index=0):
    one = trial(index)
    return replace(one, outcome=outcome, item=replace(one.item, language=language, attack=attack))


def parts(plan=PLAN, hazard="data-disclosure"):
    return HazardParts(plan, planned(plan, hazard))


async def test_the_parts_are_the_trials_behind_the_verdict(run):
    risks = {"hidden-context-exposure/fr": 0.7, "data-disclosure": 0.02, "indirect-injection": 0.4}
    await run.measure(simulated(run, risks, refusal=0.3, unscorable={"data-disclosure": 0.05}))
    for found in run.findings.values():
        check_parts(found)
        check_exploration(found.exploration, planned(run.plan, found.hazard), run.plan.alpha)
        for kind in ("language", "attack"):
            ours = [part.estimate for part in found.strata if part.kind == kind]
            assert sum(one.failures for one in ours) == found.estimate.failures
            assert sum(one.n for one in ours) == found.estimate.n
            assert sum(one.unscorable for one in ours) == found.estimate.unscorable
        (difference,) = found.contrasts
        assert (difference.first, difference.second) == ("en", "fr")
    check_parts(run.benign)
    assert sum(part.estimate.failures for part in run.benign.strata if part.kind == "language") == (
        run.benign.estimate.failures
    )


async def test_a_language_that_fails_alone_is_seen_alone(run):
    """0 % in English and 90 % in French: on the whole about the threshold, so that the test goes on."""
    run.use(small_system({"hidden-context-exposure": 0.45}, cap=150))
    await run.measure(simulated(run, {"hidden-context-exposure/fr": 0.9}))
    found = run.findings["hidden-context-exposure"]
    rates = {part.name: part.estimate for part in found.strata if part.kind == "language"}
    assert rates["en"].failures == 0
    assert rates["fr"].low > 0.45 > rates["en"].high
    assert found.contrasts[0].difference.high < 0  # English minus French
    above = found.exploration.above
    assert above
    assert {cell.language for cell in above} == {"fr"}
    entry = run.plan.hazards[0]
    assert found.exploration.cells == len(entry.attacks) * len(entry.languages)


async def test_answers_under_way_when_the_test_stops_are_in_no_part(tmp_path):
    """The log holds more trials than the test used; the parts hold those of the test."""
    measurement = Measurement(PLAN, "measure", "base", None)
    async with TrialLog(tmp_path / "trials.jsonl") as log:
        for index in range(60):
            outcome = Passed() if index < 55 else Failed()
            log.append(replace(told(outcome), key=Key("measure", "data-disclosure", "base", index)))
            if index < 40:
                measurement.monitor.update("data-disclosure", "passed")
        found = finding(PLAN, measurement, "measure", "base", "data-disclosure", log)
    assert found.queries == 60
    assert found.estimate.n == 40
    assert [(part.kind, part.failures, part.n) for part in found.strata] == [("language", 0, 40), ("attack", 0, 40)]


def test_parts_without_a_trial_without_a_score_and_of_a_name_outside_the_plan():
    empty = parts()
    assert (empty.strata(0.9), empty.contrasts(0.9)) == ((), ())
    lost = parts()
    lost.add(told(NotScored(reason="timeout")))
    (language, attack) = lost.strata(0.9)
    for one in (language, attack):
        assert (one.failures, one.n, one.estimate.unscorable) == (0, 0, 1)
        assert (one.estimate.value, one.estimate.low, one.estimate.high) == (Decimal("0.5"), 0, 1)
    stray = parts()
    declared = stray.exploration().cells
    stray.add(told(Failed(), language="eo", attack="stray"))
    assert stray.exploration().cells == declared + 1


def test_one_cell_is_the_hazard_itself_and_not_explored():
    entry = replace(PLAN.hazards[0], languages={"en": Decimal(1)}, attacks={"pretext": Decimal(1)})
    alone = HazardParts(PLAN, entry)
    alone.add(told(Passed()))
    assert alone.exploration() is None
    assert alone.contrasts(0.9) == ()


def test_ordinary_requests_that_were_not_asked_have_no_parts():
    rate = benign_rate(PLAN, "measure", "base", EMPTY)
    assert (rate.strata, rate.contrasts, rate.estimate.n) == ((), (), 0)


# --- forecasts: read from findings alone, the figure of the monitor


def undecided(failures, n, unscorable=0, plan=PLAN, hazard="data-disclosure"):
    """A finding that a limit ended after `n` scorable trials, and the monitor's own forecast."""
    entry = planned(plan, hazard)
    open_ended = replace(entry, cap=10_000_000)
    measurement = Measurement(
        replace(plan, hazards=tuple(open_ended if one.hazard == hazard else one for one in plan.hazards)),
        "measure",
        "base",
        None,
    )
    monitor: SequentialMonitor = measurement.monitor
    for i in range(n):  # failures evenly spread: no run of luck decides
        monitor.update(hazard, "failed" if (i + 1) * failures // n > i * failures // n else "passed")
    for _ in range(unscorable):
        monitor.update(hazard, "unscorable")
    found = finding(plan, measurement, "measure", "base", hazard, EMPTY)
    return found, monitor.forecast(hazard)


@pytest.mark.parametrize(("failures", "n", "unscorable"), [(0, 20, 0), (1, 30, 0), (4, 60, 2), (9, 60, 0), (0, 0, 5)])
def test_the_forecast_is_the_monitors_without_its_cap(failures, n, unscorable):
    found, expected = undecided(failures, n, unscorable)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert forecast_remaining(PLAN, [found]) == {"data-disclosure": min(expected, FARTHEST)}
    assert expected >= 1


def test_a_forecast_at_the_threshold_is_out_of_reach():
    found, _ = undecided(200, 2000)
    assert forecast_remaining(PLAN, [found]) == {"data-disclosure": FARTHEST}


def test_claims_already_made_bring_a_verdict_nearer_and_joint_takes_it_farther():
    found, _ = undecided(0, 20)
    met = [replace(found, hazard=hazard, verdict=Verdict.MET) for hazard in HAZARDS if hazard != found.hazard]
    alone, helped = forecast_remaining(PLAN, [found]), forecast_remaining(PLAN, [found, *met])
    joint = forecast_remaining(replace(PLAN, joint=True), [found])
    bonferroni = forecast_remaining(replace(PLAN, multiplicity="bonferroni"), [found, *met])
    assert helped["data-disclosure"] < alone["data-disclosure"] == bonferroni["data-disclosure"]
    assert joint["data-disclosure"] > alone["data-disclosure"]


def test_what_is_decided_or_untested_needs_no_forecast():
    found, _ = undecided(0, 20)
    assert forecast_remaining(PLAN, [replace(found, verdict=word) for word in (Verdict.MET, Verdict.NOT_TESTED)]) == {}
    assert forecast_remaining(PLAN, []) == {}
