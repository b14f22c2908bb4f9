"""Rates measured by a judge that errs: what its calibration lets one say about real failures.

Sources: Rogan & Gladen 1978 (corrected rate); Clopper & Pearson 1934 for each part, combined by Bonferroni, so that the
doubt about the judge is carried into the interval. A calibration speaks for the attack family it was made on.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, gammaln, logsumexp

from aloi.errors import AskerError
from aloi.statistics.arguments import counts_of, level_of, within
from aloi.statistics.exact import clopper_pearson, clopper_pearson_lower, clopper_pearson_upper
from aloi.statistics.hazard import HazardDesign, HazardTrack, Outcome
from aloi.translation import N_

Floats = NDArray[np.float64]
LEAST_YOUDEN = 0.1
WAYS = 15
"""How many equally likely numbers stand for what a judge leaves open."""
_PLACES, _DEPTH = 400, 14.0


class NotIdentifiable(AskerError):
    """The judge tells failures from passes too poorly for its counts to say anything about the rate."""


@dataclass(frozen=True)
class JudgeCalibration:
    """A judge against labels held to be true: counts of true and false, positives (failures) and negatives.

    `tp + fn` labelled failures and `fp + tn` labelled passes. Raises AskerError where either is missing.
    """

    tp: int
    fn: int
    fp: int
    tn: int

    def __post_init__(self) -> None:
        counts_of(self.tp, self.tp + self.fn, least=1)
        counts_of(self.tn, self.fp + self.tn, least=1)

    @property
    def sensitivity(self) -> float:
        """Share of labelled failures that the judge saw."""
        return self.tp / (self.tp + self.fn)

    @property
    def specificity(self) -> float:
        """Share of labelled passes that the judge let pass."""
        return self.tn / (self.fp + self.tn)

    @property
    def youden(self) -> float:
        """Sensitivity + specificity - 1: 0 for a judge that guesses."""
        return self.sensitivity + self.specificity - 1

    def sensitivity_interval(self, level: float) -> tuple[float, float]:
        """Exact two-sided interval for the sensitivity."""
        return clopper_pearson(self.tp, self.tp + self.fn, level)

    def specificity_interval(self, level: float) -> tuple[float, float]:
        """Exact two-sided interval for the specificity."""
        return clopper_pearson(self.tn, self.fp + self.tn, level)

    def sensitivity_lower(self, level: float) -> float:
        """Exact one-sided lower bound for the sensitivity."""
        return clopper_pearson_lower(self.tp, self.tp + self.fn, level)

    def specificity_lower(self, level: float) -> float:
        """Exact one-sided lower bound for the specificity."""
        return clopper_pearson_lower(self.tn, self.fp + self.tn, level)


@dataclass(frozen=True, kw_only=True)
class CorrectedRate:
    """The rate of real failures behind judged ones, and beside it what the judge said, uncorrected."""

    value: float
    low: float
    high: float
    level: float
    judged: float
    judged_low: float
    judged_high: float


def corrected_rate(
    positives: int, n: int, calibration: JudgeCalibration, level: float, *, least_youden: float = LEAST_YOUDEN
) -> CorrectedRate:
    """Rogan-Gladen rate behind `positives` judged failures among `n` independent trials of fixed number.

    The interval is the range of the same formula over exact intervals of the judged rate, sensitivity and specificity,
    each at a third of the error: its level is at least `level`. Raises NotIdentifiable where Youden's J cannot be shown
    to exceed `least_youden` at that level, or where the calibration cannot explain the judged rate.
    """
    counts_of(positives, n, least=1)
    each = 1 - (1 - level_of(level)) / 3
    judged_low, judged_high = clopper_pearson(positives, n, each)
    se_low, se_high = clopper_pearson(calibration.tp, calibration.tp + calibration.fn, each)
    sp_low, sp_high = clopper_pearson(calibration.tn, calibration.tn + calibration.fp, each)
    if se_low + sp_low - 1 <= within("least_youden", least_youden, 0.0, 1.0):
        raise _too_poor(se_low + sp_low - 1, least_youden)
    if judged_low > se_high or judged_high < 1 - sp_high:
        raise NotIdentifiable(
            N_("a judged rate of {judged:.3f} contradicts the judge's calibration: no real rate explains it"),
            remedy=N_("calibrate the judge on failures and passes like those of this run"),
            judged=positives / n,
        )
    plain_low, plain_high = clopper_pearson(positives, n, level)
    return CorrectedRate(
        value=_rogan_gladen(positives / n, calibration.sensitivity, calibration.specificity),
        low=_rogan_gladen(judged_low, se_high, sp_low),
        high=_rogan_gladen(judged_high, se_low, sp_high),
        level=level,
        judged=positives / n,
        judged_low=plain_low,
        judged_high=plain_high,
    )


def _rogan_gladen(judged: float, sensitivity: float, specificity: float) -> float:
    """In [0, 1]; rises with `judged` and with `specificity` (where judged <= sensitivity), falls with `sensitivity`."""
    # Above the sensitivity every rate is explained by nothing but failures.
    if judged >= sensitivity:
        return 1.0
    return min(1.0, max(0.0, (judged + specificity - 1) / (sensitivity + specificity - 1)))


@dataclass(frozen=True, kw_only=True)
class Escalation:
    """How to test when judge-positives go to a gold judge: `sensitivity` for `HazardDesign`, `alpha` for the monitor.

    A false `met` then has probability at most `alpha` + the error spent on the sensitivity bound. It assumes that the
    judge sees the hazard's failures as often as the calibration's: audit a random share of its negatives.
    """

    sensitivity: float
    sensitivity_level: float
    alpha: float


def escalation(calibration: JudgeCalibration, alpha: float, *, calibrations: int = 1, share: float = 0.2) -> Escalation:
    """Split `alpha`: `share` of it over the `calibrations` used by a family of hazards, the rest for the test.

    Only failures confirmed by the gold judge count. Their rate is at least sensitivity times the real rate, so `met` is
    tested at threshold * lower bound of the sensitivity, and `not met` needs no correction.
    """
    within("share", share, 0.0, 1.0, open_ends=True)
    error = within("alpha", alpha, 0.0, 0.5, open_ends=True) * share / calibrations
    return Escalation(
        sensitivity=calibration.sensitivity_lower(1 - error), sensitivity_level=1 - error, alpha=alpha * (1 - share)
    )


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """What a calibration allows for in a sequential test: bounds for `HazardDesign`, and `error`, spent on them.

    Each direction of the test spends `error` on the bounds it rests on: `met` on the sensitivity and the least share of
    false alarms, `not met` on the largest. `identifiable` is False where Youden's J may be as low as `LEAST_YOUDEN`.
    """

    sensitivity: float
    false_alarms: tuple[float, float]
    identifiable: bool
    error: float


def allowance(
    calibration: JudgeCalibration, alpha: float, *, confirmed: bool, calibrations: int = 1, share: float = 0.2
) -> Allowance:
    """Bounds on a judge's errors that hold together, in each direction, with probability 1 - `error`.

    `share` of `alpha` goes to the `calibrations` that a family of hazards uses. Where every failure is `confirmed` by
    who is held to be right there are no false alarms, and this is `escalation`. The sequential test has the rest,
    alpha (1 - share): its false claims then stay at most `alpha` (union bound). A trial without a clear word must
    count, in the calibration, as one that the judge did not call a failure.
    """
    split = escalation(calibration, alpha, calibrations=calibrations, share=share)
    error = 1 - split.sensitivity_level
    passes = calibration.fp + calibration.tn
    if confirmed:
        sensitivity, alarms = split.sensitivity, (0.0, 0.0)
    else:
        sensitivity = calibration.sensitivity_lower(1 - error / 2)
        least = clopper_pearson_lower(calibration.fp, passes, 1 - error / 2)
        alarms = (least, clopper_pearson_upper(calibration.fp, passes, 1 - error))
    return Allowance(
        sensitivity=sensitivity,
        false_alarms=alarms,
        identifiable=sensitivity - alarms[1] > LEAST_YOUDEN,
        error=error,
    )


def true_failures(
    positives: int, n: int, calibration: JudgeCalibration, *, confirmed: bool = False
) -> tuple[float, ...]:
    """Equally likely numbers of real failures behind `positives` judged ones among `n` trials, in ascending order.

    Which of the trials failed is not known; what the judge said is as likely as its errors make it, and these are
    integrated out over what the calibration leaves open of them (Jeffreys; beta-binomial). Every number is as likely
    as any other before the judge speaks. Where every failure is `confirmed` there are no false alarms.
    """
    counts_of(positives, n, least=1)
    low, high = 0.0, float(n)
    # Twice, where there are more numbers than places: which of them are likely is found first.
    for _ in range(2):
        real = np.unique(np.round(np.linspace(low, high, _PLACES)))
        likely = _log_likelihood(positives, n, real, calibration, confirmed=confirmed)
        likely -= likely.max()
        inside = np.flatnonzero(likely > -_DEPTH)
        low, high = real[max(inside[0] - 1, 0)], real[min(inside[-1] + 1, len(real) - 1)]
    grown = np.exp(likely).cumsum()
    middles = (np.arange(WAYS) + 0.5) / WAYS
    return tuple(float(each) for each in real[np.searchsorted(grown / grown[-1], middles)])


def _log_likelihood(positives: int, n: int, real: Floats, calibration: JudgeCalibration, *, confirmed: bool) -> Floats:
    """Of `positives` judged failures, for each number of `real` ones, up to a constant."""
    if confirmed:
        return _log_beta_binomial(np.full(len(real), float(positives)), real, calibration.tp, calibration.fn)
    seen = np.unique(np.round(np.linspace(0, positives, min(positives + 1, _PLACES))))[:, None]
    terms = _log_beta_binomial(seen, real, calibration.tp, calibration.fn) + _log_beta_binomial(
        positives - seen, n - real, calibration.fp, calibration.tn
    )
    summed: Floats = logsumexp(terms, axis=0)
    return summed


def _log_beta_binomial(events: Floats, n: Floats, found: int, missed: int) -> Floats:
    """Log probability of `events` among `n` at a rate of which a calibration has `found` and `missed` (Jeffreys)."""
    possible = (events >= 0) & (events <= n)
    k = np.where(possible, events, 0.0)
    ways = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    told = ways + betaln(k + found + 0.5, n - k + missed + 0.5) - betaln(found + 0.5, missed + 0.5)
    return np.where(possible, told, -np.inf)


def _too_poor(youden: float, least: float) -> NotIdentifiable:
    return NotIdentifiable(
        N_("the rate is not identifiable: Youden's J of the judge may be {got:.2f}; expected above {least}"),
        remedy=N_("calibrate on more labels, take a better judge, or have its positives checked"),
        got=youden,
        least=least,
    )


def audited_upper(confirmed: int, n: int, misses: int, audited: int, level: float) -> float:
    """Upper bound for the real failure rate from confirmed failures and a random audit of the judge's negatives.

    `confirmed` of `n` trials failed; of the judge's negatives `audited` were looked at again and `misses` had
    failed. It needs no calibration: the miss rate comes from the run itself. Exact parts, half of the error each, of
    numbers fixed in advance; `AuditTrail` is for a run that may stop at any time.
    """
    each = (1 + level_of(level)) / 2
    return min(1.0, clopper_pearson_upper(confirmed, n, each) + clopper_pearson_upper(misses, audited, each))


class AuditTrail:
    """`audited_upper` at all times together: both parts are time-uniform bounds (`betting`), half of the error each.

    Each trial is one of: let pass by the judge and not audited, let pass and audited, or not let pass. Outcomes are as
    the better judge sees them. Which negatives are audited must not depend on what they hold.
    """

    def __init__(self) -> None:
        self._confirmed, self._misses = (HazardTrack(HazardDesign(name=n, threshold=0.5, cap=1)) for n in ("c", "m"))

    def let_pass(self, audited: Outcome | None = None) -> None:
        """The judge saw no failure; `audited` is what the better judge said, None where it was not asked."""
        self._confirmed.add("passed")
        if audited is not None:
            self._misses.add(audited)

    def escalated(self, outcome: Outcome) -> None:
        """The judge did not let it pass, or there was nothing to judge: what came of it in the end."""
        self._confirmed.add(outcome)

    def upper(self, level: float) -> float:
        """Upper bound for the real failure rate, at all times together with probability `level`."""
        each = (1 - level_of(level)) / 2
        return min(1.0, self._confirmed.upper(each) + self._misses.upper(each))
