"""All that a log holds about one subject, read for a page: each statement with what was said of it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from aloi.evidence import lookup
from aloi.evidence.loggedstatements import Held, Unread, read_logged
from aloi.evidence.organisations import organisation_digest
from aloi.evidence.publickeys import PublicKey
from aloi.evidence.roster import Rosters, read_rosters
from aloi.evidence.status import Status, Statuses, read_statuses
from aloi.evidence.vouching import STATEMENT, Dispute, Endorsement, Replication, Withdrawal
from aloi.registry.log import Log
from aloi.registry.server.requests import Refused
from aloi.registry.server.submitters import Speaking
from aloi.registry.store import Stored
from aloi.translation import N_

MOST = 500
"""Entries that are read for a page; who wants more looks them up."""


class Word(NamedTuple):
    """Something that was said of a statement, and what was replied."""

    status: Status
    replies: tuple["Word", ...] = ()


class Shown(NamedTuple):
    """A statement with all that counts of what was said of it."""

    status: Status
    withdrawals: tuple[Word, ...]
    disputes: tuple[Word, ...]
    endorsements: tuple[Word, ...]
    replications: tuple[Word, ...]


class Subject(NamedTuple):
    """What a page tells of a subject: of the log's first `size` entries, `entries` are about it, and no others.

    `names` are how statements call it. `strangers` are keys whose owner no roster and no submitter names.
    """

    digest: str
    size: int
    names: tuple[str, ...]
    entries: tuple[Stored, ...]
    statuses: Statuses
    rosters: Rosters
    shown: tuple[Shown, ...]
    unread: Mapping[int, Unread]


def read_subject(log: Log, digest: str, submitters: Iterable[Speaking]) -> Subject:
    """Raises RegistryError as `look_up`, Refused ('answer-too-large') where a page would not hold it."""
    answer = lookup.read(log.look_up(digest))
    size = int(answer.checkpoint.splitlines()[1])
    if len(answer.entries) > MOST:
        raise Refused(
            413,
            "answer-too-large",
            N_("{count} entries are about it, more than a page shows"),
            remedy=N_("look it up with `aloi lookup`"),
            count=len(answer.entries),
        )
    entries = tuple(log.entry(each.index) for each in answer.entries)
    speaking = tuple(submitters)
    keys = [key for each in speaking for key in (*each.keys, *each.former)]
    rosters = [
        one
        for each in speaking
        if each.organisation and _signed(entries, (*each.keys, *each.former))
        for one in log.filed(organisation_digest(each.organisation))
    ]
    every = {each.index: each for each in (*entries, *rosters)}
    read, unread = read_logged([_held(each) for each in every.values()], keys)
    organisations = read_rosters(read)
    statuses = read_statuses(read, organisations)
    about = {each.index for each in entries}
    named = (one for each in read if each.index in about for one in each.subjects if one.fingerprint == digest)
    return Subject(
        digest=digest,
        size=size,
        names=tuple(dict.fromkeys(each.name for each in named if each.name != STATEMENT)),
        entries=entries,
        statuses=statuses,
        rosters=organisations,
        shown=tuple(_shown(each, statuses) for each in statuses.statements.values() if _stands_alone(each, about)),
        unread={each.index: each for each in unread if each.index in about},
    )


def _signed(entries: Sequence[Stored], keys: Iterable[PublicKey]) -> bool:
    ids = {key.id for key in keys}
    return any(ids & set(each.signers.split()) for each in entries)


def _held(stored: Stored) -> Held:
    return Held(index=stored.index, time=stored.received, entry=stored.body, envelope=stored.envelope)


def _stands_alone(status: Status, about: set[int]) -> bool:
    """Whether a statement is shown by itself; words about others stand with these."""
    words = Withdrawal | Dispute | Endorsement | Replication
    return status.logged.index in about and not isinstance(status.logged.record, words)


def _shown(status: Status, statuses: Statuses) -> Shown:
    repeats = (each.envelope for each in status.replications)
    return Shown(
        status=status,
        withdrawals=_words(status.withdrawals, statuses),
        disputes=_words(status.disputes, statuses),
        endorsements=_words(status.endorsements, statuses),
        replications=_words(tuple(repeats), statuses),
    )


def _words(envelopes: Iterable[str], statuses: Statuses) -> tuple[Word, ...]:
    """What was said, with the replies: disputes of it. A dispute never disputes itself: it names an earlier digest."""
    found = (statuses.statements[each] for each in envelopes)
    return tuple(Word(each, _words(each.disputes, statuses)) for each in found)
