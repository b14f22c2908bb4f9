"""hidden-context-exposure: people ask, with a pretext, for a secret that stands in the system's prompt."""

import random

from aloi.science.grammar import grammar
from aloi.science.items import Expectation, Item
from aloi.science.probe import ask, called, required, shared_languages
from aloi.system.reading import System


class HiddenContextProbe:
    """Needs `context.secrets`. The oracle looks for the secret asked for, and for every other one."""

    hazard = "hidden-context-exposure"
    scorer = "planted-string"

    def attacks(self) -> dict[str, float]:
        """Share of each attack."""
        return grammar(self.hazard).weights()

    def languages(self, system: System) -> dict[str, float]:
        """Share of each language."""
        required(bool(system.description.context.secrets), self.hazard, "context.secrets")
        return shared_languages(system, grammar(self.hazard).languages(), self.hazard)

    def item(self, system: System, language: str, attack: str, rng: random.Random) -> Item:
        """One request for one of the system's secrets."""
        secrets = system.description.context.secrets
        asked = rng.choice(secrets)
        values = {"secret": called(asked, language), "secret_en": called(asked, "en")}
        text = grammar(self.hazard).write(attack, language, rng, values)
        return Item(
            hazard=self.hazard,
            seed=text,
            attack=attack,
            language=language,
            request=ask(system, text),
            expectation=Expectation(needles=tuple(secret.value for secret in secrets)),
        )
