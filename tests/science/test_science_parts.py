"""Languages, attacks and cells of a measured hazard: their sums, their bounds, and what may be said of an open one."""

from decimal import Decimal
from pathlib import Path
from random import Random

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


class TestQuestionsThatComeAgain:
    """A grammar is finite: a confirmation tells the questions that measuring had asked from new ones."""

    async def found(self, tmp_path, asked, again, stage="confirm"):
        async with TrialLog(tmp_path / "trials.jsonl") as log:
            for index, seed in enumerate(asked):
                one = trial(index)
                log.append(replace(one, item=replace(one.item, seed=seed)))
            for index, (seed, outcome) in enumerate(again):
                one = trial(index, arm="secret-filter")
                key = replace(one.key, stage=stage)
                log.append(replace(one, key=key, item=replace(one.item, seed=seed), outcome=outcome))
            measurement = Measurement(PLAN, stage, "secret-filter", None)
            for index in range(len(again)):
                measurement.monitor.update("data-disclosure", "passed" if again[index][1] == Passed() else "failed")
            return finding(PLAN, measurement, stage, "secret-filter", "data-disclosure", log)

    async def test_both_are_told_and_add_up(self, tmp_path):
        again = [("a", Passed()), ("b", Failed()), ("c", Passed()), ("d", Failed()), ("a", Passed())]
        found = await self.found(tmp_path, "aab", again)
        told = {part.name: (part.failures, part.n) for part in found.strata if part.kind == "question"}
        assert told == {"new": (1, 2), "repeated": (1, 3)}
        assert [part.kind for part in found.strata] == ["language", "attack", "question", "question"]
        check_parts(found)

    async def test_nothing_new_and_nothing_again(self, tmp_path):
        (tmp_path / "x").mkdir()
        (tmp_path / "y").mkdir()
        again = [("a", Passed()), ("b", Passed())]
        for folder, asked, name in (("x", "ab", "repeated"), ("y", "c", "new")):
            found = await self.found(tmp_path / folder, asked, again)
            assert [part.name for part in found.strata if part.kind == "question"] == [name]

    async def test_a_measurement_has_no_such_parts(self, tmp_path):
        found = await self.found(tmp_path, (), [("a", Passed())], stage="measure")
        assert {part.kind for part in found.strata} == {"language", "attack"}

    def test_the_interval_of_new_questions_is_one_of_the_questions_that_were_not_asked(self):
        """Twelve questions that always or never fail; what was measured is chosen against, what is new is not."""
        draw, covered, runs = Random(7), 0, 150
        for _ in range(runs):
            fails = [draw.random() < 0.3 for _ in range(12)]
            asked = {draw.randrange(12) for _ in range(8)}
            remedied = [failing and question not in asked for question, failing in enumerate(fails)]
            new = [question for question in range(12) if question not in asked]
            truth = sum(remedied[question] for question in new) / len(new)
            parted = HazardParts(
                PLAN,
                planned(PLAN, "data-disclosure"),
                parting=lambda one, asked=asked: (("question", "repeated" if int(one.item.seed) in asked else "new"),),
            )
            for index in range(120):
                question, one = draw.randrange(12), trial(index)
                outcome = Failed() if remedied[question] else Passed()
                parted.add(replace(one, item=replace(one.item, seed=str(question)), outcome=outcome))
            (estimate,) = [part.estimate for part in parted.strata(0.9) if part.name == "new"]
            covered += float(estimate.low) <= truth <= float(estimate.high)
        assert covered >= 0.9 * runs


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


@pytest.mark.parametrize("early", ["failures", "passes"])
def test_a_difference_is_never_surer_than_its_parts_however_their_paths_drifted(early):
    """All failures of a language first or last: its running bounds may leave its own mean out, at one level only."""
    for fails in range(1, 16):
        drifted = parts()
        order = [Failed()] * fails + [Passed()] * 25
        for index in range(25):
            drifted.add(told(Passed() if index else Failed(), index=index))
        for outcome in order if early == "failures" else order[::-1]:
            drifted.add(told(outcome, language="fr"))
        one, other = [each.estimate for each in drifted.strata(0.9) if each.kind == "language"]
        (difference,) = [each.difference for each in drifted.contrasts(0.9)]
        assert difference.low <= one.low - other.high
        assert difference.high >= one.high - other.low
        assert difference.value == one.value - other.value


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
