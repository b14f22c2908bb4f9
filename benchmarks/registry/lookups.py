"""Complete look-up at 100,000 subjects: size of proofs and answers, time to file, to answer and to verify.

CPU time on one core. `ALOI_SUBJECTS=1000000` asks for another number of subjects.
"""

import os
import statistics
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from aloi.evidence import checkpoints, logentry
from aloi.evidence.canonical import canonical, digest
from aloi.evidence.checkpoints import Checkpoint
from aloi.evidence.envelope import read, sign, write
from aloi.evidence.keys import PrivateKey
from aloi.evidence.lookup import verify_lookup
from aloi.evidence.merkle import leaf_hash, node_hash
from aloi.evidence.naming import names
from aloi.evidence.notes import ED25519, NoteKey
from aloi.evidence.statement import Subject, state
from aloi.evidence.trustpolicy import Policy
from aloi.evidence.vouching import Attachment
from aloi.registry.answers import answer
from aloi.registry.index import Index, MemoryNodes
from benchmarks.bars import bar

SUBJECTS = int(os.environ.get("ALOI_SUBJECTS", "100000"))
ORIGIN, KEY = "log.example/registry", PrivateKey.generate()
POLICY = Policy((NoteKey(ORIGIN, ED25519, KEY.public),), (), (), "none")
ASKED = 200
MUCH = digest(b"much measured")
T = TypeVar("T")


def fingerprint(number: int) -> str:
    return digest(b"system %d" % number)


def envelope() -> bytes:
    """A signed statement about a system."""
    record = Attachment(control="c", size=1, approved_by="x", approved_on="2026-11-26")
    return write(sign(state(record, [Subject.of("system", fingerprint(0))]), KEY))


def made() -> list[bytes]:
    """One entry about each system, then twenty about a system of its own, each disputed."""
    pattern = logentry.of(read(envelope()), with_statement=True)
    statement, subject = names(pattern).statement.encode(), fingerprint(0).encode()

    def about(named: str, says: int) -> bytes:
        return pattern.replace(statement, digest(b"statement %d" % says).encode()).replace(subject, named.encode())

    entries = [about(fingerprint(number), number) for number in range(SUBJECTS)]
    entries += [about(MUCH, SUBJECTS + number) for number in range(20)]
    return entries + [about(names(entry).statement, SUBJECTS + 20 + at) for at, entry in enumerate(entries[-20:])]


class Log:
    """A log in memory with every level of its tree, so that inclusion paths cost nothing beside the look-up."""

    def __init__(self, entries: Sequence[bytes]) -> None:
        self.entries = entries
        self.levels = [[leaf_hash(entry) for entry in entries]]
        while len(self.levels[-1]) > 1:
            below = self.levels[-1]
            pairs = [node_hash(*below[at : at + 2]) for at in range(0, len(below) - 1, 2)]
            self.levels.append(pairs + below[len(pairs) * 2 :])

    def entry(self, index: int) -> bytes:
        return self.entries[index]

    def path(self, index: int, _: int) -> Sequence[bytes]:
        """Of the whole tree only."""
        path = []
        for level in self.levels[:-1]:
            if (index ^ 1) < len(level):
                path.append(level[index ^ 1])
            index >>= 1
        return path


def per_call(call: Callable[[T], object], given: Sequence[T]) -> float:
    """CPU microseconds of one call."""
    start = time.process_time()
    for each in given:
        call(each)
    return (time.process_time() - start) / len(given) * 1e6


def main() -> None:
    """Print the figures."""
    entries = made()
    log, index = Log(entries), Index(MemoryNodes())
    filing = per_call(index.append, entries)
    naming = per_call(names, entries[:2_000])
    note = checkpoints.sign(Checkpoint(ORIGIN, len(entries), log.levels[-1][0], (index.head().line,)), ORIGIN, KEY)
    present = [fingerprint(number * 397 % SUBJECTS) for number in range(ASKED)]
    absent = [fingerprint(SUBJECTS + number) for number in range(ASKED)]
    print(f"{index.head().subjects} subjects, {len(entries)} entries (of digests, {len(entries[0])} bytes each)")
    print(f"{'to name and file an entry':<44}{filing:>8.0f} us, of which naming {naming:.0f}")
    print(f"{'to name an envelope':<44}{per_call(names, [envelope()] * 2_000):>8.0f} us")
    for what, asked in (("present", present), ("absent", absent)):
        told = [index.look_up(subject) for subject in asked]
        hashes = [len(each.siblings) for each in told]
        size = statistics.mean(len(canonical(each)) for each in told)
        print(
            f"{'proof of one subject, ' + what:<44}{size:>8.0f} bytes, {statistics.mean(hashes):.1f} hashes, "
            f"at most {max(hashes)}; made in {per_call(index.look_up, asked):.0f} us"
        )
    for what, asked in (("nothing known", absent), ("one entry", present), ("20, each disputed", [MUCH] * 20)):
        pairs = [(answer(subject, index, log, note), subject) for subject in asked]
        making = per_call(lambda subject: answer(subject, index, log, note), asked) / 1e3
        verifying = per_call(lambda pair: verify_lookup(*pair, POLICY), pairs) / 1e3
        size = statistics.mean(len(data) for data, _ in pairs)
        print(f"{'answer, ' + what:<44}{size:>8.0f} bytes; made in {making:.2f} ms, verified in {verifying:.2f} ms")
    most = max(len(index.look_up(subject).siblings) for subject in (*present, *absent))
    bar("hashes in a proof of one subject, at most", str(most), "<= 40", met=most <= 40)
    bar("an entry named and filed in the index", f"{filing:.0f} us", "<= 500 us", met=filing <= 500)


if __name__ == "__main__":
    main()
