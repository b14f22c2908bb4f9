"""The catalogue of hazards: 25 kinds of harm, each with a stable slug and a tier."""

from datetime import date
from functools import cache
from typing import Annotated, Literal

from msgspec import Meta, Struct, convert

from aloi.errors import UnknownName
from aloi.science.shipped import shipped
from aloi.translation import N_

# One line in each language: what a report or a list can show beside a slug.
Words = dict[str, Annotated[str, Meta(min_length=1, max_length=240, pattern=r"^[^\n]+$")]]
Slug = Annotated[str, Meta(pattern=r"^[a-z]+(-[a-z]+)*$")]


class Part(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of the catalogue."""


class Mapping(Part, frozen=True, kw_only=True):
    """A numbered entry of another list that speaks of the same thing, as `framework@edition:id`.

    `unconfirmed` where the id was read in others' accounts only, or is not the list's own number for a risk.
    """

    to: Annotated[str, Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*@[A-Za-z0-9][A-Za-z0-9.-]*:\S(.*\S)?$")]
    unconfirmed: bool = False

    @property
    def framework(self) -> str:
        """The list at its edition, `framework@edition`."""
        return self.to.partition(":")[0]

    @property
    def id(self) -> str:
        """The entry's id, as the list's publisher writes it."""
        return self.to.partition(":")[2]


class Hazard(Part, frozen=True, kw_only=True):
    """One kind of harm. `title` and `description` (one line) are keyed by language.

    `surfaces` are where it shows. `scorers` are the kinds of scorer that can decide it on one of them: an oracle is
    exact, a statistic compares rates, a judge can err.
    """

    slug: Slug
    tier: Literal["extreme", "visible"]
    surfaces: tuple[Literal["endpoint", "agent", "predictive", "file", "media", "record"], ...]
    scorers: tuple[Literal["oracle", "statistic", "judge"], ...]
    title: Words
    description: Words
    maps_to: tuple[Mapping, ...]


class Metric(Part, frozen=True, kw_only=True):
    """What is measured beside every hazard and every remedy, and is no hazard itself."""

    name: Slug
    title: Words
    description: Words


class HazardPack(Part, frozen=True, kw_only=True):
    """The catalogue at an edition: where it comes from, when it was last checked, and all its entries."""

    id: Slug
    edition: str
    title: Words
    source: str
    checked_on: date
    licence: str
    always_on: tuple[Metric, ...]
    hazards: tuple[Hazard, ...]


@cache
def pack() -> HazardPack:
    """The catalogue that ships."""
    return convert(shipped("hazards"), HazardPack)


@cache
def hazards() -> dict[str, Hazard]:
    """All hazards by slug, extreme ones first."""
    return {hazard.slug: hazard for hazard in pack().hazards}


def hazard(slug: str) -> Hazard:
    """One hazard. Raises UnknownName with the nearest slugs."""
    if slug not in hazards():
        raise UnknownName(N_("hazard"), slug, hazards())
    return hazards()[slug]


def hazard_title(slug: str, language: str) -> str:
    """What a hazard is called in 'en' or 'fr'; the slug itself where the catalogue lacks it."""
    return hazards()[slug].title[language] if slug in hazards() else slug
