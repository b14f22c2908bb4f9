"""An event loop in a thread of its own, for those who ask from code that is not async."""

import asyncio
import os
import threading
import weakref

# Leaving must not hang on an engine that does not end.
LEAVING = 6.0


class LoopThread:
    """Runs until `end`; what is under way then is cancelled."""

    def __init__(self, name: str) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """End the loop, and wait for that as long as is reasonable."""
        if self.loop.is_closed():
            return
        self.loop.call_soon_threadsafe(self.loop.stop)
        if threading.current_thread() is not self._thread:
            self._thread.join(LEAVING)

    def _run(self) -> None:
        try:
            self.loop.run_forever()
            self.loop.run_until_complete(asyncio.sleep(0))  # what was handed over at last is under way too
            if left := asyncio.all_tasks(self.loop):
                for task in left:
                    task.cancel()
                self.loop.run_until_complete(asyncio.wait(left))
        finally:
            self.loop.close()


class LoopHere:
    """A loop in a thread, begun when it is first asked for; one for each process, for a fork takes no threads along."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._begun: tuple[int, LoopThread] | None = None
        self._lock = threading.Lock()

    def loop(self) -> asyncio.AbstractEventLoop:
        """The running loop."""
        with self._lock:
            if self._begun is None or self._begun[0] != os.getpid():
                self._begun = os.getpid(), LoopThread(self._name)
                weakref.finalize(self, self._begun[1].end)
            return self._begun[1].loop

    def end(self) -> None:
        """End it; it begins anew where it is asked for again."""
        with self._lock:
            if self._begun is not None and self._begun[0] == os.getpid():
                self._begun[1].end()
            self._begun = None
