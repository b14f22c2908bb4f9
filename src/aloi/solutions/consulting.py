"""A model asked from code that is not async: one session, kept open in an event loop of a thread of its own."""

import asyncio
import threading
import weakref
from collections.abc import Sequence

from aloi.solutions.loopthread import LoopThread
from aloi.system.description import TargetDescription
from aloi.system.messages import Request, Response
from aloi.system.target import Target, target_kind

GRACE = 0.25


class Late(Exception):
    """No answer in time."""


class Consulted:
    """The model of a target's description. Nothing is opened before the first question; any thread may ask."""

    def __init__(self, description: TargetDescription) -> None:
        self._description = description
        self._session: _Session | None = None
        self._lock = threading.Lock()

    def ask(self, requests: Sequence[Request], seconds: float) -> list[Response | Exception]:
        """The answers to questions put side by side, in their order; `Late` where one has none after `seconds`.

        Whatever went wrong stands in the place of the answer that it cost.
        """
        session = self._begun()
        every = asyncio.run_coroutine_threadsafe(session.ask(requests, seconds), session.loop)
        try:
            return every.result(seconds + GRACE)
        except TimeoutError:  # a function that never gives its loop back: no time-out in it can ring
            return [Late() for _ in requests]

    def _begun(self) -> "_Session":
        with self._lock:
            if self._session is None:
                self._session = _Session(self._description)
                weakref.finalize(self, self._session.end)
            return self._session


class _Session:
    """What lives in the thread; it knows nothing of who asks, so that it ends when nobody is left who could."""

    def __init__(self, description: TargetDescription) -> None:
        self._description = description
        self._opened: asyncio.Future[Target] | None = None
        self._held: set[asyncio.Task[None]] = set()
        self._thread = LoopThread("aloi-consulted")
        self.loop = self._thread.loop
        self.end = self._thread.end

    async def ask(self, requests: Sequence[Request], seconds: float) -> list[Response | Exception]:
        asked = (self._within(request, seconds) for request in requests)
        return list(await asyncio.gather(*asked))

    async def _within(self, request: Request, seconds: float) -> Response | Exception:
        try:
            async with asyncio.timeout(seconds):
                target = await self._target()
                return await target.ask(request)
        except TimeoutError:
            return Late()
        except Exception as error:  # noqa: BLE001 - whatever a target raises is the outcome of this question
            return error

    async def _target(self) -> Target:
        """The open target. An opening goes on when one who waits for it gives up; one that failed is tried again."""
        if self._opened is None or (self._opened.done() and self._opened.exception()):
            self._opened = self.loop.create_future()
            task = self.loop.create_task(self._hold(self._opened))
            self._held.add(task)
            task.add_done_callback(self._held.discard)
        return await asyncio.shield(self._opened)

    async def _hold(self, opened: "asyncio.Future[Target]") -> None:
        """Open the target, and close it in the same task when the loop ends."""
        try:
            async with target_kind(self._description).open(self._description) as target:
                opened.set_result(target)
                await asyncio.Event().wait()
        except Exception as error:  # noqa: BLE001 - it is told to who asks
            if not opened.done():
                opened.set_exception(error)
                opened.exception()  # told to who asks, and to no log where nobody waits any more
