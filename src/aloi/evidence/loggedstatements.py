"""The statements that a log holds, read in its order: when each was logged, who signed it, what it says.

    told = verify_lookup(answer, "sha256:…", policy)
    read, unread = read_logged(held(told, envelopes, times), keys)

That an entry is in the log, and that none is missing, is proved elsewhere (`aloi.evidence.lookup`); the times are the
log's word. What does not hold is told among the `unread`, and the others are read.
"""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from aloi.errors import EvidenceError
from aloi.evidence import envelope as dsse
from aloi.evidence import logentry
from aloi.evidence.canonical import digest
from aloi.evidence.envelope import Envelope
from aloi.evidence.logentry import LogEntry
from aloi.evidence.lookup import Complete
from aloi.evidence.organisations import Organisation
from aloi.evidence.publickeys import PublicKey
from aloi.evidence.records import Record
from aloi.evidence.statement import Subject, claimed
from aloi.translation import N_


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of a log, the second at which it was logged, and its envelope where somebody still has it."""

    index: int
    time: int
    entry: bytes
    envelope: bytes | None


class LoggedStatement(msgspec.Struct, frozen=True, kw_only=True):
    """A statement of a log whose signatures hold. `envelope` is the digest by which other statements name it.

    `statement` is the digest of what was signed, by which results name their plan; `plan` is that one. `record` is None
    for a predicate that is not ours.
    """

    index: int
    time: int
    envelope: str
    statement: str
    signers: tuple[str, ...]
    subjects: tuple[Subject, ...]
    predicate_type: str
    record: Record | None
    plan: str | None


class Unread(msgspec.Struct, frozen=True, kw_only=True):
    """An entry whose statement cannot be judged; `why` is the reason of the refusal."""

    index: int
    time: int
    envelope: str
    why: str


def held(told: Complete, envelopes: Mapping[str, bytes], times: Mapping[int, int]) -> Iterator[Held]:
    """The entries of a look-up, with the envelopes by digest and the times by index that came beside it.

    Raises KeyError for an entry without a time.
    """
    for index, entry in told.entries.items():
        digests = _digests(entry)
        envelope = envelopes.get(digests.envelope) if digests else entry
        yield Held(index=index, time=times[index], entry=entry, envelope=envelope)


def read_logged(
    entries: Iterable[Held], keys: Iterable[PublicKey] = ()
) -> tuple[tuple[LoggedStatement, ...], tuple[Unread, ...]]:
    """What can be read, in the order of the log, and what cannot: 'erased', 'entry-mismatch', or as `envelope.read`,
    `envelope.verify`, `statement.read`, `statement.claimed` and `PublicKey` refuse.

    Signatures are verified by `keys` and by those that organisations list. A key's id is its digest, so that it does
    not matter where a key comes from; whom it speaks for is another question (`aloi.evidence.roster`).
    """
    known = {key.id: key for key in keys}
    opened: list[tuple[Held, Envelope, LoggedStatement]] = []
    unread: list[Unread] = []
    for each in sorted({one.index: one for one in entries}.values(), key=lambda one: one.index):
        try:
            envelope, statement = _open(each)
            known |= _listed(statement.record)
            opened.append((each, envelope, statement))
        except EvidenceError as error:
            unread.append(_unread(each, error))
    read: list[LoggedStatement] = []
    for each, envelope, statement in opened:
        try:
            dsse.verify(envelope, known.values())
            read.append(statement)
        except EvidenceError as error:
            unread.append(_unread(each, error))
    return tuple(read), tuple(sorted(unread, key=lambda one: one.index))


def _open(held: Held) -> tuple[Envelope, LoggedStatement]:
    """What the entry holds, its signatures not verified yet."""
    if held.envelope is None:
        raise EvidenceError(
            N_("the envelope of entry {index} is not at hand: it was erased, or was not handed over"),
            reason="erased",
            remedy=N_("ask whoever signed it for a copy"),
            index=held.index,
        )
    envelope = dsse.read(held.envelope)
    payload, statement = logentry.stated(envelope)
    written = dsse.write(envelope)
    _check_entry(held, logentry.build(envelope, written, statement), digest(payload))
    claim = claimed(statement)
    return envelope, LoggedStatement(
        index=held.index,
        time=held.time,
        envelope=digest(written),
        statement=digest(payload),
        signers=tuple(each.keyid for each in envelope.signatures),
        subjects=statement.subject,
        predicate_type=statement.predicate_type,
        record=claim.record if claim else None,
        plan=claim.plan if claim else None,
    )


def _check_entry(held: Held, made: LogEntry, statement: str) -> None:
    """That the entry is what a log holds of the envelope, or the envelope itself."""
    digests = _digests(held.entry)
    if digests and digests.statement:
        made = msgspec.structs.replace(made, statement=statement)
    if held.entry not in {held.envelope, logentry.write(made)}:
        raise EvidenceError(
            N_("the envelope shown for entry {index} is not the one that was logged"),
            reason="entry-mismatch",
            remedy=N_("ask whoever signed it for a copy"),
            index=held.index,
        )


def _digests(entry: bytes) -> LogEntry | None:
    """The entry of a log that keeps envelopes beside itself; None where the envelope is the entry."""
    try:
        return logentry.read(entry)
    except EvidenceError:
        return None


def _listed(record: Record | None) -> dict[str, PublicKey]:
    """The keys that an organisation lists."""
    keys = [each.key() for each in record.keys] if isinstance(record, Organisation) else []
    return {key.id: key for key in keys}


def _unread(held: Held, error: EvidenceError) -> Unread:
    digests = _digests(held.entry)
    named = digests.envelope if digests else digest(held.entry)
    return Unread(index=held.index, time=held.time, envelope=named, why=error.reason)
