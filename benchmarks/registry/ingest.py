"""How fast a log takes entries in: verified, each batch durable before it is answered.

`python -m benchmarks.registry.ingest` (or `make bench BENCH=ingest`). Every envelope is another one, signed beforehand;
every figure is wall time, the median of five rounds, with the slowest and the fastest. Beside it stands the time of
this process on a core, which a busy machine changes less (the time of PostgreSQL's own processes is not in it). With
static files, a thread of the process keeps the folder of tiles up to date meanwhile, as `aloi registry serve` does.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from itertools import count
from pathlib import Path
from typing import NamedTuple

from aloi.evidence import envelope as dsse
from aloi.evidence.keys import PrivateKey
from aloi.evidence.statement import Subject, state
from aloi.evidence.vouching import Endorsement
from aloi.registry.log import Log
from aloi.registry.tilefolder import TileFolder
from aloi.registry.tilekeeper import TileKeeper
from benchmarks.bars import bar
from benchmarks.registry import postgres

ORIGIN = "bench.example.org/log"
ROUNDS = 5
BATCH = 256
SYSTEM = Subject.of("banque-azur", "sha256:" + "a1" * 32)
KEY, SUBMITTER = PrivateKey.generate(), PrivateKey.generate()
NUMBERS = count()


def fresh(many: int) -> list[bytes]:
    """Envelopes that nobody has seen, of the size that findings have (about 1.6 kB)."""
    made = []
    for _ in range(many):
        name = f"organisation {next(NUMBERS):>180}"
        payload = state(Endorsement(organisation=name, at="2026-11-26"), [SYSTEM] * 4)
        made.append(dsse.write(dsse.sign(payload, SUBMITTER)))
    return made


class Rates(NamedTuple):
    """Entries a second, one figure a round, slowest first; microseconds of this process for an entry."""

    wall: list[float]
    own: float


def rates(take: Callable[[list[bytes]], object], many: int) -> Rates:
    """Take `many` envelopes, in each of the rounds."""
    found, own = [], []
    for _ in range(ROUNDS):
        batch = fresh(many)
        start, used = time.perf_counter(), time.process_time()
        take(batch)
        own.append((time.process_time() - used) / many * 1e6)
        found.append(many / (time.perf_counter() - start))
    return Rates(sorted(found), statistics.median(own))


def measure(url: str, tiles: Path | None = None) -> tuple[Rates, Rates]:
    """Rates of batches, and of single commits; with its static files in `tiles`, if that is given."""
    log = Log.open(url, KEY, ORIGIN)
    with TileKeeper(TileFolder.open(tiles, log)) if tiles else nullcontext() as keeper:
        found = measured(log, keeper.published if keeper else lambda: None)
    log.close()
    return found


def measured(log: Log, published: Callable[[], None]) -> tuple[Rates, Rates]:
    """The same of an open log."""
    keys = [SUBMITTER.public]

    def batched(envelopes: list[bytes]) -> None:
        for place in range(0, len(envelopes), BATCH):
            log.append(envelopes[place : place + BATCH], keys)
            published()

    def single(envelopes: list[bytes]) -> None:
        for each in envelopes:
            log.append([each], keys)
            published()

    batched(fresh(BATCH))
    return rates(batched, 8 * BATCH), rates(single, 300)


def tell(what: str, found: Rates, wanted: int = 0) -> None:
    """Print a median and its range, and beside the bar where there is one."""
    median = statistics.median(found.wall)
    shown = f"{median:,.0f}/s"
    print(f"{what}: {shown} ({found.wall[0]:,.0f} to {found.wall[-1]:,.0f}), {found.own:,.0f} µs of one core an entry")
    if wanted:
        bar(what, shown, f">= {wanted:,}/s", met=median >= wanted)


def main() -> None:
    """Print the figures."""
    print(f"an envelope: {len(fresh(1)[0])} bytes")
    with tempfile.TemporaryDirectory() as folder:
        batched, single = measure(f"sqlite:///{Path(folder)}/log.db")
    tell(f"SQLite, batches of {BATCH}, verified and durable", batched, 2000)
    tell("SQLite, single commits, verified and durable", single, 250)
    with tempfile.TemporaryDirectory() as folder:
        batched, single = measure(f"sqlite:///{Path(folder)}/log.db", Path(folder) / "tiles")
    tell(f"the same with static files, batches of {BATCH}", batched, 2000)
    tell("the same with static files, single commits", single, 250)
    if postgres.programs() is None:
        print("PostgreSQL is not installed on this machine: not measured")
        return
    with postgres.cluster() as server:
        batched, single = measure(server.database("ingest"))
    tell(f"PostgreSQL, batches of {BATCH}, verified and durable", batched, 3000)
    tell("PostgreSQL, single commits, verified and durable", single)


if __name__ == "__main__":
    main()
