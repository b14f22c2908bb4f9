"""What is signed beside a bundle: of a mapping row, of another statement, of a document that answers a control.

A subject named `statement` is a statement: its digest is that of the canonical envelope (`aloi.evidence.logentry`).
"""

from typing import Annotated, Literal

from msgspec import Meta

from aloi.evidence.fields import Code, Digest, Hash, Name, Text, Time, moment
from aloi.evidence.records import Record

STATEMENT = "statement"


class Endorsement(Record, frozen=True, kw_only=True):
    """An organisation says that the subject, a mapping row or a statement, is right."""

    organisation: Name
    at: str


class Dispute(Record, frozen=True, kw_only=True):
    """An organisation says that the subject, a mapping row or a statement, is wrong, and why.

    The right of reply is a dispute whose subject is the dispute.
    """

    organisation: Name
    at: str
    reason: Text


WithdrawalReason = Literal["error-in-method", "error-in-data", "superseded", "system-retired", "legal", "other"]


class Withdrawal(Record, frozen=True, kw_only=True):
    """Who stated the subject takes it back; `superseded_by` is the envelope of the statement that takes its place."""

    organisation: Name
    at: Time
    reason: WithdrawalReason
    text: Text
    superseded_by: Digest | None = None

    def __post_init__(self) -> None:
        moment(self.at)


class Commitment(Record, frozen=True, kw_only=True):
    """An organisation fixes what it will state about the subject, and shows nothing of it yet.

    `commitment` is `commitments.commit` of the digest of the envelope to come, under a salt that is told later.
    """

    organisation: Name
    at: Time
    commitment: Hash

    def __post_init__(self) -> None:
        moment(self.at)


class Sealed(Record, frozen=True, kw_only=True):
    """What shows that something was fixed before it was told: the envelope that committed to it, and its salt."""

    commitment: Digest
    salt: Hash


class Replication(Record, frozen=True, kw_only=True):
    """The subject, a statement, repeats another one: `of` is that one's envelope.

    'exact': the same plan anew, by the same means; 'conceptual': the same question by other means. It is blind where
    `sealed` shows that the subject was fixed before the other could be read.
    """

    organisation: Name
    at: Time
    of: Digest
    kind: Literal["exact", "conceptual"]
    sealed: Sealed | None = None

    def __post_init__(self) -> None:
        moment(self.at)

    @property
    def blind(self) -> bool:
        """Whether it is said to be blind; `aloi.evidence.status` says whether that holds."""
        return self.sealed is not None


Step = Literal["design", "bias", "inconsistency", "indirectness", "imprecision", "reporting", "replication"]


class Appraisal(Record, frozen=True, kw_only=True):
    """An organisation appraises otherwise one step of how certain the evidence on a hazard of the system is.

    The step is to count `change`, whatever was derived. What was derived stays beside it.
    """

    organisation: Name
    at: Time
    hazard: Code
    step: Step
    change: Annotated[int, Meta(ge=-2, le=1)]
    reason: Text

    def __post_init__(self) -> None:
        moment(self.at)


class Attachment(Record, frozen=True, kw_only=True):
    """The subject is a document, artefact or record of a process, kept elsewhere, that somebody approved.

    `control` is the control it answers; `valid_until` the last day on which it does, where it has one. Days are
    YYYY-MM-DD.
    """

    control: str
    size: int
    approved_by: Name
    approved_on: str
    valid_until: str | None = None
