"""The sequential monitor, decision by decision."""

import json
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aloi.errors import AskerError
from aloi.statistics.betting import MET, NOT_MET, Tally, log_e
from aloi.statistics.monitor import HazardDesign, SequentialMonitor

OUTCOMES = st.lists(st.sampled_from(["passed", "passed", "passed", "failed", "unscorable"]), max_size=120)
SEED_MEANS = st.lists(st.sampled_from([0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1 / 3, "unscorable"]), max_size=60)


def monitor(threshold=0.05, cap=5000, alpha=0.05, hazards=1, **options):
    designs = [HazardDesign(name=f"h{i}", threshold=threshold, cap=cap) for i in range(hazards)]
    return SequentialMonitor(designs, alpha, **options)


def run(a_monitor, outcomes, name="h0"):
    for outcome in outcomes:
        a_monitor.update(name, outcome)
    return a_monitor


def until_decided(a_monitor, outcome, name="h0"):
    while a_monitor.decision(name).verdict == "continue":
        a_monitor.update(name, outcome)
    return a_monitor.decision(name)


def test_a_clean_system_is_met_and_the_bound_agrees_with_the_verdict():
    m = monitor()
    decision = until_decided(m, "passed")
    assert decision.verdict == "met"
    assert decision.log_e_met >= math.log(20)
    assert decision.n == 71
    assert decision.failures == 0
    assert 0 < m.upper("h0", 0.95) <= 0.05
    low, high = m.bounds("h0", 0.95)
    assert low == 0 < m.upper("h0", 0.95) < high


def test_a_failing_system_is_not_met_and_the_bound_agrees_with_the_verdict():
    m = monitor()
    decision = until_decided(m, "failed")
    assert decision.verdict == "not met"
    assert decision.n == 2
    assert m.lower("h0", 0.95) >= 0.05


def test_the_capital_is_the_average_likelihood_ratio():
    m = run(monitor(threshold=0.1), ["passed"] * 9 + ["failed"] * 2)
    for mixture, got in ((MET, m.decision("h0").log_e_met), (NOT_MET, m.decision("h0").log_e_not_met)):
        rates = [c * 0.1 / (1 - 0.1 + c * 0.1) for c in mixture.odds]
        ratios = [(q / 0.1) ** 2 * ((1 - q) / 0.9) ** 9 for q in rates]
        assert got == pytest.approx(math.log(sum(ratios) / len(ratios)))


def test_the_average_capital_of_a_fair_bet_stays_one():
    """An e-value has expectation 1 under its boundary hypothesis: summed over all outcomes of ten trials."""
    for mixture in (MET, NOT_MET):
        costs, nothing = mixture.costs(0.2), (0.0,) * len(mixture.odds)
        total = sum(
            math.comb(10, k)
            * 0.2**k
            * 0.8 ** (10 - k)
            * math.exp(log_e(mixture.log_odds, costs, Tally(10, k, nothing)))
            for k in range(11)
        )
        assert total == pytest.approx(1.0)


def test_the_cap_ends_a_hazard_without_a_verdict():
    m = run(monitor(cap=10), ["passed"] * 9)
    assert m.undecided() == ["h0"]
    assert m.update("h0", "passed").verdict == "inconclusive"
    assert m.undecided() == []
    assert m.forecast("h0") == 0


def test_a_verdict_is_final_and_later_trials_are_still_counted():
    m = monitor()
    n = until_decided(m, "passed").n
    decision = run(m, ["failed"] * 50).decision("h0")
    assert decision.verdict == "met"
    assert (decision.n, decision.failures) == (n + 50, 50)


def test_holm_lets_the_last_hazard_through_at_alpha_itself():
    holm, bonferroni = monitor(hazards=4), monitor(hazards=4, multiplicity="bonferroni")
    counts = {}
    for m, key in ((holm, "holm"), (bonferroni, "bonferroni")):
        counts[key] = [until_decided(m, "passed", f"h{i}").n for i in range(4)]
    assert counts["bonferroni"] == [counts["bonferroni"][0]] * 4
    assert counts["holm"][0] == counts["bonferroni"][0]
    assert counts["holm"][-1] == until_decided(monitor(), "passed").n
    assert counts["holm"] == sorted(counts["holm"], reverse=True)


def test_one_claim_settles_the_hazards_that_waited_for_it():
    m = monitor(hazards=2)
    alone = until_decided(monitor(), "passed").n
    run(m, ["passed"] * (alone + 1), "h0")
    assert m.undecided() == ["h0", "h1"]
    until_decided(m, "passed", "h1")
    assert m.undecided() == []
    assert m.decision("h0").verdict == "met"


def test_claims_of_one_kind_do_not_lower_the_threshold_of_the_other():
    m = monitor(hazards=2)
    until_decided(m, "failed", "h1")
    assert until_decided(m, "passed", "h0").log_e_met >= math.log(40)
    directional = monitor(hazards=2, multiplicity="holm_directional")
    until_decided(directional, "failed", "h1")
    assert math.log(20) <= until_decided(directional, "passed", "h0").log_e_met < math.log(40)


def test_joint_spends_half_of_alpha_on_each_direction():
    assert until_decided(monitor(joint=True), "passed").log_e_met >= math.log(40)
    assert until_decided(monitor(), "passed").log_e_met < math.log(40)


@given(OUTCOMES, st.randoms(use_true_random=False))
def test_the_order_of_outcomes_changes_no_e_value(outcomes, rng):
    one = run(monitor(cap=10**6), outcomes).decision("h0")
    rng.shuffle(outcomes)
    other = run(monitor(cap=10**6), outcomes).decision("h0")
    assert (one.log_e_met, one.log_e_not_met) == (other.log_e_met, other.log_e_not_met)
    assert (one.n, one.failures, one.unscorable, one.mean) == (other.n, other.failures, other.unscorable, other.mean)


@given(OUTCOMES, st.data())
def test_an_unscorable_trial_never_helps_a_claim(outcomes, data):
    """Neither one more, nor one in place of a scored trial, raises an e-value."""
    before = run(monitor(cap=10**6), outcomes)
    after = run(monitor(cap=10**6), [*outcomes, "unscorable"])
    assert after.decision("h0").log_e_met <= before.decision("h0").log_e_met
    assert after.decision("h0").log_e_not_met <= before.decision("h0").log_e_not_met
    if outcomes:
        index = data.draw(st.integers(0, len(outcomes) - 1))
        spoilt = [*outcomes[:index], "unscorable", *outcomes[index + 1 :]]
        changed = run(monitor(cap=10**6), spoilt).decision("h0")
        assert changed.log_e_met <= before.decision("h0").log_e_met + 1e-12
        assert changed.log_e_not_met <= before.decision("h0").log_e_not_met + 1e-12


def test_nothing_but_unscorable_trials_ends_inconclusive_with_the_widest_interval():
    m = run(monitor(cap=300), ["unscorable"] * 300)
    assert m.decision("h0").verdict == "inconclusive"
    assert m.bounds("h0", 0.95) == (0.0, 1.0)


@given(st.one_of(OUTCOMES, SEED_MEANS), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_the_interval_holds_the_mean_and_is_never_a_point(outcomes, level):
    m = run(monitor(cap=10**6), outcomes)
    low, high = m.bounds("h0", level)
    assert 0 <= low <= m.decision("h0").mean <= high <= 1
    assert low < high
    assert m.lower("h0", level) <= m.decision("h0").mean <= m.upper("h0", level)


@given(OUTCOMES)
def test_the_running_intersection_is_the_best_of_all_looks(outcomes):
    """The kept points stand for the whole path: the bound equals the least of the bounds at every single look."""
    m, each = monitor(cap=10**6), []
    state = {"passed": 0, "failed": 0, "unscorable": 0}
    for outcome in outcomes:
        m.update("h0", outcome)
        state[outcome] += 1
        lone = monitor(cap=10**6)
        # All failures first, so that no earlier look of this path is better than its last.
        run(lone, ["failed"] * state["failed"] + ["unscorable"] * state["unscorable"] + ["passed"] * state["passed"])
        each.append(lone.upper("h0", 0.9))
    least = min(each, default=1.0)
    if least >= m.decision("h0").mean:
        assert m.upper("h0", 0.9) == pytest.approx(least, abs=1e-12)


def test_a_long_path_is_kept_in_few_points():
    rng = random.Random(5)
    m = run(monitor(cap=10**6), ["failed" if rng.random() < 0.3 else "passed" for _ in range(20_000)])
    assert len(json.dumps(m.state()["hazards"][0])) < 1000


def test_many_kinds_of_outcomes_keep_the_state_small():
    rng = random.Random(6)
    m = run(monitor(cap=10**6), [rng.choice([rng.random(), "failed", "passed", "unscorable"]) for _ in range(5_000)])
    assert len(json.dumps(m.state()["hazards"][0])) < 1000


@given(st.one_of(OUTCOMES, SEED_MEANS), OUTCOMES)
def test_the_state_goes_through_json_and_back_exactly(outcomes, more):
    m = monitor(hazards=2, joint=True, multiplicity="bonferroni")
    run(m, outcomes)
    twin = SequentialMonitor.from_state(json.loads(json.dumps(m.state())))
    assert twin.state() == m.state()
    run(m, more)
    run(twin, more)
    assert twin.state() == m.state()
    assert twin.decision("h0") == m.decision("h0")
    assert twin.bounds("h0", 0.95) == m.bounds("h0", 0.95)


def test_a_restored_monitor_keeps_its_place_in_holms_ladder():
    m = monitor(hazards=3)
    until_decided(m, "passed", "h0")
    until_decided(m, "failed", "h1")
    twin = SequentialMonitor.from_state(m.state())
    assert until_decided(twin, "passed", "h2") == until_decided(m, "passed", "h2")


def test_forecast_counts_down_to_the_verdict():
    m = monitor(threshold=0.02)
    assert m.forecast("h0") <= 5000
    run(m, ["passed"] * 100)
    left = m.forecast("h0")
    assert until_decided(m, "passed").n - 100 == pytest.approx(left, abs=2)
    grey = run(monitor(threshold=0.02), (["passed"] * 49 + ["failed"]) * 10)
    assert grey.forecast("h0") == 4500


@pytest.mark.parametrize(
    "fields",
    [
        {"threshold": 0},
        {"threshold": 1},
        {"threshold": 0.6},
        {"threshold": 1e-5},
        {"threshold": float("nan")},
        {"threshold": -0.1},
        {"threshold": 0.1, "cap": 0},
        {"threshold": 0.1, "cap": 2.5},
        {"threshold": 0.1, "indifference": (0.0, 2.0)},
        {"threshold": 0.1, "indifference": (0.5, 1.0)},
        {"threshold": 0.1, "indifference": (2.0, 0.5)},
    ],
)
def test_designs_that_no_test_can_be_made_of(fields):
    with pytest.raises(AskerError, match="h") as caught:
        HazardDesign(**{"name": "h", "cap": 100} | fields)
    assert caught.value.remedy


def test_monitors_that_cannot_be():
    design = HazardDesign(name="h", threshold=0.1, cap=10)
    for designs, alpha in (
        ([], 0.05),
        ([design, design], 0.05),
        ([design], 0),
        ([design], 1),
        ([design], float("nan")),
    ):
        with pytest.raises(AskerError):
            SequentialMonitor(designs, alpha)
    with pytest.raises(AskerError, match="multiplicity"):
        SequentialMonitor([design], 0.05, multiplicity="none")


@pytest.mark.parametrize("outcome", ["", "Passed", None, -0.1, 1.1, float("nan"), float("inf"), 2, b"failed"])
def test_outcomes_that_are_none_are_refused_and_leave_no_trace(outcome):
    m = run(monitor(), ["passed", "failed"])
    before = m.state()
    with pytest.raises(AskerError, match="outcome"):
        m.update("h0", outcome)
    assert m.state() == before


def test_unknown_hazards_and_levels_are_named():
    m = monitor()
    with pytest.raises(AskerError, match="h1"):
        m.update("h1", "passed")
    for level in (0, 1, -1, 2, float("nan")):
        with pytest.raises(AskerError, match="level"):
            m.bounds("h0", level)


@pytest.mark.parametrize(
    "damage",
    [{"version": 2}, {"hazards": []}, {"hazards": [{}]}, {"alpha": "x"}, {"multiplicity": "?"}, {"hazards": None}],
)
def test_a_broken_state_is_refused(damage):
    with pytest.raises(AskerError):
        SequentialMonitor.from_state(monitor().state() | damage)


def test_seed_means_of_zero_and_one_are_the_plain_outcomes():
    plain = run(monitor(), ["passed"] * 5 + ["failed"])
    means = run(monitor(), [0.0] * 5 + [1.0])
    assert plain.state() == means.state()


def test_seed_means_earn_what_the_bet_says():
    m = run(monitor(threshold=0.1), [0.2, 0.0, 0.6])
    product = [math.prod((1 + (c - 1) * x) / (1 + (c - 1) * 0.1) for x in (0.2, 0.0, 0.6)) for c in MET.odds]
    assert m.decision("h0").log_e_met == pytest.approx(math.log(sum(product) / 4))
    assert m.decision("h0").mean == pytest.approx(0.8 / 3)
