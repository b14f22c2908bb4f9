"""One heap for all threads of a process that serves for long."""

import ctypes
import sys

_M_ARENA_MAX = -8  # malloc.h of the GNU C library


def share_heap() -> bool:
    """Have the threads that begin later share one heap; False where the C library has no such choice.

    glibc gives threads heaps of their own, so that they need not wait for each other, and each keeps what was once
    needed at the same time (mallopt(3), M_ARENA_MAX). Threads that hold the interpreter's lock in turns do not wait.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    return bool(mallopt and mallopt(_M_ARENA_MAX, 1))
