"""Whether events come at another rate than before: a watch that may be looked at after every batch, for ever.

What was counted before bounds the rate, at half the error: `[low, high]`, valid at all times. Against rates in it the
watch bets on a higher one with the alternatives `HIGHER` at `high`, and on a lower one with `LOWER` at `low`. When the
change comes is not known: each bet is the mixture over all times at which it may begin, the time of batch t weighing
1/log2(t + 1) - 1/log2(t + 2), which adds up to 1; until it begins its capital is 1. The average over all bets is an
e-process while the rate stays in [low, high]: by Ville's inequality it ever reaches 2/alpha with probability at most
alpha/2, so that an alarm is false with probability at most alpha, however long one watches.

Sources: Waudby-Smith & Ramdas 2024 (betting); Robbins 1970 (mixtures, also for the bounds); Shin, Ramdas & Rinaldo
2024 (e-detectors: one e-process for each time at which a change may begin); Ville 1939.
"""

from dataclasses import dataclass
from math import exp, inf, lgamma, log, log1p, log2, pi

from aloi.errors import AskerError
from aloi.statistics.arguments import counts_of, within
from aloi.statistics.betting import Mixture, log_mean_exp, turning_point
from aloi.translation import N_

HIGHER = Mixture((1.25, 1.6, 2.5, 5.0, 20.0))
LOWER = Mixture((0.0, 0.2, 0.4, 0.6, 0.8))


def rate_bounds(events: int, n: int, error: float, unknown: int = 0) -> tuple[float, float]:
    """Two-sided interval for a rate after `events` in `n` trials, valid however it was decided to stop there.

    Each of `unknown` further trials may have been one. It holds the rates against which a bet on all others, weighed by
    the Jeffreys density, has not won 1/error: as trials go on it becomes as narrow as one likes, which the alternatives
    of `betting` do not allow.
    """
    events, n = counts_of(events, n)
    within("error", error, 0.0, 1.0, open_ends=True)
    return _bound(events, n + unknown, error, upper=False), _bound(events + unknown, n + unknown, error, upper=True)


def _bound(events: int, n: int, error: float, *, upper: bool) -> float:
    """The end of the interval on one side of the rate that was seen."""
    other, seen = n - events, events / n if n else 0.5
    if not n or (events == n if upper else events == 0):
        return 1.0 if upper else 0.0
    won = lgamma(events + 0.5) + lgamma(other + 0.5) - lgamma(n + 1) - log(pi) + log(error)

    def outside(rate: float) -> bool:
        if rate in {0.0, 1.0}:
            return True
        return won - events * log(rate) - other * log1p(-rate) >= 0

    if upper:
        return turning_point(lambda rate: rate > seen and outside(rate))[1]
    return turning_point(lambda rate: rate >= seen or not outside(rate))[0]


@dataclass
class _Bet:
    """One alternative: its log odds ratio, what a trial costs it, the log capital of all its bets that have begun."""

    log_odds: float
    cost: float
    log_capital: float = -inf

    def take(self, events: int, n: int, log_stake: float) -> None:
        gain = (events * self.log_odds if events else 0.0) - n * self.cost
        self.log_capital = _log_add(self.log_capital, log_stake) + gain


def _bets(mixture: Mixture, rate: float) -> tuple[_Bet, ...]:
    return tuple(map(_Bet, mixture.log_odds, mixture.costs(rate)))


@dataclass
class RateWatch:
    """One watch. `low` and `high` are what counts before it say of the rate.

    `log_e` is where the log e-value stands, `peak` the highest that it reached: from `log_threshold` on, it rang.
    """

    low: float
    high: float
    log_threshold: float
    batches: int = 0
    n: int = 0
    events: int = 0
    log_e: float = 0.0
    peak: float = 0.0

    def __post_init__(self) -> None:
        self._higher, self._lower = _bets(HIGHER, self.high), _bets(LOWER, self.low)

    @property
    def rang(self) -> bool:
        """Whether a change was shown, now or earlier."""
        return self.peak >= self.log_threshold

    @property
    def above(self) -> bool:
        """Whether the bets on a higher rate have won more than those on a lower one."""
        return self._log_capital(self._higher) >= self._log_capital(self._lower)

    def take(self, events: int, n: int) -> float:
        """Count a batch, in the order of time; the log e-value after it. An empty one says nothing."""
        events, n = counts_of(events, n)
        if n:
            stake = log(1 / log2(self.batches + 2) - 1 / log2(self.batches + 3))
            for bet in (*self._higher, *self._lower):
                bet.take(events, n, stake)
            self.batches, self.n, self.events = self.batches + 1, self.n + n, self.events + events
            self.log_e = log_mean_exp((self._log_capital(self._higher), self._log_capital(self._lower)))
            self.peak = max(self.peak, self.log_e)
        return self.log_e

    def _log_capital(self, bets: tuple[_Bet, ...]) -> float:
        """Of one direction: its bets that have begun, and what waits for those that have not."""
        won = [bet.log_capital for bet in bets]
        begun = log_mean_exp(won) if max(won) > -inf else -inf
        return _log_add(begun, -log(log2(self.batches + 2)))


def watch_rate(events: int, n: int, alpha: float) -> RateWatch:
    """A watch on whether the rate is still the one behind `events` in `n` trials. Raises AskerError where n is 0."""
    within("alpha", alpha, 0.0, 0.5, open_ends=True)
    if n < 1:
        raise AskerError(N_("nothing was counted to watch a rate against"), remedy=N_("count a first period"))
    low, high = rate_bounds(events, n, alpha / 2)
    return RateWatch(low=low, high=high, log_threshold=log(2 / alpha))


def _log_add(a: float, b: float) -> float:
    top = max(a, b)
    return top if top == -inf else top + log1p(exp(min(a, b) - top))
