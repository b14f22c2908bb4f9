"""What an entry of a log names: the systems that its statement is about, and the statement's own digest.

An entry is a signed envelope, or its *card*: digests alone, for a log that keeps envelopes beside itself so that they
can be erased. Both name the same. What is neither names nothing, and is no evidence to anybody.

These rules are part of `aloi.dev/lookup/v1`: two readers who named differently would compute two indexes.
"""

from collections.abc import Callable
from typing import Annotated, NamedTuple

from msgspec import Meta

from aloi.errors import EvidenceError
from aloi.evidence import envelope, statement
from aloi.evidence.canonical import canonical, digest
from aloi.evidence.decoding import decode
from aloi.evidence.encoding import from_base64
from aloi.evidence.envelope import Envelope
from aloi.evidence.predicates import Digest
from aloi.evidence.records import Record
from aloi.evidence.statement import Statement


class Named(NamedTuple):
    """`statement` is the digest by which others name it; `subjects` are the digests that it names, each once."""

    statement: str
    subjects: tuple[str, ...]


Naming = Callable[[bytes], Named]
NOTHING = Named("", ())


class Card(Record, frozen=True, kw_only=True, rename="camel"):
    """An envelope without its words: its digest, the digest of what was signed, who signed, and what it names.

    Where `statement` is left out, because it could be guessed at, others have to name the envelope's digest.
    """

    envelope: Digest
    statement: Digest | None = None
    predicate_type: str
    signers: tuple[str, ...]
    subjects: Annotated[tuple[Digest, ...], Meta(min_length=1)]


def names(entry: bytes) -> Named:
    """What the entry names; NOTHING where it is neither an envelope with a statement nor a card. Never raises."""
    try:
        _, payload, said = _read(entry)
    except EvidenceError:
        return _of_card(entry)
    return Named(digest(payload), _subjects(said))


def card(entry: bytes) -> bytes:
    """The card of an envelope, one however it is spelt. Raises EvidenceError as `envelope.read` and `statement.read`,
    and 'payload-type', 'bad-base64'."""
    signed, payload, said = _read(entry)
    return canonical(
        Card(
            envelope=digest(envelope.write(signed)),
            statement=digest(payload),
            predicate_type=said.predicate_type,
            signers=tuple(each.keyid for each in signed.signatures),
            subjects=_subjects(said),
        )
    )


def _read(entry: bytes) -> tuple[Envelope, bytes, Statement]:
    signed = envelope.read(entry)
    if signed.payload_type != envelope.PAYLOAD_TYPE:
        raise envelope.other_payload(signed.payload_type)
    payload = from_base64(signed.payload, "payload")
    return signed, payload, statement.read(payload)


def _subjects(said: Statement) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.fingerprint for each in said.subject))


def _of_card(entry: bytes) -> Named:
    try:
        told = decode(entry, Card)
        spelt = canonical(told)
    except EvidenceError:
        return NOTHING
    once = spelt == entry and len(set(told.subjects)) == len(told.subjects)
    return Named(told.statement or told.envelope, told.subjects) if once else NOTHING
