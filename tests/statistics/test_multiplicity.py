"""Many e-values at once, against statsmodels on the p-values 1 / e."""

import warnings
from math import exp, inf, log

import numpy as np
import pytest

from aloi.errors import AskerError
from aloi.statistics.multiplicity import e_bh, holm_evalues, merge_evalues

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from statsmodels.stats.multitest import multipletests


@pytest.mark.parametrize("seed", range(40))
def test_holm_and_e_bh_are_statsmodels_on_inverse_evalues(seed):
    log_e = np.random.default_rng(seed).normal(2, 3, 15)
    p = np.minimum(1, np.exp(-log_e))
    assert holm_evalues(log_e.tolist(), 0.05) == multipletests(p, 0.05, "holm")[0].tolist()
    assert e_bh(log_e.tolist(), 0.1) == multipletests(p, 0.1, "fdr_bh")[0].tolist()


def test_nothing_is_rejected_out_of_nothing():
    assert holm_evalues([], 0.05) == e_bh([], 0.05) == []
    assert merge_evalues([], independent=True) == merge_evalues([], independent=False) == 0


def test_infinite_and_zero_evalues():
    assert holm_evalues([inf, -inf, log(39)], 0.05) == [True, False, False]
    assert e_bh([inf, -inf, log(39)], 0.05) == [True, False, True]
    assert merge_evalues([-inf, -inf], independent=False) == -inf


def test_independent_evalues_multiply_and_others_average():
    assert exp(merge_evalues([log(2), log(6)], independent=True)) == pytest.approx(12)
    assert exp(merge_evalues([log(2), log(6)], independent=False)) == pytest.approx(4)


def test_what_is_no_number_is_refused():
    for function in (
        lambda v: holm_evalues(v, 0.05),
        lambda v: e_bh(v, 0.05),
        lambda v: merge_evalues(v, independent=True),
    ):
        with pytest.raises(AskerError):
            function([1.0, float("nan")])
    with pytest.raises(AskerError):
        holm_evalues([1.0], 0)


def test_e_bh_keeps_the_false_discovery_rate_under_dependence():
    """2,000 runs of 50 cells, 10 with an effect; all nulls share one coin, the worst dependence."""
    rng, shares = np.random.default_rng(41), []
    for _ in range(2000):
        nulls = np.full(40, log(50) if rng.random() < 0.02 else -inf)
        rejected = e_bh([*nulls, *rng.normal(6, 1, 10)], 0.1)
        shares.append(sum(rejected[:40]) / max(sum(rejected), 1))
    assert np.mean(shares) <= 0.1
