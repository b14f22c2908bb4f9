"""Run a server of tools, and stand before it."""

import asyncio
import contextlib
import signal
from collections.abc import Sequence
from typing import IO

from aloi.errors import AskerError, TargetError
from aloi.solutions.gateway.policy import Policy
from aloi.solutions.mcp.proxy import Proxy, Told, Write
from aloi.translation import N_

# How long a server is given to end once its input is closed, and again once it was told to.
ENDING = 5.0
_PART = 65_536
Pipes = tuple[IO[bytes], IO[bytes]]
"""What the client is heard by, and spoken to."""


async def run(policy: Policy, command: Sequence[str], told: Told, pipes: Pipes) -> None:
    """Serve the client at the `pipes` until it leaves; the server's own words go to standard error.

    Raises AskerError where the command cannot be run, TargetError where the server ends before the client leaves.
    """
    try:
        server = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=_PART
        )
    except OSError as error:
        raise AskerError(
            N_("the server {command} cannot be run: {problem}"),
            remedy=N_("name a command behind `--`, as it is typed in a shell: `aloi mcp SYSTEM -- COMMAND ARGUMENTS`"),
            command=command[0],
            problem=error.strerror or type(error).__name__,
        ) from None
    assert server.stdin is not None
    assert server.stdout is not None
    try:
        reader, write = await _opened(pipes)
        proxy = Proxy(policy, write, _to(server.stdin), told)
        asking = asyncio.create_task(proxy.from_client(reader))
        answering = asyncio.create_task(proxy.from_server(server.stdout))
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, asking.cancel)
        await asyncio.wait({asking, answering}, return_when=asyncio.FIRST_COMPLETED)
        if asking.done():
            await _close(server, answering)
            if not asking.cancelled():
                asking.result()
            return
        asking.cancel()
        answering.result()
        await proxy.ended()
        raise _ended(command[0], await _end(server))
    finally:
        await _end(server)


def _ended(command: str, status: int) -> TargetError:
    return TargetError(
        N_("the server {command} ended with status {status} before its client left"),
        remedy=N_("its own words stand above; run it by itself to see why"),
        command=command,
        status=status,
    )


async def _close(server: asyncio.subprocess.Process, answering: "asyncio.Task[None]") -> None:
    """The client has left: what is under way is answered, then the server ends by itself where it does so in time."""
    assert server.stdin is not None
    server.stdin.close()
    _, late = await asyncio.wait({answering}, timeout=ENDING)
    for task in late:
        task.cancel()
    if answering.done() and not answering.cancelled():
        answering.result()


async def _end(server: asyncio.subprocess.Process) -> int:
    """End the server, more and more firmly. Gives its status."""
    for tell in (None, server.terminate, server.kill):
        with contextlib.suppress(ProcessLookupError):
            if tell is not None:
                tell()
        try:
            async with asyncio.timeout(ENDING):
                return await server.wait()
        except TimeoutError:
            continue
    return await server.wait()


def _to(stream: asyncio.StreamWriter) -> Write:
    lock = asyncio.Lock()

    async def write(line: bytes) -> None:
        async with lock:
            with contextlib.suppress(ConnectionError):  # who has gone is noticed where it is read from
                stream.write(line)
                await stream.drain()

    return write


async def _opened(pipes: Pipes) -> tuple[asyncio.StreamReader, Write]:
    """The client's pipes. Raises AskerError where they are files."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=_PART)
    try:
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipes[0])
        transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, pipes[1])
    except ValueError:
        raise AskerError(
            N_("standard input and output must be pipes to a client of the protocol"),
            remedy=N_("let the client start this command, as it would start the server"),
        ) from None
    return reader, _to(asyncio.StreamWriter(transport, protocol, None, loop))
