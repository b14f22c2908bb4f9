"""A bundle whose plan was logged first and whose results were logged two hours later, with the proofs."""

from collections.abc import Mapping, Sequence

from evidence_world import World
from log_world import LOG, ORIGIN, POLICY, WITNESSES

from aloi.evidence import bundle, checkpoints, cosignatures, logentry, logproof, policyfile
from aloi.evidence.checkpoints import Checkpoint
from aloi.evidence.envelope import Envelope
from aloi.evidence.keys import PrivateKey
from aloi.evidence.logproof import LogProof
from aloi.evidence.merkle import inclusion, leaf_hash, root
from aloi.evidence.notes import Note

WORLD = World()
BUNDLE = WORLD.pack()
MANIFEST = bundle.unpack(BUNDLE)[0].manifest
ENVELOPES = (*WORLD.envelopes(), MANIFEST)
PLAN, FIRST, LAST = 0, 1, len(ENVELOPES) - 1
TRUSTED = [WORLD.key.public]
POLICY_OF_TWO = policyfile.read(POLICY.encode(), "trust.policy")
NOBODY = policyfile.read(POLICY.replace("quorum two", "quorum none").encode(), "trust.policy")

REGISTERED, PUBLISHED = 1_700_000_000, 1_700_007_200
OTHERS = [b"another's entry %d" % number for number in range(5)]


def entries(*order: int) -> list[bytes]:
    """A log that holds another's entry, then the envelopes of these positions in the bundle."""
    return [OTHERS[0], *(logentry.of(ENVELOPES[position]) for position in order)]


# the log: another's, the plan, and then all results in the order of the bundle
HONEST = entries(*range(len(ENVELOPES)))


def head(
    logged: Sequence[bytes],
    size: int,
    times: Mapping[str, int],
    origin: str = ORIGIN,
    key: PrivateKey = LOG,
) -> Note:
    """The log's head at a size, cosigned by these witnesses at these seconds."""
    note = checkpoints.sign(Checkpoint(origin, size, root(logged[:size])), origin, key)
    for name, time in times.items():
        note = cosignatures.cosign(note, *WITNESSES[name], time)
    return note


def at(second: int) -> dict[str, int]:
    """Two operators, one second apart."""
    return {"north": second, "south": second + 1}


def proof(envelope: Envelope | bytes, logged: Sequence[bytes], note: Note) -> bytes:
    """The proof that a log holds an envelope, under a head of it."""
    entry = envelope if isinstance(envelope, bytes) else logentry.of(envelope)
    size = checkpoints.parse(note.text).size
    index = list(logged).index(entry)
    path = tuple(inclusion([leaf_hash(each) for each in logged[:size]], index))
    return logproof.write(LogProof(index=index, path=path, note=note))


EARLY = head(HONEST, 2, at(REGISTERED))  # with the plan, without a result
LATE = head(HONEST, len(HONEST), at(PUBLISHED))
PLAN_PROOF = proof(ENVELOPES[PLAN], HONEST, EARLY)
PROOFS = {"plan.tlog-proof": PLAN_PROOF} | {
    f"{position}.tlog-proof": proof(ENVELOPES[position], HONEST, LATE) for position in range(1, len(ENVELOPES))
}
