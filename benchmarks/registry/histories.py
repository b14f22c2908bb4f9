"""Random histories of three registries that witness each other, one of which cheats: is it seen, is anything signed?

`make bench BENCH=histories`; `ALOI_HISTORIES=100000 make bench BENCH=histories` draws more. In each history the
company cheats and the university helps it: it cosigns whatever it is shown. The institute is the one honest witness.
Every core plays; a history's draws follow from its number alone.
"""

import os
import random
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

from aloi.errors import EvidenceError
from aloi.evidence import cosignatures, logproof, notes, policyfile
from aloi.evidence.keys import PrivateKey
from aloi.evidence.logproof import LogProof
from aloi.evidence.merkle import inclusion
from aloi.evidence.notes import Note, Signature
from aloi.evidence.trustpolicy import Policy, verify_logged
from aloi.registry import misbehaviour
from aloi.registry.copies import MemoryCopy
from aloi.registry.gossip import Verdict, View, compare
from aloi.registry.heads import MemoryHeads
from aloi.registry.mirror import Declined, Mirror, Pulled
from aloi.registry.witness import Conflict, Cosigned, Refused, Witness
from benchmarks.bars import bar
from benchmarks.registry.logs import Log, fixed_key

HISTORIES = 20_000
PART = 500  # histories that one process plays before it is given more
SEED = 20261126
NAMES = ("institute", "company", "university")
WITNESS_KEYS = {name: fixed_key(100 + number) for number, name in enumerate(NAMES)}
LOG_KEYS = {name: fixed_key(200 + number) for number, name in enumerate(NAMES)}


class Registry:
    """A log, and a witness of the two other logs."""

    def __init__(self, name: str, entries: list[bytes]) -> None:
        self.name = name
        self.log = Log(f"{name}.example/log", LOG_KEYS[name], entries)
        self.store = MemoryHeads()
        self.witness = Witness(
            f"{name}.example/witness",
            [WITNESS_KEYS[name]],
            {f"{each}.example/log": [LOGS[each]] for each in NAMES if each != name},
            self.store,
        )


LOGS = {name: Log(f"{name}.example/log", LOG_KEYS[name], []).public for name in NAMES}
KEYS = {name: cosignatures.witness_key(f"{name}.example/witness", WITNESS_KEYS[name]) for name in NAMES}
POLICY: Policy = policyfile.read(
    "".join(
        [
            f"log {LOGS['company']}\n",
            f"witness institute {KEYS['institute']}\nwitness university {KEYS['university']}\n",
            "operator Institute institute\noperator University university\n",
            "group both all Institute University\nquorum both\n",
        ]
    ).encode(),
    "trust.policy",
)


class Outcome(NamedTuple):
    """Whether the cheat was seen, and what the honest witness signed of the company's log: size and root."""

    seen: bool
    proven: bool
    signed: list[tuple[int, bytes]]


class History:
    """Three registries after a random honest beginning; `signed` is what the institute cosigned of the company."""

    def __init__(self, draw: random.Random) -> None:
        self.draw = draw
        self.registries = {
            name: Registry(name, [b"%s %d" % (name.encode(), number) for number in range(draw.randint(2, 20))])
            for name in NAMES
        }
        self.now = 1_700_000_000
        self.signed: list[tuple[int, bytes]] = []
        self.known = dict.fromkeys([(one, other) for one in NAMES for other in NAMES], 0)
        for _ in range(draw.randint(1, 4)):
            for name in draw.sample(NAMES, len(NAMES)):
                self.step(name)

    def step(self, name: str) -> None:
        """A registry logs a little, and both others witness its head."""
        log = self.registries[name].log
        log.append(*(b"%d" % self.draw.getrandbits(64) for _ in range(self.draw.randint(0, 4))))
        for other in NAMES:
            if other != name:
                answer = self.submit(other, log)
                if not isinstance(answer, Cosigned):
                    raise AssertionError(f"an honest head was not cosigned: {answer}")

    def submit(self, to: str, log: Log, old: int | None = None) -> Cosigned | Conflict | Refused:
        """Ask a witness for the head of a log, in its known size or in another one that a liar gives."""
        self.now += self.draw.randint(0, 3)
        name = log.origin.partition(".")[0]
        old = self.known[to, name] if old is None else old
        size = len(log.entries)
        proof = log.proof(old) if 0 < old < size else []
        answer = self.registries[to].witness.add_checkpoint(old, proof, log.signed(), self.now)
        if isinstance(answer, Cosigned):
            self.known[to, name] = size
            if (to, name) == ("institute", "company"):
                self.signed.append((size, log.root(size)))
        return answer

    def head(self, log: Log, *lines: Signature) -> bytes:
        """The head of a log with cosignatures."""
        note = notes.read(log.signed())
        return notes.write(note._replace(signatures=(*note.signatures, *lines)))

    def line(self, log: Log, name: str, key: PrivateKey | None = None) -> Signature:
        """A cosignature by whoever has the key, whatever the head."""
        text = notes.read(log.signed()).text
        return cosignatures.cosign(
            Note(text, ()), f"{name}.example/witness", key or WITNESS_KEYS[name], self.now
        ).signatures[0]

    def fork(self, place: int | None = None) -> Log:
        """The company's other history: it differs in an entry that the institute has witnessed."""
        log = self.registries["company"].log
        fork = log.fork(self.draw.randrange(self.known["institute", "company"]) if place is None else place)
        fork.append(*(b"f%d" % self.draw.getrandbits(64) for _ in range(self.draw.randint(0, 4))))
        return fork

    def accepted(self, log: Log, head: bytes) -> bool:
        """Whether a client of the policy takes the log's last entry under this head."""
        index = len(log.entries) - 1
        path = tuple(inclusion(log.hashes, index))
        proof = logproof.write(LogProof(index=index, path=path, note=notes.read(head)))
        try:
            verify_logged(log.entries[index], proof, POLICY)
        except EvidenceError:
            return False
        return True


def _proven(found: misbehaviour.Misbehaviour | None) -> bool:
    """Whether a stranger who has the evidence file alone, and the log's key, finds it proven."""
    if found is None:
        return False
    return misbehaviour.verify(misbehaviour.write(found), [LOGS["company"], *KEYS.values()]).proven


def split_view(history: History) -> Outcome:
    """One history for the institute, another for a client, which the university cosigns too."""
    fork = history.fork()
    log = history.registries["company"].log
    answer = history.submit("institute", fork, history.draw.choice([None, 0, len(fork.entries)]))
    head = history.head(fork, history.line(fork, "university"))
    views = [View("institute", history.head(log)), View("client", head)]
    sizes = sorted((len(log.entries), len(fork.entries)))
    needed = compare(views, [LOGS["company"]], log.origin).needed
    proofs = {pair: fork.proof(*pair) for pair in needed}
    shown = compare(views, [LOGS["company"]], log.origin, witnesses=KEYS.values(), proofs=proofs)
    seen = (
        not isinstance(answer, Cosigned)
        and not history.accepted(fork, head)
        and shown.verdict is Verdict.SPLIT_VIEW
        and needed == (() if sizes[0] == sizes[1] else ((sizes[0], sizes[1]),))
    )
    return Outcome(seen, any(_proven(found) for found in shown.misbehaviours), history.signed)


def rollback(history: History) -> Outcome:
    """Entries that the institute has witnessed are taken out; then, perhaps, others are logged in their place."""
    log = history.registries["company"].log
    copy = MemoryCopy()
    mirror = Mirror(log.origin, [log.public], log, copy)
    if not isinstance(mirror.pull(), Pulled):
        raise TypeError("an honest log was not copied")
    known = history.known["institute", "company"]
    shorter = Log(log.origin, log.key, log.entries[: history.draw.randrange(1, known)])
    if history.draw.random() < 0.5:
        shorter.append(*(b"r%d" % history.draw.getrandbits(64) for _ in range(history.draw.randint(1, 30))))
    size = len(shorter.entries)
    answer = history.submit("institute", shorter, history.draw.choice([min(known, size), 0, size]))
    pulled = Mirror(log.origin, [log.public], shorter, copy).pull()
    head = history.head(shorter, history.line(shorter, "university"))
    seen = not isinstance(answer, Cosigned) and isinstance(pulled, Declined) and not history.accepted(shorter, head)
    found = pulled.misbehaviour if isinstance(pulled, Declined) else None
    return Outcome(seen, _proven(found), history.signed)


class Hiding(Log):
    """A log that signs for all its entries and does not serve all of them."""

    hidden = 0
    instead = b""

    def fetch_entries(self, index: int, width: int) -> bytes:
        """As `Source`, with one entry replaced or left out."""
        kept = list(self.entries)
        kept[self.hidden : self.hidden + 1] = [self.instead] if self.instead else []
        return Log(self.origin, self.key, kept).fetch_entries(index, width)


def hidden_entry(history: History) -> Outcome:
    """An entry that was witnessed is left out: of the tree, or of what is served under an honest tree."""
    log = history.registries["company"].log
    place = history.draw.randrange(history.known["institute", "company"])
    head = history.head(log, *(history.line(log, name) for name in ("institute", "university")))
    if history.draw.random() < 0.5:
        hiding = Hiding(log.origin, log.key, log.entries)
        hiding.hidden, hiding.instead = place, history.draw.choice([b"", b"nothing to see"])
        pulled = Mirror(log.origin, [log.public], hiding, MemoryCopy()).pull()
        honest = history.submit("institute", log)  # the tree is honest, so its head is cosigned
        seen = isinstance(pulled, Declined) and pulled.reason == "entry-mismatch" and isinstance(honest, Cosigned)
        return Outcome(seen, False, history.signed)
    without = Log(log.origin, log.key, [*log.entries[:place], *log.entries[place + 1 :], b"another"])
    answer = history.submit("institute", without)
    views = [View("institute", head), View("client", history.head(without))]
    shown = compare(views, [LOGS["company"]], log.origin)
    seen = not isinstance(answer, Cosigned) and shown.verdict is Verdict.SPLIT_VIEW
    return Outcome(seen, any(_proven(found) for found in shown.misbehaviours), history.signed)


def forged_cosignature(history: History) -> Outcome:
    """A line in the institute's name: of another head, of another time, by another key, or made up."""
    fork = history.fork()
    log = history.registries["company"].log
    real = history.line(log, "institute")
    by_other = history.line(fork, "institute", WITNESS_KEYS["university"])
    line = history.draw.choice(
        [
            real,
            by_other,
            real._replace(id=history.line(fork, "university").id),
            by_other._replace(id=real.id),
            real._replace(data=(history.now + 1).to_bytes(8, "big") + real.data[8:]),
            real._replace(data=real.data[:8] + history.draw.randbytes(64)),
        ]
    )
    head = history.head(fork, line, history.line(fork, "university"))
    answer = history.submit("institute", fork)
    shown = compare([View("client", head)], [LOGS["company"]], log.origin, witnesses=KEYS.values())
    told = bool(shown.refused) or all(
        each.key != KEYS["institute"] for each in cosignatures.verify(notes.read(head), [KEYS["institute"]])
    )
    return Outcome(
        not isinstance(answer, Cosigned) and not history.accepted(fork, head) and told, False, history.signed
    )


KINDS: dict[str, Callable[[History], Outcome]] = {
    "split view": split_view,
    "rollback": rollback,
    "hidden entry": hidden_entry,
    "forged cosignature": forged_cosignature,
}


def one_history(history: History, signed: list[tuple[int, bytes]]) -> bool:
    """Whether all that was signed are heads of the company's first log, never smaller than before."""
    log = history.registries["company"].log
    return signed == sorted(signed) and all(root == log.root(size) for size, root in signed)


class Played(NamedTuple):
    """What some histories came to; `spent` are seconds on a core."""

    drawn: Counter[str]
    seen: Counter[str]
    proven: Counter[str]
    heads: int
    wrong: int
    spent: float


def play(numbers: range) -> Played:
    """Play the histories of these numbers; each has draws of its own."""
    drawn: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    proven: Counter[str] = Counter()
    heads = wrong = 0
    begin = time.process_time()
    for number in numbers:
        draw = random.Random(f"{SEED}/{number}")
        history = History(draw)
        kind = draw.choice(list(KINDS))
        outcome = KINDS[kind](history)
        drawn[kind] += 1
        seen[kind] += outcome.seen
        proven[kind] += outcome.proven
        heads += len(outcome.signed)
        wrong += not one_history(history, outcome.signed)
    return Played(drawn, seen, proven, heads, wrong, time.process_time() - begin)


def main() -> None:
    """Print what was drawn, seen and signed."""
    count = int(os.environ.get("ALOI_HISTORIES", HISTORIES))
    parts = [range(first, min(count, first + PART)) for first in range(0, count, PART)]
    with ProcessPoolExecutor() as pool:
        played = list(pool.map(play, parts))
    drawn, seen, proven = (sum(counts, Counter[str]()) for counts in list(zip(*played, strict=True))[:3])
    heads, wrong = sum(part.heads for part in played), sum(part.wrong for part in played)
    spent = sum(part.spent for part in played)
    for kind in KINDS:
        print(f"{kind:<20} {drawn[kind]:>8} histories {seen[kind]:>8} detected {proven[kind]:>8} with an offline proof")
    print(f"the honest witness cosigned {heads} heads; {spent / count * 1000:.2f} ms of CPU time a history")
    bar("cheats detected with one honest witness", f"{seen.total()}/{count}", "all", met=seen == drawn)
    bar("histories with an honest cosignature on an inconsistent head", f"{wrong}", "0", met=wrong == 0)


if __name__ == "__main__":
    main()
