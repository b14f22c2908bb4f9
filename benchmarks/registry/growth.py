"""Whether a log slows down as it grows: `python -m benchmarks.registry.growth [COUNT] [FOLDER] [EACH] [tiles]`.

COUNT is 200,000 by default. Entries of the size that findings have are sequenced in batches of 256, durable, without
their signatures being verified: that costs the same at any size, and would hide what the store does. EACH says how many
entries there are to a system, in no order: 0 for one system that all are about, where the index by subject has one
leaf. Without it, two logs are filled: of one system, and of a fifth as many systems as entries. With `tiles`, a thread
of the same process keeps the static files meanwhile, as `aloi registry serve` does; what it costs is in the figures.

Prints of each tenth the rate by the clock and by the time of this process on a core; that time in the time that it
takes to make the same entries (hashes and JSON, the same work at any size, done in between), which shows the shape on
a busy machine too; what was written to the disk; the largest memory; size and latency of proofs from the full log, by
itself and behind its server.
"""

import hashlib
import http.client
import json
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from aloi.evidence import logentry
from aloi.evidence.keys import PrivateKey, save
from aloi.evidence.logentry import LogEntry
from aloi.evidence.predicates import predicate_type
from aloi.registry.admission import Admitted
from aloi.registry.log import Log
from aloi.registry.tilefolder import TileFolder
from aloi.registry.tilekeeper import TileKeeper
from aloi.registry.tiles import ENTRIES, Tile
from benchmarks.bars import bar
from benchmarks.registry.processes import free_port, serving

COUNT = 200_000
BATCH = 256
PROOFS = 2000
EACH = (0, 5)
LEVEL = 0.1
ORIGIN = "bench.example.org/growth"
SIGNER = "ed25519:" + "5e" * 32
KEY = PrivateKey.generate()


def item(number: int, each: int) -> Admitted:
    """What the door lets through of a finding, with an envelope of 1.6 kB that is noise."""
    digest = hashlib.sha256(b"%d" % number).digest()
    envelope = hashlib.shake_256(digest).hexdigest(800).encode()
    system = int.from_bytes(digest[:8]) % (number // each + 1) if each else 0
    held = LogEntry(
        envelope=f"sha256:{digest.hex()}",
        predicate_type=predicate_type("finding"),
        signers=(SIGNER,),
        subjects=("sha256:" + hashlib.sha256(b"system %d" % system).hexdigest(),),
    )
    return Admitted(envelope, logentry.write(held), digest, "finding", SIGNER)


class Spent(NamedTuple):
    """Of one entry, the mean: seconds by the clock and on a core, bytes written to the disk, seconds to make it."""

    wall: float
    own: float
    written: float
    making: float

    @property
    def times(self) -> float:
        """In the time that it takes to make it."""
        return self.own / self.making


def now() -> tuple[float, float, float]:
    """Seconds by the clock and on a core, bytes written to the disk, since a time that does not matter."""
    written = 0
    with suppress(FileNotFoundError):  # only Linux tells
        lines = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
        written = int(lines["write_bytes"])
    return time.perf_counter(), time.process_time(), written


def fill(log: Log, size: int, each: int, published: Callable[[], None] = lambda: None) -> list[Spent]:
    """What an entry cost in each tenth of the log."""
    tenths = []
    for tenth in range(10):
        first, last = size * tenth // 10, size * (tenth + 1) // 10
        spent = [0.0, 0.0, 0.0, 0.0]
        for start in range(first, last, BATCH):
            before = time.process_time()
            batch = [item(number, each) for number in range(start, min(last, start + BATCH))]
            begun = now()
            log.sequence(batch)
            published()
            ended = now()
            cost = (*(after - then for after, then in zip(ended, begun, strict=True)), begun[1] - before)
            spent = [so_far + more for so_far, more in zip(spent, cost, strict=True)]
        mean = Spent(*(sum_ / (last - first) for sum_ in spent))
        tenths.append(mean)
        print(
            f"entries {first:>10,} to {last:>10,}: {1 / mean.wall:>7,.0f}/s, of one core {1 / mean.own:>7,.0f}/s, "
            f"{mean.times:.2f} times its making; {mean.written:>7,.0f} bytes written each; {memory():.0f} MB",
            flush=True,
        )
    return tenths


def memory() -> float:
    """The most memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def latencies(log: Log, size: int) -> tuple[list[float], int]:
    """Milliseconds of proofs at places drawn at random, sorted, and the hashes of the longest."""
    draw = random.Random(5)
    found, longest = [], 0
    for _ in range(PROOFS):
        index = draw.randrange(size)
        start = time.perf_counter()
        proof = log.inclusion(index, size)
        found.append((time.perf_counter() - start) * 1000)
        longest = max(longest, len(proof))
    return sorted(found), longest


def served(folder: Path, size: int) -> list[float]:
    """Milliseconds of the same proofs asked of `aloi registry serve` over one kept connection, sorted."""
    save(KEY, folder / "log.pem")
    file = folder / "registry.yaml"
    told = {"name": ORIGIN, "key": "log.pem", "listen": f"127.0.0.1:{free_port()}", "database": "sqlite:///growth.db"}
    file.write_text(json.dumps({**told, "limits": {"requests_per_minute": 1_000_000}}))
    draw = random.Random(5)
    found = []
    with serving("serve", file) as url:
        connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=60)
        for _ in range(PROOFS):
            start = time.perf_counter()
            connection.request("GET", f"/proof/{draw.randrange(size)}")
            answer = connection.getresponse()
            told_proof = answer.read()
            found.append((time.perf_counter() - start) * 1000)
            if answer.status != 200:
                raise RuntimeError(f"{answer.status}: {told_proof[:200]!r}")
        connection.close()
    return sorted(found)


def percentiles(found: list[float]) -> tuple[float, float]:
    """The 50th and the 99th of what is sorted."""
    return found[len(found) // 2], found[len(found) * 99 // 100]


def level(what: str, tenths: list[Spent], of: Callable[[Spent], float]) -> None:
    """How far the rate is from level: the last tenth against the first, and the tenth that is furthest of all."""
    rates = [1 / of(each) for each in tenths]
    fallen = rates[-1] / rates[0] - 1
    median = statistics.median(rates)
    furthest = max(abs(rate - median) / median for rate in rates)
    bar(f"append rate {what}, last tenth against the first", f"{fallen:+.1%}", "+-10 %", met=abs(fallen) <= LEVEL)
    bar(f"append rate {what}, furthest tenth from the median", f"{furthest:.1%}", "<= 10 %", met=furthest <= LEVEL)


def own_time(ask: Callable[[Tile], object], places: list[Tile]) -> float:
    """The median of the milliseconds of this thread on a core."""
    found = []
    for each in places:
        start = time.thread_time()
        ask(each)
        found.append((time.thread_time() - start) * 1000)
    return statistics.median(found)


def filled(log: Log, size: int, each: int, folder: Path) -> list[Spent]:
    """As `fill`, with static files in a folder; prints how many they are, and how soon they were all there."""
    with TileKeeper(TileFolder.open(folder, log)) as keeper:
        tenths = fill(log, size, each, keeper.published)
        start = time.perf_counter()
        while keeper.folder.size < size:
            time.sleep(0.01)
        late = time.perf_counter() - start
        for what, level in (("bundle of entries", ENTRIES), ("tile", 0)):
            places = [Tile(level, index % (size // 256)) for index in range(200)]
            file, database = (own_time(ask, places) for ask in (keeper.folder.read, log.tile))
            print(f"a {what}: {file:.2f} ms of one core from its file, {database:.2f} ms from the database")
    files = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    least = 2 * -(-size // 256)
    print(f"{len(files):,} static files, {sum(files) / size:,.0f} bytes of an entry; {late:.1f} s behind at the end")
    bar(
        "static files for each tile and bundle of the leaves",
        f"{len(files) / least:.2f}",
        "<= 1.5",
        met=len(files) <= 1.5 * least,
    )
    return tenths


def measure(size: int, folder: str, each: int, *, tiled: bool = False) -> None:
    """Fill a log and print the figures."""
    url = f"sqlite:///{Path(folder)}/growth.db"
    log = Log.open(url, KEY, ORIGIN)
    print(f"{size:,} entries about {size // each if each else 1:,} systems")
    tenths = filled(log, size, each, Path(folder) / "tiles") if tiled else fill(log, size, each)
    found, longest = latencies(log, size)
    p50, p99 = percentiles(found)
    kept = sum(path.stat().st_size for path in Path(folder).glob("growth.db*"))
    median = statistics.median(1 / tenth.wall for tenth in tenths)
    print(f"{kept / size:,.0f} bytes kept of an entry; median of the tenths {median:,.0f}/s")
    print(f"a .tlog-proof file without witnesses: {len(log.proof(size // 3)):,} bytes")
    level("by the clock", tenths, lambda spent: spent.wall)
    level("of one core", tenths, lambda spent: spent.own)
    level("in makings", tenths, lambda spent: spent.times)
    bar("memory at its largest", f"{memory():.0f} MB", "<= 300 MB", met=memory() <= 300)
    bar("hashes of the longest inclusion proof", str(longest), "<= 24", met=longest <= 24)
    bar(f"inclusion proof, p99 (p50 {p50:.2f} ms)", f"{p99:.2f} ms", "<= 10 ms", met=p99 <= 10)
    log.close()
    p50, p99 = percentiles(served(Path(folder), size))
    bar(f"the same of the server, by HTTP, p99 (p50 {p50:.2f} ms)", f"{p99:.2f} ms", "<= 10 ms", met=p99 <= 10)


def main() -> None:
    """Measure logs of COUNT entries, in FOLDER or a temporary one."""
    given = sys.argv[1:] if sys.argv[0].endswith("growth.py") else []
    size = int(given[0].replace("_", "")) if given else COUNT
    for each in [int(given[2])] if len(given) > 2 else EACH:
        with tempfile.TemporaryDirectory(dir=given[1] if len(given) > 1 else None) as folder:
            measure(size, folder, each, tiled=given[3:] == ["tiles"])


if __name__ == "__main__":
    main()
