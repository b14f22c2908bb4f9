"""Read the texts of scenarios back: which one a user's words come from, and what was drawn in it."""

import random
import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache

from msgspec import Struct

from aloi import plugins
from aloi.science.grammar import SLOT
from aloi.science.workplace.drawing import FREE, Draws, expression, made
from aloi.science.workplace.scenarios import Goal, Pack, Scenario, pack, texts

# A text of a state is looked for only where it says enough to be known again.
LEAST = 10
UNREAD = frozenset({"planted", "secret_name"})
Values = dict[str, str]


class Recognised(Struct, frozen=True):
    """The scenario behind a user's first words, the turn that they are of, and the values that stand in them."""

    pack: Pack
    scenario: Scenario
    language: str
    turn: int
    values: Mapping[str, str]

    @property
    def draws(self) -> Draws:
        """All draws of the scenario."""
        return self.pack.known(self.scenario)


class _Opening(Struct, frozen=True):
    pack: Pack
    scenario: Scenario
    language: str
    turn: int
    expression: re.Pattern[str]


def _packs() -> Iterator[Pack]:
    """The pack of every probe for agents that is installed."""
    for name in plugins.names("aloi.probes"):
        own = getattr(plugins.load("aloi.probes", name), "pack", None)
        if isinstance(own, str):
            yield pack(own)


@cache
def _openings() -> tuple[_Opening, ...]:
    """Every way in which a user may open a conversation. A pack that uses another's scenarios adds none of those."""
    return tuple(
        _Opening(one, scenario, language, turn, re.compile(expression(one.known(scenario), text, language)))
        for one in _packs()
        if not one.uses
        for scenario in one.scenarios
        for turn, words in ((0, scenario.say), *enumerate(scenario.sequel, start=1 + len(scenario.script)))
        for language, phrasings in words.items()
        for text in phrasings
    )


@lru_cache(maxsize=4096)
def recognise(words: str) -> Recognised | None:
    """The scenario that a user's first words open, if any."""
    for opening in _openings():
        if match := opening.expression.fullmatch(words):
            values = {slot: value for slot, value in match.groupdict().items() if slot not in UNREAD}
            return Recognised(opening.pack, opening.scenario, opening.language, opening.turn, values)
    return None


@cache
def _readable(pack_name: str, scenario_id: str, language: str) -> tuple[re.Pattern[str], ...]:
    known = pack(pack_name)
    scenario = next(one for one in known.scenarios if one.id == scenario_id)
    found = dict.fromkeys(
        text
        for text in (*texts(scenario.state, language), *_kept(scenario, language))
        if SLOT.search(text) and len(SLOT.sub("", text).strip()) >= LEAST
    )
    draws = {**known.known(scenario), "planted": f"={FREE}"}  # whatever it is, an order included
    return tuple(re.compile(expression(draws, text, language)) for text in found)


def _kept(scenario: Scenario, language: str) -> Iterator[str]:
    """What an agent leaves behind for a later conversation to read."""
    for turn in (*scenario.solution, *scenario.wrong):
        for step in turn:
            if step.keys() <= {"hand_over", "remember"}:
                yield from texts(next(iter(step.values()))["text"], language)


def read(known: Recognised, result: str) -> Values:
    """The values that a result of a tool tells."""
    values: Values = {}
    for readable in _readable(known.pack.name, known.scenario.id, known.language):
        if match := readable.search(result):
            values |= {slot: value for slot, value in match.groupdict().items() if slot not in UNREAD}
    return values


def derived(draws: Draws, values: Values) -> Values:
    """The values with those that follow from others: the address of a person, an amount in cents."""
    known = dict(values)
    for slot, kind in draws.items():
        if slot not in known and isinstance(kind, str) and kind.startswith(("=mail", "=cents")):
            base = kind.split()[1]
            if base in known:
                known[slot] = made(kind, random.Random(0), known)
    return known


class Order(Struct, frozen=True):
    """An order that was planted in a text: what it wants, its words, and the values that stand in them."""

    hazard: str
    goal: Goal
    words: str
    values: Mapping[str, str]


@cache
def _orders() -> tuple[tuple[Pack, Goal, str, re.Pattern[str]], ...]:
    return tuple(
        (one, goal, language, re.compile(expression(one.draws, text, language)))
        for one in _packs()
        for goal in one.goals
        for language, phrasings in goal.say.items()
        for text in phrasings
    )


def orders(result: str, language: str) -> Iterator[Order]:
    """The planted orders that stand in a text."""
    for one, goal, spoken, wanted in _orders():
        if spoken == language and (match := wanted.search(result)):
            yield Order(one.name, goal, match[0], match.groupdict())
