"""How long a thread had the chance to work: what it waited for a processor, or for others of its process, is not it."""

import threading
import time
from pathlib import Path
from typing import NamedTuple

_TASKS = Path("/proc/self/task")
_UNIT = 1e-9  # the kernel counts nanoseconds


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
        wall = time.perf_counter()
        if self._clock is None:
            return Moment(wall, 0.0, 0.0, 0.0, 0.0)
        waited = _waited()
        used = time.clock_gettime(self._clock)
        return Moment(wall, used, time.process_time(), waited.get(self._native, 0.0), sum(waited.values()))


def _waited() -> dict[str, float]:
    """What each thread of this process has waited for a processor; nothing where a kernel keeps no such count."""
    found = {}
    try:
        for task in _TASKS.iterdir():
            found[task.name] = int((task / "schedstat").read_bytes().split()[1]) * _UNIT
    except (OSError, IndexError, ValueError):  # a thread that has just ended, too
        pass
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
