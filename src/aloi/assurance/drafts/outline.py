"""What a draft must say: sections with their numbers in a norm, read from the files that ship."""

from functools import cache
from importlib.resources import files
from typing import Annotated, Literal

from msgspec import Meta, Struct

from aloi.standards.pack import Identifier, Slug
from aloi.standards.reading import Table, Text, Words, read_table

Drafted = Literal["annex-iv", "gpai-evaluation", "system-card"]
INCIDENT = "incident"
Filler = Literal[
    "identity",
    "versions",
    "purpose",
    "languages",
    "model",
    "components",
    "plan",
    "criteria",
    "signers",
    "unclaimed",
    "findings",
    "parts",
    "hunts",
    "benign",
    "effects",
    "deadline",
    "law",
    "occurred",
    "aware",
    "kind",
]


class Point(Struct, frozen=True, kw_only=True):
    """One thing that a section asks, and what a person must `write` where neither evidence nor a document answers it.

    `fill` names what evidence may say, of the `hazards` alone where there are any; `documents` the controls whose
    attached files answer it.
    """

    write: Text
    fill: tuple[Filler, ...] = ()
    hazards: tuple[Slug, ...] = ()
    documents: tuple[Slug, ...] = ()


class Section(Struct, frozen=True, kw_only=True):
    """A section at its number in the norm; `requirements` are those of the outline's framework that speak of it."""

    id: Identifier
    number: Text
    title: Text
    asks: Text
    points: Annotated[tuple[Point, ...], Meta(min_length=1)]
    requirements: tuple[Identifier, ...] = ()


class Kind(Struct, frozen=True, kw_only=True):
    """A kind of serious incident, and how many days after awareness it must be reported at the latest."""

    id: Slug
    article: Words
    days: Annotated[int, Meta(ge=1, le=366)]
    title: Text


class Outline(Struct, frozen=True, kw_only=True):
    """A draft before anything fills it. `framework` is the pack whose coverage is shown; `kinds` those of incidents."""

    title: Text
    about: Text
    checked_on: Words
    source: Words
    sections: Annotated[tuple[Section, ...], Meta(min_length=1)]
    framework: str = ""
    kinds: tuple[Kind, ...] = ()


@cache
def outline(name: str) -> Outline:
    """The outline of a draft that ships, or of the report of an incident."""
    place = files("aloi.assurance") / "data" / "drafts" / f"{name}.yaml"
    return read_outline(place.read_bytes(), place.name)


def read_outline(data: bytes, file: str) -> Outline:
    """An outline from its YAML. Raises InvalidFile with every fault of form."""
    return read_table(data, Outline, Table(file))
