"""A watched rate: no false alarm more often than said, however often one looks, and changes found."""

from itertools import product
from math import comb, exp, log

import numpy as np
import pytest

from aloi.errors import AskerError
from aloi.statistics.shift import rate_bounds, watch_rate

FEWEST_EVENTS, MOST_TRIALS = 200, 20_000


def first_period(rng, rate, volume):
    """Batches until there are enough events to know the rate, or until it takes too long: a rule that looks at them."""
    n = events = 0
    while events < FEWEST_EVENTS and n < MOST_TRIALS:
        drawn = int(rng.poisson(volume))
        n, events = n + drawn, events + int(rng.binomial(drawn, rate))
    return events, n


def rings(rng, rate, later, *, alpha, volume, batches, calm=0):
    """After how many batches of the later rate a watch rings, looked at after each; None where it does not."""
    watched = watch_rate(*first_period(rng, rate, volume), alpha)
    for batch in range(calm + batches):
        drawn = int(rng.poisson(volume))
        watched.take(int(rng.binomial(drawn, rate if batch < calm else later)), drawn)
        if watched.rang:
            return batch + 1 - calm
    return None


@pytest.mark.parametrize("rate", [0.0, 0.01, 0.1, 0.5])
def test_false_alarms_at_every_look_of_a_long_watch(rate):
    """200 watches of 500 minutes at a known rate, looked at after each: at most alpha of them ever ring."""
    alpha, runs, rng = 0.2, 200, np.random.default_rng(31)
    rung = sum(rings(rng, rate, rate, alpha=alpha, volume=20, batches=500) is not None for _ in range(runs))
    assert rung / runs <= alpha + 2 * (alpha * (1 - alpha) / runs) ** 0.5


@pytest.mark.parametrize(("factor", "calm"), [(2.0, 0), (2.0, 1_440), (1 / 3, 0)], ids=["doubled", "late", "third"])
@pytest.mark.parametrize("rate", [0.02, 0.1])
def test_a_changed_rate_is_found_within_hours(rate, factor, calm):
    rng = np.random.default_rng(32)
    found = [rings(rng, rate, factor * rate, alpha=0.05, volume=60, batches=720, calm=calm) for _ in range(20)]
    assert sum(one is not None and one > 0 for one in found) >= 18


def test_the_first_event_after_a_clean_period_is_no_alarm_and_a_few_are():
    watched = watch_rate(0, 20_000, 0.05)
    watched.take(1, 60)
    assert not watched.rang
    for _ in range(5):
        watched.take(2, 60)
    assert watched.rang
    assert watched.above


@pytest.mark.parametrize("rate", ["low", "high", "middle"])
def test_its_mean_is_at_most_one_at_every_rate_that_the_first_period_allows(rate):
    """Every sequence of three batches of three trials, weighed exactly."""
    size = 3
    mean = 0.0
    for batches in product(range(size + 1), repeat=3):
        watched = watch_rate(2, 9, 0.2)
        p = {"low": watched.low, "high": watched.high, "middle": (watched.low + watched.high) / 2}[rate]
        weight = 1.0
        for events in batches:
            watched.take(events, size)
            weight *= comb(size, events) * p**events * (1 - p) ** (size - events)
        mean += weight * exp(watched.log_e)
    assert 0 < mean <= 1 + 1e-12


def test_its_peak_stays_where_a_change_was_shown():
    watched = watch_rate(100, 5_000, 0.05)
    while not watched.rang:
        watched.take(6, 60)
    peak = watched.peak
    assert peak >= log(2 / 0.05)
    for _ in range(300):
        watched.take(1, 60)
    assert watched.rang
    assert watched.log_e < watched.peak == max(peak, watched.peak)


def test_an_empty_batch_says_nothing():
    watched = watch_rate(10, 100, 0.05)
    assert watched.take(0, 0) == 0.0
    assert (watched.batches, watched.n, watched.peak) == (0, 0, 0.0)


def test_fewer_is_told_apart_from_more():
    watched = watch_rate(1_000, 5_000, 0.05)
    while not watched.rang:
        watched.take(2, 60)
    assert not watched.above


def test_bounds_hold_at_any_stop():
    """300 sequences, stopped where the rate looks highest: the bound holds still."""
    rng, missed = np.random.default_rng(33), 0
    for _ in range(300):
        events = np.cumsum(rng.random(400) < 0.05)
        worst = int(np.argmax(events[19:] / np.arange(20, 401))) + 20
        low, high = rate_bounds(int(events[worst - 1]), worst, 0.1)
        missed += not low <= 0.05 <= high
    assert missed / 300 <= 0.1


@pytest.mark.parametrize(("events", "n", "unknown"), [(0, 0, 0), (0, 50, 0), (50, 50, 0), (3, 50, 4), (0, 0, 7)])
def test_bounds_hold_their_own_rate(events, n, unknown):
    low, high = rate_bounds(events, n, 0.05, unknown)
    assert 0 <= low <= high <= 1
    assert low <= events / max(n + unknown, 1)
    assert (events + unknown) / max(n + unknown, 1) <= high


@pytest.mark.parametrize(("events", "n", "alpha"), [(0, 0, 0.05), (3, 2, 0.05), (1, 9, 0.0), (1, 9, 0.7)])
def test_what_no_watch_can_be_made_of(events, n, alpha):
    with pytest.raises(AskerError):
        watch_rate(events, n, alpha)
