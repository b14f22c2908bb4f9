"""What an entry of a log names: the systems that its statement is about, and the statement's own digest.

An entry is a signed envelope, or its *card*: digests alone, for a log that keeps envelopes beside itself so that they
can be erased. Both name the same. What is neither names nothing, and is no evidence to anybody.

These rules are part of `aloi.dev/lookup/v1`: two readers who named differently would compute two indexes.
"""

from collections.abc import Callable
from typing import Annotated, Final, Literal, NamedTuple

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

CARD: Final = "https://aloi.dev/log-entry/v1"


class Named(NamedTuple):
    """`statement` is the digest of the bytes that were signed; `subjects` are the digests they name, each once."""

    statement: str
    subjects: tuple[str, ...]


Naming = Callable[[bytes], Named]
NOTHING = Named("", ())


class Card(Record, frozen=True, kw_only=True):
    """An envelope without its words: what it names, which bytes it is, and which keys are said to have signed."""

    type: Literal["https://aloi.dev/log-entry/v1"]
    envelope: Digest
    statement: Digest
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
    """The card of an envelope, one for its bytes. Raises EvidenceError as `envelope.read` and `statement.read`,
    and 'payload-type', 'bad-base64'."""
    signed, payload, said = _read(entry)
    return canonical(
        Card(
            type=CARD,
            envelope=digest(entry),
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
    return Named(told.statement, told.subjects) if once else NOTHING
