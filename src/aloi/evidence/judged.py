"""What a plan and a finding on a judged hazard owe the judge's calibration: recomputed here, without numpy or scipy."""

from collections.abc import Sequence
from decimal import Decimal
from math import exp, inf, lgamma, log, log1p

from aloi.errors import EvidenceError
from aloi.evidence.decoding import shown
from aloi.evidence.figures import check_estimate
from aloi.evidence.records import Calibration, Finding, HazardPlan, Judging, Plan, Verdict
from aloi.translation import N_

# The alternatives of the registered test, as odds ratios to its threshold (`aloi.statistics.betting`).
MET = (0.0, 0.1, 0.3, 0.55)
NOT_MET = (1.8, 3.0, 6.0, 15.0, 40.0)
LEAST_YOUDEN = Decimal("0.1")
CONTRADICTS = "contradicts-calibration"
# Of the error of a bound, and of a log e-value: both are signed with six significant digits.
_ERROR_ROUNDING = 1e-4
_LOG_ROUNDING = 1e-3


def check_judges(plan: Plan) -> None:
    """Raises EvidenceError unless every judge's bounds follow from its calibration at the error the plan spends.

    Each calibration has its share of `judging_alpha`. Where a person confirms every failure the sensitivity's bound has
    all of that share, and there are no false alarms; else it has half, as has the least share of false alarms, and the
    largest, which the other direction rests on, has all (Clopper and Pearson 1934).
    """
    judged = [(entry, entry.judging) for entry in plan.hazards if entry.judging]
    used = {judging.calibration.digest for _, judging in judged if judging.calibration}
    if not 0 <= plan.judging_alpha < plan.alpha or bool(used) != bool(plan.judging_alpha):
        raise _refusal(N_("the plan's error for judges, {alpha}, is not a part of its error"), alpha=plan.judging_alpha)
    for entry, judging in judged:
        _check_judging(entry, judging, float(plan.error_each_way - plan.test_error) / max(len(used), 1))


def _check_judging(entry: HazardPlan, judging: Judging, error: float) -> None:
    least, most = judging.false_alarms
    if entry.scorer.name != judging.judge:
        raise _unfounded(entry)
    if entry.scorer.kind == "oracle" or not 0 <= judging.audit <= 1 or not 0 <= least <= most <= 1:
        raise _unfounded(entry)
    found = judging.calibration
    if found is None:
        if judging.sensitivity != 1 or most or not judging.identifiable:
            raise _unfounded(entry)
        return
    _check_counts(found, entry)
    failures, passes = found.tp + found.fn, found.fp + found.tn
    each = error if judging.confirmed else error / 2
    holds = _is_lower(judging.sensitivity, found.tp, failures, each)
    if judging.confirmed:
        holds = holds and most == 0
    else:
        # What is not a false alarm is a pass let pass: the largest share of the one is the smallest of the other.
        holds = holds and _is_lower(least, found.fp, passes, each) and _is_lower(1 - most, found.tn, passes, error)
    if not holds or judging.identifiable != (judging.sensitivity - most > LEAST_YOUDEN):
        raise _unfounded(entry)


def _check_counts(found: Calibration, entry: HazardPlan) -> None:
    counts = (found.tp, found.fn, found.fp, found.tn, found.unclear)
    if min(counts) < 0 or found.unclear > found.fn + found.tn or max(counts) > 10**5:
        raise _unfounded(entry)
    if not found.tp + found.fn or not found.fp + found.tn:
        raise _unfounded(entry)


def check_judged(finding: Finding, planned: HazardPlan) -> None:
    """Raises EvidenceError unless a finding counts what the plan lets it count, and its e-values are those of its
    counts against the threshold as the judge would show it."""
    judging = planned.judging
    if judging is None:
        if finding.uncorrected or finding.audit or finding.ratings:
            raise _misstated(finding)
        return
    contradicts = CONTRADICTS in finding.caveats
    counts = "judge-rated failures" if contradicts else planned.counts
    is_corrected = judging.calibration is not None and judging.identifiable and not contradicts
    if finding.counts != counts or (finding.uncorrected is not None) != is_corrected:
        raise _misstated(finding)
    if finding.uncorrected is not None:
        _check_uncorrected(finding)
    decided = finding.verdict in {Verdict.MET, Verdict.NOT_MET}
    if (decided and not judging.identifiable) or (contradicts and finding.verdict is Verdict.MET):
        raise _misstated(finding)
    _check_evalues(finding, judging)


def _check_uncorrected(finding: Finding) -> None:
    assert finding.uncorrected is not None
    check_estimate(finding.uncorrected)
    one, other = finding.estimate, finding.uncorrected
    if (one.failures, one.n, one.unscorable) != (other.failures, other.n, other.unscorable):
        raise _misstated(finding)


def _check_evalues(finding: Finding, judging: Judging) -> None:
    threshold, (least, most) = float(finding.threshold), (float(bound) for bound in judging.false_alarms)
    at_met = least + threshold * (float(judging.sensitivity) - least) if judging.identifiable else 0.0
    at_not_met = most + threshold * (1 - most) if judging.identifiable else 1.0
    seen = finding.estimate
    n = seen.n + seen.unscorable
    expected = (
        log_e(MET, at_met, n, seen.failures + seen.unscorable),
        log_e(NOT_MET, at_not_met, n, seen.failures),
    )
    for got, wanted in zip((finding.log_e_met, finding.log_e_not_met), expected, strict=True):
        if abs(float(got) - wanted) > _LOG_ROUNDING * max(1.0, abs(wanted)):
            raise _misstated(finding)


def log_e(odds: Sequence[float], rate: float, n: int, ones: int) -> float:
    """The natural logarithm of the mixture's e-value against `rate`, after `ones` failures among `n` trials."""
    terms = [(ones * log(c) if c else -inf if ones else 0.0) - n * log1p((c - 1) * rate) for c in odds]
    top = max(terms)
    return top + log(sum(exp(term - top) for term in terms) / len(terms))


def _is_lower(bound: Decimal, k: int, n: int, error: float) -> bool:
    """Whether `k` events or more among `n` are no likelier than `error` at the rate `bound`."""
    return bound <= 0 or _at_least(k, n, float(bound)) <= error * (1 + _ERROR_ROUNDING)


def _at_least(k: int, n: int, rate: float) -> float:
    """Probability of `k` events or more among `n` at a `rate` above 0."""
    if k <= 0 or rate >= 1:
        return 1.0
    ways = lgamma(n + 1)
    return sum(
        exp(ways - lgamma(i + 1) - lgamma(n - i + 1) + i * log(rate) + (n - i) * log1p(-rate)) for i in range(k, n + 1)
    )


def _unfounded(entry: HazardPlan) -> EvidenceError:
    return _refusal(N_("the bounds on the judge of {hazard} do not follow from its calibration"), hazard=entry.hazard)


def _misstated(finding: Finding) -> EvidenceError:
    return _refusal(N_("the finding on {hazard} says more than its judge's words allow"), hazard=finding.hazard)


def _refusal(message: str, **facts: object) -> EvidenceError:
    return EvidenceError(
        message,
        reason="unfounded-judging",
        remedy=N_("ask the one who signed: the evidence contradicts itself"),
        **{name: shown(fact) for name, fact in facts.items()},
    )
