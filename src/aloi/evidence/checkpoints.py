"""Heads of transparency logs: how many entries, and their Merkle root (C2SP tlog-checkpoint v1.0.0).

A checkpoint is the text of a signed note: origin, size, base64 of the root, then extension lines, if any.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from aloi.errors import EvidenceError
from aloi.evidence import notes
from aloi.evidence.decoding import shown
from aloi.evidence.encoding import from_base64, to_base64
from aloi.evidence.merkle import EMPTY
from aloi.evidence.notes import Note, NoteKey
from aloi.evidence.publickeys import SigningKey
from aloi.translation import N_

LARGEST = 2**63 - 1
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")


class Checkpoint(NamedTuple):
    """Origin names the log; `root` is the hash of its first `size` entries; extensions are the log's own lines."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()


def text(checkpoint: Checkpoint) -> str:
    """The text to sign ("Note text"). Raises EvidenceError as `parse`."""
    lines = (checkpoint.origin, str(checkpoint.size), to_base64(checkpoint.root), *checkpoint.extensions)
    written = "".join(f"{line}\n" for line in lines)
    if parse(written) != checkpoint:  # a line feed in a field would make other fields of it
        raise _not_a_checkpoint()
    return written


def parse(text: str) -> Checkpoint:
    """A checkpoint from a note's text.

    Raises EvidenceError: 'checkpoint-form', 'checkpoint-size', 'checkpoint-root', 'bad-base64', 'extension-line',
    'empty-tree'.
    """
    origin, *lines = text.removesuffix("\n").split("\n")
    if not origin or len(lines) < 2 or not text.endswith("\n"):
        raise _not_a_checkpoint()
    size = decimal(lines[0])
    if size is None:
        raise _refusal(N_("“{got}” is not the size of a log"), "checkpoint-size", got=shown(lines[0]))
    root = from_base64(lines[1], "root")
    if len(root) != len(EMPTY):
        raise _refusal(N_("the root has {got} bytes, not {expected}"), "checkpoint-root", got=len(root), expected=32)
    if "" in lines[2:]:
        raise _refusal(N_("an extension line of the checkpoint is empty"), "extension-line")
    if size == 0 and root != EMPTY:
        raise _refusal(N_("a log without entries has another root than this"), "empty-tree")
    return Checkpoint(origin, size, root, tuple(lines[2:]))


def size_of(note: bytes) -> int:
    """The size that a head counts, whoever signed it. Raises EvidenceError as `notes.read` and `parse`."""
    return parse(notes.read(note).text).size


def sign(checkpoint: Checkpoint, name: str, key: SigningKey) -> Note:
    """The checkpoint signed by its log under the key's name, which should be the origin ("Signatures").

    Raises EvidenceError as `parse` and `notes.sign`.
    """
    return notes.sign(text(checkpoint), name, key)


def verify(note: Note, keys: Iterable[NoteKey], *, origin: str = "") -> Checkpoint:
    """The checkpoint, once a key of the log signed it.

    Its origin must be `origin`; where none is given, the name of a key that signed. Raises EvidenceError as
    `notes.verify` and `parse`, and 'wrong-origin'.
    """
    signers = notes.verify(note, keys)
    checkpoint = parse(note.text)
    allowed = [origin] if origin else [key.name for key in signers]
    if checkpoint.origin not in allowed:
        raise _refusal(
            N_("the checkpoint is of the log “{got}”; expected: {expected}"),
            "wrong-origin",
            got=shown(checkpoint.origin),
            expected=shown(", ".join(allowed)),
        )
    return checkpoint


def decimal(text: str) -> int | None:
    """A count in its one spelling, at most 2^63 - 1; None for anything else."""
    number = int(text) if _DECIMAL.fullmatch(text) else None
    return number if number is None or number <= LARGEST else None


def _not_a_checkpoint() -> EvidenceError:
    return _refusal(N_("this is no checkpoint: an origin, a size and a root, each on its line"), "checkpoint-form")


def _refusal(message: str, reason: str, **facts: object) -> EvidenceError:
    return EvidenceError(message, reason=reason, remedy=N_("obtain the checkpoint again, byte for byte"), **facts)
