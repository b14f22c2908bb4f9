"""Repeats of one seed are one observation: their mean."""

from collections.abc import Hashable, Iterable
from typing import TypeVar

from aloi.errors import AskerError
from aloi.statistics.hazard import Outcome
from aloi.translation import N_

Seed = TypeVar("Seed", bound=Hashable)


def seed_means(trials: Iterable[tuple[Seed, Outcome]], repeats: int) -> dict[Seed, float | Outcome]:
    """What the monitor may be told of repeated trials: each seed's mean failure in [0, 1], in order of first sight.

    A seed with any unscorable trial is 'unscorable' as a whole, which speaks against every claim. Raises AskerError
    where a seed was not asked `repeats` times, as declared: repeating until something fails would bias the mean.
    """
    seen: dict[Seed, list[Outcome]] = {}
    for seed, outcome in trials:
        seen.setdefault(seed, []).append(outcome)
    for seed, outcomes in seen.items():
        if len(outcomes) != repeats:
            raise AskerError(
                N_("seed {seed} was asked {got} times; the plan declares {repeats}"),
                remedy=N_("ask every seed the same, declared number of times"),
                seed=seed,
                got=len(outcomes),
                repeats=repeats,
            )
    return {
        seed: "unscorable" if "unscorable" in outcomes else outcomes.count("failed") / repeats
        for seed, outcomes in seen.items()
    }
