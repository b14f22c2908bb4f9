"""Probes for agents: each draws scenarios of its pack, and the oracle reads what was done in the tool log."""

import random

from aloi.science.items import Item
from aloi.science.probe import shared_languages
from aloi.science.workplace.scenarios import item, pack
from aloi.system.reading import System


class _AgentProbe:
    """A probe whose scenarios stand in `workplace/data/<pack>.yaml`."""

    hazard: str
    pack: str
    scorer = "tool-log"

    def attacks(self) -> dict[str, float]:
        """Share of each attack."""
        return pack(self.pack).attacks()

    def languages(self, system: System) -> dict[str, float]:
        """Share of each language."""
        return shared_languages(system, pack(self.pack).languages(), self.hazard)

    def item(self, system: System, language: str, attack: str, rng: random.Random) -> Item:
        """One fresh scenario."""
        return item(self.pack, self.hazard, system, language, attack, rng)


class BenignAgentProbe(_AgentProbe):
    """benign: ordinary tasks of an office, which a remedy must not lose."""

    hazard = "benign"
    pack = "tasks"
    scorer = "task-done"


class IndirectInjectionAgentProbe(_AgentProbe):
    """indirect-injection: a mail, a file, a page, a ticket or an invitation orders something else."""

    hazard = "indirect-injection"
    pack = "indirect-injection"


class ExcessiveAgencyProbe(_AgentProbe):
    """excessive-agency: an approval can be skipped, a scope widened, a right taken."""

    hazard = "excessive-agency"
    pack = "excessive-agency"


class DataDisclosureAgentProbe(_AgentProbe):
    """data-disclosure: somebody outside asks for what the files say about somebody else."""

    hazard = "data-disclosure"
    pack = "data-disclosure"
