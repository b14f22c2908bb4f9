"""Judges that err."""

from math import log

import numpy as np
import pytest

from aloi.errors import AskerError
from aloi.statistics.betting import MET, NOT_MET
from aloi.statistics.design import default_cap, scored_cap
from aloi.statistics.exact import clopper_pearson, clopper_pearson_lower, clopper_pearson_upper
from aloi.statistics.hazard import HazardTrack
from aloi.statistics.judges import (
    WAYS,
    AuditTrail,
    JudgeCalibration,
    NotIdentifiable,
    allowance,
    audited_upper,
    corrected_rate,
    escalation,
    true_failures,
)
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


def judged(calibration, threshold=0.1, alpha=0.05, *, confirmed=False, cap=500, name="h"):
    """The design of one hazard as a plan makes it."""
    allowed = allowance(calibration, alpha, confirmed=confirmed)
    return HazardDesign(
        name=name,
        threshold=threshold,
        cap=cap,
        sensitivity=allowed.sensitivity,
        false_alarms=allowed.false_alarms,
        expected=(calibration.sensitivity, 0.0 if confirmed else 1 - calibration.specificity),
        identifiable=allowed.identifiable,
    )


def test_an_allowance_spends_in_each_direction_what_escalation_spends():
    confirmed = allowance(GOOD, 0.05, confirmed=True, calibrations=2)
    assert confirmed.sensitivity == escalation(GOOD, 0.05, calibrations=2).sensitivity
    assert confirmed.false_alarms == (0.0, 0.0)
    assert confirmed.error == pytest.approx(0.005)
    both = allowance(GOOD, 0.05, confirmed=False, calibrations=2)
    assert both.sensitivity == GOOD.sensitivity_lower(1 - 0.0025)
    assert both.false_alarms == (
        clopper_pearson_lower(5, 150, 1 - both.error / 2),
        clopper_pearson_upper(5, 150, 1 - both.error),
    )
    assert both.identifiable
    assert confirmed.identifiable


@pytest.mark.parametrize(
    "calibration",
    [
        JudgeCalibration(50, 50, 50, 50),  # Youden 0
        JudgeCalibration(0, 1, 0, 1),
        JudgeCalibration(1, 0, 0, 1),  # one label of each: nothing is known
        JudgeCalibration(150, 0, 150, 0),  # everything is a failure
        JudgeCalibration(0, 150, 0, 150),  # nothing is
    ],
)
def test_a_judge_that_tells_nothing_never_decides(calibration):
    design = judged(calibration, cap=2000)
    assert not design.identifiable
    for outcome in ("passed", "failed"):
        monitor = SequentialMonitor([design], 0.04)
        for _ in range(2000):
            decision = monitor.update("h", outcome)
        assert decision.verdict == "inconclusive"
        assert monitor.bounds("h", 0.9) == (0.0, 1.0)
        low, high = monitor.scored_bounds("h", 0.9)
        assert (low > 0.98) if outcome == "failed" else (high < 0.02)


def test_a_threshold_is_seen_through_the_judge():
    design = judged(GOOD)
    least, most = design.false_alarms
    assert design.met_at == pytest.approx(0.1 * design.sensitivity + 0.9 * least)
    assert design.not_met_at == pytest.approx(0.1 + 0.9 * most)
    assert design.most_behind(design.met_at) == pytest.approx(0.1)
    assert design.least_behind(design.not_met_at) == pytest.approx(0.1)
    assert design.behind(0.1 * GOOD.sensitivity + 0.9 * (1 - GOOD.specificity)) == pytest.approx(0.1)
    assert (design.behind(0.0), design.behind(1.0)) == (0.0, 1.0)
    oracle = HazardDesign(name="h", threshold=0.1, cap=1)
    assert (oracle.met_at, oracle.not_met_at, oracle.behind(0.3)) == (0.1, 0.1, 0.3)


@pytest.mark.parametrize(
    "fields",
    [
        {"sensitivity": 0.04},
        {"sensitivity": 1.1},
        {"false_alarms": (0.2, 0.1)},
        {"false_alarms": (-0.1, 0.1)},
        {"sensitivity": 0.5, "false_alarms": (0.1, 0.5)},
    ],
)
def test_bounds_that_no_judge_can_have(fields):
    with pytest.raises(AskerError):
        HazardDesign(name="h", threshold=0.1, cap=10, **fields)


def test_a_judged_design_survives_saving():
    monitor = SequentialMonitor([judged(GOOD, cap=100)], 0.04)
    for i in range(30):
        monitor.update("h", "failed" if i % 7 == 0 else "passed")
    again = SequentialMonitor.from_state(monitor.state())
    assert again.state() == monitor.state()
    assert again.bounds("h", 0.9) == monitor.bounds("h", 0.9)


def test_fewer_failures_than_false_alarms_alone_are_no_met():
    """The judge raised a false alarm on a third of the labels and raises none here: its calibration fails."""
    noisy = JudgeCalibration(290, 10, 100, 200)
    monitor = SequentialMonitor([judged(noisy, threshold=0.02)], 0.04)
    for _ in range(60):
        decision = monitor.update("h", "passed")
    assert monitor.contradicts("h")
    assert decision.verdict == "inconclusive"
    # The same stream is met where the judge's alarms were rare.
    quiet = SequentialMonitor([judged(JudgeCalibration(290, 10, 0, 300), threshold=0.02)], 0.04)
    assert [quiet.update("h", "passed").verdict for _ in range(300)][-1] == "met"


def test_a_calibration_that_holds_seldom_costs_a_met():
    """A clean system of 200 runs, with the noisy judge as it was calibrated: `met` is reached all the same."""
    noisy, rng, met = JudgeCalibration(2900, 100, 600, 2400), np.random.default_rng(58), 0
    for _ in range(200):
        monitor = SequentialMonitor([judged(noisy, threshold=0.2, cap=400)], 0.04)
        for failed in rng.random(400) < 0.2:
            if monitor.update("h", "failed" if failed else "passed").verdict != "continue":
                break
        met += monitor.decision("h").verdict == "met"
    assert met >= 180


# Rate of failures, sensitivity, specificity, labels of each kind.
JUDGES = [
    (0.0, 0.85, 0.97, 150),
    (0.05, 0.85, 0.97, 150),
    (0.1, 0.85, 0.97, 30),
    (0.3, 0.7, 0.9, 60),
    (0.6, 0.95, 0.8, 150),
    (0.95, 0.9, 0.8, 150),
    (0.1, 1.0, 1.0, 20),
]


@pytest.mark.parametrize(("rate", "se", "sp", "labels"), JUDGES)
def test_corrected_bounds_cover_at_all_times_together(rate, se, sp, labels):
    """1,000 runs of up to 400 trials, each with its own calibration; a run fails where any look leaves the rate out.

    A bound on the real rate is crossed exactly where the e-process against the scored rate that it maps to is.
    """
    rng, errors, alpha = np.random.default_rng(54), np.zeros(2), 0.05
    for _ in range(1000):
        calibration = drawn(rng, se, sp, labels)
        allowed = allowance(calibration, alpha, confirmed=False)
        if not allowed.identifiable:
            continue
        least, most = allowed.false_alarms
        outcomes = (rng.random(400) < rate * se + (1 - rate) * (1 - sp)).astype(float)
        shown = ((MET, least + rate * (allowed.sensitivity - least)), (NOT_MET, most + rate * (1 - most)))
        for side, (mixture, scored) in enumerate(shown):
            if 0 < scored < 1:
                errors[side] += log_e_paths(mixture, scored, outcomes).max() >= -log(0.8 * alpha)
    assert errors.max() / 1000 <= alpha


def drawn(rng, se, sp, labels):
    tp, tn = int(rng.binomial(labels, se)), int(rng.binomial(labels, sp))
    return JudgeCalibration(tp, labels - tp, labels - tn, tn)


@pytest.mark.parametrize(("rate", "se", "sp", "labels"), JUDGES[1:6])
def test_the_interval_at_the_moment_of_stopping_covers(rate, se, sp, labels):
    """400 runs of the monitor itself, stopped by its verdict or at 200; threshold at the rate, the worst null."""
    rng, covered, runs, false = np.random.default_rng(55), 0, 0, 0
    threshold = min(rate, 0.5)
    for _ in range(400):
        design = judged(drawn(rng, se, sp, labels), threshold=threshold, cap=200)
        monitor = SequentialMonitor([design], 0.04)
        for outcome in rng.random(200) < rate * se + (1 - rate) * (1 - sp):
            if monitor.update("h", "failed" if outcome else "passed").verdict != "continue":
                break
        low, high = monitor.bounds("h", 1 - 2 * 0.04)
        covered += low <= rate <= high
        false += monitor.decision("h").verdict == ("met" if rate >= threshold else "not met")
        runs += 1
    assert covered / runs >= 0.9
    assert false / runs <= 0.05 + 2 * (0.05 * 0.95 / runs) ** 0.5


def test_an_audit_bounds_the_rate_at_all_times_together():
    """500 runs of 300 trials: 5 % fail, the judge misses two in five, a fifth of its passes is audited; 15 looks."""
    rng, covered = np.random.default_rng(56), 0
    for _ in range(500):
        trail, low = AuditTrail(), 1.0
        for i in range(300):
            failed = rng.random() < 0.05
            if failed and rng.random() < 0.6:
                trail.escalated("failed")
            else:
                audited = rng.random() < 0.2
                trail.let_pass(("failed" if failed else "passed") if audited else None)
            if i % 20 == 19:
                low = min(low, trail.upper(0.95))
        covered += low >= 0.05
    assert covered / 500 >= 0.95


def test_an_audit_counts_what_nobody_could_tell_against_the_claim():
    told, untold = AuditTrail(), AuditTrail()
    for trail, outcome in ((told, "passed"), (untold, "unscorable")):
        for _ in range(50):
            trail.let_pass(outcome)
    assert told.upper(0.95) < 0.25
    assert untold.upper(0.95) == 1.0
    assert AuditTrail().upper(0.95) == 1.0


@pytest.mark.parametrize("confirmed", [True, False])
def test_a_judged_cap_lets_both_ends_of_the_zone_be_decided(confirmed):
    """100 runs at each end of the indifference zone, with a judge calibrated on 1,000 labels of each kind."""
    calibration = JudgeCalibration(900, 100, 5, 995)
    least = default_cap(0.1, 0.04, 2)
    design = judged(calibration, confirmed=confirmed)
    alarms = 0.0 if confirmed else 0.005
    ends = [alarms + rate * (0.9 - alarms) for rate in (0.05, 0.2)]
    cap = scored_cap(0.04, 2, [(design.met_at, ends[0]), (design.not_met_at, ends[1])], least)
    assert least <= cap <= 3 * least
    rng = np.random.default_rng(57)
    for scored, verdict in zip(ends, ("met", "not met"), strict=True):
        right = 0
        for _ in range(100):
            monitor = SequentialMonitor([judged(calibration, confirmed=confirmed, cap=cap)], 0.02)
            for failed in rng.random(cap) < scored:
                if monitor.update("h", "failed" if failed else "passed").verdict != "continue":
                    break
            right += monitor.decision("h").verdict == verdict
        assert right >= 80


def test_a_cap_stays_finite_where_the_doubt_swallows_the_zone():
    vague = judged(JudgeCalibration(20, 2, 3, 20))
    assert scored_cap(0.04, 4, [(vague.met_at, 0.9), (vague.not_met_at, 0.01)], 500) == 500
    assert scored_cap(0.04, 4, [(0.1, 0.0999), (0.1, 0.1001)], 500) == 5000


def test_a_track_that_allows_for_nothing_is_an_oracles():
    plain = HazardTrack(HazardDesign(name="h", threshold=0.1, cap=10))
    for outcome in ("passed", "failed", "passed"):
        plain.add(outcome)
    assert plain.upper(0.05) == plain.scored_upper(0.05)
    assert plain.lower(0.05) == plain.scored_lower(0.05)
    assert not plain.contradicts(0.05)


@pytest.mark.parametrize(("positives", "n"), [(0, 300), (50, 300), (300, 300), (2, 5)])
@pytest.mark.parametrize("confirmed", [True, False])
def test_behind_a_judge_that_never_errs_stand_its_own_numbers(positives, n, confirmed):
    assert set(true_failures(positives, n, JudgeCalibration(10**7, 0, 0, 10**7), confirmed=confirmed)) == {positives}


def test_the_more_a_judge_errs_the_more_it_leaves_open():
    spreads = []
    for calibration in (JudgeCalibration(1280, 220, 50, 1450), GOOD, JudgeCalibration(14, 6, 2, 18)):
        ways = true_failures(50, 300, calibration)
        assert list(ways) == sorted(ways)
        assert len(ways) == WAYS
        spreads.append(ways[-1] - ways[0])
    assert spreads[0] < spreads[1] < spreads[2]
    confirmed = true_failures(50, 300, GOOD, confirmed=True)
    assert min(confirmed) >= 50


@pytest.mark.parametrize(("positives", "n"), [(3000, 20_000), (150, 1000)])
def test_their_middle_is_rogan_and_gladens(positives, n):
    calibration = JudgeCalibration(8500, 1500, 300, 9700)
    middle = true_failures(positives, n, calibration)[WAYS // 2]
    assert middle / n == pytest.approx((0.15 - 0.03) / (0.85 - 0.03), rel=0.03)
    assert true_failures(positives, n, calibration, confirmed=True)[WAYS // 2] / n == pytest.approx(
        0.15 / 0.85, rel=0.03
    )


@pytest.mark.parametrize("confirmed", [True, False])
def test_they_are_what_judges_drawn_from_a_calibration_leave(confirmed):
    """Against draws: a number of real failures, a judge, its words; kept where these are the ones that were seen."""
    rng, draws = np.random.default_rng(72), 400_000
    real = rng.integers(0, 61, draws)
    seen = rng.beta(24.5, 6.5, draws)
    alarms = np.zeros(draws) if confirmed else rng.beta(2.5, 28.5, draws)
    words = rng.binomial(real, seen) + rng.binomial(60 - real, alarms)
    kept = np.sort(real[words == 12])
    ways = true_failures(12, 60, JudgeCalibration(24, 6, 2, 28), confirmed=confirmed)
    expected = np.quantile(kept, (np.arange(WAYS) + 0.5) / WAYS)
    assert np.abs(np.array(ways) - expected).max() <= 1
