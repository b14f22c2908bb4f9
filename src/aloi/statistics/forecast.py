"""How many more queries an e-process will take if failures go on at a given rate."""

from collections.abc import Callable
from math import ceil, inf, log

from aloi.statistics.betting import Mixture, Tally, log_mean_exp


def queries_to_reach(
    target: float, mixture: Mixture, costs: tuple[float, ...], tally: Tally, rate: float, limit: int
) -> int:
    """Queries after which the log capital, followed along its typical path at `rate`, is `target`; at most `limit`.

    A first-order figure: it follows the mean of the counts, except that the alternative "no failure at all" stays
    alive as long as no failure is the likelier outcome.
    """
    log_odds = mixture.log_odds

    def reached(more: float) -> bool:
        n, ones = tally.n + more, tally.ones + more * rate
        terms = [
            e - n * c + (ones * o if o > -inf else 0.0 if ones <= log(2) else o)
            for o, e, c in zip(log_odds, tally.earned, costs, strict=True)
        ]
        return log_mean_exp(terms) >= target

    clean = (log(2) - tally.ones) / rate if rate > 0 else float(limit)
    if clean > 0 and reached(min(clean, limit)):
        return _turning_point(reached, 0.0, min(clean, limit))
    return _turning_point(reached, max(clean, 0.0), limit) if reached(limit) else limit


def _turning_point(reached: Callable[[float], bool], low: float, high: float) -> int:
    """Smallest whole number above `low` at which `reached` holds, given that it holds at `high`."""
    while high - low > 0.5:
        middle = (low + high) / 2
        low, high = (low, middle) if reached(middle) else (middle, high)
    return max(1, ceil(high))
