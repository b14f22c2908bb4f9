"""Exact intervals against scipy and statsmodels."""

import warnings

import pytest
from scipy import stats

from aloi.errors import AskerError
from aloi.statistics.exact import (
    clopper_pearson,
    clopper_pearson_lower,
    clopper_pearson_upper,
    finite_upper,
    korn_graubard,
)


@pytest.mark.parametrize(("k", "n"), [(0, 1), (0, 59), (1, 10), (5, 10), (10, 10), (3, 1000), (999, 1000)])
@pytest.mark.parametrize("level", [0.8, 0.95, 0.999])
def test_clopper_pearson_is_scipys_and_statsmodels(k, n, level):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from statsmodels.stats.proportion import proportion_confint
    low, high = clopper_pearson(k, n, level)
    oracle = stats.binomtest(k, n).proportion_ci(level, method="exact")
    assert (low, high) == pytest.approx((oracle.low, oracle.high), abs=1e-10)
    assert (low, high) == pytest.approx(proportion_confint(k, n, 1 - level, method="beta"), abs=1e-10)
    assert clopper_pearson_upper(k, n, (1 + level) / 2) == high
    assert clopper_pearson_lower(k, n, (1 + level) / 2) == low


def test_nothing_seen_says_nothing():
    assert clopper_pearson(0, 0, 0.95) == (0.0, 1.0)
    assert finite_upper(0, 0, 0, 0.95) == 1.0


@pytest.mark.parametrize(
    "arguments", [(-1, 5, 0.95), (6, 5, 0.95), (0.5, 5, 0.95), (1, 5, 0), (1, 5, 1), (1, 5, float("nan"))]
)
def test_counts_and_levels_that_cannot_be(arguments):
    with pytest.raises(AskerError):
        clopper_pearson(*arguments)


def test_a_finite_list_needs_fewer_draws():
    """238 draws without failure settle 1 % of a list of 1,000; an endless source needs 299."""
    assert finite_upper(0, 238, 1000, 0.95) <= 0.01 < finite_upper(0, 237, 1000, 0.95)
    assert clopper_pearson_upper(0, 298, 0.95) > 0.01
    assert finite_upper(2, 50, 50, 0.95) == 0.04


def test_finite_bound_covers_every_list():
    population, n, level = 40, 15, 0.9
    for bad in range(population + 1):
        hyper = stats.hypergeom(population, bad, n)
        covered = sum(
            hyper.pmf(k) for k in range(min(bad, n) + 1) if finite_upper(k, n, population, level) >= bad / population
        )
        assert covered >= level - 1e-12


def test_korn_graubard_without_clustering_is_near_clopper_pearson_and_with_it_wider():
    plain = korn_graubard([1] * 10 + [0] * 90, [1] * 100, 0.95)
    assert plain[:2] == pytest.approx(clopper_pearson(10, 100, 0.95), abs=0.003)
    clustered = korn_graubard([5] * 10 + [0] * 90, [5] * 100, 0.95)
    assert clustered.effective_n == pytest.approx(99, abs=3)
    assert clustered.high - clustered.low > 1.8 * (
        clopper_pearson(50, 500, 0.95)[1] - clopper_pearson(50, 500, 0.95)[0]
    )
    assert korn_graubard([0] * 50, [5] * 50, 0.95)[:2] == clopper_pearson(0, 50, 0.95)
    assert korn_graubard([5] * 50, [5] * 50, 0.95)[:2] == clopper_pearson(50, 50, 0.95)


@pytest.mark.parametrize(
    ("failures", "trials"), [([], []), ([1], [2]), ([1, 3], [2, 2]), ([0, 0], [1, 0]), ([1], [1, 1])]
)
def test_clusters_that_cannot_be(failures, trials):
    with pytest.raises(AskerError):
        korn_graubard(failures, trials, 0.95)
