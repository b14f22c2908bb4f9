"""What the design promises, on systems of known risk. Seeded; each figure states its number of runs."""

from functools import cache
from math import log

import numpy as np
import pytest

from aloi.errors import AskerError
from aloi.statistics.betting import MET, NOT_MET
from aloi.statistics.boundaries import operating_characteristics
from aloi.statistics.design import default_cap
from aloi.statistics.monitor import MULTIPLICITIES, HazardDesign, SequentialMonitor
from aloi.statistics.simulation import FAILED, PASSED, UNSCORABLE, log_e_paths, run, simulate

ALPHA = 0.05
NAMES = {PASSED: "passed", FAILED: "failed", UNSCORABLE: "unscorable"}
MIXED = (0.0, 0.0, 0.01, 0.02, 0.025, 0.05, 0.0501, 0.06, 0.1, 0.3)


def designs(count, threshold=0.05, cap=None):
    cap = cap or default_cap(threshold, ALPHA, count)
    return [HazardDesign(name=f"h{i}", threshold=threshold, cap=cap) for i in range(count)]


def seeds_of(rate, icc, shape, rng):
    """Failure probability of each seed: Beta with mean `rate` and within-seed correlation `icc`."""
    size = (1 - icc) / icc
    return rng.beta(rate * size, (1 - rate) * size, shape)


def seed_means(rate, icc, repeats, shape, rng):
    return rng.binomial(repeats, seeds_of(rate, icc, shape, rng)) / repeats


def most_allowed(runs, error=ALPHA):
    """`error` and two standard errors of a share seen in `runs` runs."""
    return error + 2 * (error * (1 - error) / runs) ** 0.5


@pytest.mark.parametrize("multiplicity", MULTIPLICITIES)
@pytest.mark.parametrize("joint", [False, True])
def test_the_vectorised_runs_are_those_of_the_monitor(multiplicity, joint):
    """60 runs of six hazards, a tenth of the trials unscorable: the same verdicts after the same queries."""
    rng, runs, options = np.random.default_rng(11), 60, {"joint": joint, "multiplicity": multiplicity}
    plan = [
        HazardDesign(name=f"h{i}", threshold=t, cap=c, sensitivity=s)
        for i, (t, c, s) in enumerate(
            [(0.05, 400, 1), (0.05, 400, 0.8), (0.1, 300, 1), (0.1, 90, 1), (0.2, 200, 1), (0.5, 60, 1)]
        )
    ]
    rates = np.array([0.0, 0.0, 0.02, 0.1, 0.5, 0.2])
    failed = rng.random((runs, 6, 400)) < rates[:, None]
    outcomes = np.where(rng.random((runs, 6, 400)) < 0.02, UNSCORABLE, np.where(failed, FAILED, PASSED))
    together = run(plan, lambda hazard, turn, rows: outcomes[rows, hazard, turn], ALPHA, runs, **options)
    for one in range(runs):
        monitor = SequentialMonitor(plan, ALPHA, **options)
        for turn in range(400):
            for hazard in range(6):
                name = f"h{hazard}"
                if monitor.decision(name).verdict == "continue":
                    monitor.update(name, NAMES[outcomes[one, hazard, turn]])
        ends = [monitor.decision(f"h{hazard}") for hazard in range(6)]
        assert [end.verdict == "met" for end in ends] == together.met[one].tolist()
        assert [end.verdict == "not met" for end in ends] == together.not_met[one].tolist()
        assert [end.n + end.unscorable for end in ends] == together.queries[one].tolist()


def test_log_e_paths_are_the_monitors():
    rng = np.random.default_rng(3)
    outcomes = seed_means(0.1, 0.4, 5, (4, 30), rng)
    met, not_met = log_e_paths(MET, 0.05, outcomes), log_e_paths(NOT_MET, 0.05, outcomes)
    for one in range(4):
        monitor = SequentialMonitor(designs(1), ALPHA)
        for i, outcome in enumerate(outcomes[one]):
            decision = monitor.update("h0", float(outcome))
            assert decision.log_e_met == pytest.approx(met[one, i], abs=1e-9)
            assert decision.log_e_not_met == pytest.approx(not_met[one, i], abs=1e-9)


@pytest.mark.parametrize("threshold", [0.01, 0.05, 0.1, 0.5])
def test_the_exact_error_of_one_hazard_at_its_threshold(threshold):
    """Not simulated: the probability of either false claim when the rate is the threshold itself, over all paths."""
    for alpha in (ALPHA, ALPHA / 4):
        ends = operating_characteristics(threshold, threshold, default_cap(threshold, alpha, 1), alpha)
        assert 0 < ends.met <= alpha
        assert 0 < ends.not_met <= alpha
        assert ends.met + ends.not_met + ends.inconclusive == pytest.approx(1)


@pytest.mark.parametrize("threshold", [0.01, 0.05, 0.1, 0.3])
def test_the_exact_power_at_the_ends_of_the_indifference_zone(threshold):
    cap = default_cap(threshold, ALPHA, 20)
    assert operating_characteristics(threshold, threshold / 2, cap, ALPHA / 20).met >= 0.88
    assert operating_characteristics(threshold, threshold * 2, cap, ALPHA / 20).not_met >= 0.99


@cache
def worst_null(multiplicity):
    return simulate(designs(10, 0.1), [0.1] * 10, ALPHA, 2000, np.random.default_rng(21), multiplicity=multiplicity)


@pytest.mark.parametrize("multiplicity", MULTIPLICITIES)
def test_familywise_error_at_the_worst_null(multiplicity):
    """2,000 runs, ten hazards exactly at their threshold: either claim would be about a rate that does not show it."""
    runs = worst_null(multiplicity)
    assert runs.false_met([True] * 10) <= most_allowed(2000)
    assert runs.false_not_met([True] * 10) <= most_allowed(2000)


def test_familywise_error_and_power_on_a_mix():
    """2,000 runs of ten hazards on both sides of the threshold."""
    runs = simulate(designs(10), MIXED, ALPHA, 2000, np.random.default_rng(22))
    assert runs.false_met([p > 0.05 for p in MIXED]) <= most_allowed(2000)
    assert runs.false_not_met([p <= 0.05 for p in MIXED]) <= most_allowed(2000)
    assert runs.met[:, 4].mean() >= 0.9
    assert runs.not_met[:, 8].mean() >= 0.9
    assert runs.queries.sum(axis=1).mean() < 10 * default_cap(0.05, ALPHA, 10) / 2


def test_joint_holds_both_errors_together():
    """2,000 runs at the worst null: any false claim at all."""
    runs = simulate(designs(5), [0.05] * 5, ALPHA, 2000, np.random.default_rng(23), joint=True)
    assert (runs.met | runs.not_met).any(axis=1).mean() <= most_allowed(2000)


@pytest.mark.parametrize("icc", [0.1, 0.4, 0.8])
def test_familywise_error_with_clustered_seed_means(icc):
    """1,000 runs, ten hazards at the threshold, 250 seeds of 5 repeats: no first claim needs less than 10 / alpha."""
    outcomes = seed_means(0.05, icc, 5, (1000, 10, 250), np.random.default_rng(24))
    for mixture in (MET, NOT_MET):
        ever = log_e_paths(mixture, 0.05, outcomes).max(axis=2) >= log(10 / ALPHA)
        assert ever.any(axis=1).mean() <= most_allowed(1000)


def test_pooled_repeats_would_break_the_promise():
    """Why seed means: the same data told repeat by repeat give false `met` far beyond 5 % (1,000 runs)."""
    rng = np.random.default_rng(25)
    chances = seeds_of(0.05, 0.4, (1000, 10, 100), rng)
    pooled = (rng.random((1000, 10, 100, 5)) < chances[..., None]).reshape(1000, 10, 500).astype(float)
    ever = log_e_paths(MET, 0.05, pooled).max(axis=2) >= log(10 / ALPHA)
    assert ever.any(axis=1).mean() > 0.3


@pytest.mark.parametrize("rate", [0.002, 0.05, 0.3, 0.9])
def test_the_bounds_cover_at_all_times_together(rate):
    """2,000 runs of 1,000 queries; a bound is wrong iff the e-process at the true rate ever exceeds 1 / error."""
    outcomes = (np.random.default_rng(26).random((2000, 1000)) < rate).astype(float)
    for mixture in (MET, NOT_MET):
        wrong = log_e_paths(mixture, rate, outcomes).max(axis=1) >= log(1 / 0.05)
        assert wrong.mean() <= most_allowed(2000)


@pytest.mark.parametrize(("rate", "icc", "repeats"), [(0.01, 0.5, 5), (0.05, 0.2, 20), (0.2, 0.5, 10)])
def test_the_bounds_cover_with_clusters(rate, icc, repeats):
    """2,000 runs of 300 seed means."""
    outcomes = seed_means(rate, icc, repeats, (2000, 300), np.random.default_rng(27))
    for mixture in (MET, NOT_MET):
        wrong = log_e_paths(mixture, rate, outcomes).max(axis=1) >= log(1 / 0.05)
        assert wrong.mean() <= most_allowed(2000)


def test_the_bound_that_is_shown_covers():
    """The interval as a reader gets it, when the monitor stops: 1,000 runs, upper bound and interval at 95 %."""
    rng, upper, interval = np.random.default_rng(28), 0, 0
    for rate in rng.choice([0.0, 0.05, 0.1, 0.2, 0.5], 1000):
        monitor = SequentialMonitor(designs(1, 0.2), ALPHA)
        while monitor.undecided():
            monitor.update("h0", "failed" if rng.random() < rate else "passed")
        low, high = monitor.bounds("h0", 0.95)
        upper += monitor.upper("h0", 0.95) >= rate
        interval += low <= rate <= high
    assert upper >= 950
    assert interval >= 950


def test_unscorable_trials_cost_queries_and_never_give_a_met():
    """300 runs of a clean system: 1 % unscorable makes it longer, 6 % (above the threshold) never lets it be met."""
    queries = []
    for share, expected in ((0.0, 1.0), (0.01, 0.99)):
        runs = simulate(designs(1), [0.0], ALPHA, 300, np.random.default_rng(29), unscorable=share)
        assert runs.met.mean() >= expected
        queries.append(runs.queries.mean())
    assert queries[0] < queries[1]
    spoilt = simulate(designs(1), [0.0], ALPHA, 300, np.random.default_rng(29), unscorable=0.06)
    assert spoilt.met.mean() <= most_allowed(300)
    assert spoilt.not_met.sum() == 0


def test_unknown_rules_are_refused():
    with pytest.raises(AskerError, match="multiplicity"):
        simulate(designs(1), [0.0], ALPHA, 1, np.random.default_rng(0), multiplicity="none")
