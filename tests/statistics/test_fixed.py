"""Outcomes of a fixed number, from elsewhere: exact where they are independent, by seed where they are not."""

import random
import time
from itertools import chain
from math import exp, log

import numpy as np
import pytest

from aloi.errors import AskerError
from aloi.statistics.exact import clopper_pearson, korn_graubard
from aloi.statistics.fixed import FixedEstimate, fixed_estimate, fixed_evidence
from aloi.statistics.monitor import HazardDesign, SequentialMonitor
from aloi.statistics.multiplicity import merge_evalues


def rows(*seeds):
    """Rows of seeds given as text: F failed, p passed, ? no score."""
    return [(i, {"F": True, "p": False, "?": None}[mark]) for i, seed in enumerate(seeds) for mark in seed]


def clustered(seeds, repeats, rate, icc, rng):
    size = (1 - icc) / icc if icc else 0
    chances = rng.beta(rate * size, (1 - rate) * size, seeds) if icc else np.full(seeds, rate)
    return [(i, bool(failed)) for i, chance in enumerate(chances) for failed in rng.random(repeats) < chance]


def test_seeds_asked_once_have_the_exact_binomial_interval():
    one = fixed_estimate(rows(*"F" * 3, *"p" * 37))
    assert (one.method, one.failures, one.n, one.clusters) == ("Clopper-Pearson", 3, 40, 40)
    assert (one.low, one.high) == clopper_pearson(3, 40, 0.95)
    assert one.value == 3 / 40
    assert (one.hit.hits, one.hit.repeats, one.hit.low, one.hit.high) == (3, 1, one.low, one.high)


def test_repeats_count_by_the_mean_of_their_seed():
    repeated = fixed_estimate(rows(*["Fpppp"] * 4, *["ppppp"] * 36))
    assert repeated.method == "betting on seed means"
    assert (repeated.failures, repeated.n, repeated.clusters) == (4, 200, 40)
    assert repeated.value == pytest.approx(0.02)
    pooled = clopper_pearson(4, 200, 0.95)
    assert repeated.high > pooled[1]
    assert repeated.approximate == korn_graubard([1] * 4 + [0] * 36, [5] * 40, 0.95)
    assert (repeated.hit.hits, repeated.hit.repeats) == (4, 5)
    assert repeated.hit.high == clopper_pearson(4, 40, 0.95)[1]


def test_each_seed_counts_alike_however_often_it_was_asked():
    assert fixed_estimate(rows("F", "pppppppp")).value == 0.5
    assert fixed_estimate(rows("F", "pppppppp")).hit.repeats is None


def test_the_order_of_foreign_rows_says_nothing():
    data = rows(*["FFppp"] * 7, *["ppppp"] * 30, "p?F", *"FpF?")
    shuffled = random.Random(1).sample(data, len(data))
    one, other = fixed_estimate(data), fixed_estimate(shuffled)
    assert (one.low, one.high, one.value) == pytest.approx((other.low, other.high, other.value), abs=1e-12)
    assert fixed_evidence(data, 0.1) == pytest.approx(fixed_evidence(shuffled, 0.1), abs=1e-9)


def test_sorted_rows_do_not_become_a_lucky_look():
    """300 passes, then 300 failures: looked at after the passes a monitor would be sure, and wrong."""
    sure = fixed_estimate(rows(*"p" * 300, *"F" * 300))
    assert sure.low < 0.5 < sure.high
    assert fixed_evidence(rows(*"p" * 300, *"F" * 300), 0.1)[0] < 0


def test_unscorable_rows_count_against_either_end():
    for seeds in (["F", "p", "p", "?", "?"], ["Fp", "pp", "p?", "??"]):
        lost = fixed_estimate(rows(*seeds))
        passed = fixed_estimate(rows(*(seed.replace("?", "p") for seed in seeds)))
        failed = fixed_estimate(rows(*(seed.replace("?", "F") for seed in seeds)))
        assert (lost.low, lost.high) == (passed.low, failed.high)
        assert (lost.hit.low, lost.hit.high) == (passed.hit.low, failed.hit.high)
        assert lost.approximate.low == passed.approximate.low
        assert lost.approximate.high == failed.approximate.high
    assert (lost.failures, lost.n, lost.unscorable) == (1, 5, 3)
    assert fixed_estimate(rows("F", "p", "?")).value == 0.5


HOSTILE = {
    "no row": ([], (0.5, 0, 1, 0, 0, 0)),
    "nothing scored": (rows("?", "?"), (0.5, 0, 1, 0, 2, 2)),
    "nothing scored, repeated": (rows("???"), (0.5, 0, 1, 0, 3, 1)),
    "one seed, one trial": (rows("p"), (0, 0, 0.975, 1, 0, 1)),
}


@pytest.mark.parametrize(("data", "expected"), HOSTILE.values(), ids=HOSTILE)
def test_next_to_nothing_gives_next_to_nothing(data, expected):
    one = fixed_estimate(data)
    assert (one.value, one.low, one.high, one.n, one.unscorable, one.clusters) == pytest.approx(expected)
    assert one.approximate is None or len({cluster for cluster, _ in data}) > 1


def test_one_seed_however_often_asked_is_one_observation():
    one = fixed_estimate([("only", False)] * 10_000)
    assert one.clusters == 1
    assert one.high > 0.9
    assert one.approximate is None


@pytest.mark.parametrize("seeds", [["FFF"] * 20, ["ppp"] * 20])
def test_no_interval_has_no_width(seeds):
    one = fixed_estimate(rows(*seeds))
    assert one.value in {0, 1}
    assert one.high - one.low > 0.1
    assert (one.low == 0) == (one.value == 0)
    assert (one.high == 1) == (one.value == 1)


@pytest.mark.parametrize("outcome", [1, 0, 0.5, "failed", "", float("nan"), [], "x" * 10**6])
def test_an_outcome_that_is_none_is_refused_in_a_short_sentence(outcome):
    with pytest.raises(AskerError, match="expected true") as caught:
        fixed_estimate([("a", outcome)])
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("level", [0, 1, 95, -0.5, float("nan")])
def test_a_level_that_is_none_is_refused(level):
    with pytest.raises(AskerError, match="level"):
        fixed_estimate(rows("p"), level)


@pytest.mark.parametrize("threshold", [0, 1, -1, float("nan")])
def test_a_threshold_that_is_none_is_refused(threshold):
    with pytest.raises(AskerError, match="threshold"):
        fixed_evidence(rows("p"), threshold)


def test_evidence_is_the_monitors_at_its_last_look():
    monitor = SequentialMonitor([HazardDesign(name="h", threshold=0.1, cap=10**6)], 0.05)
    for outcome in ["passed"] * 20 + ["failed", "unscorable"]:
        decision = monitor.update("h", outcome)
    evidence = fixed_evidence(rows(*"p" * 20, "F", "?"), 0.1)
    assert evidence == pytest.approx((decision.log_e_met, decision.log_e_not_met))
    for mean in (0.2, 0.6):
        decision = monitor.update("h", mean)
    more = fixed_evidence(rows(*"p" * 20, "F", "?", "Fpppp", "FFFpp"), 0.1)
    assert more == pytest.approx((decision.log_e_met, decision.log_e_not_met))
    assert fixed_evidence([], 0.1) == (0, 0)


def test_evaluators_with_seeds_of_their_own_multiply():
    alone = [fixed_evidence(rows(*"p" * 150), 0.01)[0] for _ in range(5)]
    assert max(alone) < log(20)
    together = merge_evalues(alone, independent=True)
    assert together == pytest.approx(sum(alone))
    assert together > log(20)
    assert merge_evalues(alone, independent=False) == pytest.approx(alone[0])


def test_an_e_value_exceeds_20_in_at_most_one_of_20_even_with_clusters():
    """2,000 runs of 60 seeds by 5 repeats, ICC 0.5, at the threshold: either e-value, and its mean."""
    rng = np.random.default_rng(5)
    found = np.array([fixed_evidence(clustered(60, 5, 0.1, 0.5, rng), 0.1) for _ in range(2000)])
    assert ((found >= log(20)).mean(axis=0) <= 0.05).all()
    assert (np.exp(np.minimum(found, 20)).mean(axis=0) <= 1.2).all()


@pytest.mark.parametrize(
    ("seeds", "repeats", "rate", "icc"), [(40, 5, 0.02, 0.5), (100, 5, 0.05, 0.4), (60, 10, 0.2, 0.8)]
)
def test_the_interval_covers_where_pooling_does_not(seeds, repeats, rate, icc):
    """1,000 runs each at 95 %: ours and hit@m at least 0.95, the same repeats taken for independent far below."""
    rng, covered = np.random.default_rng(6), np.zeros(3)
    for _ in range(1000):
        data = clustered(seeds, repeats, rate, icc, rng)
        one: FixedEstimate = fixed_estimate(data)
        pooled = clopper_pearson(one.failures, one.n, 0.95)
        covered += [one.low <= rate <= one.high, rate <= one.hit.high, pooled[0] <= rate <= pooled[1]]
    assert covered[0] >= 950
    assert covered[1] >= 950
    assert covered[2] < 900


def test_many_rows_are_read_in_a_moment():
    data = chain.from_iterable(
        ((i, i % 97 == 0), (i, False), (i, None if i % 13 == 0 else False)) for i in range(40_000)
    )
    start = time.process_time()
    one = fixed_estimate(data)
    assert time.process_time() - start < 5
    assert one.clusters == 40_000
    assert exp(fixed_evidence(((i, False) for i in range(100)), 0.1)[0]) > 1
