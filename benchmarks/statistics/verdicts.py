"""Queries for 20 verdicts at a threshold of 1 %: the monitor against a sound fixed-n design and the KL lower bound."""

import numpy as np

from aloi.statistics.design import default_cap, kl_lower_bound, sound_fixed_size
from aloi.statistics.monitor import MULTIPLICITIES, HazardDesign
from aloi.statistics.simulation import simulate
from benchmarks.bars import bar

THRESHOLD, ALPHA, SEED = 0.01, 0.05, 20261122
MIX = (0, 0, 1e-4, 2e-4, 5e-4, 5e-4, 1e-3, 1e-3, 2e-3, 2e-3, 4e-3, 5e-3, 0.02, 0.025, 0.03, 0.05, 0.2, 0.25, 0.4, 0.6)


def main(*, quick: bool = False) -> None:
    """Print one line per rule: queries, ratios, familywise errors and power."""
    runs, hazards = (200 if quick else 1000), len(MIX)
    caps = {joint: default_cap(THRESHOLD, ALPHA / 2 if joint else ALPHA, hazards) for joint in (False, True)}
    fixed = hazards * sound_fixed_size(THRESHOLD, ALPHA, hazards)
    bound = sum(kl_lower_bound(rate, THRESHOLD, ALPHA) for rate in MIX)
    below = np.array(MIX) <= THRESHOLD
    print(
        f"queries for {hazards} verdicts, threshold {THRESHOLD:.0%}, cap {caps[False]} ({caps[True]} joint);", end=" "
    )
    print(f"{runs} runs, seed {SEED}")
    print(f"sound fixed-n {fixed:,}; KL lower bound {bound:,.0f} (alpha {ALPHA}, power 0.9)")
    print(f"{'rule':<26}{'queries':>9}{'p95':>9}{'fewer':>7}{'x KL':>6}{'worst power':>12}{'false met':>10}", end="")
    print(f"{'not met':>8}")
    bars = []
    for multiplicity in MULTIPLICITIES:
        for joint in (False, True):
            rng = np.random.default_rng(SEED)
            designs = [HazardDesign(name=f"h{i}", threshold=THRESHOLD, cap=caps[joint]) for i in range(hazards)]
            result = simulate(designs, MIX, ALPHA, runs, rng, multiplicity=multiplicity, joint=joint)
            total = result.queries.sum(axis=1)
            power = np.where(below, result.met.mean(axis=0), result.not_met.mean(axis=0)).min()
            print(
                f"{multiplicity + (', joint' if joint else ''):<26}"
                f"{total.mean():>9,.0f}{np.quantile(total, 0.95):>9,.0f}"
                f"{fixed / total.mean():>7.2f}{total.mean() / bound:>6.2f}{power:>12.3f}"
                f"{result.false_met((~below).tolist()):>10.3f}{result.false_not_met(below.tolist()):>8.3f}"
            )
            bars.append((fixed / total.mean(), total.mean() / bound, power))
    fewer, over, power = bars[0]
    bar("default rule (proved): fewer queries than a sound fixed-n design", f"{fewer:.2f}x", ">= 5x", met=fewer >= 5)
    bar("default rule: queries over the KL lower bound", f"{over:.2f}x", "<= 3x", met=over <= 3)
    bar("default rule: power on the worst hazard", f"{power:.3f}", ">= 0.9", met=power >= 0.9)


if __name__ == "__main__":
    main()
