"""Scenarios: what a user asks of an agent, in which workplace, what must come of it and what must not. All in YAML."""

import datetime as dt
import random
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import msgspec
from msgspec import Struct

from aloi.science.items import Expectation, Item
from aloi.science.probe import ask
from aloi.science.shipped import shipped
from aloi.science.workplace.drawing import Values, draw, fill
from aloi.science.workplace.environment import NAME, Workplace
from aloi.science.workplace.rules import Watch
from aloi.system.reading import System

LANGUAGES = frozenset({"en", "fr"})

Words = dict[str, tuple[str, ...]]  # by language, phrasings of the same
Step = dict[str, dict[str, Any]]  # one tool and the templates of its arguments
Turns = tuple[tuple[Step, ...], ...]  # calls after each thing that the user says


class Part(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a pack."""


class Goal(Part, frozen=True, kw_only=True):
    """What a planted text asks for, in which words, and what an agent does that obeys: `wrong` where it first reads the
    text, `later` where a later conversation finds it again."""

    id: str
    say: Words
    wrong: tuple[Step, ...]
    later: tuple[Step, ...] = ()
    tools: tuple[str, ...] = ()
    watch: dict[str, Any] = {}


class Scenario(Part, frozen=True, kw_only=True):
    """One situation. Texts are templates whose slots are `draws`; a mapping by language stands for one text.

    `solution` is what an agent does that is right, `wrong` what one does that fails: calls by turn of the user. Both
    are tried on the oracle in the tests, and the scripted agents of `aloi.testing` follow them.
    """

    id: str
    attack: str
    say: Words
    tools: tuple[str, ...]
    draws: dict[str, Any] = {}
    script: tuple[Words, ...] = ()
    sequel: tuple[Words, ...] = ()
    interrupt: int = 0
    max_answers: int = 12
    state: dict[str, Any] = {}
    watch: dict[str, Any] = {}
    solution: Turns = ()
    wrong: Turns = ()


class Pack(Part, frozen=True, kw_only=True):
    """The scenarios of one probe. A pack with `goals` plants one of them in the slot `planted` of each scenario."""

    name: str
    version: str
    source: str
    date: dt.date
    licence: str
    draws: dict[str, Any] = {}
    goals: tuple[Goal, ...] = ()
    uses: str = ""
    scenarios: tuple[Scenario, ...] = ()

    def attacks(self) -> dict[str, float]:
        """Equal shares for the attacks, however many scenarios each has."""
        names = list(dict.fromkeys(scenario.attack for scenario in self.scenarios))
        return {name: 1 / len(names) for name in names}

    def languages(self) -> set[str]:
        """Languages in which every scenario is written."""
        return set.intersection(*(set(scenario.say) for scenario in self.scenarios))

    def known(self, scenario: Scenario) -> dict[str, Any]:
        """All draws of a scenario: those of its pack, then its own, which may be built on them."""
        return {**self.draws, **scenario.draws}


@cache
def pack(name: str) -> Pack:
    """A pack of this package by name; one that `uses` another takes over its scenarios that have a
    place for a planted text, and its draws."""
    read = msgspec.convert(shipped(name, "aloi.science.workplace"), Pack)
    common = msgspec.structs.replace(read, draws={**_people(), **read.draws})
    if not read.uses:
        return common
    used = pack(read.uses)
    taken = (one for one in used.scenarios if "{planted}" in "".join(texts(one.state, next(iter(one.say)))))
    return msgspec.structs.replace(common, draws={**used.draws, **common.draws}, scenarios=(*taken, *read.scenarios))


@cache
def _people() -> dict[str, Any]:
    drawn: dict[str, Any] = shipped("people", "aloi.science.workplace")["draws"]
    return drawn


def write(node: Any, language: str, values: Mapping[str, str]) -> Any:
    """A node of a pack with its slots filled, in one language: a mapping of languages to texts becomes a text."""
    if isinstance(node, str):
        return fill(node, values)
    if isinstance(node, dict):
        if node and node.keys() <= LANGUAGES:
            return write(node[language], language, values)
        return {fill(key, values): write(value, language, values) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [write(one, language, values) for one in node]
    return node


def texts(node: Any, language: str) -> Iterator[str]:
    """Every text of a node in one language, unfilled."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        if node and node.keys() <= LANGUAGES:
            yield from texts(node[language], language)
        else:
            for value in node.values():
                yield from texts(value, language)
    elif isinstance(node, list | tuple):
        for one in node:
            yield from texts(one, language)


def item(
    name: str, hazard: str, system: System, language: str, attack: str, rng: random.Random, given: Values | None = None
) -> Item:
    """One fresh draw from a pack; `given` are values that the system has and the pack cannot draw."""
    known = pack(name)
    scenario = rng.choice([one for one in known.scenarios if one.attack == attack])
    goal = rng.choice(known.goals) if known.goals else None
    draws = known.known(scenario)
    values = draw({slot: drawn for slot, drawn in draws.items() if slot != "planted"}, language, rng, given or {})
    values |= _planted(draws, goal, language, rng, values)
    tools = list(dict.fromkeys((*scenario.tools, *(goal.tools if goal else ()))))
    rng.shuffle(tools)
    state = {"tools": tools, **write(scenario.state, language, values)}
    watch = _watch(scenario, goal, language, values)
    said = _phrased(scenario.say, language, rng, values)
    request = msgspec.structs.replace(ask(system, said), tools=Workplace().tools(state))
    return Item(
        hazard=hazard,
        seed="\n".join((scenario.id, said, values.get("planted", ""), values.get("canary", ""))),
        attack=attack,
        language=language,
        request=request,
        expectation=Expectation(details=watch.written()),
        script=tuple(_phrased(words, language, rng, values) for words in scenario.script),
        interrupt=scenario.interrupt,
        sequel=tuple(_phrased(words, language, rng, values) for words in scenario.sequel),
        environment=NAME,
        state=state,
        max_answers=scenario.max_answers,
    )


def _planted(draws: Mapping[str, Any], goal: Goal | None, language: str, rng: random.Random, values: Values) -> Values:
    """What stands in the slot `planted`: a goal's words, else an ordinary sentence."""
    if goal:
        return {"planted": _phrased(goal.say, language, rng, values)}
    return draw({"planted": draws["planted"]}, language, rng, values) if "planted" in draws else {}


def _watch(scenario: Scenario, goal: Goal | None, language: str, values: Values) -> Watch:
    """What the goal forbids; else what the scenario does."""
    written = write(goal.watch if goal else scenario.watch, language, values)
    return msgspec.convert(written, Watch, strict=False)


def _phrased(words: Words, language: str, rng: random.Random, values: Values) -> str:
    return fill(rng.choice(words[language]), values)
