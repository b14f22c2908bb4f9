"""Where the sequential test of one hazard stops, and what it does exactly at a known failure rate."""

from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

from aloi.statistics.arguments import within
from aloi.statistics.betting import MET, NOT_MET, Mixture

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def stopping_boundary(mixture: Mixture, threshold: float, target: float, cap: int) -> Ints:
    """For n = 0..cap queries, the count of failures at which the log e-value still reaches `target`.

    With `MET` the largest such count (-1 where none is), with `NOT_MET` the smallest (cap + 1 where none is).
    """
    n = np.arange(cap + 1)
    rising = mixture.odds[-1] > 1
    reach, miss = (np.full(cap + 1, cap + 1), np.full(cap + 1, -1)) if rising else (np.full(cap + 1, -1), n + 1)
    while (np.abs(reach - miss) > 1).any():
        middle = (reach + miss) // 2
        reached = _log_e_counts(mixture, threshold, n, middle) >= target
        apart = np.abs(reach - miss) > 1
        reach, miss = np.where(apart & reached, middle, reach), np.where(apart & ~reached, middle, miss)
    return np.where(reach > n, cap + 1, reach) if rising else reach


@dataclass(frozen=True, kw_only=True)
class Characteristics:
    """Probabilities of each end of the test of one hazard, and its expected queries."""

    met: float
    not_met: float
    inconclusive: float
    expected_queries: float


def operating_characteristics(threshold: float, rate: float, cap: int, alpha: float) -> Characteristics:
    """Exact behaviour of the test of `threshold` at level `alpha` when failures come at `rate`.

    `alpha` is the share of this hazard: alpha / hazards for the first claim of a family. Time grows as cap times the
    width of the region where the test goes on.
    """
    within("rate", rate, 0.0, 1.0)
    most = stopping_boundary(MET, threshold, -log(alpha), cap)
    least = stopping_boundary(NOT_MET, threshold, -log(alpha), cap)
    first, alive = 0, np.ones(1)
    met = not_met = queries = 0.0
    for n in range(1, cap + 1):
        queries += alive.sum()
        moved = np.append(alive * (1 - rate), 0.0)
        moved[1:] += alive * rate
        low, high = max(most[n] + 1 - first, 0), max(least[n] - first, 0)
        met, not_met = met + moved[:low].sum(), not_met + moved[high:].sum()
        alive, first = moved[low:high], first + low
        if not len(alive):
            break
    return Characteristics(
        met=float(met), not_met=float(not_met), inconclusive=float(alive.sum()), expected_queries=float(queries)
    )


def _log_e_counts(mixture: Mixture, rate: float, n: Ints, ones: Ints) -> Floats:
    terms = [
        (np.where(ones > 0, -np.inf, 0.0) if c == 0 else ones * log(c)) - n * cost
        for c, cost in zip(mixture.odds, mixture.costs(rate), strict=True)
    ]
    return log_mean_exp(np.stack(terms))


def log_mean_exp(terms: Floats) -> Floats:
    """log of the mean of exp over the first axis, without overflow."""
    top = terms.max(axis=0)
    result: Floats = top + np.log(np.exp(terms - top).mean(axis=0))
    return result
