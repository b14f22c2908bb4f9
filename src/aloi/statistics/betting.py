"""Mixture betting e-processes for the mean of outcomes in [0, 1].

Against the hypothesis that the mean failure rate is p, the capital after outcomes x_1..x_n, for an alternative whose
odds are c times those of p, is the product over i of

    1 + lambda (x_i - p) = (1 + (c - 1) x_i) / (1 + (c - 1) p),    lambda = (c - 1) / (1 + (c - 1) p).

For outcomes 0 and 1 that is the likelihood ratio of the alternative against p. With c < 1 it is an e-process against
every mean >= p (evidence that the rate is lower), with c > 1 against every mean <= p. A mixture is the plain average of
several c; by Ville's inequality it ever exceeds 1/alpha with probability at most alpha. Alternatives are odds ratios
rather than ratios of rates: the same at small p, never beyond 1, and monotone in p, so that a bound is exact.

Sources: Waudby-Smith & Ramdas 2024 (betting confidence sequences); Robbins 1970 (mixtures); Ville 1939.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import exp, inf, log, log1p, nextafter


@dataclass(frozen=True)
class Mixture:
    """Equally weighted alternatives, as odds ratios to the hypothesis: all below 1, or all above 1."""

    odds: tuple[float, ...]

    @property
    def log_odds(self) -> tuple[float, ...]:
        """Natural logarithm of each odds ratio; minus infinity for 0."""
        return tuple(log(c) if c else -inf for c in self.odds)

    def costs(self, rate: float) -> tuple[float, ...]:
        """What one query costs each alternative against `rate`, in nats: log(1 + (c - 1) rate)."""
        return tuple(log1p((c - 1) * rate) for c in self.odds)

    def gains(self, outcome: float) -> tuple[float, ...]:
        """What one outcome in ]0, 1[ earns each alternative, in nats: log(1 + (c - 1) outcome)."""
        return tuple(log1p((c - 1) * outcome) for c in self.odds)


MET = Mixture((0.0, 0.1, 0.3, 0.55))
NOT_MET = Mixture((1.8, 3.0, 6.0, 15.0, 40.0))


@dataclass(frozen=True)
class Tally:
    """All that an e-process needs of its outcomes: how many, how many were 1, and what the others earned."""

    n: int
    ones: float
    earned: tuple[float, ...]


def log_mean_exp(values: Sequence[float]) -> float:
    """log of the mean of exp(values), without overflow; `values` may hold minus infinity but not only that."""
    top = max(values)
    return top + log(sum([exp(value - top) for value in values]) / len(values))


def log_e(log_odds: Sequence[float], costs: Sequence[float], tally: Tally) -> float:
    """The mixture's log capital after `tally`, against the rate that `costs` were taken at."""
    n, ones = tally.n, tally.ones
    if ones:
        return log_mean_exp([ones * o + e - n * c for o, e, c in zip(log_odds, tally.earned, costs, strict=True)])
    return log_mean_exp([e - n * c for e, c in zip(tally.earned, costs, strict=True)])


def upper_bound(tallies: Iterable[Tally], error: float) -> float:
    """Largest rate that `MET` never rejected at `error` over the looks `tallies`; 1 where none was rejected."""
    looks, log_odds = list(tallies)[::-1], MET.log_odds  # where any look rejects, the last mostly does

    def rejected(rate: float) -> bool:
        costs = MET.costs(rate)
        return any(log_e(log_odds, costs, look) >= -log(error) for look in looks)

    return turning_point(rejected)[1] if rejected(nextafter(1.0, 0.0)) else 1.0


def lower_bound(tallies: Iterable[Tally], error: float) -> float:
    """Smallest rate that `NOT_MET` never rejected at `error` over the looks `tallies`; 0 where none was rejected."""
    looks, log_odds = list(tallies)[::-1], NOT_MET.log_odds  # as above

    def kept(rate: float) -> bool:
        costs = NOT_MET.costs(rate)
        return all(log_e(log_odds, costs, look) < -log(error) for look in looks)

    return 0.0 if kept(0.0) else turning_point(kept)[0]


def turning_point(turned: Callable[[float], bool]) -> tuple[float, float]:
    """Neighbouring rates between which `turned` goes from false to true."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if turned(middle) else (middle, high)
    return low, high
