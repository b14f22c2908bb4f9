"""Exact intervals for a rate when the number of trials was fixed beforehand, and one marked approximate.

Sources: Clopper & Pearson 1934; hypergeometric inversion (Buonaccorsi 1987); Korn & Graubard 1998.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import betaincinv, stdtrit

from aloi.errors import AskerError
from aloi.statistics.arguments import counts_of, level_of
from aloi.translation import N_


def clopper_pearson(k: int, n: int, level: float) -> tuple[float, float]:
    """Exact two-sided interval for a rate after `k` events in `n` independent trials; (0, 1) where n is 0."""
    side = (1 + level_of(level)) / 2
    return clopper_pearson_lower(k, n, side), clopper_pearson_upper(k, n, side)


def clopper_pearson_upper(k: int, n: int, level: float) -> float:
    """Exact one-sided upper bound for a rate after `k` events in `n` independent trials."""
    k, n = counts_of(k, n)
    return 1.0 if k == n else float(betaincinv(k + 1, n - k, level_of(level)))


def clopper_pearson_lower(k: int, n: int, level: float) -> float:
    """Exact one-sided lower bound for a rate after `k` events in `n` independent trials."""
    k, n = counts_of(k, n)
    return 0.0 if k == 0 else float(betaincinv(k, n - k + 1, 1 - level_of(level)))


def finite_upper(k: int, n: int, population: int, level: float) -> float:
    """Exact one-sided upper bound for the rate in a finite list of `population`, `n` drawn without replacement."""
    k, n = counts_of(k, n)
    counts_of(n, population)
    error, low, high = 1 - level_of(level), k, population - (n - k)
    # Largest number of bad items in the list under which k or fewer among the n drawn is still likelier than the error.
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _hypergeometric_cdf(k, n, middle, population) > error else (low, middle - 1)
    return low / population if population else 1.0


def _hypergeometric_cdf(k: int, n: int, bad: int, population: int) -> float:
    from scipy.stats import hypergeom  # noqa: PLC0415 - scipy.stats takes most of a second to import

    return float(hypergeom.cdf(k, population, bad, n))


class ApproximateInterval(NamedTuple):
    """An interval whose level is approximate, and the number of independent trials it was reckoned at."""

    low: float
    high: float
    effective_n: float


def korn_graubard(failures: Sequence[int], trials: Sequence[int], level: float) -> ApproximateInterval:
    """Approximate interval for a rate from seeds with `failures` among `trials` each: Clopper-Pearson at effective n.

    Its coverage was seen to fall to 0.86 at a nominal 0.95 with few, strongly correlated seeds. With no failure, or
    nothing but failures, the effective n is the number of seeds. Raises AskerError with fewer than two seeds.
    """
    side = (1 - level_of(level)) / 2
    k, m = np.asarray(failures, dtype=float), np.asarray(trials, dtype=float)
    if k.shape != m.shape or k.ndim != 1 or len(k) < 2 or (m < 1).any() or (k < 0).any() or (k > m).any():
        raise AskerError(
            N_("clusters must be two or more, each with at least one trial and no more failures than trials"),
            remedy=N_("give one count of failures and one of trials for each seed"),
        )
    clusters, total = len(m), float(m.sum())
    rate = float(k.sum()) / total
    variance = clusters / (clusters - 1) * float(((k - rate * m) ** 2).sum()) / total**2
    effective = float(clusters)
    if 0 < rate < 1 and variance:
        freedom = (stdtrit(total - 1, side) / stdtrit(clusters - 1, side)) ** 2
        effective = min(total, float(rate * (1 - rate) / variance * freedom))
    x = rate * effective
    low = float(betaincinv(x, effective - x + 1, side)) if x > 0 else 0.0
    high = float(betaincinv(x + 1, effective - x, 1 - side)) if x < effective else 1.0
    return ApproximateInterval(low, high, effective)
