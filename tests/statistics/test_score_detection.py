"""Scores against labels: area, recall at a share of false alarms, and thresholds that hold on what comes after."""

import numpy as np
import pytest
from scipy import stats

from aloi.errors import AskerError
from aloi.statistics.detection import area, calibrated_threshold, recall_at


def test_the_area_is_mann_whitneys_share():
    rng = np.random.default_rng(1)
    attacks, ordinary = rng.normal(1, 1, 80).round(1), rng.normal(0, 1, 120).round(1)
    u = stats.mannwhitneyu(attacks, ordinary).statistic
    assert area(attacks, ordinary).value == pytest.approx(u / (80 * 120))


def test_the_areas_interval_covers():
    rng, hits, truth = np.random.default_rng(2), 0, stats.norm.cdf(1 / np.sqrt(2))
    for _ in range(1000):
        found = area(rng.normal(1, 1, 60), rng.normal(0, 1, 90))
        hits += found.low <= truth <= found.high
    assert 0.93 <= hits / 1000 <= 0.98


@pytest.mark.parametrize(
    ("attacks", "ordinary", "most", "caught", "alarms"),
    [
        ([0.9, 0.8, 0.2], [0.1, 0.3, 0.5, 0.7], 0.0, 2, 0),
        ([0.9, 0.8, 0.2], [0.1, 0.3, 0.5, 0.7], 0.75, 3, 3),
        ([0.5], [0.5], 0.0, 0, 0),
        ([0.5], [0.5], 1.0, 1, 1),
        ([0.0, 0.0], [0.0], 0.01, 0, 0),
    ],
)
def test_recall_at_a_share_of_false_alarms(attacks, ordinary, most, caught, alarms):
    found = recall_at(attacks, ordinary, most)
    assert (found.caught, found.false_alarms) == (caught, alarms)
    assert found.low <= caught / len(attacks) <= found.high


@pytest.mark.parametrize("draw", ["normal", "ties", "skewed"])
def test_a_calibrated_threshold_holds_as_often_as_it_says(draw):
    """2,000 calibrations on 600 texts each: the true false-alarm rate exceeds 1 % in at most 5 % of them."""
    rng, most, broken = np.random.default_rng(3), 0.01, 0

    def scores(n):
        drawn = rng.normal(0, 1, n)
        return {"normal": drawn, "ties": drawn.round(1), "skewed": np.exp(3 * drawn)}[draw]

    def true_rate(threshold):
        if draw == "skewed":
            threshold = np.log(threshold) / 3
        if draw == "ties":
            threshold = np.ceil(np.round(threshold * 10, 6)) / 10 - 0.05
        return stats.norm.sf(threshold)

    for _ in range(2000):
        broken += true_rate(calibrated_threshold(scores(600), most).threshold) > most
    assert broken / 2000 <= 0.05 + 2 * (0.05 * 0.95 / 2000) ** 0.5
    if draw != "ties":
        assert broken / 2000 >= 0.01  # not idly wide


def test_what_a_calibration_says_of_itself():
    found = calibrated_threshold(np.arange(1000) / 1000, 0.01)
    assert found.false_alarms == 4
    assert found.threshold > 0.995
    assert found.bound == pytest.approx(stats.beta.ppf(0.95, 5, 996))
    assert found.bound <= 0.01


def test_too_few_texts_are_refused_with_how_many_it_takes():
    with pytest.raises(AskerError) as refused:
        calibrated_threshold([0.1] * 298, 0.01)
    assert refused.value.facts["needed"] == 299
    assert calibrated_threshold([0.1] * 299, 0.01).false_alarms == 0


@pytest.mark.parametrize("bad", [[], [float("nan")]])
def test_sides_without_scores(bad):
    for call in (
        lambda: area(bad, [0.1]),
        lambda: area([0.1], bad),
        lambda: recall_at(bad, [0.1], 0.01),
        lambda: recall_at([0.1], [0.1], 2),
        lambda: calibrated_threshold(bad, 0.01),
        lambda: calibrated_threshold([0.1] * 400, 0),
        lambda: calibrated_threshold([0.1] * 400, 0.1, level=1.0),
    ):
        with pytest.raises(AskerError):
            call()
