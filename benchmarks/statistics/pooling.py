"""The pooled mean: against reference values on public data, and its coverage on log-odds of success near 18 %."""

import json

import numpy as np
from scipy.special import expit, ndtri, stdtrit

from aloi.statistics.pooling import q_profile, random_effects, reml
from benchmarks.bars import bar
from benchmarks.statistics.public_sets import DATA, public_sets

SEED, LEVEL, TRUTH = 20261122, 0.95, -1.5
RULES = ("floored HK", "HK or Wald", "least floor", "plain HK", "DL + Wald")
FLOORED, UNFLOORED = 0, 3
# Evaluators of like size, for which there is a bar; one small beside large ones; one giant beside small ones.
SIZES = {
    "50 to 1,000 trials each": None,
    "one of 60 trials, others of 2,000": (60, 2_000),
    "one of 20,000 trials, others of 60": (20_000, 60),
}


def worst_difference() -> tuple[float, int]:
    """Largest difference from PyMARE over all figures of all public sets, relative where a figure exceeds 1."""
    sets = json.loads((DATA / "pooling-oracle.json").read_text(encoding="utf-8"))["sets"]
    worst = 0.0
    for name, (y, v) in public_sets().items():
        effect, (low, high) = random_effects(y, v, LEVEL), q_profile(y, v, LEVEL)
        ours = {"tau2": effect.tau2, "estimate": effect.estimate, "standard_error": effect.standard_error}
        ours |= {"low": effect.low, "high": effect.high, "tau2_low": low, "tau2_high": high}
        worst = max(worst, *(abs(ours[key] - value) / max(1, abs(value)) for key, value in sets[name].items()))
    return worst, len(sets)


def half_widths(y: np.ndarray, v: np.ndarray) -> tuple[float, list[float], float]:
    """The REML mean, half the width of each rule's interval (the last rule has a mean of its own), and of Wald's.

    The least floor: never narrower than Wald, yet no wider wherever no variance between evaluators is seen.
    """
    tau2, k = reml(y, v), len(y)
    w = 1 / (v + tau2)
    mean = float((w * y).sum() / w.sum())
    t, z, wald = -float(stdtrit(k - 1, 0.025)), -float(ndtri(0.025)), float(w.sum() ** -0.5)
    inflation = float((w * (y - mean) ** 2).sum() / (k - 1)) ** 0.5
    plain, floor = t * wald * inflation, z * wald
    wider = max(plain, floor)
    return mean, [t * wald * max(1.0, inflation), wider, wider if tau2 else floor, plain], floor


def dersimonian_laird(y: np.ndarray, v: np.ndarray) -> tuple[float, float]:
    """The mean and half-width that most software gave by default."""
    u = 1 / v
    q = (u * (y - (u * y).sum() / u.sum()) ** 2).sum()
    w = 1 / (v + max(0.0, (q - len(y) + 1) / (u.sum() - (u**2).sum() / u.sum())))
    return float((w * y).sum() / w.sum()), 1.96 * float(w.sum() ** -0.5)


def coverage(k: int, tau: float, odd: tuple[int, int] | None, runs: int, rng: np.random.Generator) -> np.ndarray:
    """Share of runs in which each rule's 95 % interval holds the true mean; last, plain HK narrower than Wald."""
    hits = np.zeros(len(RULES) + 1)
    for _ in range(runs):
        sizes = rng.integers(50, 1001, k) if odd is None else np.array([odd[0]] + [odd[1]] * (k - 1))
        failures = rng.binomial(sizes, expit(TRUTH + tau * rng.normal(size=k)))
        x, others = failures + 0.5, sizes - failures + 0.5
        y, v = np.log(x / others), 1 / x + 1 / others
        mean, halves, floor = half_widths(y, v)
        hits[:4] += [abs(mean - TRUTH) <= half for half in halves]
        other, half = dersimonian_laird(y, v)
        hits[4] += abs(other - TRUTH) <= half
        hits[5] += halves[UNFLOORED] < floor
    return hits / runs


def main(*, quick: bool = False) -> None:
    """Print the worst difference, and coverage for k = 3..20 and tau = 0..1."""
    runs, rng = (200 if quick else 2000), np.random.default_rng(SEED)
    worst, sets = worst_difference()
    bar(f"worst difference from PyMARE 0.0.13 over {sets} public sets", f"{worst:.1e}", "<= 1e-6", met=worst <= 1e-6)
    for about, odd in SIZES.items():
        print(f"coverage of the pooled mean at 95 %, {about}; {runs} runs a line, seed {SEED}")
        print(f"{'k':>4}{'tau':>6}" + "".join(f"{rule:>12}" for rule in RULES) + "   HK narrower than Wald")
        cells = {}
        for k in (3, 5, 10, 20):
            for tau in (0.0, 0.2, 0.5, 1.0):
                cells[k, tau] = coverage(k, tau, odd, runs, rng)
                print(f"{k:>4}{tau:>6}" + "".join(f"{one:>12.3f}" for one in cells[k, tau]))
        if odd is None:
            verdict(cells)


def verdict(cells: dict[tuple[int, float], np.ndarray]) -> None:
    """The bar, 93 to 97 %, cell by cell and end by end, for each rule on the same data."""
    about = {FLOORED: "ours: ", UNFLOORED: "ours, beside it: "}
    for column, rule in enumerate(RULES[:4]):
        covered = np.array([cell[column] for cell in cells.values()])
        below, above = int((covered < 0.93).sum()), int((covered > 0.97).sum())
        what = f"{about.get(column, '')}{rule}, {covered.min():.3f} to {covered.max():.3f}: cells "
        bar(f"{what}below 93 %", f"{below} of {len(cells)}", "0", met=below == 0)
        bar(f"{what}above 97 %", f"{above} of {len(cells)}", "0", met=above == 0)


if __name__ == "__main__":
    main()
