"""The `aloi` command as a person starts it."""

import asyncio
import atexit
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import NamedTuple

TESTS = Path(__file__).parents[1]
START = (sys.executable, "-m", "aloi.cli.main")


class Said(NamedTuple):
    """What a command printed, and the code it ended with."""

    code: int
    out: str
    err: str


def environment(home: Path, *path: Path, **more: str) -> dict[str, str]:
    """A person without a language, a key or settings; `path` stands before the tests on PYTHONPATH."""
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "TMPDIR", "SYSTEMROOT"}}
    paths = os.pathsep.join(map(str, (*path, TESTS)))
    return kept | {"HOME": str(home), "ALOI_HOME": str(home / "aloi"), "PYTHONPATH": paths, "COLUMNS": "120"} | more


@cache
def warm() -> socket.socket:
    """The line to a process that has imported the packages; it ends with this one."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    process = subprocess.Popen(
        [sys.executable, Path(__file__).with_name("warm.py"), str(theirs.fileno())],
        env=environment(TESTS),
        pass_fds=[theirs.fileno()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    theirs.close()

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


def aloi(*arguments: object, home: Path, path: Sequence[Path] = (), stdin: int | None = None, **more: str) -> Said:
    """Run a command to its end in the folder `home`; without `stdin`, nothing is to be read there."""
    asked = {
        "arguments": [*map(str, arguments)],
        "folder": str(home),
        "environment": environment(home, *path, **more),
        "path": [*map(str, path)],
    }
    with TemporaryFile() as out, TemporaryFile() as err, Path(os.devnull).open() as nothing:
        files = [nothing.fileno() if stdin is None else stdin, out.fileno(), err.fileno()]
        socket.send_fds(warm(), [json.dumps(asked).encode()], files)
        code = int(warm().recv(16))
        return Said(code, *(file.seek(0) or file.read().decode() for file in (out, err)))


def cold(*arguments: object, home: Path, path: Sequence[Path] = (), options: Sequence[str] = ()) -> Said:
    """The same, in an interpreter of its own; `options` are Python's."""
    ended = subprocess.run(
        [START[0], *options, *START[1:], *map(str, arguments)],
        cwd=home,
        env=environment(home, *path),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    return Said(ended.returncode, ended.stdout, ended.stderr)


async def started(*arguments: object, home: Path, **more: str) -> asyncio.subprocess.Process:
    """Start a command beside a server of this process."""
    return await asyncio.create_subprocess_exec(
        *START,
        *map(str, arguments),
        cwd=home,
        env=environment(home, **more),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def ended(process: asyncio.subprocess.Process) -> Said:
    """What a started command said."""
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    return Said(process.returncode, out.decode(), err.decode())


@contextmanager
def serving(*words: object, home: Path) -> Iterator[str]:
    """`aloi registry WORDS` while it serves; its address."""
    with subprocess.Popen(
        [*START, "registry", *map(str, words)],
        cwd=home,
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout
            assert process.stderr
            yield process.stdout.readline().rsplit(" ", 1)[-1].strip()
        finally:
            process.terminate()
            assert process.wait(30) == 0
            assert "Traceback" not in process.stderr.read()
