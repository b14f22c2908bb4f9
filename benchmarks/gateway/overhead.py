"""What the gateway adds to a request, beside a direct connection and LiteLLM's proxy in one run:
`python -m benchmarks.gateway.overhead`.

Each server has one core, the same; upstream and client have the other. Rounds of requests go directly, through a
gateway without guards, through one with all text guards and through LiteLLM, in turns; what is added is the difference
of the quantiles. CPU seconds are those of the server's process. LiteLLM has no guards; its settings are in `peer`.
"""

import asyncio
import os
import tempfile
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import NamedTuple

from benchmarks.bars import bar
from benchmarks.gateway import installation, peer
from benchmarks.gateway.client import quantile, rate, request, times
from benchmarks.gateway.process import Process, cpu, resident, started
from benchmarks.gateway.table import Row, print_table

GUARDS = (
    "secret-filter",
    "personal-data-filter",
    "injection-detector",
    "injection-screen",
    "link-policy",
    "prompt-leak",
    "output-budget",
)
ROUNDS, WORKERS, PACE_MS, STREAMS = 8, 16, 5, 8
FIRST = f"first text, a word every {PACE_MS} ms"
DIRECT, OFF, ON, PEER = "direct", "guards off", "guards on", "LiteLLM"
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


class Way(NamedTuple):
    """A way to the upstream; in each round `block` requests go it one after another, and `rush` in a crowd."""

    name: str
    server: Process
    block: int = 250
    rush: int = 500


Seen = dict[str, list[float]]


async def answers(ways: list[Way], *, stream: bool) -> Seen:
    """Seconds of every request by way, in rounds: to the end of a whole answer, or to the first text of a stream."""
    seen: Seen = {way.name: [] for way in ways}
    for number in range(ROUNDS + 1):
        for way in ways:
            wire = request(way.server.port, stream=stream, system=PROMPT)
            asked = await times(way.server.port, wire, STREAMS if stream else way.block)
            if number:  # the first round warms up
                seen[way.name] += [first if stream else end for first, end in asked]
    return seen


def added(what: str, seen: Seen) -> list[Row]:
    """What each way adds to the direct one, in ms; of that, all of it."""
    rows = []
    for share in (0.5, 0.99):
        direct = quantile(seen[DIRECT], share)
        more = {way: (quantile(one, share) - direct) * 1e3 for way, one in seen.items() if way != DIRECT}
        rows.append(Row(f"{what}, added p{share * 100:.0f}, ms", more))
        print(f"{what}, direct: p{share * 100:.0f} {direct * 1e3:.3f} ms")
    return rows


async def rates(ways: list[Way]) -> list[Row]:
    """Requests a second of one core, and what one costs it, in rounds."""
    seconds, spent = ({way.name: 0.0 for way in ways} for _ in range(2))
    for _ in range(ROUNDS // 2):
        for way in ways:
            wire, before = request(way.server.port, stream=False, system=PROMPT), cpu(way.server.pid)
            seconds[way.name] += way.rush / await rate(way.server.port, wire, way.rush, WORKERS)
            spent[way.name] += cpu(way.server.pid) - before
    count = {way.name: way.rush * (ROUNDS // 2) for way in ways}
    a_second = {name: count[name] / took for name, took in seconds.items()}
    each = {name: spent[name] / count[name] * 1e3 for name in count if name != DIRECT}
    return [
        Row(f"requests a second on one core, {WORKERS} at once", a_second, "{:,.0f}", more=True),
        Row("CPU of the server for each, ms", each),
    ]


def taken(ways: list[Way]) -> list[Row]:
    """What the servers hold, and took to begin."""
    servers = [way for way in ways if way.name != DIRECT]
    return [
        Row("memory afterwards, MB", {way.name: resident(way.server.pid) / MEGABYTE for way in servers}, "{:.0f}"),
        Row("until it listens, s", {way.name: way.server.seconds for way in servers}),
    ]


def needed(sizes: dict[str, int]) -> Row:
    """What is installed of each, where that could be told."""
    ours = sum(sizes.values())
    known = ({OFF: ours, ON: ours} if sizes else {}) | ({} if peer.missing() else {PEER: peer.installed()})
    return Row("packages that it needs, MB", {name: size / MEGABYTE for name, size in known.items()}, "{:.0f}")


# By figure: what is wanted of guards off and of guards on.
BARS = {
    "whole answer, added p50": (1, 5),
    "whole answer, added p99": (4, 15),
    "requests a second": (1_000, 250),
    f"{FIRST}, added p50": (10, 10),
    "memory": (150, 150),
    "until it listens": (2, 2),
}


def told(rows: list[Row]) -> None:
    """The figures that have a bar, beside it."""
    for start, wishes in BARS.items():
        row = next(one for one in rows if one.what.startswith(start))
        for way, wish in zip((OFF, ON), wishes, strict=True):
            figure, sign = row.figures[way], ">=" if row.more else "<="
            met = figure >= wish if row.more else figure <= wish
            bar(f"{row.what}; {way}", row.form.format(figure), f"{sign} {wish:,}", met=met)


async def measured() -> list[Row]:
    """Every figure by way."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        model = await stack.enter_async_context(upstream(1, PACE_MS))
        async with gateway(0, folder, model.port, GUARDS):
            pass  # its modules have been read from the disk once, as those of others
        ways = [Way(DIRECT, model)]
        for name, guards in ((OFF, ()), (ON, GUARDS)):
            ways.append(Way(name, await stack.enter_async_context(gateway(0, folder, model.port, guards))))
        if not peer.missing():
            async with peer.proxy(0, folder, model.port):
                pass
            other = await stack.enter_async_context(peer.proxy(0, folder, model.port))
            ways.append(Way(PEER, other, block=50, rush=60))
        os.sched_setaffinity(0, {1})
        rows = added("whole answer", await answers(ways, stream=False))
        rows += await rates(ways)
        rows += added(FIRST, await answers(ways, stream=True))
        return rows + taken(ways)


def main() -> None:
    """Print the figures side by side, then beside their bars."""
    core = os.sched_getaffinity(0)
    try:
        rows = asyncio.run(measured())
    finally:
        os.sched_setaffinity(0, core)
    sizes = installation.measured()
    print(peer.missing() or f"LiteLLM {peer.version()}: one worker, no key, database, callback, guardrail or retry\n")
    print_table([*rows, needed(sizes)], [DIRECT, OFF, ON, *([] if peer.missing() else [PEER])], PEER, [OFF, ON])
    told(rows)
    installation.told(sizes)


if __name__ == "__main__":
    main()
