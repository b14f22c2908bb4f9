"""What was said of each result since it was signed, and by whom: withdrawn, disputed, replicated, registered before.

A log proves in which order statements were made, and that none is missing. A folder of files proves neither: there the
order is what the signers' own clocks say, so that nothing in it counts as blind, or as registered in the open. Nor do
two logs prove an order between them: what is said counts wherever it is logged, what came first in one log alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from msgspec import Struct

from aloi.assurance.consensus.orders import InLog, Registered, blind, registered
from aloi.assurance.consensus.results import Result, Source
from aloi.errors import EvidenceError
from aloi.evidence import envelope as dsse
from aloi.evidence.canonical import digest
from aloi.evidence.logentry import stated
from aloi.evidence.loggedstatements import Held, LoggedStatement, Unread, read_logged
from aloi.evidence.organisations import ANYTHING, Organisation, Relation
from aloi.evidence.publickeys import PublicKey
from aloi.evidence.records import Plan, Record
from aloi.evidence.roster import Rosters, read_rosters
from aloi.evidence.statement import claimed
from aloi.evidence.status import State, Status, Statuses, read_statuses
from aloi.evidence.vouching import Dispute, Withdrawal

NO_PROOFS: Mapping[str, bytes] = MappingProxyType({})


class Said(Struct, frozen=True, kw_only=True):
    """Where the statements at hand stand together; `logs` are those that prove their order and that none is missing.

    `unread` could not be judged: signed by keys that nobody named, or not well formed.
    """

    statuses: Statuses
    rosters: Rosters
    unread: tuple[Unread, ...] = ()
    logs: tuple[InLog, ...] = ()

    @property
    def from_log(self) -> bool:
        """Whether a log was asked."""
        return bool(self.logs)


class Place(Struct, frozen=True, kw_only=True):
    """Where a log holds a statement."""

    log: str
    index: int


class Word(Struct, frozen=True, kw_only=True):
    """A withdrawal, or a dispute and the replies to it: who says it, when by their own clock, and in which words."""

    by: tuple[str, ...]
    at: str
    text: str
    reason: str = ""
    replies: tuple["Word", ...] = ()


class Account(Struct, frozen=True, kw_only=True):
    """Where one result stands. `parties` are organisations' domains, and keys that belong to none.

    `registered`: by a 'log' before the result, by the signer's own 'clock', or 'after' it. `places` tells where logs
    hold the result, if they do.
    """

    state: State
    parties: tuple[str, ...]
    registered: Registered
    places: tuple[Place, ...] = ()
    withdrawals: tuple[Word, ...] = ()
    disputes: tuple[Word, ...] = ()
    blind: tuple[str, ...] = ()
    disowned: bool = False


def read_log(
    statements: Iterable[LoggedStatement],
    unread: Sequence[Unread] = (),
    proofs: Mapping[str, bytes] = NO_PROOFS,
    origin: str = "",
) -> Said:
    """What a log holds about a system and its evaluators: of a complete look-up, in the log's order."""
    read = tuple(statements)
    rosters = read_rosters(read, proofs)
    statuses = read_statuses(read, rosters)
    return Said(
        statuses=statuses, rosters=rosters, unread=tuple(unread), logs=(InLog(origin=origin, statuses=statuses),)
    )


def read_beside(sources: Sequence[Source], statements: Iterable[bytes] = (), trusted: Iterable[PublicKey] = ()) -> Said:
    """What bundles and loose statements say, without a log: organisations first, then bundles, then words about them.

    Signatures are verified by the keys that are trusted, those of the bundles, and those that organisations list.
    """
    found = beside(sources, statements)
    held = [
        Held(index=index, time=time, entry=data, envelope=data)
        for index, (time, data) in enumerate((*found.rosters, *found.others))
    ]
    read, unread = read_logged(held, (*trusted, *(key for source in sources for key in source.keys)))
    rosters = read_rosters(read)
    return Said(statuses=read_statuses(read, rosters), rosters=rosters, unread=unread)


class Beside(NamedTuple):
    """Envelopes that no log holds, each with the second that it tells, in the order in which they are read."""

    rosters: tuple[tuple[int, bytes], ...]
    others: tuple[tuple[int, bytes], ...]


def beside(sources: Sequence[Source], statements: Iterable[bytes]) -> Beside:
    """Bundles' envelopes and loose ones: what organisations say of themselves apart from all others."""
    loose = [_Loose.of(data) for data in statements]
    bundled = [
        (_seconds(_registered(source)), dsse.write(envelope)) for source in sources for envelope in source.envelopes
    ]
    planned = {source.plan.digest: _seconds(_registered(source)) for source in sources}
    planned |= {one.statement: one.seconds for one in loose if isinstance(one.record, Plan)}
    latest = max([*(time for time, _ in bundled), *(one.seconds for one in loose)], default=0)
    first = sorted((one for one in loose if isinstance(one.record, Organisation)), key=_Loose.chained)
    rest = sorted((one.time(planned, latest), one.data) for one in loose if one not in first)
    return Beside(tuple((one.seconds, one.data) for one in first), (*bundled, *rest))


def account(result: Result, said: Said) -> Account:
    """Where a result stands, all the envelopes that it stands in taken together."""
    known = [said.statuses.statements[each] for each in result.envelopes if each in said.statuses.statements]
    if not known:
        return Account(state="standing", parties=result.signers, registered="clock")
    return Account(
        state=_state(known),
        parties=tuple(sorted({party for each in known for party in each.parties})),
        registered=registered(result.envelopes, said.logs),
        places=tuple(
            Place(log=log.origin, index=log.statuses.statements[each].logged.index)
            for log in said.logs
            for each in result.envelopes
            if each in log.statuses.statements
        ),
        withdrawals=_words((each for status in known for each in status.withdrawals), said),
        disputes=_words((each for status in known for each in status.disputes), said),
        blind=blind(result.envelopes, said.logs),
        disowned=any(each.disowned for each in known),
    )


def relation(party: str, said: Said, owner: str) -> Relation | None:
    """How an organisation says that it stands to the owner of the system, or to everybody; None where nobody says."""
    if party not in said.rosters.organisations:
        return None
    told = {each.to: each for each in said.rosters.organisations[party].newest.relations}
    return told.get(owner) or told.get(ANYTHING)


def _state(known: Sequence[Status]) -> State:
    states = [each.state for each in known]
    if "withdrawn" in states:
        return "withdrawn"
    if all(state == "void" for state in states):
        return "void"
    return "disputed" if "disputed" in states else "standing"


def _words(envelopes: Iterable[str], said: Said) -> tuple[Word, ...]:
    found = (said.statuses.statements[each] for each in dict.fromkeys(envelopes))
    return tuple(_word(each, said) for each in found)


def _word(status: Status, said: Said) -> Word:
    record = status.logged.record
    assert isinstance(record, Dispute | Withdrawal)
    replies = _words(status.disputes, said) if isinstance(record, Dispute) else ()
    if isinstance(record, Withdrawal):
        return Word(by=status.parties, at=record.at, text=record.text, reason=record.reason)
    return Word(by=status.parties, at=record.at, text=record.reason, replies=replies)


class _Loose(NamedTuple):
    """A statement of a file, its signatures not verified; `record` is None where it cannot be read.

    `seconds` is when it says that it was made, 0 where it does not.
    """

    data: bytes
    record: Record | None = None
    statement: str = ""
    plan: str | None = None
    seconds: int = 0

    @classmethod
    def of(cls, data: bytes) -> "_Loose":
        try:
            payload, statement = stated(dsse.read(data))
            claim = claimed(statement)
        except EvidenceError:
            return cls(data)
        if claim is None:
            return cls(data)
        at = str(getattr(claim.record, "at", "") or getattr(claim.record, "registered_at", ""))
        return cls(data, claim.record, digest(payload), claim.plan, _seconds(at))

    def chained(self) -> tuple[int, int, bytes]:
        """Each organisation's statements in their own order."""
        assert isinstance(self.record, Organisation)
        return self.record.sequence, self.seconds, self.data

    def time(self, planned: Mapping[str, int], latest: int) -> int:
        """When it was made: as it says, or as its plan does, else at the latest time that any statement tells."""
        return self.seconds or planned.get(self.plan or "", 0) or latest


def _registered(source: Source) -> str:
    return str(getattr(source.plan.record, "registered_at", ""))


def _seconds(text: str) -> int:
    """Seconds since 1970; 0 for what is no time."""
    try:
        return int(datetime.fromisoformat(text).timestamp())
    except ValueError:
        return 0
