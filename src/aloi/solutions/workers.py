"""Run a guard under a deadline: a guard that hangs must not hold up the answer, the event loop or the exit."""

import asyncio
import weakref
from collections import Counter
from collections.abc import Callable, Hashable
from queue import SimpleQueue
from threading import Thread
from typing import TypeVar

from aloi.solutions.ownclock import Moment, OwnClock, own

T = TypeVar("T")
_Task = tuple[Callable[[], object], Callable[[object, BaseException | None], None]]

HANGING = 64  # threads that one guard may keep after its deadline
# A deadline of own time is looked at first after this part of it, for an ordinary task has ended by then; it passes at
# the latest after so many times of it by the wall.
_FIRST, _LEAST, PATIENCE = 0.25, 0.05, 10.0


class _Worker:
    def __init__(self) -> None:
        self.tasks: SimpleQueue[_Task | None] = SimpleQueue()
        self.clock: OwnClock | None = None
        # A daemon thread is left behind where it hangs; an executor's thread would be waited for at exit.
        Thread(target=self._run, name="aloi-guard", daemon=True).start()

    def _run(self) -> None:
        self.clock = OwnClock.here()
        while (task := self.tasks.get()) is not None:
            work, done = task
            try:
                result = work()
            except BaseException as error:  # noqa: BLE001 - whatever a guard raises is handed to who asked
                done(None, error)
            else:
                done(result, None)
            del task, work, done  # nothing of the last task is held until the next


def _end(idle: list[_Worker]) -> None:
    for worker in idle:
        worker.tasks.put(None)


class Workers:
    """Threads that are reused, and end with this; one whose task outlives its deadline is used again when that ends."""

    def __init__(self) -> None:
        self._idle: list[_Worker] = []
        self._hanging: Counter[Hashable] = Counter()
        weakref.finalize(self, _end, self._idle)

    async def within(
        self, seconds: float, work: Callable[[], T], guard: Hashable = None, *, of_its_own: bool = False
    ) -> T:
        """What `work` returns or raises; `TimeoutError` after `seconds`, and at once while `HANGING` earlier tasks of
        the same guard have not ended though they were given up.

        `of_its_own` counts the time that the task had, not what it waited for a processor or for other threads of this
        process; `PATIENCE` times as long is given it at most. A task that never gives up the interpreter (one long
        regular expression) is noticed only when it ends.
        """
        if self._hanging[guard] >= HANGING:
            raise TimeoutError
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        worker = self._idle.pop() if self._idle else _Worker()
        owner = weakref.ref(self)

        def settle(result: object, error: BaseException | None) -> None:
            workers = owner()
            if workers is None:
                worker.tasks.put(None)
            else:
                workers.freed(worker, guard, given_up=future.done())
            if not future.done():
                future.set_exception(error) if error is not None else future.set_result(result)  # type: ignore[arg-type]  # work returns T

        def done(result: object, error: BaseException | None) -> None:
            try:
                loop.call_soon_threadsafe(settle, result, error)
            except RuntimeError:  # the loop ended while the guard was still hanging: nobody waits for it any more
                worker.tasks.put(None)

        worker.tasks.put((work, done))
        deadline = _Deadline(future, worker, seconds, of_its_own=of_its_own)
        try:
            return await future
        finally:
            deadline.end()
            if deadline.passed or future.cancelled():  # or whoever asked has left
                self._hanging[guard] += 1

    def freed(self, worker: _Worker, guard: Hashable, *, given_up: bool) -> None:
        """Its task has ended: another may be given to it."""
        self._idle.append(worker)
        if given_up:
            self._hanging[guard] -= 1


class _Deadline:
    """Gives a task up, once its time is over, by putting TimeoutError in the place of its result."""

    def __init__(self, future: "asyncio.Future[T]", worker: _Worker, seconds: float, *, of_its_own: bool) -> None:
        self._future = future
        self._worker = worker
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._first: Moment | None = None
        self._spent = 0.0
        self.passed = False
        self._handle = self._loop.call_later(
            seconds * (_FIRST if of_its_own else 1.0), self._look if of_its_own else self._pass
        )

    def end(self) -> None:
        """The task has ended, or nobody waits for it."""
        self._handle.cancel()

    def _pass(self) -> None:
        if not self._future.done():
            self.passed = True
            self._future.set_exception(TimeoutError())

    def _look(self) -> None:
        """What came before the first look is all the task's own."""
        wall, clock = self._loop.time() - self._began, self._worker.clock
        now = clock.read() if clock else None
        if self._first is None and now is not None:
            self._first, self._spent = now, min(wall, self._seconds * _FIRST)
        spent = self._spent + (own(self._first, now) if self._first and now else 0.0)
        if spent >= self._seconds or wall >= PATIENCE * self._seconds:
            self._pass()
            return
        more = max(self._seconds - spent, self._seconds * _LEAST)
        self._handle = self._loop.call_later(min(more, PATIENCE * self._seconds - wall), self._look)
