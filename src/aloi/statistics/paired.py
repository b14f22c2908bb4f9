"""What a remedy changed, on the same requests before and after.

Sources: exact bounds for the difference of two rates, see `difference`; order-statistic interval for the median
(David & Nagaraja 2003, section 7.1); betting on paired differences (Waudby-Smith & Ramdas 2024).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log, log1p
from typing import Any, Literal, Self

from scipy.special import bdtr

from aloi.errors import AskerError, UnknownName
from aloi.statistics.arguments import counts_of, level_of, within
from aloi.statistics.betting import MET, Tally, log_e, log_mean_exp, upper_bound
from aloi.statistics.difference import upper_difference
from aloi.statistics.exact import clopper_pearson_upper
from aloi.statistics.hazard import Outcome
from aloi.statistics.looks import Looks
from aloi.translation import N_


def paired_difference(lost: int, gained: int, n: int, level: float) -> tuple[float, float, float]:
    """Change of an event's rate on `n` requests, after minus before: (value, low, high), exact with equal tails.

    `lost` requests showed the event before and not after, `gained` after and not before. Where the event is harm, a
    remedy that works has a negative value; where it is an answered request, a remedy that over-refuses has one.

    Each end is wrong with probability at most (1 - `level`) / 2, whatever the two rates are: `upper_difference` says
    how, and to what precision. n = 0 gives (0, -1, 1). Raises AskerError where the counts cannot be.
    """
    for count in (lost, gained, lost + gained):
        counts_of(count, n)
    error = (1 - level_of(level)) / 2
    if n == 0:
        return 0.0, -1.0, 1.0
    return (gained - lost) / n, -upper_difference(gained, lost, n, error), upper_difference(lost, gained, n, error)


def upper_loss(lost: int, n: int, level: float) -> float:
    """Exact one-sided upper bound for the share of requests that lost the event, `lost` of `n` seen."""
    return clopper_pearson_upper(lost, n, level)


def median_interval(values: Sequence[float], level: float) -> tuple[float, float, float]:
    """(median, low, high): exact order-statistic interval, whatever the distribution of the independent `values`.

    With fewer values than `level` needs (6 at 0.95) it is their range, which holds the median only with probability
    `median_level(n)`. Raises AskerError where there is no value.
    """
    ranked, n = sorted(values), len(values)
    if not n:
        raise AskerError(N_("a median needs at least one value"), remedy=N_("measure at least one request"))
    error, rank = 1 - level_of(level), 0
    while rank + 1 < (n + 1) // 2 and 2 * bdtr(rank + 1, n, 0.5) <= error:
        rank += 1
    median = (ranked[(n - 1) // 2] + ranked[n // 2]) / 2
    return median, ranked[rank], ranked[n - 1 - rank]


def median_level(n: int) -> float:
    """Probability that the range of `n` independent values holds the median: the most that n values can claim."""
    return 1 - 2 ** (1 - n) if n else 0.0


@dataclass(frozen=True, kw_only=True)
class Reduction:
    """Evidence that a remedy keeps at most `ratio` of what failed before it.

    `verdict` is 'met' where that is proved, else 'inconclusive'; `decided_at` is the observation that proved it;
    `log_e` is the natural log of the e-value at the last; `remaining` is the share that still fails, `upper` its bound.
    """

    verdict: Literal["met", "inconclusive"]
    ratio: float
    log_e: float
    n: int
    decided_at: int | None
    remaining: float
    upper: float


def replay_reduction(still_failing: Iterable[bool], alpha: float, *, ratio: float = 0.5) -> Reduction:
    """Replay a guard on recorded failing transcripts, in a random order: does at most `ratio` of the failures remain?

    `still_failing` holds one entry per transcript; one that the guard could not be run on is True. Sound for guards
    that only remove failures from recorded outputs; it costs no query. `upper` holds at all times with 1 - `alpha`.
    """
    target = -log(within("alpha", alpha, 0.0, 1.0, open_ends=True))
    costs = MET.costs(within("ratio", ratio, 0.0, 1.0, open_ends=True))
    looks, kept, failing, reached, decided_at = Looks(), 0, 0, 0.0, None
    for fails in still_failing:
        if fails:
            looks.turn_back(failing, kept)
        kept, failing = kept + (not fails), failing + bool(fails)
        reached = log_e(MET.log_odds, costs, _tally(failing, kept))
        if decided_at is None and reached >= target:
            decided_at = failing + kept
    n, remaining = failing + kept, failing / (failing + kept) if failing + kept else 1.0
    tallies = [*(_tally(*point) for point in looks.points), _tally(failing, kept)]
    return Reduction(
        verdict="met" if decided_at else "inconclusive",
        ratio=ratio,
        log_e=reached,
        n=n,
        decided_at=decided_at,
        remaining=remaining,
        upper=max(upper_bound(tallies, alpha), remaining),
    )


def _tally(failing: int, kept: int) -> Tally:
    return Tally(failing + kept, failing, (0.0,) * len(MET.odds))


Claim = Literal["lower", "at least halved"]
RATIOS: dict[Claim, float] = {"lower": 1.0, "at least halved": 0.5}
BETS = (0.1, 0.3, 0.5, 0.7, 0.9)


@dataclass(frozen=True, kw_only=True)
class PairedDecision:
    """Where a before/after claim stands; once the verdict is not `continue` it never changes."""

    verdict: Literal["met", "inconclusive", "continue"]
    log_e: float
    n: int
    before: float
    after: float


class PairedMonitor:
    """Prove, pair by pair, that the rate after a remedy is lower than before, or at most half of it.

    Betting e-process against mean(ratio * before - after) <= 0: capital is the average over bets b of the product of
    1 + b (ratio * before - after). Both arms of each pair are asked afresh; on seeds that failed earlier (enriched) the
    claim speaks of those seeds alone. A false claim is made with probability at most `alpha`.
    """

    def __init__(self, claim: Claim, alpha: float, cap: int) -> None:
        if claim not in RATIOS:
            raise UnknownName("claim", claim, RATIOS)
        self.claim, self.alpha = claim, within("alpha", alpha, 0.0, 1.0, open_ends=True)
        self.cap = int(within("cap", cap, 1, 1e9))
        self._verdict: Literal["met", "inconclusive", "continue"] = "continue"
        self._earned = [0.0] * len(BETS)
        self._n, self._before, self._after = 0, 0.0, 0.0

    def update(self, before: Outcome | float, after: Outcome | float) -> PairedDecision:
        """Count one pair; what cannot be scored counts as passed before and as failed after, against the claim."""
        b, a = _paired_outcome(before, unscorable=0.0), _paired_outcome(after, unscorable=1.0)
        gain = RATIOS[self.claim] * b - a
        self._earned = [earned + log1p(bet * gain) for earned, bet in zip(self._earned, BETS, strict=True)]
        self._n, self._before, self._after = self._n + 1, self._before + b, self._after + a
        if self._verdict == "continue":
            if log_mean_exp(self._earned) >= -log(self.alpha):
                self._verdict = "met"
            elif self._n >= self.cap:
                self._verdict = "inconclusive"
        return self.decision()

    def decision(self) -> PairedDecision:
        """Where the claim stands; rates count unscorable answers against it."""
        n = max(self._n, 1)
        return PairedDecision(
            verdict=self._verdict,
            log_e=log_mean_exp(self._earned),
            n=self._n,
            before=self._before / n,
            after=self._after / n,
        )

    def state(self) -> dict[str, Any]:
        """All of the monitor as JSON values; `from_state` restores it exactly."""
        return {
            "version": 1,
            "claim": self.claim,
            "alpha": self.alpha,
            "cap": self.cap,
            "verdict": self._verdict,
            "earned": list(self._earned),
            "counts": [self._n, self._before, self._after],
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """The monitor that `state()` described. Raises AskerError where the state is of another version or broken."""
        try:
            monitor = cls(state["claim"], state["alpha"], state["cap"])
            monitor._verdict = state["verdict"]
            monitor._earned = [float(earned) for earned in state["earned"]]
            monitor._n, monitor._before, monitor._after = state["counts"]
            if state["version"] != 1 or len(monitor._earned) != len(BETS):
                raise ValueError(state["version"])  # noqa: TRY301 - told like every other fault of the state, below
        except (KeyError, TypeError, ValueError) as fault:
            raise AskerError(
                N_("the monitor's saved state cannot be read: {fault}"),
                remedy=N_("resume with the version of Aloi that wrote it, or start the run again"),
                fault=repr(fault),
            ) from fault
        return monitor


def _paired_outcome(outcome: Outcome | float, *, unscorable: float) -> float:
    if isinstance(outcome, str):
        named = {"passed": 0.0, "failed": 1.0, "unscorable": unscorable}
        if outcome not in named:
            raise UnknownName("outcome", outcome, named)
        return named[outcome]
    return within("outcome", outcome, 0.0, 1.0)
