"""A claim about named systems: in-toto Statement v1 (https://in-toto.io/Statement/v1)."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from aloi.errors import EvidenceError
from aloi.evidence.canonical import canonical
from aloi.evidence.decoding import decode, shown
from aloi.evidence.evalresults import AssuranceLevel, read_claim, written
from aloi.evidence.exactness import require_exact
from aloi.evidence.fields import Hex256
from aloi.evidence.predicates import Claim, claim_type, name_of, predicate_type, usual_non_claims
from aloi.evidence.records import Record
from aloi.translation import N_

STATEMENT = "https://in-toto.io/Statement/v1"


class DigestSet(Record, frozen=True, kw_only=True):
    """The digests of a subject. Others may add algorithms; we compare SHA-256."""

    sha256: Hex256


class Subject(Record, frozen=True, kw_only=True):
    """What a statement is about, named by digest."""

    name: str
    digest: DigestSet

    @classmethod
    def of(cls, name: str, digest: str) -> "Subject":
        """From a digest written `sha256:<64 hex>`."""
        return msgspec.convert({"name": name, "digest": {"sha256": digest.removeprefix("sha256:")}}, cls)

    @property
    def fingerprint(self) -> str:
        """The digest written `sha256:<64 hex>`."""
        return f"sha256:{self.digest.sha256}"


class Statement(Record, frozen=True, kw_only=True, rename="camel"):
    """The in-toto envelope of meaning. `predicate` stays the raw JSON that was signed."""

    type: str = msgspec.field(name="_type")
    subject: Annotated[tuple[Subject, ...], Meta(min_length=1)]
    predicate_type: str
    predicate: msgspec.Raw


def state(
    record: Record,
    subject: Sequence[Subject],
    *,
    plan: str | None = None,
    non_claims: Iterable[str] | None = None,
    assurance: AssuranceLevel = "self_attested",
) -> bytes:
    """The statement to sign: canonical JSON bytes, in the edition of today.

    `plan` is the digest of the plan's statement, owed by every finding, effect and coverage. `non_claims` defaults to
    the usual ones of the record's kind. `assurance` is what the signer declares of a result; other records do not say
    it. Raises EvidenceError: 'float', 'number-out-of-range', 'not-canonical', or what `read` would refuse.
    """
    name = name_of(record)
    claim = Claim(record=record, plan=plan, non_claims=tuple(non_claims or usual_non_claims(record)))
    require_exact(claim)
    data = canonical(
        {
            "_type": STATEMENT,
            "subject": tuple(subject),
            "predicateType": predicate_type(name),
            "predicate": written(claim, assurance),
        }
    )
    claimed(read(data))  # constructors do not check types: what we sign must be readable
    return data


def read(payload: bytes) -> Statement:
    """A statement from the bytes that were signed. Raises EvidenceError ('not-a-statement', or as `decode`)."""
    statement = decode(payload, Statement)
    if statement.type != STATEMENT:
        raise EvidenceError(
            N_("this is not an in-toto v1 statement: its type is “{type}”"),
            reason="not-a-statement",
            remedy=N_("obtain the evidence again from its author"),
            type=shown(statement.type),
        )
    return statement


def claimed(statement: Statement) -> Claim[Any] | None:
    """The typed claim inside a statement of whichever edition; None where the predicate type is not one of ours.

    Raises EvidenceError as `read_claim`, and 'float', 'number-out-of-range'.
    """
    known = claim_type(statement.predicate_type)
    if known is None:
        return None
    claim = read_claim(bytes(statement.predicate), *known)
    require_exact(claim)
    return claim
