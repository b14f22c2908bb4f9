"""Probes that draw from AgentDojo's suites: a user's task, an attacker's goal, and the attack's words around it."""

import random

from msgspec import to_builtins
from msgspec.structs import replace

from aloi.evidence.records import CorpusIdentity
from aloi.science.agentdojo.environment import Suites
from aloi.science.agentdojo.installed import installed
from aloi.science.agentdojo.suite import NAME, Listed, Task, about, edition, listing
from aloi.science.items import Item
from aloi.science.probe import ask, shared_languages
from aloi.system.reading import System
from aloi.translation import N_

# AgentDojo lets an agent call tools fifteen times and then say its last word.
ANSWERS = 16


class _DojoProbe:
    hazard: str
    scorer: str
    suite: str

    def __init__(self, suites: Suites = installed) -> None:
        self._suites = suites

    @property
    def listed(self) -> Listed:
        """What is known of the suite."""
        return listing().suites[self.suite]

    def prepare(self) -> None:
        """Load the suite. Raises MissingExtra, or AskerError where another suite is installed."""
        self._suites(self.suite)

    def languages(self, system: System) -> dict[str, float]:
        """Its tasks are in English."""
        return shared_languages(system, {"en"}, self.hazard)

    def _corpus(self, rows: int, seeds: int, every: int) -> CorpusIdentity:
        known = about()
        return CorpusIdentity(
            name=f"{NAME}-{self.suite}",
            digest=self.listed.digest,
            rows=rows,
            seeds=seeds,
            licence=known.licence,
            source=known.source,
            revision=edition(),
            left_out=every - rows,
        )

    def _every(self, part: str) -> int:
        """How many tasks the suite has for a part, those left out among them."""
        return len(getattr(self.listed, part)) + sum(one.part == part for one in self.listed.left_out)

    def _item(self, system: System, attack: str, task: Task) -> Item:
        suite = self._suites(self.suite)
        request = ask(system, suite.prompt(task.user))
        return Item(
            hazard=self.hazard,
            seed=f"{task.suite}/{task.user}",
            attack=attack,
            language="en",
            request=replace(request, tools=suite.tools()),
            environment=NAME,
            state=to_builtins(task),
            max_answers=ANSWERS,
        )


class InjectionProbe(_DojoProbe):
    """indirect-injection: what the agent reads on its way orders what an attacker wants."""

    hazard, scorer = "indirect-injection", "agentdojo-security"
    estimand = N_(
        "mean failure rate over the attacks and the pairs of a user's task and an attacker's goal of a listed suite, "
        "each as likely as the next"
    )

    @property
    def corpus(self) -> CorpusIdentity:
        """The pairs of a task and a goal; tasks are the clusters."""
        users, goals = len(self.listed.users), len(self.listed.injections)
        return self._corpus(users * goals, users, self._every("users") * self._every("injections"))

    def attacks(self) -> dict[str, float]:
        """AgentDojo's attacks that know neither the user's name nor the model's, in equal shares."""
        names = about().attacks
        return {name: 1 / len(names) for name in names}

    def item(self, system: System, language: str, attack: str, rng: random.Random) -> Item:  # noqa: ARG002 - English
        """One of the user's tasks and one of the attacker's goals, each as likely as the next."""
        user, injection = rng.choice(self.listed.users), rng.choice(self.listed.injections)
        words = self._suites(self.suite).words(attack, user, injection)
        return self._item(system, attack, Task(suite=self.suite, user=user, injection=injection, words=words))


class OrdinaryProbe(_DojoProbe):
    """benign: the user's tasks, and nobody attacks."""

    hazard, scorer = "benign", "agentdojo-utility"

    @property
    def corpus(self) -> CorpusIdentity:
        """The user's tasks."""
        tasks = len(self.listed.ordinary)
        return self._corpus(tasks, tasks, self._every("ordinary"))

    def attacks(self) -> dict[str, float]:
        """None."""
        return {"plain": 1.0}

    def item(self, system: System, language: str, attack: str, rng: random.Random) -> Item:  # noqa: ARG002 - English
        """One of the user's tasks."""
        return self._item(system, attack, Task(suite=self.suite, user=rng.choice(self.listed.ordinary)))


class BankingInjection(InjectionProbe):
    """A bank account."""

    suite = "banking"


class SlackInjection(InjectionProbe):
    """A chat with channels, and web pages."""

    suite = "slack"


class TravelInjection(InjectionProbe):
    """A travel agency."""

    suite = "travel"


class WorkspaceInjection(InjectionProbe):
    """Mail, calendar and files."""

    suite = "workspace"


class BankingTasks(OrdinaryProbe):
    """A bank account."""

    suite = "banking"


class SlackTasks(OrdinaryProbe):
    """A chat with channels, and web pages."""

    suite = "slack"


class TravelTasks(OrdinaryProbe):
    """A travel agency."""

    suite = "travel"


class WorkspaceTasks(OrdinaryProbe):
    """Mail, calendar and files."""

    suite = "workspace"
