"""What the evidence at hand says about each of Aloi's own controls."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Literal

from msgspec import Struct

from aloi.evidence.records import Effect, Finding, HazardPlan, Hunt, Plan, Record, Verdict
from aloi.evidence.statement import Subject
from aloi.evidence.verification import Verification
from aloi.evidence.vouching import Attachment
from aloi.standards.hub import Control, Hub


class EvidenceItem(Struct, frozen=True, kw_only=True):
    """A record, and the digest (`sha256:<64 hex>`) of the signed statement that carries it. All of one system.

    Findings, hunts, effects, plans and attachments are read; any other record says nothing about a control. `subject`
    is what the statement is about: of an attachment the file, and then the systems that it is bound to.
    """

    digest: str
    record: Record
    subject: tuple[Subject, ...] = ()


def evidence_of(verification: Verification) -> tuple[EvidenceItem, ...]:
    """The records of a verified bundle, with the digests of their statements."""
    return tuple(
        EvidenceItem(digest=claim.digest, record=claim.record, subject=claim.subject)
        for claim in verification.claims
        if claim.record is not None
    )


State = Literal["supported", "not met", "partial", "untested"]


class Judgement(Struct, frozen=True, kw_only=True):
    """Where one control stands, which statements say so, and which of its hazards remain open.

    `failed` hazards have a verdict 'not met', `undecided` ones were tried without a decision that counts, `missing`
    ones were not tested.
    """

    control: str
    state: State
    evidence: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def judge(hub: Hub, evidence: Iterable[EvidenceItem], *, today: date | None = None) -> dict[str, Judgement]:
    """Where every control of the hub stands. The order of the evidence does not matter.

    1. The finding that counts for a hazard is the one of stage 'confirm', but only where a confirmed effect was
       accepted and none was refused: otherwise the remedies it speaks of are not in use, and 'measure' counts.
       A finding of stage 'select' never counts, since the remedy was chosen on it.
    2. Of several findings that count, the worst one does. A hunt that proved `not met` counts as a finding of its
       stage; one that proved nothing says nothing.
    3. A verdict `met` on judge-rated failures is undecided, as is one of a judge or rule without calibration: what it
       misses is unknown.
    4. A control proved by findings is 'not met' as soon as one hazard is; 'supported' when all of its hazards are
       `met`; 'partial' when some are, or when one is `inconclusive`: trials were run and can be read, but they decided
       nothing, so they never amount to more, and calling them untested would hide them.
    5. A plan supports 'plan' once every finding that counts was tested at the registered threshold of its hazard; a
       finding at another threshold, or of a hazard that no plan names, makes it 'not met'; a plan alone is 'partial'.
    6. Tests support 'record' whatever they found, once a plan stands beside them; without it they are 'partial'.
    7. An accepted effect of stage 'confirm' supports 'effect'; a refused one makes it 'not met'; one that was not
       confirmed yet is 'partial'.
    8. A document, artefact or record of a process that somebody approved makes its control 'partial', and never more:
       that it is there is known, nothing in it is read. `today` leaves out those that are no longer valid.
    """
    items = tuple(evidence)
    counted = _counted(items)
    plans = [item for item in items if isinstance(item.record, Plan)]
    effects = [item for item in items if isinstance(item.record, Effect)]
    attached = [item for item in items if isinstance(item.record, Attachment) and counts_on(item.record, today)]
    return {control.id: _judge(control, counted, plans, effects, attached) for control in hub.controls}


def counts_on(attachment: Attachment, today: date | None) -> bool:
    """Whether an attachment counts on a day; days are written so that they sort as texts do."""
    day = "" if today is None else today.isoformat()
    return not day or attachment.approved_on <= day <= (attachment.valid_until or day)


Counted = Mapping[str, Sequence[EvidenceItem]]


def _counted(items: Sequence[EvidenceItem]) -> Counted:
    """Findings, and hunts that proved something, that count, by hazard (rules 1 and 2 need all of the best stage)."""
    stages: dict[str, dict[str, list[EvidenceItem]]] = {}
    for item in items:
        if isinstance(item.record, Finding) or (
            isinstance(item.record, Hunt) and item.record.verdict is Verdict.NOT_MET
        ):
            stages.setdefault(item.record.hazard, {}).setdefault(item.record.stage, []).append(item)
    order = ("confirm", "measure") if in_use(items) else ("measure",)
    chosen = {hazard: next((found[s] for s in order if s in found), []) for hazard, found in stages.items()}
    return {hazard: found for hazard, found in chosen.items() if found}


def in_use(items: Iterable[EvidenceItem]) -> bool:
    """Whether remedies were confirmed and accepted, and none was refused: then the evidence speaks of that system."""
    confirmed = [item.record for item in items if isinstance(item.record, Effect) and item.record.stage == "confirm"]
    return bool(confirmed) and all(effect.accepted for effect in confirmed)


def concerned(verification: Verification) -> Subject:
    """The system that a bundle's evidence speaks of: the remedied one where its remedies are in use."""
    return verification.subject[-1 if in_use(evidence_of(verification)) else 0]


def by_hazard(items: Iterable[EvidenceItem]) -> dict[str, tuple[Verdict, tuple[EvidenceItem, ...]]]:
    """For each hazard the verdict that counts (rules 1 to 3), and the findings and hunts that it rests on."""
    return {hazard: (_worst(found), tuple(found)) for hazard, found in _counted(tuple(items)).items()}


def _judge(
    control: Control,
    counted: Counted,
    plans: Sequence[EvidenceItem],
    effects: Sequence[EvidenceItem],
    attached: Sequence[EvidenceItem],
) -> Judgement:
    if control.proof == "findings":
        return _by_findings(control, counted)
    if control.proof == "plan":
        return _by_plan(control, counted, plans)
    if control.proof == "record":
        return _by_record(control, counted, plans)
    if control.proof == "effect":
        return _by_effect(control, effects)
    written = [item for item in attached if isinstance(item.record, Attachment) and item.record.control == control.id]
    return Judgement(control=control.id, state="partial" if written else "untested", evidence=_digests(written))


def _worst(found: Sequence[EvidenceItem]) -> Verdict:
    """Rules 2 and 3."""
    verdicts = {_verdict(item.record) for item in found if isinstance(item.record, Finding | Hunt)}
    ranks = (Verdict.NOT_MET, Verdict.INCONCLUSIVE, Verdict.NOT_TESTED, Verdict.MET)
    return next((verdict for verdict in ranks if verdict in verdicts), Verdict.NOT_TESTED)


def _verdict(finding: Finding | Hunt) -> Verdict:
    calibrated = finding.scorer.kind == "oracle" or bool(finding.scorer.calibration)
    if isinstance(finding, Finding):
        calibrated = (calibrated or finding.rates_failures) and finding.counts == "failures"
    return Verdict.INCONCLUSIVE if finding.verdict is Verdict.MET and not calibrated else finding.verdict


def _by_findings(control: Control, counted: Counted) -> Judgement:
    """Rule 4."""
    verdicts = {hazard: _worst(counted.get(hazard, ())) for hazard in control.hazards}
    tried = [hazard for hazard, verdict in verdicts.items() if verdict is not Verdict.NOT_TESTED]
    met = [hazard for hazard in tried if verdicts[hazard] is Verdict.MET]
    failed = tuple(hazard for hazard in tried if verdicts[hazard] is Verdict.NOT_MET)
    state: State = "partial" if tried else "untested"
    if failed:
        state = "not met"
    elif len(met) == len(verdicts):
        state = "supported"
    return Judgement(
        control=control.id,
        state=state,
        evidence=_digests(item for hazard in tried for item in counted[hazard]),
        failed=failed,
        undecided=tuple(hazard for hazard in tried if verdicts[hazard] is Verdict.INCONCLUSIVE),
        missing=tuple(hazard for hazard in verdicts if hazard not in tried),
    )


def _by_plan(control: Control, counted: Counted, plans: Sequence[EvidenceItem]) -> Judgement:
    """Rule 5."""
    if not plans:
        return Judgement(control=control.id, state="untested")
    registered = [entry for item in plans if isinstance(item.record, Plan) for entry in item.record.hazards]
    tested = [item for found in counted.values() for item in found]
    strays = tuple(sorted({_hazard(item) for item in tested if not _was_registered(item, registered)}))
    state: State = "not met" if strays else "supported" if tested else "partial"
    return Judgement(control=control.id, state=state, evidence=_digests([*plans, *tested]), failed=strays)


def _hazard(item: EvidenceItem) -> str:
    assert isinstance(item.record, Finding | Hunt)
    return item.record.hazard


def _was_registered(item: EvidenceItem, registered: Sequence[HazardPlan]) -> bool:
    finding = item.record
    assert isinstance(finding, Finding | Hunt)
    return any(plan.hazard == finding.hazard and plan.threshold == finding.threshold for plan in registered)


def _by_record(control: Control, counted: Counted, plans: Sequence[EvidenceItem]) -> Judgement:
    """Rule 6."""
    tested = [item for found in counted.values() for item in found if _ran(item)]
    state: State = "untested" if not tested else "supported" if plans else "partial"
    return Judgement(control=control.id, state=state, evidence=_digests([*plans, *tested]) if tested else ())


def _ran(item: EvidenceItem) -> bool:
    return isinstance(item.record, Finding | Hunt) and item.record.verdict is not Verdict.NOT_TESTED


def _by_effect(control: Control, effects: Sequence[EvidenceItem]) -> Judgement:
    """Rule 7."""
    confirmed = [item.record for item in effects if isinstance(item.record, Effect) and item.record.stage == "confirm"]
    state: State = "partial" if effects else "untested"
    if confirmed:
        state = "supported" if all(effect.accepted for effect in confirmed) else "not met"
    return Judgement(control=control.id, state=state, evidence=_digests(effects))


def _digests(items: Iterable[EvidenceItem]) -> tuple[str, ...]:
    return tuple(sorted({item.digest for item in items}))
