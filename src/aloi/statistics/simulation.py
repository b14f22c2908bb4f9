"""Try a design on systems of known risk: the monitor of `monitor`, vectorised over many simulated runs.

Verdicts are those of `SequentialMonitor` fed one query per undecided hazard in turn, round after round. It reads
stopping boundaries (at each n, how many failures still allow a claim) instead of computing e-values one by one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from math import log

import numpy as np
from numpy.typing import NDArray

from aloi.statistics.betting import MET, NOT_MET, Mixture
from aloi.statistics.boundaries import log_mean_exp, stopping_boundary
from aloi.statistics.hazard import HazardDesign
from aloi.statistics.multiplicity import Multiplicity, known_multiplicity

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

PASSED, FAILED, UNSCORABLE = 0, 1, 2
UNDECIDED, CLAIMED_MET, CLAIMED_NOT_MET, INCONCLUSIVE = 0, 1, 2, 3

Draw = Callable[[int, int, Ints], Ints]
"""(hazard, round from 0, indices of runs) -> one outcome code for each of those runs."""


@dataclass(frozen=True, kw_only=True)
class Runs:
    """What came out of many runs; every array has shape (runs, hazards)."""

    met: Bools
    not_met: Bools
    queries: Ints

    def false_met(self, above: Sequence[bool]) -> float:
        """Share of runs with a `met` on any hazard whose true rate is above its threshold."""
        return float(self.met[:, np.asarray(above)].any(axis=1).mean())

    def false_not_met(self, below: Sequence[bool]) -> float:
        """Share of runs with a `not met` on any hazard whose true rate is at or below its threshold."""
        return float(self.not_met[:, np.asarray(below)].any(axis=1).mean())


def log_e_paths(mixture: Mixture, rate: float, outcomes: Floats) -> Floats:
    """Log e-values of `mixture` against `rate` after each outcome in [0, 1]; last axis is time, shapes are equal."""
    # A certain failure leaves the alternative "no failure at all" nothing: log 0.
    with np.errstate(divide="ignore"):
        terms = [
            np.cumsum(np.log1p((c - 1) * outcomes), axis=-1) - np.log1p((c - 1) * rate) * _counting(outcomes)
            for c in mixture.odds
        ]
    return log_mean_exp(np.stack(terms))


def simulate(
    designs: Sequence[HazardDesign],
    rates: Sequence[float],
    alpha: float,
    runs: int,
    rng: np.random.Generator,
    *,
    joint: bool = False,
    multiplicity: Multiplicity = "holm_per_family",
    unscorable: float = 0.0,
) -> Runs:
    """`runs` simulated runs where hazard i fails at `rates[i]` and a share `unscorable` of trials cannot be scored."""

    def draw(hazard: int, _: int, indices: Ints) -> Ints:
        dice = rng.random(len(indices))
        failed = np.where(dice < rates[hazard] * (1 - unscorable), FAILED, PASSED)
        return np.where(dice >= 1 - unscorable, UNSCORABLE, failed)

    return run(designs, draw, alpha, runs, joint=joint, multiplicity=multiplicity)


def run(
    designs: Sequence[HazardDesign],
    draw: Draw,
    alpha: float,
    runs: int,
    *,
    joint: bool = False,
    multiplicity: Multiplicity = "holm_per_family",
) -> Runs:
    """`runs` runs whose outcomes come from `draw`. Raises UnknownName for an unknown multiplicity."""
    bench = _Bench(designs, alpha / 2 if joint else alpha, runs, known_multiplicity(multiplicity))
    for turn in range(max(design.cap for design in designs)):
        for hazard in range(len(designs)):
            bench.step(hazard, turn, draw)
    return Runs(met=bench.verdict == CLAIMED_MET, not_met=bench.verdict == CLAIMED_NOT_MET, queries=bench.queries)


class _Bench:
    """All runs at once: counts and verdicts of shape (runs, hazards)."""

    def __init__(self, designs: Sequence[HazardDesign], alpha: float, runs: int, multiplicity: Multiplicity) -> None:
        shape = (runs, len(designs))
        self.designs, self.multiplicity = designs, multiplicity
        self.against, self.failed, self.queries = (np.zeros(shape, dtype=np.int64) for _ in range(3))
        self.verdict = np.zeros(shape, dtype=np.int64)
        self.left = np.full((runs, 2), len(designs))
        self.active = [np.arange(runs) for _ in designs]
        tables = [_boundaries(design.met_at, design.not_met_at, design.cap, alpha, len(designs)) for design in designs]
        self.most, self.least = [table[0] for table in tables], [table[1] for table in tables]

    def step(self, hazard: int, turn: int, draw: Draw) -> None:
        """One more query of `hazard` in every run where it is undecided."""
        rows = self.active[hazard]
        if not len(rows):
            return
        outcome = draw(hazard, turn, rows)
        self.against[rows, hazard] += outcome != PASSED
        self.failed[rows, hazard] += outcome == FAILED
        self.queries[rows, hazard] = turn + 1
        claimed = rows[self._claims(rows, hazard) != UNDECIDED]
        for row in claimed:
            self._settle(int(row), hazard)
        if turn + 1 >= self.designs[hazard].cap:
            self.verdict[rows[self.verdict[rows, hazard] == UNDECIDED], hazard] = INCONCLUSIVE
        if len(claimed) or turn + 1 >= self.designs[hazard].cap:
            self.active = [rows[self.verdict[rows, h] == UNDECIDED] for h, rows in enumerate(self.active)]

    def _claims(self, rows: Ints, hazard: int) -> Ints:
        n, left = self.queries[rows, hazard], self.left[rows]
        met = self.against[rows, hazard] <= self.most[hazard][left[:, 0], n]
        not_met = self.failed[rows, hazard] >= self.least[hazard][left[:, 1], n]
        return np.where(met, CLAIMED_MET, np.where(not_met, CLAIMED_NOT_MET, UNDECIDED))

    def _settle(self, row: int, first: int) -> None:
        """Enter the claim of `first` in run `row`, and every claim that its lower threshold then allows."""
        waiting = [first]
        while waiting:
            for hazard in waiting:
                claim = int(self._claims(np.array([row]), hazard)[0])
                self.verdict[row, hazard] = claim
                self._lower(row, claim)
            open_hazards = [h for h in range(len(self.designs)) if self.verdict[row, h] == UNDECIDED]
            # One at a time, as the monitor does: each claim may change what the next one has to reach.
            waiting = [h for h in open_hazards if self._claims(np.array([row]), h)[0] != UNDECIDED][:1]

    def _lower(self, row: int, claim: int) -> None:
        if self.multiplicity == "holm_per_family":
            self.left[row, claim - 1] -= 1
        elif self.multiplicity == "holm_directional":
            self.left[row] -= 1


@cache
def _boundaries(met_at: float, not_met_at: float, cap: int, alpha: float, hazards: int) -> tuple[Ints, Ints]:
    """Boundaries of both mixtures when 0..hazards hazards are left; shape (hazards + 1, cap + 1) each."""
    targets = [log(max(left, 1) / alpha) for left in range(hazards + 1)]
    most = np.stack([stopping_boundary(MET, met_at, target, cap) for target in targets])
    least = np.stack([stopping_boundary(NOT_MET, not_met_at, target, cap) for target in targets])
    return most, least


def _counting(outcomes: Floats) -> Ints:
    return np.arange(1, outcomes.shape[-1] + 1)
