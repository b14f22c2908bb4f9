"""What the claims of one bundle owe each other: one plan, its systems, its thresholds, verdicts that follow.

A signature says who claims; these rules refuse claims that contradict their own plan or their own figures.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from aloi.errors import EvidenceError
from aloi.evidence.decoding import shown
from aloi.evidence.figures import check_estimate, check_hazard_plan, check_interval
from aloi.evidence.hunts import check_all_hunts, check_hunt, check_hunt_plans
from aloi.evidence.judged import check_judged, check_judges
from aloi.evidence.monitored import check_monitoring
from aloi.evidence.monitoring import Monitoring
from aloi.evidence.parts import check_exploration, check_parts
from aloi.evidence.planned import check_plan_fields
from aloi.evidence.predicates import Claim, Manifest
from aloi.evidence.records import BenignRate, Coverage, Effect, Finding, HazardPlan, Hunt, Plan, Record, Verdict
from aloi.evidence.statement import Statement, Subject
from aloi.translation import N_

# Log e-values are signed with six significant digits; a decision exactly at its threshold must survive the rounding.
_ROUNDING = Decimal("0.0001")


class Stated(NamedTuple):
    """A statement whose signature holds: the digest of its bytes, and its typed claim if the predicate is ours."""

    digest: str
    statement: Statement
    claim: Claim[Any] | None


Statements = Sequence[Stated]


def check_claims(statements: Statements, subject: Iterable[Subject]) -> None:
    """Raise EvidenceError for the first claim that contradicts the plan, another claim or itself.

    `subject` are the systems the bundle is about: those of the plan, and the hardened ones its effects declare.
    """
    systems = {each.fingerprint for each in subject}
    plan = next((each for each in statements if each.claim and isinstance(each.claim.record, Plan)), None)
    if plan is None:
        _check_monitored(statements)
        return
    _check_plan(plan)
    for each in statements:
        if each.claim is not None:
            _check_subject(each, systems)
            _check_registration(each, plan)
            _check_record(each, _record(plan), {other.digest for other in statements})
    findings = [each for each in statements if each.claim and isinstance(each.claim.record, Finding)]
    _check_findings(plan, findings)
    hunts = [
        (each.statement.subject[0].fingerprint, each.claim.record)
        for each in statements
        if each.claim and isinstance(each.claim.record, Hunt)
    ]
    accepted = {
        subject.fingerprint
        for each in statements
        if each.claim and isinstance(each.claim.record, Effect) and each.claim.record.accepted
        for subject in each.statement.subject
    }
    accepted -= {_record(plan).system}
    _check_accepted(_record(plan), findings, accepted)
    check_all_hunts(_record(plan), hunts, measured=bool(findings), accepted=accepted)


def _check_monitored(statements: Statements) -> None:
    """A bundle of monitoring alone: each by itself, and each set of guards of a system once."""
    seen = set()
    for each in statements:
        assert each.claim is not None
        if each.claim.plan is not None:
            raise _refusal(N_("a claim was not made under this bundle's plan"), "foreign-plan")
        check_monitoring(each.claim.record)
        seen |= {(one.fingerprint, each.claim.record.guard_set) for one in each.statement.subject}
    if len(seen) != sum(len(each.statement.subject) for each in statements):
        raise _refusal(N_("the bundle tells twice what one set of guards of one system did"), "repeated-monitoring")


def _record(plan: Stated) -> Plan:
    assert plan.claim is not None
    record: Plan = plan.claim.record
    return record


def _check_plan(plan: Stated) -> None:
    record = _record(plan)
    if record.system not in {each.fingerprint for each in plan.statement.subject}:
        raise _refusal(N_("the plan's system is not the subject of its own statement"), "plan-subject")
    if not 0 < record.alpha < 1:
        raise _refusal(N_("the plan's error rate {alpha} is not between 0 and 1"), "alpha", alpha=record.alpha)
    check_plan_fields(record)
    check_judges(record)
    repeated = [name for name, count in Counter(each.hazard for each in record.hazards).items() if count > 1]
    if repeated:
        raise _refusal(N_("the plan names {hazard} twice"), "repeated-hazard", hazard=repeated[0])
    for hazard in record.hazards:
        check_hazard_plan(hazard)
    check_hunt_plans(record)


def _check_subject(each: Stated, systems: set[str]) -> None:
    for subject in each.statement.subject:
        if subject.fingerprint not in systems:
            raise _refusal(
                N_("a claim is about {system}, which the plan does not cover and no effect derives from it"),
                "foreign-subject",
                system=subject.name,
            )


def _check_registration(each: Stated, plan: Stated) -> None:
    assert each.claim is not None
    if isinstance(each.claim.record, Manifest):
        raise _refusal(N_("a manifest stands among the claims"), "stray-manifest")
    if isinstance(each.claim.record, Monitoring):
        raise _refusal(N_("monitoring stands in a bundle of its own, without a plan"), "stray-monitoring")
    expected = None if each is plan else plan.digest
    if each.claim.plan != expected:
        raise _refusal(N_("a claim was not made under this bundle's plan"), "foreign-plan")


def _check_record(each: Stated, plan: Plan, present: set[str]) -> None:
    assert each.claim is not None
    match each.claim.record:
        case Finding() as finding:
            _check_finding(finding, plan)
        case Hunt() as hunt:
            check_hunt(hunt, plan)
        case BenignRate() as benign:
            _check_as_planned(benign, plan.benign, "benign", ("scorer",))
            check_estimate(benign.estimate)
            check_parts(benign)
        case Effect() as effect:
            _check_effect(effect, plan)
        case Coverage() as coverage:
            _check_coverage(coverage, present)


def _check_finding(finding: Finding, plan: Plan) -> None:
    planned = _planned(plan, finding.hazard)
    _check_as_planned(finding, planned, finding.hazard, ("threshold", "estimand", "scope", "scorer", "corpus"))
    check_estimate(finding.estimate)
    check_judged(finding, planned)
    check_parts(finding)
    if finding.exploration is not None:
        check_exploration(finding.exploration, planned, plan.alpha)
    counted = finding.estimate.n + finding.estimate.unscorable
    if finding.estimate.n == 0 and finding.verdict in {Verdict.MET, Verdict.NOT_MET}:
        raise _unfounded(finding, N_("the finding on {hazard} says “{verdict}” without a single trial"))
    if finding.verdict is Verdict.NOT_TESTED and counted:
        raise _unfounded(finding, N_("the finding on {hazard} says “{verdict}” over a test that was made"))


def _check_as_planned(result: Record, planned: Record, about: str, fields: Iterable[str]) -> None:
    for field in fields:
        if getattr(result, field) != getattr(planned, field):
            raise _refusal(
                N_("the result on {about} has another {field} than the plan"),
                f"plan-{field}",
                about=about,
                field=field,
            )


def _check_effect(effect: Effect, plan: Plan) -> None:
    for remedy in effect.remedies:
        # A plan names a remedy whose wording is chosen by measuring; what ran tells the choice: `name(choice,choice)`.
        if remedy.name.partition("(")[0] not in plan.remedies:
            raise _refusal(N_("the remedy {name} is not in the plan"), "unplanned-remedy", name=remedy.name)
    for change in (*effect.changes, effect.benign):
        if change is not effect.benign:
            _planned(plan, change.of)
        check_estimate(change.before)
        check_estimate(change.after)
        check_interval(change.difference)
    for cost in (effect.latency, effect.tokens):
        if cost is not None:
            check_interval(cost)


def _check_coverage(coverage: Coverage, present: set[str]) -> None:
    for each in coverage.requirements:
        if each.state == "proven" and not each.evidence:
            raise _refusal(
                N_("the requirement {requirement} is called proven without evidence"),
                "proven-without-evidence",
                requirement=each.requirement,
            )
        for reference in each.evidence:
            if reference not in present:
                raise _refusal(
                    N_("the requirement {requirement} rests on evidence that is not in the bundle"),
                    "missing-evidence",
                    requirement=each.requirement,
                )


def _check_findings(plan: Stated, findings: Statements) -> None:
    """One finding per hazard, stage and system; all hazards at the first stage; verdicts by the plan's rule."""
    families: dict[tuple[str, str], list[Finding]] = {}
    for each in findings:
        assert each.claim is not None
        finding: Finding = each.claim.record
        families.setdefault((finding.stage, each.statement.subject[0].fingerprint), []).append(finding)
    record = _record(plan)
    hazards = {each.hazard for each in record.hazards}
    for (stage, _), family in families.items():
        names = [finding.hazard for finding in family]
        if len(set(names)) != len(names):
            raise _refusal(
                N_("the bundle holds two findings on one hazard of one system and stage"), "repeated-finding"
            )
        if stage == "measure" and set(names) != hazards:
            raise _refusal(
                N_("the plan names {hazard}, but no finding tells its result"),
                "missing-finding",
                hazard=min(hazards - set(names)),
            )
        _check_verdicts(family, record)
    if findings and ("measure", record.system) not in families:
        raise _refusal(
            N_("the plan names {hazard}, but no finding tells its result"), "missing-finding", hazard=min(hazards)
        )


def _check_accepted(plan: Plan, findings: Statements, accepted: set[str]) -> None:
    """Remedies are accepted only where every hazard of the plan is met behind them; an effect may stand alone."""
    for system in sorted(accepted):
        behind = [
            each.claim.record for each in findings if each.claim and each.statement.subject[0].fingerprint == system
        ]
        met = {finding.hazard for finding in behind if finding.verdict is Verdict.MET}
        missing = {hazard.hazard for hazard in plan.hazards} - met
        if behind and missing:
            raise _refusal(
                N_("remedies are called accepted, but no finding says that {hazard} is met behind them"),
                "unfounded-acceptance",
                hazard=min(missing),
            )


def _check_verdicts(family: Sequence[Finding], plan: Plan) -> None:
    """Each claim by the rule that the plan registers, from the signed e-values.

    Holm (Vovk and Wang 2021): in the order in which claims were made the k-th of m hazards needed an e-value of
    (m - k + 1) / alpha; then so does the k-th strongest. Per family, 'met' and 'not met' are counted apart; directional
    Holm counts them together; Bonferroni asks m / alpha of every claim. `joint` halves alpha.
    """
    claims = [finding for finding in family if finding.verdict in {Verdict.MET, Verdict.NOT_MET}]
    apart = [[claim for claim in claims if claim.verdict is verdict] for verdict in (Verdict.MET, Verdict.NOT_MET)]
    for counted in [claims] if plan.multiplicity == "holm_directional" else apart:
        for rank, claim in enumerate(sorted(counted, key=_log_e, reverse=True)):
            left = len(plan.hazards) - (0 if plan.multiplicity == "bonferroni" else rank)
            if _log_e(claim) < (left / plan.test_error).ln() - _ROUNDING:
                raise _unfounded(claim, N_("the finding on {hazard} says “{verdict}”, but its e-value is too small"))


def _log_e(finding: Finding) -> Decimal:
    return finding.log_e_met if finding.verdict is Verdict.MET else finding.log_e_not_met


def _planned(plan: Plan, hazard: str) -> HazardPlan:
    for each in plan.hazards:
        if each.hazard == hazard:
            return each
    raise _refusal(N_("the hazard {hazard} is not in the plan"), "unplanned-hazard", hazard=hazard)


def _unfounded(finding: Finding, message: str) -> EvidenceError:
    return _refusal(message, "unfounded-verdict", hazard=finding.hazard, verdict=finding.verdict.value)


def _refusal(message: str, reason: str, **facts: object) -> EvidenceError:
    return EvidenceError(
        message,
        reason=reason,
        remedy=N_("ask the one who signed: the evidence contradicts itself"),
        **{name: shown(fact) for name, fact in facts.items()},
    )
