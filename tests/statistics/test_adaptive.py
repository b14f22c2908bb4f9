"""Hunting by Thompson sampling, and what it may claim."""

from math import log
from random import Random

import pytest

from aloi.errors import AskerError
from aloi.statistics.adaptive import ThompsonHunt
from aloi.statistics.betting import NOT_MET


def hunt(rates, seed, threshold=0.05, cap=4000):
    rng, arms = Random(seed), [f"a{i}" for i in range(len(rates))]
    hunted = ThompsonHunt(arms, threshold, 0.05, cap)
    while hunted.decision().verdict == "continue":
        arm = hunted.choose(rng)
        hunted.update(arm, "failed" if rng.random() < rates[int(arm[1:])] else "passed")
    return hunted


def test_one_bad_arm_among_twelve_is_found_and_proved():
    """60 runs; one arm at 30 %, the others at 0.2 %, threshold 5 %."""
    runs = [hunt([0.002] * 7 + [0.3] + [0.002] * 4, seed) for seed in range(60)]
    assert all(run.decision().verdict == "not met" for run in runs)
    assert sum(run.decision().best == "a7" for run in runs) >= 58
    assert sum(run.decision().n for run in runs) / 60 <= 130
    assert sum(run.lower(0.95) <= 0.3 for run in runs) >= 57


def test_the_hunt_errs_at_most_alpha_however_it_chooses():
    """400 runs of 150 queries, every arm exactly at the threshold."""
    false = sum(hunt([0.05] * 3, seed, cap=150).decision().verdict == "not met" for seed in range(400))
    assert false / 400 <= 0.05 + 2 * (0.05 * 0.95 / 400) ** 0.5


def test_the_verdict_agrees_with_the_bound_and_is_final():
    hunted = ThompsonHunt(["a", "b"], 0.05, 0.05, 100)
    hunted.update("a", "failed")
    assert hunted.update("a", "failed").verdict == "not met"
    assert hunted.lower(0.95) >= 0.05
    assert hunted.update("b", "passed").verdict == "not met"
    assert hunted.lower(0.95) >= 0.05


def test_the_capital_is_half_on_all_queries_together_and_half_on_the_arms_by_themselves():
    """Against the average written out: outcomes of three arms at 10 %, in turn, for 300 queries."""
    rng, arms = Random(5), ["a", "b", "c"]
    hunted, counts = ThompsonHunt(arms, 0.05, 0.001, 10**6), {arm: [0, 0] for arm in arms}

    def capital(n, failures):
        ways = NOT_MET.odds
        return sum(c**failures / (1 + (c - 1) * 0.05) ** n for c in ways) / len(ways)

    for turn in range(300):
        arm, failed = arms[turn % 3], rng.random() < 0.1
        counts[arm][0] += 1
        counts[arm][1] += failed
        decision = hunted.update(arm, "failed" if failed else "passed")
        together = capital(turn + 1, sum(failures for _, failures in counts.values()))
        apart = sum(capital(n, failures) for n, failures in counts.values()) / 3
        assert decision.log_e == pytest.approx(log((together + apart) / 2))


def test_one_arm_needs_no_more_than_twice_the_evidence():
    """With a single arm both halves are the same bet."""
    hunted = ThompsonHunt(["a"], 0.05, 0.05, 100)
    for _ in range(2):
        decision = hunted.update("a", "failed")
    assert decision.log_e == pytest.approx(log(sum((c / (1 + (c - 1) * 0.05)) ** 2 for c in NOT_MET.odds) / 5))


@pytest.mark.parametrize("rates", [[0.3] * 12, [0.12] * 12, [0.12] + [0.002] * 11])
def test_many_bad_arms_and_one_are_both_found(rates):
    runs = [hunt(rates, seed) for seed in range(30)]
    assert all(run.decision().verdict == "not met" for run in runs)
    assert sum(run.lower(0.95) <= max(rates) for run in runs) >= 28


@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
def test_the_bound_covers_the_largest_rate(level):
    """200 hunts of 120 queries, arms at 2 %, 5 % and 8 %: the bound exceeds 8 % in at most 1 - level of them."""
    misses = sum(hunt([0.02, 0.05, 0.08], seed, threshold=0.3, cap=120).lower(level) > 0.08 for seed in range(200))
    assert misses / 200 <= 1 - level + 2 * (level * (1 - level) / 200) ** 0.5


def test_finding_nothing_is_inconclusive_and_unscorable_counts_as_passed():
    quiet, silent = ThompsonHunt(["a"], 0.05, 0.05, 20), ThompsonHunt(["a"], 0.05, 0.05, 20)
    for _ in range(20):
        assert quiet.update("a", "passed") == silent.update("a", "unscorable")
    assert quiet.decision().verdict == "inconclusive"
    assert quiet.lower(0.95) == 0


def test_the_same_seed_hunts_alike():
    assert hunt([0.1, 0.2], 3).decision() == hunt([0.1, 0.2], 3).decision()


def test_hunts_that_cannot_be():
    for arms, threshold, alpha in (
        ([], 0.1, 0.05),
        (["a", "a"], 0.1, 0.05),
        (["a"], 0, 0.05),
        (["a"], 1, 0.05),
        (["a"], 0.1, 0),
    ):
        with pytest.raises(AskerError):
            ThompsonHunt(arms, threshold, alpha, 10)
    hunted = ThompsonHunt(["a"], 0.1, 0.05, 10)
    for arm, outcome in (("b", "passed"), ("a", "fine"), ("a", None)):
        with pytest.raises(AskerError):
            hunted.update(arm, outcome)
    assert hunted.decision().n == 0
