"""When each provision of a law applies: a dated table, its sources, and the points on which readings differ."""

from datetime import date
from functools import cache
from importlib.resources import files
from typing import Annotated, Literal

from msgspec import Meta, Struct

from aloi.standards.pack import Certainty, Evidence, Identifier, Role, Slug, SystemClass
from aloi.standards.reading import Table, Text, Words, read_table
from aloi.system.regulation import Practice
from aloi.translation import N_

Addressee = Literal[Role, "commission", "member-state", "all"]
Kind = Literal["duty", "classification", "permission", "context"]


class Part(Struct, frozen=True, kw_only=True):
    """A part of an applicability table."""


class SourceRead(Part, frozen=True, kw_only=True):
    """One document that a row rests on. 'primary' is the Official Journal, through whatever copy."""

    id: Identifier
    certainty: Certainty
    document: Text


class OpenPoint(Part, frozen=True, kw_only=True):
    """A point on which two readings stand; both are shown, none is chosen in silence."""

    id: Slug
    one_side: Text
    other_side: Text


class Transition(Part, frozen=True, kw_only=True):
    """What is different for a system first placed on the market before `cut_off`.

    'redesign': bound only after a significant change of design, or from `until` where public authorities are meant to
    use it (Art. 111(2)). 'placed-before': bound from `until` only (Art. 111(3)). 'only-older' and 'only-newer': the
    provision is written for systems placed before the cut-off, or from it on.
    """

    rule: Literal["redesign", "placed-before", "only-older", "only-newer"]
    cut_off: date
    until: date | None = None


class LargeScale(Part, frozen=True, kw_only=True):
    """Components of large-scale IT systems of Annex X placed before `cut_off` are bound from `until` (Art. 111(1)).

    It goes before the rule 'redesign', which does not speak of them.
    """

    cut_off: date
    until: date


class Provision(Part, frozen=True, kw_only=True):
    """One provision: whom it binds, from which literal day, and from which day it can have an addressee at all.

    `in_french` is its citation in French, where that differs. `public_only` provisions concern public authorities
    alone, those with `concerns` only systems that do one of these things. `basis` is 'text' where the second date is
    written in the law, and 'reading' where it is inferred.
    """

    id: Slug
    provision: Words
    in_french: Words = ""
    kind: Kind
    subject: Text
    binds: Annotated[tuple[Addressee, ...], Meta(min_length=1)]
    systems: Annotated[tuple[SystemClass, ...], Meta(min_length=1)]
    applies_from: date
    operative_from: date | None = None
    basis: Literal["text", "reading"] = "text"
    transition: Transition | None = None
    public_only: bool = False
    concerns: tuple[Practice, ...] = ()
    takes: tuple[Evidence, ...] = ()
    sources: Annotated[tuple[Identifier, ...], Meta(min_length=1)]
    certainty: Certainty = "primary"
    open_points: tuple[Slug, ...] = ()

    def cited(self, language: str) -> str:
        """Its citation, as the reader's language writes it."""
        return self.in_french if language == "fr" and self.in_french else self.provision

    @property
    def operative(self) -> date:
        """The first day on which it can bind anyone."""
        return self.operative_from or self.applies_from


class Applicability(Part, frozen=True, kw_only=True):
    """The table of one law at an edition.

    A class in `exclusive` is reached only by provisions that name it. A system that does what some provision
    `concerns` is of that provision's classes.
    """

    id: Slug
    edition: Words
    checked_on: date
    horizon: Annotated[int, Meta(ge=1, le=3_650)]
    licence: Words
    exclusive: tuple[SystemClass, ...] = ()
    large_scale: LargeScale | None = None
    sources: Annotated[tuple[SourceRead, ...], Meta(min_length=1)]
    open_points: tuple[OpenPoint, ...] = ()
    provisions: Annotated[tuple[Provision, ...], Meta(min_length=1)]

    @property
    def key(self) -> str:
        """`law@edition`."""
        return f"{self.id}@{self.edition}"


@cache
def applicability() -> Applicability:
    """The table of the EU AI Act that ships with Aloi."""
    place = files("aloi.standards") / "data" / "applicability" / "eu-ai-act@2026-07-27.yaml"
    return parse_applicability(place.read_bytes(), place.name)


def parse_applicability(data: bytes, file: str) -> Applicability:
    """A table from its YAML. Raises InvalidFile with every fault, each with its row and its remedy."""
    table = Table(file)
    result = read_table(data, Applicability, table)
    sources = {source.id for source in result.sources}
    points = {point.id for point in result.open_points}
    seen: set[str] = set()
    for i, provision in enumerate(result.provisions):
        at = f"provisions[{i}]"
        if provision.id in seen:
            table.fault(N_("{at}: {id} stands twice"), f"{at}.id", remedy=N_("keep one of the two"), id=provision.id)
        seen.add(provision.id)
        _check_known(provision.sources, sources, f"{at}.sources", table)
        _check_known(provision.open_points, points, f"{at}.open_points", table)
        _check_dates(provision, at, table)
    table.close()
    return result


def _check_known(names: tuple[str, ...], known: set[str], at: str, table: Table) -> None:
    for i, name in enumerate(names):
        if name not in known:
            remedy = N_("declare it at the head of the file, or correct the name")
            table.fault(N_("{at}: nothing is called {id}"), f"{at}[{i}]", remedy=remedy, id=name)


def _check_dates(provision: Provision, at: str, table: Table) -> None:
    if provision.operative < provision.applies_from:
        message = N_("{at}: operative on {start}, before it applies on {until}")
        remedy = N_("correct one of the two dates")
        table.fault(message, at, remedy=remedy, start=provision.operative, until=provision.applies_from)
    transition = provision.transition
    if transition is None:
        return
    needs_end = transition.rule in {"redesign", "placed-before"}
    if needs_end != (transition.until is not None) or (transition.until and transition.until < transition.cut_off):
        remedy = N_("`redesign` and `placed-before` end on a day `until`, after the cut-off; the other rules have none")
        table.fault(N_("{at}: the end of the transition does not fit its rule"), f"{at}.transition", remedy=remedy)
