"""Evidence that a log, or a witness, said two things that cannot both be true: a file that anyone checks offline.

    found = find(first, second, key, proof)  # two signed heads of one log, and the proof that somebody gave
    data = write(found)
    verify(data, [key]).proven

Two kinds need nobody's answer: two heads of one size with two roots, and a larger head whose own tree has another
beginning than the smaller head. A proof that is absent or fails is an accusation: the accused may still answer it.
"""

from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import Final, Literal, NamedTuple

import msgspec

from aloi.errors import EvidenceError
from aloi.evidence import checkpoints, cosignatures, notes
from aloi.evidence.canonical import canonical
from aloi.evidence.checkpoints import Checkpoint
from aloi.evidence.decoding import decode, shown
from aloi.evidence.encoding import from_base64, to_base64
from aloi.evidence.merkle import prefix_roots, verify_consistency
from aloi.evidence.notes import ED25519, Note, NoteKey
from aloi.translation import N_

FORMAT: Final = "https://aloi.dev/misbehaviour/v1"
LONGEST = 64  # a consistency proof has at most 63 hashes; a path that names its first node has one more


class Kind(StrEnum):
    """What two heads show of who signed both."""

    SPLIT_VIEW = "split-view"  # one size, two roots
    OTHER_PREFIX = "other-prefix"  # the larger tree does not begin with the smaller one
    WENT_BACK = "went-back"  # a witness cosigned a smaller head later
    NO_PROOF = "no-consistency-proof"  # the proof is absent, or fails


class Misbehaviour(msgspec.Struct, frozen=True, kw_only=True):
    """Two heads under the line of `key` alone, the smaller first; where sizes are equal, in the order of their texts.

    `path` names its first node for OTHER_PREFIX, and is the proof that failed, or nothing, for NO_PROOF.
    """

    kind: Kind
    key: NoteKey
    first: Note
    second: Note
    path: tuple[bytes, ...] = ()

    @property
    def proven(self) -> bool:
        """Whether no answer of the accused can explain it."""
        return self.kind is not Kind.NO_PROOF


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    format: Literal["https://aloi.dev/misbehaviour/v1"]
    kind: Kind
    key: str
    first: str
    second: str
    path: list[str]


class _Head(NamedTuple):
    checkpoint: Checkpoint
    time: int  # of a cosignature; 0 for a log, which says no time
    note: Note


def find(one: Note, other: Note, key: NoteKey, proof: Sequence[bytes] | None = None) -> Misbehaviour | None:
    """What two heads show of the key that signed both; None where they agree, or where only a proof could tell.

    `proof` is what was given as the consistency proof, `()` where it was asked for in vain, None where nobody asked.
    Raises EvidenceError as `checkpoints.verify` and `cosignatures.verify`, and 'no-known-signature', 'other-log'.
    """
    first, second = _heads(one, other, key)
    small, large = first.checkpoint, second.checkpoint
    if small.size == large.size:
        return _found(Kind.SPLIT_VIEW, key, first, second) if small.root != large.root else None
    if first.time > second.time:
        return _found(Kind.WENT_BACK, key, first, second)
    if proof is None or small.size == 0 or continues(small, large, proof):
        return None
    for path in (proof, [small.root, *proof]):
        if _other_prefix(small, large, path):
            return _found(Kind.OTHER_PREFIX, key, first, second, path)
    return _found(Kind.NO_PROOF, key, first, second, proof)


def continues(small: Checkpoint, large: Checkpoint, proof: Sequence[bytes]) -> bool:
    """Whether the proof shows that the larger tree begins with the smaller one. An empty tree begins every tree."""
    if small.size == 0:
        return not proof
    try:
        verify_consistency(small.size, large.size, small.root, large.root, proof)
    except EvidenceError:
        return False
    return True


def write(found: Misbehaviour) -> bytes:
    """The file's bytes: canonical JSON."""
    return canonical(
        _File(
            format=FORMAT,
            kind=found.kind,
            key=str(found.key),
            first=notes.write(found.first).decode(),
            second=notes.write(found.second).decode(),
            path=[to_base64(each) for each in found.path],
        )
    )


def read(data: bytes) -> Misbehaviour:
    """What the file says, nothing verified yet.

    Raises EvidenceError as `decode`, `NoteKey.parse` and `notes.read`, and 'not-canonical', 'misbehaviour-path'.
    """
    file = decode(data, _File, floats=False)
    if canonical(file) != data:
        raise _refusal(N_("the file is not in its one canonical form"), "not-canonical")
    if len(file.path) > LONGEST:
        raise _refusal(N_("the path has {count} hashes"), "misbehaviour-path", count=len(file.path))
    return Misbehaviour(
        kind=file.kind,
        key=NoteKey.parse(file.key),
        first=notes.read(file.first.encode()),
        second=notes.read(file.second.encode()),
        path=tuple(from_base64(each, "path") for each in file.path),
    )


def verify(data: bytes, keys: Collection[NoteKey]) -> Misbehaviour:
    """What the file shows of one of `keys`, once both heads, and what is said of them, hold.

    Raises EvidenceError as `read` and `find`, and 'unknown-key', or 'unfounded' where the heads do not show that kind.
    """
    said = read(data)
    if said.key not in keys:
        raise _refusal(
            N_("the file accuses the key {key}, which is none that you named"), "unknown-key", key=shown(said.key)
        )
    first, second = _heads(said.first, said.second, said.key)
    if not _holds(said, first, second):
        raise _refusal(
            N_("the two heads and the path do not show “{kind}”"),
            "unfounded",
            kind=said.kind.value,
        )
    if said != _found(said.kind, said.key, first, second, said.path):
        raise _refusal(N_("the heads stand in another order, or under more than one line"), "unfounded")
    return said


def answered(accusation: Misbehaviour, proof: Sequence[bytes]) -> bool:
    """Whether a proof answers an accusation that rests on its absence."""
    heads = _heads(accusation.first, accusation.second, accusation.key)
    return accusation.kind is Kind.NO_PROOF and continues(heads[0].checkpoint, heads[1].checkpoint, proof)


def _holds(said: Misbehaviour, first: _Head, second: _Head) -> bool:
    small, large = first.checkpoint, second.checkpoint
    if said.kind is Kind.SPLIT_VIEW:
        return small.size == large.size and small.root != large.root and not said.path
    if small.size == large.size:
        return False
    if said.kind is Kind.WENT_BACK:
        return first.time > second.time and not said.path
    if said.kind is Kind.OTHER_PREFIX:
        return _other_prefix(small, large, said.path)
    return small.size > 0 and not continues(small, large, said.path)


def _other_prefix(small: Checkpoint, large: Checkpoint, path: Sequence[bytes]) -> bool:
    """Whether the path leads to the larger root, and from the same nodes to another smaller root than the signed one.

    Nobody finds other nodes under a root, so these are the larger tree's own, and its beginning is not the smaller.
    """
    roots = prefix_roots(small.size, large.size, path) if small.size else None
    return roots is not None and roots[1] == large.root and roots[0] != small.root


def _heads(one: Note, other: Note, key: NoteKey) -> tuple[_Head, _Head]:
    """Both heads once `key` signed them, in their order."""
    heads = [_signed(one, key), _signed(other, key)]
    if heads[0].checkpoint.origin != heads[1].checkpoint.origin:
        raise _refusal(N_("the two heads are of two logs"), "other-log")
    first, second = sorted(heads, key=lambda head: (head.checkpoint.size, head.note.text))
    return first, second


def _signed(note: Note, key: NoteKey) -> _Head:
    alone = note._replace(
        signatures=tuple(line for line in note.signatures if (line.name, line.id) == (key.name, key.id))
    )
    if key.kind == ED25519:
        return _Head(checkpoints.verify(alone, [key], origin=checkpoints.parse(note.text).origin), 0, alone)
    signed = cosignatures.verify(alone, [key])
    if not signed:
        raise _refusal(N_("a head is not signed by the key {key}"), "no-known-signature", key=shown(key))
    return _Head(checkpoints.parse(note.text), signed[0].time, alone)


def _found(kind: Kind, key: NoteKey, first: _Head, second: _Head, path: Sequence[bytes] = ()) -> Misbehaviour:
    return Misbehaviour(kind=kind, key=key, first=first.note, second=second.note, path=tuple(path))


def _refusal(message: str, reason: str, **facts: object) -> EvidenceError:
    return EvidenceError(
        message, reason=reason, remedy=N_("do not pass it on: ask who gave it to you for both signed heads"), **facts
    )
