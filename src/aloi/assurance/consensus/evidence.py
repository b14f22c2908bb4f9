"""Results as they are told."""

from collections.abc import Mapping
from statistics import median

from aloi.assurance.consensus.account import Said, relation
from aloi.assurance.consensus.likeness import likeness
from aloi.assurance.consensus.members import Member
from aloi.assurance.consensus.records import Evaluator, Evidence
from aloi.evidence.records import Finding

SHORT = 19
"""How much of a key's id tells it apart for a person: `sha256:` and twelve figures."""


def evidence_of(member: Member, said: Said, names: Mapping[str, str], owner: str) -> Evidence:
    """A result with who signed it, how it was measured and where it stands."""
    result, record = member.result, member.result.record
    finding = record if isinstance(record, Finding) else None
    measured = record.estimate if isinstance(record, Finding) else record
    return Evidence(
        number=member.number,
        statement=result.statement,
        bundles=result.bundles,
        evaluator=_evaluator(member, said, names, owner),
        system=result.system,
        hazard=result.hazard,
        kind="mean" if finding else "max",
        stage=record.stage,
        estimand=record.estimand,
        scope=result.planned.scope,
        counts=likeness(result)["counts"],
        languages=result.planned.languages,
        attacks=result.planned.attacks if finding else {},
        scorer=record.scorer,
        calibrated=finding is not None and finding.uncorrected is not None,
        caveats=finding.caveats if finding else (),
        threshold=record.threshold,
        verdict=record.verdict,
        estimate=finding.estimate if finding else None,
        lower=None if isinstance(record, Finding) else record.low,
        level=measured.level,
        method=measured.method,
        trials=record.sample.trials,
        real=_real(member),
        log_e_met=finding.log_e_met if finding else None,
        log_e_not_met=record.log_e_not_met,
        plan=result.plan_digest,
        registered_at=result.plan.registered_at,
        seed=result.plan.seed,
        software=result.plan.software,
        account=member.account,
        aside=member.aside,
    )


def _real(member: Member) -> tuple[float, float, float] | None:
    """What a judge leaves open of how many trials failed."""
    if member.counts is None or not isinstance(member.counts.failures, tuple):
        return None
    ways = member.counts.failures
    return ways[0], median(ways), ways[-1]


def _evaluator(member: Member, said: Said, names: Mapping[str, str], owner: str) -> Evaluator:
    """The first party that is an organisation names the evaluator, else the reader's name for a key, else the key."""
    parties, signers = member.account.parties, member.result.signers
    domain = next((party for party in parties if party in said.rosters.organisations), "")
    told = relation(domain, said, owner) if domain else None
    chain = said.rosters.organisations.get(domain)
    named = next((names[key] for key in signers if key in names), signers[0][:SHORT])
    return Evaluator(
        name=chain.newest.name if chain else named,
        parties=parties,
        signers=signers,
        organisation=chain is not None,
        proved=chain.proved if chain else False,
        relation=told.kind if told else "",
        access=told.access if told else "",
    )
