"""The catalogue of hazards: 25 kinds of harm, each with a stable slug and a tier."""

from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec
import yaml

from aloi.errors import UnknownName
from aloi.translation import N_


class Hazard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of harm. `title` is keyed by language."""

    slug: str
    tier: Literal["extreme", "visible"]
    surfaces: tuple[Literal["endpoint", "agent", "predictive", "file", "media", "record"], ...]
    scorers: tuple[Literal["oracle", "statistic", "judge"], ...]
    title: dict[str, str]


@cache
def hazards() -> dict[str, Hazard]:
    """All hazards by slug, extreme ones first."""
    text = files("aloi.science").joinpath("data/hazards.yaml").read_text(encoding="utf-8")
    return {hazard.slug: hazard for hazard in msgspec.convert(yaml.safe_load(text), list[Hazard])}


def hazard(slug: str) -> Hazard:
    """One hazard. Raises UnknownName with the nearest slugs."""
    if slug not in hazards():
        raise UnknownName(N_("hazard"), slug, hazards())
    return hazards()[slug]
