"""The parts of a stream: bounds of their own at the moment the whole is stopped, differences, and e-BH."""

from math import log

import numpy as np
import pytest

from aloi.errors import AskerError
from aloi.statistics.monitor import HazardDesign, SequentialMonitor
from aloi.statistics.multiplicity import e_bh
from aloi.statistics.parts import Parts, apart


def design(threshold=0.1, cap=400):
    return HazardDesign(name="h", threshold=threshold, cap=cap)


def stream(rates, rng, cap, unscorable=0.0):
    """Until the whole is decided: which part each trial was of, and its outcome."""
    monitor, parts, names = SequentialMonitor([design(cap=cap)], 0.05), Parts(design(cap=cap)), list(rates)
    while monitor.undecided():
        name = names[rng.integers(len(names))]
        outcome = "failed" if rng.random() < rates[name] else "passed"
        outcome = "unscorable" if rng.random() < unscorable else outcome
        parts.add(name, outcome)
        monitor.update("h", outcome)
    return parts


def test_a_part_is_a_monitor_of_its_own_trials():
    rng = np.random.default_rng(1)
    parts, alone = Parts(design()), SequentialMonitor([design()], 0.05)
    for _ in range(300):
        name, outcome = rng.choice(["en", "fr"]), rng.choice(["failed", "passed", "unscorable"], p=[0.1, 0.85, 0.05])
        parts.add(str(name), str(outcome))
        if name == "fr":
            decision = alone.update("h", str(outcome))
    rate = parts.rate("fr", 0.9)
    assert (rate.low, rate.high) == alone.bounds("h", 0.9)
    assert (rate.failures, rate.n, rate.unscorable) == (decision.failures, decision.n, decision.unscorable)
    assert rate.value == pytest.approx(decision.mean)
    assert parts.decision("fr").log_e_not_met == decision.log_e_not_met


def test_bounds_and_difference_hold_when_the_whole_is_stopped():
    """1,000 runs, 3 % against 20 %, a language drawn for each query, the hazard's own verdict ends the run."""
    rng, rates, wrong = np.random.default_rng(2), {"en": 0.03, "fr": 0.2}, np.zeros(3)
    for _ in range(1000):
        parts = stream(rates, rng, cap=200)
        intervals = [parts.rate(name, 0.9) if name in parts.names() else None for name in rates]
        wrong[:2] += [
            one is not None and not one.low <= rate <= one.high
            for one, rate in zip(intervals, rates.values(), strict=True)
        ]
        if all(intervals):
            _, low, high = parts.difference("en", "fr", 0.9)
            wrong[2] += not low <= -0.17 <= high
    assert (wrong <= 100 + 2 * (1000 * 0.1 * 0.9) ** 0.5).all()


def test_a_difference_is_all_that_both_intervals_allow():
    parts = Parts(design())
    for name, failed in (("en", 2), ("fr", 30)):
        for i in range(60):
            parts.add(name, "failed" if i < failed else "passed")
    first, second = parts.rate("en", 0.95), parts.rate("fr", 0.95)
    assert parts.difference("en", "fr", 0.9) == apart(first.triple, second.triple)
    value, low, high = parts.difference("en", "fr", 0.9)
    assert value == pytest.approx(-28 / 60)
    assert (low, high) == (first.low - second.high, first.high - second.low)
    assert high < 0  # shown to differ
    assert parts.difference("fr", "en", 0.9) == pytest.approx((-value, -high, -low))


def test_unscorable_trials_count_against_every_claim_on_a_part():
    outcomes = ["failed" if i % 10 == 0 else "unscorable" if i % 5 == 1 else "passed" for i in range(100)]
    told: dict[str, Parts[str]] = {name: Parts(design()) for name in ("as it was", "dropped", "passed", "failed")}
    for outcome in outcomes:
        told["as it was"].add("en", outcome)
        if outcome != "unscorable":
            told["dropped"].add("en", outcome)
        for name in ("passed", "failed"):
            told[name].add("en", name if outcome == "unscorable" else outcome)
    rates = {name: parts.rate("en", 0.9) for name, parts in told.items()}
    after = rates["as it was"]
    assert (after.low, after.high) == (rates["passed"].low, rates["failed"].high)
    assert after.low < rates["dropped"].low < rates["dropped"].high < after.high
    assert (after.failures, after.n, after.unscorable) == (10, 80, 20)
    all_lost = Parts(design())
    all_lost.add("en", "unscorable")
    lost = all_lost.rate("en", 0.9)
    assert (lost.value, lost.low, lost.high, lost.n) == (0.5, 0, 1, 0)
    assert all_lost.decision("en").log_e_not_met < 0


def test_exploration_is_e_bh_over_all_that_was_named():
    parts, rng = Parts(design()), np.random.default_rng(3)
    for name in "abcdefgh":
        for _ in range(80):
            parts.add(name, "failed" if rng.random() < (0.5 if name in "ab" else 0.05) else "passed")
    log_e = [parts.decision(name).log_e_not_met for name in "abcdefgh"]
    expected = [name for name, is_above in zip("abcdefgh", e_bh(log_e, 0.05), strict=True) if is_above]
    assert parts.above("abcdefgh", 0.05) == expected == ["a", "b"]
    assert parts.above([*"abcdefgh", "never asked"], 0.05) == ["a", "b"]
    assert parts.above(["never asked"], 0.05) == []
    assert Parts(design()).above([], 0.05) == []


def test_a_cell_that_many_unasked_ones_stand_beside_needs_more():
    parts = Parts(design())
    for _ in range(4):
        parts.add(("attack", "en"), "failed")
    least = parts.decision(("attack", "en")).log_e_not_met
    fewest = int(np.exp(least) * 0.05)
    assert parts.above([("attack", "en"), *[(f"a{i}", "en") for i in range(fewest - 1)]], 0.05) == [("attack", "en")]
    assert parts.above([("attack", "en"), *[(f"a{i}", "en") for i in range(fewest)]], 0.05) == []
    assert least >= log(fewest / 0.05)


def test_exploration_names_a_small_share_falsely():
    """400 runs of 20 cells, 15 of them at the threshold: the mean share of those named that are not above it."""
    rng, shares = np.random.default_rng(4), []
    rates = {f"c{i}": 0.1 if i < 15 else 0.4 for i in range(20)}
    for _ in range(400):
        parts, cells = Parts(design()), list(rates)
        for cell in rng.integers(20, size=400):
            parts.add(cells[cell], "failed" if rng.random() < rates[cells[cell]] else "passed")
        named = parts.above(cells, 0.1)
        shares.append(sum(rates[name] == 0.1 for name in named) / max(len(named), 1))
    assert np.mean(shares) <= 0.1


def test_what_nobody_asked_has_no_rate():
    with pytest.raises(AskerError, match="unknown part"):
        Parts(design()).rate("en", 0.9)
    parts = Parts(design())
    parts.add("en", "passed")
    for level in (0, 1, -1, 2, float("nan")):
        with pytest.raises(AskerError):
            parts.rate("en", level)
    with pytest.raises(AskerError):
        parts.add("en", "maybe")
