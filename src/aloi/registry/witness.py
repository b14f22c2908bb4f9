"""A witness of logs (C2SP tlog-witness): it cosigns a head only where it continues all that it cosigned before.

    witness = Witness("witness.example/1", [key], {"log.example/one": [log_key]}, FolderHeads(folder))
    answer = witness.add_checkpoint(old_size, proof, signed_checkpoint, now)

A state machine without network or clock. It keeps the new head before it signs, so that no fall of the machine
leaves a cosignature that it does not remember.
"""

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from enum import IntEnum
from types import MappingProxyType
from typing import NamedTuple

from aloi.errors import AloiError, EvidenceError, RegistryError
from aloi.evidence import checkpoints, cosignatures, notes
from aloi.evidence.checkpoints import LARGEST, Checkpoint
from aloi.evidence.decoding import shown
from aloi.evidence.merkle import EMPTY
from aloi.evidence.notes import Note, NoteKey, Signature
from aloi.evidence.publickeys import SigningKey
from aloi.registry import misbehaviour
from aloi.registry.heads import HeadStore, Known
from aloi.registry.misbehaviour import Misbehaviour
from aloi.translation import N_

LONGEST = 63


class Status(IntEnum):
    """The HTTP status of an answer. The last one is of HTTP, not of tlog-witness: nothing is wrong with the request."""

    OK = 200
    BAD_REQUEST = 400
    FORBIDDEN = 403
    NOT_FOUND = 404
    CONFLICT = 409
    UNPROCESSABLE = 422
    UNAVAILABLE = 503


class Cosigned(NamedTuple):
    """The witness's lines for the head."""

    lines: tuple[Signature, ...]


class Conflict(NamedTuple):
    """The request does not start at the head that was last cosigned, whose size this is.

    `reason` is 'old-size' (an honest client may have missed a head), 'rollback' (the head is smaller than the known
    one) or 'fork' (the known size with another root: both signed heads are in `misbehaviour`).
    """

    size: int
    reason: str
    misbehaviour: Misbehaviour | None = None


class Refused(NamedTuple):
    """Not cosigned, for a reason with a stable code."""

    status: Status
    reason: str
    why: AloiError
    misbehaviour: Misbehaviour | None = None


Answer = Cosigned | Conflict | Refused

# Raises EvidenceError for a head that must not be cosigned, RegistryError or OSError where that cannot be said.
Judge = Callable[[Note], None]
NO_JUDGES: Mapping[str, Judge] = MappingProxyType({})


class Witness:
    """Cosigns heads of the logs that it was told of, under one name, with one key or several."""

    def __init__(
        self,
        name: str,
        keys: Sequence[SigningKey],
        logs: Mapping[str, Collection[NoteKey]],
        store: HeadStore,
        judges: Mapping[str, Judge] = NO_JUDGES,
    ) -> None:
        """`logs` gives for each origin the keys of its log, `judges` for some what else must hold of a head.

        Raises EvidenceError ('key-name', 'key-kind').
        """
        self.name = name
        self.keys = tuple(cosignatures.witness_key(name, key) for key in keys)
        self._signers = tuple(keys)
        self._logs = dict(logs)
        self._store = store
        self._judges = judges
        self._locks = {origin: threading.Lock() for origin in logs}

    @property
    def followed(self) -> list[str]:
        """The logs whose entries it reads before it cosigns."""
        return sorted(self._judges)

    @property
    def origins(self) -> list[str]:
        """The logs that it was told of."""
        return sorted(self._logs)

    def add_checkpoint(self, old_size: int, proof: Sequence[bytes], signed_checkpoint: bytes, now: int) -> Answer:
        """Cosign the head, or say why not. `now` is the POSIX second. Calls for one origin wait for each other.

        Reasons of `Refused`, by status: BAD_REQUEST those of `notes.read` and `checkpoints.parse`, 'old-size',
        'proof-path'; FORBIDDEN those of `checkpoints.verify`; NOT_FOUND 'unknown-origin'; UNPROCESSABLE
        'not-consistent' and what the log's judge refuses for; UNAVAILABLE 'clock-back', 'damaged-state',
        'state-not-read', 'state-not-saved', 'not-followed'.
        """
        try:
            note = notes.read(signed_checkpoint)
            origin = checkpoints.parse(note.text).origin
        except EvidenceError as error:
            return Refused(Status.BAD_REQUEST, error.reason, error)
        if origin not in self._logs:
            return _refused(Status.NOT_FOUND, "unknown-origin", N_("no log {origin} is witnessed here"), origin=origin)
        try:
            head = checkpoints.verify(note, self._logs[origin], origin=origin)
        except EvidenceError as error:
            return Refused(Status.FORBIDDEN, error.reason, error)
        refusal = _form(old_size, proof, head)
        if refusal:
            return refusal
        with self._locks[origin]:
            return self._advance(old_size, proof, head, self._by_log(note, origin), now)

    def known(self, origin: str) -> Known | None:
        """The last head of the log that was cosigned. Raises as the store's `read`."""
        return self._store.read(origin)

    def _advance(self, old_size: int, proof: Sequence[bytes], head: Checkpoint, note: Note, now: int) -> Answer:
        try:
            known = self._store.read(head.origin)
        except EvidenceError as error:
            return Refused(Status.UNAVAILABLE, error.reason, error)
        except OSError as error:
            return _refused(
                Status.UNAVAILABLE,
                "state-not-read",
                N_("the witness cannot read its state: {problem}"),
                problem=_named(error),
            )
        before = notes.read(known.note) if known else None
        last = checkpoints.parse(before.text) if before else Checkpoint(head.origin, 0, EMPTY)
        if before and (head.size, last.root) != (last.size, head.root):
            found = self._compare(before, note, proof if old_size == last.size else None)
        else:
            found = None
        refusal = _continues(old_size, proof, head, last, found) or _time(known, now) or self._judged(head.origin, note)
        if refusal:
            return refusal
        try:
            self._store.write(head.origin, Known(notes.write(note), now))
        except OSError as error:
            return _refused(
                Status.UNAVAILABLE,
                "state-not-saved",
                N_("the witness cannot keep its state: {problem}"),
                problem=_named(error),
            )
        return Cosigned(
            tuple(cosignatures.cosign(Note(note.text, ()), self.name, key, now).signatures[0] for key in self._signers)
        )

    def _judged(self, origin: str, note: Note) -> Refused | None:
        """What a witness that reads the log's entries finds."""
        if origin not in self._judges:
            return None
        try:
            self._judges[origin](note)
        except EvidenceError as error:
            return Refused(Status.UNPROCESSABLE, error.reason, error)
        except RegistryError as error:
            return Refused(Status.UNAVAILABLE, "not-followed", error)
        except OSError as error:
            return _refused(
                Status.UNAVAILABLE,
                "not-followed",
                N_("the witness cannot keep its copy of the log: {problem}"),
                problem=_named(error),
            )
        return None

    def _by_log(self, note: Note, origin: str) -> Note:
        """The note under the lines of its log's keys alone: all that was verified."""
        ids = {(key.name, key.id) for key in self._logs[origin]}
        return note._replace(signatures=tuple(line for line in note.signatures if (line.name, line.id) in ids))

    def _compare(self, before: Note, note: Note, proof: Sequence[bytes] | None) -> Misbehaviour | None:
        """What the known head and the new one show of a key that signed both."""
        keys = self._logs[checkpoints.parse(note.text).origin]
        signers = [{key for key, _ in notes.known(each, keys)} for each in (before, note)]
        for key in sorted(set.intersection(*signers), key=str):
            found = misbehaviour.find(before, note, key, proof)
            if found:
                try:
                    self._store.keep(found)
                except OSError:
                    return found  # whoever asked still gets it; the refusal does not depend on a disk
                return found
        return None


def _form(old_size: int, proof: Sequence[bytes], head: Checkpoint) -> Refused | None:
    if not 0 <= old_size <= head.size:
        return _refused(
            Status.BAD_REQUEST,
            "old-size",
            N_("the old size {old} is not between 0 and the head's size {size}"),
            old=old_size,
            size=head.size,
        )
    if len(proof) > LONGEST or any(len(each) != len(EMPTY) for each in proof):
        return _refused(Status.BAD_REQUEST, "proof-path", N_("the proof is too long, or holds what is no hash"))
    return None


def _continues(
    old_size: int, proof: Sequence[bytes], head: Checkpoint, last: Checkpoint, found: Misbehaviour | None
) -> Conflict | Refused | None:
    """Why the head does not continue the last one."""
    if head.size == last.size and head.root != last.root:
        return Conflict(last.size, "fork", found)
    if head.size < last.size:
        return Conflict(last.size, "rollback", found)
    if old_size != last.size:
        return Conflict(last.size, "old-size")
    if misbehaviour.continues(last, head, proof):
        return None
    return _refused(
        Status.UNPROCESSABLE,
        "not-consistent",
        N_("the proof does not show that the log of {size} entries begins with the {old} that were cosigned"),
        found,
        size=head.size,
        old=last.size,
    )


def _time(known: Known | None, now: int) -> Refused | None:
    if max(known.time if known else 0, 1) <= now <= LARGEST:
        return None
    return _refused(
        Status.UNAVAILABLE, "clock-back", N_("the witness's clock says {now}, before its last cosignature"), now=now
    )


def _named(error: OSError) -> str:
    """What went wrong, without paths: strangers read it."""
    return error.strerror or type(error).__name__


def _refused(status: Status, reason: str, message: str, found: Misbehaviour | None = None, **facts: object) -> Refused:
    why = RegistryError(message, remedy=_REMEDIES[status], **{name: shown(fact) for name, fact in facts.items()})
    return Refused(status, reason, why, found)


_REMEDIES: Mapping[Status, str] = {
    Status.BAD_REQUEST: N_("send the request again in the form of tlog-witness"),
    Status.NOT_FOUND: N_("ask who runs the witness to add the log and its key"),
    Status.UNPROCESSABLE: N_("send the proof from the last cosigned head; keep both heads if there is none"),
    Status.UNAVAILABLE: N_("who runs the witness must mend its disk or its clock; ask again later"),
}
