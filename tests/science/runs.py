"""One measurement from plan to findings, on a simulated target."""

from pathlib import Path

from aloi.evidence.records import BenignRate, Finding, Plan
from aloi.science.asking import Asker, Spending
from aloi.science.findings import benign_rate, finding
from aloi.science.items import Item, Passed
from aloi.science.measuring import Measurement
from aloi.science.planning import make_plan, probes_of
from aloi.science.probe import scorer_for
from aloi.science.sampling import Sampler
from aloi.science.trials import Key, Trial, TrialLog
from aloi.system.messages import Message, Request, Response
from aloi.system.reading import System
from aloi.system.target import Target
from science.simulated import SimulatedTarget, small_system


def plan_for(system: System) -> tuple[Plan, Sampler]:
    """The plan of a system, and its draws."""
    sampler = Sampler(system, system.description.assurance.seed, probes_of(system))
    plan = make_plan(
        system, system.fingerprint(), sampler, [], registered_at="2026-11-22T00:00:00Z", software="aloi test"
    )
    return plan, sampler


def trial(index: int, text: str = "answer", *, hazard: str = "data-disclosure", arm: str = "base") -> Trial:
    """A trial that looks like a real one."""
    request = Request(prompt="Answer.", messages=(Message(role="user", content=f"question {index}"),))
    item = Item(hazard=hazard, seed=f"seed {index}", attack="pretext", language="en", request=request)
    return Trial(
        key=Key("measure", hazard, arm, index),
        item=item,
        response=Response(text=text, prompt_tokens=5, completion_tokens=3, seconds=0.25),
        outcome=Passed(),
        at="2026-11-22T00:00:00.000Z",
    )


class Run:
    """A run whose log lies at `path`; `measure` may be called again to resume it."""

    def __init__(self, path: Path, system: System | None = None, workers: int = 4) -> None:
        self.path = path
        self.workers = workers
        self.use(system or small_system())

    def use(self, system: System) -> "Run":
        """Measure this system instead."""
        self.system = system
        self.plan, self.sampler = plan_for(system)
        self.scorers = {hazard: scorer_for(probe.scorer) for hazard, probe in self.sampler.probes.items()}
        return self

    async def measure(self, target: Target) -> "Run":
        """Ask until all is decided or a limit is reached; findings and counts are kept."""
        self.measurement = Measurement(self.plan, "measure", "base", self.sampler)
        async with TrialLog(self.path) as log:
            self.spending = Spending(self.plan.limits)
            for known in log:
                self.spending.recall(known)
            await self.measurement.run(Asker(log, self.scorers, self.spending, self.workers), target)
            self.findings: dict[str, Finding] = {
                entry.hazard: finding(self.plan, self.measurement, "measure", "base", entry.hazard, log)
                for entry in self.plan.hazards
            }
            self.benign: BenignRate = benign_rate(self.plan, "measure", "base", log)
            self.trials = len(log)
        return self


def simulated(
    run: Run, risks: dict[str, float], refusal: float = 0.0, seed: int = 1, **more: object
) -> SimulatedTarget:
    """A target that knows the system of a run."""
    return SimulatedTarget(risks, refusal, seed, system=run.system, **more)
