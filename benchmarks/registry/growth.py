"""Whether a log slows down as it grows: `python -m benchmarks.registry.growth [COUNT] [FOLDER]`, 200,000 by default.

Entries of the size that findings have are sequenced in batches of 256, durable, without their signatures being
verified: that costs the same at any size, and would hide what the store does. Prints the rate of each tenth, the
largest memory, and size and latency of proofs from the full log.
"""

import hashlib
import random
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

from aloi.evidence import logentry
from aloi.evidence.keys import PrivateKey
from aloi.evidence.logentry import LogEntry
from aloi.registry.admission import Admitted
from aloi.registry.log import Log
from benchmarks.bars import bar

COUNT = 200_000
BATCH = 256
PROOFS = 2000
SIGNER = "ed25519:" + "5e" * 32
KEY = PrivateKey.generate()


def item(number: int) -> Admitted:
    """What the door lets through of a finding, with an envelope of 1.6 kB that is noise."""
    digest = hashlib.sha256(b"%d" % number).digest()
    envelope = hashlib.shake_256(digest).hexdigest(800).encode()
    held = LogEntry(
        envelope=f"sha256:{digest.hex()}",
        predicate_type="https://aloi.dev/predicate/finding/v1",
        signers=(SIGNER,),
        subjects=("sha256:" + "a1" * 32,),
    )
    return Admitted(envelope, logentry.write(held), digest, "finding", SIGNER)


def fill(log: Log, size: int) -> list[float]:
    """Entries a second, in each tenth of the log."""
    tenths = []
    for tenth in range(10):
        first, last = size * tenth // 10, size * (tenth + 1) // 10
        spent = 0.0
        for start in range(first, last, BATCH):
            batch = [item(number) for number in range(start, min(last, start + BATCH))]
            begun = time.perf_counter()
            log.sequence(batch)
            spent += time.perf_counter() - begun
        tenths.append((last - first) / spent)
        print(f"entries {first:>10,} to {last:>10,}: {tenths[-1]:>8,.0f}/s, {memory():.0f} MB", flush=True)
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


def measure(size: int, folder: str) -> None:
    """Fill a log and print the figures."""
    url = f"sqlite:///{Path(folder)}/growth.db"
    log = Log.open(url, KEY, "bench.example.org/growth")
    tenths = fill(log, size)
    median = statistics.median(tenths)
    worst = max(abs(each - median) / median for each in tenths)
    found, longest = latencies(log, size)
    p50, p99 = found[len(found) // 2], found[len(found) * 99 // 100]
    kept = sum(path.stat().st_size for path in Path(folder).glob("growth.db*"))
    print(f"{size:,} entries, {kept / size:,.0f} bytes each; median of the tenths {median:,.0f}/s")
    print(f"a .tlog-proof file without witnesses: {len(log.proof(size // 3)):,} bytes")
    bar("append rate, furthest tenth from the median", f"{worst:.1%}", "<= 10 %", met=worst <= 0.1)
    bar("memory at its largest", f"{memory():.0f} MB", "<= 300 MB", met=memory() <= 300)
    bar("hashes of the longest inclusion proof", str(longest), "<= 24", met=longest <= 24)
    bar(f"inclusion proof, p99 (p50 {p50:.2f} ms)", f"{p99:.2f} ms", "<= 10 ms", met=p99 <= 10)
    log.close()


def main() -> None:
    """Measure a log of COUNT entries, in FOLDER or a temporary one."""
    given = sys.argv[1:] if sys.argv[0].endswith("growth.py") else []
    size = int(given[0].replace("_", "")) if given else COUNT
    with tempfile.TemporaryDirectory(dir=given[1] if len(given) > 1 else None) as folder:
        measure(size, folder)


if __name__ == "__main__":
    main()
