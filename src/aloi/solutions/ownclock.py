"""How long a thread had the chance to work: what it waited for a processor, or for others of its process, is not it."""

import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_TASKS = Path("/proc/self/task")
_UNIT = 1e-9  # the kernel counts nanoseconds
_AGAIN = 20  # a reading serves for so many times as long as it took


class Moment(NamedTuple):
    """Seconds: of the wall; what the thread and its whole process used of a processor; what all threads waited for
    one, and what the thread itself did."""

    wall: float
    used: float
    all_used: float
    waited: float
    all_waited: float


class OwnClock:
    """The clock of one thread, read by another. Where a system does not tell, all time is the thread's own."""

    def __init__(self, ident: int, native: int) -> None:
        self._clock = time.pthread_getcpuclockid(ident) if hasattr(time, "pthread_getcpuclockid") else None
        self._native = str(native)

    @classmethod
    def here(cls) -> "OwnClock":
        """That of the thread which asks."""
        return cls(threading.get_ident(), threading.get_native_id())

    def read(self) -> Moment:
        """Now."""
        if self._clock is None:
            return Moment(time.perf_counter(), 0.0, 0.0, 0.0, 0.0)
        now = _process()
        used = time.clock_gettime(self._clock)
        return Moment(now.wall, used, now.used, now.waited.get(self._native, 0.0), now.all_waited)


class _Process(NamedTuple):
    """A reading of the whole process, and until when it is as good as another."""

    wall: float
    used: float
    waited: dict[str, float]
    all_waited: float
    until: float


_read: _Process | None = None


def _process() -> _Process:
    """Now, or a moment ago: where many threads are looked at, each look would read of all of them, and what that takes
    would pass for what they waited."""
    global _read  # noqa: PLW0603 - one process, one reading
    began = time.perf_counter()
    if _read is None or began >= _read.until:
        used, waited = time.process_time(), _waited()
        ended = time.perf_counter()
        _read = _Process(began, used, waited, sum(waited.values()), ended + _AGAIN * (ended - began))
    return _read


def _waited() -> dict[str, float]:
    """What each thread of this process has waited for a processor; nothing where a kernel keeps no such count."""
    found = {}
    with suppress(OSError):
        for task in _TASKS.iterdir():
            with suppress(OSError, IndexError, ValueError):  # a thread that has just ended, too
                found[task.name] = int((task / "schedstat").read_bytes().split()[1]) * _UNIT
    return found


def own(since: Moment, now: Moment) -> float:
    """The seconds between two moments in which the thread worked, or could have.

    One that sleeps while others of its process compute, or wait for a processor to, is taken to wait for them: the
    interpreter is theirs then.
    """
    waited = now.waited - since.waited
    others = (now.all_used - since.all_used) - (now.used - since.used)
    others_waited = (now.all_waited - since.all_waited) - waited
    return max(0.0, (now.wall - since.wall) - waited - max(0.0, others) - max(0.0, others_waited))
