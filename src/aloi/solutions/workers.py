"""Run a guard under a deadline: a guard that hangs must not hold up the answer, the event loop or the exit."""

import asyncio
import weakref
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import TypeVar

T = TypeVar("T")
_Task = tuple[Callable[[], object], Callable[[object, BaseException | None], None]]


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
    """Threads that are reused, and end with this; one whose task outlives its deadline is not used again."""

    def __init__(self) -> None:
        self._idle: list[_Worker] = []
        weakref.finalize(self, _end, self._idle)

    async def within(self, seconds: float, work: Callable[[], T]) -> T:
        """What `work` returns or raises; `TimeoutError` after `seconds`.

        A task that never gives up the interpreter (one long regular expression) is noticed only when it ends.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def settle(result: object, error: BaseException | None) -> None:
            if not future.done():
                future.set_exception(error) if error is not None else future.set_result(result)  # type: ignore[arg-type]  # work returns T

        def done(result: object, error: BaseException | None) -> None:
            # The loop may have ended while a guard was still hanging: nobody waits for it any more.
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle, result, error)

        worker = self._idle.pop() if self._idle else _Worker()
        worker.tasks.put((work, done))
        try:
            async with asyncio.timeout(seconds):
                return await future
        finally:
            if future.done() and not future.cancelled():
                self._idle.append(worker)
            else:  # nobody waits any more: it ends when its task does
                worker.tasks.put(None)
