"""One item of a run, opened to an auditor, against the bundle that the run signed."""

from collections.abc import Iterable

from msgspec import Struct

from aloi.errors import EvidenceError
from aloi.evidence.commitments import Opening, read_opening, verify_opening
from aloi.evidence.records import Sample
from aloi.evidence.verification import VerifiedClaim
from aloi.translation import N_


class VerifiedItem(Struct, frozen=True, kw_only=True):
    """An item that was among the trials of these claims, at the same place of each."""

    opening: Opening
    claims: tuple[VerifiedClaim, ...]


def sample_of(claim: VerifiedClaim) -> Sample | None:
    """The trials behind a claim, where it has some."""
    found = getattr(claim.record, "sample", None)
    return found if isinstance(found, Sample) else None


def verify_item(data: bytes, claims: Iterable[VerifiedClaim]) -> VerifiedItem:
    """That an opened item belonged to the trials behind at least one of a bundle's claims.

    Raises EvidenceError as `read_opening`; 'nothing-sealed' where the bundle commits to no items, 'not-included'.
    """
    opening = read_opening(data)
    sealed = [(claim, sample) for claim in claims if (sample := sample_of(claim)) and sample.sealed]
    if not sealed:
        raise EvidenceError(
            N_("this bundle commits to no items: none can be proved to belong to it"),
            reason="nothing-sealed",
            remedy=N_("ask for a bundle by a newer release of Aloi"),
        )
    found: list[VerifiedClaim] = []
    refusal: EvidenceError | None = None
    for claim, sample in sealed:
        try:
            verify_opening(opening, sample.sealed, sample.trials)
            found.append(claim)
        except EvidenceError as error:
            refusal = error
    if not found and refusal:
        raise refusal
    return VerifiedItem(opening=opening, claims=tuple(found))
