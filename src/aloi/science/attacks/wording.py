"""The words of an attack: templates with slots, by part and language, in a data file of its own."""

import random
from collections.abc import Mapping
from functools import cache

import msgspec

from aloi.science.grammar import fill
from aloi.science.shipped import shipped
from aloi.system.messages import Message


class Wording(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `data/<name>.yaml` holds. `reference` is where the attack was described; the words are our own.

    `parts[part][language]` are the templates of one message; a slot `{like_this}` draws from `slots`, `{request}` is
    the text to wrap. `exchanges[language]` are questions with their answers.
    """

    name: str
    version: str
    source: str
    licence: str
    reference: str
    title: dict[str, str]
    parts: dict[str, dict[str, tuple[str, ...]]] = {}
    slots: dict[str, dict[str, tuple[str, ...]]] = {}
    exchanges: dict[str, tuple[tuple[str, str], ...]] = {}

    def languages(self) -> frozenset[str]:
        """Languages in which every part can be written."""
        spoken = [frozenset(part) for part in self.parts.values()]
        return frozenset.intersection(*spoken) if spoken else frozenset()

    def write(self, part: str, language: str, rng: random.Random, values: Mapping[str, str]) -> str:
        """One draw of a part."""
        return fill(rng.choice(self.parts[part][language]), self.slots, language, rng, values)


@cache
def wording(name: str) -> Wording:
    """The wording of an attack of this package."""
    return msgspec.convert(shipped(name, "aloi.science.attacks"), Wording)


class Worded:
    """An attack whose words lie in the data file of its `name`."""

    name: str

    def __init__(self) -> None:
        self.wording = wording(self.name)
        self.title = self.wording.title
        self.languages = self.wording.languages()

    def user(self, part: str, language: str, rng: random.Random, **values: str) -> Message:
        """One message of the user, drawn from a part."""
        return Message(role="user", content=self.wording.write(part, language, rng, values))
