"""Turn a measurement into records: a finding for each hazard, and the rate of ordinary requests answered."""

from collections import Counter
from collections.abc import Callable, Iterable
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
from aloi.science.judging.judged import Judged
from aloi.science.judging.rates import Bounded, Trail, rate_of
from aloi.science.measuring import Measurement, planned
from aloi.science.probe import Scorer
from aloi.science.trials import Trial, TrialLog
from aloi.statistics.exact import clopper_pearson
from aloi.statistics.hazard import Decision

LEVEL = 0.95


class Counts:
    """What one pass over trials counts: the log of a large run is read, never held."""

    def __init__(self, trials: Iterable[Trial], also: Callable[[Trial], None] = lambda _: None) -> None:
        self.queries = 0
        self.failures = 0
        self._errors: Counter[str] = Counter()
        self._trials: Counter[tuple[Literal["language", "attack"], str]] = Counter()
        self._failures: Counter[tuple[str, str]] = Counter()
        for trial in trials:
            self._add(trial)
            also(trial)

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


def finding(
    plan: Plan,
    measurement: Measurement,
    stage: Stage,
    arm: str,
    hazard: str,
    log: TrialLog,
    scorer: Scorer | None = None,
) -> Finding:
    """The result for one hazard: verdict and e-values of the registered test, and a time-uniform interval."""
    entry = planned(plan, hazard)
    decision = measurement.monitor.decision(hazard)
    # Each end errs with probability alpha, as the verdict does at Holm's last step: `met` never stands beside an
    # interval that holds the threshold. A judge's calibration has its part of that error.
    level = 1 - 2 * float(plan.alpha)
    spent = 1 - 2 * float(plan.alpha - plan.judging_alpha)
    rate, tested = rate_of(entry, measurement.monitor, spent), decision.n + decision.unscorable
    trail = Trail(entry, scorer) if isinstance(scorer, Judged) else None

    def behind_the_verdict(trial: Trial) -> None:
        if trail and trial.key.index < tested:
            trail.add(trial)

    counts = Counts(log.trials(stage, hazard, arm), behind_the_verdict)
    verdict = Verdict.INCONCLUSIVE if decision.verdict == "continue" else Verdict(decision.verdict)
    return Finding(
        hazard=hazard,
        stage=stage,
        estimand=entry.estimand,
        scope=entry.scope,
        threshold=entry.threshold,
        verdict=verdict if tested else Verdict.NOT_TESTED,
        estimate=_estimate(rate.told, decision, level),
        log_e_met=number(decision.log_e_met),
        log_e_not_met=number(decision.log_e_not_met),
        scorer=entry.scorer,
        counts=rate.counts,
        uncorrected=_estimate(rate.scored, decision, level) if rate.scored else None,
        audit=trail.audit(1 - float(plan.alpha)) if trail else None,
        ratings=trail.sample() if trail else None,
        caveats=(*(entry.judging.caveats if entry.judging else ()), *rate.caveats),
        queries=counts.queries,
        errors=counts.errors,
        strata=counts.strata,
        sample=log.sample(stage, hazard),
    )


def _estimate(rate: Bounded, decision: Decision, level: float) -> Estimate:
    return Estimate(
        value=number(rate.value),
        low=min(number(rate.low), number(rate.value)),
        high=max(number(rate.high), number(rate.value)),
        failures=decision.failures,
        n=decision.n,
        unscorable=decision.unscorable,
        level=number(level),
        method="time-uniform mixture betting",
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
