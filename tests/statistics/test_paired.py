"""Before and after on the same requests."""

import json

import numpy as np
import pytest
from scipy import stats

from aloi.errors import AskerError
from aloi.statistics.paired import (
    PairedMonitor,
    median_interval,
    median_level,
    paired_difference,
    replay_reduction,
    upper_loss,
)


def test_the_sign_is_after_minus_before():
    value, low, high = paired_difference(lost=30, gained=2, n=100, level=0.95)
    assert value == pytest.approx(-0.28)
    assert low < value < high < 0
    mirrored = paired_difference(lost=2, gained=30, n=100, level=0.95)
    assert mirrored == pytest.approx((-value, -high, -low))


@pytest.mark.parametrize(("lost", "gained", "n"), [(0, 0, 0), (0, 0, 1), (0, 0, 40), (40, 0, 40), (0, 40, 40)])
def test_the_interval_is_never_a_point_and_stays_within_one(lost, gained, n):
    value, low, high = paired_difference(lost, gained, n, 0.95)
    assert -1 <= low <= value <= high <= 1
    assert low < high


@pytest.mark.parametrize("cells", [(0.02, 0.0), (0.1, 0.05), (0.3, 0.3), (0.5, 0.01)])
def test_the_paired_interval_covers_over_every_outcome(cells):
    """Exact coverage, summed over the trinomial distribution of discordant pairs; `test_difference` has each tail."""
    (p_lost, p_gained), n = cells, 20
    covered = 0.0
    for lost in range(n + 1):
        chance = stats.binom.pmf(lost, n, p_lost)
        if chance < 1e-9:
            continue
        for gained in range(n - lost + 1):
            _, low, high = paired_difference(lost, gained, n, 0.95)
            if low <= p_gained - p_lost <= high:
                covered += chance * stats.binom.pmf(gained, n - lost, p_gained / (1 - p_lost))
    assert covered >= 0.95


def test_counts_that_cannot_be():
    for lost, gained, n in ((-1, 2, 10), (6, 5, 10), (1, 1, 1)):
        with pytest.raises(AskerError):
            paired_difference(lost, gained, n, 0.95)


def test_loss_is_the_one_sided_exact_bound():
    assert upper_loss(0, 59, 0.95) == pytest.approx(1 - 0.05 ** (1 / 59))


@pytest.mark.parametrize("n", [1, 2, 5, 6, 9, 20, 101])
def test_the_median_interval_covers_exactly(n):
    """On ranks 0..n-1 the interval [r, n-1-r] holds the median with a binomial probability."""
    median, low, high = median_interval([float(v) for v in reversed(range(n))], 0.95)
    assert median == (n - 1) / 2
    reached = 1 - 2 * stats.binom.cdf(int(low), n, 0.5)
    assert low + high == n - 1
    if n >= 6:
        assert reached >= 0.95
        assert 1 - 2 * stats.binom.cdf(int(low) + 1, n, 0.5) < 0.95
    else:
        assert (low, high) == (0, n - 1)
        assert reached == pytest.approx(median_level(n))


def test_no_values_have_no_median():
    with pytest.raises(AskerError):
        median_interval([], 0.95)
    assert median_level(0) == 0


def test_a_clean_replay_proves_halving_in_six_transcripts():
    result = replay_reduction([False] * 10, 0.05)
    assert (result.verdict, result.decided_at, result.remaining) == ("met", 6, 0.0)
    assert 0 < result.upper < 0.5


@pytest.mark.parametrize("outcomes", [[], [True], [True] * 30, [False] * 5])
def test_replays_that_prove_nothing(outcomes):
    result = replay_reduction(outcomes, 0.05)
    assert result.verdict == "inconclusive"
    assert result.decided_at is None
    assert result.remaining <= result.upper <= 1


def test_replay_errs_at_most_alpha_and_needs_few_transcripts():
    """1,500 runs of 60 transcripts: half remain (the null), then a tenth."""
    rng = np.random.default_rng(31)
    null = [replay_reduction(row, 0.05).verdict == "met" for row in (rng.random((1500, 60)) < 0.5).tolist()]
    assert np.mean(null) <= 0.05 + 2 * (0.05 * 0.95 / 1500) ** 0.5
    good = [replay_reduction(row, 0.05).decided_at for row in (rng.random((300, 60)) < 0.1).tolist()]
    assert None not in good
    assert np.mean(good) <= 15


def pairs(rng, n, before, after, concentration=1.5):
    """Seeds that failed once, both arms afresh: seed chances Beta(1 + a, b) with mean near `before` / (1 + ...)."""
    chance = rng.beta(1 + before * concentration, (1 - before) * concentration, n)
    return rng.random(n) < chance, rng.random(n) < chance * after


@pytest.mark.parametrize(("claim", "ratio"), [("lower", 1.0), ("at least halved", 0.5)])
def test_paired_claims_err_at_most_alpha(claim, ratio):
    """1,000 runs of 150 pairs at the null: the rate after is exactly `ratio` of the rate before."""
    rng, false = np.random.default_rng(32), 0
    for _ in range(1000):
        monitor = PairedMonitor(claim, 0.05, cap=150)
        before, after = pairs(rng, 150, 0.05, ratio)
        for b, a in zip(before, after, strict=True):
            if monitor.update(float(b), float(a)).verdict != "continue":
                break
        false += monitor.decision().verdict == "met"
    assert false / 1000 <= 0.05 + 2 * (0.05 * 0.95 / 1000) ** 0.5


@pytest.mark.parametrize(("claim", "after", "most"), [("lower", 0.5, 200), ("at least halved", 0.1, 130)])
def test_enriched_pairs_prove_with_few_queries(claim, after, most):
    """300 runs on a 2 % hazard with correlation 0.4, seeds that failed before; target queries of both arms."""
    rng, queries = np.random.default_rng(33), []
    for _ in range(300):
        monitor = PairedMonitor(claim, 0.05, cap=2000)
        before, after_ = pairs(rng, 2000, 0.02, after)
        for b, a in zip(before, after_, strict=True):
            if monitor.update("failed" if b else "passed", "failed" if a else "passed").verdict != "continue":
                break
        assert monitor.decision().verdict == "met"
        queries.append(2 * monitor.decision().n)
    assert np.mean(queries) <= most


def test_unscorable_answers_count_against_the_claim():
    plain, spoilt = PairedMonitor("lower", 0.05, 100), PairedMonitor("lower", 0.05, 100)
    assert spoilt.update("unscorable", "passed").log_e < plain.update("failed", "passed").log_e
    assert spoilt.update("failed", "unscorable").log_e < plain.update("failed", "passed").log_e
    nothing = PairedMonitor("lower", 0.05, 100)
    assert nothing.update("unscorable", "unscorable").log_e < 0


def test_paired_state_round_trip_and_cap():
    monitor = PairedMonitor("at least halved", 0.05, cap=3)
    monitor.update("failed", "passed")
    monitor.update(0.4, 0.2)
    twin = PairedMonitor.from_state(json.loads(json.dumps(monitor.state())))
    assert twin.state() == monitor.state()
    assert twin.update("passed", "passed") == monitor.update("passed", "passed")
    assert monitor.decision().verdict == "inconclusive"
    for damage in ({"version": 9}, {"earned": [1]}, {"counts": 1}, {"claim": "gone"}):
        with pytest.raises(AskerError):
            PairedMonitor.from_state(monitor.state() | damage)


def test_paired_inputs_that_cannot_be():
    with pytest.raises(AskerError):
        PairedMonitor("better", 0.05, 10)
    with pytest.raises(AskerError):
        PairedMonitor("lower", 0.05, 0)
    monitor = PairedMonitor("lower", 0.05, 10)
    for outcome in ("fine", 1.5, float("nan")):
        with pytest.raises(AskerError):
            monitor.update(outcome, "passed")
