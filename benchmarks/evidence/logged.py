"""How many logged statements one core verifies offline, from bytes: `make bench BENCH=logged`.

Of each: the signature of its envelope, its entry made anew, 20 hashes of inclusion (a log of 10^6 entries), the log's
signature of the checkpoint, and two witnesses of two operators. CPU time on one core, median and range of nine rounds.
"""

import hashlib
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric import mldsa

from aloi.evidence import checkpoints, cosignatures, logentry, logproof, policyfile
from aloi.evidence import envelope as dsse
from aloi.evidence.checkpoints import Checkpoint
from aloi.evidence.keys import PrivateKey, PublicKey
from aloi.evidence.logproof import LogProof
from aloi.evidence.merkle import inclusion, inclusion_root, leaf_hash, root
from aloi.evidence.notes import ED25519, NoteKey
from aloi.evidence.publication import Stands, verify_proofs
from aloi.evidence.statement import Subject, state
from aloi.evidence.trustpolicy import Policy, verify_logged
from aloi.evidence.verification import verify_bundle
from aloi.evidence.vouching import Attachment
from benchmarks.bars import bar
from benchmarks.registry.logs import fixed_key

GOLDEN = Path(__file__).parents[2] / "tests" / "evidence" / "golden"
ORIGIN = "log.example/one"
SIZE = 1_000_000
PATH = 20
COUNT = 200
ROUNDS = 9


AUTHOR, LOG = fixed_key(1), fixed_key(2)
CLASSICAL = [fixed_key(3), fixed_key(4)]
POST_QUANTUM = [PrivateKey(mldsa.MLDSA44PrivateKey.from_seed_bytes(bytes([number]) * 32)) for number in (3, 4)]


class Case(NamedTuple):
    """A signed statement and the proof that it is logged, as files."""

    envelope: bytes
    proof: bytes


def envelope_of(number: int) -> dsse.Envelope:
    """A statement that differs from all others in its number."""
    record = Attachment(control="c", size=number, approved_by="an author", approved_on="2026-11-28")
    return dsse.sign(state(record, [Subject.of("it", "sha256:" + "a1" * 32)]), AUTHOR)


def case(number: int, witnesses: Sequence[PrivateKey]) -> Case:
    """The statement under a head of its own: the rest of the tree is what its siblings say it is."""
    envelope = envelope_of(number)
    index = number * 4_999 % (SIZE // 2)  # of the first half, whose paths have all 20 hashes
    path = tuple(hashlib.sha256(b"%d %d" % (number, level)).digest() for level in range(PATH))
    top = inclusion_root(leaf_hash(logentry.of(envelope)), index, SIZE, path)
    assert top
    note = checkpoints.sign(Checkpoint(ORIGIN, SIZE, top), ORIGIN, LOG)
    for place, key in enumerate(witnesses):
        note = cosignatures.cosign(note, f"witness.example/{place}", key, 1_700_000_000 + number)
    return Case(dsse.write(envelope), logproof.write(LogProof(index=index, path=path, note=note)))


def policy_of(witnesses: Sequence[PrivateKey]) -> Policy:
    """Both witnesses, each run by another, must have signed."""
    keys = [cosignatures.witness_key(f"witness.example/{place}", key) for place, key in enumerate(witnesses)]
    lines = [f"witness w{place} {key}\noperator o{place} w{place}\n" for place, key in enumerate(keys)]
    log = NoteKey(ORIGIN, ED25519, LOG.public)
    return policyfile.read(f"log {log}\n{''.join(lines)}group both all o0 o1\nquorum both\n".encode(), "trust.policy")


def verify(each: Case, keys: Sequence[PublicKey], policy: Policy) -> None:
    """All that a stranger does with the two files."""
    envelope = dsse.read(each.envelope)
    dsse.verify(envelope, keys)
    assert len(verify_logged(logentry.of(envelope), each.proof, policy).witnesses) == 2


def rates(call: Callable[[], object], count: int) -> list[float]:
    """Verifications a second of CPU time, in each of nine rounds, sorted."""
    found = []
    for _ in range(ROUNDS):
        start = time.process_time()
        call()
        found.append(count / (time.process_time() - start))
    return sorted(found)


def tell(what: str, found: Sequence[float]) -> float:
    """Print a row, and give its median."""
    middle = statistics.median(found)
    print(f"{what:<70}{middle:>9,.0f}/s   {found[0]:,.0f} to {found[-1]:,.0f}")
    return middle


def main() -> None:
    """Print the figures."""
    keys = [AUTHOR.public]
    middle = 0.0
    for name, witnesses in (("ML-DSA-44", POST_QUANTUM), ("Ed25519", CLASSICAL)):
        cases, policy = [case(number, witnesses) for number in range(COUNT)], policy_of(witnesses)
        found = rates(lambda cases=cases, policy=policy: [verify(each, keys, policy) for each in cases], COUNT)
        middle = tell(f"a head for each statement, {name} witnesses", found)
        print(f"  bytes of the first: envelope {len(cases[0].envelope)}, proof {len(cases[0].proof)}")
    _shared(keys)
    _bundle()
    bar(
        "logged statements verified on one core, a head for each", f"{middle:,.0f}/s", ">= 2,000/s", met=middle >= 2_000
    )


def _shared(keys: Sequence[PublicKey]) -> None:
    """Every statement of a large bundle under one head, whose signatures are verified once."""
    envelopes = [envelope_of(number) for number in range(256)]
    entries = [logentry.of(each) for each in envelopes]
    leaves = [leaf_hash(each) for each in entries]
    note = checkpoints.sign(Checkpoint(ORIGIN, len(leaves), root(entries)), ORIGIN, LOG)
    for place, key in enumerate(CLASSICAL):
        note = cosignatures.cosign(note, f"witness.example/{place}", key, 1_700_000_000)
    proofs = {
        f"{index}.tlog-proof": logproof.write(LogProof(index=index, path=tuple(inclusion(leaves, index)), note=note))
        for index in range(len(leaves))
    }
    written, policy = [dsse.write(each) for each in envelopes], policy_of(CLASSICAL)

    def whole() -> None:
        stands = []
        for each in written:
            envelope = dsse.read(each)
            dsse.verify(envelope, keys)
            payload, statement = logentry.stated(envelope)
            stands.append(Stands(hashlib.sha256(payload).hexdigest(), envelope, statement))
        assert len(verify_proofs(proofs, stands, policy)) == len(leaves)

    tell("one head for 256 statements, Ed25519 witnesses", rates(whole, len(leaves)))


def _bundle() -> None:
    data = (GOLDEN / "bundle-v1.json").read_bytes()
    policy = policyfile.read((GOLDEN / "logged-v1.policy").read_bytes(), "trust.policy")
    proofs = {path.name: path.read_bytes() for path in GOLDEN.glob("logged-v1.*.tlog-proof")}
    trusted = [PublicKey.from_pem((GOLDEN / "bundle-v1.pem").read_bytes())]

    def whole() -> None:
        for _ in range(20):
            assert verify_bundle(data, trusted, policy=policy, proofs=proofs).registered

    tell("whole bundles of 17 statements with three proofs, every rule checked", rates(whole, 20))


if __name__ == "__main__":
    main()
