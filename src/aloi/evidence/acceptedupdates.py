"""The file by which a detector runs with an update: the update as it was signed, and the acceptance that it rests on.

`{"format": "https://aloi.dev/accepted-update/v1", "update": {…}, "acceptance": {…}, "key": "…"}`
"""

from typing import Annotated

from msgspec import Meta

from aloi.errors import EvidenceError
from aloi.evidence import envelope as dsse
from aloi.evidence.canonical import canonical, digest
from aloi.evidence.decoding import decode
from aloi.evidence.encoding import from_base64, to_base64
from aloi.evidence.envelope import Envelope
from aloi.evidence.publickeys import PublicKey
from aloi.evidence.records import Record
from aloi.evidence.statement import Statement, claimed
from aloi.evidence.statement import read as read_statement
from aloi.evidence.updates import DetectorUpdate, UpdateAcceptance
from aloi.evidence.vouching import STATEMENT
from aloi.translation import N_

FORMAT = "https://aloi.dev/accepted-update/v1"
LIMIT = 256 * 1024  # bytes of an update's envelope
FILE_LIMIT = LIMIT + 64 * 1024


class AcceptedUpdate(Record, frozen=True, kw_only=True):
    """`key` is the public key of who accepted, SubjectPublicKeyInfo DER in base64."""

    format: str
    update: Envelope
    acceptance: Envelope
    key: Annotated[str, Meta(max_length=4_096)]


def read_update(data: bytes) -> Envelope:
    """The envelope of an update, its signatures not verified. Raises EvidenceError as `decode`."""
    return decode(data, Envelope, limit=LIMIT)


def write(update: Envelope, acceptance: Envelope, key: PublicKey) -> bytes:
    """The file. Raises EvidenceError as `read` where it could not be read back."""
    file = AcceptedUpdate(format=FORMAT, update=update, acceptance=acceptance, key=to_base64(key.der))
    data = canonical(file)
    read(data)
    return data


def read(data: bytes) -> DetectorUpdate:
    """The update of a file, that the key in it accepted.

    We check (1) the form, (2) that the key signed the acceptance, (3) that this is the update which it accepts, (4) for
    the same model. Nothing says whose key it is: the file is believed as the system.yaml beside it. Raises
    EvidenceError: 'not-accepted' and as `decode`, `envelope.verify`, `statement.read`, `PublicKey`.
    """
    file = decode(data, AcceptedUpdate, limit=FILE_LIMIT)
    if file.format != FORMAT:  # (1)
        raise _not_accepted()
    opened = dsse.verify(file.acceptance, [PublicKey(from_base64(file.key, "key"))])  # (2)
    said = read_statement(opened.payload)
    acceptance = _record(said)
    update = _record(read_statement(from_base64(file.update.payload, "payload")))
    named = [(one.name, one.fingerprint) for one in said.subject]
    is_this = named == [(STATEMENT, digest(dsse.write(file.update)))]  # (3)
    if not (is_this and isinstance(acceptance, UpdateAcceptance) and isinstance(update, DetectorUpdate)):
        raise _not_accepted()
    if acceptance.base != update.base:  # (4)
        raise _not_accepted()
    return update


def _record(statement: Statement) -> object:
    claim = claimed(statement)
    return claim.record if claim else None


def _not_accepted() -> EvidenceError:
    return EvidenceError(
        N_("this is not an update of the detector with the acceptance that it rests on"),
        reason="not-accepted",
        remedy=N_("measure the update and accept it: aloi guard accept"),
    )
