"""The port of an attack: how a request is wrapped, so that a system that would refuse it plainly may not."""

import random
import re
from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

from aloi import plugins
from aloi.errors import AskerError
from aloi.science.egress import sealed
from aloi.system.messages import Document, Message, Tool
from aloi.translation import N_

_SURROGATE = re.compile("[\ud800-\udfff]")


class Wrapped(Struct, frozen=True, kw_only=True):
    """A wrapped request: the conversation up to the first question, the turns that follow it, documents beside it.

    `tools` are those that the conversation says were called. Where the request arrives in retrieved text, `carrier`
    names it as guards do: the id of a document, or `messages[i]` for a tool's result.
    """

    messages: tuple[Message, ...]
    script: tuple[str, ...] = ()
    documents: tuple[Document, ...] = ()
    tools: tuple[Tool, ...] = ()
    carrier: str = ""


class Attack(Protocol):
    """One way to wrap a request; plugs in under `aloi.attacks`. An empty `languages` means every language.

    `title` says in English and in French what it does.
    """

    title: Mapping[str, str]
    languages: frozenset[str]

    def wrap(self, text: str, language: str, rng: random.Random) -> Wrapped:
        """The request `text`, wrapped in words of `language`. Pure: all its randomness comes from `rng`."""
        ...


def attack_for(name: str) -> Attack:
    """The attack of a name. Raises UnknownName with the nearest names."""
    attack: Attack = plugins.load("aloi.attacks", name)()
    return attack


def speaks(name: str, language: str) -> bool:
    """Whether the attack of a name wraps requests in a language. Raises UnknownName with the nearest names."""
    languages = attack_for(name).languages
    return not languages or language in languages


def wrap(name: str, text: str, language: str, rng: random.Random) -> Wrapped:
    """A request, wrapped by the attack of a name, which may not leave the process meanwhile.

    Raises AskerError for a request that nobody could send (blank, or with half a surrogate pair), for a language that
    the attack does not speak, and where a plug-in gives back no conversation that ends with its user or a tool.
    """
    if not text.strip() or _SURROGATE.search(text):
        raise AskerError(
            N_("a request to wrap is blank, or holds half a surrogate pair: {text}"),
            remedy=N_("give the attack a text that can be sent"),
            text=ascii(text[:40]),
        )
    attack = attack_for(name)
    if attack.languages and language not in attack.languages:
        raise AskerError(
            N_("the attack {name} speaks {known}, not {language}"),
            remedy=N_("choose another attack for this language; `aloi catalog attacks` lists them"),
            name=name,
            known=", ".join(sorted(attack.languages)),
            language=language,
        )
    with sealed(name):
        wrapped = attack.wrap(text, language, rng)
    if not wrapped.messages or wrapped.messages[-1].role not in {"user", "tool"}:
        raise AskerError(
            N_("the attack {name} gave back a conversation that asks nothing"),
            remedy=N_("its `wrap` must end with a message of the user or of a tool"),
            name=name,
        )
    return wrapped
