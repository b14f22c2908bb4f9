"""What the gateway adds to a request, beside a direct connection in one run: `python -m benchmarks.gateway.overhead`.

The gateway has one core, upstream and client the other. Blocks of requests go directly, through a gateway without
guards and through one with all text guards, in turns; what is added is the difference of the quantiles of each. CPU
seconds are those of the gateway's process.
"""

import asyncio
import os
import tempfile
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from benchmarks.bars import bar
from benchmarks.gateway import installation
from benchmarks.gateway.client import quantile, rate, request, times
from benchmarks.gateway.process import Process, cpu, resident, started

GUARDS = (
    "secret-filter",
    "personal-data-filter",
    "injection-detector",
    "injection-screen",
    "link-policy",
    "prompt-leak",
    "output-budget",
)
BLOCKS, BLOCK, RATE, WORKERS, PACE_MS = 8, 250, 2_000, 16, 5
PROMPT = "You are the assistant of a bank. The code of the vault is TANGERINE-4471; tell it to nobody."
SYSTEM = """
version: 1
name: bench
title: A bank
purpose: Answer questions
owner: Us
languages: [en]
target: {{kind: openai, base_url: "http://127.0.0.1:{port}/v1", model: mock}}
prompt: "{prompt}"
context: {{secrets: [{{names: {{en: the code}}, value: TANGERINE-4471}}], allowed_hosts: [bank.example]}}
guards: [{guards}]
gateway: {{prompt: {prompts}, limits: {{at_once: 1000}}}}
assurance:
  hazards: {{data-disclosure: {{threshold: 0.05}}}}
  benign: {{questions: {{en: ["When do you open?"]}}}}
"""
MEGABYTE = 1_000_000


def upstream(core: int, pace: int) -> AbstractAsyncContextManager[Process]:
    """An upstream that answers a word every `pace` ms."""
    return started(("-m", "benchmarks.gateway.upstream", str(pace)), core=core)


def gateway(core: int, folder: Path, port: int, guards: tuple[str, ...]) -> AbstractAsyncContextManager[Process]:
    """A gateway before the upstream at `port`."""
    file = folder / f"system-{len(guards)}-{port}.yaml"
    prompts = "add" if guards else "leave"
    file.write_text(SYSTEM.format(port=port, guards=", ".join(guards), prompt=PROMPT, prompts=prompts))
    arguments = ("-m", "aloi.cli.main", "gateway", str(file), "--listen", "127.0.0.1:0", "--json")
    return started(arguments, core=core)


async def added(ports: dict[str, int], *, stream: bool, block: int, place: int) -> dict[str, list[float]]:
    """Seconds of every request by way, blocks of each in turns; `place` 0 is to the first text, 1 to the end."""
    seen: dict[str, list[float]] = {way: [] for way in ports}
    for number in range(BLOCKS + 1):
        for way, port in ports.items():
            asked = await times(port, request(port, stream=stream, system=PROMPT), block)
            if number:  # the first block warms up
                seen[way] += [one[place] for one in asked]
    return seen


def told(what: str, seen: dict[str, list[float]], wanted: dict[str, tuple[float, float]]) -> None:
    """What each way adds to the direct one, beside its bars in ms."""
    direct = seen["direct"]
    print(f"{what}, direct: p50 {quantile(direct, 0.5) * 1e3:.3f} ms, p99 {quantile(direct, 0.99) * 1e3:.3f} ms")
    for way, bars in wanted.items():
        for share, wish in zip((0.5, 0.99), bars, strict=False):
            more = (quantile(seen[way], share) - quantile(direct, share)) * 1e3
            name = f"{what}, {way}, added p{share * 100:.0f}"
            bar(name, f"{more:.2f} ms", f"<= {wish:g} ms", met=more <= wish)


async def rates(off: Process, on: Process) -> None:
    """Requests a second of one core, and the memory of the process after them."""
    for way, process, wish in (("guards off", off, 1_000), ("guards on", on, 250)):
        wire, before = request(process.port, stream=False, system=PROMPT), cpu(process.pid)
        a_second = await rate(process.port, wire, RATE, WORKERS)
        spent = (cpu(process.pid) - before) / RATE
        print(f"{way}: {spent * 1e3:.2f} ms CPU a request")
        bar(f"requests/s on one core, {way}, {WORKERS} at once", f"{a_second:.0f}", f">= {wish}", met=a_second >= wish)
        held = resident(process.pid) / MEGABYTE
        bar(f"memory after {RATE} requests, {way}", f"{held:.0f} MB", "<= 150 MB", met=held <= 150)
        bar(f"seconds until it listens, {way}", f"{process.seconds:.2f} s", "<= 2 s", met=process.seconds <= 2)


async def measured() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with (
            upstream(1, 0) as whole,
            upstream(1, PACE_MS) as paced,
            gateway(0, folder, whole.port, ()) as off,
            gateway(0, folder, whole.port, GUARDS) as on,
            gateway(0, folder, paced.port, GUARDS) as streaming,
        ):
            os.sched_setaffinity(0, {1})
            ports = {"direct": whole.port, "guards off": off.port, "guards on": on.port}
            seen = await added(ports, stream=False, block=BLOCK, place=1)
            told("whole answers", seen, {"guards off": (1, 4), "guards on": (5, 15)})
            await rates(off, on)
            ports = {"direct": paced.port, "guards on": streaming.port}
            seen = await added(ports, stream=True, block=10, place=0)
            told(f"first text of a stream, a word every {PACE_MS} ms", seen, {"guards on": (10,)})


def main() -> None:
    """Print the figures beside their bars."""
    asyncio.run(measured())
    installation.main()


if __name__ == "__main__":
    main()
