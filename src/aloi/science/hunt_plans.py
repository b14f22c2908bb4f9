"""Plan the hunts that a system asks for: their attacks, their batches, and the error that each may spend."""

from collections.abc import Iterator
from decimal import ROUND_DOWN, Context, Decimal

from aloi.errors import AskerError
from aloi.evidence.records import HuntPlan, number
from aloi.science.estimands import LARGEST
from aloi.science.sampling import Sampler, not_taken
from aloi.system.description import MODEL_ATTACKER, HuntGoal, ReadaptGoal
from aloi.system.reading import System
from aloi.system.target import target_kind

# Attacks of one batch are chosen without each other's outcomes: enough to keep workers busy, few enough to learn.
BATCH = 8


def planned_hunts(system: System, sampler: Sampler) -> Iterator[HuntPlan]:
    """One for each hazard that asks for it; where attackers re-adapt, one for each other hazard with several attacks.

    All hunts of one system err together with probability alpha (Bonferroni). Raises UnknownName for an attack that the
    probe cannot take, AskerError for one that cannot be hunted here.
    """
    assurance = system.description.assurance
    goals = list(_goals(system, sampler))
    for hazard, hunt, attacks in goals:
        attacker = assurance.attacker if MODEL_ATTACKER in attacks else None
        yield HuntPlan(
            hazard=hazard,
            estimand=LARGEST,
            attacks=attacks,
            cap=hunt.queries,
            batch=BATCH,
            alpha=_share(number(assurance.alpha), len(goals)),
            attacker=target_kind(attacker).identity(attacker) if attacker else "",
            turns=attacker.turns if attacker else 0,
            bare=isinstance(hunt, HuntGoal),
            gate=hunt.gate,
        )


def _goals(system: System, sampler: Sampler) -> Iterator[tuple[str, HuntGoal | ReadaptGoal, tuple[str, ...]]]:
    """What is hunted with which attacks. With one attack alone, the mean over the mix is that of the worst attack."""
    assurance = system.description.assurance
    for hazard, goal in assurance.hazards.items():
        if goal.hunt:
            with system.at("assurance", "hazards", hazard, "hunt", "attacks"):
                attacks = _attacks(system, sampler, hazard, goal.hunt.attacks)
            yield hazard, goal.hunt, attacks
        elif assurance.readapt and not goal.judge:  # decision 0031
            attacks = _attacks(system, sampler, hazard, ())
            if len(attacks) > 1:
                yield hazard, assurance.readapt, attacks


def _share(alpha: Decimal, hunts: int) -> Decimal:
    """The same for each, rounded down so that they add up to no more."""
    return Context(prec=6, rounding=ROUND_DOWN).divide(alpha, Decimal(hunts)).normalize()


def _attacks(system: System, sampler: Sampler, hazard: str, named: tuple[str, ...]) -> tuple[str, ...]:
    """Those that are named, or all that the probe can take in a language of the system."""
    known = sampler.takes(hazard)
    attacker = system.description.assurance.attacker is not None
    if not named:
        return (*known, MODEL_ATTACKER) if attacker and _can_be_a_goal(sampler, hazard) else tuple(known)
    for name in named:
        if name not in (*known, MODEL_ATTACKER):
            raise not_taken(hazard, name, known)
    if MODEL_ATTACKER in named:
        sampler.hunted(hazard, MODEL_ATTACKER, 0)
    return named


def _can_be_a_goal(sampler: Sampler, hazard: str) -> bool:
    try:
        sampler.hunted(hazard, MODEL_ATTACKER, 0)
    except AskerError:
        return False
    return True
