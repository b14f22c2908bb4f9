"""What the runner costs beside a bare client loop, and what it holds in memory: `python -m benchmarks.science.runner`.

Bare loop and runner ask the same server the same requests, in turns, with the same client and as many workers; figures
are medians of three turns. CPU seconds are those of the client's process. Memory is measured in a process of its own
for each size, without a network, from the first trial to the findings.
"""

import asyncio
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import msgspec

from aloi.evidence.records import Limits
from aloi.science.asking import Asker, Job, Spending
from aloi.science.findings import Counts
from aloi.science.probe import scorer_for
from aloi.science.sampling import Sampler
from aloi.science.trials import Key, TrialLog
from aloi.system.messages import Request, Response
from aloi.system.openai import open_endpoint
from aloi.system.reading import System, open_system
from aloi.system.rendering import chat_messages
from aloi.system.target import Target

EXAMPLE = Path(__file__).parents[2] / "examples" / "banque-azur"
HAZARD = "indirect-injection"
LATENCY_MS, WORKERS, REQUESTS, TURNS = 50, 32, 1_500, 3
SIZES = (10_000, 100_000)
NO_LIMITS = Limits(queries=10**9, tokens=10**12, seconds=10**6)


class Instant:
    """A target that answers at once."""

    async def ask(self, _: Request) -> Response:
        return Response(text="We open at nine.", prompt_tokens=40, completion_tokens=6)


@asynccontextmanager
async def mock_endpoint() -> AsyncIterator[int]:
    """The port of a server in a process of its own."""
    arguments = (sys.executable, "-m", "benchmarks.science.mock_endpoint", str(LATENCY_MS))
    process = await asyncio.create_subprocess_exec(
        *arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        yield int(await process.stdout.readline())
    finally:
        process.stdin.close()
        await process.wait()


def jobs(sampler: Sampler, target: Target, count: int) -> Iterator[Job]:
    """The first draws of one hazard."""
    for index in range(count):
        yield Job(Key("measure", HAZARD, "base", index), sampler.item("measure", HAZARD, index), target)


async def bare(url: str, requests: list[Request]) -> None:
    """N workers over an iterator and one session, nothing else: what the client alone costs."""
    left = iter(requests)
    connector = aiohttp.TCPConnector(limit=WORKERS)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def work() -> None:
            for request in left:
                body = msgspec.json.encode(
                    {"model": "m", "messages": chat_messages(request), "max_tokens": 48, "temperature": 0.7}
                )
                async with session.post(url, data=body, headers={"Content-Type": "application/json"}) as reply:
                    msgspec.json.decode(await reply.read())

        await asyncio.gather(*(work() for _ in range(WORKERS)))


async def runner(base_url: str, system: System, sampler: Sampler, log_path: Path) -> None:
    """Draw, ask, score, log and sync, as a run does."""
    description = msgspec.structs.replace(
        system.description.target, kind="openai", base_url=base_url, model="m", concurrency=WORKERS
    )
    scorers = {HAZARD: scorer_for("planted-string")}
    async with open_endpoint(description) as target, TrialLog(log_path) as log:
        asker = Asker(log, scorers, Spending(NO_LIMITS), WORKERS)
        await asker.ask(jobs(sampler, target, REQUESTS), lambda _: None)
        assert len(log) == REQUESTS


async def timed(work: Callable[[], Awaitable[None]]) -> tuple[float, float]:
    """Requests a second, and CPU seconds per 1,000 requests."""
    wall, cpu = time.perf_counter(), time.process_time()
    await work()
    return REQUESTS / (time.perf_counter() - wall), (time.process_time() - cpu) / REQUESTS * 1000


async def speed() -> None:
    """Print rate and CPU of both, in turns."""
    system = open_system(EXAMPLE)
    sampler = Sampler(system, "benchmark", {HAZARD: HAZARD})
    requests = [sampler.item("measure", HAZARD, index).request for index in range(REQUESTS)]
    rows: dict[str, list[tuple[float, float]]] = {"bare": [], "runner": []}
    async with mock_endpoint() as port:
        base = f"http://127.0.0.1:{port}/v1"
        for turn in range(TURNS):
            with tempfile.TemporaryDirectory() as folder:
                log_path = Path(folder) / "trials.jsonl"
                rows["bare"].append(await timed(lambda: bare(base + "/chat/completions", requests)))
                rows["runner"].append(await timed(lambda path=log_path: runner(base, system, sampler, path)))  # type: ignore[misc]  # a default binds the loop's value
            print(
                f"  turn {turn + 1}: bare {rows['bare'][-1][0]:.0f}/s, runner {rows['runner'][-1][0]:.0f}/s", flush=True
            )
    (bare_rate, bare_cpu), (rate, cpu) = (
        tuple(statistics.median(column) for column in zip(*rows[name], strict=True)) for name in ("bare", "runner")
    )
    limit = WORKERS / (LATENCY_MS / 1000)
    print(f"client alone      {bare_rate:6.0f} req/s   {bare_cpu:.2f} CPU s per 1,000")
    print(f"runner            {rate:6.0f} req/s   {cpu:.2f} CPU s per 1,000")
    print(
        f"T1 runner / client alone       {rate / bare_rate:.0%} (goal: 92 %), "
        f"of the latency limit {rate / limit:.0%} (goal: 85 %)"
    )
    print(f"T3 CPU s per 1,000 requests    {cpu:.2f} (goal: 0.8), {cpu / bare_cpu:.2f} times the client alone (1.8)")


async def fill(count: int, folder: Path) -> None:
    """One run of `count` trials up to its counts; prints its peak of memory in MB and its seconds."""
    system = open_system(EXAMPLE)
    sampler = Sampler(system, "benchmark", {HAZARD: HAZARD})
    start = time.perf_counter()
    async with TrialLog(folder / "trials.jsonl") as log:
        asker = Asker(log, {HAZARD: scorer_for("planted-string")}, Spending(NO_LIMITS), WORKERS)
        await asker.ask(jobs(sampler, Instant(), count), lambda _: None)
        seconds = time.perf_counter() - start
        assert Counts(log.trials("measure", HAZARD, "base")).queries == count
        assert log.sample("measure", HAZARD).trials == count
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, seconds)


def memory() -> None:
    """Print the peak of memory of a small and of a large run."""
    peaks = []
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            arguments = [sys.executable, "-m", "benchmarks.science.runner", "fill", str(size), folder]
            done = subprocess.run(arguments, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
        peak, seconds = map(float, done.stdout.split())
        peaks.append(peak)
        print(
            f"{size:7,} trials    {peak:.0f} MB at the peak, {size / seconds:,.0f} trials/s without a network",
            flush=True,
        )
    print(f"T8 at {SIZES[1]:,} trials {peaks[1]:.0f} MB (goal: 100), growth {peaks[1] - peaks[0]:.0f} MB (goal: 10)")


def main() -> None:
    """Print the figures T1, T3 and T8."""
    print(f"runner: {REQUESTS:,} requests, {WORKERS} at once, {LATENCY_MS} ms latency, median of {TURNS} turns")
    asyncio.run(speed())
    memory()


if __name__ == "__main__":
    if sys.argv[1:2] == ["fill"]:
        asyncio.run(fill(int(sys.argv[2]), Path(sys.argv[3])))
    else:
        main()
