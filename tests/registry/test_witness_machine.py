"""Random interleavings of honest and cheating logs against one witness, beside a model of all that it signed."""

from benchmarks.registry.logs import Log, fixed_key
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from aloi.evidence import cosignatures, notes
from aloi.registry import misbehaviour
from aloi.registry.heads import MemoryHeads
from aloi.registry.witness import Conflict, Cosigned, Witness

ORIGINS = ("log.example/one", "log.example/two")
WITNESS = fixed_key(21)


class Histories(RuleBasedStateMachine):
    """Each log has branches; the witness may follow one of them only, whatever it is asked in whatever order."""

    def __init__(self):
        super().__init__()
        self.branches = {
            origin: [Log(origin, fixed_key(number), [])] for number, origin in enumerate(ORIGINS, start=11)
        }
        self.keys = {origin: [logs[0].public] for origin, logs in self.branches.items()}
        self.store = MemoryHeads()
        self.signed = {origin: [] for origin in ORIGINS}  # (size, root, time), in the order of signing
        self.start()

    def start(self):
        self.witness = Witness("witness.example/1", [WITNESS], self.keys, self.store)

    @rule()
    def restart(self):
        self.start()

    @rule(origin=st.sampled_from(ORIGINS), branch=st.integers(0, 3), count=st.integers(1, 5))
    def grow(self, origin, branch, count):
        logs = self.branches[origin]
        log = logs[branch % len(logs)]
        log.append(*(b"%d of %d" % (len(log.entries) + number, branch) for number in range(count)))

    @rule(origin=st.sampled_from(ORIGINS), branch=st.integers(0, 3), place=st.integers(0, 30))
    def fork(self, origin, branch, place):
        logs = self.branches[origin]
        log = logs[branch % len(logs)]
        if log.entries and len(logs) < 4:
            logs.append(log.fork(place % len(log.entries)))

    @rule(
        origin=st.sampled_from(ORIGINS),
        branch=st.integers(0, 3),
        back=st.integers(0, 4),
        old=st.one_of(st.none(), st.integers(0, 40)),
        proof_of=st.integers(0, 3),
        spoil=st.booleans(),
        now=st.integers(1, 12),
    )
    def submit(self, origin, branch, back, old, proof_of, spoil, now):
        logs = self.branches[origin]
        log, other = logs[branch % len(logs)], logs[proof_of % len(logs)]
        size = max(len(log.entries) - back, 0)
        last = self.signed[origin][-1] if self.signed[origin] else (0, log.root(0), 0)
        old = last[0] if old is None else old
        proof = other.proof(old, size) if 0 < old < size <= len(other.entries) else []
        if spoil and proof:
            proof[-1] = bytes(32)
        honest = old == last[0] <= size and log.root(last[0]) == last[1] and log is other and not (spoil and proof)
        answer = self.witness.add_checkpoint(old, proof, log.signed(size), now)
        if isinstance(answer, Cosigned):
            note = notes.read(log.signed(size))
            whole = note._replace(signatures=(*note.signatures, *answer.lines))
            assert cosignatures.verify(whole, self.witness.keys)
            assert log.root(last[0]) == last[1]  # it continues the last one, by the whole tree and not by a proof
            assert size >= last[0]
            self.signed[origin].append((size, log.root(size), now))
        else:
            assert not honest or now < last[2]
            if isinstance(answer, Conflict):
                assert answer.size == last[0]
            found = answer.misbehaviour
            if found and found.proven:
                assert len(logs) > 1
                assert misbehaviour.verify(misbehaviour.write(found), self.keys[origin]) == found

    @invariant()
    def what_was_signed_is_one_history(self):
        for signed in self.signed.values():
            times = [time for _, _, time in signed]
            sizes = [size for size, _, _ in signed]
            assert times == sorted(times)
            assert sizes == sorted(sizes)
            assert len({size: root for size, root, _ in signed}) == len({(size, root) for size, root, _ in signed})


Histories.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestHistories = Histories.TestCase
