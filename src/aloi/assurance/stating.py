"""Say something of a statement, of oneself or of an incident, and keep what was sealed until it is told."""

import os
import re
import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec

from aloi.errors import AskerError, EvidenceError
from aloi.evidence import envelope as dsse
from aloi.evidence import logentry
from aloi.evidence.bundle import read as read_file
from aloi.evidence.canonical import digest
from aloi.evidence.commitments import SECRET_SIZE
from aloi.evidence.decoding import decode
from aloi.evidence.envelope import Envelope
from aloi.evidence.fields import Digest, Hash
from aloi.evidence.publickeys import SigningKey
from aloi.evidence.records import Record
from aloi.evidence.statement import Subject, claimed, state
from aloi.translation import N_

SEAL = "https://aloi.dev/seal/v1"
R = TypeVar("R", bound=Record)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_PLACE = re.compile(r"[$.](\w+)(?:\[[^\]]*\])*(?=`$)")
_DOMAIN = N_("give a domain in small letters, for example institute.example.org")
_FORMS = {
    "domain": _DOMAIN,
    "to": _DOMAIN,
    "system": N_("give `sha256:` and 64 digits of 0 to 9 and a to f"),
    "participants": N_("name at least two"),
}


class Stated(NamedTuple):
    """A statement of a file, its signatures not verified: the digest that names it, its subjects and its record."""

    envelope: str
    subjects: tuple[Subject, ...]
    record: Any


class Seal(Record, frozen=True, kw_only=True):
    """What was fixed by the statement `commitment` and is not told yet. It stays with its maker."""

    format: str
    commitment: Digest
    salt: Hash
    text: str


def now() -> str:
    """This second, as statements write it."""
    return written(datetime.now(UTC))


def written(time: datetime) -> str:
    """A point in time as statements write it; one without a zone is in UTC."""
    zoned = time if time.tzinfo else time.replace(tzinfo=UTC)
    return zoned.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_stated(path: Path) -> Stated:
    """The statement of a file. Raises AskerError where it cannot be read, EvidenceError where it is none."""
    envelope = dsse.read(read_file(path))
    _, statement = logentry.stated(envelope)
    claim = claimed(statement)
    return Stated(digest(dsse.write(envelope)), statement.subject, claim.record if claim else None)


def named(statement: str) -> str:
    """The digest of the envelope of a statement: of its file, or the digest itself."""
    return statement if _DIGEST.fullmatch(statement) else read_stated(Path(statement)).envelope


def made(make: Callable[[], R]) -> R:
    """A record from what somebody gave. Raises AskerError where it makes none."""
    try:
        record = make()
        return msgspec.json.decode(msgspec.json.encode(record), type=type(record))  # constructors check no types
    except msgspec.ValidationError as error:
        *_, field = _PLACE.findall(str(error)) or [""]
        raise AskerError(
            N_("this cannot be stated: “{field}” has not the form that it needs"),
            remedy=_FORMS.get(field, N_("correct what you said, and state it again")),
            field=field,
        ) from error
    except ValueError as error:
        raise AskerError(
            N_("this cannot be stated: {problem}"),
            remedy=N_("correct what you said, and state it again"),
            problem=error,
        ) from error


def signed(make: Callable[[], Record], subjects: Sequence[Subject], *keys: SigningKey) -> Envelope:
    """Sign a record. Raises AskerError where what was given makes none."""
    return dsse.sign(state(made(make), subjects), *keys)


def salt() -> bytes:
    """A fresh salt: who does not have it cannot guess what was fixed with it."""
    return secrets.token_bytes(SECRET_SIZE)


def keep(seal: Seal, path: Path) -> None:
    """Write a seal to a new file that its owner alone can read. Raises AskerError where it cannot be made."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(seal)))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise AskerError(
            N_("cannot write {file}: {problem}"),
            remedy=N_("make the folder writable, free some space, or name another file"),
            file=path,
            problem=error.strerror or error,
        ) from error


def kept(path: Path) -> Seal:
    """A seal from its file. Raises AskerError where it is none."""
    try:
        seal = decode(read_file(path), Seal)
    except EvidenceError as error:
        raise _no_seal(path) from error
    if seal.format != SEAL:
        raise _no_seal(path)
    return seal


def _no_seal(path: Path) -> AskerError:
    return AskerError(
        N_("{file} does not hold what was sealed"),
        remedy=N_("name the *.seal.json file that was written when it was sealed"),
        file=path,
    )
