"""Every result of verified bundles: one finding or hunt, under which plan it stands, and in which bundles."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from aloi.errors import EvidenceError
from aloi.evidence.bundle import no_plan, unpack
from aloi.evidence.envelope import Envelope
from aloi.evidence.publickeys import PublicKey
from aloi.evidence.records import Finding, HazardPlan, Hunt, Plan
from aloi.evidence.statement import Subject
from aloi.evidence.verification import Verification, VerifiedClaim, verify_bundle


class Source(NamedTuple):
    """A bundle that holds, its envelopes in the order of its claims, and the keys that signed them."""

    verification: Verification
    envelopes: tuple[Envelope, ...]
    keys: tuple[PublicKey, ...]

    @property
    def plan(self) -> VerifiedClaim:
        """Its one plan."""
        return next(claim for claim in self.verification.claims if isinstance(claim.record, Plan))


class Result(Struct, frozen=True, kw_only=True):
    """A finding or a hunt on one hazard of one system; `planned` is what its plan says of that hazard.

    `statement` is the digest of what was signed, `envelopes` those by which others name it, `bundles` where it stands;
    in none where a log told it.
    """

    statement: str
    envelopes: tuple[str, ...]
    bundles: tuple[str, ...]
    system: Subject
    signers: tuple[str, ...]
    record: Finding | Hunt
    planned: HazardPlan
    plan: Plan
    plan_digest: str

    @property
    def hazard(self) -> str:
        """The hazard's slug."""
        return self.record.hazard


def open_bundles(bundles: Iterable[tuple[str, bytes]], trusted: Sequence[PublicKey]) -> tuple[Source, ...]:
    """Verify bundles, given with the names that errors tell; one that stands twice counts once.

    Raises EvidenceError for the first that does not hold.
    """
    found: dict[str, Source] = {}
    for name, data in bundles:
        try:
            verification = verify_bundle(data, trusted)
            if not verification.planned:
                raise no_plan()
            bundle, keys = unpack(data)
            found.setdefault(verification.digest, Source(verification, bundle.envelopes, keys))
        except EvidenceError as error:
            error.where = name
            raise
    return tuple(found.values())


def results_of(sources: Iterable[Source]) -> tuple[Result, ...]:
    """All findings and hunts, each statement once however many bundles hold it."""
    return together(
        _result(claim, claim.record, source.plan, source.verification.digest)
        for source in sources
        for claim in source.verification.claims
        if isinstance(claim.record, Finding | Hunt)
    )


def _result(claim: VerifiedClaim, record: Finding | Hunt, plan: VerifiedClaim, bundle: str) -> Result:
    assert isinstance(plan.record, Plan)
    return Result(
        statement=claim.digest,
        envelopes=(claim.envelope,),
        bundles=(bundle,),
        system=claim.subject[0],
        signers=tuple(signer.key_id for signer in claim.signers),
        record=record,
        planned=next(each for each in plan.record.hazards if each.hazard == record.hazard),
        plan=plan.record,
        plan_digest=plan.digest,
    )


def together(results: Iterable[Result]) -> tuple[Result, ...]:
    """Each statement once, in however many places it stands."""
    found: dict[str, Result] = {}
    for each in results:
        found[each.statement] = _both(found[each.statement], each) if each.statement in found else each
    return tuple(found.values())


def _both(one: Result, other: Result) -> Result:
    """A statement that stands in several places."""
    return replace(
        one,
        envelopes=tuple(dict.fromkeys((*one.envelopes, *other.envelopes))),
        bundles=tuple(dict.fromkeys((*one.bundles, *other.bundles))),
        signers=tuple(dict.fromkeys((*one.signers, *other.signers))),
    )
