"""An organisation's statements on itself: the first, and the next one when a key comes, goes or is lost."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from aloi.assurance.stating import read_stated
from aloi.errors import AskerError, EvidenceError
from aloi.evidence.fields import moment
from aloi.evidence.organisations import ORGANISATION, Organisation, Revocation, RosterKey, organisation_digest
from aloi.evidence.publickeys import PublicKey
from aloi.evidence.statement import Subject
from aloi.translation import N_


class Own(NamedTuple):
    """The newest statement of an organisation, and the digest that names it."""

    envelope: str
    organisation: Organisation


def read_own(path: Path) -> Own:
    """An organisation's statement from its file. Raises AskerError where it states something else."""
    try:
        found = read_stated(path)
    except EvidenceError as error:
        error.where = str(path)
        raise
    if not isinstance(found.record, Organisation):
        raise AskerError(
            N_("{file} is not a statement of an organisation on itself"),
            remedy=N_("name the newest file that `aloi state organisation` or `aloi keys rotate` wrote"),
            file=path,
        )
    return Own(found.envelope, found.record)


def subject_of(organisation: Organisation) -> Subject:
    """What the statement is about: the domain."""
    return Subject.of(ORGANISATION, organisation_digest(organisation.domain))


def file_of(organisation: Organisation) -> Path:
    """The name of the statement's file."""
    return Path(f"organisation.{organisation.domain}.{organisation.sequence}.dsse.json")


def fresh(key: PublicKey, at: str) -> RosterKey:
    """A key that stands from the beginning of the day on: clocks differ, and it speaks only once it is logged."""
    return RosterKey.of(key, f"{at[:10]}T00:00:00Z")


def with_key(own: Own, key: PublicKey, at: str, *, instead_of: str = "") -> Organisation:
    """The next statement, with one key more; the key of the id `instead_of` is revoked as superseded.

    Raises AskerError where the key is listed already.
    """
    if _listed(own.organisation, key.id):
        raise AskerError(
            N_("the key {key} is in the roster already"), remedy=N_("make a new key, in another file"), key=key.id
        )
    keys = (*own.organisation.keys, fresh(key, at))
    return successor(own, at, keys=_revoked(keys, instead_of, at, "superseded") if instead_of else keys)


def without_key(own: Own, key: str, at: str, *, since: str, reason: Revocation) -> Organisation:
    """The next statement, in which a key is revoked.

    Raises AskerError where it is not listed or revoked already, or no key would be left to speak.
    """
    listed = require_listed(own.organisation, key)
    if listed.revoked_at is not None:
        raise AskerError(
            N_("the key {key} was revoked at {time}"),
            remedy=N_("name another key; what is revoked stays so"),
            key=key,
            time=listed.revoked_at,
        )
    keys = _revoked(own.organisation.keys, key, since, reason)
    if all(each.revoked_at is not None for each in keys):
        raise AskerError(
            N_("{key} is the last key of {domain}: without it nobody could speak for the organisation again"),
            remedy=N_("run `aloi keys rotate` first"),
            key=key,
            domain=own.organisation.domain,
        )
    return successor(own, at, keys=keys)


def successor(own: Own, at: str, **changes: object) -> Organisation:
    """The next statement, with these fields changed. Raises ValueError for what cannot be stated."""
    following = {"at": at, "sequence": own.organisation.sequence + 1, "previous": own.envelope}
    return msgspec.structs.replace(own.organisation, **(following | changes))


def changed(own: Own, at: str, keys: Sequence[PublicKey], **changes: object) -> Organisation:
    """The next statement with other fields, signed by `keys`: the first speaks already, new ones are listed.

    Raises AskerError where the first does not speak, or the domain would change.
    """
    require_speaking(own.organisation, keys[0], at)
    if changes.get("domain", own.organisation.domain) != own.organisation.domain:
        raise AskerError(
            N_("an organisation keeps its domain, {domain}"),
            remedy=N_("make a first statement for the other domain, without --previous"),
            domain=own.organisation.domain,
        )
    new = [fresh(each, at) for each in keys if not _listed(own.organisation, each.id)]
    return successor(own, at, keys=(*own.organisation.keys, *new), **changes)


def require_speaking(organisation: Organisation, key: PublicKey, at: str) -> None:
    """That a key may sign the next statement. Raises AskerError where nobody would believe it."""
    listed = require_listed(organisation, key.id)
    over = [each for each in (listed.revoked_at, listed.valid_until) if each and moment(each) <= moment(at)]
    if over:
        raise AskerError(
            N_("the key {key} speaks no longer for {domain}, since {time}"),
            remedy=N_("sign with another key of the roster: --key FILE"),
            key=key.id,
            domain=organisation.domain,
            time=over[0],
        )


def require_listed(organisation: Organisation, key: str) -> RosterKey:
    """The key of an id in a roster. Raises AskerError where it is not there."""
    found = _listed(organisation, key)
    if found is None:
        raise AskerError(
            N_("the key {key} is not in the roster of {domain}; these are: {known}"),
            remedy=N_("name one of them"),
            key=key,
            domain=organisation.domain,
            known=", ".join(each.id for each in organisation.keys),
        )
    return found


def _listed(organisation: Organisation, key: str) -> RosterKey | None:
    return next((each for each in organisation.keys if each.id == key), None)


def _revoked(keys: Sequence[RosterKey], key: str, at: str, why: Revocation) -> tuple[RosterKey, ...]:
    return tuple(
        msgspec.structs.replace(each, revoked_at=at, revocation=why) if each.id == key and not each.revoked_at else each
        for each in keys
    )
