"""What witnesses say of a log: at this time this was the largest head I knew, and it continues the earlier ones.

C2SP tlog-cosignature: `cosignature/v1` with Ed25519 (signature type 04) and the subtree message with ML-DSA-44
(type 06), for whole trees. ML-DSA-44 leaves extension lines out of what it signs; the log's own key signs them.
"""

import struct
from collections.abc import Iterable
from typing import NamedTuple

from aloi.errors import EvidenceError
from aloi.evidence import notes
from aloi.evidence.checkpoints import LARGEST, Checkpoint, parse
from aloi.evidence.decoding import shown
from aloi.evidence.notes import COSIGNATURE, ML_DSA_COSIGNATURE, Note, NoteKey
from aloi.evidence.publickeys import SigningKey
from aloi.translation import N_

KINDS = {"ed25519": COSIGNATURE, "ml-dsa-44": ML_DSA_COSIGNATURE}
_SIZES = {COSIGNATURE: 64, ML_DSA_COSIGNATURE: 2420}
_TIME = struct.Struct(">Q")


class Cosignature(NamedTuple):
    """A cosignature that holds: by whom, and the POSIX second at which the witness says it was made."""

    key: NoteKey
    time: int


def witness_key(name: str, key: SigningKey) -> NoteKey:
    """The key under which a witness cosigns. Raises EvidenceError: 'key-name', or 'key-kind' for P-256."""
    return NoteKey(name, KINDS.get(key.public.algorithm, 0), key.public)


def cosign(note: Note, name: str, key: SigningKey, time: int) -> Note:
    """The checkpoint with the witness's line added. The witness must have seen that it continues the head it knew.

    Raises EvidenceError as `checkpoints.parse`, `witness_key` and `notes.add`, and 'cosignature-time',
    'cosignature-form'.
    """
    witness = witness_key(name, key)
    checkpoint = parse(note.text)
    _check_time(witness, time)
    signature = key.sign(_message(witness, time, note.text, checkpoint))
    return notes.add(note, witness, _TIME.pack(time) + signature)


def verify(note: Note, witnesses: Iterable[NoteKey]) -> tuple[Cosignature, ...]:
    """The cosignatures by `witnesses`, in the order of their lines; lines of others are ignored.

    One line of a given witness that fails refuses the note. Raises EvidenceError as `checkpoints.parse` and
    `notes.known`, and 'key-kind', 'cosignature-form', 'cosignature-time', 'bad-signature'.
    """
    checkpoint = parse(note.text)
    found = []
    for key, data in notes.known(note, witnesses):
        if key.kind not in _SIZES:
            raise _refusal(N_("the key {key} signs notes; it is no witness's"), "key-kind", key)
        if len(data) != _TIME.size + _SIZES[key.kind]:
            raise _refusal(N_("the line of {key} is no cosignature: it has another length"), "cosignature-form", key)
        (time,) = _TIME.unpack_from(data)
        _check_time(key, time)
        key.public.verify(data[_TIME.size :], _message(key, time, note.text, checkpoint))
        found.append(Cosignature(key, time))
    return tuple(found)


def _message(key: NoteKey, time: int, text: str, checkpoint: Checkpoint) -> bytes:
    """What is signed ("Ed25519 signed message", "ML-DSA-44 signed message")."""
    if key.kind == COSIGNATURE:
        return f"cosignature/v1\ntime {time}\n{text}".encode()
    return b"".join(
        [
            b"subtree/v1\n\0",
            _short(key, key.name),
            _TIME.pack(time),
            _short(key, checkpoint.origin),
            struct.pack(">QQ", 0, checkpoint.size),
            checkpoint.root,
        ]
    )


def _short(key: NoteKey, text: str) -> bytes:
    data = text.encode()
    if len(data) > 255:
        raise _refusal(N_("the name of {key} or of the log is too long for ML-DSA-44"), "cosignature-form", key)
    return bytes([len(data)]) + data


def _check_time(key: NoteKey, time: int) -> None:
    # the format lets an ML-DSA-44 cosigner say 0 for "no statement of time"; who does so witnesses nothing here
    if not 0 < time <= LARGEST:
        raise _refusal(N_("the cosignature of {key} is of no time"), "cosignature-time", key)


def _refusal(message: str, reason: str, key: NoteKey) -> EvidenceError:
    return EvidenceError(
        message, reason=reason, remedy=N_("ask the witness for its cosignature again"), key=shown(key.name)
    )
