"""Verify a bundle offline and say, claim by claim, what holds, who signed and what is not claimed.

verification = verify_bundle(path.read_bytes(), [PublicKey.from_pem(key_file.read_bytes())])
for claim in verification.claims: print(claim.name, claim.record)

One statement alone, as it is signed beside bundles: `verify_statement`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal

import msgspec

from aloi.errors import EvidenceError
from aloi.evidence import envelope as dsse
from aloi.evidence.bundle import systems, unpack
from aloi.evidence.canonical import digest
from aloi.evidence.domainproof import check_domain_proof, served_keys
from aloi.evidence.envelope import Envelope, Opened, unknown_signer
from aloi.evidence.evalresults import AssuranceLevel, Attested
from aloi.evidence.guardset import measured_set
from aloi.evidence.logentry import stated
from aloi.evidence.organisations import Organisation
from aloi.evidence.predicates import Entry, Manifest, claim_type
from aloi.evidence.publication import Publication, Registration, Stands, left_unclaimed, registrations, verify_proofs
from aloi.evidence.publickeys import PublicKey
from aloi.evidence.records import Plan, Record
from aloi.evidence.rules import Stated, Statements, check_claims
from aloi.evidence.statement import Statement, Subject, claimed
from aloi.evidence.statement import read as read_statement
from aloi.evidence.trustpolicy import NONE, Policy
from aloi.translation import N_

Held = Literal[
    "canonical",
    "signatures",
    "trusted-signers",
    "manifest",
    "subjects",
    "plan",
    "verdicts",
    "coverage",
    "inclusion",
    "checkpoints",
    "cosignatures",
]
HOLDS: tuple[Held, ...] = (
    "canonical",
    "signatures",
    "trusted-signers",
    "manifest",
    "subjects",
    "plan",
    "verdicts",
    "coverage",
)

LOGGED: tuple[Held, ...] = ("inclusion", "checkpoints", "cosignatures")
NO_PROOFS: Mapping[str, bytes] = MappingProxyType({})


class Signer(Record, frozen=True, kw_only=True):
    """A key that signed, and whether it is among the keys the verifier trusts."""

    key_id: str
    trusted: bool


class VerifiedClaim(Record, frozen=True, kw_only=True, omit_defaults=False):
    """One statement that holds. `record` is None, and `name` empty, for a predicate type that is not ours.

    `digest` is that of what was signed, `envelope` the one by which statements about it name it. `assurance_level` is
    what the signer of a result declares, and nothing here shows; None where it is not told.
    """

    digest: str
    envelope: str
    predicate_type: str
    name: str
    subject: tuple[Subject, ...]
    record: Record | None
    plan: str | None
    signers: tuple[Signer, ...]
    non_claims: tuple[str, ...]
    assurance_level: AssuranceLevel | None = None


class Verification(Record, frozen=True, kw_only=True):
    """What holds of a bundle. There is no partial verification: what does not hold is an EvidenceError.

    `guard_set` is the digest of the remedies that stand after it, as a gateway names those by which it runs.
    `published` and `registered` are what proofs from logs show, where a policy was given.
    """

    digest: str
    subject: tuple[Subject, ...]
    claims: tuple[VerifiedClaim, ...]
    packed_by: tuple[Signer, ...]
    holds: tuple[Held, ...]
    non_claims: tuple[str, ...]
    guard_set: str = ""
    published: tuple[Publication, ...] = ()
    registered: tuple[Registration, ...] = ()

    @property
    def planned(self) -> bool:
        """Whether it answers to a plan: a bundle of monitoring alone has none."""
        return any(isinstance(claim.record, Plan) for claim in self.claims)


def verify_bundle(
    data: bytes,
    trusted: Sequence[PublicKey],
    *,
    threshold: int = 1,
    policy: Policy | None = None,
    proofs: Mapping[str, bytes] = NO_PROOFS,
) -> Verification:
    """Verify everything about a bundle that can be verified from its bytes and the keys you trust.

    We check (1) the file's form, (2) every signature, (3) that at least `threshold` trusted keys signed the manifest
    and each statement, (4) that the manifest names exactly these statements, signers and systems, in this order, (5)
    what the claims say of each other (`aloi.evidence.rules`), and under a policy (6) each proof that a log holds one of
    these envelopes (`aloi.evidence.publication`), of which there must be one. `proofs` are files by their name. The
    caller owes the trust in the keys and in the policy. Raises EvidenceError with a `reason` for the first thing that
    does not hold.
    """
    bundle, keys = unpack(data)  # (1)
    trust = frozenset(key.id for key in trusted)
    manifest = dsse.verify(bundle.manifest, keys)  # (2)
    opened = tuple(dsse.verify(each, keys) for each in bundle.envelopes)
    for each in (manifest, *opened):  # (3)
        _require_trust(each, trust, threshold)
    statements = tuple(_stated(each) for each in opened)
    sealed = read_statement(manifest.payload)
    subject = systems((each.statement.subject, each.claim) for each in statements)
    _check_manifest(sealed, opened, statements, subject)  # (4)
    _check_keys(keys, (bundle.manifest, *bundle.envelopes))
    check_claims(statements, subject)  # (5)
    claims = tuple(
        _verified(each, by, envelope, trust)
        for each, by, envelope in zip(statements, opened, bundle.envelopes, strict=True)
    )
    verification = Verification(
        digest=digest(data),
        subject=subject,
        claims=claims,
        packed_by=_signers(manifest, trust),
        holds=HOLDS,
        non_claims=_union([_non_claims_of(sealed), *(claim.non_claims for claim in claims)]),
        guard_set=measured_set(claim.record for claim in claims),
    )
    if policy is None:
        return verification
    stands = [Stands(each.digest, by, each.statement) for each, by in zip(statements, bundle.envelopes, strict=True)]
    stands.append(Stands(digest(manifest.payload), bundle.manifest, sealed))
    return _with_proofs(verification, stands, proofs, policy)  # (6)


def _with_proofs(
    verification: Verification, stands: Sequence[Stands], proofs: Mapping[str, bytes], policy: Policy
) -> Verification:
    if not proofs:
        raise EvidenceError(
            N_("there is a policy, and no proof that a log holds any of this bundle's statements"),
            reason="no-proof",
            remedy=N_("ask for the .tlog-proof files that belong to the bundle, or verify it without a policy"),
        )
    published = verify_proofs(proofs, stands, policy)
    registered = registrations(published)
    witnessed: tuple[Held, ...] = ("inclusion", "checkpoints") if policy.quorum == NONE else LOGGED
    return msgspec.structs.replace(
        verification,
        holds=(*verification.holds, *witnessed),
        non_claims=left_unclaimed(verification.non_claims, registered),
        published=published,
        registered=registered,
    )


def verify_statement(
    data: bytes, trusted: Sequence[PublicKey], *, threshold: int = 1, served: bytes | None = None
) -> VerifiedClaim:
    """Verify one envelope alone: its signatures, and that at least `threshold` keys that you trust signed it.

    `served` is the text that an organisation's domain serves: the keys in it are trusted as well, where they are those
    that the statement lists and does not revoke. Raises EvidenceError as `envelope.read`, `envelope.verify`,
    `statement.read`, `statement.claimed`, `check_domain_proof` and `RosterKey.key`, and 'no-organisation'.
    """
    envelope = dsse.read(data)
    _, statement = stated(envelope)
    claim = claimed(statement)
    record = claim.record if claim else None
    listed = [each.key() for each in record.keys] if isinstance(record, Organisation) else []
    trust = {key.id for key in trusted}
    if served is not None:
        if not isinstance(record, Organisation):
            raise EvidenceError(
                N_("a domain's text says nothing of a statement that no organisation makes of itself"),
                reason="no-organisation",
                remedy=N_("leave --domain-proof out, or verify the organisation's own statement"),
            )
        check_domain_proof(served, record)
        trust |= served_keys(record)
    opened = dsse.verify(envelope, [*trusted, *listed])
    _require_trust(opened, trust, threshold)
    return _verified(_stated(opened), opened, envelope, trust)


def _require_trust(opened: Opened, trust: Collection[str], threshold: int) -> None:
    strangers = [key.id for key in opened.signers if key.id not in trust]
    count = len(opened.signers) - len(strangers)
    if count >= max(threshold, 1):
        return
    if strangers:
        raise unknown_signer(strangers[0])
    raise dsse.too_few_signers(count, threshold)


def _stated(opened: Opened) -> Stated:
    statement = read_statement(opened.payload)
    return Stated(digest(opened.payload), statement, claimed(statement))


def _check_manifest(
    sealed: Statement, opened: Sequence[Opened], statements: Statements, subject: tuple[Subject, ...]
) -> None:
    claim = claimed(sealed)
    if claim is None or not isinstance(claim.record, Manifest):
        raise EvidenceError(
            N_("what stands in the manifest's place is not a manifest"),
            reason="no-manifest",
            remedy=N_("obtain the evidence again from its author"),
        )
    entries = claim.record.entries
    present = tuple(
        Entry(
            digest=each.digest,
            predicate_type=each.statement.predicate_type,
            signers=tuple(signer.id for signer in by.signers),
        )
        for each, by in zip(statements, opened, strict=True)
    )
    if len(entries) != len(present):
        raise EvidenceError(
            N_("the manifest names {named} statements, the bundle holds {present}: one was left out or added"),
            reason="manifest-count",
            remedy=N_("obtain the whole bundle from its author"),
            named=len(entries),
            present=len(present),
        )
    for position, (named, found) in enumerate(zip(entries, present, strict=True), start=1):
        if named != found:
            raise EvidenceError(
                N_("statement {position} is not the one that the manifest names there"),
                reason="manifest-mismatch",
                remedy=N_("it was swapped, moved or signed by others: obtain the bundle from its author"),
                position=position,
            )
    if len({each.digest for each in present}) != len(present):
        raise EvidenceError(
            N_("one statement stands twice in the bundle"),
            reason="repeated-statement",
            remedy=N_("obtain the evidence again from its author"),
        )
    if sealed.subject != subject:
        raise EvidenceError(
            N_("the manifest names other systems than the plan and its effects"),
            reason="manifest-subject",
            remedy=N_("obtain the evidence again from its author"),
        )


def _check_keys(keys: Sequence[PublicKey], envelopes: Iterable[Envelope]) -> None:
    used = {signature.keyid for each in envelopes for signature in each.signatures}
    if [key.id for key in keys] != sorted(used):
        raise EvidenceError(
            N_("the bundle's keys are not exactly those of its signers, in order"),
            reason="stray-key",
            remedy=N_("obtain the evidence again from its author"),
        )


def _verified(stated: Stated, opened: Opened, envelope: Envelope, trust: Collection[str]) -> VerifiedClaim:
    statement, claim = stated.statement, stated.claim
    known = claim_type(statement.predicate_type)
    return VerifiedClaim(
        digest=stated.digest,
        envelope=digest(dsse.write(envelope)),
        predicate_type=statement.predicate_type,
        name=known[0] if known else "",
        subject=statement.subject,
        record=claim.record if claim else None,
        plan=claim.plan if claim else None,
        signers=_signers(opened, trust),
        non_claims=claim.non_claims if claim else (),
        assurance_level=claim.assurance_level if isinstance(claim, Attested) else None,
    )


def _signers(opened: Opened, trust: Collection[str]) -> tuple[Signer, ...]:
    return tuple(Signer(key_id=key.id, trusted=key.id in trust) for key in opened.signers)


def _non_claims_of(statement: Statement) -> tuple[str, ...]:
    claim = claimed(statement)
    return claim.non_claims if claim else ()


def _union(lists: Iterable[Sequence[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(code for codes in lists for code in codes))
