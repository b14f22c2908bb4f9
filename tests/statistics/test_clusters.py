"""Repeats of one seed."""

import pytest

from aloi.errors import AskerError
from aloi.statistics.clusters import seed_means
from aloi.statistics.monitor import HazardDesign, SequentialMonitor


def test_repeats_become_means_in_order_of_first_sight():
    trials = [("b", "failed"), ("a", "passed"), ("b", "passed"), ("a", "passed"), ("c", "failed"), ("c", "unscorable")]
    means = seed_means(trials, 2)
    assert list(means.items()) == [("b", 0.5), ("a", 0.0), ("c", "unscorable")]
    monitor = SequentialMonitor([HazardDesign(name="h", threshold=0.1, cap=10)], 0.05)
    for outcome in means.values():
        decision = monitor.update("h", outcome)
    assert (decision.n, decision.unscorable, decision.mean) == (2, 1, 0.25)


def test_a_seed_asked_more_or_less_often_than_declared_is_refused():
    for trials in ([("a", "failed")], [("a", "failed")] * 3):
        with pytest.raises(AskerError, match="a"):
            seed_means(trials, 2)
    assert seed_means([], 2) == {}
