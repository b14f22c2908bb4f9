"""What we say others compute: garak's own output on its own detectors, statsmodels, and the defining equations."""

import warnings

import numpy as np
import pytest
from benchmarks.statistics import published_methods
from benchmarks.statistics.others import (
    clustered_error,
    garak_bootstrap,
    inspect_bootstrap_stderr,
    inspect_clustered_stderr,
    inspect_clustered_t,
    inspect_clustered_wilson,
    inspect_stderr,
)
from scipy import stats

BYPASS = (0.921295004186436, 0.3854312029025956)


def outcomes(failed, n):
    return np.array([[1]] * failed + [[0]] * (n - failed))


def clustered(seed=1, seeds=30, repeats=4):
    rng = np.random.default_rng(seed)
    return (rng.random((seeds, repeats)) < rng.beta(0.3, 0.7, (seeds, 1))).astype(np.int64)


# Printed by `calculate_bootstrap_ci` of garak 0.17.1 (10,000 resamples) with the detector figures that it ships.
GARAK = {
    "dan.DAN, 40 of 100": ((40, 100), (1.0, 0.75), (0.080, 0.333)),
    "MitigationBypass, 150 of 256": ((150, 256), BYPASS, (0.0, 0.098)),
    "MitigationBypass, 200 of 256": ((200, 256), BYPASS, (0.378, 0.709)),
    "0 of 1000": ((0, 1000), (1.0, 1.0), (0.0, 0.0)),
}


@pytest.mark.parametrize(("counts", "detector", "printed"), GARAK.values(), ids=GARAK)
def test_garak_s_own_output(counts, detector, printed):
    assert garak_bootstrap(outcomes(*counts), *detector) == pytest.approx(printed, abs=0.0055)


def test_garak_gives_no_interval_to_few_outputs_and_no_correction_to_a_blind_detector():
    assert garak_bootstrap(outcomes(3, 29)) is None
    assert garak_bootstrap(outcomes(3, 40), 0.0, 1.0) == garak_bootstrap(outcomes(3, 40))


def test_the_limit_of_many_resamples_is_that_of_resampling():
    failed, rng = clustered(), np.random.default_rng(2)
    means = rng.choice(failed.ravel(), (20_000, failed.size)).mean(axis=1)
    assert garak_bootstrap(failed) == pytest.approx(tuple(np.percentile(means, [2.5, 97.5])), abs=0.01)
    low, high = inspect_bootstrap_stderr(failed)
    assert (high - low) / 2 == pytest.approx(1.96 * means.std(), rel=0.02)


def test_inspect_s_plain_error_is_that_of_the_mean():
    failed = clustered()
    half = 1.959964 * stats.sem(failed.ravel())
    assert inspect_stderr(failed) == pytest.approx((failed.mean() - half, failed.mean() + half))


def test_inspect_s_clustered_error_is_statsmodels_without_its_factor_for_parameters():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import statsmodels.api as sm
    failed = clustered()
    groups = np.repeat(np.arange(len(failed)), failed.shape[1])
    model = sm.OLS(failed.ravel(), np.ones(failed.size)).fit(
        cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False}
    )
    clusters = len(failed)
    assert clustered_error(failed) == pytest.approx(model.bse[0] * (clusters / (clusters - 1)) ** 0.5)


def test_repeats_as_epochs_come_to_the_same():
    failed = clustered()
    assert clustered_error(failed) == pytest.approx(stats.sem(failed.mean(axis=1)))
    low, high = inspect_clustered_t(failed)
    assert (low, high) == pytest.approx(stats.t.interval(0.95, 29, failed.mean(), clustered_error(failed)))
    narrow = inspect_clustered_stderr(failed)
    assert narrow[1] - narrow[0] < high - low


def test_the_ends_of_wilson_solve_his_equation():
    failed = clustered()
    rate, t = failed.mean(), stats.t.ppf(0.975, 29)
    effective = min(failed.size, rate * (1 - rate) / clustered_error(failed) ** 2)
    assert effective < failed.size
    for end in inspect_clustered_wilson(failed):
        assert (rate - end) ** 2 == pytest.approx(t**2 * end * (1 - end) / effective)
    none = inspect_clustered_wilson(np.zeros((30, 4)))
    assert none == (0.0, pytest.approx(t**2 / (120 + t**2)))


def test_correlated_draws_have_the_rate_and_the_correlation_that_they_say():
    rng = np.random.default_rng(3)
    failed = published_methods.draw(20_000, 2, 0.2, 0.4, rng)
    assert failed.mean() == pytest.approx(0.2, abs=0.01)
    assert np.corrcoef(failed.T)[0, 1] == pytest.approx(0.4, abs=0.03)
    assert published_methods.draw(50, 10, 0.0, 0.8, rng).sum() == 0


def test_the_comparison_is_told_to_its_end(capsys):
    """Three runs of the smallest design: five intervals have no width without a failure, ours are never among them."""
    published_methods.intervals(3, np.random.default_rng(4), designs=[(50, 10)], rates=[0.0])
    published_methods.judged(3, np.random.default_rng(4))
    published_methods.incoherent()
    said = capsys.readouterr().out
    assert said.count("no width in 100% of runs") == 5
    assert said.count("point OUTSIDE") == 3
    assert "NOT MET" not in said
