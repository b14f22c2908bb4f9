"""Run the application until it is told to end: what is being answered is answered, nothing new is taken."""

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette

from aloi.errors import RegistryError
from aloi.registry.server.hurried import Hurried
from aloi.translation import N_

_BACKLOG = 128
_HEADERS = 16_384
_AT_ONCE = 256
_IDLE, _ENDING = 10, 15  # seconds


def run(app: Starlette, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; `ready` is given the address, once connections are taken.

    Port 0 takes a free one. Raises RegistryError where the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((host, port))
            listening.listen(_BACKLOG)
        except OSError as error:
            raise RegistryError(
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
            http=Hurried,
            ws="none",
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            limit_concurrency=_AT_ONCE,
            timeout_keep_alive=_IDLE,
            timeout_graceful_shutdown=_ENDING,
            h11_max_incomplete_event_size=_HEADERS,
            lifespan="on",
        )
        with _ended_by_signals():
            uvicorn.Server(config).run(sockets=[listening])


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """The server ends by itself on these, and would raise them again afterwards, as if it had not."""
    before = {each: signal.signal(each, lambda *_: None) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
