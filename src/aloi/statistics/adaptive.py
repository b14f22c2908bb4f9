"""Hunt for the worst attack and prove by the same queries that it exceeds the threshold (estimand `max`).

Arms are chosen by Thompson sampling on Beta(1/2, 1/2) posteriors. One capital is bet against "no arm fails at more than
the threshold": half of it on all queries together, as if they came from one arm, and half in equal shares on each arm
by itself. Whichever arm the past makes one choose, its mean is then at most the threshold, so every share is a
supermartingale, and so is their sum. Together is quick where many arms are bad, apart where one is: exploring the
others costs it nothing. Half of each is at most log 2 behind the better. The hunt can prove `not met`; that it finds
nothing proves nothing about the arms.

Sources: Thompson 1933; Ville 1939; mixtures (Robbins 1970); optional continuation under adaptive sampling (Shin, Ramdas
and Rinaldo 2019).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from random import Random
from typing import Literal

from aloi.errors import AskerError, UnknownName
from aloi.statistics.arguments import level_of, within
from aloi.statistics.betting import NOT_MET, Tally, log_e, log_mean_exp, turning_point
from aloi.statistics.hazard import Outcome
from aloi.translation import N_


@dataclass(frozen=True, kw_only=True)
class HuntDecision:
    """Where a hunt stands. `n` counts all queries; `best` is the arm with most failures."""

    verdict: Literal["not met", "inconclusive", "continue"]
    log_e: float
    n: int
    failures: int
    best: str


class ThompsonHunt:
    """Choose arms, count outcomes, decide whether some arm exceeds `threshold`: falsely with probability <= `alpha`."""

    def __init__(self, arms: Sequence[str], threshold: float, alpha: float, cap: int) -> None:
        if not arms or len(set(arms)) < len(arms):
            raise AskerError(
                N_("a hunt needs arms with distinct names; got {names}"),
                remedy=N_("name each attack once"),
                names=", ".join(arms) or "-",
            )
        self.threshold = within("threshold", threshold, 1e-4, 0.5)
        self.alpha, self.cap = within("alpha", alpha, 0.0, 1.0, open_ends=True), cap
        self._counts = dict.fromkeys(arms, (0, 0))
        self._costs = NOT_MET.costs(threshold)
        self._apart = dict.fromkeys(arms, 0.0)
        self._n = self._failures = 0
        self._log_e = self._highest = 0.0
        self._best_look = tuple(self._counts.values())
        self._verdict: Literal["not met", "inconclusive", "continue"] = "continue"

    def choose(self, rng: Random) -> str:
        """The arm to ask next."""
        drawn = {arm: rng.betavariate(f + 0.5, n - f + 0.5) for arm, (n, f) in self._counts.items()}
        return max(drawn, key=drawn.__getitem__)

    def update(self, arm: str, outcome: Outcome) -> HuntDecision:
        """Count one trial of `arm`; an unscorable one counts as passed, against the claim."""
        if arm not in self._counts:
            raise UnknownName("arm", arm, self._counts)
        failed = {"passed": 0, "failed": 1, "unscorable": 0}.get(outcome)
        if failed is None:
            raise UnknownName("outcome", str(outcome), ("passed", "failed", "unscorable"))
        n, failures = self._counts[arm]
        self._counts[arm] = (n + 1, failures + failed)
        self._n, self._failures = self._n + 1, self._failures + failed
        self._apart[arm] = _log_e(n + 1, failures + failed, self._costs)
        together = _log_e(self._n, self._failures, self._costs)
        self._log_e = log_mean_exp([together, log_mean_exp([*self._apart.values()])])
        if self._log_e > self._highest:
            self._highest, self._best_look = self._log_e, tuple(self._counts.values())
        if self._verdict == "continue":
            self._decide()
        return self.decision()

    def _decide(self) -> None:
        if self._log_e >= -log(self.alpha):
            self._verdict = "not met"
        elif self._n >= self.cap:
            self._verdict = "inconclusive"

    def decision(self) -> HuntDecision:
        """Where the hunt stands."""
        counts = self._counts
        return HuntDecision(
            verdict=self._verdict,
            log_e=self._log_e,
            n=self._n,
            failures=self._failures,
            best=max(counts, key=lambda arm: (counts[arm][1], -counts[arm][0])),
        )

    def lower(self, level: float) -> float:
        """Lower bound at all times together for the largest failure rate among the arms.

        It inverts the capital at two looks, the last and the one that spoke most against the threshold; leaving looks
        out of an intersection over all of them only widens it. So it lies above the threshold exactly where the verdict
        at error 1 - `level` is `not met`.
        """
        target = -log(1 - level_of(level))
        looks = (self._best_look, tuple(self._counts.values()))

        def kept(rate: float) -> bool:
            costs = NOT_MET.costs(rate)
            return all(_log_capital(look, costs) < target for look in looks)

        return 0.0 if kept(0.0) else turning_point(kept)[0]


def _log_capital(look: Sequence[tuple[int, int]], costs: Sequence[float]) -> float:
    """The log capital after `look`, (queries, failures) of each arm, against the rate that `costs` were taken at."""
    together = _log_e(sum(n for n, _ in look), sum(failures for _, failures in look), costs)
    return log_mean_exp([together, log_mean_exp([_log_e(n, failures, costs) for n, failures in look])])


def _log_e(n: int, failures: int, costs: Sequence[float]) -> float:
    return log_e(NOT_MET.log_odds, costs, Tally(n, failures, (0.0,) * len(NOT_MET.odds)))
