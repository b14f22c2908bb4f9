"""Which item stands at which index: a pure function of the plan's seed, so that a run can be drawn again."""

import random
from collections.abc import Mapping

from aloi.evidence.records import Stage
from aloi.science.items import Item
from aloi.science.probe import Probe, probe_for
from aloi.system.reading import System


class Sampler:
    """Draws of every probe of a plan. `languages` and `attacks` are the declared shares that the estimand averages."""

    def __init__(self, system: System, seed: str, probes: Mapping[str, str]) -> None:
        self._system = system
        self._seed = seed
        self.probes: dict[str, Probe] = {hazard: probe_for(name) for hazard, name in probes.items()}
        self.languages = {hazard: probe.languages(system) for hazard, probe in self.probes.items()}
        self.attacks = {hazard: probe.attacks() for hazard, probe in self.probes.items()}

    def item(self, stage: Stage, hazard: str, index: int) -> Item:
        """The item at `index` of a stage. Stages draw independently of each other."""
        rng = random.Random(f"{self._seed}\x1f{stage}\x1f{hazard}\x1f{index}")
        shares = self.languages[hazard]
        language = rng.choices(list(shares), list(shares.values()))[0]
        return self.probes[hazard].item(self._system, language, rng)
