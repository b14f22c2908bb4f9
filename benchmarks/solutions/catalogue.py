"""What remedies do by themselves, as `aloi catalog remedies` tells it: `make bench BENCH=catalogue`.

    python -m benchmarks.solutions.catalogue [--write]

A scripted agent in the simulated workplace fails at a known rate; each item is asked with and without the remedy. Its
texts are our own. `--write` puts the figures where the catalogue reads them; tests/solutions/test_measured.py measures
again and compares.
"""

import argparse
import asyncio
import os
import platform
import random
import statistics
from collections.abc import Sequence
from pathlib import Path

import yaml

from aloi.assurance.arms import arm
from aloi.assurance.remedies import fitted
from aloi.science.episode import carry_out
from aloi.science.items import Failed, Passed
from aloi.science.probe import probe_for, scorer_for
from aloi.statistics.exact import clopper_pearson
from aloi.system.messages import Message
from aloi.system.python import CallableTarget
from aloi.system.reading import System, open_system
from aloi.system.rendering import ChatMessage
from aloi.system.target import Target
from aloi.testing import ScriptedAgent
from benchmarks.solutions import guards

EXAMPLE = Path(__file__).parents[2] / "examples" / "bureau-clair"
WRITTEN = Path(__file__).parents[2] / "src" / "aloi" / "solutions" / "data" / "measured.yaml"
ITEMS, RISK, SEED = 200, 0.6, 20261125
AGENTS = {
    "looping-agent": ("resource-abuse-agent", ("request-limits",)),
    "injected-agent": ("indirect-injection-agent", ("injection-screen", "provenance-gate")),
}
Figures = dict[str, int | float]
Carried = tuple[list[bool], list[bool], int]


def agent() -> CallableTarget:
    """An agent that fails six times in ten, whatever the hazard."""
    scripted = ScriptedAgent({}, otherwise=RISK, seed="catalogue")

    async def answer(messages: list[ChatMessage], tools: Sequence[object] = ()) -> ChatMessage:
        return await scripted(messages, tools)

    return CallableTarget(answer)


async def carried_out(probe_name: str, target: Target, system: System) -> Carried:
    """Which items failed, which passed, and how many tool calls were made in all."""
    probe, rng = probe_for(probe_name), random.Random(SEED)
    scorer, attacks, languages = scorer_for(probe.scorer), sorted(probe.attacks()), sorted(probe.languages(system))
    failed, passed, calls = [], [], 0
    for index in range(ITEMS):
        language, attack = languages[index % len(languages)], attacks[index // len(languages) % len(attacks)]
        item = probe.item(system, language, attack, rng)
        response = await carry_out(item, target)
        outcome = scorer.score(item, response)
        failed.append(isinstance(outcome, Failed))
        passed.append(isinstance(outcome, Passed))
        calls += len(response.calls())
    return failed, passed, calls


async def by_agents() -> dict[str, dict[str, Figures]]:
    """Each remedy on its hazard and on ordinary tasks, beside the bare agent."""
    system, bare = open_system(EXAMPLE), agent()
    ordinary = await carried_out("benign-agent", bare, system)
    found: dict[str, dict[str, Figures]] = {}
    for run, (probe, remedies) in AGENTS.items():
        without = await carried_out(probe, bare, system)
        found[run] = {}
        for remedy in remedies:
            behind = arm(bare, fitted(system, [remedy]), system.description)
            tasks = await carried_out("benign-agent", behind, system)
            found[run][remedy] = counted(without, await carried_out(probe, behind, system), ordinary, tasks)
    return found


def counted(without: Carried, within: Carried, ordinary: Carried, tasks: Carried) -> Figures:
    """Counts, and the ends of exact 95 % intervals in per cent."""
    (before, _, calls_before), (after, _, calls_after) = without, within
    (_, done, _), (_, still_done, _) = ordinary, tasks
    lost = sum(was and not still for was, still in zip(done, still_done, strict=True))
    least, most = clopper_pearson(sum(after), ITEMS, 0.95)
    return {
        "n": ITEMS,
        "before": sum(before),
        "after": sum(after),
        "after_least": round(100 * least, 1),
        "after_most": round(100 * most, 1),
        "calls_before": calls_before,
        "calls_after": calls_after,
        "tasks": ITEMS,
        "lost": lost,
        "lost_most": round(100 * clopper_pearson(lost, ITEMS, 0.95)[1], 1),
    }


def by_time(name: str) -> Figures:
    """Processor time of one guard on 50 words."""
    guard, role = guards.build(name)
    spent = guards.milliseconds(guard, Message(role=role, content=guards.ORDINARY), 500, statistics.median)
    return {"ms": round(spent, 2)}


def agents() -> dict[str, dict[str, Figures]]:
    """What does not depend on the machine."""
    return asyncio.run(by_agents())


def machine() -> str:
    """The size of this machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores ({platform.machine()}), {memory:.0f} GiB, Python {platform.python_version()}"


def main() -> None:
    """Print the figures; with `--write` put them into the catalogue."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    write = parser.parse_known_args()[0].write
    figures = {**agents(), "speed": {name: by_time(name) for name in guards.GUARDS}}
    for run, found in figures.items():
        for name, values in found.items():
            print(f"{run:16}{name:22}" + ", ".join(f"{key} {value}" for key, value in values.items()))
    if write:
        head = "# Written by `python -m benchmarks.solutions.catalogue --write`: not to be changed by hand.\n"
        content = {
            "source": "measured by Aloi",
            "date": "2026-11-25",
            "licence": "Apache-2.0",
            "machine": machine(),
            "figures": figures,
        }
        WRITTEN.write_text(head + yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


if __name__ == "__main__":
    main()
