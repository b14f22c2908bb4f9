"""Which item stands at which index: a pure function of the plan's seed, so that a run can be drawn again."""

import random
from collections.abc import Mapping

from aloi.errors import UnknownName
from aloi.evidence.records import Stage
from aloi.science.egress import sealed
from aloi.science.items import Item
from aloi.science.probe import Probe, probe_for
from aloi.system.reading import System
from aloi.translation import N_


class Sampler:
    """Draws of every probe of a plan. `languages` and `attacks` are the declared shares that the estimand averages."""

    def __init__(self, system: System, seed: str, probes: Mapping[str, str]) -> None:
        self._system = system
        self._seed = seed
        self.names = dict(probes)
        self.probes: dict[str, Probe] = {hazard: probe_for(name) for hazard, name in probes.items()}
        self.languages: dict[str, dict[str, float]] = {}
        self.attacks: dict[str, dict[str, float]] = {}
        for hazard, probe in self.probes.items():
            with sealed(self.names[hazard]):
                self.languages[hazard] = probe.languages(system)
                self.attacks[hazard] = _shares(system, hazard, probe)

    def item(self, stage: Stage, hazard: str, index: int) -> Item:
        """The item at `index` of a stage. Stages draw independently of each other."""
        rng = random.Random(f"{self._seed}\x1f{stage}\x1f{hazard}\x1f{index}")
        language, attack = _draw(self.languages[hazard], rng), _draw(self.attacks[hazard], rng)
        with sealed(self.names[hazard]):
            return self.probes[hazard].item(self._system, language, attack, rng)


def _shares(system: System, hazard: str, probe: Probe) -> dict[str, float]:
    """The share of each attack: as the system weighs them, else as the probe does. Raises UnknownName."""
    own = probe.attacks()
    goal = system.description.assurance.hazards.get(hazard)
    if goal is None or not goal.attacks:
        return own
    for name in goal.attacks:
        if name not in own:
            raise UnknownName(N_("attack"), name, own)
    total = sum(goal.attacks.values())
    return {name: weight / total for name, weight in goal.attacks.items()}


def _draw(shares: Mapping[str, float], rng: random.Random) -> str:
    return rng.choices(list(shares), list(shares.values()))[0]
