"""An assurance case: what is claimed of each requirement, by which argument, on which signed statements.

After ISO/IEC/IEEE 15026-2:2022 (claims, arguments, evidence): a requirement is claimed through controls, a control
through hazards or records, and every leaf is the digest of a statement that verifies. What no argument reaches stands
in it too, as undeveloped.
"""

from collections.abc import Sequence
from datetime import date
from typing import Literal

from msgspec import Struct

from aloi.evidence.records import CoverageState, Verdict
from aloi.standards.coverage import cover_judged
from aloi.standards.frameworks import Framework
from aloi.standards.hub import Hub, Proof
from aloi.standards.judging import EvidenceItem, Judgement, State, by_hazard, judge
from aloi.standards.mapping import UNSAID, Row, RowWords, row_digest
from aloi.standards.pack import Freshness, freshness


class Argument(Struct, frozen=True, kw_only=True):
    """Why a control speaks for a requirement: a mapping row, and how far it is vouched for."""

    row: Row
    digest: str
    standing: Literal["endorsed", "disputed", "proposed"]


class RequirementClaim(Struct, frozen=True, kw_only=True):
    """What is claimed of one requirement, and through which controls."""

    requirement: str
    state: CoverageState
    mapping: str
    arguments: tuple[Argument, ...]


class HazardClaim(Struct, frozen=True, kw_only=True):
    """The verdict that counts for one hazard, at the stated threshold, and the statements it rests on."""

    hazard: str
    verdict: Verdict
    evidence: tuple[str, ...] = ()


class ControlClaim(Struct, frozen=True, kw_only=True):
    """Where one control stands, by its kind of proof: through its hazards, or directly on statements."""

    control: str
    proof: Proof
    state: State
    hazards: tuple[HazardClaim, ...] = ()
    evidence: tuple[str, ...] = ()


class Case(Struct, frozen=True, kw_only=True):
    """The case for one framework. `controls` holds those that some requirement is argued through, each once.

    `undeveloped` are requirements that no control reaches: nothing is claimed of them. `checked` says whether the
    framework's text is to be checked again.
    """

    framework: str
    checked: Freshness
    requirements: tuple[RequirementClaim, ...]
    controls: tuple[ControlClaim, ...]
    undeveloped: tuple[str, ...]

    def cited(self) -> tuple[str, ...]:
        """The digests of the statements that some claim rests on, in the order of the controls."""
        found = [digest for control in self.controls for digest in control.evidence]
        return tuple(dict.fromkeys(found))


def assurance_case(
    framework: Framework,
    hub: Hub,
    evidence: Sequence[EvidenceItem],
    *,
    words: RowWords = UNSAID,
    today: date,
) -> Case:
    """The case that the evidence at hand makes, by the rules of `judging.judge` and `coverage.cover`."""
    judgements = judge(hub, evidence, today=today)
    coverage = cover_judged(framework, judgements, words=words)
    claims = tuple(
        RequirementClaim(
            requirement=item.requirement,
            state=item.state,
            mapping=item.mapping,
            arguments=tuple(
                Argument(row=row, digest=digest, standing=words.get(digest, "proposed"))
                for row in framework.rows
                if row.object == item.requirement and row.relation != "none"
                for digest in (row_digest(framework.pack.key, row),)
            ),
        )
        for item in coverage.requirements
    )
    argued = {argument.row.subject for claim in claims for argument in claim.arguments}
    return Case(
        framework=framework.pack.key,
        checked=freshness(framework.pack, today),
        requirements=tuple(claim for claim in claims if claim.arguments),
        controls=tuple(
            _control(hub, judgements[control.id], evidence) for control in hub.controls if control.id in argued
        ),
        undeveloped=tuple(claim.requirement for claim in claims if not claim.arguments),
    )


def _control(hub: Hub, judgement: Judgement, evidence: Sequence[EvidenceItem]) -> ControlClaim:
    control = hub.control(judgement.control)
    counted = by_hazard(evidence)
    hazards = control.hazards if control.proof == "findings" else ()
    return ControlClaim(
        control=control.id,
        proof=control.proof,
        state=judgement.state,
        hazards=tuple(
            HazardClaim(hazard=name, verdict=counted[name][0], evidence=tuple(one.digest for one in counted[name][1]))
            if name in counted
            else HazardClaim(hazard=name, verdict=Verdict.NOT_TESTED)
            for name in hazards
        ),
        evidence=judgement.evidence,
    )
