"""Sign what was found: a statement for each claim, packed so that a stranger can check them alone."""

import os
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from aloi.errors import AskerError, EvidenceError
from aloi.evidence import envelope as dsse
from aloi.evidence import keys
from aloi.evidence.bundle import pack
from aloi.evidence.canonical import digest
from aloi.evidence.envelope import Envelope
from aloi.evidence.evalresults import AssuranceLevel
from aloi.evidence.publickeys import PublicKey
from aloi.evidence.records import BenignRate, Coverage, Effect, Finding, Hunt, Plan, Record
from aloi.evidence.statement import Subject, claimed, state
from aloi.evidence.statement import read as read_statement
from aloi.standards.coverage import cover
from aloi.standards.frameworks import framework
from aloi.standards.judging import EvidenceItem
from aloi.system.reading import System
from aloi.translation import N_

PASSPHRASE = "ALOI_KEY_PASSPHRASE"  # noqa: S105 - the name of a variable, not a passphrase


def signing_key(path: Path) -> keys.PrivateKey:
    """The key at `path`; a new Ed25519 key is made there where there is none.

    ALOI_KEY_PASSPHRASE opens, or encrypts, the file. Raises AskerError where the key cannot be read or written.
    """
    return kept_key(path) if path.exists() else make_key(path, passphrase())


def kept_key(path: Path) -> keys.PrivateKey:
    """The key at `path`, which a run that goes on has used before. Raises AskerError where it is not there."""
    return keys.load(path, passphrase())


def passphrase() -> bytes | None:
    """What ALOI_KEY_PASSPHRASE says; None where it says nothing."""
    return os.fsencode(os.environ.get(PASSPHRASE, "")) or None


def make_key(path: Path, protection: bytes | None = None, algorithm: str = "ed25519") -> keys.PrivateKey:
    """A new key pair: `path`, readable by its owner alone, and its public half beside it as `.pub.pem`.

    Raises AskerError where a key is there already or the folder cannot be written.
    """
    public = path.with_suffix(".pub.pem")
    if public.exists() and not path.exists():
        raise AskerError(
            N_("{file} is there already, without the private key {private}"),
            remedy=N_("choose another name; a key is never overwritten"),
            file=public,
            private=path,
        )
    key = keys.PrivateKey.generate(algorithm)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        keys.save(key, path, protection)
        public.write_bytes(key.public.pem())
    except OSError as error:
        raise AskerError(
            N_("cannot write {file}: {problem}"),
            remedy=N_("make the folder writable, free some space, or name another file"),
            file=path,
            problem=error.strerror or error,
        ) from error
    return key


def public_key_of(path: Path) -> PublicKey:
    """The public key of a key file, private or public. Raises AskerError where it holds neither."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise AskerError(
            N_("the key file {path} cannot be read: {problem}"),
            remedy=N_("check the name of the file; `aloi keys new` makes a key"),
            path=path,
            problem=error.strerror or error,
        ) from error
    if b"PUBLIC KEY" in data:
        return PublicKey.from_pem(data)
    return kept_key(path).public


class SignedPlan(Struct, frozen=True):
    """The plan as it was registered, and the digest by which every later claim names it."""

    plan: Plan
    envelope: Envelope
    digest: str


def sign_plan(plan: Plan, subject: Subject, key: keys.PrivateKey) -> SignedPlan:
    """Register a plan: after this nothing in it can change unseen."""
    payload = state(plan, [subject])
    return SignedPlan(plan, dsse.sign(payload, key), digest(payload))


def read_plan(data: bytes, key: keys.PrivateKey) -> SignedPlan:
    """The plan of a run that is resumed. Raises EvidenceError unless `key` signed exactly this plan."""
    envelope = dsse.read(data)
    opened = dsse.verify(envelope, [key.public])
    claim = claimed(read_statement(opened.payload))
    if claim is None or not isinstance(claim.record, Plan):
        raise EvidenceError(
            N_("the run's plan.dsse.json does not hold a plan"),
            reason="no-plan",
            remedy=N_("the folder was changed by hand: start a new run"),
        )
    return SignedPlan(claim.record, envelope, digest(opened.payload))


def declared(system: System) -> AssuranceLevel:
    """What a result may declare of itself: a third party's word where `relationship` says so, else its signer's own."""
    return "third_party" if system.description.assurance.relationship == "third_party" else "self_attested"


class Proof:
    """The statements of one run, in the order in which a reader wants them."""

    def __init__(
        self,
        signed: SignedPlan,
        before: Subject,
        after: Subject,
        key: keys.PrivateKey,
        assurance: AssuranceLevel = "self_attested",
    ) -> None:
        self._signed = signed
        self._before = before
        self._after = after
        self._key = key
        self._assurance = assurance
        self._envelopes = [signed.envelope]
        self._items = [EvidenceItem(digest=signed.digest, record=signed.plan)]

    def add(self, record: Finding | BenignRate | Effect | Hunt) -> None:
        """Sign one record. What was measured before a remedy is about the bare system, an effect about both."""
        if isinstance(record, Effect):
            subjects = [self._before, self._after]
        else:
            subjects = [self._after if record.stage == "confirm" else self._before]
        self._items.append(EvidenceItem(digest=self._sign(record, subjects), record=record))

    def cover(self, frameworks: Sequence[str], *, accepted: bool) -> list[Coverage]:
        """See frameworks through what was added so far, and sign that too."""
        found = [cover(framework(name), self._items) for name in frameworks]
        for coverage in found:
            self._sign(coverage, [self._after if accepted else self._before])
        return found

    def bundle(self) -> bytes:
        """The bundle's bytes."""
        return pack(self._envelopes, [self._key.public], self._key)

    def _sign(self, record: Record, subjects: Sequence[Subject]) -> str:
        payload = state(record, subjects, plan=self._signed.digest, assurance=self._assurance)
        self._envelopes.append(dsse.sign(payload, self._key))
        return digest(payload)
