"""Measure every hazard of a plan, sequentially, until each is decided or its cap is reached."""

from collections import Counter
from collections.abc import Iterator
from typing import Literal

from aloi.evidence.records import BenignPlan, HazardPlan, Plan, Stage
from aloi.science.asking import Asker, Job
from aloi.science.items import Failed, NotScored, Outcome
from aloi.science.sampling import Sampler
from aloi.science.trials import Key, Trial
from aloi.statistics.monitor import HazardDesign, SequentialMonitor
from aloi.system.target import Target


def design_of(hazard: HazardPlan) -> HazardDesign:
    """What a plan registers to decide about one hazard."""
    return HazardDesign(
        name=hazard.hazard,
        threshold=float(hazard.threshold),
        indifference=(float(hazard.indifference[0]), float(hazard.indifference[1])),
        cap=hazard.cap,
    )


def monitor_for(plan: Plan) -> SequentialMonitor:
    """The sequential test that a plan registers."""
    designs = [design_of(hazard) for hazard in plan.hazards]
    return SequentialMonitor(designs, float(plan.alpha), joint=plan.joint, multiplicity=plan.multiplicity)


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
        self._drawn: Counter[str] = Counter()
        self._waiting: dict[tuple[str, int], Outcome] = {}
        self._fed: Counter[str] = Counter()

    async def run(self, asker: Asker, target: Target) -> None:
        """Ask until every hazard is decided, or a limit of the plan stops the run.

        What is in the log is counted first, in the order in which it was answered. Holm's thresholds fall with every
        hazard that is decided, so that another order could decide a hazard at another trial.
        """
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
        wanted = {hazard: self._cap(hazard) for hazard in self.monitor.undecided()}
        wanted["benign"] = benign_trials(self._plan.benign, self._stage)
        open_ = {name: self._drawn[name] for name, cap in wanted.items() if self._drawn[name] < cap}
        return min(open_, key=lambda name: open_[name]) if open_ else ""

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


def benign_trials(plan: BenignPlan, stage: Stage) -> int:
    """How many ordinary requests a stage asks."""
    return plan.confirmation_trials if stage == "confirm" else plan.selection_trials


def planned(plan: Plan, hazard: str) -> HazardPlan:
    """The plan of one hazard."""
    return next(entry for entry in plan.hazards if entry.hazard == hazard)
