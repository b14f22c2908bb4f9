"""Sizes, caps, forecasts and lower bounds, against scipy and brute force."""

from math import inf, log

import numpy as np
import pytest
from scipy import stats

from aloi.errors import AskerError
from aloi.statistics.betting import MET, NOT_MET, Tally, log_e
from aloi.statistics.boundaries import operating_characteristics, stopping_boundary
from aloi.statistics.design import default_cap, expected_queries, fixed_sample_size, kl, kl_lower_bound


@pytest.mark.parametrize(
    ("threshold", "alternative", "alpha", "power"),
    [
        (0.1, 0.05, 0.05, 0.9),
        (0.1, 0.2, 0.05, 0.9),
        (0.2, 0.1, 0.0025, 0.8),
        (0.3, 0.0, 0.01, 0.9),
        (0.5, 0.7, 0.05, 0.95),
    ],
)
def test_sample_size_is_the_first_that_has_the_power(threshold, alternative, alpha, power):
    def power_at(n):
        k = np.arange(n + 1)
        if alternative < threshold:
            rejecting = k[stats.binom.cdf(k, n, threshold) <= alpha]
            return stats.binom.cdf(rejecting.max(), n, alternative) if len(rejecting) else 0
        rejecting = k[stats.binom.sf(k - 1, n, threshold) <= alpha]
        return stats.binom.sf(rejecting.min() - 1, n, alternative) if len(rejecting) else 0

    n = fixed_sample_size(threshold, alternative, alpha, power)
    assert power_at(n) >= power
    assert all(power_at(smaller) < power for smaller in range(1, n))


def test_zero_failure_sizes_of_the_literature():
    assert [fixed_sample_size(t, 0.0, 0.05, 0.9) for t in (0.05, 0.01, 0.001)] == [59, 299, 2995]
    assert [fixed_sample_size(t, 0.0, 0.05 / 20, 0.9) for t in (0.05, 0.01, 0.001)] == [117, 597, 5989]


def test_the_cap_of_the_notes():
    assert default_cap(0.01, 0.05, 20) == 7700
    assert default_cap(0.5, 0.05, 3) < default_cap(0.1, 0.05, 3) < default_cap(1e-4, 0.05, 3)


@pytest.mark.parametrize("factor", [0, 0.1, 0.3, 0.5, 2, 4, 8])
@pytest.mark.parametrize("threshold", [0.01, 0.1])
def test_expected_queries_are_near_the_exact_expectation(threshold, factor):
    rate = threshold * factor
    exact = operating_characteristics(threshold, rate, default_cap(threshold, 0.05, 6), 0.05 / 6).expected_queries
    assert expected_queries(threshold, rate, 0.05, 6) == pytest.approx(exact, rel=0.25, abs=2)


def test_a_rate_at_the_threshold_takes_the_whole_cap():
    assert expected_queries(0.05, 0.05, 0.05, 6) == default_cap(0.05, 0.05, 6)


def test_tighter_thresholds_cost_more():
    costs = [expected_queries(t, t / 5, 0.05, 6) for t in (0.1, 0.05, 0.02, 0.01, 0.001)]
    assert costs == sorted(costs)


def test_kl_bound_of_the_notes():
    mix = [
        0,
        0,
        1e-4,
        2e-4,
        *[5e-4] * 2,
        *[1e-3] * 2,
        *[2e-3] * 2,
        4e-3,
        5e-3,
        0.02,
        0.025,
        0.03,
        0.05,
        0.2,
        0.25,
        0.4,
        0.6,
    ]
    assert sum(kl_lower_bound(p, 0.01, 0.05) for p in mix) == pytest.approx(6969, abs=1)
    assert sum(kl_lower_bound(p, 0.01, 0.05 / 20) for p in mix) == pytest.approx(14861, abs=1)
    assert kl_lower_bound(0.01, 0.01, 0.05) == inf
    assert kl(0.3, 0.2) == pytest.approx(stats.entropy([0.3, 0.7], [0.2, 0.8]))


@pytest.mark.parametrize("mixture", [MET, NOT_MET])
def test_boundaries_are_where_the_e_value_crosses(mixture):
    reach, target, costs = stopping_boundary(mixture, 0.05, log(20), 150), log(20), mixture.costs(0.05)
    for n in range(1, 151):
        crossing = [
            k for k in range(n + 1) if log_e(mixture.log_odds, costs, Tally(n, k, (0.0,) * len(costs))) >= target
        ]
        expected = (max(crossing, default=-1)) if mixture is MET else min(crossing, default=151)
        assert reach[n] == expected


@pytest.mark.parametrize(
    "arguments",
    [
        (0, 0.1, 0.05, 0.9),
        (1, 0.5, 0.05, 0.9),
        (0.1, 0.1, 0.05, 0.9),
        (0.1, 2, 0.05, 0.9),
        (0.1, 0.05, 0, 0.9),
        (0.1, 0.05, 0.05, 1),
    ],
)
def test_sizes_that_cannot_be(arguments):
    with pytest.raises(AskerError):
        fixed_sample_size(*arguments)
    with pytest.raises(AskerError):
        default_cap(0.1, 0.05, 0)
