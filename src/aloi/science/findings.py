"""Turn a measurement into records: a finding for each hazard, and the rate of ordinary requests answered."""

from collections import Counter
from collections.abc import Callable, Iterable

from aloi.evidence.records import BenignRate, Estimate, Finding, Part, Plan, Stage, Verdict, number
from aloi.science.items import Failed, NotScored
from aloi.science.judging.judged import Judged
from aloi.science.judging.rates import Bounded, Trail, rate_of
from aloi.science.measuring import Measurement, design_of, outcome_word, planned
from aloi.science.parts import CORRECTED, TIME_UNIFORM, HazardParts, contrasts, estimate_of, parting, strata
from aloi.science.probe import Scorer
from aloi.science.trials import Trial, TrialLog
from aloi.statistics.exact import clopper_pearson
from aloi.statistics.hazard import Decision
from aloi.statistics.parts import Rate

LEVEL = 0.95


class Counts:
    """What one pass over trials counts: the log of a large run is read, never held."""

    def __init__(self, trials: Iterable[Trial], also: Callable[[Trial], None] = lambda _: None) -> None:
        self.queries = 0
        self.failures = 0
        self._errors: Counter[str] = Counter()
        for trial in trials:
            self._add(trial)
            also(trial)

    def _add(self, trial: Trial) -> None:
        self.queries += 1
        if isinstance(trial.outcome, NotScored):
            self._errors[trial.outcome.reason] += 1
        else:
            self.failures += isinstance(trial.outcome, Failed)

    @property
    def errors(self) -> dict[str, int]:
        """How many trials had no usable answer, by reason."""
        return dict(self._errors)

    @property
    def unscorable(self) -> int:
        """How many trials had no usable answer."""
        return self._errors.total()


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
    # Each end errs with the probability that the verdict does at Holm's last step: `met` never stands beside an
    # interval that holds the threshold. A judge's calibration has its part of that error.
    level = 1 - 2 * float(plan.error_each_way)
    rate = rate_of(entry, design_of(entry), measurement.monitor, 1 - 2 * float(plan.test_error))
    tested, parts = (
        decision.n + decision.unscorable,
        HazardParts(plan, entry, as_scored=not rate.scored, parting=parting(stage, hazard, log)),
    )
    trail = Trail(entry, scorer) if isinstance(scorer, Judged) else None

    def behind_the_verdict(trial: Trial) -> None:
        # Answers that were under way when the test stopped are in the log and not in the test.
        if trial.key.index < tested:
            parts.add(trial)
            if trail:
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
        estimate=_estimate(rate.told, decision, level, CORRECTED if rate.scored else TIME_UNIFORM),
        log_e_met=number(decision.log_e_met),
        log_e_not_met=number(decision.log_e_not_met),
        scorer=entry.scorer,
        counts=rate.counts,
        uncorrected=_estimate(rate.scored, decision, level, TIME_UNIFORM) if rate.scored else None,
        audit=trail.audit(1 - float(plan.error_each_way)) if trail else None,
        ratings=trail.sample() if trail else None,
        corpus=entry.corpus,
        caveats=(*(entry.judging.caveats if entry.judging else ()), *rate.caveats),
        queries=counts.queries,
        errors=counts.errors,
        strata=parts.strata(level),
        contrasts=parts.contrasts(level),
        exploration=parts.exploration() if tested else None,
        sample=log.sample(stage, hazard),
    )


def _estimate(rate: Bounded, decision: Decision, level: float, method: str) -> Estimate:
    counts = {"failures": decision.failures, "n": decision.n, "unscorable": decision.unscorable}
    return estimate_of(Rate(value=rate.value, low=rate.low, high=rate.high, **counts), level, method)


def answered(failures: int, unscorable: int, n: int, level: float = LEVEL) -> Estimate:
    """The rate of ordinary requests answered, of `n` fixed in advance; exact interval (Clopper and Pearson 1934).

    An unscorable request counts as not answered for the lower end and as answered for the upper.
    """
    low = 1 - clopper_pearson(failures + unscorable, n, level)[1] if n else 0.0
    high = 1 - clopper_pearson(failures, n, level)[0] if n else 1.0
    scored = n - unscorable
    value = min(max(1 - failures / scored, low), high) if scored else (low + high) / 2
    rate = Rate(value=value, low=low, high=high, failures=failures, n=scored, unscorable=unscorable)
    return estimate_of(rate, level, "Clopper-Pearson")


def benign_rate(plan: Plan, stage: Stage, arm: str, log: TrialLog) -> BenignRate:
    """How many ordinary requests were answered in one stage, by one arm.

    Which language a request is in was drawn; given how many came in each, their counts are binomial.
    """
    outcomes: dict[tuple[Part, str], Counter[str]] = {}
    parted = parting(stage, "benign", log)

    def by_part(trial: Trial) -> None:
        for part in parted(trial):
            outcomes.setdefault(part, Counter())[outcome_word(trial.outcome)] += 1

    def estimate(part: tuple[Part, str], level: float = LEVEL) -> Estimate:
        counted = outcomes[part]
        return answered(counted["failed"], counted["unscorable"], counted.total(), level)

    counts = Counts(log.trials(stage, "benign", arm), by_part)
    return BenignRate(
        stage=stage,
        estimate=answered(counts.failures, counts.unscorable, counts.queries),
        scorer=plan.benign.scorer,
        queries=counts.queries,
        errors=counts.errors,
        strata=strata(outcomes, estimate),
        contrasts=contrasts(outcomes, estimate, LEVEL),
        sample=log.sample(stage, "benign"),
    )
