"""A small log with witnesses, made from fixed test keys: what the tests of proofs and policies change one thing of."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import mldsa
from evidence_world import fixed_key

from aloi.errors import EvidenceError
from aloi.evidence import checkpoints, cosignatures, logproof
from aloi.evidence.checkpoints import Checkpoint
from aloi.evidence.keys import PrivateKey
from aloi.evidence.logproof import LogProof
from aloi.evidence.merkle import inclusion, leaf_hash, root
from aloi.evidence.notes import ED25519, Note, NoteKey, Signature

VECTORS = Path(__file__).parent / "vectors"
ORIGIN = "log.example/one"
LOG = fixed_key(11)
OTHER_LOG = fixed_key(12)
ENTRIES = [b"entry %d" % number for number in range(7)]
INDEX = 4
ENTRY = ENTRIES[INDEX]
WITNESSES = {
    "north": ("witness.example/north", fixed_key(21)),
    "annex": ("witness.example/annex", fixed_key(22)),
    "south": ("south.example/w", fixed_key(23)),
    "post": ("post.example/w", PrivateKey(mldsa.MLDSA44PrivateKey.from_seed_bytes(b"\x18" * 32))),
}
TIMES = {"north": 1_700_000_001, "annex": 1_700_000_002, "south": 1_700_000_003, "post": 1_700_000_004}
LOG_KEY = NoteKey(ORIGIN, ED25519, LOG.public)

# Public vectors: the log of certificates of `arche2025h1.checkpoint` and four of its witnesses.
ARCHE = NoteKey.parse("arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f")
REMORA = NoteKey.parse("remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2")
ARCHE_WITNESSES = [
    REMORA,
    NoteKey.parse("witness.stagemole.eu+67f7aea0+BEqSG3yu9YrmcM3BHvQYTxwFj3uSWakQepafafpUqklv"),
    NoteKey.parse("witness1.smartit.nu/witness1+a48c820f+BPSFWg9G6KPiO7QPryYO5Xq4oYJJ+kAvLKLSimDhoxMO"),
    NoteKey.parse("transparency.dev/DEV:witness-little-garden+d8042a87+BCtusOxINQNUTN5Oj8HObRkh2yHf/MwYaGX4CPdiVEPM"),
]


def witness_key(name: str) -> NoteKey:
    return cosignatures.witness_key(*WITNESSES[name])


POLICY = "".join(
    [
        f"log {LOG_KEY}\n",
        *(f"witness {name} {witness_key(name)}\n" for name in WITNESSES),
        "operator University north annex\n",
        "operator Notary south\n",
        "operator Post post\n",
        "group two 2 University Notary Post\n",
        "quorum two\n",
    ]
)


def checkpoint(size: int = len(ENTRIES), origin: str = ORIGIN, extensions: tuple[str, ...] = ()) -> Checkpoint:
    return Checkpoint(origin, size, root(ENTRIES[:size]), extensions)


def signed(*witnesses: str, head: Checkpoint | None = None, name: str = ORIGIN, key: PrivateKey = LOG) -> Note:
    """The head of the log, signed by it and cosigned by these witnesses."""
    note = checkpoints.sign(head or checkpoint(), name, key)
    for each in witnesses:
        note = cosignatures.cosign(note, *WITNESSES[each], TIMES[each])
    return note


def path(index: int = INDEX, size: int = len(ENTRIES)) -> tuple[bytes, ...]:
    return tuple(inclusion([leaf_hash(entry) for entry in ENTRIES[:size]], index))


def proof(note: Note | None = None, **changed: object) -> bytes:
    """A proof of the entry as a file; by default cosigned by two operators."""
    whole = {"index": INDEX, "path": path(), "note": note or signed("north", "south"), **changed}
    return logproof.write(LogProof(**whole))


def with_line(note: Note, position: int, **changed: object) -> Note:
    """The note with one signature line changed."""
    lines = list(note.signatures)
    lines[position] = lines[position]._replace(**changed)
    return note._replace(signatures=tuple(lines))


def forged(name: str, time: int, text: str) -> Signature:
    """A cosignature line of another time than the one that was signed."""
    line = cosignatures.cosign(Note(text, ()), *WITNESSES[name], TIMES[name]).signatures[0]
    return line._replace(data=time.to_bytes(8, "big") + line.data[8:])


def refused(reason: str, function: Callable[..., Any], *arguments: object, **named: object) -> None:
    """The call raises EvidenceError for this reason, and says what to do next."""
    with pytest.raises(EvidenceError) as caught:
        function(*arguments, **named)
    assert caught.value.reason == reason
    assert caught.value.remedy
