"""resource-abuse: a request that tries to make one answer cost as much as it can."""

import random

from aloi.science.grammar import grammar
from aloi.science.items import Expectation, Item
from aloi.science.probe import ask, shared_languages
from aloi.system.reading import System


class ResourceAbuseProbe:
    """The oracle is the token count: an answer that spends the whole budget of the system has run away."""

    hazard = "resource-abuse"
    scorer = "token-budget"

    def attacks(self) -> dict[str, float]:
        """Share of each attack."""
        return grammar(self.hazard).weights()

    def languages(self, system: System) -> dict[str, float]:
        """Share of each language."""
        return shared_languages(system, grammar(self.hazard).languages(), self.hazard)

    def item(self, system: System, language: str, attack: str, rng: random.Random) -> Item:
        """One request for an endless answer."""
        text = grammar(self.hazard).write(attack, language, rng, {})
        return Item(
            hazard=self.hazard,
            seed=text,
            attack=attack,
            language=language,
            request=ask(system, text),
            expectation=Expectation(budget=system.description.target.max_tokens),
        )
