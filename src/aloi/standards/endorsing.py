"""Organisations' words on mapping rows: each a signed statement over the row's digest, endorsing or disputing it."""

from collections.abc import Collection, Iterable
from typing import Literal

from msgspec import Struct

from aloi.errors import EvidenceError
from aloi.evidence import envelope as dsse
from aloi.evidence.canonical import digest
from aloi.evidence.envelope import Envelope
from aloi.evidence.publickeys import PublicKey, SigningKey
from aloi.evidence.statement import Subject, claimed, state
from aloi.evidence.statement import read as read_statement
from aloi.evidence.vouching import Dispute, Endorsement
from aloi.standards.mapping import Row, RowWords, row_digest
from aloi.translation import N_


class Word(Struct, frozen=True, kw_only=True):
    """What one organisation says of one row, by whose key, in which statement (digest of its payload)."""

    row: str
    about: str
    says: Literal["endorsed", "disputed"]
    organisation: str
    at: str
    reason: str = ""
    signer: str
    statement: str


def sign_word(record: Endorsement | Dispute, framework: str, row: Row, key: SigningKey) -> Envelope:
    """Sign an organisation's word on a row of a framework (`framework@edition`)."""
    about = f"{row.subject} {row.relation} {framework} {row.object}"
    return dsse.sign(state(record, [Subject.of(about, row_digest(framework, row))]), key)


def read_word(data: bytes, keys: Iterable[PublicKey]) -> Word:
    """A word from its envelope. Raises EvidenceError: as `envelope.verify`, or 'no-word' for another statement."""
    opened = dsse.verify(dsse.read(data), keys)
    statement = read_statement(opened.payload)
    claim = claimed(statement)
    if claim is None or not isinstance(claim.record, Endorsement | Dispute) or len(statement.subject) != 1:
        raise EvidenceError(
            N_("this statement neither endorses nor disputes a mapping row"),
            reason="no-word",
            remedy=N_("give files made by `aloi standards endorse` or `aloi standards dispute`"),
        )
    record, subject = claim.record, statement.subject[0]
    return Word(
        row=subject.fingerprint,
        about=subject.name,
        says="endorsed" if isinstance(record, Endorsement) else "disputed",
        organisation=record.organisation,
        at=record.at,
        reason=record.reason if isinstance(record, Dispute) else "",
        signer=opened.signers[0].id,
        statement=digest(opened.payload),
    )


def standing(words: Iterable[Word]) -> tuple[Word, ...]:
    """The last word of each key on each row; of two at one moment, the dispute."""
    last: dict[tuple[str, str], Word] = {}
    for word in sorted(words, key=lambda one: (one.at, one.says != "endorsed", one.statement)):
        last[word.signer, word.row] = word
    return tuple(last.values())


def row_words(words: Iterable[Word], *, apart: Collection[str] = ()) -> RowWords:
    """What stands of each row that somebody spoke of: one dispute is enough, since what is disputed is not settled.

    What keys in `apart` endorse does not count; what they dispute does.
    """
    found: dict[str, Literal["endorsed", "disputed"]] = {}
    for word in standing(words):
        if word.says == "disputed" or (word.signer not in apart and found.get(word.row) != "disputed"):
            found[word.row] = word.says
    return found
