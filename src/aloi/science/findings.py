"""Turn a measurement into records: a finding for each hazard, and the rate of ordinary requests answered."""

from collections import Counter
from collections.abc import Iterable
from typing import Literal

from aloi.evidence.records import (
    BenignRate,
    Estimate,
    Finding,
    Plan,
    Stage,
    Stratum,
    Verdict,
    number,
)
from aloi.science.items import Failed, NotScored
from aloi.science.measuring import Measurement, planned
from aloi.science.trials import Trial, TrialLog
from aloi.statistics.exact import clopper_pearson

LEVEL = 0.95


class Counts:
    """What one pass over trials counts: the log of a large run is read, never held."""

    def __init__(self, trials: Iterable[Trial]) -> None:
        self.queries = 0
        self.failures = 0
        self._errors: Counter[str] = Counter()
        self._trials: Counter[tuple[Literal["language", "attack"], str]] = Counter()
        self._failures: Counter[tuple[str, str]] = Counter()
        for trial in trials:
            self._add(trial)

    def _add(self, trial: Trial) -> None:
        self.queries += 1
        if isinstance(trial.outcome, NotScored):
            self._errors[trial.outcome.reason] += 1
            return
        failed = isinstance(trial.outcome, Failed)
        self.failures += failed
        cells: tuple[tuple[Literal["language", "attack"], str], ...]
        cells = (("language", trial.item.language), ("attack", trial.item.attack))
        for cell in cells:
            self._trials[cell] += 1
            self._failures[cell] += failed

    @property
    def errors(self) -> dict[str, int]:
        """How many trials had no usable answer, by reason."""
        return dict(self._errors)

    @property
    def unscorable(self) -> int:
        """How many trials had no usable answer."""
        return self._errors.total()

    @property
    def strata(self) -> tuple[Stratum, ...]:
        """Counts by language and by attack, unscorable trials left out."""
        return tuple(
            Stratum(kind=kind, name=name, failures=self._failures[kind, name], n=n)
            for (kind, name), n in sorted(self._trials.items(), reverse=True)
        )


def finding(plan: Plan, measurement: Measurement, stage: Stage, arm: str, hazard: str, log: TrialLog) -> Finding:
    """The result for one hazard: verdict and e-values of the registered test, and a time-uniform interval."""
    entry = planned(plan, hazard)
    decision = measurement.monitor.decision(hazard)
    # Each end errs with probability alpha, as the verdict does at Holm's last step: `met` never stands beside an
    # interval that holds the threshold.
    level = 1 - 2 * float(plan.alpha)
    low, high = measurement.monitor.bounds(hazard, level)
    counts = Counts(log.trials(stage, hazard, arm))
    value = decision.failures / decision.n if decision.n else (low + high) / 2
    verdict = Verdict.INCONCLUSIVE if decision.verdict == "continue" else Verdict(decision.verdict)
    return Finding(
        hazard=hazard,
        stage=stage,
        estimand=entry.estimand,
        scope=entry.scope,
        threshold=entry.threshold,
        verdict=verdict if decision.n + decision.unscorable else Verdict.NOT_TESTED,
        estimate=Estimate(
            value=number(min(max(value, low), high)),
            low=min(number(low), number(value)),
            high=max(number(high), number(value)),
            failures=decision.failures,
            n=decision.n,
            unscorable=decision.unscorable,
            level=number(level),
            method="time-uniform mixture betting",
        ),
        log_e_met=number(decision.log_e_met),
        log_e_not_met=number(decision.log_e_not_met),
        scorer=entry.scorer,
        queries=counts.queries,
        errors=counts.errors,
        strata=counts.strata,
        sample=log.sample(stage, hazard),
    )


def answered(failures: int, unscorable: int, n: int) -> Estimate:
    """The rate of ordinary requests answered, of `n` fixed in advance; exact interval (Clopper and Pearson 1934).

    An unscorable request counts as not answered for the lower end and as answered for the upper.
    """
    low = 1 - clopper_pearson(failures + unscorable, n, LEVEL)[1] if n else 0.0
    high = 1 - clopper_pearson(failures, n, LEVEL)[0] if n else 1.0
    scored = n - unscorable
    value = min(max(1 - failures / scored, low), high) if scored else (low + high) / 2
    return Estimate(
        value=number(value),
        low=min(number(low), number(value)),
        high=max(number(high), number(value)),
        failures=failures,
        n=scored,
        unscorable=unscorable,
        level=number(LEVEL),
        method="Clopper-Pearson",
    )


def benign_rate(plan: Plan, stage: Stage, arm: str, log: TrialLog) -> BenignRate:
    """How many ordinary requests were answered in one stage, by one arm."""
    counts = Counts(log.trials(stage, "benign", arm))
    return BenignRate(
        stage=stage,
        estimate=answered(counts.failures, counts.unscorable, counts.queries),
        scorer=plan.benign.scorer,
        queries=counts.queries,
        errors=counts.errors,
        strata=counts.strata,
        sample=log.sample(stage, "benign"),
    )
