"""A file that proves that something was logged, without asking the log (C2SP tlog-proof v1).

Where the entry stands, its inclusion path, and the checkpoint with its cosignatures, word for word.
"""

from collections.abc import Iterable

import msgspec

from aloi.errors import EvidenceError
from aloi.evidence import checkpoints, notes
from aloi.evidence.checkpoints import Checkpoint, decimal
from aloi.evidence.decoding import LIMIT, shown, utf8
from aloi.evidence.encoding import from_base64, to_base64
from aloi.evidence.merkle import EMPTY, leaf_hash, verify_inclusion
from aloi.evidence.notes import Note, NoteKey
from aloi.translation import N_

HEADER = "c2sp.org/tlog-proof@v1"
LONGEST = 63


class LogProof(msgspec.Struct, frozen=True, kw_only=True):
    """What the file holds. `extra` is signed by nobody; nothing here reads it."""

    index: int
    path: tuple[bytes, ...]
    note: Note
    extra: bytes = b""


def write(proof: LogProof) -> bytes:
    """The file's bytes ("Format"). Raises EvidenceError as `read`."""
    lines = [HEADER, *([f"extra {to_base64(proof.extra)}"] if proof.extra else []), f"index {proof.index}"]
    lines += [to_base64(each) for each in proof.path]
    data = "".join(f"{line}\n" for line in [*lines, ""]).encode() + notes.write(proof.note)
    if read(data) != proof:
        raise _refusal(N_("the parts of the proof do not come back as they were given"), "proof-form")
    return data


def read(data: bytes) -> LogProof:
    """The parts of a file, nothing verified yet.

    Raises EvidenceError: 'too-large', 'not-utf8', 'proof-form', 'proof-index', 'proof-path', 'bad-base64', and as
    `notes.read`.
    """
    head, blank, note = utf8(data, LIMIT).partition("\n\n")
    lines = head.split("\n")
    if not blank or lines.pop(0) != HEADER:
        raise _refusal(
            N_("this is no proof from a log: its first line is not {expected}"), "proof-form", expected=HEADER
        )
    extra = b""
    if lines and lines[0].startswith("extra "):
        extra = from_base64(lines.pop(0).removeprefix("extra "), "extra")
        if not extra:
            raise _refusal(N_("the proof has a line of extra data without data"), "proof-form")
    if not lines or not lines[0].startswith("index "):
        raise _refusal(N_("the proof does not say where the entry stands"), "proof-form")
    index = decimal(lines[0].removeprefix("index "))
    if index is None:
        raise _refusal(N_("“{got}” is not the place of an entry"), "proof-index", got=shown(lines[0]))
    path = tuple(from_base64(line, "path") for line in lines[1:])
    if len(path) > LONGEST or any(len(each) != len(EMPTY) for each in path):
        raise _refusal(N_("the path of the proof is too long, or holds what is no hash"), "proof-path")
    return LogProof(index=index, path=path, note=notes.read(note.encode()), extra=extra)


def verify(proof: LogProof, entry: bytes, keys: Iterable[NoteKey], *, origin: str = "") -> Checkpoint:
    """The checkpoint, once a key of its log signed it and the entry is in it ("Verifying a tlog proof", 1, 2 and 4).

    Raises EvidenceError as `checkpoints.verify`, and 'not-included'.
    """
    checkpoint = checkpoints.verify(proof.note, keys, origin=origin)
    verify_inclusion(leaf_hash(entry), proof.index, checkpoint.size, proof.path, checkpoint.root)
    return checkpoint


def _refusal(message: str, reason: str, **facts: object) -> EvidenceError:
    return EvidenceError(message, reason=reason, remedy=N_("obtain the proof again, byte for byte"), **facts)
