"""What a draft is filled from: a verified bundle, what was attached to it, and a description that it vouches for."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from msgspec import Struct

from aloi.assurance.drafts.outline import Kind
from aloi.assurance.folder import RunFolder
from aloi.assurance.remedies import fitted
from aloi.assurance.standing import Said
from aloi.errors import EvidenceError
from aloi.evidence.records import Plan, RequirementCoverage
from aloi.evidence.verification import Verification, VerifiedClaim
from aloi.evidence.vouching import Attachment
from aloi.standards.coverage import cover
from aloi.standards.exports.source import Source
from aloi.standards.frameworks import framework
from aloi.standards.judging import EvidenceItem
from aloi.system.reading import System
from aloi.translation import N_


class Facts(Struct, frozen=True, kw_only=True):
    """What is known of an incident when its report is begun."""

    occurred: date | None = None
    aware: date | None = None
    kind: Kind | None = None


class Dossier(Struct, frozen=True, kw_only=True):
    """The evidence at hand, which may be none. `system` is there where the bundle's fingerprint is its own."""

    today: date
    source: Source | None = None
    said: Said = Said()
    system: System | None = None
    facts: Facts = Facts()

    @property
    def items(self) -> tuple[EvidenceItem, ...]:
        """The records of the bundle and what was attached beside it."""
        return (*(self.source.items if self.source else ()), *self.said.attached)

    @property
    def claims(self) -> tuple[VerifiedClaim, ...]:
        """The claims of the bundle, in its order."""
        return self.source.verification.claims if self.source else ()

    @property
    def plan(self) -> tuple[Plan, str] | None:
        """The plan with the digest of its statement."""
        return next(((one.record, one.digest) for one in self.claims if isinstance(one.record, Plan)), None)

    @property
    def attached(self) -> tuple[EvidenceItem, ...]:
        """What people attached."""
        return tuple(item for item in self.items if isinstance(item.record, Attachment))

    def coverage(self, key: str) -> dict[str, RequirementCoverage]:
        """Where each requirement of a framework stands today; nothing where there is no evidence."""
        if not key or not self.source:
            return {}
        told = cover(framework(key), self.items, words=self.said.rows, today=self.today)
        return {one.requirement: one for one in told.requirements}


def described(bundle: Path, verification: Verification) -> System | None:
    """The system as the folder of a run describes it; None for a bundle that stands alone.

    The description is not signed, but the fingerprint that is signed covers its name, purpose, languages, model and
    parts. Raises EvidenceError ('description-mismatch') where it is another's.
    """
    folder = RunFolder(bundle)
    if not bundle.is_dir() or not folder.state_file.exists():
        return None
    system = folder.system()
    found = _fingerprint(system)
    signed = verification.subject[0].fingerprint
    if found != signed:
        raise EvidenceError(
            N_("{file} describes another system than the bundle: its fingerprint is {got}, the signed one {expected}"),
            reason="description-mismatch",
            remedy=N_("name the bundle's own file to draft without the description"),
            file=folder.state_file,
            got=found,
            expected=signed,
        )
    return system


def _fingerprint(system: System) -> str:
    in_place: Sequence[str] = [one.identity.digest for one in fitted(system, system.description.guards)]
    return system.fingerprint(tuple(in_place))
