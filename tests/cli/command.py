"""The `aloi` command as a person starts it."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
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


def aloi(*arguments: object, home: Path, path: Sequence[Path] = (), options: Sequence[str] = (), **more: str) -> Said:
    """Run a command to its end in the folder `home`; `options` are Python's own."""
    ended = subprocess.run(
        [START[0], *options, *START[1:], *map(str, arguments)],
        cwd=home,
        env=environment(home, *path, **more),
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
