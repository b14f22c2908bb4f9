"""Run an application until it is told to end: what is being answered is answered, nothing new is taken."""

import asyncio
import errno
import logging
import resource
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol

import uvicorn

from aloi.errors import AloiError, concealed
from aloi.translation import N_

_BACKLOG = 2_048
_HEADERS = 16_384
_ENDING = 10  # seconds
_OWN = 320  # open files besides the connections of clients: what is asked for them, records, libraries


class _Concealing(logging.Formatter):
    """What a server says of an error that nobody foresaw, without the secrets that its text may repeat."""

    def format(self, record: logging.LogRecord) -> str:
        return concealed(super().format(record))


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
    """Serve an ASGI application until SIGINT or SIGTERM; `ready` is given the address, once requests are answered.

    Port 0 takes a free one. Beyond `at_once` connections or requests the answer is 503; a
    connection is closed after `idle` seconds without a request. The process takes as many open
    files as it may have, and fewer connections where these are too few. Raises `failure` where
    the address cannot be had, or the application does not begin to live.
    """
    if logging.lastResort:
        logging.lastResort.setFormatter(_Concealing())
    at_once = min(at_once, max(_open_files() - _OWN, _OWN))
    with _listening(host, port, failure) as listening:
        shown = f"[{host}]" if listening.family == socket.AF_INET6 else host
        url = f"http://{shown}:{listening.getsockname()[1]}"
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
        logging.getLogger("uvicorn.error").addFilter(_is_news)
        with _ended_by_signals():
            try:
                _Server(config, lambda: ready(url)).run(sockets=[listening])
            except SystemExit:  # uvicorn leaves so where the application does not begin to live
                raise failure(
                    N_("the server did not start"), remedy=N_("correct what is told above, and start it again")
                ) from None


class _Server(uvicorn.Server):
    """One that tells when connections are taken and answered."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Raises SystemExit where the application does not begin to live."""
        await super().startup(sockets)
        self._ready()


def _is_news(record: logging.LogRecord) -> bool:
    """Whether a line of uvicorn's is not told by an error of ours."""
    return record.msg != "Application startup failed. Exiting."


@contextmanager
def _listening(host: str, port: int, failure: Failure) -> Iterator[socket.socket]:
    try:
        listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((host, port))
            listening.listen(_BACKLOG)
        except BaseException:
            listening.close()
            raise
    except (OSError, UnicodeError) as error:
        problem, remedy = _why(error)
        raise failure(
            N_("nothing can listen at {host}:{port}: {problem}"), remedy=remedy, host=host, port=port, problem=problem
        ) from error
    with listening:
        yield listening


def _why(error: OSError | UnicodeError) -> tuple[str, str]:
    """Why an address cannot be had, and what to do."""
    if isinstance(error, UnicodeError | socket.gaierror):
        return N_("no such name is known"), N_("write an address of this machine, such as 127.0.0.1 or 0.0.0.0")
    match error.errno:
        case errno.EADDRINUSE:
            return N_("something listens there already"), N_("choose another port, or end what listens there")
        case errno.EACCES | errno.EPERM:
            return N_("this user may not listen there"), N_("choose a port from 1024 on")
        case errno.EADDRNOTAVAIL | errno.EAFNOSUPPORT:
            return (
                N_("this machine has no such address"),
                N_("write an address of this machine, such as 127.0.0.1 or 0.0.0.0"),
            )
    return error.strerror or str(error), N_("choose another address or port, or end what listens there")


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
