"""Coverage of the default one-sided 95 % bounds, at all times together, on seed means: 39 cases."""

from math import log

import numpy as np

from aloi.statistics.betting import MET, NOT_MET
from aloi.statistics.simulation import log_e_paths
from benchmarks.bars import bar

SEED, LEVEL = 20261122, 0.95
# (seeds, repeats) x rate x within-seed correlation; the last three are one query per fresh seed.
CASES = [
    (seeds, repeats, rate, icc)
    for seeds, repeats in ((40, 20), (100, 5), (300, 5))
    for rate in (0.005, 0.02, 0.05, 0.2)
    for icc in (0.0, 0.2, 0.5)
] + [(300, 1, rate, 0.0) for rate in (0.005, 0.05, 0.2)]


def draw(case: tuple[int, int, float, float], runs: int, rng: np.random.Generator) -> np.ndarray:
    """Failures of each seed, shape (runs, seeds)."""
    seeds, repeats, rate, icc = case
    size = (1 - icc) / icc if icc else 0.0
    chance = rng.beta(rate * size, (1 - rate) * size, (runs, seeds)) if icc else rate
    return rng.binomial(repeats, chance, (runs, seeds))


def wald_upper(failures: np.ndarray, repeats: int) -> np.ndarray:
    """The pooled CLT bound that treats repeats as independent."""
    n = failures.shape[1] * repeats
    mean = failures.sum(axis=1) / n
    return mean + 1.6449 * np.sqrt(mean * (1 - mean) / n)


def main(*, quick: bool = False) -> None:
    """Print the least coverage over the cases, and the worst cases one by one."""
    runs, rng, rows = (400 if quick else 2000), np.random.default_rng(SEED), []
    for case in CASES:
        failures = draw(case, runs, rng)
        means, rate = failures / case[1], case[2]
        upper, lower = (
            float((log_e_paths(mixture, rate, means).max(axis=1) < -log(1 - LEVEL)).mean())
            for mixture in (MET, NOT_MET)
        )
        rows.append((upper, lower, float((wald_upper(failures, case[1]) >= rate).mean()), case))
    print(f"coverage of one-sided {LEVEL:.0%} bounds, {len(CASES)} cases x {runs} runs, seed {SEED}")
    print(f"{'bound':<44}{'least':>8}{'mean':>8}{'cases below nominal':>21}")
    for label, column in (
        ("upper, at all times", 0),
        ("lower, at all times", 1),
        ("upper, pooled Wald at the end (others)", 2),
    ):
        values = np.array([row[column] for row in rows])
        print(f"{label:<44}{values.min():>8.3f}{values.mean():>8.3f}{(values < LEVEL).sum():>21}")
    least = {side: min(row[column] for row in rows) for column, side in enumerate(("upper", "lower"))}
    for side, covered in least.items():
        what = f"{side} bound at all times, least of {len(CASES)} cases x {runs} runs"
        bar(what, f"{covered:.4f}", f">= {LEVEL} in every case", met=covered >= LEVEL)
    print("closest cases (seeds, repeats, rate, ICC):")
    for upper, lower, _, case in sorted(rows, key=lambda row: min(row[:2]))[:5]:
        print(f"  {case!s:<40} upper {upper:.4f}  lower {lower:.4f}")


if __name__ == "__main__":
    main()
