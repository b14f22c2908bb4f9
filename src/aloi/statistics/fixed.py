"""What outcomes of a number fixed by others say of a rate: the honest interval, and the method that it needed.

Results that another tool made were not watched by a monitor, and often ask one seed several times. Repeats of a seed
are no independent trials: they count by their mean. Nothing here depends on the order of the rows, which in foreign
data may be sorted by anything.

Sources: Clopper & Pearson 1934; Waudby-Smith & Ramdas 2024 (bets on bounded means, at one look); Korn & Graubard 1998.
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Literal

from aloi.errors import AskerError
from aloi.statistics.arguments import level_of, within
from aloi.statistics.betting import MET, NOT_MET, Mixture, Tally, log_e, lower_bound, upper_bound
from aloi.statistics.exact import ApproximateInterval, clopper_pearson, korn_graubard
from aloi.translation import N_

Row = tuple[Hashable, bool | None]
"""(cluster, whether the trial failed): rows of one cluster share a seed; None for a trial without a score."""

Method = Literal["Clopper-Pearson", "betting on seed means"]


@dataclass(frozen=True, kw_only=True)
class HitRate:
    """How many of `clusters` failed at least once in their `repeats` (None where these differ), and an exact interval.

    Its `high` also bounds the failure rate of one trial, since a seed fails no more often than it is hit.
    """

    hits: int
    clusters: int
    repeats: int | None
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class FixedEstimate:
    """A rate from a fixed number of trials. Each seed counts alike, however often it was asked.

    `failures` of `n` scorable trials, `unscorable` others, which the interval covers either way. `low` and `high` hold
    at `level` by `method`; `approximate` is the usual survey interval, whose level is approximate, never a verdict's.
    """

    value: float
    low: float
    high: float
    level: float
    method: Method
    failures: int
    n: int
    unscorable: int
    clusters: int
    hit: HitRate
    approximate: ApproximateInterval | None


def fixed_estimate(rows: Iterable[Row], level: float = 0.95) -> FixedEstimate:
    """The rate behind `rows`, with the narrowest interval that is exact for them.

    Seeds asked once each: Clopper and Pearson. Repeated ones: bets on the seeds' means, looked at once. Without a row
    nothing is known: the interval is [0, 1]. Raises AskerError for an outcome that is none.
    """
    level_of(level)
    seeds = _counted(rows)
    failures, unscorable = sum(f for f, _, _ in seeds), sum(u for _, u, _ in seeds)
    n = sum(m for _, _, m in seeds) - unscorable
    alone = all(m == 1 for _, _, m in seeds)
    if alone:
        low, high = clopper_pearson(failures, len(seeds), level)[0], _upper(failures + unscorable, len(seeds), level)
    else:
        error = (1 - level) / 2
        low = lower_bound([_tally(NOT_MET, [f / m for f, _, m in seeds])], error)
        high = upper_bound([_tally(MET, [(f + u) / m for f, u, m in seeds])], error)
    means = [f / (m - u) for f, u, m in seeds if m > u]
    value = sum(means) / len(means) if means else (low + high) / 2
    return FixedEstimate(
        value=min(max(value, low), high),
        low=low,
        high=high,
        level=level,
        method="Clopper-Pearson" if alone else "betting on seed means",
        failures=failures,
        n=n,
        unscorable=unscorable,
        clusters=len(seeds),
        hit=_hit(seeds, level),
        approximate=_approximate(seeds, level),
    )


def fixed_evidence(rows: Iterable[Row], threshold: float) -> tuple[float, float]:
    """Natural logs of the e-values that `rows` give for "below `threshold`" and for "above" it.

    E-values of evaluators who asked different seeds multiply, whatever their methods: `multiplicity.merge_evalues`.
    """
    within("threshold", threshold, 0.0, 1.0, open_ends=True)
    seeds = _counted(rows)
    below = _tally(MET, [(f + u) / m for f, u, m in seeds])
    above = _tally(NOT_MET, [f / m for f, _, m in seeds])
    return (
        log_e(MET.log_odds, MET.costs(threshold), below),
        log_e(NOT_MET.log_odds, NOT_MET.costs(threshold), above),
    )


Seed = tuple[int, int, int]
"""Failures, unscorable trials and all trials of one seed."""


def _counted(rows: Iterable[Row]) -> list[Seed]:
    counts: dict[Hashable, list[int]] = {}
    for cluster, failed in rows:
        if failed is not None and not isinstance(failed, bool):
            raise AskerError(
                N_("the outcome of {cluster} is {outcome}; expected true (failed), false, or nothing (no score)"),
                remedy=N_("say of each trial whether it failed; leave what could not be judged empty"),
                cluster=str(cluster)[:80],
                outcome=repr(failed)[:80],
            )
        seed = counts.setdefault(cluster, [0, 0, 0])
        seed[0] += failed is True
        seed[1] += failed is None
        seed[2] += 1
    return [(failures, unscorable, trials) for failures, unscorable, trials in counts.values()]


def _tally(mixture: Mixture, means: list[float]) -> Tally:
    """All seed means as one look. What is earned by those between 0 and 1 is a sum: their order does not matter."""
    gains = [mixture.gains(mean) for mean in means if 0 < mean < 1]
    earned = tuple(sum(column) for column in zip(*gains, strict=True)) if gains else (0.0,) * len(mixture.odds)
    return Tally(len(means), sum(mean == 1 for mean in means), earned)


def _upper(k: int, n: int, level: float) -> float:
    return clopper_pearson(k, n, level)[1]


def _hit(seeds: list[Seed], level: float) -> HitRate:
    """A seed without a failure, of which a trial has no score, may have been hit: that counts for the upper end."""
    hits = sum(failures > 0 for failures, _, _ in seeds)
    perhaps = sum(failures + unscorable > 0 for failures, unscorable, _ in seeds)
    repeats = {trials for _, _, trials in seeds}
    return HitRate(
        hits=hits,
        clusters=len(seeds),
        repeats=repeats.pop() if len(repeats) == 1 else None,
        low=clopper_pearson(hits, len(seeds), level)[0],
        high=_upper(perhaps, len(seeds), level),
    )


def _approximate(seeds: list[Seed], level: float) -> ApproximateInterval | None:
    """Korn and Graubard's, its ends as if each trial without a score had gone either way; None below two seeds."""
    if len(seeds) < 2:
        return None
    trials = [m for _, _, m in seeds]
    low = korn_graubard([f for f, _, _ in seeds], trials, level)
    high = korn_graubard([f + u for f, u, _ in seeds], trials, level)
    return ApproximateInterval(low.low, high.high, min(low.effective_n, high.effective_n))
