"""Random effects against fixed values of metafor, statsmodels and brute force."""

import csv
import warnings
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from aloi.errors import AskerError
from aloi.statistics.pooling import Study, logit_study, pool, q_profile, random_effects, reml

BCG = Path(__file__).parent / "data" / "bcg.csv"


def bcg():
    with BCG.open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    a, b, c, d = (np.array([float(row[name]) for row in rows]) for name in ("tpos", "tneg", "cpos", "cneg"))
    return np.log(a / (a + b) / (c / (c + d))), 1 / a - 1 / (a + b) + 1 / c - 1 / (c + d)


def studies(y, v, clusters=None):
    return [
        Study(name=f"s{i}", estimate=float(e), variance=float(w), cluster=clusters[i] if clusters else f"c{i:02}")
        for i, (e, w) in enumerate(zip(y, v, strict=True))
    ]


def test_the_bcg_trials_give_metafors_figures():
    y, v = bcg()
    pooled = pool(studies(y, v))
    assert pooled.effect.tau2 == pytest.approx(0.3132, abs=5e-5)
    assert pooled.effect.estimate == pytest.approx(-0.7145, abs=5e-5)
    assert 1 / np.sqrt((1 / (v + pooled.effect.tau2)).sum()) == pytest.approx(0.1798, abs=5e-5)
    assert pooled.effect.standard_error == pytest.approx(0.1808, abs=5e-5)
    assert pooled.tau2_interval == pytest.approx((0.1197, 1.1115), abs=1e-4)
    assert pooled.prediction == pytest.approx((-2.01, 0.58), abs=5e-3)
    assert pooled.i2 == pytest.approx(0.9222, abs=5e-5)
    assert len(pooled.without) == 13


def test_reml_and_q_profile_solve_their_equations_to_1e_9():
    """The estimate is where the derivative of an independently written likelihood changes sign."""
    rng = np.random.default_rng(61)
    for k in (2, 3, 5, 13, 40):
        v = rng.uniform(0.05, 0.5, k)
        y = rng.normal(0, np.sqrt(v + 0.8))

        def likelihood(tau2, y=y, v=v, k=k):
            design = np.ones((k, 1))
            inverse = np.diag(1 / (v + tau2))
            information = design.T @ inverse @ design
            projection = inverse - inverse @ design @ np.linalg.inv(information) @ design.T @ inverse
            return -(np.log(v + tau2).sum() + np.linalg.slogdet(information)[1] + y @ projection @ y) / 2

        best = reml(y, v)
        grid = np.linspace(0, 10, 4001)
        assert likelihood(best) >= max(map(likelihood, grid)) - 1e-9
        if best > 0:
            assert likelihood(best + 1e-3) < likelihood(best) > likelihood(best - 1e-3)
        low, high = q_profile(y, v, 0.95)
        assert low <= high
        for end, quantile in ((high, 0.025), (low, 0.975)):
            if end > 0:
                w = 1 / (v + end)
                q = (w * (y - (w * y).sum() / w.sum()) ** 2).sum()
                assert q == pytest.approx(stats.chi2.ppf(quantile, k - 1), rel=1e-9)


def test_hartung_knapp_is_statsmodels_at_the_same_variance():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from statsmodels.stats.meta_analysis import combine_effects
    y, v = bcg()
    effect = random_effects(y, v, 0.95)
    # With tau2 added to the variances, statsmodels' fixed-effect figures are the random-effects ones at that tau2.
    oracle = combine_effects(y, v + effect.tau2, method_re="iterated", use_t=True)
    assert effect.estimate == pytest.approx(oracle.mean_effect_fe, abs=1e-9)
    assert effect.standard_error == pytest.approx(np.sqrt(oracle.var_hksj_fe), abs=1e-9)
    assert (effect.low, effect.high) == pytest.approx(oracle.conf_int()[2], abs=1e-9)


def test_agreeing_studies_are_never_narrower_than_wald():
    effect = random_effects(np.zeros(4), np.full(4, 0.1), 0.95)
    assert effect.tau2 == 0
    assert effect.standard_error == pytest.approx(np.sqrt(0.1 / 4))
    assert effect.high == pytest.approx(stats.t.ppf(0.975, 3) * np.sqrt(0.1 / 4))


def test_what_is_shown_depends_on_independent_clusters_only():
    y, v = np.array([0.1, 0.4, -0.2, 0.3]), np.full(4, 0.1)
    assert pool(studies(y[:1], v[:1])).shown == "one result"
    assert pool(studies(y[:2], v[:2])).shown == "range only"
    assert pool(studies(y, v, ["a", "a", "b", "b"])).shown == "range only"
    assert pool(studies(y, v, ["a", "a", "b", "c"])).shown == "pooled"
    single = pool(studies(y[:1], v[:1]))
    assert (single.low, single.high) == pytest.approx((0.1 - 1.959964 * 0.1**0.5, 0.1 + 1.959964 * 0.1**0.5))
    assert single.effect is None
    assert not single.settled(100.0)


def test_many_studies_of_one_cluster_count_as_one():
    alone = pool(studies([0.0, 1.0, 2.0], [0.1] * 3))
    crowded = pool(studies([0.0, 1.0, *[2.0] * 50], [0.1] * 52, ["a", "b", *["c"] * 50]))
    assert crowded.k == 3
    assert crowded.effect.estimate == pytest.approx(alone.effect.estimate)
    assert crowded.effect.low == pytest.approx(alone.effect.low)


def test_settled_asks_the_prediction_interval():
    pooled = pool(studies([-3.0, -3.1, -2.9, -3.0, -3.05], [0.01] * 5))
    assert pooled.settled(-1.0)
    assert not pooled.settled(-3.0)


@pytest.mark.parametrize(("k", "tau"), [(3, 0.5), (5, 0.3), (10, 1.0), (20, 0.5)])
def test_coverage_of_the_pooled_mean(k, tau):
    """1,000 runs with normal errors of unequal size: 95 % interval of the mean."""
    rng, covered = np.random.default_rng(62), 0
    for _ in range(1000):
        v = rng.uniform(0.01, 0.2, k)
        effect = random_effects(rng.normal(0, np.sqrt(v + tau**2)), v, 0.95)
        covered += effect.low <= 0 <= effect.high
    assert 0.93 <= covered / 1000 <= 0.98


def test_logit_of_a_rate_without_failures_is_finite():
    study = logit_study("lab", 0, 100, "lab")
    assert study.estimate == pytest.approx(np.log(0.5 / 100.5))
    assert study.variance > 1


def test_results_that_cannot_be_pooled():
    with pytest.raises(AskerError):
        pool([])
    for estimate, variance in ((float("nan"), 1), (0, 0), (0, -1), (0, float("inf")), (float("inf"), 1)):
        with pytest.raises(AskerError):
            Study(name="s", estimate=estimate, variance=variance, cluster="c")
    with pytest.raises(AskerError):
        logit_study("lab", 3, 2, "lab")
