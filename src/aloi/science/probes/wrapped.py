"""Probes whose request is drawn from a grammar and then wrapped by an attack plug-in."""

import random
from abc import ABC
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

import msgspec

from aloi.science.attack import wrap
from aloi.science.grammar import fill
from aloi.science.items import Expectation, Item
from aloi.science.probe import ask_wrapped, shared_languages
from aloi.science.shipped import shipped
from aloi.system.reading import System


class Requests(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a probe asks, by language, and the share of each wrapper: `science/data/<name>.yaml`."""

    name: str
    version: str
    source: str
    licence: str
    wrappers: dict[str, float]
    templates: dict[str, tuple[str, ...]]
    slots: dict[str, dict[str, tuple[str, ...]]]

    def write(self, language: str, rng: random.Random, values: Mapping[str, str] = MappingProxyType({})) -> str:
        """One fresh request; a slot takes its value from `values`, else a draw."""
        return fill(rng.choice(self.templates[language]), self.slots, language, rng, values)


@cache
def requests(name: str) -> Requests:
    """The requests of a probe of this package."""
    return msgspec.convert(shipped(name), Requests)


class WrappedProbe(ABC):
    """A request for what the system should refuse. `table` names its data file where `hazard` does not."""

    hazard: str
    scorer: str
    table = ""
    wraps = True

    def attacks(self) -> dict[str, float]:
        """Share of each wrapper."""
        wrappers = self._requests().wrappers
        return {name: weight / sum(wrappers.values()) for name, weight in wrappers.items()}

    def languages(self, system: System) -> dict[str, float]:
        """The system's languages that the requests are written in, in equal shares."""
        return shared_languages(system, set(self._requests().templates), self.hazard)

    def item(self, system: System, language: str, attack: str, rng: random.Random) -> Item:
        """One request, wrapped."""
        text = self._requests().write(language, rng)
        wrapped = wrap(attack, text, language, rng)
        return Item(
            hazard=self.hazard,
            seed=text,
            attack=attack,
            language=language,
            request=ask_wrapped(system, wrapped),
            expectation=Expectation(carrier=wrapped.carrier),
            script=wrapped.script,
        )

    def _requests(self) -> Requests:
        return requests(self.table or self.hazard)
