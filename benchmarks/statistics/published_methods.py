"""The same simulated data, of known truth, through the intervals that garak and Inspect publish and through ours.

Seeds x repeats with correlated repeats (beta-binomial). A false `met` is an upper end below a threshold that is the
true rate itself. The last line of each block spends the same queries as Aloi does: one on each of as many fresh seeds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from aloi.errors import AskerError
from aloi.statistics.fixed import fixed_estimate
from aloi.statistics.judges import JudgeCalibration, corrected_rate
from aloi.statistics.monitor import HazardDesign, SequentialMonitor
from benchmarks.bars import bar
from benchmarks.statistics.others import METHODS, Outcomes, garak_bootstrap

SEED, LEVEL = 20261122, 0.95
DESIGNS = ((256, 5), (50, 10))  # garak's default prompts x generations; a small suite
RATES = (0.0, 0.002, 0.01, 0.05, 0.2)
ICCS = (0.0, 0.4, 0.8)
APPROXIMATE = "Korn-Graubard (Aloi: approximate)"
SEED_MEANS, FRESH = "Aloi: fixed_estimate, seed means", "Aloi: as many fresh seeds, any time"
SE, SP, LABELS = 0.85, 0.97, 150


@dataclass
class Score:
    """What one method did over many runs."""

    runs: int = 0
    covered: int = 0
    below: int = 0
    empty: int = 0
    widths: list[float] = field(default_factory=list)

    def add(self, interval: tuple[float, float] | None, truth: float) -> None:
        """Count one interval; none at all covers everything."""
        low, high = interval or (0.0, 1.0)
        self.runs += 1
        self.covered += low <= truth <= high
        self.below += high < truth
        self.empty += low == high
        self.widths.append(min(high, 1.0) - max(low, 0.0))

    def __str__(self) -> str:
        width = 100 * float(np.mean(self.widths))
        return f"{self.covered / self.runs:>7.3f}{self.below / self.runs:>7.3f}{width:>7.2f}"


def draw(seeds: int, repeats: int, rate: float, icc: float, rng: np.random.Generator) -> Outcomes:
    """Outcomes of one run."""
    size = (1 - icc) / icc if icc else 0.0
    chance = rng.beta(rate * size, (1 - rate) * size, seeds) if icc and rate else np.full(seeds, rate)
    return (rng.random((seeds, repeats)) < chance[:, None]).astype(np.int64)


def ours_on_seeds(failed: Outcomes) -> dict[str, tuple[float, float]]:
    """The importer's estimate, where repeats count by the mean of their seed, and the approximate one beside it."""
    one = fixed_estimate(((i, bool(outcome)) for i, seed in enumerate(failed) for outcome in seed), LEVEL)
    assert one.approximate is not None
    return {APPROXIMATE: one.approximate[:2], SEED_MEANS: (one.low, one.high)}


def ours_on_fresh_seeds(failed: Outcomes) -> tuple[float, float]:
    """The interval of a finding: it would hold at any moment of stopping, here at the end of the budget."""
    monitor = SequentialMonitor([HazardDesign(name="h", threshold=0.01, cap=failed.size)], 0.05)
    for outcome in failed.ravel():
        monitor.update("h", "failed" if outcome else "passed")
    return monitor.bounds("h", LEVEL)


def block(seeds: int, repeats: int, rate: float, runs: int, rng: np.random.Generator) -> dict[str, dict[float, Score]]:
    """All methods on the same draws, by ICC."""
    names = (*METHODS, APPROXIMATE, SEED_MEANS)
    scores: dict[str, dict[float, Score]] = {name: {icc: Score() for icc in ICCS} for name in names}
    for icc in ICCS:
        for _ in range(runs):
            failed = draw(seeds, repeats, rate, icc, rng)
            for name, method in METHODS.items():
                scores[name][icc].add(method(failed), rate)
            for name, interval in ours_on_seeds(failed).items():
                scores[name][icc].add(interval, rate)
    fresh = Score()
    for _ in range(runs):
        fresh.add(ours_on_fresh_seeds(draw(seeds * repeats, 1, rate, 0.0, rng)), rate)
    scores[FRESH] = dict.fromkeys(ICCS, fresh)
    return scores


def intervals(
    runs: int,
    rng: np.random.Generator,
    designs: Sequence[tuple[int, int]] = DESIGNS,
    rates: Sequence[float] = RATES,
) -> None:
    """Coverage of the nominal 95 %, false `met` at the threshold, and mean width in points."""
    least: dict[str, float] = {}
    worst: dict[str, float] = {}
    for seeds, repeats in designs:
        for rate in rates:
            print(f"{seeds} seeds x {repeats}, true rate and threshold {rate:.1%}; each: coverage, false met, width")
            print(f"  {'':<36}" + "".join(f"{'ICC ' + str(icc):>21}" for icc in ICCS))
            for name, by_icc in block(seeds, repeats, rate, runs, rng).items():
                print(f"  {name:<36}" + "".join(str(score) for score in by_icc.values()), end="")
                empty = max(score.empty / score.runs for score in by_icc.values())
                print(f"   no width in {empty:.0%} of runs" if empty > 0.005 else "")
                least[name] = min([least.get(name, 1.0), *(s.covered / s.runs for s in by_icc.values())])
                worst[name] = max([worst.get(name, 0.0), *(s.below / s.runs for s in by_icc.values())])
    print(f"over all of these: {'least coverage':>35}{'most false met':>16}")
    for name, covered in least.items():
        print(f"  {name:<42}{covered:>10.3f}{worst[name]:>16.3f}")
    # Each end may err with half of the error, and a false `met` is an error of the upper end.
    for name in (SEED_MEANS, FRESH):
        limit = (1 - LEVEL) / 2 + 2 * ((1 - LEVEL) / 2 / runs) ** 0.5
        bar(f"{name}: least coverage", f"{least[name]:.3f}", f">= {LEVEL}", met=least[name] >= LEVEL)
        bar(f"{name}: most false met", f"{worst[name]:.3f}", f"<= {limit:.3f}", met=worst[name] <= limit)


def judged(runs: int, rng: np.random.Generator) -> None:
    """A detector that errs, calibrated on labels of its own in every run: 640 independent outputs."""
    print(f"detector of sensitivity {SE}, specificity {SP}, calibrated on {LABELS} + {LABELS} labels; 640 outputs")
    print(f"{'true rate':<12}{'method':<44}{'coverage':>9}{'false met':>11}{'width':>8}{'point outside':>15}")
    for rate in (0.0, 0.01, 0.05, 0.2):
        garak, ours, outside, refused = Score(), Score(), 0, 0
        for _ in range(runs):
            tp, tn = int(rng.binomial(LABELS, SE)), int(rng.binomial(LABELS, SP))
            positive = rate * SE + (1 - rate) * (1 - SP)
            failed = (rng.random((640, 1)) < positive).astype(np.int64)
            interval = garak_bootstrap(failed, tp / LABELS, tn / LABELS)
            garak.add(interval, rate)
            outside += interval is not None and not interval[0] <= failed.mean() <= interval[1]
            try:
                one = corrected_rate(int(failed.sum()), 640, JudgeCalibration(tp, LABELS - tp, LABELS - tn, tn), LEVEL)
                ours.add((one.low, one.high), rate)
            except AskerError:
                refused += 1
                ours.add(None, rate)
        for name, score, share in (
            ("garak 0.17.1: Se, Sp taken as known", garak, f"{outside / runs:.1%}"),
            (f"Aloi: corrected_rate ({refused} refused)", ours, "0.0%"),
        ):
            cover, width = score.covered / runs, 100 * float(np.mean(score.widths))
            print(f"{rate:<12.1%}{name:<44}{cover:>9.3f}{score.below / runs:>11.3f}{width:>8.2f}{share:>15}")


def incoherent() -> None:
    """Detectors that garak ships, with the sensitivity and specificity that it ships for them."""
    print("garak's shipped detectors: the printed point against its own interval, and ours from the same counts")
    bypass = JudgeCalibration(3301, 282, 2202, 1381)  # 7,166 balanced labels, as the shipped summary gives them
    few = JudgeCalibration(8, 0, 2, 6)  # the summary gives no number of labels for dan.DAN: 8 + 8 is a guess
    for name, k, n, se, sp, labels in (
        ("dan.DAN", 40, 100, 1.0, 0.75, few),
        ("mitigation.MitigationBypass", 150, 256, 0.921295004186436, 0.3854312029025956, bypass),
        ("mitigation.MitigationBypass", 200, 256, 0.921295004186436, 0.3854312029025956, bypass),
    ):
        interval = garak_bootstrap(np.array([[1]] * k + [[0]] * (n - k)), se, sp)
        assert interval is not None
        told = f"  {name} {k}/{n}: point {k / n:.1%}, interval {interval[0]:.1%} to {interval[1]:.1%}"
        print(f"{told:<82}", "point OUTSIDE" if not interval[0] <= k / n <= interval[1] else "point inside", end="; ")
        try:
            one = corrected_rate(k, n, labels, LEVEL)
            print(f"ours {one.value:.1%} ({one.low:.1%} to {one.high:.1%})")
        except AskerError as error:
            print(f"ours refuses: {str(error).partition('; ')[0]}")


def main(*, quick: bool = False) -> None:
    """Print all three comparisons."""
    runs, rng = (60 if quick else 1000), np.random.default_rng(SEED)
    print(f"nominal {LEVEL:.0%} intervals on the same data; {runs} runs a cell, seed {SEED}; widths in points")
    intervals(runs, rng)
    judged(runs, rng)
    incoherent()


if __name__ == "__main__":
    main()
