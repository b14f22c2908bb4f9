"""What a log holds of a signed statement: digests and names, never what it says.

A stranger with the envelope makes the same bytes again, and so can check a proof of inclusion. The envelope's digest
covers the signatures too: once the envelope is erased, nobody can find out by guessing what it said.
"""

from contextlib import suppress
from typing import Annotated

from msgspec import Meta

from aloi.errors import EvidenceError
from aloi.evidence import envelope as dsse
from aloi.evidence import statement as statements
from aloi.evidence.canonical import canonical_texts, digest
from aloi.evidence.decoding import decode
from aloi.evidence.encoding import from_base64
from aloi.evidence.envelope import Envelope
from aloi.evidence.fields import Digest
from aloi.evidence.records import Record
from aloi.evidence.statement import Statement
from aloi.translation import N_

LONGEST = 65_535  # C2SP tlog-tiles, "Log entries": two bytes say how long an entry is


class LogEntry(Record, frozen=True, kw_only=True, rename="camel"):
    """Digest of the canonical envelope, type of its predicate, ids of its signers, digests of its subjects.

    `statement` is the digest of what was signed. A log may leave it out, because it could be guessed at; others then
    have to name the envelope's digest.
    """

    envelope: Digest
    statement: Digest | None = None
    predicate_type: str
    signers: Annotated[tuple[str, ...], Meta(min_length=1)]
    subjects: Annotated[tuple[Digest, ...], Meta(min_length=1)]


def stated(envelope: Envelope) -> tuple[bytes, Statement]:
    """The payload of an envelope and the statement in it; its signatures are not verified here.

    Raises EvidenceError as `statement.read`, and 'payload-type', 'bad-base64'.
    """
    if envelope.payload_type != dsse.PAYLOAD_TYPE:
        raise dsse.other_payload(envelope.payload_type)
    payload = from_base64(envelope.payload, "payload")
    return payload, statements.read(payload)


def subjects(statement: Statement) -> tuple[str, ...]:
    """The digests that a statement is about, each once."""
    return tuple(dict.fromkeys(each.fingerprint for each in statement.subject))


def build(envelope: Envelope, written: bytes, statement: Statement, *, named: str | None = None) -> LogEntry:
    """The entry of an envelope whose canonical bytes and statement are at hand; `named` is the statement's digest."""
    return LogEntry(
        envelope=digest(written),
        statement=named,
        predicate_type=statement.predicate_type,
        signers=tuple(each.keyid for each in envelope.signatures),
        subjects=subjects(statement),
    )


def of(envelope: Envelope, *, with_statement: bool = False) -> bytes:
    """The bytes that a log holds of an envelope, with the digest of its statement or without.

    Raises EvidenceError as `stated`, and 'entry-too-large'.
    """
    payload, statement = stated(envelope)
    named = digest(payload) if with_statement else None
    return write(build(envelope, dsse.write(envelope), statement, named=named))


def forms(envelope: Envelope, statement: Statement, named: str) -> list[bytes]:
    """Every entry by which a log may hold an envelope: its digests, with the statement's or without, or itself.

    `named` is the digest of the statement.
    """
    written = dsse.write(envelope)
    found = [written]
    for name in (named, None):
        with suppress(EvidenceError):  # about more subjects than an entry may name
            found.append(write(build(envelope, written, statement, named=name)))
    return found[::-1]


def write(entry: LogEntry) -> bytes:
    """The entry's canonical bytes. Raises EvidenceError: 'entry-too-large'."""
    data = canonical_texts(entry)
    if len(data) > LONGEST:
        raise EvidenceError(
            N_("the log's entry would have {got} bytes; at most {limit} fit: the statement names {count} subjects"),
            reason="entry-too-large",
            remedy=N_("make several statements, each about fewer subjects"),
            got=len(data),
            limit=LONGEST,
            count=len(entry.subjects),
        )
    return data


def read(data: bytes) -> LogEntry:
    """An entry from its bytes. Raises EvidenceError as `decode`."""
    return decode(data, LogEntry, limit=LONGEST)
