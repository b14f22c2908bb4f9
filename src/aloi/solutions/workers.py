"""Run a guard under a deadline: a guard that hangs must not hold up the answer, the event loop or the exit."""

import asyncio
import weakref
from collections import Counter
from collections.abc import Callable, Hashable
from queue import SimpleQueue
from threading import Thread
from typing import TypeVar

T = TypeVar("T")
_Task = tuple[Callable[[], object], Callable[[object, BaseException | None], None]]

HANGING = 64  # threads that one guard may keep after its deadline


class _Worker:
    def __init__(self) -> None:
        self.tasks: SimpleQueue[_Task | None] = SimpleQueue()
        # A daemon thread is left behind where it hangs; an executor's thread would be waited for at exit.
        Thread(target=self._run, name="aloi-guard", daemon=True).start()

    def _run(self) -> None:
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

    async def within(self, seconds: float, work: Callable[[], T], guard: Hashable = None) -> T:
        """What `work` returns or raises; `TimeoutError` after `seconds`, and at once while `HANGING` earlier tasks of
        the same guard have not ended though they were given up.

        A task that never gives up the interpreter (one long regular expression) is noticed only when it ends.
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
        try:
            async with asyncio.timeout(seconds):
                return await future
        finally:
            if future.cancelled():  # by the deadline, or because whoever asked has left
                self._hanging[guard] += 1

    def freed(self, worker: _Worker, guard: Hashable, *, given_up: bool) -> None:
        """Its task has ended: another may be given to it."""
        self._idle.append(worker)
        if given_up:
            self._hanging[guard] -= 1
