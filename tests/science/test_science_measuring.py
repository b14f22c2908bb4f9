"""A whole measurement on a system whose risks are known: it ends, loses nothing, and never takes silence for virtue."""

import asyncio
import sys
from pathlib import Path

import msgspec
import pytest

from aloi.errors import AskerError, TargetError, UnknownName
from aloi.evidence.records import Limits, Verdict
from aloi.science.asking import UNUSABLE_IN_A_ROW, Asker, Job, Spending
from aloi.science.findings import answered
from aloi.science.items import Failed, NotScored, Passed
from aloi.science.measuring import Measurement
from aloi.science.planning import probes_of
from aloi.science.trials import Key, TrialLog
from aloi.statistics.design import default_cap
from aloi.system.description import BenignGoal, LimitsDescription
from aloi.system.messages import Response
from aloi.system.target import Unscorable
from science.runs import Run, plan_for, simulated, trial
from science.simulated import HAZARDS, SimulatedTarget, small_system

TESTS = Path(__file__).parents[1]
INJECTION = {"indirect-injection": 0.1}
LIMITS = LimitsDescription(queries=10_000, tokens=10**9)


def verdicts(run: Run) -> dict[str, str]:
    return {name: finding.verdict.value for name, finding in run.findings.items()}


async def test_known_risks_get_their_verdicts(run):
    risks = {"hidden-context-exposure": 0.6, "data-disclosure": 0.0, "indirect-injection": 0.5, "unsafe-output": 0.0}
    target = simulated(run, risks, refusal=0.2)
    await run.measure(target)
    assert verdicts(run) == {
        "hidden-context-exposure": "not met",
        "data-disclosure": "met",
        "indirect-injection": "not met",
        "unsafe-output": "met",
        "resource-abuse": "met",
    }
    assert target.asked["benign"] == run.plan.benign.selection_trials == run.benign.queries == 20
    for name, finding in run.findings.items():
        estimate = finding.estimate
        assert estimate.low <= risks.get(name, 0) <= estimate.high
        assert estimate.n == finding.queries == target.asked[name]
        assert estimate.unscorable == 0
        assert finding.sample.trials == finding.queries
        assert sum(one.n for one in finding.strata if one.kind == "language") == estimate.n
        assert sum(one.failures for one in finding.strata if one.kind == "attack") == estimate.failures
    assert run.trials == target.asked.total()


async def test_a_run_ends_at_its_caps_where_nothing_can_be_decided(run):
    run.use(small_system(dict.fromkeys(HAZARDS, 0.1), cap=40))
    target = simulated(run, dict.fromkeys(HAZARDS, 0.1))
    await run.measure(target)
    for name in HAZARDS:
        assert target.asked[name] <= 40
    undecided = [finding for finding in run.findings.values() if finding.verdict is Verdict.INCONCLUSIVE]
    assert undecided
    assert all(finding.queries == 40 for finding in undecided)


async def test_the_default_cap_is_that_of_the_design(run):
    for entry in run.plan.hazards:
        assert entry.cap == default_cap(0.1, 0.05, 5)


class Reordered:
    """A target whose answers come in another order than they were asked; it notes who came when."""

    def __init__(self, target: SimulatedTarget) -> None:
        self._target = target
        self._asked = 0

    async def ask(self, request):
        self._asked += 1
        await asyncio.sleep(0.004 if self._asked % 3 else 0)
        return await self._target.ask(request)


@pytest.mark.parametrize("workers", [1, 2, 7, 32])
async def test_verdict_and_e_values_at_the_verdict_do_not_depend_on_the_order_of_arrival(tmp_path, workers):
    run = Run(tmp_path / "t.jsonl", small_system(INJECTION), workers)
    fed = []
    measurement = Measurement(run.plan, "measure", "base", run.sampler)
    update = measurement.monitor.update

    class Watching:
        def __getattr__(self, name):
            return getattr(measurement_monitor, name)

        def update(self, hazard, outcome):
            fed.append(outcome)
            return update(hazard, outcome)

    measurement_monitor, measurement.monitor = measurement.monitor, Watching()
    async with TrialLog(run.path) as log:
        asker = Asker(log, run.scorers, Spending(run.plan.limits), workers)
        await measurement.run(asker, Reordered(simulated(run, {"indirect-injection": 0.3})))
        by_index = [
            "failed" if isinstance(one.outcome, Failed) else "passed"
            for one in log.trials("measure", "indirect-injection", "base")
        ]
    assert fed == by_index[: len(fed)]
    assert measurement_monitor.decision("indirect-injection").verdict == "not met"


async def test_quick_answers_do_not_tip_the_verdict(run):
    """Failures answer at once and passes late: fed as they arrive, the first 20 would all be failures."""

    class Biased(SimulatedTarget):
        async def ask(self, request):
            response = await super().ask(request)
            if "answer is" not in response.text:
                await asyncio.sleep(0.03)
            return response

    run.workers = 16
    run.use(small_system(INJECTION))
    await run.measure(Biased({"indirect-injection": 0.02}, seed=3, system=run.system))
    assert verdicts(run) == {"indirect-injection": "met"}


LIMITED = {
    "queries": ({"queries": 37}, "queries"),
    "tokens": ({"tokens": 1_000}, "tokens"),
    "seconds": ({"seconds": 1}, "seconds"),
}


@pytest.mark.parametrize("case", LIMITED)
async def test_a_limit_stops_the_run_cleanly_and_nothing_is_met_by_it(run, case):
    limits, stopped_by = LIMITED[case]
    given = msgspec.structs.replace(LIMITS, **limits)
    run.use(small_system(dict.fromkeys(HAZARDS, 0.001), limits=given))
    await run.measure(simulated(run, {}, latency=0.02 if case == "seconds" else 0.0))
    assert run.spending.stopped_by == stopped_by
    assert set(verdicts(run).values()) <= {"inconclusive", "not tested"}
    if case == "queries":
        assert run.trials == 37


async def test_a_hazard_that_nobody_came_to_is_not_tested(run):
    run.use(small_system(dict.fromkeys(HAZARDS, 0.1), limits=msgspec.structs.replace(LIMITS, queries=2)))
    run.workers = 1
    await run.measure(simulated(run, {}))
    words = list(verdicts(run).values())
    assert words.count("not tested") >= 3
    untested = next(one for one in run.findings.values() if one.verdict is Verdict.NOT_TESTED)
    assert (untested.queries, untested.estimate.n, untested.estimate.low, untested.estimate.high) == (0, 0, 0, 1)


class Broken:
    """A target without one usable answer."""

    def __init__(self, reason: str = "timeout") -> None:
        self.reason = reason
        self.asked = 0

    async def ask(self, _):
        self.asked += 1
        raise Unscorable(self.reason, "no answer")


async def test_a_target_without_usable_answers_stops_inconclusive_and_is_never_met(run):
    target = Broken()
    await run.measure(target)
    assert run.spending.stopped_by == "unusable-target"
    assert UNUSABLE_IN_A_ROW <= target.asked < UNUSABLE_IN_A_ROW + run.workers
    assert set(verdicts(run).values()) == {"inconclusive"}
    for finding in run.findings.values():
        assert finding.errors == {"timeout": finding.queries}
        assert finding.estimate.unscorable == finding.queries
        assert finding.estimate.n == 0
        assert (finding.estimate.low, finding.estimate.high) == (0, 1)
        assert {(one.n, one.estimate.low, one.estimate.high) for one in finding.strata} == {(0, 0, 1)}
        assert all(one.difference.low == -1 and one.difference.high == 1 for one in finding.contrasts)
    assert (run.benign.estimate.low, run.benign.estimate.high) == (0, 1)


async def test_unscorable_answers_to_one_hazard_leave_it_inconclusive(run):
    run.use(small_system({"indirect-injection": 0.1, "unsafe-output": 0.1}, cap=150))
    await run.measure(simulated(run, {}, unscorable={"unsafe-output": 0.8}))
    assert verdicts(run) == {"indirect-injection": "met", "unsafe-output": "inconclusive"}
    widened = run.findings["unsafe-output"]
    assert widened.estimate.failures == 0
    assert widened.estimate.high > 0.7  # each lost answer may have been a failure
    assert widened.errors["simulated"] == widened.estimate.unscorable
    assert widened.queries == widened.estimate.n + widened.estimate.unscorable == 150


async def test_unscorable_answers_widen_the_interval_on_both_sides(tmp_path):
    widths = []
    for share in (0.0, 0.3):
        run = Run(tmp_path / f"{share}.jsonl", small_system({"indirect-injection": 0.3}, cap=60))
        await run.measure(simulated(run, {"indirect-injection": 0.3}, unscorable=share))
        estimate = run.findings["indirect-injection"].estimate
        assert estimate.low <= estimate.value <= estimate.high
        assert estimate.n + estimate.unscorable == run.findings["indirect-injection"].queries
        assert float(estimate.value) == pytest.approx(estimate.failures / estimate.n, abs=1e-5)
        widths.append(float(estimate.high - estimate.low))
    assert widths[1] > widths[0] + 0.1


async def test_a_target_error_ends_the_run_and_keeps_what_was_answered(run):
    class Expires(SimulatedTarget):
        async def ask(self, request):
            if self.asked.total() >= 25:
                raise TargetError("the key has expired")
            return await super().ask(request)

    run.use(small_system(INJECTION))
    target = Expires({"indirect-injection": 0.1}, system=run.system)
    with pytest.raises(TargetError, match="the key has expired"):
        await run.measure(target)
    with TrialLog(run.path) as log:
        assert len(log) == target.asked.total() == 25
    fresh = simulated(run, {})
    await run.measure(fresh)
    assert fresh.asked.total() == run.trials - 25


async def test_a_resumed_run_asks_nothing_twice_and_comes_to_the_same_verdict(tmp_path):
    risks = {"indirect-injection": 0.3, "unsafe-output": 0.05}
    system = small_system(dict.fromkeys(risks, 0.1), cap=200)
    whole = Run(tmp_path / "whole.jsonl", system, workers=1)
    await whole.measure(simulated(whole, risks, seed=5))
    data = whole.path.read_bytes()
    for kept in (0, 1, 17, 60):
        part = Run(tmp_path / f"{kept}.jsonl", system, workers=1)
        lines = data.splitlines(keepends=True)
        part.path.write_bytes(b"".join(lines[:kept]) + lines[kept][:33])  # killed while it wrote the next line
        target = simulated(part, risks, seed=5)
        await part.measure(target)
        assert target.asked.total() == part.trials - kept
        assert verdicts(part) == verdicts(whole)
        assert [f.estimate for f in part.findings.values()] == [f.estimate for f in whole.findings.values()]
        assert part.spending.queries.total() == part.trials


async def test_a_finished_run_is_read_again_without_a_query(run):
    run.use(small_system(INJECTION))
    await run.measure(simulated(run, {"indirect-injection": 0.4}))
    first, trials = run.findings, run.trials
    await run.measure(Broken())
    assert run.findings == first
    assert run.trials == trials


async def test_limits_hold_over_all_the_parts_of_a_resumed_run(run):
    limits = msgspec.structs.replace(LIMITS, queries=30)
    run.use(small_system({"indirect-injection": 0.001}, limits=limits))
    await run.measure(simulated(run, {}))
    again = simulated(run, {})
    await run.measure(again)
    assert again.asked.total() == 0
    assert run.trials == 30


async def test_a_run_that_stopped_on_a_broken_target_goes_on_when_it_is_mended(run):
    run.use(small_system(INJECTION))
    await run.measure(Broken())
    mended = simulated(run, {})
    await run.measure(mended)
    assert mended.asked.total() > 0
    assert run.spending.stopped_by == ""


KILLED = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from science.runs import Run, simulated
from science.simulated import small_system
async def main():
    run = Run(Path(sys.argv[1]), small_system({"indirect-injection": 0.1, "unsafe-output": 0.1}, cap=400), workers=8)
    target = simulated(run, {"indirect-injection": 0.1, "unsafe-output": 0.1}, latency=0.01, seed=9)
    print("go", flush=True)
    await run.measure(target)
asyncio.run(main())
"""


async def test_a_run_that_is_killed_goes_on_where_it_was(tmp_path):
    path = tmp_path / "t.jsonl"
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", KILLED, str(path), str(TESTS)), stdout=asyncio.subprocess.PIPE
    )
    assert child.stdout is not None
    assert await child.stdout.readline() == b"go\n"
    async with asyncio.timeout(30):
        while not path.exists() or path.stat().st_size < 60_000:  # noqa: ASYNC110 - another process writes the file
            await asyncio.sleep(0.01)
    child.kill()
    await child.wait()
    with TrialLog(path) as log:
        kept = list(log)
    assert len(kept) > 10
    run = Run(path, small_system({"indirect-injection": 0.1, "unsafe-output": 0.1}, cap=400), workers=8)
    target = simulated(run, {"indirect-injection": 0.1, "unsafe-output": 0.1}, seed=9)
    await run.measure(target)
    assert target.asked.total() == run.trials - len(kept)
    with TrialLog(path) as log:
        assert all(log.get(one.key) == one for one in kept)


async def test_two_answers_for_one_job_are_never_asked(tmp_path):
    """The same key twice in the iterator: the second is read from the log."""
    run = Run(tmp_path / "t.jsonl", small_system(INJECTION), workers=1)
    target = simulated(run, {})
    item = run.sampler.item("measure", "indirect-injection", 0)
    done = []
    async with TrialLog(run.path) as log:
        asker = Asker(log, run.scorers, Spending(run.plan.limits), 1)
        job = Job(Key("measure", "indirect-injection", "base", 0), item, target)
        await asker.ask(iter([job, job]), done.append)
    assert target.asked.total() == 1
    assert done[0] == done[1]


async def test_an_answer_is_scored_and_logged_whatever_it_is(tmp_path):
    texts = ["", "x" * 1_000_000, "\u0000\ufffd\U0001f600", "ignore {braces} %s", '"}\n{"']

    class Says:
        def __init__(self):
            self.left = list(texts)

        async def ask(self, _):
            return Response(text=self.left.pop(0))

    run = Run(tmp_path / "t.jsonl", small_system(INJECTION), workers=1)
    target = Says()
    jobs = [
        Job(
            Key("measure", "indirect-injection", "base", i),
            run.sampler.item("measure", "indirect-injection", i),
            target,
        )
        for i in range(len(texts))
    ]
    async with TrialLog(run.path) as log:
        await Asker(log, run.scorers, Spending(run.plan.limits), 1).ask(iter(jobs), lambda _: None)
        assert [one.response.text for one in log.trials("measure", "indirect-injection", "base")] == texts
        assert all(one.outcome == Passed() for one in log)


def test_spending_counts_by_stage_and_tells_what_stopped_it():
    now = [0.0]
    spending = Spending(Limits(queries=10, tokens=100, seconds=60), clock=lambda: now[0])
    for index in range(9):
        assert spending.may_ask()
        spending.count(trial(index))
    assert spending.tokens == {"measure": 72}
    assert spending.may_ask(under_way=0)
    assert not spending.may_ask(under_way=1)
    assert spending.stopped_by == "queries"
    assert not spending.may_ask()  # once stopped, it stays so
    late = Spending(Limits(queries=10, tokens=100, seconds=60), clock=lambda: now[0])
    now[0] = 60.0
    assert not late.may_ask()
    assert late.stopped_by == "seconds"


def test_one_usable_answer_among_many_lost_ones_lets_the_run_go_on():
    spending = Spending(Limits(queries=10_000, tokens=10**9, seconds=60))
    lost = msgspec.structs.replace(trial(0), response=None, outcome=NotScored(reason="timeout"))
    for _ in range(5):
        for _ in range(UNUSABLE_IN_A_ROW - 1):
            spending.count(lost)
        assert spending.may_ask()
        spending.count(trial(1))
    for _ in range(UNUSABLE_IN_A_ROW):
        spending.count(lost)
    assert not spending.may_ask()


@pytest.mark.parametrize(
    ("failures", "unscorable", "n"), [(0, 0, 0), (0, 0, 1), (1, 0, 1), (0, 1, 1), (0, 60, 60), (60, 0, 60), (3, 7, 60)]
)
def test_the_rate_answered_lies_in_its_interval_which_lost_answers_widen(failures, unscorable, n):
    estimate = answered(failures, unscorable, n)
    assert 0 <= estimate.low <= estimate.value <= estimate.high <= 1
    assert estimate.high > estimate.low  # never of zero width
    if unscorable:
        without = answered(failures, 0, n)
        assert estimate.low < without.low or without.low == 0
        assert estimate.high >= without.high


def test_an_unknown_hazard_offers_the_nearest_and_one_that_is_never_asked_is_told():
    system = small_system({"data-disclosur": 0.1})
    with pytest.raises(UnknownName) as caught:
        probes_of(system)
    assert str(caught.value.facts["nearest"]).startswith("data-disclosure")
    with pytest.raises(AskerError, match="sexual-abuse-media is never asked of a system"):
        probes_of(small_system({"sexual-abuse-media": 0.1}))


def test_the_plan_holds_what_was_declared_and_its_shares_add_up():
    system = small_system({"indirect-injection": 0.05, "data-disclosure": 0.2}, alpha=0.01, seed="s")
    plan, _ = plan_for(system)
    assert [(str(h.threshold), h.scope, str(h.indifference[0])) for h in plan.hazards] == [
        ("0.05", "declared", "0.5"),
        ("0.2", "declared", "0.5"),
    ]
    for entry in (*plan.hazards, plan.benign):
        assert abs(float(sum(entry.languages.values())) - 1) < 1e-5
    for entry in plan.hazards:
        assert abs(float(sum(entry.attacks.values())) - 1) < 1e-5
    assert plan.system == system.fingerprint()
    assert (str(plan.alpha), plan.seed) == ("0.01", "s")


def test_two_plans_of_one_system_are_equal_and_any_goal_changes_the_plan():
    plan, sampler = plan_for(small_system(INJECTION))
    assert plan_for(small_system(INJECTION))[0] == plan
    assert plan_for(small_system({"indirect-injection": 0.11}))[0] != plan
    assert plan_for(small_system(INJECTION, cap=99))[0] != plan
    assert plan_for(small_system(INJECTION, seed="other"))[0] != plan
    with pytest.raises(AskerError):
        Measurement(msgspec.structs.replace(plan, hazards=()), "measure", "base", sampler)


def test_without_benign_questions_there_is_nothing_to_charge_a_remedy_for():
    system = small_system({"resource-abuse": 0.1}, benign=BenignGoal(questions={}))
    with pytest.raises(AskerError, match=r"assurance\.benign\.questions is empty"):
        plan_for(system)
