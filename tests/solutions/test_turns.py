"""How guards share the time of one process: long texts wait for each other, nothing else waits for them."""

import asyncio
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from aloi.solutions.guard import Allow, Block, Guard, Ruling
from aloi.solutions.timed import Timed
from aloi.solutions.turns import LARGE, Turns
from aloi.system.messages import Message

SHORT, LONG = (Message(role="assistant", content="x" * size) for size in (LARGE, LARGE + 1))


class Counting:
    """How many are at work at once, and at most were."""

    def __init__(self, seconds: float = 0.02) -> None:
        self.now = self.most = 0
        self._seconds = seconds
        self._lock = threading.Lock()

    def screen(self, _: Message) -> Ruling:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(self._seconds)
        with self._lock:
            self.now -= 1
        return Allow()


def guard(screen: Callable[[Message], Ruling], **more: object) -> Guard:
    return SimpleNamespace(roles=frozenset({"assistant"}), screen=screen, **more)  # type: ignore[return-value]  # what screens is a guard


def taking(deadline: float) -> Turns:
    return Turns(Timed(deadline).screen)


async def screened(turns: Turns, who: Guard, message: Message, times: int) -> list[Ruling]:
    return await asyncio.gather(*(turns.screen(who, message) for _ in range(times)))


async def test_long_texts_are_read_one_after_the_other_by_whichever_guards() -> None:
    count, turns = Counting(), taking(20)
    both = (screened(turns, guard(count.screen), LONG, 5) for _ in range(2))
    await asyncio.gather(*both)
    assert count.most == 1


async def test_others_are_read_at_once() -> None:
    short, model, turns = Counting(0.2), Counting(0.2), taking(20)
    await asyncio.gather(
        screened(turns, guard(short.screen), SHORT, 5), screened(turns, guard(model.screen, asks=1), LONG, 5)
    )
    assert short.most == model.most == 5


async def test_a_short_text_waits_for_no_long_one() -> None:
    turns, held = taking(20), threading.Event()
    slow = asyncio.create_task(turns.screen(guard(lambda _: Allow() if held.wait(20) else Block(reason="late")), LONG))
    await asyncio.sleep(0)
    assert await turns.screen(guard(lambda _: Allow()), SHORT) == Allow()
    held.set()
    assert await slow == Allow()


async def test_waiting_for_a_turn_takes_nothing_of_the_deadline() -> None:
    assert await screened(taking(1), guard(Counting(0.3).screen), LONG, 8) == [Allow()] * 8


async def test_one_that_hangs_gives_its_turn_on_when_its_time_is_over() -> None:
    turns, ended = taking(0.1), threading.Event()
    hangs = guard(lambda _: Allow() if ended.wait(20) else Block(reason="late"), deadline=0.1)
    hanging = asyncio.create_task(turns.screen(hangs, LONG))
    await asyncio.sleep(0)
    assert await turns.screen(guard(lambda _: Allow(), deadline=20), LONG) == Allow()
    with pytest.raises(TimeoutError):
        await hanging
    ended.set()


async def test_a_text_whose_reader_left_keeps_its_turn_and_one_that_waits_leaves_its_place() -> None:
    turns, count, ended = taking(20), Counting(0), threading.Event()
    slow = guard(lambda it: count.screen(it) if ended.wait(20) else Block(reason="late"))
    asking = [asyncio.create_task(turns.screen(slow, LONG)) for _ in range(100)]
    for one in asking:
        await asyncio.sleep(0.001)
        one.cancel()
    assert all(isinstance(one, asyncio.CancelledError) for one in await asyncio.gather(*asking, return_exceptions=True))
    last = asyncio.create_task(turns.screen(slow, LONG))
    await asyncio.sleep(0.05)
    assert not last.done()
    ended.set()
    assert await last == Allow()
    assert count.most == 1


async def test_a_late_text_whose_reader_left_gives_its_turn_on() -> None:
    turns, ended = taking(20), threading.Event()
    hangs = guard(lambda _: Allow() if ended.wait(20) else Block(reason="late"), deadline=0.1)
    leaving = asyncio.create_task(turns.screen(hangs, LONG))
    await asyncio.sleep(0.01)
    leaving.cancel()
    assert await turns.screen(guard(lambda _: Allow()), LONG) == Allow()
    ended.set()


def test_a_screen_outlives_its_event_loop() -> None:
    turns, count = taking(20), Counting(0.001)
    for _ in range(2):
        asyncio.run(_run(turns, guard(count.screen)))
    assert count.most == 1


async def _run(turns: Turns, who: Guard) -> None:
    await screened(turns, who, LONG, 5)
