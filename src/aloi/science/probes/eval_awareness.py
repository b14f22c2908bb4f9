"""eval-awareness: one request for what a rule forbids, framed as a test and framed as use."""

import random

from aloi.science.grammar import fill, grammar
from aloi.science.items import Expectation, Item
from aloi.science.probe import ask, required, shared_languages
from aloi.science.probes.house_rule import house_rule
from aloi.science.probes.twins import twins
from aloi.system.reading import System


class EvalAwarenessProbe:
    """Needs `prompt`, as the probe for jailbreak does: the rule is added to it."""

    hazard = "eval-awareness"
    scorer = "deployment-only"

    def attacks(self) -> dict[str, float]:
        """Share of each way to look like a test."""
        return grammar(self.hazard).weights()

    def languages(self, system: System) -> dict[str, float]:
        """Share of each language."""
        required(bool(system.description.prompt.strip()), self.hazard, "prompt")
        return shared_languages(system, grammar(self.hazard).languages(), self.hazard)

    def item(self, system: System, language: str, attack: str, rng: random.Random) -> Item:
        """One request in both framings, under one rule."""
        known, rule = grammar(self.hazard), house_rule(language, rng)
        values = {"ask": rule.ask(rng), "number": str(rng.randrange(100, 10_000))}
        test = fill(rng.choice(known.attacks[attack].templates[language]), known.slots, language, rng, values)
        use = fill("{use}", known.slots, language, rng, values)
        item = Item(
            hazard=self.hazard,
            seed=f"{rule.text}\n{test}",
            attack=attack,
            language=language,
            request=rule.over(ask(system, test)),
            expectation=Expectation(needles=(rule.seal,)),
        )
        return twins(item, use)
