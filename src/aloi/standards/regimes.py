"""Other regimes, and the acts around a law: listed with their status and dates, never computed."""

from datetime import date
from functools import cache
from importlib.resources import files
from typing import Annotated, Literal

from msgspec import Meta, Struct

from aloi.standards.pack import Slug
from aloi.standards.reading import Table, Text, Words, read_table
from aloi.translation import N_


class Regime(Struct, frozen=True, kw_only=True):
    """One regime or act: what began on `key_date`, what is expected next, and how sure both are.

    `seen_as_of` is the last day, month or year for which something was read about it. A `next_date` may be unknown
    although an event is expected.
    """

    id: Slug
    jurisdiction: Text
    instrument: Text
    status: Text
    key_date: date | None = None
    starts: Text | None = None
    next_date: date | None = None
    next_event: Text | None = None
    seen_as_of: Annotated[str, Meta(pattern=r"^\d{4}(-\d{2}){0,2}$")]
    certainty: Literal["primary", "several secondary", "one secondary"]
    sources: Words
    note: Text | None = None


class Regimes(Struct, frozen=True, kw_only=True):
    """The list, and until when it may be relied on: `horizon` is a number of days after `checked_on`."""

    checked_on: date
    horizon: Annotated[int, Meta(ge=1, le=3_650)]
    licence: Words
    regimes: Annotated[tuple[Regime, ...], Meta(min_length=1)]

    @property
    def key(self) -> str:
        """What a warning calls this list."""
        return "other-regimes"


@cache
def regimes() -> Regimes:
    """The list that ships with Aloi."""
    place = files("aloi.standards") / "data" / "regimes.yaml"
    return parse_regimes(place.read_bytes(), place.name)


def parse_regimes(data: bytes, file: str) -> Regimes:
    """A list from its YAML. Raises InvalidFile with every fault, each with its row and its remedy."""
    table = Table(file)
    result = read_table(data, Regimes, table)
    seen: set[str] = set()
    for i, regime in enumerate(result.regimes):
        at = f"regimes[{i}]"
        if regime.id in seen:
            table.fault(N_("{at}: {id} stands twice"), f"{at}.id", remedy=N_("keep one of the two"), id=regime.id)
        seen.add(regime.id)
        if regime.key_date and regime.next_date and regime.next_date < regime.key_date:
            message = N_("{at}: what comes next, on {end}, comes before {start}")
            remedy = N_("correct one of the two dates")
            table.fault(message, at, remedy=remedy, start=regime.key_date, end=regime.next_date)
        if regime.next_date and not regime.next_event:
            table.fault(N_("{at}: what happens on {end}?"), at, remedy=N_("add `next_event`"), end=regime.next_date)
    table.close()
    return result


class Event(Struct, frozen=True, kw_only=True):
    """What a day to come brings in one regime."""

    day: date
    regime: str
    what: Text


def events(listed: Regimes, after: date) -> tuple[Event, ...]:
    """What the listed regimes bring after `after`, the nearest first."""
    found = [
        Event(day=day, regime=regime.id, what=what)
        for regime in listed.regimes
        for day, what in ((regime.key_date, regime.starts), (regime.next_date, regime.next_event))
        if day and what and day > after
    ]
    return tuple(sorted(found, key=lambda event: event.day))
