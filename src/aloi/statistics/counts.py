"""One rate from several independent evaluators' counts, where failures are rare or evaluators few.

The binomial-normal model (Stijnen, Hamza & Ozdemir 2010): the failures of evaluator i are binomial, and the logits of
the evaluators' rates are normal around `mu` with standard deviation `tau`. No count is corrected, none is left out. Few
evaluators cannot tell `tau`: it has a weakly informative prior, half-normal with scale 1 on the logit scale, and `mu`
the Jeffreys density of a rate (Friede, Roever, Wandel & Neuenschwander 2017; Guenhan, Roever & Friede 2020; Roever et
al. 2021). Intervals are posterior quantiles; how often they hold the truth is measured, `make bench
BENCH=rare_pooling`.

Integrated without chance: adaptive Gauss-Hermite over each evaluator's rate (Pinheiro & Bates 1995), trapezoids over
the rest; figures are right to half a per cent.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import log, pi, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, expit, log_expit, logsumexp, ndtr

from aloi.errors import AskerError
from aloi.statistics.arguments import level_of, within
from aloi.translation import N_

Floats = NDArray[np.float64]

FEWEST = 3
PRIOR_SCALE = 1.0
_NODES, _WEIGHTS = np.polynomial.hermite.hermgauss(21)
_TAUS, _ROUGH, _PLACES, _FINE = 48, 25, 201, 1001
_LARGEST = 5.0  # scales of the prior
# Densities that lie so many natural logarithms below the highest are left out: a share of about 1e-5.
_DEPTH = 11.0


@dataclass(frozen=True, kw_only=True)
class Count:
    """One evaluator's failures among `n` trials; counts of one `cluster` share an operator, judge, logs or data.

    `failures` is their number or, where a judge leaves it open, equally likely numbers in ascending order
    (`judges.true_failures`): one and the same count of them for all who leave it open.
    """

    name: str
    failures: float | tuple[float, ...]
    n: float
    cluster: str

    def __post_init__(self) -> None:
        within(f"{self.name}.n", self.n, 0.0, 1e12, open_ends=True)
        for each in self.ways:
            within(f"{self.name}.failures", each, 0.0, self.n)

    @property
    def ways(self) -> tuple[float, ...]:
        """The numbers that the failures may have."""
        return self.failures if isinstance(self.failures, tuple) else (self.failures,)


@dataclass(frozen=True, kw_only=True)
class TypicalRate:
    """The rate of the typical evaluator: median, interval, and where the rate of a next evaluator lies."""

    value: float
    low: float
    high: float
    prediction: tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class PooledCounts(TypicalRate):
    """What `k` independent clusters together say of a rate, intervals at `level`.

    `tau` is the standard deviation between evaluators' logits, with its interval. `without` leaves out each cluster in
    turn; it is empty where that was not asked for.
    """

    level: float
    k: int
    tau: float
    tau_interval: tuple[float, float]
    without: dict[str, TypicalRate]


def merged(counts: Sequence[Count]) -> list[Count]:
    """One count for each cluster: the rate of all its trials, and of trials as many as its members have on average.

    The average weighs each trial alike, so that a large member is not shrunk by a small one beside it. What its members
    have in common makes more of them no surer, and judges who leave their numbers open err together: the worst case.
    """
    ranked = sorted(counts, key=lambda count: count.cluster)
    return [_as_one(name, list(group)) for name, group in groupby(ranked, key=lambda count: count.cluster)]


def _as_one(cluster: str, group: list[Count]) -> Count:
    trials = sum(count.n for count in group)
    size = sum(count.n**2 for count in group) / trials
    ways = max(len(count.ways) for count in group)
    together = np.sum([np.broadcast_to(count.ways, ways) for count in group], axis=0) / trials * size
    return Count(name=cluster, cluster=cluster, n=size, failures=tuple(min(float(each), size) for each in together))


def pool_counts(
    counts: Sequence[Count], level: float = 0.95, *, leave_out: bool = True, scale: float = PRIOR_SCALE
) -> PooledCounts:
    """Pool `counts` by independent cluster, and again without each of them. Raises AskerError below three of them.

    `scale` is that of the half-normal prior of `tau`.
    """
    within("scale", scale, 0.0, 10.0, open_ends=True)
    units = merged(counts)
    if len(units) < FEWEST:
        raise AskerError(
            N_("{k} independent clusters are too few to pool; expected at least {fewest}"),
            remedy=N_("show each result by itself"),
            k=len(units),
            fewest=FEWEST,
        )
    side = (1 - level_of(level)) / 2
    everyone = np.arange(len(units))
    others = [np.delete(everyone, place) for place in everyone] if leave_out else []
    table = _Table(units, [everyone, *others], scale)
    all_of_them = table.posterior(everyone)
    told = _typical(all_of_them, side, units)
    return PooledCounts(
        value=told.value,
        low=told.low,
        high=told.high,
        level=level,
        k=len(units),
        prediction=told.prediction,
        tau=all_of_them.tau_quantile(0.5),
        tau_interval=(all_of_them.tau_quantile(side), all_of_them.tau_quantile(1 - side)),
        without={
            units[place].cluster: _typical(table.posterior(rest), side, [units[each] for each in rest])
            for place, rest in enumerate(others)
        },
    )


def _typical(posterior: "_Posterior", side: float, units: Sequence[Count]) -> TypicalRate:
    low, high = _ends(posterior.typical, side, units)
    prediction = _ends(posterior.predicted, side, units)
    return TypicalRate(value=float(expit(_root(posterior.typical, 0.5))), low=low, high=high, prediction=prediction)


def _ends(cdf: Callable[[float], float], side: float, units: Sequence[Count]) -> tuple[float, float]:
    """The interval between both quantiles; its lower end is 0 where nothing failed, its upper end 1 where all did."""
    none, all_ = all(unit.ways[-1] == 0 for unit in units), all(unit.ways[0] == unit.n for unit in units)
    low = 0.0 if none else float(expit(_root(cdf, side)))
    high = 1.0 if all_ else float(expit(_root(cdf, 1 - side)))
    return low, high


def log_marginal(failures: Floats, n: Floats, mu: Floats, tau: Floats) -> Floats:
    """Log likelihood of each count where its logit is normal(mu, tau), without the binomial coefficient.

    The arguments broadcast against each other; every `tau` is above 0.
    """
    failures, n, mu, tau = np.broadcast_arrays(failures, n, mu, tau)
    mode, width = _peak(failures, n, mu, tau)
    theta = mode[..., None] + sqrt(2) * width[..., None] * _NODES
    exponent = (
        failures[..., None] * theta
        + n[..., None] * log_expit(-theta)
        - ((theta - mu[..., None]) / tau[..., None]) ** 2 / 2
    )
    summed: Floats = logsumexp(exponent + _NODES**2 + np.log(_WEIGHTS), axis=-1)
    return summed + np.log(width / tau) - log(pi) / 2


def _peak(failures: Floats, n: Floats, mu: Floats, tau: Floats) -> tuple[Floats, Floats]:
    """Where the integrand of `log_marginal` is highest, to a hundredth of its width, and that width.

    Newton's steps, halved where they leave what holds the root.
    """
    low, high = mu - tau**2 * (n - failures), mu + tau**2 * failures
    theta = np.clip(np.log((failures + 0.5) / (n - failures + 0.5)), low, high)
    while True:
        rate = expit(theta)
        slope = failures - n * rate - (theta - mu) / tau**2
        width = 1 / np.sqrt(n * rate * (1 - rate) + tau**-2)
        step = slope * width**2
        if (np.abs(step) <= width / 100).all():
            return theta, width
        low, high = np.where(slope > 0, theta, low), np.where(slope > 0, high, theta)
        theta = np.where((theta + step > low) & (theta + step < high), theta + step, (low + high) / 2)


class _Table:
    """The likelihood of every count over a grid of (tau, mu) that holds the posterior of every set in `sets`."""

    def __init__(self, units: Sequence[Count], sets: Sequence[NDArray[np.int64]], scale: float) -> None:
        self._units, self._scale = units, scale
        n = np.array([unit.n for unit in units])
        rate = (np.array([np.median(unit.ways) for unit in units]) + 0.5) / (n + 1)
        sharpest = 1 / sqrt(float((n * rate * (1 - rate)).max()))
        self.tau = np.geomspace(min(sharpest, scale) / 300, _LARGEST * scale, _TAUS)
        low, high = np.full(_TAUS, -60.0), np.full(_TAUS, 60.0)
        filled = False
        while not filled:
            self._fill(np.linspace(low, high, _ROUGH, axis=1), [_outermost(unit.ways) for unit in units])
            inside = np.any([self._within_depth(one) for one in sets], axis=0)
            first, last = inside.argmax(axis=1), _ROUGH - 1 - inside[:, ::-1].argmax(axis=1)
            filled = bool((last - first > _ROUGH // 3).all())
            # One step beyond either side: between two points the density may be higher than at both.
            rows = np.arange(_TAUS)
            low, high = self.mu[rows, np.maximum(first - 1, 0)], self.mu[rows, np.minimum(last + 1, _ROUGH - 1)]
        self._fill(np.linspace(low, high, _PLACES, axis=1), [unit.ways for unit in units])

    def _fill(self, mu: Floats, ways: Sequence[tuple[float, ...]]) -> None:
        self.mu = mu
        told = [self._of(each, unit.n) for each, unit in zip(ways, self._units, strict=True)]
        self.log_likelihood = np.stack(told, axis=-1)

    def _of(self, ways: tuple[float, ...], n: float) -> Floats:
        """Log likelihood of one count, over the ways that its failures may be numbered."""
        tau, open_ = self.tau[:, None], len(ways) > 1
        terms = [
            log_marginal(np.array(each), np.array(n), self.mu, tau)
            + log(ways.count(each))
            - (float(betaln(each + 1, n - each + 1)) if open_ else 0.0)
            for each in dict.fromkeys(ways)
        ]
        summed: Floats = logsumexp(np.stack(terms), axis=0)
        return summed

    def _log_density(self, chosen: NDArray[np.int64]) -> Floats:
        """Of mu for each tau, up to a constant of that tau."""
        jeffreys = (log_expit(self.mu) + log_expit(-self.mu)) / 2
        density: Floats = self.log_likelihood[..., chosen].sum(axis=-1) + jeffreys
        return density

    def _within_depth(self, chosen: NDArray[np.int64]) -> NDArray[np.bool_]:
        density = self._log_density(chosen)
        inside: NDArray[np.bool_] = density > density.max(axis=1, keepdims=True) - _DEPTH
        return inside

    def posterior(self, chosen: NDArray[np.int64]) -> "_Posterior":
        """What the counts at these places say."""
        log_density = self._log_density(chosen)
        density = np.exp(log_density - log_density.max(axis=1, keepdims=True))
        step = self.mu[:, 1] - self.mu[:, 0]
        mass = (density[:, 1:] + density[:, :-1]).sum(axis=1) / 2 * step
        return _Posterior(self.tau, self.mu, density, np.log(mass) + log_density.max(axis=1), self._scale)


def _outermost(ways: tuple[float, ...]) -> tuple[float, ...]:
    """The ends and the middle: enough to find where a density lies."""
    return (ways[0], ways[len(ways) // 2], ways[-1]) if len(ways) > 3 else ways


class _Posterior:
    """Distribution of mu and tau on a grid: the `density` of mu at each tau, and the log likelihood of each tau."""

    def __init__(self, tau: Floats, mu: Floats, density: Floats, log_evidence: Floats, scale: float) -> None:
        self._tau, self._mu = tau, mu
        # Over log(tau) the integrand falls to nothing at either end, where trapezoids are exact to many digits.
        over_log = _over_log_tau(tau, log_evidence, scale)
        of_tau = over_log.copy()
        of_tau[[0, -1]] /= 2
        # Below the least tau the density is flat: it is a small part of any error.
        of_tau[0] += over_log[0] / log(tau[1] / tau[0])
        self._of_tau = of_tau / of_tau.sum()
        self._fine_tau, self._tau_cdf = _tau_cdf(tau, log_evidence, scale)
        halves = (density[:, 1:] + density[:, :-1]) / 2
        self._cdf = np.concatenate([np.zeros((len(tau), 1)), halves.cumsum(axis=1)], axis=1)
        self._density = density / self._cdf[:, -1:]
        self._cdf /= self._cdf[:, -1:]
        self._of_mu = density / density.sum(axis=1, keepdims=True)

    def typical(self, logit: float) -> float:
        """Probability that mu is at most `logit`."""
        ends, steps = self._mu[:, 0], self._mu[:, 1] - self._mu[:, 0]
        place = np.clip((logit - ends) / steps, 0, self._mu.shape[1] - 1)
        cell = np.minimum(place.astype(int), self._mu.shape[1] - 2)
        part, rows = place - cell, np.arange(len(self._tau))
        first, last = self._density[rows, cell], self._density[rows, cell + 1]
        by_tau = self._cdf[rows, cell] + first * part + (last - first) * part**2 / 2
        return float(self._of_tau @ by_tau)

    def predicted(self, logit: float) -> float:
        """Probability that a next evaluator's logit is at most `logit`."""
        beside = ndtr((logit - self._mu) / self._tau[:, None])
        return float(self._of_tau @ (self._of_mu * beside).sum(axis=1))

    def tau_quantile(self, q: float) -> float:
        """Quantile of tau."""
        return float(np.interp(q, self._tau_cdf, self._fine_tau))


def _tau_cdf(tau: Floats, log_evidence: Floats, scale: float) -> tuple[Floats, Floats]:
    """A finer grid of tau, and the distribution function over it; the log likelihood is smooth."""
    fine = np.geomspace(tau[0], tau[-1], _FINE)
    over_log = _over_log_tau(fine, np.interp(np.log(fine), np.log(tau), log_evidence), scale)
    step = log(fine[1] / fine[0])
    grown = over_log[0] + np.concatenate([[0.0], ((over_log[1:] + over_log[:-1]) / 2 * step).cumsum()])
    return fine, grown / grown[-1]


def _over_log_tau(tau: Floats, log_evidence: Floats, scale: float) -> Floats:
    """The density of log(tau), prior and likelihood together, up to a constant."""
    density: Floats = np.exp(log_evidence - log_evidence.max() - ((tau / scale) ** 2) / 2) * tau
    return density


def _root(cdf: Callable[[float], float], q: float) -> float:
    """The logit at which a distribution function reaches `q`."""
    low, high = -80.0, 80.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if cdf(middle) < q else (low, middle)
    return (low + high) / 2
