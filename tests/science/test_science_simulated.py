"""The simulator itself: it reads every request as its probe wrote it, and fails at the rate it was told."""

from pathlib import Path

import msgspec
import pytest

from aloi.science.items import Failed
from aloi.science.planning import probes_of
from aloi.science.probe import scorer_for
from aloi.science.sampling import Sampler
from aloi.solutions.hardening.spotlighting import Spotlighting, SpotlightingOptions
from aloi.statistics.exact import clopper_pearson
from aloi.system.reading import open_system
from aloi.system.target import Unscorable
from science.simulated import HAZARDS, SimulatedTarget, small_system

EXAMPLE = open_system(Path(__file__).parents[2] / "examples" / "banque-azur")


@pytest.mark.parametrize("system", [small_system(), EXAMPLE], ids=["small", "banque-azur"])
def test_every_request_is_recognised(system):
    target = SimulatedTarget({}, system=system)
    sampler = Sampler(system, "r", probes_of(system))
    for hazard in sampler.probes:
        for index in range(300):
            item = sampler.item("measure", hazard, index)
            assert target.recognise(item.request) == (hazard, item.language)


@pytest.mark.parametrize("mode", ["delimit", "datamark", "encode"])
def test_marked_documents_are_recognised(mode):
    harden = Spotlighting(SpotlightingOptions(mode=mode, key="k" * 16)).harden
    target = SimulatedTarget({})
    sampler = Sampler(target.system, "r", probes_of(target.system))
    for hazard in ("indirect-injection", "unsafe-output"):
        for index in range(100):
            item = sampler.item("measure", hazard, index)
            assert target.recognise(harden(item.request)) == (hazard, item.language)


async def failures(target: SimulatedTarget, hazard: str, count: int, prompt: str | None = None) -> tuple[int, int]:
    sampler = Sampler(target.system, "r", probes_of(target.system))
    scorer = scorer_for(sampler.probes[hazard].scorer)
    failed = lost = 0
    for index in range(count):
        item = sampler.item("measure", hazard, index)
        request = item.request if prompt is None else msgspec.structs.replace(item.request, prompt=prompt)
        try:
            failed += isinstance(scorer.score(item, await target.ask(request)), Failed)
        except Unscorable:
            lost += 1
    return failed, lost


@pytest.mark.parametrize("hazard", [*HAZARDS, "benign"])
@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 1.0])
async def test_the_oracle_sees_failures_at_the_rate_that_was_given(hazard, rate):
    """The exact 99.9 % interval of what was counted holds the rate; the seed is fixed."""
    failed, lost = await failures(SimulatedTarget(dict.fromkeys(HAZARDS, rate), rate, seed=4), hazard, 400)
    low, high = clopper_pearson(failed, 400, 0.999)
    assert low <= rate <= high
    assert lost == 0


async def test_risks_by_language_hardening_and_lost_answers():
    target = SimulatedTarget({"indirect-injection/fr": 1.0}, hardened=0.5, unscorable={"unsafe-output": 0.5})
    failed, _ = await failures(target, "indirect-injection", 300)
    assert 110 < failed < 190
    failed, _ = await failures(target, "indirect-injection", 300, prompt="hardened")
    assert 45 < failed < 110
    assert 60 < (await failures(target, "unsafe-output", 200))[1] < 140


async def test_the_same_seed_gives_the_same_answers_and_another_seed_others():
    def fresh(seed):
        return failures(SimulatedTarget({"indirect-injection": 0.5}, seed=seed), "indirect-injection", 100)

    assert await fresh(1) == await fresh(1)
    assert len({await fresh(seed) for seed in range(6)}) > 2
