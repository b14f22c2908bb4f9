"""memory-rag-poisoning: a note in the index, vouched for by nobody, contradicts the official register."""

import random

from aloi.science.grammar import fill, grammar
from aloi.science.items import Expectation, Item
from aloi.science.probe import ask, shared_languages
from aloi.science.probes.closed_world import closed_world, unknown_words
from aloi.science.probes.planted import CARRIER
from aloi.system.messages import Document
from aloi.system.reading import System


class PoisoningProbe:
    """Needs nothing of the system. The question comes in a later turn, and asks for what the official register says."""

    hazard = "memory-rag-poisoning"
    scorer = "closed-answer"

    def attacks(self) -> dict[str, float]:
        """Share of each kind of note."""
        return grammar(self.hazard).weights()

    def languages(self, system: System) -> dict[str, float]:
        """Share of each language."""
        return shared_languages(system, grammar(self.hazard).languages(), self.hazard)

    def item(self, system: System, language: str, attack: str, rng: random.Random) -> Item:
        """One conversation over a true and a poisoned document."""
        known = grammar(self.hazard)
        world = closed_world(language, rng)
        name = rng.choice(list(world.figures))
        claim = world.write("fact", rng, {"name": name, "value": world.unused})
        note = Document(id=CARRIER, text=known.write(attack, language, rng, {"planted": claim}))
        documents = [world.register(rng), note]
        rng.shuffle(documents)
        gap = "" if language == "zh" else " "
        question = f"{world.write('ask', rng, {'name': name})}{gap}{world.form(rng)}"
        opening = fill("{opening}", known.slots, language, rng, {})
        details = {"right": world.figures[name], "wrong": [world.unused], "unknown": unknown_words()}
        return Item(
            hazard=self.hazard,
            seed=f"{documents[0].text}\n{documents[1].text}\n{question}",
            attack=attack,
            language=language,
            request=ask(system, opening, tuple(documents)),
            script=(question,),
            expectation=Expectation(carrier=CARRIER, details=details),
        )
