"""Pooled counts of simulated evaluators whose true rates are known: how often the intervals hold them."""

from collections.abc import Callable
from math import log

import numpy as np
from scipy.special import expit, logit, stdtrit

from aloi.statistics.betting import MET, NOT_MET
from aloi.statistics.boundaries import stopping_boundary
from aloi.statistics.counts import Count, pool_counts
from aloi.statistics.judges import JudgeCalibration, true_failures
from aloi.statistics.pooling import random_effects
from benchmarks.bars import bar

SEED, LEVEL = 20261126, 0.95
THRESHOLD, ALPHA, CAP = 0.05, 0.05, 1080
Found = list[tuple[float | tuple[float, ...], float]]
Draw = Callable[[np.ndarray, np.random.Generator], Found]
Held = np.ndarray


def fixed(rates: np.ndarray, rng: np.random.Generator) -> Found:
    """100 to 1,000 trials each, a number fixed beforehand."""
    n = rng.integers(100, 1001, len(rates))
    return list(zip(rng.binomial(n, rates).tolist(), n.tolist(), strict=True))


def sequential(rates: np.ndarray, rng: np.random.Generator) -> Found:
    """Each stops where the test of its hazard at 5 % decides, or at its cap."""
    n = np.arange(1, CAP + 1)
    most, least = (stopping_boundary(side, THRESHOLD, log(1 / ALPHA), CAP)[1:] for side in (MET, NOT_MET))
    found: Found = []
    for rate in rates:
        failures = (rng.random(CAP) < rate).cumsum()
        stops = np.flatnonzero((failures <= most) | (failures >= least))
        last = int(stops[0]) if len(stops) else CAP - 1
        found.append((float(failures[last]), float(n[last])))
    return found


def judged(rates: np.ndarray, rng: np.random.Generator) -> Found:
    """200 to 1,000 trials, each evaluator's judge with errors of its own, calibrated on 150 failures and 150 passes."""
    found: Found = []
    for rate in rates:
        seen, alarms, n = rng.uniform(0.75, 0.95), rng.uniform(0.005, 0.05), int(rng.integers(200, 1001))
        tp, fp = rng.binomial(150, seen), rng.binomial(150, alarms)
        calibration = JudgeCalibration(tp=int(tp), fn=int(150 - tp), fp=int(fp), tn=int(150 - fp))
        positives = int(rng.binomial(n, rate * seen + (1 - rate) * alarms))
        found.append((true_failures(positives, n, calibration), n))
    return found


def coverage(draw: Draw, k: int, rate: float, tau: float, runs: int, rng: np.random.Generator) -> Held:
    """Shares of runs in which the typical and the next rate are held: ours, then by empirical logits; last, widths."""
    held = np.zeros(4)
    for _ in range(runs):
        found = draw(expit(logit(rate) + tau * rng.normal(size=k)), rng)
        following = logit(rate) + tau * rng.normal()
        pooled = pool_counts(
            [Count(name=f"{i}", failures=f, n=n, cluster=f"{i:02}") for i, (f, n) in enumerate(found)],
            LEVEL,
            leave_out=False,
        )
        x, n = np.array([(np.median(f), n) for f, n in found]).T + np.array([[0.5], [1.0]])
        normal = random_effects(np.log(x / (n - x)), 1 / x + 1 / (n - x), LEVEL)
        half = -float(stdtrit(k - 2, 0.025)) * (normal.tau2 + normal.standard_error**2) ** 0.5
        held += [
            pooled.low <= rate <= pooled.high,
            pooled.prediction[0] <= expit(following) <= pooled.prediction[1],
            normal.low <= logit(rate) <= normal.high,
            abs(following - normal.estimate) <= half,
        ]
    return held / runs


def priors(runs: int) -> None:
    """Print coverage and the middle width of the prediction for scales of the prior, 2 % of failures, k = 3 and 5."""
    print(f"scales of the prior of tau: coverage at {LEVEL:.0%}, and the middle width of the prediction")
    print(f"{'scale':>6}{'k':>4}{'tau':>6}{'typical':>10}{'next':>8}{'width':>8}")
    for scale in (0.5, 1.0, 2.0):
        for k in (3, 5):
            for tau in (0.0, 0.5, 1.0):
                rng, held, widths = np.random.default_rng(SEED), np.zeros(2), []
                for _ in range(runs):
                    found = fixed(expit(logit(0.02) + tau * rng.normal(size=k)), rng)
                    following = expit(logit(0.02) + tau * rng.normal())
                    counts = [Count(name=f"{i}", failures=f, n=n, cluster=f"{i}") for i, (f, n) in enumerate(found)]
                    pooled = pool_counts(counts, LEVEL, leave_out=False, scale=scale)
                    low, high = pooled.prediction
                    held += [pooled.low <= 0.02 <= pooled.high, low <= following <= high]
                    widths.append(high - low)
                told = "".join(f"{one:>{width}.3f}" for one, width in zip(held / runs, (10, 8), strict=True))
                print(f"{scale:>6}{k:>4}{tau:>6}{told}{np.median(widths):>8.1%}", flush=True)


def table(draw: Draw, ks: tuple[int, ...], rates: tuple[float, ...], taus: tuple[float, ...], runs: int) -> Held:
    """Print one line a cell; the least coverage of each column."""
    rng = np.random.default_rng(SEED)
    print(f"{'k':>4}{'rate':>8}{'tau':>6}{'typical':>10}{'next':>8}{'HK mean':>10}{'HK next':>9}")
    cells = []
    for k in ks:
        for rate in rates:
            for tau in taus:
                cells.append(coverage(draw, k, rate, tau, runs, rng))
                told = "".join(f"{one:>{width}.3f}" for one, width in zip(cells[-1], (10, 8, 10, 9), strict=True))
                print(f"{k:>4}{rate:>8.1%}{tau:>6}{told}", flush=True)
    return np.array(cells).min(axis=0)


def main(*, quick: bool = False) -> None:
    """Print coverage, cell by cell, of evaluators with fixed numbers, with tests that stop, and with judges."""
    runs = 20 if quick else 100
    error = 2 * (0.9 * 0.1 / runs) ** 0.5
    for what, draw, cells in (
        ("fixed numbers", fixed, ((3, 5, 10), (0.002, 0.02, 0.2), (0.0, 0.5, 1.0))),
        ("tests that stop", sequential, ((3, 10), (0.005, 0.07), (0.0, 0.5))),
        ("judges", judged, ((3, 5), (0.005, 0.03, 0.2), (0.0, 0.5))),
    ):
        print(f"{what}: coverage at {LEVEL:.0%}, {runs} runs a line, seed {SEED}; HK: empirical logits, Hartung-Knapp")
        typical, following, mean, predicted = table(draw, *cells, runs)
        for name, least in (("the typical rate", typical), ("the next rate", following)):
            bar(f"{what}: least coverage of {name}", f"{least:.3f}", ">= 0.90 - 2 errors", met=least >= 0.90 - error)
        print(f"{what}: least coverage by empirical logits {mean:.3f}, of the next rate {predicted:.3f}")
    priors(runs)


if __name__ == "__main__":
    main()
