"""What is known of and not there: plans that no finding followed, what was fixed and never shown, other findings."""

from collections.abc import Container, Iterator

from aloi.assurance.consensus.account import Said
from aloi.assurance.consensus.records import Unfollowed, Unopened, Unseen
from aloi.evidence.records import Finding, Plan
from aloi.evidence.rounds import opened
from aloi.evidence.statement import Subject
from aloi.evidence.vouching import Commitment


def unfollowed(said: Said, system: Subject) -> Iterator[Unfollowed]:
    """Plans about the system with hazards of which their party never stated a finding."""
    for plan in said.statuses.plans:
        status = said.statuses.statements[plan.envelope]
        record = status.logged.record
        if isinstance(record, Plan) and record.system == system.fingerprint and plan.missing:
            yield Unfollowed(
                envelope=plan.envelope,
                by=status.parties,
                registered_at=record.registered_at,
                hazards=plan.missing,
                withdrawn=status.state == "withdrawn",
            )


def unopened(said: Said, system: Subject) -> Iterator[Unopened]:
    """What was fixed about the system and never shown, whatever it is."""
    shown = opened(said.statuses)
    for envelope, status in said.statuses.statements.items():
        record = status.logged.record
        about = {each.fingerprint for each in status.logged.subjects}
        if isinstance(record, Commitment) and envelope not in shown and system.fingerprint in about:
            yield Unopened(envelope=envelope, by=status.parties, at=record.at)


def unseen(said: Said, system: Subject, seen: Container[str]) -> Iterator[Unseen]:
    """Findings about the system that were stated and are not among `seen` statements; the withdrawn are left out."""
    told: set[str] = set()
    for envelope, status in said.statuses.statements.items():
        logged = status.logged
        if not isinstance(logged.record, Finding) or logged.statement in told or logged.statement in seen:
            continue
        if status.state in {"standing", "disputed"} and system.fingerprint in {
            each.fingerprint for each in logged.subjects
        }:
            told.add(logged.statement)
            yield Unseen(
                envelope=envelope, by=status.parties, hazard=logged.record.hazard, verdict=logged.record.verdict
            )
