"""The parts of one stream of outcomes (its languages, its attacks): each one's own rate, and how far two lie apart.

The outcomes of one part, in the order in which they were drawn, are themselves independent draws at the part's own
rate; whenever the whole stream is stopped, the part's time-uniform bounds hold. They hold for one part at a time.

Source: betting bounds as in `betting`; union bound for the difference.
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Generic, TypeVar

from aloi.errors import UnknownName
from aloi.statistics.arguments import level_of
from aloi.statistics.hazard import Decision, HazardDesign, HazardTrack, Outcome
from aloi.statistics.multiplicity import e_bh

Name = TypeVar("Name", bound=Hashable)
Number = TypeVar("Number", float, Decimal)


@dataclass(frozen=True, kw_only=True)
class Rate:
    """A rate and its interval: `failures` of `n` scorable trials; `unscorable` ones are covered either way."""

    value: float
    low: float
    high: float
    failures: int
    n: int
    unscorable: int

    @property
    def triple(self) -> tuple[float, float, float]:
        """(value, low, high)."""
        return self.value, self.low, self.high


class Parts(Generic[Name]):
    """Follow the parts of a hazard's stream, all under the hazard's own threshold and sensitivity."""

    def __init__(self, design: HazardDesign) -> None:
        self._design = design
        self._tracks: dict[Name, HazardTrack] = {}

    def add(self, part: Name, outcome: Outcome | float) -> None:
        """Count one trial of `part`, in the order of the draw. Raises AskerError for what is no outcome."""
        if part not in self._tracks:
            self._tracks[part] = HazardTrack(self._design)
        self._tracks[part].add(outcome)

    def names(self) -> list[Name]:
        """Every part that was asked, in the order of first sight."""
        return list(self._tracks)

    def rate(self, part: Name, level: float) -> Rate:
        """The part's rate with its interval at `level`, each end at half the error, at all times together.

        Raises UnknownName for a part that was never asked. Where nothing was scored the value is the interval's middle.
        """
        track, error = self._track(part), (1 - level_of(level)) / 2
        low, high = track.lower(error), track.upper(error)
        decision = track.decision()
        value = self._design.behind(decision.mean) if decision.n else (low + high) / 2
        return Rate(
            value=min(max(value, low), high),
            low=low,
            high=high,
            failures=decision.failures,
            n=decision.n,
            unscorable=decision.unscorable,
        )

    def difference(self, first: Name, second: Name, level: float) -> tuple[float, float, float]:
        """The rate of `first` minus that of `second`: (value, low, high) at `level`, at all times together.

        Each rate keeps to its interval with half of the error, and the difference to what both allow: conservative.
        """
        each = (1 + level_of(level)) / 2
        return apart(self.rate(first, each).triple, self.rate(second, each).triple)

    def decision(self, part: Name) -> Decision:
        """Counts and e-values of a part at the hazard's threshold. Raises UnknownName for one that was never asked."""
        return self._track(part).decision()

    def above(self, parts: Iterable[Name], false_share: float) -> list[Name]:
        """Which of `parts`, named before the run, exceed the threshold, by e-BH: for exploration, not for verdicts.

        The expected share of `parts` named falsely is at most `false_share`, under any dependence.
        """
        named = list(parts)
        # A part that was not asked has the e-value 1: it weighs nothing, and is still one of those named.
        log_e = [self._tracks[part].decision().log_e_not_met if part in self._tracks else 0.0 for part in named]
        found = e_bh(log_e, false_share)
        return [part for part, is_above in zip(named, found, strict=True) if is_above]

    def _track(self, part: Name) -> HazardTrack:
        if part not in self._tracks:
            raise UnknownName("part", str(part), [str(name) for name in self._tracks])
        return self._tracks[part]


def apart(first: tuple[Number, Number, Number], second: tuple[Number, Number, Number]) -> tuple[Number, Number, Number]:
    """`first` minus `second`, all three as (value, low, high): the union of what both intervals allow.

    It errs at most as often as the two intervals together, whatever their dependence: two at 0.975 give one at 0.95.
    """
    return first[0] - second[0], first[1] - second[2], first[2] - second[1]
