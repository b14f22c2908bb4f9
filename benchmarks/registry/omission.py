"""Random histories in which a log cheats: is a hidden entry always seen, and by whom?

Each history is a log of a few systems, results and disputes, under two checkpoints, and at one of them the log cheats
in one of the ways below. Three parties who do not know of each other look at it:

- *answers*: a client verifies what the log tells about a system, without believing any witness;
- *memory*: the same client compares it with the answer that it kept from before;
- *monitor*: somebody replays the entries that the log gives out, and is shown the client's checkpoints.

A witness that checks as the monitor does gives no cosignature where the monitor objects, so a client who asks for one
refuses the answer at once. One history in five is honest: an objection there is a false alarm.

`ALOI_HISTORIES=100000 make bench BENCH=omission` runs the long form.
"""

import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from aloi.errors import EvidenceError
from aloi.evidence import checkpoints
from aloi.evidence.canonical import digest
from aloi.evidence.checkpoints import Checkpoint
from aloi.evidence.continuity import verify_continued
from aloi.evidence.keys import PrivateKey
from aloi.evidence.lookup import Complete, IndexHead, verify_lookup
from aloi.evidence.merkle import consistency, inclusion, leaf_hash, root
from aloi.evidence.naming import Named
from aloi.evidence.notes import ED25519, NoteKey
from aloi.evidence.trustpolicy import Policy
from aloi.registry.answers import answer
from aloi.registry.index import Index, MemoryNodes
from aloi.registry.monitor import State, check, replay
from benchmarks.bars import bar

HISTORIES = int(os.environ.get("ALOI_HISTORIES", "2000"))
ORIGIN, KEY = "log.example/cheat", PrivateKey.generate()
POLICY = Policy((NoteKey(ORIGIN, ED25519, KEY.public),), (), (), "none")
SYSTEMS = [digest(b"system %d" % number) for number in range(4)]
PARTIES = ("answers", "memory", "monitor")


def naming(entry: bytes) -> Named:
    """An entry here is its number and the digests that it names: signatures are not what is tested."""
    return Named(digest(entry), tuple(entry.decode().split()[1:]))


class Cheat(NamedTuple):
    """How the entries and the index that a client is shown differ from the log's true ones.

    `line` makes the line of the index from the false head and the true one; `first` where the first of two checkpoints
    is the false one.
    """

    entries: Callable[[random.Random, list[bytes], int], list[bytes]]
    named: Callable[[random.Random, list[bytes], int], dict[int, tuple[str, ...]]]
    line: Callable[[IndexHead, IndexHead], str] = lambda false, _: false.line
    first: bool = False


def history(chance: random.Random, length: int) -> list[bytes]:
    """Results about systems, and one entry in three about an earlier entry."""
    entries: list[bytes] = []
    for number in range(length):
        if entries and chance.random() < 1 / 3:
            named = [digest(chance.choice(entries))]
        else:
            named = chance.sample(SYSTEMS, chance.choice([1, 1, 1, 2]))
        entries.append(" ".join([str(number), *named]).encode())
    return entries


def unchanged(_: random.Random, entries: list[bytes], __: int) -> list[bytes]:
    return entries


def honest(_: random.Random, __: list[bytes], ___: int) -> dict[int, tuple[str, ...]]:
    return {}


def victim(chance: random.Random, entries: list[bytes], since: int) -> int:
    """An entry to do something to: before `since` it was shown already."""
    return chance.randrange(since, len(entries)) if since < len(entries) else chance.randrange(len(entries))


def omitted_new(chance: random.Random, entries: list[bytes], since: int) -> dict[int, tuple[str, ...]]:
    return {victim(chance, entries, since): ()}


def omitted_old(chance: random.Random, _: list[bytes], since: int) -> dict[int, tuple[str, ...]]:
    return {chance.randrange(since): ()}


def misfiled(chance: random.Random, entries: list[bytes], since: int) -> dict[int, tuple[str, ...]]:
    at = victim(chance, entries, since)
    wrong = [system for system in SYSTEMS if system not in naming(entries[at]).subjects]
    return {at: (chance.choice(wrong),)}


def half_filed(chance: random.Random, entries: list[bytes], since: int) -> dict[int, tuple[str, ...]]:
    at = victim(chance, entries, since)
    return {at: naming(entries[at]).subjects[1:]}


def reordered(chance: random.Random, entries: list[bytes], since: int) -> list[bytes]:
    one, two = chance.randrange(since), chance.randrange(len(entries) - 1)
    two += two >= one
    changed = list(entries)
    changed[one], changed[two] = changed[two], changed[one]
    return changed


def rewritten(chance: random.Random, entries: list[bytes], since: int) -> list[bytes]:
    at = chance.randrange(since)
    return [*entries[:at], b"better-" + entries[at], *entries[at + 1 :]]


def removed(chance: random.Random, entries: list[bytes], since: int) -> list[bytes]:
    at = chance.randrange(since)
    return [*entries[:at], *entries[at + 1 :], b"filler " + SYSTEMS[0].encode()]


def forked(chance: random.Random, entries: list[bytes], since: int) -> list[bytes]:
    at = victim(chance, entries, since)
    return [*entries[:at], b"for-you-alone " + chance.choice(SYSTEMS).encode(), *entries[at + 1 :]]


def shortened(_: random.Random, entries: list[bytes], since: int) -> list[bytes]:
    return entries[: since - 1]


CHEATS = {
    "honest": Cheat(unchanged, honest),
    "leaves a new entry out of the index": Cheat(unchanged, omitted_new),
    "takes an old entry out of the index": Cheat(unchanged, omitted_old),
    "hides an entry at first, files it later": Cheat(unchanged, omitted_new, first=True),
    "leaves an entry out of the answer alone": Cheat(unchanged, omitted_old, lambda _, true: true.line),
    "files an entry under another system": Cheat(unchanged, misfiled),
    "files an entry under one of two systems": Cheat(unchanged, half_filed),
    "says another number of subjects": Cheat(
        unchanged, honest, lambda _, true: IndexHead(true.subjects + 1, true.root).line
    ),
    "exchanges two entries": Cheat(reordered, honest),
    "writes an old entry anew": Cheat(rewritten, honest),
    "removes an old entry": Cheat(removed, honest),
    "shows the client another new entry": Cheat(forked, honest),
    "goes back to an older head": Cheat(shortened, honest),
}


class Lying:
    """The log as the client sees it."""

    def __init__(self, entries: Sequence[bytes], named: dict[int, tuple[str, ...]]) -> None:
        self.entries = entries
        self.hashes = [leaf_hash(entry) for entry in entries]
        number = iter(range(len(entries)))
        self.index = Index(MemoryNodes(), lambda entry: self.says(next(number), entry, named))
        for entry in entries:
            self.index.append(entry)
        self.index.naming = naming

    @staticmethod
    def says(at: int, entry: bytes, named: dict[int, tuple[str, ...]]) -> Named:
        told = naming(entry)
        return told._replace(subjects=named.get(at, told.subjects))

    def entry(self, index: int) -> bytes:
        return self.entries[index]

    def path(self, index: int, size: int) -> Sequence[bytes]:
        return inclusion(self.hashes[:size], index)

    def checkpoint(self, line: str) -> Checkpoint:
        return Checkpoint(ORIGIN, len(self.entries), root(self.entries), (line,))


def play(chance: random.Random, cheat: Cheat) -> set[str]:
    """Two answers about each system, of which one is given by a log that cheats; who objects."""
    before = chance.randint(1, 9)
    true = history(chance, before + chance.randint(1, 6))
    states = list(replay(true, naming))
    shown: list[tuple[Lying, Checkpoint]] = []
    for size in (before, len(true)):
        if (size == before) == cheat.first:
            named = cheat.named(chance, true[:size], before)
            log = Lying(cheat.entries(chance, true[:size], before), named)
            shown.append((log, log.checkpoint(cheat.line(log.index.head(), states[size].head))))
        else:
            log = Lying(true[:size], {})
            shown.append((log, log.checkpoint(log.index.head().line)))
    seen = {"monitor"} if any(objects(checkpoint, states[checkpoint.size]) for _, checkpoint in shown) else set()
    return seen.union(*(client(system, shown) for system in SYSTEMS))


def objects(checkpoint: Checkpoint, state: State) -> bool:
    """Whether the monitor refuses the checkpoint."""
    try:
        check(checkpoint, state)
    except EvidenceError:
        return True
    return False


def client(system: str, shown: Sequence[tuple[Lying, Checkpoint]]) -> Iterator[str]:
    """What somebody sees who asks twice about one system."""
    told: list[Complete] = []
    for log, checkpoint in shown:
        note = checkpoints.sign(checkpoint, ORIGIN, KEY)
        try:
            told.append(verify_lookup(answer(system, log.index, log, note), system, POLICY, naming))
        except EvidenceError:
            yield "answers"
            return
    (earlier, later), proof = told, list[bytes]()
    if earlier.size <= later.size:
        proof = consistency(shown[1][0].hashes, earlier.size)
    try:
        verify_continued(earlier, later, proof)
    except EvidenceError:
        yield "memory"


def main() -> None:
    """Print who saw what."""
    chance = random.Random(20261126)
    seen: dict[str, Counter[str]] = {name: Counter() for name in CHEATS}
    start = time.process_time()
    for _ in range(HISTORIES):
        name = "honest" if chance.random() < 0.2 else chance.choice(list(CHEATS)[1:])
        parties = play(chance, CHEATS[name])
        seen[name].update({"histories": 1, **dict.fromkeys(parties, 1), "anybody": bool(parties)})
    columns = ("histories", *PARTIES, "anybody")
    print(f"{HISTORIES} histories, {time.process_time() - start:.0f} s of CPU; how many were objected to, by whom")
    print(f"{'the log':<42}" + "".join(f"{column:>11}" for column in columns))
    for name, counts in seen.items():
        print(f"{name:<42}" + "".join(f"{counts[column]:>11}" for column in columns))
    cheated = sum(counts["histories"] for name, counts in seen.items() if name != "honest")
    caught = sum(counts["anybody"] for name, counts in seen.items() if name != "honest")
    bar("cheating histories that are detected", f"{caught}/{cheated}", "all", met=caught == cheated)
    bar("false alarms", str(seen["honest"]["anybody"]), "0", met=not seen["honest"]["anybody"])


if __name__ == "__main__":
    main()
