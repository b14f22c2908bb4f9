"""Deny the network, and other programs, to what only has to think: probes, attacks, environments and scorers.

A run asks its target and nobody else. Plug-ins are Python code, and what they draw or score is pure by contract; while
they run, Python's audit events (PEP 578) for connections, name look-ups and new processes are refused and told. This
stops carelessness and shows it; it is no sandbox: code that starts a thread, or native code, is not held.
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, wraps
from typing import Any

from aloi.errors import AskerError
from aloi.translation import N_

# The events of Python, and one of ours: `multiprocessing` starts programs by a call that tells nobody.
FORK_EXEC = "_posixsubprocess.fork_exec"
REFUSED = frozenset(
    {
        FORK_EXEC,
        "os.exec",
        "os.fork",
        "os.forkpty",
        "os.posix_spawn",
        "os.spawn",
        "os.startfile",
        "os.system",
        "pty.spawn",
        "socket.bind",
        "socket.connect",
        "socket.getaddrinfo",
        "socket.gethostbyaddr",
        "socket.gethostbyname",
        "socket.getnameinfo",
        "socket.sendmsg",
        "socket.sendto",
        "subprocess.Popen",
    }
)


class EgressDenied(AskerError):
    """A plug-in tried to leave the process. `who` is its name, `what` the audit event and its first argument."""

    def __init__(self, who: str, what: str) -> None:
        self.who, self.what = who, what
        super().__init__(
            N_("{who} tried to leave this process: {what}"),
            remedy=N_("a probe, an attack, an environment or a scorer may not: mend or remove the plug-in"),
            who=who,
            what=what,
        )


class _Seals(threading.local):
    """The seal of each thread: who is at work, and the first attempt, with who made it."""

    who: str = ""
    tried: tuple[str, str] | None = None


_seals = _Seals()


@contextmanager
def sealed(who: str) -> Iterator[None]:
    """While the block runs, in this thread, nothing may leave. Raises EgressDenied, also where the block hid it."""
    _listen()
    outer, before = _seals.who, _seals.tried
    _seals.who, _seals.tried = who, None
    try:
        yield
    finally:
        tried, _seals.who = _seals.tried, outer
        _seals.tried = before or (tried if outer else None)
        if tried:
            raise EgressDenied(*tried)


@cache
def _listen() -> None:
    """An audit hook cannot be taken away again, so there is one, and it does nothing where no seal is."""
    sys.addaudithook(_on_event)
    try:
        import _posixsubprocess  # noqa: PLC0415 - other systems have none
    except ImportError:
        return
    silent = _posixsubprocess.fork_exec

    @wraps(silent)
    def fork_exec(*arguments: Any) -> int:
        sys.audit(FORK_EXEC, *arguments[:1])
        return silent(*arguments)

    _posixsubprocess.fork_exec = fork_exec


def _on_event(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in REFUSED or not _seals.who:
        return
    told = [str(argument) for argument in arguments if isinstance(argument, str | tuple | list)]
    _seals.tried = _seals.tried or (_seals.who, " ".join([event, *told[:1]])[:200])
    raise EgressDenied(*_seals.tried)
