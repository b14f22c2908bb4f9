"""What chance alone does to a measurement: a threshold that it can exceed by itself tells nothing of the system."""

from collections.abc import Iterator

from aloi.errors import Fault, InvalidFile
from aloi.science.estimands import deciding
from aloi.science.sampling import Sampler
from aloi.system.loading import dotted, line_of
from aloi.system.reading import System
from aloi.translation import N_


def chance_of(system: System, sampler: Sampler, hazard: str) -> float:
    """The largest share of a hazard's items that a system fails whose answers are chance.

    0 where the hazard's scorer knows of none or a judge decides in its place, and where the system is asked at
    temperature 0: it is then held to answer the same words alike.
    """
    if system.description.target.temperature == 0:
        return 0.0
    share: float = getattr(deciding(system, hazard, sampler.probes[hazard]), "chance", 0.0)
    return share


def check_thresholds(system: System, sampler: Sampler) -> None:
    """Raises InvalidFile with a fault for each hazard whose threshold chance alone can exceed."""
    if faults := list(_faults(system, sampler)):
        raise InvalidFile(system.file, faults)


def _faults(system: System, sampler: Sampler) -> Iterator[Fault]:
    for hazard, goal in system.description.assurance.hazards.items():
        if goal.threshold <= (chance := chance_of(system, sampler, hazard)):
            place = ("assurance", "hazards", hazard, "threshold")
            yield Fault(
                N_(
                    "{path}: got {got}, expected more than {chance}: up to that share of what {probe} asks is failed "
                    "by chance alone"
                ),
                path=dotted(place),
                line=line_of(system.lines, place),
                remedy=N_("raise it, or set `target.temperature: 0` if the system is used so"),
                got=goal.threshold,
                chance=chance,
                probe=sampler.names[hazard],
            )
