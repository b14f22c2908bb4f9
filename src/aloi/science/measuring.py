"""Measure every hazard of a plan, sequentially, until each is decided or its cap is reached."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

from aloi.evidence.records import BenignPlan, HazardPlan, Plan, Stage
from aloi.science.asking import Asker, Job
from aloi.science.items import Failed, NotScored, Outcome
from aloi.science.judging.judged import WAITING
from aloi.science.sampling import Sampler
from aloi.science.trials import Key, Trial
from aloi.statistics.monitor import HazardDesign, SequentialMonitor
from aloi.system.target import Target


def design_of(hazard: HazardPlan) -> HazardDesign:
    """What a plan registers to decide about one hazard, the errors of its judge allowed for where they are known."""
    design = HazardDesign(
        name=hazard.hazard,
        threshold=float(hazard.threshold),
        indifference=(float(hazard.indifference[0]), float(hazard.indifference[1])),
        cap=hazard.cap,
    )
    if hazard.judging is None:
        return design
    least, most = hazard.judging.false_alarms
    return replace(
        design,
        sensitivity=float(hazard.judging.sensitivity),
        false_alarms=(float(least), float(most)),
        expected=hazard.judging.expected(),
        identifiable=hazard.judging.identifiable,
    )


def monitor_for(plan: Plan) -> SequentialMonitor:
    """The sequential test that a plan registers, at the error that its judges leave to it."""
    designs = [design_of(hazard) for hazard in plan.hazards]
    alpha = float(plan.alpha - plan.judging_alpha)
    return SequentialMonitor(designs, alpha, joint=plan.joint, multiplicity=plan.multiplicity)


def outcome_word(outcome: Outcome) -> Literal["passed", "failed", "unscorable"]:
    """An outcome as the monitor counts it."""
    if isinstance(outcome, NotScored):
        return "unscorable"
    return "failed" if isinstance(outcome, Failed) else "passed"


class Measurement:
    """One sequential measurement of all hazards and of the benign requests, of one arm, in one stage.

    Invariant: the monitor sees the outcomes of a hazard in the order of their index, not in the order in which answers
    arrived. Quick answers would otherwise be over-represented when the test stops.
    """

    def __init__(self, plan: Plan, stage: Stage, arm: str, sampler: Sampler) -> None:
        self._plan = plan
        self._stage: Stage = stage
        self._arm = arm
        self._sampler = sampler
        self.monitor = monitor_for(plan)
        # While people's words are awaited: the same test, as if each of them were `passed`.
        waits = any(entry.judging and entry.judging.confirmed for entry in plan.hazards)
        self._hoped_for = monitor_for(plan) if waits else None
        self._awaited: Counter[str] = Counter()
        self._drawn: Counter[str] = Counter()
        self._waiting: dict[tuple[str, int], Outcome] = {}
        self._fed: Counter[str] = Counter()

    async def run(self, asker: Asker, target: Target) -> None:
        """Ask until every hazard is decided, or a limit of the plan stops the run.

        What is in the log is counted first, in the order in which it was answered. Holm's thresholds fall with every
        hazard that is decided, so that another order could decide a hazard at another trial.
        """
        await asker.rate_log(self._stage, self._arm)
        for trial in asker.log.as_answered(self._stage, self._arm):
            self._feed(trial)
        await asker.ask(self._jobs(target), self._feed)

    def _jobs(self, target: Target) -> Iterator[Job]:
        while name := self._next():
            index = self._drawn[name]
            self._drawn[name] += 1
            key = Key(self._stage, name, self._arm, index)
            yield Job(key, self._sampler.item(self._stage, name, index), target)

    def _next(self) -> str:
        """The undecided hazard, or the benign requests, that was drawn least so far; an empty name at the end."""
        wanted = {hazard: self._cap(hazard) for hazard in self.monitor.undecided() if not self._rests_on_people(hazard)}
        wanted["benign"] = benign_trials(self._plan.benign, self._stage)
        open_ = {name: self._drawn[name] for name, cap in wanted.items() if self._drawn[name] < cap}
        return min(open_, key=lambda name: open_[name]) if open_ else ""

    def _rests_on_people(self, hazard: str) -> bool:
        """Whether the words that are awaited may decide a hazard: nothing is asked then that may not be needed."""
        if self._hoped_for is None or not self._awaited[hazard]:
            return False
        return self._hoped_for.decision(hazard).verdict != "continue"

    def _cap(self, hazard: str) -> int:
        return next(planned.cap for planned in self._plan.hazards if planned.hazard == hazard)

    def _feed(self, trial: Trial) -> None:
        hazard = trial.key.hazard
        if hazard == "benign" or trial.key.index < self._fed[hazard]:
            return
        self._waiting[hazard, trial.key.index] = trial.outcome
        while (outcome := self._waiting.pop((hazard, self._fed[hazard]), None)) is not None:
            self._fed[hazard] += 1
            # Answers that were under way when the test stopped stay in the log and out of the test: the e-values that
            # are signed are those at which it was decided.
            if self.monitor.decision(hazard).verdict == "continue":
                self.monitor.update(hazard, outcome_word(outcome))
            self._foresee(hazard, outcome)

    def _foresee(self, hazard: str, outcome: Outcome) -> None:
        if self._hoped_for is None:
            return
        awaited = isinstance(outcome, NotScored) and outcome.reason in WAITING
        self._awaited[hazard] += awaited
        if self._hoped_for.decision(hazard).verdict == "continue":
            self._hoped_for.update(hazard, "passed" if awaited else outcome_word(outcome))


def benign_trials(plan: BenignPlan, stage: Stage) -> int:
    """How many ordinary requests a stage asks."""
    return plan.confirmation_trials if stage == "confirm" else plan.selection_trials


def planned(plan: Plan, hazard: str) -> HazardPlan:
    """The plan of one hazard."""
    return next(entry for entry in plan.hazards if entry.hazard == hazard)
