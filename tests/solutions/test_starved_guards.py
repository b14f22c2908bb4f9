"""A guard's deadline counts the time that it had: a busy machine blocks nobody, a guard that hangs is given up."""

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from aloi.solutions.guard import Allow, Block
from aloi.solutions.guarded import GuardedTarget
from aloi.solutions.ownclock import Moment, own
from aloi.solutions.timed import Timed
from aloi.solutions.workers import HANGING, PATIENCE, Workers
from aloi.system.messages import Message
from solutions.test_guarded import REQUEST, Model, Rule, remedy

HOG = "while True: sum(range(1000))"
DEADLINE = 0.4


def works(seconds):
    """Use a processor for so long."""
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        sum(range(1_000))
    return Allow()


@contextmanager
def hogs(count: int) -> Iterator[None]:
    """So many others on the one processor that this process then has."""
    mine = os.sched_getaffinity(0)
    one = {min(mine)}
    os.sched_setaffinity(0, one)
    others = [subprocess.Popen([sys.executable, "-c", HOG]) for _ in range(count)]
    try:
        time.sleep(1.0)
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()
        os.sched_setaffinity(0, mine)


def asked(rule, deadline=DEADLINE):
    guarded = GuardedTarget(Model(), [remedy("some", Rule("assistant", by=rule))], refusal="No.", deadline=deadline)
    began = time.monotonic()
    return asyncio.run(guarded.ask(REQUEST)), time.monotonic() - began


def test_a_guard_that_waits_for_a_processor_is_not_late():
    with hogs(24):
        response, took = asked(lambda _: works(DEADLINE / 20))
    assert took > DEADLINE  # it was late by the wall
    assert response.decisions == () or took > PATIENCE * DEADLINE  # which a machine at its limit may come to


def test_a_guard_that_hangs_on_a_busy_machine_is_given_up():
    free = threading.Event()
    with hogs(6):
        response, took = asked(lambda _: (free.wait(60), Allow())[1])
        free.set()
    assert [one.reason for one in response.decisions] == ["guard-deadline"]
    assert took < 2 * PATIENCE * DEADLINE


def test_a_guard_that_works_for_too_long_is_late_on_a_busy_machine_too():
    with hogs(2):
        response, _ = asked(lambda _: works(2 * DEADLINE))
    assert [one.reason for one in response.decisions] == ["guard-deadline"]


START = Moment(wall=0.0, used=0.0, all_used=0.0, waited=0.0, all_waited=0.0)
# What has passed since, and how much of it was the thread's own.
SINCE = {
    "it worked": (Moment(1.0, 1.0, 1.0, 0.0, 0.0), 1.0),
    "it slept": (Moment(1.0, 0.0, 0.0, 0.0, 0.0), 1.0),
    "it waited for a processor": (Moment(1.0, 0.1, 0.1, 0.9, 0.9), 0.1),
    "others had the interpreter": (Moment(1.0, 0.1, 0.8, 0.0, 0.0), 0.3),
    "others had it, and waited for a processor": (Moment(1.0, 0.1, 0.3, 0.0, 0.6), 0.2),
    "all at once": (Moment(1.0, 0.1, 1.9, 0.5, 3.0), 0.0),
    "a thread ended meanwhile": (Moment(1.0, 0.5, 0.2, 0.1, -4.0), 0.9),
}


@pytest.mark.parametrize("name", SINCE)
def test_what_is_a_threads_own(name):
    moment, seconds = SINCE[name]
    assert own(START, moment) == pytest.approx(seconds)


def test_a_guard_that_keeps_the_interpreter_is_late_once_it_ends():
    # One long piece of C that hands the interpreter to nobody.
    response, took = asked(lambda _: (sum(range(20_000_000)), Allow())[1], deadline=0.1)
    assert took > 0.1
    assert [one.reason for one in response.decisions] == ["guard-deadline"]


@pytest.mark.parametrize("of_its_own", [False, True])
def test_what_hangs_while_nobody_computes_is_given_up_at_its_deadline(of_its_own):
    # The tests beside this one compute: an idle machine has it given up after a second.
    async def hang():
        free, workers = threading.Event(), Workers()
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            await workers.within(1.0, lambda: free.wait(60), of_its_own=of_its_own)
        free.set()
        return time.monotonic() - began

    assert asyncio.run(hang()) < (PATIENCE if of_its_own else 2.5)


def test_many_that_hang_do_not_keep_each_other_from_being_given_up():
    async def hang():
        free, workers = threading.Event(), Workers()
        asked = [workers.within(0.5, lambda: free.wait(60), of_its_own=True) for _ in range(HANGING)]
        ended = await asyncio.gather(*asked, return_exceptions=True)
        free.set()
        return ended

    began = time.process_time()
    assert all(isinstance(one, TimeoutError) for one in asyncio.run(hang()))
    assert time.process_time() - began < 0.3  # looking at each of them took more, and passed for what the others did


def test_a_ruling_that_comes_after_all_patience_is_too_late():
    now = iter([0.0, PATIENCE * 5.0 + 0.1])
    timed = Timed(5.0, clock=lambda: next(now))
    ruled = asyncio.run(timed.screen(Rule("assistant", by=lambda _: Allow()), Message(role="assistant", content="x")))
    assert isinstance(ruled, Block)
    assert ruled.reason == "guard-deadline"
