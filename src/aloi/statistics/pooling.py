"""One rate from several independent evaluators, and how far they disagree.

Random effects by REML, interval of the mean by Hartung-Knapp never narrower than Wald (Roever, Knapp & Friede
2015), interval of the between-evaluator variance by the Q-profile (Viechtbauer 2007), prediction interval with k -
2 degrees of freedom (Higgins, Thompson & Spiegelhalter 2009). Estimates and variances are on any scale where a
normal error fits, such as the logit of a rate (`logit_study`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import inf, log, sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri, ndtri, stdtrit

from aloi.errors import AskerError
from aloi.statistics.arguments import counts_of, level_of, within
from aloi.translation import N_

Floats = NDArray[np.float64]
Shown = Literal["one result", "range only", "pooled"]


@dataclass(frozen=True, kw_only=True)
class Study:
    """One evaluator's estimate and its variance; studies of one `cluster` share an operator, judge, logs or data."""

    name: str
    estimate: float
    variance: float
    cluster: str

    def __post_init__(self) -> None:
        within(f"{self.name}.estimate", self.estimate, -inf, inf)
        within(f"{self.name}.variance", self.variance, 0.0, inf, open_ends=True)


@dataclass(frozen=True, kw_only=True)
class Effect:
    """Random-effects mean with its interval, and the variance between studies; k counts independent clusters.

    `standard_error`, `low` and `high` are Hartung-Knapp's, floored at Wald: conservative where the studies agree.
    `unfloored` is Hartung-Knapp's interval as published (2001), of nominal coverage there too; but where studies
    happen to lie close together it may be narrower than if they were known to measure one and the same rate.
    """

    k: int
    estimate: float
    standard_error: float
    low: float
    high: float
    unfloored: tuple[float, float]
    tau2: float


@dataclass(frozen=True, kw_only=True)
class Pooled:
    """What may be shown of several studies, by how many independent clusters they come from.

    One: 'one result'. Two: 'range only', `low` and `high` being the outermost ends of the two intervals. From three:
    'pooled'. `i2` is shown and never decides. `without` holds the effect with each cluster left out. `heaviest` is the
    largest share of the weight that one cluster has, without a variance between them: where it nears 1 the mean is that
    cluster's, and its coverage was seen to fall to 0.67 (`make bench BENCH=pooling`).
    """

    shown: Shown
    level: float
    k: int
    low: float
    high: float
    effect: Effect | None = None
    tau2_interval: tuple[float, float] | None = None
    prediction: tuple[float, float] | None = None
    i2: float | None = None
    without: dict[str, Effect] | None = None
    heaviest: float | None = None

    def settled(self, threshold: float) -> bool:
        """Whether a next evaluator's result is predicted on one side of `threshold` (on the studies' scale)."""
        return self.prediction is not None and not self.prediction[0] <= threshold <= self.prediction[1]


def logit_study(name: str, failures: int, n: int, cluster: str) -> Study:
    """Empirical logit of a rate (half an event added on each side) with its variance; Haldane 1955."""
    failures, n = counts_of(failures, n, least=1)
    x, y = failures + 0.5, n - failures + 0.5
    return Study(name=name, estimate=log(x / y), variance=1 / x + 1 / y, cluster=cluster)


def pool(studies: Sequence[Study], level: float = 0.95) -> Pooled:
    """Pool `studies` by independent cluster. Raises AskerError where there is none."""
    if not studies:
        raise AskerError(N_("there is no result to pool"), remedy=N_("give at least one result"))
    level_of(level)
    ranked = sorted(studies, key=lambda study: study.cluster)
    units = [_merged(list(group)) for _, group in groupby(ranked, key=lambda study: study.cluster)]
    y, v = np.array([unit.estimate for unit in units]), np.array([unit.variance for unit in units])
    if len(units) < 3:
        half = np.sqrt(v) * -ndtri((1 - level) / 2)
        return Pooled(
            shown="one result" if len(units) == 1 else "range only",
            level=level,
            k=len(units),
            low=float((y - half).min()),
            high=float((y + half).max()),
        )
    effect = random_effects(y, v, level)
    spread = -float(stdtrit(len(units) - 2, (1 - level) / 2)) * sqrt(effect.tau2 + effect.standard_error**2)
    return Pooled(
        shown="pooled",
        level=level,
        k=len(units),
        low=effect.low,
        high=effect.high,
        effect=effect,
        tau2_interval=q_profile(y, v, level),
        prediction=(effect.estimate - spread, effect.estimate + spread),
        i2=_i2(v, effect.tau2),
        without={unit.cluster: random_effects(np.delete(y, i), np.delete(v, i), level) for i, unit in enumerate(units)},
        heaviest=float((1 / v).max() / (1 / v).sum()),
    )


def random_effects(y: Floats, v: Floats, level: float) -> Effect:
    """REML mean of estimates `y` with variances `v` (two or more), Hartung-Knapp interval floored at Wald."""
    k, tau2 = len(y), reml(y, v)
    w = 1 / (v + tau2)
    mean = float((w * y).sum() / w.sum())
    inflation = float((w * (y - mean) ** 2).sum()) / (k - 1)
    error = sqrt(max(1.0, inflation) / float(w.sum()))
    quantile = -float(stdtrit(k - 1, (1 - level) / 2))
    half, plain = quantile * error, quantile * sqrt(inflation / float(w.sum()))
    return Effect(
        k=k,
        estimate=mean,
        standard_error=error,
        low=mean - half,
        high=mean + half,
        unfloored=(mean - plain, mean + plain),
        tau2=tau2,
    )


def reml(y: Floats, v: Floats) -> float:
    """Restricted maximum-likelihood estimate of the variance between studies."""
    largest = 10 * float(np.var(y)) + 10 * float(v.max())
    grid = np.concatenate([[0.0], np.geomspace(1e-8, 1.0, 200) * largest])
    best = int(np.argmax(_restricted_log_likelihood(y, v, grid)))
    low, high = float(grid[max(best - 1, 0)]), float(grid[min(best + 1, len(grid) - 1)])
    if _score(y, v, low) <= 0:
        return low
    return _falling_root(lambda tau2: _score(y, v, tau2), low, high)


def q_profile(y: Floats, v: Floats, level: float) -> tuple[float, float]:
    """Interval of the variance between studies: where Cochran's generalised Q equals its chi-square quantiles."""
    freedom, side = len(y) - 1, (1 - level_of(level)) / 2

    def end(upper_tail: float) -> float:
        quantile = float(chdtri(freedom, upper_tail))
        high = 1.0 + float(np.var(y))
        while _generalised_q(y, v, high) > quantile:
            high *= 2
        if _generalised_q(y, v, 0.0) <= quantile:
            return 0.0
        return _falling_root(lambda tau2: _generalised_q(y, v, tau2) - quantile, 0.0, high)

    return end(side), end(1 - side)


def _merged(group: list[Study]) -> Study:
    """A cluster's studies as one: weighted mean, and the variance of perfectly correlated errors (the worst case)."""
    weights = np.array([1 / study.variance for study in group])
    weights /= weights.sum()
    return Study(
        name=group[0].cluster,
        estimate=float(weights @ np.array([study.estimate for study in group])),
        variance=float(weights @ np.sqrt([study.variance for study in group])) ** 2,
        cluster=group[0].cluster,
    )


def _weighted(y: Floats, v: Floats, tau2: float) -> tuple[Floats, Floats]:
    w = 1 / (v + tau2)
    return w, y - (w * y).sum() / w.sum()


def _generalised_q(y: Floats, v: Floats, tau2: float) -> float:
    w, residual = _weighted(y, v, tau2)
    return float((w * residual**2).sum())


def _restricted_log_likelihood(y: Floats, v: Floats, tau2: Floats) -> Floats:
    """Up to a constant, at each of `tau2`."""
    w = 1 / (v + tau2[:, None])
    total = w.sum(axis=1)
    residual = y - ((w * y).sum(axis=1) / total)[:, None]
    result: Floats = (np.log(w).sum(axis=1) - np.log(total) - (w * residual**2).sum(axis=1)) / 2
    return result


def _score(y: Floats, v: Floats, tau2: float) -> float:
    """Derivative of the restricted log-likelihood, times two."""
    w, residual = _weighted(y, v, tau2)
    return float(-w.sum() + (w**2).sum() / w.sum() + (w**2 * residual**2).sum())


def _falling_root(function: Callable[[float], float], low: float, high: float) -> float:
    while high - low > 1e-14 * high + 1e-300:
        middle = (low + high) / 2
        if middle in {low, high}:
            break
        low, high = (middle, high) if function(middle) > 0 else (low, middle)
    return (low + high) / 2


def _i2(v: Floats, tau2: float) -> float:
    """Share of the variance that lies between studies (Higgins & Thompson 2002), in [0, 1]."""
    w = 1 / v
    typical = (len(v) - 1) * w.sum() / (w.sum() ** 2 - (w**2).sum())
    return float(tau2 / (tau2 + typical))
