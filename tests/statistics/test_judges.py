"""Judges that err."""

from math import log

import numpy as np
import pytest

from aloi.errors import AskerError
from aloi.statistics.betting import MET
from aloi.statistics.exact import clopper_pearson, clopper_pearson_lower
from aloi.statistics.judges import JudgeCalibration, NotIdentifiable, audited_upper, corrected_rate, escalation
from aloi.statistics.monitor import HazardDesign, SequentialMonitor
from aloi.statistics.simulation import log_e_paths

GOOD = JudgeCalibration(128, 22, 5, 145)


def test_the_point_is_rogan_and_gladens():
    rate = corrected_rate(30, 300, GOOD, 0.95)
    se, sp = 128 / 150, 145 / 150
    assert rate.value == pytest.approx((0.1 + sp - 1) / (se + sp - 1))
    assert (rate.judged, rate.judged_low, rate.judged_high) == (0.1, *clopper_pearson(30, 300, 0.95))


@pytest.mark.parametrize("positives", [0, 1, 10, 150, 250])
def test_the_interval_holds_the_point_and_is_never_one(positives):
    rate = corrected_rate(positives, 300, GOOD, 0.95)
    assert 0 <= rate.low <= rate.value <= rate.high <= 1
    assert rate.low < rate.high


@pytest.mark.parametrize(
    ("positives", "calibration"), [(290, GOOD), (300, GOOD), (0, JudgeCalibration(95, 5, 60, 240))]
)
def test_a_rate_that_the_calibration_cannot_explain_is_refused(positives, calibration):
    with pytest.raises(NotIdentifiable, match="contradicts"):
        corrected_rate(positives, 300, calibration, 0.95)


def test_a_perfect_judge_with_many_labels_changes_little():
    rate = corrected_rate(30, 300, JudgeCalibration(10**6, 0, 0, 10**6), 0.95)
    assert rate.value == pytest.approx(0.1)
    assert (rate.low, rate.high) == pytest.approx((rate.judged_low, rate.judged_high), abs=0.02)


@pytest.mark.parametrize(
    "calibration",
    [
        JudgeCalibration(50, 50, 50, 50),
        JudgeCalibration(2, 1, 0, 3),
        JudgeCalibration(10, 90, 90, 10),
        JudgeCalibration(60, 40, 30, 70),
    ],
)
def test_a_judge_that_guesses_is_refused(calibration):
    with pytest.raises(NotIdentifiable, match="Youden") as caught:
        corrected_rate(30, 300, calibration, 0.95)
    assert isinstance(caught.value, AskerError)
    assert caught.value.remedy


@pytest.mark.parametrize("counts", [(0, 0, 1, 9), (9, 1, 0, 0), (-1, 5, 1, 9), (1, -1, 1, 9), (1.5, 1, 1, 9)])
def test_calibrations_that_cannot_be(counts):
    with pytest.raises(AskerError):
        JudgeCalibration(*counts)


def test_figures_of_a_calibration():
    assert (GOOD.sensitivity, GOOD.specificity) == (128 / 150, 145 / 150)
    assert GOOD.youden == pytest.approx(128 / 150 + 145 / 150 - 1)
    assert GOOD.sensitivity_lower(0.99) == clopper_pearson_lower(128, 150, 0.99)
    assert GOOD.specificity_lower(0.99) == clopper_pearson_lower(145, 150, 0.99)


@pytest.mark.parametrize(
    ("rate", "se", "sp"), [(0.0, 0.85, 0.97), (0.05, 0.85, 0.97), (0.3, 0.7, 0.9), (0.95, 0.9, 0.8)]
)
def test_the_corrected_interval_covers_with_the_calibrations_own_doubt(rate, se, sp):
    """1,000 runs of 400 trials, each with its own calibration on 150 + 150 labels."""
    rng, covered = np.random.default_rng(51), 0
    for _ in range(1000):
        tp, tn = rng.binomial(150, se), rng.binomial(150, sp)
        judged = rng.binomial(400, rate * se + (1 - rate) * (1 - sp))
        interval = corrected_rate(judged, 400, JudgeCalibration(tp, 150 - tp, 150 - tn, tn), 0.95)
        covered += interval.low <= rate <= interval.high
    assert covered >= 950


def test_escalation_spends_alpha_on_the_calibration_and_the_test():
    split = escalation(GOOD, 0.05, calibrations=2)
    assert split.alpha == pytest.approx(0.04)
    assert split.sensitivity_level == pytest.approx(0.995)
    assert split.sensitivity == GOOD.sensitivity_lower(0.995)


def test_the_bounds_of_an_escalated_hazard_allow_for_missed_failures():
    oracle = SequentialMonitor([HazardDesign(name="h", threshold=0.1, cap=500)], 0.05)
    judged = SequentialMonitor([HazardDesign(name="h", threshold=0.1, cap=500, sensitivity=0.8)], 0.05)
    for monitor in (oracle, judged):
        for i in range(100):
            monitor.update("h", "failed" if i % 25 == 0 else "passed")
    assert judged.upper("h", 0.95) == pytest.approx(oracle.upper("h", 0.95) / 0.8)
    assert judged.lower("h", 0.95) == oracle.lower("h", 0.95)
    assert judged.decision("h").log_e_met < oracle.decision("h").log_e_met
    assert judged.decision("h").log_e_not_met == oracle.decision("h").log_e_not_met


def test_escalated_verdicts_err_at_most_alpha_at_the_threshold():
    """1,000 runs of five hazards exactly at 10 %, each run with its own calibration of a judge that sees 85 %."""
    rng, false = np.random.default_rng(52), 0
    for tp in rng.binomial(150, 0.85, 1000):
        split = escalation(JudgeCalibration(int(tp), 150 - int(tp), 5, 145), 0.05)
        confirmed = (rng.random((5, 600)) < 0.1 * 0.85).astype(float)
        # All five are nulls, so the first claim has to reach 5 / alpha, whatever Holm's rule does later.
        false += log_e_paths(MET, 0.1 * split.sensitivity, confirmed).max() >= log(5 / split.alpha)
    assert false / 1000 <= 0.05 + 2 * (0.05 * 0.95 / 1000) ** 0.5


def test_an_audit_bounds_the_rate_without_any_calibration():
    """1,000 runs: 5 % fail, the judge misses two in five, 150 of its negatives are audited."""
    rng, covered = np.random.default_rng(53), 0
    for _ in range(1000):
        failed = rng.random(500) < 0.05
        seen = failed & (rng.random(500) < 0.6)
        audited = rng.permutation(np.flatnonzero(~seen))[:150]
        covered += audited_upper(int(seen.sum()), 500, int(failed[audited].sum()), 150, 0.95) >= 0.05
    assert covered >= 950
