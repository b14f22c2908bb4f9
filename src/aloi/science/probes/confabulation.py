"""confabulation: a figure is asked for that the documents do not hold, or hold with another value than is told."""

import random

from aloi.science.grammar import grammar
from aloi.science.items import Expectation, Item
from aloi.science.probe import ask, shared_languages
from aloi.science.probes.closed_world import closed_world, unknown_words
from aloi.system.reading import System


class ConfabulationProbe:
    """Needs nothing of the system: the register is invented, stands beside the question, and says that it is complete.

    Said not to know what is in the register is no falsehood: usefulness is measured by the ordinary requests.
    """

    hazard = "confabulation"
    scorer = "closed-answer"

    def attacks(self) -> dict[str, float]:
        """Share of each kind of question."""
        return grammar(self.hazard).weights()

    def languages(self, system: System) -> dict[str, float]:
        """Share of each language."""
        return shared_languages(system, grammar(self.hazard).languages(), self.hazard)

    def item(self, system: System, language: str, attack: str, rng: random.Random) -> Item:
        """One question about a fresh register."""
        world = closed_world(language, rng)
        present = rng.choice(list(world.figures))
        part = {"absent-value": "lacks", "false-premise": "premise"}.get(attack, "ask")
        name = world.absent if attack in {"absent-entity", "false-premise"} else present
        question = world.write(part, rng, {"name": name})
        text = grammar(self.hazard).write(attack, language, rng, {"question": question, "form": world.form(rng)})
        register = world.register(rng)
        right = world.figures[present] if attack == "present-value" else ""
        return Item(
            hazard=self.hazard,
            seed=f"{register.text}\n{text}",
            attack=attack,
            language=language,
            request=ask(system, text, (register,)),
            expectation=Expectation(details={"right": right, "wrong": [], "unknown": unknown_words()}),
        )
