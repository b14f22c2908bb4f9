"""Hunt for the worst attack and prove by the same queries that it exceeds the threshold (estimand `max`).

Arms are chosen by Thompson sampling on Beta(1/2, 1/2) posteriors; every outcome feeds one betting e-process against
"no arm fails at more than the threshold". Whichever arm the past makes one choose, its mean is then at most the
threshold, so the capital stays a supermartingale. The hunt can prove `not met`; that it finds nothing proves
nothing about the arms.

Sources: Thompson 1933; Ville 1939; optional continuation under adaptive sampling (Shin, Ramdas & Rinaldo 2019).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from random import Random
from typing import Literal

from aloi.errors import AskerError, UnknownName
from aloi.statistics.arguments import level_of, within
from aloi.statistics.betting import NOT_MET, Tally, log_e, lower_bound
from aloi.statistics.hazard import Outcome
from aloi.statistics.looks import Looks
from aloi.translation import N_


@dataclass(frozen=True, kw_only=True)
class HuntDecision:
    """Where a hunt stands. `n` counts all queries; `best` is the arm that failed most often."""

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
        self._counts = {arm: [0, 0] for arm in arms}
        self._n, self._failures, self._looks = 0, 0, Looks()
        self._costs = NOT_MET.costs(threshold)
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
        self._counts[arm][0] += 1
        self._counts[arm][1] += failed
        if not failed:
            self._looks.turn_back(self._n - self._failures, self._failures)
        self._n += 1
        self._failures += failed
        if self._verdict == "continue":
            self._decide()
        return self.decision()

    def _decide(self) -> None:
        if self._log_e() >= -log(self.alpha):
            self._verdict = "not met"
        elif self._n >= self.cap:
            self._verdict = "inconclusive"

    def _log_e(self) -> float:
        return log_e(NOT_MET.log_odds, self._costs, _tally(self._n, self._failures))

    def decision(self) -> HuntDecision:
        """Where the hunt stands."""
        best = max(self._counts, key=lambda arm: self._counts[arm][1] / max(self._counts[arm][0], 1))
        return HuntDecision(verdict=self._verdict, log_e=self._log_e(), n=self._n, failures=self._failures, best=best)

    def lower(self, level: float) -> float:
        """Lower bound at all times together for the largest failure rate among the arms."""
        past = [_tally(passes + failures, failures) for passes, failures in self._looks.points]
        return lower_bound([*past, _tally(self._n, self._failures)], 1 - level_of(level))


def _tally(n: int, ones: int) -> Tally:
    return Tally(n, ones, (0.0,) * len(NOT_MET.odds))
