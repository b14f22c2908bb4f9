"""Choice, confirmation and gate on systems whose risks are known: what is accepted is good."""

import asyncio

import numpy as np
import pytest
from benchmarks.solutions.selection import candidates, measure, once, row
from benchmarks.solutions.selection_product import walk
from benchmarks.solutions.selection_worlds import WORLDS

from aloi.assurance.confirming import paired_change
from aloi.science.trials import TrialLog

RUNS = 40


def seen(name):
    world = WORLDS[name]
    return row(world, [once(world, seed) for seed in range(RUNS)])


@pytest.mark.parametrize(("name", "least"), [("one good", 0.9), ("two needed", 0.9), ("trap", 0.7)])
def test_a_good_set_is_found_where_there_is_one(name, least):
    found = seen(name)
    assert found.has_good
    assert found.right == found.accepted >= least * RUNS


@pytest.mark.parametrize("name", ["none", "breaks", "slow", "loss"])
def test_where_none_is_good_the_split_alone_accepts_what_the_gate_refuses(name):
    found = seen(name)
    assert not found.has_good
    assert found.accepted <= 1
    assert found.naive > 2


def test_the_rates_of_a_world_are_those_that_it_states():
    world, rng = WORLDS["around"], np.random.default_rng(1)
    split = measure(world, rng, ("near-1",))
    rates = [
        np.mean(measure(world, np.random.default_rng(seed), ("near-1",)).failed[h])
        for seed in range(200)
        for h in split.failed
    ]
    assert world.risk("hidden-context-exposure", ("near-1",)) == pytest.approx(0.108)
    assert np.mean(rates) == pytest.approx(0.108, abs=0.02)
    assert len(candidates(world, split, rng)) == 2 ** len(world.guards) - 1


def test_a_loss_that_no_pair_told_is_not_known():
    assert (paired_change(0, 0, 0).low, paired_change(0, 0, 0).high) == (-1, 1)


def test_the_product_itself_ends_where_it_should(tmp_path):
    async def ended(name, seed):
        async with TrialLog(tmp_path / f"{name}-{seed}.jsonl") as log:
            return await walk(WORLDS[name], seed, (40, 100), log)

    assert [asyncio.run(ended("one good", seed)) for seed in range(2)] == [("good",), ("good",)]
    assert asyncio.run(ended("breaks", 0)) == ()
