"""Exchangeability: no false alarm more often than said, and drift found."""

from math import log

import numpy as np
import pytest

from aloi.errors import AskerError
from aloi.statistics.drift import watch

ALPHA = 0.05


def alarms(calibrated, drawn, *, seed):
    state = watch(calibrated, seed=str(seed))
    for score in drawn:
        state.take(float(score))
    return state.peak >= log(1 / ALPHA), state


@pytest.mark.parametrize("tied", [False, True])
def test_false_alarms_over_a_long_watch(tied):
    """400 watches of 1,000 texts, looked at after each: at most 5 % ever alarm."""
    rng, raised = np.random.default_rng(5), 0
    for run in range(400):
        scores = rng.beta(1, 8, 1200)
        scores = scores.round(1) if tied else scores
        raised += alarms(scores[:200], scores[200:], seed=run)[0]
    assert raised / 400 <= ALPHA + 2 * (ALPHA * (1 - ALPHA) / 400) ** 0.5


@pytest.mark.parametrize("shape", [(2, 8), (1, 16)], ids=["higher", "lower"])
def test_drift_either_way_is_found(shape):
    rng = np.random.default_rng(6)
    found = [alarms(rng.beta(1, 8, 500), rng.beta(*shape, 1000), seed=run)[0] for run in range(20)]
    assert sum(found) >= 19


def test_p_values_are_uniform_and_high_scores_give_small_ones():
    rng, state = np.random.default_rng(7), watch(np.random.default_rng(8).normal(size=300), seed="p")
    drawn = [state.take(float(score)) for score in rng.normal(size=2000)]
    assert abs(np.mean(drawn) - 0.5) < 0.03
    assert state.take(9.0) < 1 / 2000
    assert state.take(-9.0) > 1 - 1 / 2000
    assert state.seen == 2002


def test_the_same_scores_and_seed_give_the_same_capital():
    one, two = (alarms([0.1, 0.1, 0.2], [0.1] * 50, seed=3)[1].log_capital for _ in range(2))
    assert one == two


def test_a_watch_without_calibration_begins_with_nothing_and_stays_sound():
    _, state = alarms([], [0.0] * 100, seed=1)
    assert state.seen == 100


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_scores_that_are_no_numbers(bad):
    with pytest.raises(AskerError):
        watch([bad], seed="")
    with pytest.raises(AskerError):
        watch([0.1], seed="").take(bad)
