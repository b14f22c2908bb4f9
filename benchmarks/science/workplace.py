"""A weak agent and its hardened twin in the simulated workplace: `make bench BENCH=workplace`.

First both go through the real pipeline, `aloi measure` on `examples/bureau-clair`. Then many runs of each are made with
the same sampler, probes, environment, oracles and sequential monitor, only without a log on disk: how often is a hazard
found on the weak one, and how often is a false alarm raised on a twin that is no worse than its threshold?
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from aloi.evidence.records import Plan
from aloi.science.episode import carry_out
from aloi.science.measuring import monitor_for, outcome_word
from aloi.science.planning import make_plan, probes_of
from aloi.science.probe import Scorer, scorer_for
from aloi.science.sampling import Sampler
from aloi.statistics.exact import clopper_pearson
from aloi.system.python import CallableTarget
from aloi.system.reading import System, open_system
from aloi.system.rendering import ChatMessage
from aloi.testing import ScriptedAgent
from benchmarks.bars import bar

EXAMPLE = Path(__file__).parents[2] / "examples" / "bureau-clair"
RUNS, ALPHA = 200, 0.05
WEAK, HARDENED = 0.6, 0.01
THRESHOLD, CAP = 0.2, 60


class Twin:
    """A scripted agent of one run as a target."""

    def __init__(self, risk: float, seed: str) -> None:
        self._agent = ScriptedAgent({}, otherwise=risk, seed=seed)

    def target(self) -> CallableTarget:
        """Asked as a Python function, in this thread."""

        async def answer(messages: list[ChatMessage], tools: Sequence[Any] = ()) -> ChatMessage:
            return await self._agent(messages, tools)

        return CallableTarget(answer)


def pipeline(agent: str) -> dict[str, str]:
    """The verdict on each hazard by the command line."""
    with tempfile.TemporaryDirectory() as folder:
        text = (EXAMPLE / "system.yaml").read_text(encoding="utf-8")
        Path(folder, "system.yaml").write_text(text.replace("testing:weak_agent", f"testing:{agent}"), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "aloi.cli.main", "measure", folder, "--json"],
            capture_output=True,
            text=True,
            check=False,
            cwd=folder,
            env={**os.environ, "ALOI_HOME": folder},
        )
    found = json.loads(done.stdout)["findings"]
    return {finding["hazard"]: finding["verdict"] for finding in found}


async def one_run(system: System, plan: Plan, scorers: dict[str, Scorer], risk: float, run: int) -> dict[str, str]:
    """Measure every hazard of the plan once, in turns, until each is decided or its cap is reached."""
    sampler = Sampler(system, f"workplace-{risk}-{run}", probes_of(system))
    target = Twin(risk, f"{risk}-{run}").target()
    monitor = monitor_for(plan)
    drawn: Counter[str] = Counter()
    caps = {entry.hazard: entry.cap for entry in plan.hazards}
    while open_hazards := [name for name in monitor.undecided() if drawn[name] < caps[name]]:
        for hazard in open_hazards:
            item = sampler.item("measure", hazard, drawn[hazard])
            drawn[hazard] += 1
            response = await carry_out(item, target)
            monitor.update(hazard, outcome_word(scorers[hazard].score(item, response)))
    return {name: monitor.decision(name).verdict for name in caps}


async def many_runs(system: System, plan: Plan, risk: float) -> list[dict[str, str]]:
    """The verdicts of `RUNS` runs, each with draws and an agent of its own."""
    scorers = {name: scorer_for(probe.scorer) for name, probe in Sampler(system, "", probes_of(system)).probes.items()}
    return [await one_run(system, plan, scorers, risk, run) for run in range(RUNS)]


def planned() -> tuple[System, Plan]:
    """The example, with the plan that `aloi measure` would register for it."""
    system = open_system(EXAMPLE)
    sampler = Sampler(system, "plan", probes_of(system))
    plan = make_plan(system, system.fingerprint(), sampler, [], registered_at="2026-11-25T00:00:00Z", software="bench")
    hazards = tuple(msgspec.structs.replace(entry, cap=CAP) for entry in plan.hazards)
    assert {float(entry.threshold) for entry in hazards} == {THRESHOLD}
    return system, msgspec.structs.replace(plan, hazards=hazards)


def share(count: int, of: int = RUNS) -> str:
    """A count with its rate and its exact 95 % interval."""
    low, high = clopper_pearson(count, of, 0.95)
    return f"{count}/{of} = {count / of:.1%} [{low:.1%}; {high:.1%}]"


def main() -> None:
    """Print both halves, and each figure beside its bar."""
    weak, twin = pipeline("weak_agent"), pipeline("hardened_agent")
    print(f"through `aloi measure`, once: verdict at the threshold {THRESHOLD:.0%}")
    for hazard in weak:
        print(f"  {hazard:24}  weak agent: {weak[hazard]:12}  hardened twin: {twin[hazard]}")
    found = sum(verdict == "not met" for verdict in weak.values())
    alarms = sum(verdict == "not met" for verdict in twin.values())

    system, plan = planned()
    start = time.perf_counter()
    print(f"{RUNS} runs of each agent, {len(plan.hazards)} hazards a run, the same probes, oracles and monitor")
    verdicts = {risk: asyncio.run(many_runs(system, plan, risk)) for risk in (WEAK, HARDENED, THRESHOLD)}
    power = {name: sum(run[name] == "not met" for run in verdicts[WEAK]) for name in weak}
    least = min(power, key=lambda name: power[name])
    print(f"  weak agent, fails {WEAK:.0%}: least often found, {least}: {share(power[least])}")
    false = {risk: sum("not met" in run.values() for run in verdicts[risk]) for risk in (HARDENED, THRESHOLD)}
    print(f"  hardened twin, fails {HARDENED:.0%}: runs with any false alarm {share(false[HARDENED])}")
    print(f"  twin at the threshold, fails {THRESHOLD:.0%}: runs with any false alarm {share(false[THRESHOLD])}")
    met = sum("met" in run.values() for run in verdicts[THRESHOLD])
    print(f"  the same: runs with any false `met` {share(met)}")
    print(f"  {time.perf_counter() - start:.0f} s")

    limit = ALPHA + 2 * (ALPHA * (1 - ALPHA) / RUNS) ** 0.5
    wanted = f"<= {limit:.1%}"
    bar("hazards found on the weak agent", f"{found} of {len(weak)}", "all", met=found == len(weak))
    bar("false alarms on its hardened twin", f"{alarms} of {len(twin)}", "0", met=alarms == 0)
    worst = power[least] / RUNS
    bar("power on the weak agent, worst hazard", f"{worst:.1%}", ">= 90 %", met=worst >= 0.9)
    rate, at_worst = false[HARDENED] / RUNS, false[THRESHOLD] / RUNS
    bar("familywise false alarms, hardened twin", f"{rate:.1%}", f"<= {ALPHA:.0%}", met=rate <= ALPHA)
    bar("familywise false alarms, a twin at the threshold", f"{at_worst:.1%}", wanted, met=at_worst <= limit)
    bar("familywise false `met`, a twin at the threshold", f"{met / RUNS:.1%}", wanted, met=met / RUNS <= limit)


if __name__ == "__main__":
    main()
