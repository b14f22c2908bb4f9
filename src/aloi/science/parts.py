"""What a result says of its parts: each language and each attack alone, languages against each other, and the cells."""

from collections.abc import Callable, Iterable, Mapping
from itertools import combinations

from msgspec.structs import replace

from aloi.evidence.records import (
    Cell,
    Contrast,
    Estimate,
    Exploration,
    HazardPlan,
    Interval,
    Part,
    Plan,
    Stage,
    Stratum,
    number,
)
from aloi.science.measuring import design_of, outcome_word
from aloi.science.trials import BASE, Trial, TrialLog
from aloi.statistics.arguments import level_of
from aloi.statistics.parts import Parts, Rate, apart

TIME_UNIFORM = "time-uniform mixture betting"
CORRECTED = f"Rogan-Gladen, {TIME_UNIFORM}"
UNION = "union of both bounds"


KINDS: tuple[Part, ...] = ("language", "attack", "question")
Parting = Callable[[Trial], tuple[tuple[Part, str], ...]]


def parts_of(trial: Trial) -> tuple[tuple[Part, str], ...]:
    """The parts that a trial belongs to, one of each kind."""
    return ("language", trial.item.language), ("attack", trial.item.attack)


def parting(stage: Stage, hazard: str, log: TrialLog) -> Parting:
    """How the trials of a stage are parted: in a confirmation also by whether measuring had asked the question.

    A grammar is finite and stages draw independently, so that a question may come in both. Draws of a confirmation that
    fall on new questions are independent draws of their own, whatever the measurement had asked.
    """
    if stage != "confirm":
        return parts_of
    asked = {trial.item.seed for trial in log.trials("measure", hazard, BASE)}
    return lambda trial: (*parts_of(trial), ("question", "repeated" if trial.item.seed in asked else "new"))


class HazardParts:
    """The parts of one hazard. Feed it the trials behind the verdict, in the order of their draw.

    Rates are corrected for a judge's errors as the hazard's own is, or with `as_scored` the judge is taken at its word.
    """

    def __init__(self, plan: Plan, entry: HazardPlan, *, as_scored: bool = False, parting: Parting = parts_of) -> None:
        self._parting = parting
        design = design_of(replace(entry, judging=None) if as_scored else entry)
        self._false_share = plan.alpha
        self._method = TIME_UNIFORM if as_scored else CORRECTED
        self._spent = 0.0 if as_scored else float(plan.error_each_way - plan.test_error)
        self._declared = [(attack, language) for attack in entry.attacks for language in entry.languages]
        self._parts: Parts[tuple[Part, str]] = Parts(design)
        self._cells: Parts[tuple[str, str]] = Parts(design)

    def add(self, trial: Trial) -> None:
        """Count one trial."""
        outcome = outcome_word(trial.outcome)
        for part in self._parting(trial):
            self._parts.add(part, outcome)
        self._cells.add((trial.item.attack, trial.item.language), outcome)

    def strata(self, level: float) -> tuple[Stratum, ...]:
        """Every language and attack that was asked, each with a time-uniform interval of its own."""
        return strata(self._parts.names(), lambda part: self._estimate(part, level))

    def contrasts(self, level: float) -> tuple[Contrast, ...]:
        """Every two languages against each other."""
        return contrasts(self._parts.names(), self._estimate, level)

    def _estimate(self, part: tuple[Part, str], level: float) -> Estimate:
        # What a calibration leaves open has its part of the error of each end.
        return estimate_of(self._parts.rate(part, level + 2 * self._spent), level, self._method)

    def exploration(self) -> Exploration | None:
        """Which attacks in which languages exceed the threshold; None where there is one cell, which is the hazard."""
        cells = list(dict.fromkeys([*self._declared, *self._cells.names()]))
        if len(cells) < 2:
            return None
        above = self._cells.above(cells, float(self._false_share))
        return Exploration(
            cells=len(cells), false_share=self._false_share, above=tuple(self._cell(*cell) for cell in above)
        )

    def _cell(self, attack: str, language: str) -> Cell:
        decision = self._cells.decision((attack, language))
        return Cell(
            attack=attack,
            language=language,
            failures=decision.failures,
            n=decision.n,
            unscorable=decision.unscorable,
            log_e_above=number(decision.log_e_not_met),
        )


def estimate_of(rate: Rate, level: float, method: str) -> Estimate:
    """A rate as it is signed; rounding never moves the value out of its interval."""
    value = number(rate.value)
    return Estimate(
        value=value,
        low=min(number(rate.low), value),
        high=max(number(rate.high), value),
        failures=rate.failures,
        n=rate.n,
        unscorable=rate.unscorable,
        level=number(level),
        method=method,
    )


def strata(names: Iterable[tuple[Part, str]], estimate: Callable[[tuple[Part, str]], Estimate]) -> tuple[Stratum, ...]:
    """The parts of `names`, languages first, then attacks, each kind in the order of names."""
    told = [(part, estimate(part)) for part in sorted(names, key=lambda part: (KINDS.index(part[0]), part[1]))]
    return tuple(
        Stratum(kind=kind, name=name, failures=one.failures, n=one.n, estimate=one) for (kind, name), one in told
    )


def contrasts(
    names: Iterable[tuple[Part, str]], estimate: Callable[[tuple[Part, str], float], Estimate], level: float
) -> tuple[Contrast, ...]:
    """Every two languages of `names`: the union of both intervals, each of which spends half of the error."""
    each = (1 + level_of(level)) / 2
    rates = {
        name: _holding(estimate(("language", name), level), estimate(("language", name), each))
        for kind, name in sorted(names)
        if kind == "language"
    }
    return tuple(_contrast(rates, first, second, level) for first, second in combinations(rates, 2))


def _holding(told: Estimate, surer: Estimate) -> Estimate:
    """A rate as it is told, with an interval that holds both. On a path that drifted the surer one can be narrower:
    bounds that leave the path's own mean out are taken at its last look instead (`HazardTrack.scored_upper`)."""
    return replace(told, low=min(told.low, surer.low), high=max(told.high, surer.high))


def _contrast(rates: Mapping[str, Estimate], first: str, second: str, level: float) -> Contrast:
    one, other = rates[first], rates[second]
    value, low, high = apart((one.value, one.low, one.high), (other.value, other.low, other.high))
    return Contrast(
        kind="language",
        first=first,
        second=second,
        difference=Interval(
            value=value,
            low=low,
            high=high,
            n=one.n + other.n,
            level=number(level),
            unit="proportion",
            method=UNION,
        ),
    )
