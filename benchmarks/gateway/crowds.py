"""Many at once, at a gateway with all text guards: `python -m benchmarks.gateway.crowds`.

What ten thousand idle connections take, and how long it takes to tell of itself while guards read long answers. The
gateway has one core, upstream and client the other.
"""

import asyncio
import os
import resource
import socket
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path

import aiohttp

from benchmarks.bars import bar
from benchmarks.gateway.client import quantile, request, times
from benchmarks.gateway.overhead import GUARDS, PROMPT, gateway, upstream
from benchmarks.gateway.process import Process, resident
from benchmarks.gateway.scripted import Playing, Scripted

IDLE, BATCH, OWN, ASKED = 10_000, 250, 500, 500
LONG, ANSWERS, WISH_MS = 900_000, 40, 500
SENTENCE = "We open at nine on weekdays, and at ten on Saturdays. "
BODY = {"model": "mock", "messages": [{"role": "user", "content": "When do you open?"}]}


async def idle(server: Process) -> None:
    """Memory of each connection that asks nothing, and what an answer takes alone and beside them."""
    wire, before = request(server.port, stream=False, system=PROMPT), resident(server.pid)
    alone = [end for _, end in await times(server.port, wire, ASKED)]
    with ExitStack() as stack:
        for count in range(IDLE):
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            if count % BATCH == 0:
                await times(server.port, wire, 1)  # it has taken those before
        beside = [end for _, end in await times(server.port, wire, ASKED)]
        held = (resident(server.pid) - before) / IDLE / 1_000
    print(f"memory of an idle connection, of {IDLE:,}: {held:.1f} kB")
    for share in (0.5, 0.99):
        without, with_ = (quantile(seen, share) * 1e3 for seen in (alone, beside))
        print(f"whole answer p{share * 100:.0f}: {without:.2f} ms alone, {with_:.2f} ms beside them")


async def tell_all(it: Playing) -> None:
    await it.say((SENTENCE * (LONG // len(SENTENCE) + 1))[:LONG])


async def long_answers(server: Process) -> None:
    """How long the status takes while long answers are read, and how many of these are withheld."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{server.port}", connector=connector) as session:

        async def ask() -> str:
            async with session.post("/v1/chat/completions", json=BODY) as reply:
                await reply.read()
                return reply.headers.get("x-aloi-outcome", str(reply.status))

        began = time.perf_counter()
        asking = asyncio.gather(*(ask() for _ in range(ANSWERS)))
        seconds = await while_going(asking, lambda: _timed(session))
        outcomes = await asking
    took, size = time.perf_counter() - began, LONG // 1_000
    print(f"{ANSWERS} answers of {size} kB at once: {took:.1f} s, {dict(Counter(outcomes))}")
    for share, name in ((0.5, "p50"), (1.0, "longest")):
        figure = quantile(seconds, share) * 1e3
        bar(f"status meanwhile, {name}", f"{figure:.0f} ms", f"<= {WISH_MS} ms", met=figure <= WISH_MS)
    withheld = sum(one != "changed" for one in outcomes)  # the budget cuts each
    bar("of these withheld", str(withheld), "0", met=not withheld)


async def while_going(going: "asyncio.Future[list[str]]", ask: Callable[[], Awaitable[float]]) -> list[float]:
    """What is measured again and again until something has ended."""
    seen = []
    while not going.done():
        seen.append(await ask())
        await asyncio.sleep(0.02)
    return seen


async def _timed(session: aiohttp.ClientSession) -> float:
    began = time.perf_counter()
    async with session.get("/aloi/status") as reply:
        await reply.read()
    return time.perf_counter() - began


async def measured() -> None:
    with tempfile.TemporaryDirectory() as name, Scripted({}, tell_all) as told:
        folder = Path(name)
        async with upstream(1, 0) as model, gateway(0, folder, model.port, GUARDS) as server:
            os.sched_setaffinity(0, {1})
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            if hard != resource.RLIM_INFINITY and hard < IDLE + OWN:
                print(f"idle connections were not measured: the hard limit of open files is {hard}")
            else:
                resource.setrlimit(resource.RLIMIT_NOFILE, (IDLE + OWN, hard))
                await idle(server)
        async with gateway(0, folder, told.port, GUARDS) as server:
            await long_answers(server)


def main() -> None:
    """Print the figures beside their bars."""
    cores, files = os.sched_getaffinity(0), resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        asyncio.run(measured())
    finally:
        os.sched_setaffinity(0, cores)
        resource.setrlimit(resource.RLIMIT_NOFILE, files)


if __name__ == "__main__":
    main()
