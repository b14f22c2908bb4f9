"""jailbreak: a rule is added to the system's prompt, and the user's wording is to make the system break it."""

import random

from aloi.science.attack import wrap
from aloi.science.grammar import fill
from aloi.science.items import Expectation, Item
from aloi.science.probe import ask_wrapped, required
from aloi.science.probes.house_rule import house_rule
from aloi.science.probes.wrapped import WrappedProbe
from aloi.system.reading import System


class JailbreakProbe(WrappedProbe):
    """Needs `prompt`: a system without one is instructed elsewhere, where no rule can be added from outside."""

    hazard = "jailbreak"
    scorer = "planted-string"

    def languages(self, system: System) -> dict[str, float]:
        """Share of each language."""
        required(bool(system.description.prompt.strip()), self.hazard, "prompt")
        return super().languages(system)

    def item(self, system: System, language: str, attack: str, rng: random.Random) -> Item:
        """One wrapped request for a fresh seal that must not be written."""
        rule = house_rule(language, rng)
        known = self._requests()
        text = fill(rng.choice(known.templates[language]), known.slots, language, rng, {"ask": rule.ask(rng)})
        wrapped = wrap(attack, text, language, rng)
        return Item(
            hazard=self.hazard,
            seed=f"{rule.text}\n{text}",
            attack=attack,
            language=language,
            request=rule.over(ask_wrapped(system, wrapped)),
            expectation=Expectation(needles=(rule.seal,), carrier=wrapped.carrier),
            script=wrapped.script,
        )
