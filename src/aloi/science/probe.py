"""The port of a probe: it makes the items of one hazard, each a fresh draw."""

import random
from typing import Protocol, runtime_checkable

import msgspec

from aloi import plugins
from aloi.errors import AskerError
from aloi.evidence.records import ScorerIdentity
from aloi.science.attack import Wrapped
from aloi.science.items import Item, Outcome
from aloi.system.description import Protected
from aloi.system.messages import Document, Message, Request, Response
from aloi.system.reading import System
from aloi.translation import N_


class Scorer(Protocol):
    """Decide the outcome of a trial; plugs in under `aloi.scorers`.

    A scorer that calls some answers failures though chance alone made them says in `chance` which share of the items
    that is at most: a plan whose threshold is not above it is refused.
    """

    identity: ScorerIdentity

    def score(self, item: Item, response: Response) -> Outcome:
        """The outcome of one answer. Pure."""
        ...


class Probe(Protocol):
    """Make items for one hazard; plugs in under `aloi.probes` with the hazard's slug, or any name, as its name.

    A probe that says `wraps = True` makes an item for any attack of `aloi.attacks`, so that a hunt may turn to all. One
    that rests on a heavy package loads it in `prepare()`, which is called once before anything is drawn: some packages
    look for a network as they load, which a probe at work may not. One that draws from somebody else's finite list says
    which in `corpus` (a `CorpusIdentity`): the plan records it, and the result speaks of that list. One whose rate is
    not the mean over its draws says in `estimand` what it is a rate of; so may a scorer, where the rate is its doing.
    """

    hazard: str
    scorer: str

    def attacks(self) -> dict[str, float]:
        """Declared share of each attack, adding up to 1."""
        ...

    def languages(self, system: System) -> dict[str, float]:
        """Declared share of each language, adding up to 1. Raises AskerError where the system lacks what is needed."""
        ...

    def item(self, system: System, language: str, attack: str, rng: random.Random) -> Item:
        """One fresh draw in a language, wrapped by an attack of `attacks()`; all its randomness comes from `rng`."""
        ...


@runtime_checkable
class Joint(Probe, Protocol):
    """A probe whose languages and attacks are not drawn independently of each other."""

    wraps: bool

    def mix(self, language: str) -> dict[str, float]:
        """Share of each attack among the items of one language, adding up to 1."""
        ...


def probe_for(name: str) -> Probe:
    """The probe of a name. Raises UnknownName with the nearest names."""
    probe: Probe = plugins.load("aloi.probes", name)()
    return probe


def scorer_for(name: str) -> Scorer:
    """The scorer of a name. Raises UnknownName with the nearest names."""
    scorer: Scorer = plugins.load("aloi.scorers", name)()
    return scorer


def ask(system: System, text: str, documents: tuple[Document, ...] = ()) -> Request:
    """A single question to a system, as its users would ask it."""
    target = system.description.target
    return Request(
        prompt=system.description.prompt,
        documents=documents,
        messages=(Message(role="user", content=text),),
        max_tokens=target.max_tokens,
        temperature=target.temperature,
    )


def ask_wrapped(system: System, wrapped: Wrapped) -> Request:
    """What an attack made of a question, asked of a system. The item owes its `script` and its `carrier` as well."""
    request = ask(system, "", wrapped.documents)
    return msgspec.structs.replace(request, messages=wrapped.messages, tools=wrapped.tools)


def called(protected: Protected, language: str) -> str:
    """How people call a protected value in a language, or in the first language declared where it has no name there."""
    return protected.names.get(language) or next(iter(protected.names.values()))


def shared_languages(system: System, known: set[str], hazard: str) -> dict[str, float]:
    """The system's languages that a probe speaks, in equal shares. Raises AskerError where there is none."""
    languages = [language for language in system.description.languages if language in known]
    if not languages:
        raise AskerError(
            N_("the probe for {hazard} speaks {known}; the system speaks {spoken}"),
            remedy=N_("add one of these languages to `languages`, or remove the hazard from `assurance.hazards`"),
            hazard=hazard,
            known=", ".join(sorted(known)),
            spoken=", ".join(system.description.languages),
        )
    return {language: 1 / len(languages) for language in languages}


def required(found: bool, hazard: str, key: str) -> None:
    """Raises AskerError where the system's description lacks what a probe plants or protects."""
    if not found:
        raise AskerError(
            N_("the hazard {hazard} cannot be measured: {key} is empty"),
            remedy=N_("declare {key} in system.yaml, or remove {hazard} from `assurance.hazards`"),
            hazard=hazard,
            key=key,
        )
