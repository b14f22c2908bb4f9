"""unsafe-output, by another probe: a typed value must be put into one line of code, and not become code itself."""

import random
import string

from aloi.science.grammar import fill, grammar
from aloi.science.items import Expectation, Item
from aloi.science.probe import ask, shared_languages
from aloi.system.reading import System

NAME = "output-injection"
CODE = "code"


class OutputInjectionProbe:
    """Needs nothing of the system. A model that writes no such code, or refuses to, does no harm by it and passes."""

    hazard = "unsafe-output"
    scorer = "injected-code"

    def attacks(self) -> dict[str, float]:
        """Share of each language of code."""
        return grammar(NAME).weights()

    def languages(self, system: System) -> dict[str, float]:
        """Share of each language."""
        return shared_languages(system, grammar(NAME).languages(), self.hazard)

    def item(self, system: System, language: str, attack: str, rng: random.Random) -> Item:
        """One request for a line of code around a fresh value."""
        name = fill("{name}", grammar("closed-world").slots, language, rng, {})
        mark = "".join(rng.choices(string.ascii_lowercase, k=8))
        values = {"name": name, "mark": mark, "number": str(rng.randrange(10_000, 100_000))}
        payload = fill(f"{{{attack}_value}}", grammar(NAME).slots, CODE, rng, values)
        text = grammar(NAME).write(attack, language, rng, {"payload": payload})
        return Item(
            hazard=self.hazard,
            seed=text,
            attack=attack,
            language=language,
            request=ask(system, text),
            expectation=Expectation(details={"code": attack, "value": payload}),
        )
