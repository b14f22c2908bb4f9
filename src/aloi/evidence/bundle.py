"""One file that a stranger can check alone: envelopes, their signers' public keys, and a signed manifest.

The file is canonical JSON (RFC 8785): one bundle has one byte form, and so one digest.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from aloi.errors import AskerError, EvidenceError
from aloi.evidence import envelope as dsse
from aloi.evidence.canonical import canonical, digest
from aloi.evidence.decoding import decode, shown
from aloi.evidence.encoding import from_base64, to_base64
from aloi.evidence.envelope import Envelope
from aloi.evidence.monitoring import Monitoring
from aloi.evidence.predicates import Claim, Entry, Manifest
from aloi.evidence.publickeys import PublicKey, SigningKey
from aloi.evidence.records import Effect, Plan, Record
from aloi.evidence.statement import Subject, claimed, state
from aloi.evidence.statement import read as read_statement
from aloi.translation import N_

FORMAT = "https://aloi.dev/bundle/v1"
LIMIT = 4 << 20


class Bundle(Record, frozen=True, kw_only=True):
    """The file as it is written. `keys` are SubjectPublicKeyInfo DER in base64: they name signers, they vouch for none.

    The manifest signs the order, the statements and the signers of `envelopes`.
    """

    format: str
    keys: tuple[str, ...]
    manifest: Envelope
    envelopes: tuple[Envelope, ...]


def pack(envelopes: Sequence[Envelope], public_keys: Iterable[PublicKey], key: SigningKey) -> bytes:
    """The bundle's bytes, its manifest signed by `key`. Same arguments, same bytes (with a deterministic algorithm).

    `public_keys` must hold every signer's key; keys that signed nothing here are left out. Raises EvidenceError where
    an envelope does not verify or there is no plan.
    """
    known = {public.id: public for public in (*public_keys, key.public)}
    opened = [dsse.verify(each, known.values()) for each in envelopes]
    statements = [read_statement(each.payload) for each in opened]
    entries = tuple(
        Entry(
            digest=digest(each.payload),
            predicate_type=statement.predicate_type,
            signers=tuple(signer.id for signer in each.signers),
        )
        for each, statement in zip(opened, statements, strict=True)
    )
    manifest = dsse.sign(
        state(Manifest(entries=entries), systems((each.subject, claimed(each)) for each in statements)), key
    )
    signers = {key.public.id: key.public} | {signer.id: signer for each in opened for signer in each.signers}
    return canonical(
        Bundle(
            format=FORMAT,
            keys=tuple(to_base64(signers[name].der) for name in sorted(signers)),
            manifest=manifest,
            envelopes=tuple(envelopes),
        )
    )


def unpack(data: bytes) -> tuple[Bundle, tuple[PublicKey, ...]]:
    """The bundle's parts and keys, nothing verified yet.

    Raises EvidenceError: as `decode`, 'unknown-format', 'not-canonical', and as `PublicKey`.
    """
    bundle = decode(data, Bundle, limit=LIMIT)
    if bundle.format != FORMAT:
        raise EvidenceError(
            N_("this bundle is of the format “{got}”; this release reads {expected}"),
            reason="unknown-format",
            remedy=N_("use a newer release of Aloi"),
            got=shown(bundle.format),
            expected=FORMAT,
        )
    if canonical(bundle) != data:
        raise EvidenceError(
            N_("the bundle is not in its one canonical form: something was added or re-written"),
            reason="not-canonical",
            remedy=N_("obtain the file again from its author, byte for byte"),
        )
    return bundle, tuple(PublicKey(from_base64(each, "keys")) for each in bundle.keys)


def systems(stated: Iterable[tuple[tuple[Subject, ...], Claim[Any] | None]]) -> tuple[Subject, ...]:
    """The systems a bundle is about: those of its one plan, then the hardened ones that effects derive.

    `stated` gives each statement's subjects and typed claim. An effect declares a hardened system by naming,
    as subjects, a system of the plan first and the hardened one after. Monitoring has no plan: a bundle of nothing else
    is about the systems that were monitored.
    Raises EvidenceError: 'no-plan', 'several-plans'.
    """
    claims = list(stated)
    plans = [subject for subject, claim in claims if claim and isinstance(claim.record, Plan)]
    if claims and all(claim and isinstance(claim.record, Monitoring) for _, claim in claims):
        return tuple({each.fingerprint: each for subject, _ in claims for each in subject}.values())
    if not plans:
        raise no_plan()
    if len(plans) > 1:
        raise EvidenceError(
            N_("the bundle holds {count} plans; a bundle answers to one"),
            reason="several-plans",
            remedy=N_("pack one bundle per plan"),
            count=len(plans),
        )
    found = {subject.fingerprint: subject for subject in plans[0]}
    planned = frozenset(found)
    for subject, claim in claims:
        if claim and isinstance(claim.record, Effect) and subject[0].fingerprint in planned:
            found |= {each.fingerprint: each for each in subject if each.fingerprint not in found}
    return tuple(found.values())


def no_plan() -> EvidenceError:
    """The error ('no-plan') for a bundle in which a plan is missing."""
    return EvidenceError(
        N_("the bundle holds no plan: what was to be measured is not known"),
        reason="no-plan",
        remedy=N_("ask for the bundle with its signed plan"),
    )


def read(path: Path, limit: int = LIMIT) -> bytes:
    """The bytes of a file, at most one more than `limit`, which is that of a bundle where none is given.

    Raises AskerError where it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(limit + 1)
    except OSError as error:
        raise AskerError(
            N_("{path} cannot be read: {problem}"),
            remedy=N_("check the name of the file"),
            path=path,
            problem=error.strerror,
        ) from error


def write(data: bytes, path: Path) -> None:
    """Write the bundle whole or not at all: temporary file, fsync, rename. Raises AskerError where that fails."""
    temporary = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise AskerError(
            N_("{path} cannot be written: {problem}"),
            remedy=N_("free some space, or choose a folder you may write to"),
            path=path,
            problem=error.strerror,
        ) from error


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
