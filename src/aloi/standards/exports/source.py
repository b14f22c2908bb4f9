"""What the exports are made from: the claims of a verified bundle, and names that do not change from run to run."""

import uuid
from collections.abc import Iterator

from msgspec import Struct

from aloi.evidence.records import BenignRate, Effect, Estimate, Finding, Hunt, Plan
from aloi.evidence.statement import Subject
from aloi.evidence.verification import Verification, VerifiedClaim
from aloi.evidence.vouching import Attachment
from aloi.standards.judging import EvidenceItem, concerned, evidence_of
from aloi.standards.mapping import UNSAID, RowWords

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://aloi.dev/export")
Measured = Finding | Hunt | BenignRate | Effect


class Source(Struct, frozen=True, kw_only=True):
    """A verified bundle, and when it is exported (RFC 3339 in UTC).

    `attached` was signed beside it and verified; `words` says what stands of mapping rows.
    """

    verification: Verification
    at: str
    attached: tuple[EvidenceItem, ...] = ()
    words: RowWords = UNSAID

    def name(self, *parts: str) -> str:
        """A UUID (version 5) for a thing in an export of this bundle."""
        return str(uuid.uuid5(NAMESPACE, "\n".join((self.verification.digest, *parts))))

    @property
    def items(self) -> tuple[EvidenceItem, ...]:
        """The records with the digests of their statements, those of what was attached included."""
        return (*evidence_of(self.verification), *self.attached)

    @property
    def standing(self) -> Subject:
        """The system that the evidence speaks of."""
        return concerned(self.verification)

    @property
    def plan(self) -> Plan | None:
        """The plan that was registered."""
        return next((claim.record for claim in self.verification.claims if isinstance(claim.record, Plan)), None)

    @property
    def signers(self) -> tuple[str, ...]:
        """Key ids that signed a statement, in order of appearance."""
        return tuple(dict.fromkeys(one.key_id for claim in self.verification.claims for one in claim.signers))

    def measured(self) -> Iterator[tuple[VerifiedClaim, Measured]]:
        """Claims on what was measured, in the order of the bundle."""
        for claim in self.verification.claims:
            if isinstance(claim.record, Measured):
                yield claim, claim.record

    def about(self, claim: VerifiedClaim) -> str:
        """The fingerprint of the system that a claim speaks of: an effect speaks of the remedied one."""
        return claim.subject[-1].fingerprint


def attachments(source: Source) -> Iterator[tuple[EvidenceItem, Attachment]]:
    """What was attached, in the order given."""
    for item in source.attached:
        if isinstance(item.record, Attachment):
            yield item, item.record


def title(record: Measured) -> str:
    """A line that names what was measured."""
    match record:
        case Finding() | Hunt():
            kind = "hunt" if isinstance(record, Hunt) else "finding"
            return f"{kind}: {record.hazard}, stage {record.stage}: {record.verdict} at threshold {record.threshold}"
        case BenignRate():
            return f"ordinary requests answered, stage {record.stage}"
        case Effect():
            names = " + ".join(remedy.name for remedy in record.remedies)
            return f"effect of {names}: {'accepted' if record.accepted else 'refused'} by the policy"


def figures(record: Measured) -> dict[str, str]:
    """Figures as texts, by name; a rate keeps its interval, its counts and its method beside it."""
    match record:
        case Finding():
            return {
                "hazard": record.hazard,
                "stage": record.stage,
                "verdict": str(record.verdict),
                "threshold": str(record.threshold),
                "counts": record.counts,
                **_estimate(record.estimate),
            }
        case Hunt():
            return {
                "hazard": record.hazard,
                "stage": record.stage,
                "verdict": str(record.verdict),
                "threshold": str(record.threshold),
                "low": str(record.low),
                "level": str(record.level),
            }
        case BenignRate():
            return {"stage": record.stage, **_estimate(record.estimate)}
        case Effect():
            change = record.benign
            return {
                "stage": record.stage,
                "accepted": str(record.accepted).lower(),
                "benign-change": str(change.difference.value),
                "benign-change-low": str(change.difference.low),
                "benign-change-high": str(change.difference.high),
            }


def _estimate(estimate: Estimate) -> dict[str, str]:
    names = ("value", "low", "high", "failures", "n", "unscorable", "level", "method")
    return {name: str(getattr(estimate, name)) for name in names}
