"""Witnesses that answer over HTTP, in this process or in one of their own, and servers that only look like them."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import uvicorn
from benchmarks.registry.logs import Log, fixed_key

from aloi.evidence.notes import NoteKey
from aloi.registry.heads import HeadStore, MemoryHeads
from aloi.registry.server.witness import Served
from aloi.registry.witness import Answer, Witness
from aloi.registry.witnesswire import Request, write_request
from aloi.serving.hurried import Hurried

ORIGIN = "log.example/one"
NAME = "witness.example/1"
KEY = fixed_key(21)
NOW = 1_700_000_000


def log_of(count: int = 20) -> Log:
    return Log(ORIGIN, fixed_key(11), [b"entry %d" % number for number in range(count)])


class Running(NamedTuple):
    """A witness in this process: where it answers, itself, and what it told who runs it."""

    url: str
    witness: Witness
    watched: list[tuple[str, Answer]]

    @property
    def host(self) -> tuple[str, int]:
        name, _, port = self.url.removeprefix("http://").partition(":")
        return name, int(port)


def body(log: Log, old: int, size: int) -> bytes:
    """The request that asks for a cosignature of the log's head."""
    return write_request(Request(old, tuple(log.proof(old, size)) if old < size else (), log.signed(size)))


@asynccontextmanager
async def running(
    *logs: Log,
    name: str = NAME,
    key: int = 21,
    store: HeadStore | None = None,
    clock: Callable[[], int] = lambda: NOW,
    per_minute: int = 10_000,
) -> AsyncIterator[Running]:
    """A witness of these logs with one key."""
    watched: list[tuple[str, Answer]] = []
    known: dict[str, list[NoteKey]] = {log.origin: [log.public] for log in logs}
    witness = Witness(name, [fixed_key(key)], known, store or MemoryHeads())
    app = Served(witness, clock, lambda origin, answer: watched.append((origin, answer)), per_minute).app()
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        server = uvicorn.Server(
            uvicorn.Config(app, http=Hurried, ws="none", log_config=None, log_level="critical", timeout_keep_alive=5)
        )
        serving = asyncio.create_task(server.serve([listening]))
        try:
            yield Running(f"http://127.0.0.1:{listening.getsockname()[1]}", witness, watched)
        finally:
            server.should_exit = True
            await serving


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], object]


@asynccontextmanager
async def pretending(answer: bytes | Talk) -> AsyncIterator[str]:
    """A server that answers every request with the same bytes, or talks as it likes."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if not isinstance(answer, bytes):
                await answer(reader, writer)
                return
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
            await reader.readexactly(length)
            writer.write(answer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


def reply(status: str, content: bytes = b"", *more: str) -> bytes:
    """An HTTP answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(content)}", "Connection: close", *more]
    return "\r\n".join([*lines, "", ""]).encode() + content


ROOT = Path(__file__).parents[2]


def command(*arguments: object, home: Path) -> subprocess.Popen[str]:
    """`aloi registry witness …` as a person starts it."""
    return subprocess.Popen(
        [sys.executable, "-m", "aloi.cli.main", "registry", "witness", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=home,
        env={"PYTHONPATH": f"{ROOT}/src", "PATH": "", "HOME": str(home), "ALOI_LANG": "en"},
    )
