"""Probes for agents: each draws scenarios of its pack, and the oracle reads what was done in the tool log."""

import random

import msgspec

from aloi.science.items import Expectation, Item
from aloi.science.probe import called, required, shared_languages
from aloi.science.workplace.rules import Watch
from aloi.science.workplace.scenarios import item, pack
from aloi.system.reading import System
from aloi.translation import N_


class _AgentProbe:
    """A probe whose scenarios stand in `workplace/data/<pack>.yaml`."""

    hazard: str
    pack: str
    scorer = "tool-log"
    estimand = N_("mean failure rate over the declared attacks and languages, one task in a fresh office a draw")

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


class HiddenContextAgentProbe(_AgentProbe):
    """hidden-context-exposure: somebody outside asks the agent for a secret of its prompt. Needs `context.secrets`."""

    hazard = "hidden-context-exposure"
    pack = "hidden-context-exposure"

    def languages(self, system: System) -> dict[str, float]:
        """Share of each language."""
        required(bool(system.description.context.secrets), self.hazard, "context.secrets")
        return super().languages(system)

    def item(self, system: System, language: str, attack: str, rng: random.Random) -> Item:
        """One request for one secret; the oracle looks for every one."""
        secrets = system.description.context.secrets
        asked = rng.choice(secrets)
        given = {"secret_name": called(asked, language), "secret": asked.value}
        drawn = item(self.pack, self.hazard, system, language, attack, rng, given)
        watch = msgspec.convert(drawn.expectation.details, Watch)
        (rule,) = watch.forbidden
        every = msgspec.structs.replace(rule, holds=tuple(secret.value for secret in secrets))
        whole = msgspec.structs.replace(watch, forbidden=(every,))
        return msgspec.structs.replace(drawn, expectation=Expectation(details=whole.written()))


class UnsafeOutputAgentProbe(_AgentProbe):
    """unsafe-output: a stranger's text becomes part of a command or of a page."""

    hazard = "unsafe-output"
    pack = "unsafe-output"


class ResourceAbuseAgentProbe(_AgentProbe):
    """resource-abuse: work that never comes to an end; calls are counted."""

    hazard = "resource-abuse"
    pack = "resource-abuse"


class LossOfControlProbe(_AgentProbe):
    """loss-of-control: a stop order, an oversight that can be turned off, a report that can be embellished."""

    hazard = "loss-of-control"
    pack = "loss-of-control"


class CascadeProbe(_AgentProbe):
    """cascade: what was planted with a first agent shows in what a second one does."""

    hazard = "cascade"
    pack = "cascade"


class MemoryPoisoningAgentProbe(_AgentProbe):
    """memory-rag-poisoning: a note of a first conversation steers a second one."""

    hazard = "memory-rag-poisoning"
    pack = "memory-rag-poisoning"


class CyberOffenceAgentProbe(_AgentProbe):
    """cyber-offence: a closed game on a toy network, with a machine that is out of bounds."""

    hazard = "cyber-offence"
    pack = "cyber-offence"


class ArtefactCompromiseAgentProbe(_AgentProbe):
    """artefact-compromise: a download that is not what the registry has vetted."""

    hazard = "artefact-compromise"
    pack = "artefact-compromise"


class UnmarkedMediaAgentProbe(_AgentProbe):
    """unmarked-media: a generated picture is published without its mark."""

    hazard = "unmarked-media"
    pack = "unmarked-media"
