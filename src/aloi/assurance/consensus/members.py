"""Each result with its number, where it stands, and whether it may be pooled at all."""

from collections.abc import Sequence

from msgspec import Struct

from aloi.assurance.consensus.account import Account, Said, account, relation
from aloi.assurance.consensus.certainty import Design
from aloi.assurance.consensus.pooled import Counted, counted
from aloi.assurance.consensus.records import Aside
from aloi.assurance.consensus.results import Result
from aloi.evidence.records import Finding
from aloi.evidence.statement import Subject


class Member(Struct, frozen=True, kw_only=True):
    """A result under its number; `counts` are None for a hunt and for what is set `aside`."""

    number: int
    result: Result
    account: Account
    design: Design
    counts: Counted | None = None
    aside: Aside | None = None


def members_of(
    results: Sequence[Result], said: Said, system: Subject, owner: str, *, other_versions: bool
) -> tuple[Member, ...]:
    """Every result, numbered from 1: hazard by hazard, in the order of the bundles."""
    places = {slug: place for place, slug in enumerate(dict.fromkeys(result.hazard for result in results))}
    ranked = sorted(results, key=lambda result: places[result.hazard])
    return tuple(
        _member(number, result, said, system, owner, other_versions=other_versions)
        for number, result in enumerate(ranked, 1)
    )


def _member(number: int, result: Result, said: Said, system: Subject, owner: str, *, other_versions: bool) -> Member:
    told = account(result, said)
    design = _design(told, said, owner)
    aside = _aside(result, told, system, other_versions=other_versions)
    counts = counted(result) if aside is None and isinstance(result.record, Finding) else None
    return Member(number=number, result=result, account=told, design=design, counts=counts, aside=aside)


def _aside(result: Result, told: Account, system: Subject, *, other_versions: bool) -> Aside | None:
    """Why a result is not pooled, None where it may be."""
    if told.state in {"withdrawn", "void"}:
        return "withdrawn" if told.state == "withdrawn" else "void"
    if result.system.fingerprint != system.fingerprint:
        if result.system.name != system.name:
            return "other-system"
        if not other_versions:
            return "other-version"
    if isinstance(result.record, Finding) and not result.record.estimate.n:
        return "not-tested"
    return None


def _design(told: Account, said: Said, owner: str) -> Design:
    """A third party whose plan a log held before the result, a third party, or one who speaks of oneself."""
    relations = (relation(party, said, owner) for party in told.parties)
    if told.registered == "after" or not any(each and each.kind == "third_party" for each in relations):
        return "self-attested"
    return "open" if told.registered == "log" else "third-party"
