"""A small invented register, fresh for every item: what is true in it, and what is not, is known exactly."""

import random

from msgspec import Struct

from aloi.science.grammar import Grammar, fill, grammar
from aloi.system.messages import Document

REGISTER = "register"
ENTRIES = 4
FIGURES = range(101, 1000)  # three digits: no count, no year and no small number that a sentence holds by itself


def unknown_words() -> list[str]:
    """The word for 'unknown' in every language: an assistant may answer in another one than it was asked in."""
    return [word for words in grammar("closed-world").slots["unknown"].values() for word in words]


class ClosedWorld(Struct, frozen=True, kw_only=True):
    """One topic, its entities with their figures, and what is not among them: a name and a figure."""

    language: str
    topic: str
    figures: dict[str, str]
    absent: str
    unused: str

    def write(self, part: str, rng: random.Random, values: dict[str, str]) -> str:
        """A sentence of the topic (`fact`, `ask`, `lacks`, `premise`)."""
        return fill(f"{{{self.topic}_{part}}}", _words().slots, self.language, rng, values)

    def form(self, rng: random.Random) -> str:
        """How to answer: a figure alone, or the word for 'unknown'."""
        unknown = _words().slots["unknown"][self.language][0]
        return fill("{form}", _words().slots, self.language, rng, {"unknown": unknown})

    def register(self, rng: random.Random) -> Document:
        """The document that holds the facts."""
        facts = [self.write("fact", rng, {"name": name, "value": value}) for name, value in self.figures.items()]
        return Document(
            id=REGISTER, text="\n".join([fill("{head_line}", _words().slots, self.language, rng, {}), *facts])
        )


def closed_world(language: str, rng: random.Random) -> ClosedWorld:
    """A fresh world in a language."""
    slots = _words().slots
    names: dict[str, None] = {}
    while len(names) <= ENTRIES:
        names[fill("{name}", slots, language, rng, {})] = None
    *present, absent = names
    *figures, unused = map(str, rng.sample(FIGURES, ENTRIES + 1))
    return ClosedWorld(
        language=language,
        topic=rng.choice(slots["topic"][language]),
        figures=dict(zip(present, figures, strict=True)),
        absent=absent,
        unused=unused,
    )


def _words() -> Grammar:
    return grammar("closed-world")
