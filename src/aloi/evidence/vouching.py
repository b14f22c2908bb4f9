"""What is signed beside a bundle: that a mapping row is right or wrong, that a document answers a control."""

from typing import Annotated

from msgspec import Meta

from aloi.evidence.records import Record

Name = Annotated[str, Meta(min_length=1, max_length=200)]


class Endorsement(Record, frozen=True, kw_only=True):
    """An organisation says that the subject, a mapping row named by its digest, is right."""

    organisation: Name
    at: str


class Dispute(Record, frozen=True, kw_only=True):
    """An organisation says that the subject is wrong, and why."""

    organisation: Name
    at: str
    reason: Annotated[str, Meta(min_length=1, max_length=2_000)]


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
