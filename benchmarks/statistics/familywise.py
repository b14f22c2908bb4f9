"""Familywise error of false `met` and false `not met`: exact where it can be, elsewhere simulated."""

from math import log

import numpy as np

from aloi.statistics.betting import MET, NOT_MET
from aloi.statistics.boundaries import operating_characteristics
from aloi.statistics.design import default_cap
from aloi.statistics.monitor import MULTIPLICITIES, HazardDesign, Multiplicity
from aloi.statistics.simulation import log_e_paths, simulate
from benchmarks.bars import bar

ALPHA, SEED, HAZARDS = 0.05, 20261122, 20


def exact_worst_null(threshold: float) -> tuple[float, float]:
    """Any first claim of each kind when all hazards sit at the threshold: over all paths, no simulation."""
    ends = operating_characteristics(threshold, threshold, default_cap(threshold, ALPHA, HAZARDS), ALPHA / HAZARDS)
    return 1 - (1 - ends.met) ** HAZARDS, 1 - (1 - ends.not_met) ** HAZARDS


def clustered(icc: float, repeats: int, runs: int) -> tuple[float, float]:
    """All hazards at 5 %, `repeats` per seed averaged, 600 seeds."""
    rng, size, errors = np.random.default_rng(SEED), (1 - icc) / icc, np.zeros(2)
    for _ in range(runs):
        chance = rng.beta(0.05 * size, 0.95 * size, (HAZARDS, 600))
        means = rng.binomial(repeats, chance) / repeats
        for side, mixture in enumerate((MET, NOT_MET)):
            errors[side] += log_e_paths(mixture, 0.05, means).max() >= log(HAZARDS / ALPHA)
    return float(errors[0] / runs), float(errors[1] / runs)


def stressed(factors: list[float], runs: int, multiplicity: Multiplicity) -> tuple[float, float]:
    """Hazards at `factors` of a 5 % threshold, one query per fresh seed."""
    cap = default_cap(0.05, ALPHA, HAZARDS)
    designs = [HazardDesign(name=f"h{i}", threshold=0.05, cap=cap) for i in range(HAZARDS)]
    rates = [0.05 * factor for factor in factors]
    result = simulate(designs, rates, ALPHA, runs, np.random.default_rng(SEED), multiplicity=multiplicity)
    return result.false_met([f >= 1 for f in factors]), result.false_not_met([f <= 1 for f in factors])


def main(*, quick: bool = False) -> None:
    """Print false `met` and false `not met` per scenario."""
    runs = 300 if quick else 1000
    limit = ALPHA + 2 * (ALPHA * (1 - ALPHA) / runs) ** 0.5
    print(f"familywise error, {HAZARDS} hazards, alpha {ALPHA}; {runs} simulated runs (bar {limit:.3f}), seed {SEED}")
    print(f"{'scenario':<58}{'false met':>10}{'false not met':>15}")
    worst: dict[str, float] = {}

    def row(label: str, kind: str, errors: tuple[float, float]) -> None:
        print("{:<58}{:>10.4f}{:>15.4f}".format(label, *errors))
        worst[kind] = max(worst.get(kind, 0.0), *errors)

    for threshold in (0.01, 0.05, 0.1, 0.5):
        row(f"all at {threshold:.0%}, exact", "exact", exact_worst_null(threshold))
    for icc, repeats in ((0.1, 5), (0.4, 5), (0.8, 5), (0.8, 10)):
        label = f"all at 5%, seed means of {repeats}, ICC {icc}"
        row(label, "clustered", clustered(icc, repeats, runs))
    scenarios = {
        "all at threshold": [1.0] * 20,
        "10 clean, 10 at threshold": [0.0] * 10 + [1.0] * 10,
        "19 clearly above, 1 at threshold": [6.0] * 19 + [1.0],
        "10 easy, 10 at 1.02": [0.0] * 10 + [1.02] * 10,
    }
    for multiplicity in MULTIPLICITIES:
        for label, factors in scenarios.items():
            row(f"{label}, {multiplicity}", multiplicity, stressed(factors, runs, multiplicity))
    exact, wanted = worst.pop("exact"), f"<= {limit:.3f}"
    bar("either error at the worst null, exact over all paths", f"{exact:.4f}", f"<= {ALPHA}", met=exact <= ALPHA)
    for kind, error in worst.items():
        bar(f"either error, largest scenario: {kind}", f"{error:.3f}", wanted, met=error <= limit)


if __name__ == "__main__":
    main()
