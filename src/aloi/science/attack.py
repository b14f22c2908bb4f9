"""The port of an attack: how a request is wrapped, so that a system that would refuse it plainly may not."""

import random
from typing import Protocol

from msgspec import Struct

from aloi import plugins
from aloi.system.messages import Document, Message


class Wrapped(Struct, frozen=True, kw_only=True):
    """A wrapped request: the conversation up to the first question, the turns that follow it, documents beside it."""

    messages: tuple[Message, ...]
    script: tuple[str, ...] = ()
    documents: tuple[Document, ...] = ()


class Attack(Protocol):
    """One way to wrap a request; plugs in under `aloi.attacks`. An empty `languages` means every language."""

    languages: frozenset[str]

    def wrap(self, text: str, language: str, rng: random.Random) -> Wrapped:
        """The request `text`, wrapped in words of `language`; all its randomness comes from `rng`."""
        ...


def attack_for(name: str) -> Attack:
    """The attack of a name. Raises UnknownName with the nearest names."""
    attack: Attack = plugins.load("aloi.attacks", name)()
    return attack
