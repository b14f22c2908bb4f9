"""Intervals that other tools publish, written anew from what they say of them. Each names the version and the place.

All take one array of shape (seeds, repeats) with 1 where an output failed, and give (low, high) at a nominal 95 %.
Numbers of resamples are taken to infinity where that has a closed form: the resampled mean of zeros and ones is
binomial.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit
from scipy.stats import binom

Outcomes = NDArray[np.int64]
Interval = tuple[float, float]

SIDE = 0.025
Z = -float(ndtri(SIDE))
FEWEST = 30  # outputs below which garak gives no interval
LEAST_YOUDEN = 0.01  # of a detector, below which garak leaves its rates uncorrected


def garak_bootstrap(failed: Outcomes, sensitivity: float = 1.0, specificity: float = 1.0) -> Interval | None:
    """garak 0.17.1, `garak/analyze/bootstrap_ci.py`: percentile bootstrap over single outputs of the corrected rate.

    Outputs are pooled over prompts and generations; each resampled rate is corrected by Rogan and Gladen's formula with
    sensitivity and specificity taken as known, and clipped to [0, 1]. The point it is printed with stays uncorrected.
    """
    n = failed.size
    if n < FEWEST:
        return None
    if abs(sensitivity + specificity - 1) < LEAST_YOUDEN:
        sensitivity = specificity = 1.0
    quantiles = binom.ppf([SIDE, 1 - SIDE], n, failed.mean()) / n
    low, high = np.clip((quantiles + specificity - 1) / (sensitivity + specificity - 1), 0, 1)
    return float(low), float(high)


def inspect_stderr(failed: Outcomes) -> Interval:
    """Inspect 0.3.285, `stderr()`: mean and the standard error of the central limit theorem, every output a sample."""
    n = failed.size
    return _around(failed.mean(), Z * failed.std(ddof=1) / n**0.5)


def inspect_bootstrap_stderr(failed: Outcomes) -> Interval:
    """Inspect 0.3.285, `bootstrap_stderr()`: the deviation of means of resampled outputs, in the limit of many."""
    return _around(failed.mean(), Z * failed.std() / failed.size**0.5)


def inspect_clustered_stderr(failed: Outcomes) -> Interval:
    """Inspect 0.3.285, `stderr(cluster=)`: Miller 2024, appendix A, with C / (C - 1), clusters being the seeds.

    Repeats given as epochs are averaged first, which comes to the same.
    """
    return _around(failed.mean(), Z * clustered_error(failed))


def inspect_clustered_t(failed: Outcomes) -> Interval:
    """Inspect 0.3.285, `ci(cluster=)`: the clustered error with Student's t at C - 1 degrees of freedom."""
    return _around(failed.mean(), -float(stdtrit(len(failed) - 1, SIDE)) * clustered_error(failed))


def inspect_clustered_wilson(failed: Outcomes) -> Interval:
    """Inspect 0.3.285, `ci_wilson(cluster=)`: Wilson's interval at Korn and Graubard's effective n, Student's t.

    Where all outputs agree the effective n is the number of outputs.
    """
    rate, variance, n = float(failed.mean()), clustered_error(failed) ** 2, failed.size
    effective = min(n, rate * (1 - rate) / variance) if variance and 0 < rate < 1 else n
    t = -float(stdtrit(len(failed) - 1, SIDE))
    middle = (rate + t**2 / (2 * effective)) / (1 + t**2 / effective)
    half = t * (rate * (1 - rate) / effective + t**2 / (4 * effective**2)) ** 0.5 / (1 + t**2 / effective)
    return max(0.0, middle - half), min(1.0, middle + half)


def clustered_error(failed: Outcomes) -> float:
    """Standard error of the mean from sums of residuals by seed, with C / (C - 1)."""
    clusters = len(failed)
    sums = (failed - failed.mean()).sum(axis=1)
    return float((clusters / (clusters - 1) * (sums**2).sum()) ** 0.5 / failed.size)


def _around(mean: float, half: float) -> Interval:
    return float(mean - half), float(mean + half)


METHODS: dict[str, Callable[[Outcomes], Interval | None]] = {
    "garak 0.17.1: bootstrap of outputs": garak_bootstrap,
    "Inspect 0.3.285: stderr()": inspect_stderr,
    "Inspect: bootstrap_stderr()": inspect_bootstrap_stderr,
    "Inspect: stderr(cluster=seed)": inspect_clustered_stderr,
    "Inspect: ci(cluster=seed)": inspect_clustered_t,
    "Inspect: ci_wilson(cluster=seed)": inspect_clustered_wilson,
}
