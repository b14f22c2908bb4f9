"""Threads that guards run in: whatever a guard does, their number stays bounded."""

import asyncio
import threading
import time

import pytest

from aloi.solutions.workers import HANGING, Workers


def running():
    return {thread for thread in threading.enumerate() if thread.name == "aloi-guard"}


def begun_since(before):
    """How many threads of guards there are that were not there before; others may have ended meanwhile."""
    return len(running() - before)


def raises():
    raise ValueError


async def refused(workers, seconds, work, guard=None):
    with pytest.raises((ValueError, TimeoutError)):
        await workers.within(seconds, work, guard)


def test_a_thread_whose_task_raised_is_used_again():
    async def many():
        workers, before = Workers(), running()
        for _ in range(20):
            await refused(workers, 5, raises)
        assert begun_since(before) == 1

    asyncio.run(many())


def test_a_thread_whose_task_was_late_is_used_again_once_that_ended():
    async def many():
        workers, before, ended = Workers(), running(), threading.Event()
        await refused(workers, 0.01, lambda: ended.wait(20))
        ended.set()
        await asyncio.sleep(0.2)
        for _ in range(5):
            assert await workers.within(5, lambda: 7) == 7
        assert begun_since(before) == 1

    asyncio.run(many())


def test_a_thread_whose_asker_left_is_used_again():
    async def many():
        workers, before = Workers(), running()
        for _ in range(10):
            asking = asyncio.create_task(workers.within(5, lambda: time.sleep(0.05)))
            await asyncio.sleep(0.01)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            await asyncio.sleep(0.5)
        assert begun_since(before) == 1

    asyncio.run(many())


def test_a_guard_that_hangs_for_ever_keeps_so_many_threads_and_holds_up_no_other():
    async def many():
        workers, before, ended = Workers(), running(), threading.Event()
        await asyncio.gather(*(refused(workers, 0.05, lambda: ended.wait(20), "hanging") for _ in range(HANGING)))
        for _ in range(20):
            await refused(workers, 5, lambda: ended.wait(20), "hanging")
        assert begun_since(before) == HANGING
        assert await workers.within(5, lambda: 7, "another") == 7
        ended.set()
        await asyncio.sleep(0.3)
        assert await workers.within(5, lambda: 8, "hanging") == 8

    asyncio.run(many())
