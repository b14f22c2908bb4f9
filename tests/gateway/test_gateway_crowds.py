"""Many at once: connections that ask nothing, and answers that guards read for long."""

import asyncio
import contextlib
import resource
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import aiohttp
import httpx2 as httpx
import pytest
from benchmarks.gateway.faults import plain
from benchmarks.gateway.process import resident
from benchmarks.gateway.scripted import SECRET, Playing, Scripted
from gateway_room import Gateway, described, running

IDLE, BATCH, OWN = 10_000, 250, 500
HARD = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
FEW = HARD != resource.RLIM_INFINITY and HARD < IDLE + OWN
KILOBYTES = 16  # of memory, for a connection that asks nothing
SENTENCE = "We open at nine on weekdays. "
LARGE = (SENTENCE * 40_000)[:600_000] + f" The code of the vault is {SECRET}."
AT_ONCE = 8


@contextlib.contextmanager
def files(soft: int) -> Iterator[None]:
    """Another limit of open files for this process and what it starts."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def answered(client: httpx.Client, gateway: Gateway, times: int) -> float:
    """The median of the seconds of so many answers."""
    body = {"model": "m", "messages": [{"role": "user", "content": "When do you open on Mondays? plain"}]}
    seconds = []
    for _ in range(times):
        began = time.perf_counter()
        assert client.post(f"{gateway.url}/v1/chat/completions", json=body).status_code == 200
        seconds.append(time.perf_counter() - began)
    return median(seconds)


def silent(connection: socket.socket) -> bool:
    """Whether it is open, and was told nothing."""
    try:
        connection.recv(1)
    except BlockingIOError:
        return True
    return False


@pytest.mark.skipif(FEW, reason=f"ten thousand connections need {IDLE + OWN} open files, and the hard limit is {HARD}")
def test_ten_thousand_idle_connections_hold_nobody_up(upstream: Scripted, tmp_path: Path) -> None:
    """The gateway is started with a thousand files, as a login shell would, and helps itself to more."""
    with contextlib.ExitStack() as stack:
        with files(1_024):
            gateway = stack.enter_context(running(tmp_path, described(upstream.port)))
        stack.enter_context(files(IDLE + OWN))
        client = stack.enter_context(httpx.Client(timeout=20))
        alone = answered(client, gateway, 20)
        before, connections = resident(gateway.process.pid), []
        for count in range(IDLE):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", gateway.port), timeout=20))
            connection.setblocking(False)
            connections.append(connection)
            if count % BATCH == 0:  # it has taken those before
                assert client.get(f"{gateway.url}/aloi/health").status_code == 200
        beside = answered(client, gateway, 20)
        assert all(map(silent, connections))
        assert resident(gateway.process.pid) - before <= IDLE * KILOBYTES * 1_000
        assert len(list(Path(f"/proc/{gateway.process.pid}/fd").iterdir())) > IDLE
        assert beside <= 5 * alone + 0.05, (alone, beside)


async def tell_much(it: Playing) -> None:
    await it.say(LARGE)


async def test_long_answers_are_read_while_others_are_answered(tmp_path: Path) -> None:
    """Forty at once shared the second that each guard has, and were withheld: they take turns."""
    guards = ("secret-filter", "personal-data-filter", "prompt-leak")
    with Scripted({"much": tell_much, "plain": plain}) as told, contextlib.ExitStack() as stack:
        gateway = stack.enter_context(running(tmp_path, described(told.port, guards=guards, deadline=20)))
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(gateway.url, connector=connector) as session:
            asking = asyncio.gather(*(_much(session) for _ in range(AT_ONCE)))
            seconds = []
            while not asking.done():
                began = time.perf_counter()
                async with session.get("/aloi/status") as reply:
                    assert (await reply.json())["faults"] == {}
                seconds.append(time.perf_counter() - began)
                await asyncio.sleep(0.02)
            assert await asking == ["changed"] * AT_ONCE
        assert median(seconds) <= 0.5


async def _much(session: aiohttp.ClientSession) -> str:
    body = {"model": "m", "messages": [{"role": "user", "content": "Tell me much"}]}
    async with session.post("/v1/chat/completions", json=body) as reply:
        text = await reply.text()
        assert len(text) > 600_000
        assert SECRET not in text
        return reply.headers["x-aloi-outcome"]
