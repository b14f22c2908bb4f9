"""Run an application until it is told to end: what is being answered is answered, nothing new is taken."""

import asyncio
import resource
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol

import uvicorn

from aloi.errors import AloiError
from aloi.translation import N_

_BACKLOG = 2_048
_HEADERS = 16_384
_ENDING = 10  # seconds
_OWN = 320  # open files besides the connections of clients: what is asked for them, records, libraries


class Failure(Protocol):
    """The family of errors that an address belongs to which cannot be had."""

    def __call__(self, message: str, /, *, remedy: str = "", **facts: object) -> AloiError: ...


def run(
    app: Any,
    host: str,
    port: int,
    ready: Callable[[str], None],
    *,
    http: type[asyncio.Protocol],
    failure: Failure,
    at_once: int = 256,
    idle: int = 10,
) -> None:
    """Serve an ASGI application until SIGINT or SIGTERM; `ready` is given the address, once connections are taken.

    Port 0 takes a free one. Beyond `at_once` connections or requests the answer is 503; a
    connection is closed after `idle` seconds without a request. The process takes as many open
    files as it may have, and fewer connections where these are too few. Raises `failure` where
    the address cannot be had.
    """
    at_once = min(at_once, max(_open_files() - _OWN, _OWN))
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((host, port))
            listening.listen(_BACKLOG)
        except OSError as error:
            raise failure(
                N_("nothing can listen at {host}:{port}: {problem}"),
                remedy=N_("choose another address or port, or end what listens there"),
                host=host,
                port=port,
                problem=error.strerror or error,
            ) from error
        shown = f"[{host}]" if family == socket.AF_INET6 else host
        ready(f"http://{shown}:{listening.getsockname()[1]}")
        config = uvicorn.Config(
            app,
            http=http,
            ws="none",
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            limit_concurrency=at_once,
            timeout_keep_alive=idle,
            timeout_graceful_shutdown=_ENDING,
            h11_max_incomplete_event_size=_HEADERS,
            lifespan="on",
        )
        # uvicorn leaves by SystemExit where the application does not begin to live; whoever made it knows why.
        with _ended_by_signals(), suppress(SystemExit):
            uvicorn.Server(config).run(sockets=[listening])


def _open_files() -> int:
    """Raise the limit of open files to the hard one: what starts a server often leaves it at 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):  # macOS counts no limit as one that cannot be set
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """The server ends by itself on these, and would raise them again afterwards, as if it had not."""
    before = {each: signal.signal(each, lambda *_: None) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
