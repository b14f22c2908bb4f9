"""Attach what people wrote or kept: by its digest, with who approved it and until when it counts."""

import hashlib
from datetime import date
from pathlib import Path

from aloi.errors import AskerError, EvidenceError
from aloi.evidence import envelope as dsse
from aloi.evidence.bundle import read
from aloi.evidence.canonical import digest
from aloi.evidence.envelope import Envelope
from aloi.evidence.publickeys import PublicKey, SigningKey
from aloi.evidence.statement import Subject, claimed, state
from aloi.evidence.statement import read as read_statement
from aloi.evidence.vouching import Attachment
from aloi.standards.hub import MEASURED, Hub
from aloi.standards.judging import EvidenceItem
from aloi.translation import N_

LIMIT = 64 * 1024 * 1024


def attach(
    file: Path,
    hub: Hub,
    control: str,
    *,
    approved_by: str,
    approved_on: date,
    valid_until: date | None,
    key: SigningKey,
) -> Envelope:
    """Sign that a file answers a control. Raises AskerError where it is too large, or the control asks for no file."""
    asked = hub.control(control)
    if asked.proof in MEASURED:
        written = ", ".join(one.id for one in hub.controls if one.proof not in MEASURED)
        raise AskerError(
            N_("{control} is proved by measuring, not by a file"),
            remedy=N_("attach files to one of: {written}"),
            control=control,
            written=written,
        )
    if valid_until is not None and valid_until < approved_on:
        raise AskerError(
            N_("a file approved on {start} cannot expire on {end}"),
            remedy=N_("correct one of the two days"),
            start=approved_on,
            end=valid_until,
        )
    data = _read(file)
    record = Attachment(
        control=control,
        size=len(data),
        approved_by=approved_by,
        approved_on=approved_on.isoformat(),
        valid_until=valid_until.isoformat() if valid_until else None,
    )
    subject = Subject.of(file.name, "sha256:" + hashlib.sha256(data).hexdigest())
    return dsse.sign(state(record, [subject]), key)


def _read(file: Path) -> bytes:
    data = read(file, LIMIT)
    if len(data) > LIMIT:
        raise AskerError(
            N_("{file} is larger than the {limit} bytes that an attachment may have"),
            remedy=N_("attach the part that answers the control, or a file that lists the digests of the parts"),
            file=file,
            limit=LIMIT,
        )
    if not data:
        raise AskerError(N_("{file} is empty"), remedy=N_("attach the finished file"), file=file)
    return data


def read_attachment(data: bytes, keys: list[PublicKey]) -> EvidenceItem:
    """An attachment from its envelope. Raises EvidenceError: as `envelope.verify`, or 'no-attachment'."""
    opened = dsse.verify(dsse.read(data), keys)
    statement = read_statement(opened.payload)
    claim = claimed(statement)
    if claim is None or not isinstance(claim.record, Attachment):
        raise EvidenceError(
            N_("this statement attaches nothing"),
            reason="no-attachment",
            remedy=N_("give files made by `aloi standards attach`"),
        )
    return EvidenceItem(digest=digest(opened.payload), record=claim.record, subject=statement.subject)
