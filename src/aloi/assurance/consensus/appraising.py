"""What organisations appraise otherwise than it is derived, as their signed statements say."""

from collections.abc import Iterator

from aloi.assurance.consensus.account import Said
from aloi.assurance.consensus.certainty import Override
from aloi.evidence.statement import Subject
from aloi.evidence.vouching import Appraisal


def overrides(said: Said, system: Subject) -> Iterator[Override]:
    """The appraisals of the system that count, each for every organisation that signed it."""
    for envelope in said.statuses.appraisals:
        status = said.statuses.statements[envelope]
        record = status.logged.record
        assert isinstance(record, Appraisal)
        if system.fingerprint not in {each.fingerprint for each in status.logged.subjects}:
            continue
        for party in status.parties:
            if party in said.rosters.organisations:
                yield Override(
                    envelope=envelope,
                    hazard=record.hazard,
                    code=record.step,
                    change=record.change,
                    reason=record.reason,
                    by=party,
                    name=said.rosters.organisations[party].newest.name,
                    disputed=status.state == "disputed",
                )
