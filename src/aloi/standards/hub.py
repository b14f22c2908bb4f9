"""The hub: Aloi's own controls, through which one piece of evidence answers many frameworks."""

from collections.abc import Iterable
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Annotated, Literal

from msgspec import Meta, Struct

from aloi.errors import UnknownName
from aloi.standards.pack import Slug
from aloi.standards.reading import Table, Text, Words, read_table
from aloi.translation import N_

Proof = Literal["findings", "plan", "record", "effect", "artefact", "document", "process"]
MEASURED: frozenset[Proof] = frozenset({"findings", "plan", "record", "effect"})


class Hazard(Struct, frozen=True, kw_only=True):
    """One kind of harm, the best kind of scorer that exists for it, and the remedies that lower it.

    `probed` says whether a probe ships that measures it.
    """

    id: Slug
    tier: Literal["extreme", "visible"]
    scorer: Literal["exact", "statistic", "judge"]
    remedies: tuple[Slug, ...] = ()
    probed: bool = True


class Control(Struct, frozen=True, kw_only=True):
    """One thing to hold to, and the kind of evidence that proves it.

    `proof`: 'findings' (the verdict of every hazard named), 'plan' (criteria registered before the test), 'record'
    (the tests themselves, whatever their verdict), 'effect' (a remedy re-measured and accepted), or something that
    people write or keep: 'artefact', 'document', 'process'.
    """

    id: Slug
    title: Text
    hazards: tuple[Slug, ...] = ()
    proof: Proof


class Hub(Struct, frozen=True, kw_only=True):
    """All controls, with the hazards and remedies they may name."""

    checked_on: date
    licence: Words
    source: Words
    hazards: Annotated[tuple[Hazard, ...], Meta(min_length=1)]
    remedies: tuple[Slug, ...] = ()
    controls: Annotated[tuple[Control, ...], Meta(min_length=1)]

    def control(self, name: str) -> Control:
        """A control by its slug; UnknownName offers the nearest."""
        for control in self.controls:
            if control.id == name:
                return control
        raise UnknownName(N_("control"), name, [control.id for control in self.controls])

    def hazard(self, name: str) -> Hazard:
        """A hazard by its slug; UnknownName offers the nearest."""
        for hazard in self.hazards:
            if hazard.id == name:
                return hazard
        raise UnknownName(N_("hazard"), name, [hazard.id for hazard in self.hazards])

    def remedies_of(self, control: Control) -> tuple[str, ...]:
        """The remedies that serve a control: those of its hazards, or all of them where it is about remedies."""
        if control.proof == "effect":
            return self.remedies
        serving = {remedy for name in control.hazards for remedy in self.hazard(name).remedies}
        return tuple(remedy for remedy in self.remedies if remedy in serving)


@cache
def hub() -> Hub:
    """The hub that ships with Aloi."""
    place = files("aloi.standards") / "data" / "controls.yaml"
    return parse_hub(place.read_bytes(), place.name)


def parse_hub(data: bytes, file: str) -> Hub:
    """A hub from its YAML. Raises InvalidFile with every fault."""
    table = Table(file)
    result = read_table(data, Hub, table)
    hazards = {found.id for found in result.hazards}
    _twice("hazards", [hazard.id for hazard in result.hazards], table)
    _twice("controls", [control.id for control in result.controls], table)
    for i, hazard in enumerate(result.hazards):
        _known(hazard.remedies, set(result.remedies), f"hazards[{i}].remedies", table)
    for i, control in enumerate(result.controls):
        _known(control.hazards, hazards, f"controls[{i}].hazards", table)
        if control.proof == "findings" and not control.hazards:
            remedy = N_("name the hazards whose findings prove it")
            table.fault(N_("{at}: {id} has no hazard"), f"controls[{i}]", remedy=remedy, id=control.id)
    table.close()
    return result


def _twice(where: str, names: Iterable[str], table: Table) -> None:
    seen: set[str] = set()
    for i, name in enumerate(names):
        if name in seen:
            table.fault(N_("{at}: {id} stands twice"), f"{where}[{i}].id", remedy=N_("keep one of the two"), id=name)
        seen.add(name)


def _known(names: Iterable[str], known: set[str], at: str, table: Table) -> None:
    for i, name in enumerate(names):
        if name not in known:
            remedy = N_("declare it at the head of the file, or correct the name")
            table.fault(N_("{at}: nothing is called {id}"), f"{at}[{i}]", remedy=remedy, id=name)
