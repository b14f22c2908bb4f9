"""Plan a test: how many queries it needs, how many it may take, and what no test can do without.

Sources: exact binomial power (Clopper & Pearson 1934); change-of-measure bound (Kaufmann, Cappe & Garivier 2016).
"""

from collections.abc import Callable, Sequence
from functools import partial
from math import ceil, inf, log, sqrt

from scipy.special import bdtr, bdtrc, ndtri

from aloi.errors import AskerError
from aloi.statistics.arguments import within
from aloi.statistics.betting import MET, NOT_MET, Tally
from aloi.statistics.forecast import queries_to_reach
from aloi.translation import N_

POWER = 0.9


def fixed_sample_size(threshold: float, alternative: float, alpha: float, power: float = POWER) -> int:
    """Smallest n for which the exact one-sided binomial test of `threshold` at `alpha` has `power` at `alternative`.

    The test is of `rate >= threshold` where the alternative lies below, of `rate <= threshold` where it lies above.
    Raises AskerError for rates outside [0, 1], or where alternative and threshold are equal.
    """
    within("threshold", threshold, 0.0, 1.0, open_ends=True)
    within("alternative", alternative, 0.0, 1.0)
    within("alpha", alpha, 0.0, 1.0, open_ends=True)
    within("power", power, alpha, 1.0, open_ends=True)
    if alternative == threshold:
        raise AskerError(
            N_("no number of queries tells a rate of {rate} from a threshold of {rate}"),
            remedy=N_("choose an alternative on one side of the threshold"),
            rate=threshold,
        )
    return (_size_below if alternative < threshold else _size_above)(threshold, alternative, alpha, power)


def _size_below(threshold: float, alternative: float, alpha: float, power: float) -> int:
    """`failures` or fewer of n reject `rate >= threshold`: the first count whose smallest rejecting n has the power."""
    n = failures = 0
    while True:
        n = _smallest(partial(_rejects, failures, threshold, alpha), n + 1)
        if bdtr(failures, n, alternative) >= power:
            return n
        failures += 1


def _size_above(threshold: float, alternative: float, alpha: float, power: float) -> int:
    """`failures` or more of n reject `rate <= threshold`: the first count whose smallest powerful n keeps the level."""
    n, failures = 0, 1
    while True:
        n = _smallest(partial(_detects, failures, alternative, power), max(n, failures))
        if bdtrc(failures - 1, n, threshold) <= alpha:
            return n
        failures += 1


def _rejects(failures: int, threshold: float, alpha: float, n: int) -> bool:
    return bool(bdtr(failures, n, threshold) <= alpha)


def _detects(failures: int, alternative: float, power: float, n: int) -> bool:
    return bool(bdtrc(failures - 1, n, alternative) >= power)


def _smallest(holds: Callable[[int], bool], least: int) -> int:
    """Smallest whole number >= least for which `holds`, which stays true from there on."""
    low, high = least - 1, least
    while not holds(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def sound_fixed_size(
    threshold: float, alpha: float, hazards: int, indifference: tuple[float, float] = (0.5, 2.0)
) -> int:
    """Queries per hazard of an exact fixed-n test at Bonferroni's level, power 0.9 at both ends of the zone."""
    sizes = [fixed_sample_size(threshold, threshold * indifference[0], alpha / hazards)]
    if threshold * indifference[1] < 1:
        sizes.append(fixed_sample_size(threshold, threshold * indifference[1], alpha / hazards))
    return max(sizes)


def default_cap(threshold: float, alpha: float, hazards: int, indifference: tuple[float, float] = (0.5, 2.0)) -> int:
    """Queries after which one hazard is left inconclusive: 1.5 times the sound fixed size.

    At 1.0 times it the sequential test's power at the ends of the indifference zone would fall to about 0.7.
    """
    within("indifference", indifference[0], 0.0, 1.0, open_ends=True)
    within("hazards", hazards, 1, 10_000)
    return ceil(1.5 * sound_fixed_size(threshold, alpha, hazards, indifference))


def scored_cap(
    alpha: float, hazards: int, tested: Sequence[tuple[float, float]], least: int, power: float = POWER
) -> int:
    """The cap for a scorer that errs: 1.5 times what its blurred rates need, from `least` to ten times as many.

    `tested` holds, for each direction, the rate at which scored failures are tested and the rate they have at the end
    of the indifference zone. A direction that the doubt about the scorer swallows whole asks for no queries: no number
    would help it. Normal approximation of both errors.
    """
    quantiles = [-float(ndtri(alpha / hazards)), float(ndtri(power))]
    sizes = [
        (sum(z * sqrt(q * (1 - q)) for z, q in zip(quantiles, pair, strict=True)) / (pair[0] - pair[1])) ** 2
        for pair, below in zip(tested, (True, False), strict=True)
        if (pair[1] < pair[0]) is below and pair[0] != pair[1]
    ]
    return max(least, min(10 * least, ceil(1.5 * max(sizes, default=0.0))))


def expected_queries(threshold: float, rate: float, alpha: float, hazards: int) -> int:
    """About how many queries the monitor takes for a verdict on one of `hazards` that fails at `rate`.

    First order, at Bonferroni's level; at most `default_cap`, which a rate close to the threshold comes to.
    """
    within("rate", rate, 0.0, 1.0)
    cap, target = default_cap(threshold, alpha, hazards), log(hazards / alpha)
    mixture = MET if rate <= threshold else NOT_MET
    start = Tally(0, 0.0, (0.0,) * len(mixture.odds))
    return queries_to_reach(target, mixture, mixture.costs(threshold), start, rate, cap)


def kl(p: float, q: float) -> float:
    """Kullback-Leibler divergence of Bernoulli(p) from Bernoulli(q), in nats."""
    return sum(a * log(a / b) if b else inf for a, b in ((p, q), (1 - p, 1 - q)) if a)


def kl_lower_bound(p: float, threshold: float, alpha: float, power: float = POWER) -> float:
    """Expected queries that no test of error `alpha` and `power` at the true rate `p` can do without."""
    within("p", p, 0.0, 1.0)
    within("threshold", threshold, 0.0, 1.0, open_ends=True)
    divergence = kl(p, threshold)
    return kl(power, alpha) / divergence if divergence else inf
