"""Results that logs hold, each group of them held to its plan as a bundle would be.

A party's results under one plan stand or fall together: two findings where the plan allows one, or a planned hazard
without its finding, and none of them is counted; which ones, and why, is told.
"""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from aloi.assurance.consensus.account import Said
from aloi.assurance.consensus.logs import Answered
from aloi.assurance.consensus.results import Result, together
from aloi.errors import EvidenceError
from aloi.evidence import envelope as dsse
from aloi.evidence.bundle import systems
from aloi.evidence.canonical import digest
from aloi.evidence.logentry import read as read_entry
from aloi.evidence.logentry import stated
from aloi.evidence.predicates import kind_of
from aloi.evidence.records import BenignRate, Effect, Finding, Hunt, Plan
from aloi.evidence.rules import Stated, check_claims
from aloi.evidence.statement import claimed
from aloi.evidence.status import Status
from aloi.evidence.trustpolicy import Witnessed

RESULTS = frozenset({"finding", "hunt"})


class AskedLog(Struct, frozen=True, kw_only=True):
    """A log that was asked, and proved that of its first `size` entries `entries` are about the system, no others.

    `witnesses` signed the same head, `seen` is the POSIX second by which enough of them had; of `erased` statements
    only digests are left.
    """

    log: str
    url: str
    size: int
    entries: int
    erased: int
    witnesses: tuple[Witnessed, ...]
    seen: int | None


class LoggedResults(Struct, frozen=True, kw_only=True):
    """What logs hold of results.

    `refused` are the envelopes of those that contradict their plan, with the reason; `unjudged` the systems that
    results are about of which nothing can be read. `names` are the registries' own for keys.
    """

    logs: tuple[AskedLog, ...] = ()
    results: tuple[Result, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()
    unjudged: tuple[frozenset[str], ...] = ()
    names: Mapping[str, str] = {}


NOTHING_LOGGED = LoggedResults()


def logged_results(answered: Sequence[Answered], said: Said) -> LoggedResults:
    """The findings and hunts that logs hold, under the plans of who made them."""
    envelopes = {digest(each.envelope): each.envelope for one in answered for each in one.held if each.envelope}
    known = [status for envelope, status in said.statuses.statements.items() if envelope in envelopes]
    by_plan: dict[str, list[Status]] = {}
    for status in known:
        if isinstance(status.logged.record, Finding | Hunt | BenignRate | Effect):
            by_plan.setdefault(status.logged.plan or "", []).append(status)
    results: list[Result] = []
    refused: dict[str, str] = {}
    for plan in known:
        if isinstance(plan.logged.record, Plan):
            own = [each for each in by_plan.get(plan.logged.statement, ()) if _of_one(each, plan)]
            try:
                results += _held_to(plan, own, envelopes)
            except EvidenceError as error:
                refused |= {each.logged.envelope: error.reason for each in own if _is_result(each)}
    counted = {envelope for each in results for envelope in each.envelopes}
    for each in known:
        if _is_result(each) and each.logged.envelope not in counted:
            refused.setdefault(each.logged.envelope, "no-plan")
    return LoggedResults(
        logs=tuple(map(_asked, answered)),
        results=together(results),
        refused=tuple((envelope, why) for envelope, why in refused.items() if envelope not in counted),
        unjudged=tuple(_unjudged(answered, said)),
        names={key: name for each in answered for key, name in each.names.items()},
    )


def _of_one(result: Status, plan: Status) -> bool:
    """Whether one and the same made both: by a key that signed both, or as one party."""
    return bool({*result.parties, *result.logged.signers} & {*plan.parties, *plan.logged.signers})


def _is_result(status: Status) -> bool:
    return isinstance(status.logged.record, Finding | Hunt)


def _held_to(plan: Status, own: Sequence[Status], envelopes: Mapping[str, bytes]) -> list[Result]:
    """The results under a plan, held to it with those that were withdrawn or, where they were replaced, without.

    Raises EvidenceError as `check_claims`.
    """
    standing = [each for each in own if each.state != "withdrawn"]
    try:
        _check(plan, own, envelopes)
    except EvidenceError:
        if len(standing) == len(own):
            raise
        _check(plan, standing, envelopes)
    record = plan.logged.record
    assert isinstance(record, Plan)
    planned = {each.hazard: each for each in record.hazards}
    found = []
    for each in own:
        result = each.logged.record
        if isinstance(result, Finding | Hunt) and result.hazard in planned:
            found.append(
                Result(
                    statement=each.logged.statement,
                    envelopes=(each.logged.envelope,),
                    bundles=(),
                    system=each.logged.subjects[0],
                    signers=each.logged.signers,
                    record=result,
                    planned=planned[result.hazard],
                    plan=record,
                    plan_digest=plan.logged.statement,
                )
            )
    return found


def _check(plan: Status, own: Sequence[Status], envelopes: Mapping[str, bytes]) -> None:
    once = {each.logged.statement: each for each in (plan, *own)}
    statements = [_stated(envelopes[each.logged.envelope]) for each in once.values()]
    check_claims(statements, systems((each.statement.subject, each.claim) for each in statements))


def _stated(envelope: bytes) -> Stated:
    payload, statement = stated(dsse.read(envelope))
    return Stated(digest(payload), statement, claimed(statement))


def _unjudged(answered: Sequence[Answered], said: Said) -> Iterator[frozenset[str]]:
    unread = {each.envelope for each in said.unread}
    told: set[str] = set()
    for each in answered:
        for held in each.held:
            try:
                entry = read_entry(held.entry)
            except EvidenceError:
                continue  # a log whose entries are envelopes: nothing in it is erased
            if entry.envelope in unread and entry.envelope not in told and kind_of(entry.predicate_type) in RESULTS:
                told.add(entry.envelope)
                yield frozenset(entry.subjects)


def _asked(answered: Answered) -> AskedLog:
    return AskedLog(
        log=answered.origin,
        url=answered.url,
        size=answered.size,
        entries=answered.about,
        erased=answered.erased,
        witnesses=answered.witnesses,
        seen=answered.seen,
    )
