"""Find what Aloi and third parties plug in, by entry point, and load only what is named."""

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from aloi.errors import UnknownName
from aloi.translation import N_

GROUPS = {
    "aloi.targets": N_("target"),
    "aloi.probes": N_("probe"),
    "aloi.attacks": N_("attack"),
    "aloi.environments": N_("environment"),
    "aloi.scorers": N_("scorer"),
    "aloi.guards": N_("guard"),
    "aloi.frameworks": N_("framework"),
}


@cache
def _found() -> dict[str, dict[str, EntryPoint]]:
    """By group and name: looked for once, since that opens a file of every package there is."""
    everywhere = entry_points()
    return {group: {point.name: point for point in everywhere.select(group=group)} for group in GROUPS}


def names(group: str) -> list[str]:
    """Names that answer in a group, sorted. `group` is a key of `GROUPS`."""
    return sorted(_found()[group])


def load(group: str, name: str) -> Any:
    """Load the object that a name stands for; `UnknownName` offers the nearest names."""
    points = _found()[group]
    if name not in points:
        raise UnknownName(GROUPS[group], name, points)
    return points[name].load()
