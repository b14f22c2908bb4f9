"""Servers that a benchmark starts, in processes of their own, and what they take."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, NamedTuple


class Process(NamedTuple):
    """A server that was started: where it listens, its process, and how long it took to listen."""

    port: int
    pid: int
    seconds: float


@asynccontextmanager
async def started(
    arguments: tuple[str, ...], *, core: int | None = None, stderr: IO[bytes] | int = subprocess.DEVNULL
) -> AsyncIterator[Process]:
    """A server of Python, on one core where that is said, for as long as the context lasts.

    Its first line is its port, or a JSON document with its `url`.
    """
    began = time.perf_counter()
    # What is installed has its bytecode; where nobody wants it written, every start would compile the sources anew.
    told = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *arguments),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        cwd=Path(__file__).parents[2],
        env=told,
        preexec_fn=None if core is None else lambda: os.sched_setaffinity(0, {core}),
    )
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        line = json.loads(await process.stdout.readline())
        port = line if isinstance(line, int) else int(line["url"].rpartition(":")[2])
        yield Process(port, process.pid, time.perf_counter() - began)
    finally:
        process.stdin.close()
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()


def cpu(pid: int) -> float:
    """CPU seconds that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(pid: int) -> int:
    """Bytes of memory that a process holds."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
