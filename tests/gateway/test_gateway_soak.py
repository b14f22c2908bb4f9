"""Five minutes of mixed load with faults; `make soak` is the same for an hour."""

import asyncio

from benchmarks.gateway.soak import soak

SECONDS, MOST = 300, 8_000_000


def test_nothing_leaks_nothing_is_lost_and_memory_stays_flat() -> None:
    it = asyncio.run(soak(SECONDS))
    assert not it.seen.leaked
    assert it.seen.acknowledged
    assert not it.lost
    assert not it.seen.broken
    assert "Traceback" not in it.errors, it.errors
    assert it.grown <= MOST, it.memory
