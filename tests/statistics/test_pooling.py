"""Random effects against PyMARE, metafor (see `make_pooling_oracle.py`), statsmodels and brute force."""

import json
import warnings
from dataclasses import asdict

import numpy as np
import pytest
from benchmarks.statistics.public_sets import DATA, bcg, public_sets
from scipy import stats

from aloi.errors import AskerError
from aloi.statistics.pooling import Study, logit_study, pool, q_profile, random_effects, reml

ORACLE = json.loads((DATA / "pooling-oracle.json").read_text(encoding="utf-8"))
SETS = public_sets()
LEVEL = 0.95


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


def figures(y, v):
    effect, (tau2_low, tau2_high) = random_effects(y, v, LEVEL), q_profile(y, v, LEVEL)
    return {
        "tau2": effect.tau2,
        "estimate": effect.estimate,
        "standard_error": effect.standard_error,
        "low": effect.low,
        "high": effect.high,
        "tau2_low": tau2_low,
        "tau2_high": tau2_high,
    }


@pytest.mark.parametrize("name", SETS)
def test_public_sets_give_pymares_figures(name):
    """REML, Hartung-Knapp floored at Wald and the Q-profile on 14 published sets: within 1e-6, relative from 1 up."""
    assert len(SETS) == len(ORACLE["sets"]) == 14
    ours = figures(*SETS[name])
    assert ours == {key: pytest.approx(value, rel=1e-6, abs=1e-6) for key, value in ORACLE["sets"][name].items()}


@pytest.mark.parametrize("name", ORACLE["designs"])
def test_designs_of_every_shape_give_metafors_figures(name):
    """metafor stops its own search for tau2 at 1e-5: where we differ by more than 1e-6, ours is the likelier."""
    design = ORACLE["designs"][name]
    y, v = np.array(design["y"]), np.array(design["v"])
    ours = figures(y, v)
    assert ours == {key: pytest.approx(design[key], rel=1e-5, abs=1e-5) for key in ours}
    assert likelihood(ours["tau2"], y, v) >= likelihood(design["tau2"], y, v) - 1e-12
    tight = {"tau2_low", "tau2_high"}
    assert {key: ours[key] for key in tight} == {key: pytest.approx(design[key], rel=1e-6, abs=1e-6) for key in tight}


def likelihood(tau2, y, v):
    """The restricted log-likelihood up to a constant, written with matrices."""
    design = np.ones((len(y), 1))
    inverse = np.diag(1 / (v + tau2))
    information = design.T @ inverse @ design
    projection = inverse - inverse @ design @ np.linalg.inv(information) @ design.T @ inverse
    return -(np.log(v + tau2).sum() + np.linalg.slogdet(information)[1] + y @ projection @ y) / 2


def test_reml_and_q_profile_solve_their_equations_to_1e_9():
    """The estimate is where the derivative of an independently written likelihood changes sign."""
    rng = np.random.default_rng(61)
    for k in (2, 3, 5, 13, 40):
        v = rng.uniform(0.05, 0.5, k)
        y = rng.normal(0, np.sqrt(v + 0.8))

        best = reml(y, v)
        grid = np.linspace(0, 10, 4001)
        assert likelihood(best, y, v) >= max(likelihood(tau2, y, v) for tau2 in grid) - 1e-9
        if best > 0:
            assert likelihood(best + 1e-3, y, v) < likelihood(best, y, v) > likelihood(best - 1e-3, y, v)
        low, high = q_profile(y, v, 0.95)
        assert low <= high
        for end, quantile in ((high, 0.025), (low, 0.975)):
            if end > 0:
                w = 1 / (v + end)
                q = (w * (y - (w * y).sum() / w.sum()) ** 2).sum()
                assert q == pytest.approx(stats.chi2.ppf(quantile, k - 1), rel=1e-9)


@pytest.mark.parametrize("name", SETS)
def test_hartung_knapp_is_statsmodels_at_the_same_variance(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from statsmodels.stats.meta_analysis import combine_effects
    y, v = SETS[name]
    effect = random_effects(y, v, LEVEL)
    # With tau2 added to the variances, statsmodels' fixed-effect figures are the random-effects ones at that tau2.
    oracle = combine_effects(y, v + effect.tau2, method_re="iterated", use_t=True)
    assert effect.estimate == pytest.approx(oracle.mean_effect_fe, rel=1e-9, abs=1e-9)
    # statsmodels has no floor: ours is the larger of its two errors, Hartung-Knapp's and Wald's.
    floored = max(float(oracle.var_hksj_fe), float(oracle.var_eff_w_fe))
    assert effect.standard_error == pytest.approx(np.sqrt(floored), rel=1e-9, abs=1e-9)
    assert effect.unfloored == pytest.approx(oracle.conf_int()[2], rel=1e-9, abs=1e-9)
    if oracle.var_hksj_fe > oracle.var_eff_w_fe:
        assert (effect.low, effect.high) == effect.unfloored


@pytest.mark.parametrize("name", SETS)
def test_a_prediction_interval_has_the_spread_of_both_variances(name):
    y, v = SETS[name]
    pooled = pool(studies(y, v))
    half = stats.t.ppf(0.975, len(y) - 2) * np.sqrt(pooled.effect.tau2 + pooled.effect.standard_error**2)
    assert pooled.prediction == pytest.approx((pooled.effect.estimate - half, pooled.effect.estimate + half), abs=1e-9)


@pytest.mark.parametrize("name", SETS)
def test_leaving_one_out_is_pooling_the_others(name):
    y, v = SETS[name]
    pooled = pool(studies(y, v))
    assert list(pooled.without) == [f"c{i:02}" for i in range(len(y))]
    for i in (0, len(y) // 2, len(y) - 1):
        others = random_effects(np.delete(y, i), np.delete(v, i), LEVEL)
        got, wanted = asdict(pooled.without[f"c{i:02}"]), asdict(others)
        assert got.pop("unfloored") == pytest.approx(wanted.pop("unfloored"), rel=1e-9, abs=1e-12)
        assert got == pytest.approx(wanted, rel=1e-9, abs=1e-12)


def test_agreeing_studies_are_never_narrower_than_wald():
    effect = random_effects(np.zeros(4), np.full(4, 0.1), 0.95)
    assert effect.tau2 == 0
    assert effect.standard_error == pytest.approx(np.sqrt(0.1 / 4))
    assert effect.high == pytest.approx(stats.t.ppf(0.975, 3) * np.sqrt(0.1 / 4))
    assert effect.unfloored == (0, 0)  # why there is a floor


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


def test_one_giant_among_small_ones_is_told():
    assert pool(studies([0.0, 1.0, 2.0], [0.1] * 3)).heaviest == pytest.approx(1 / 3)
    assert pool(studies([0.0, 1.0, 2.0], [0.0001, 0.1, 0.1])).heaviest == pytest.approx(0.998, abs=1e-4)
    assert pool(studies([0.0, 1.0], [0.1] * 2)).heaviest is None


HOSTILE = {
    "all agree": ([0.5] * 5, [0.1] * 5),
    "hardly any variance": ([-1.0, 0.0, 1.0], [1e-12] * 3),
    "hardly any information": ([-1.0, 0.0, 1.0], [1e12] * 3),
    "variances of every size": ([-3.0, 0.1, 0.2, 4.0], [1e-9, 1.0, 1e3, 1e9]),
    "far apart": ([-700.0, 0.0, 700.0], [0.1] * 3),
    "a hundred": ([0.01 * i for i in range(100)], [0.1] * 100),
}


@pytest.mark.parametrize(("y", "v"), HOSTILE.values(), ids=HOSTILE)
def test_whatever_is_pooled_has_an_interval_around_its_mean(y, v):
    pooled = pool(studies(y, v))
    ends = [pooled.low, pooled.high, *pooled.tau2_interval, *pooled.prediction, pooled.effect.tau2, pooled.i2]
    assert np.isfinite(ends).all()
    assert pooled.low < pooled.effect.estimate < pooled.high
    assert pooled.prediction[0] <= pooled.low
    assert pooled.high <= pooled.prediction[1]
    assert pooled.tau2_interval[0] <= pooled.tau2_interval[1]
    assert min(y) <= pooled.effect.estimate <= max(y)


@pytest.mark.parametrize(("failures", "n"), [(0, 1), (1, 1), (0, 10**9), (10**9, 10**9)])
def test_a_rate_without_events_or_without_others_can_be_pooled(failures, n):
    results = [logit_study(f"lab{i}", failures, n, f"c{i}") for i in range(3)]
    pooled = pool(results)
    assert np.isfinite([pooled.low, pooled.high]).all()
    assert pooled.low < pooled.high


@pytest.mark.parametrize("n", [0, -1])
def test_a_rate_of_nothing_is_no_result(n):
    with pytest.raises(AskerError):
        logit_study("lab", 0, n, "lab")


def test_settled_asks_the_prediction_interval():
    pooled = pool(studies([-3.0, -3.1, -2.9, -3.0, -3.05], [0.01] * 5))
    assert pooled.settled(-1.0)
    assert not pooled.settled(-3.0)


@pytest.mark.parametrize(("k", "tau"), [(3, 0.0), (3, 0.5), (5, 0.3), (10, 1.0), (20, 0.0), (20, 0.5)])
def test_coverage_of_the_pooled_mean(k, tau):
    """1,000 runs with normal errors of unequal size: 95 % intervals of the mean, with the floor and without."""
    rng, floored, unfloored = np.random.default_rng(62), 0, 0
    for _ in range(1000):
        v = rng.uniform(0.01, 0.2, k)
        effect = random_effects(rng.normal(0, np.sqrt(v + tau**2)), v, 0.95)
        floored += effect.low <= 0 <= effect.high
        unfloored += effect.unfloored[0] <= 0 <= effect.unfloored[1]
    assert floored >= unfloored
    error = 2 * (0.93 * 0.07 / 1000) ** 0.5
    assert floored / 1000 >= 0.93
    assert 0.93 - error <= unfloored / 1000 <= 0.97 + error


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
