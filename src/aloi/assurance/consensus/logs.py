"""What registries hold about a system: asked, proved to be all, and read together with what lies beside it.

answered = [await ask(url, system, organisations, policy) for url in urls]
said = read_logs(answered, sources, statements, keys)
consensus(sources, said, wanted, logged_results(answered, said))
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from aloi.assurance.consensus.account import Said, beside
from aloi.assurance.consensus.orders import InLog
from aloi.assurance.consensus.results import Source
from aloi.errors import AskerError, EvidenceError
from aloi.evidence import envelope as dsse
from aloi.evidence.canonical import digest
from aloi.evidence.logentry import stated
from aloi.evidence.loggedstatements import Held, read_logged
from aloi.evidence.organisations import organisation_digest
from aloi.evidence.publickeys import PublicKey
from aloi.evidence.records import Effect
from aloi.evidence.roster import read_rosters
from aloi.evidence.statement import claimed
from aloi.evidence.status import read_statuses
from aloi.evidence.trustpolicy import Policy, Witnessed
from aloi.registry.sharing import Found, find
from aloi.translation import N_


class Answered(Struct, frozen=True, kw_only=True):
    """What one registry answered, proved complete: of the log's first `size` entries, all about `subjects`.

    `held` stand in the log's order. `about` tells how many of them are about the system itself. `seen` is the POSIX
    second by which enough witnesses had signed, None where the reader asks for none. `names` are the registry's own
    word for the keys that may publish in it.
    """

    url: str
    origin: str
    size: int
    subjects: tuple[str, ...]
    held: tuple[Held, ...]
    about: int
    erased: int
    keys: tuple[PublicKey, ...]
    names: Mapping[str, str]
    witnesses: tuple[Witnessed, ...]
    seen: int | None


async def ask(url: str, system: str, organisations: Iterable[str], policy: Policy) -> Answered:
    """All that a registry holds about a system, what it was hardened to or from, and organisations by their domains.

    Looked up are those that are named here, and those that the registry says have signed.

    Raises RegistryError and EvidenceError as `find`; 'other-log' where one address answers for two logs.
    """
    first = [system, *dict.fromkeys(organisation_digest(each) for each in organisations)]
    found = list(await asyncio.gather(*(find(url, each, policy) for each in first)))
    rosters = [organisation_digest(each) for each in found[0].organisations]
    more = [each for each in dict.fromkeys((*_derived(found[0]), *rosters)) if each not in first]
    found += await asyncio.gather(*(find(url, each, policy) for each in more))
    head = min(found, key=lambda each: each.complete.size).complete
    for each in found:
        if each.complete.origin != head.origin:
            raise EvidenceError(
                N_("{url} answers for the log {got}, and for {expected}"),
                reason="other-log",
                remedy=N_("ask again, and keep its answers"),
                url=url,
                got=each.complete.origin,
                expected=head.origin,
            )
    held = {one.index: one for each in found for one in each.held}
    return Answered(
        url=url,
        origin=head.origin,
        size=head.size,
        subjects=(*first, *more),
        held=tuple(held[index] for index in sorted(held)),
        about=len(found[0].held),
        erased=len({index for each in found for index in each.erased}),
        keys=tuple({key.id: key for each in found for key in each.keys}.values()),
        names={key: name for each in found for key, name in each.names.items()},
        witnesses=head.witnesses,
        seen=policy.seen_by(head.witnesses),
    )


async def ask_all(
    urls: Sequence[str], system: str, organisations: Sequence[str], policy: Policy
) -> tuple[Answered, ...]:
    """As `ask`, of several registries. Raises AskerError where two of them show one log."""
    answered = await asyncio.gather(*(ask(url, system, organisations, policy) for url in dict.fromkeys(urls)))
    by_log: dict[str, Answered] = {}
    for each in answered:
        other = by_log.setdefault(each.origin, each)
        if other is not each:
            raise AskerError(
                N_("{one} and {other} show one and the same log, {log}"),
                remedy=N_("name one of them"),
                one=other.url,
                other=each.url,
                log=each.origin,
            )
    return tuple(answered)


def _derived(found: Found) -> Iterator[str]:
    """The systems that effects name beside the one asked for: findings on them stand under the same plans.

    An effect names a system of its plan first and the hardened one after it; further ones are not followed.
    """
    for held in found.held:
        if held.envelope is None:
            continue
        try:
            _, statement = stated(dsse.read(held.envelope))
            claim = claimed(statement)
        except EvidenceError:
            continue  # told as unread, once all is read
        if claim and isinstance(claim.record, Effect):
            yield from (each.fingerprint for each in statement.subject[:2])


def read_logs(
    answered: Sequence[Answered],
    sources: Sequence[Source] = (),
    statements: Iterable[bytes] = (),
    trusted: Iterable[PublicKey] = (),
) -> Said:
    """Where everything stands, by all logs and what lies beside them.

    What is said of a statement counts in whichever log it is said. Entries of several logs are read by their times;
    each log is read alone too, for only that shows an order.
    """
    keys = [*trusted, *(key for each in answered for key in each.keys), *(key for each in sources for key in each.keys)]
    logged = sorted((held.time, place, held.index, held) for place, each in enumerate(answered) for held in each.held)
    known = {digest(held.envelope) for *_, held in logged if held.envelope is not None}
    loose = beside(sources, statements)
    in_order = [
        *(Held(index=0, time=time, entry=data, envelope=data) for time, data in loose.rosters),
        *(held for *_, held in logged),
        *(Held(index=0, time=time, entry=data, envelope=data) for time, data in loose.others),
    ]
    in_order = [each for each in in_order if each.entry != each.envelope or digest(each.entry) not in known]
    read, unread = read_logged([replace(held, index=index) for index, held in enumerate(in_order)], keys)
    rosters = read_rosters(read)
    logs = tuple(_alone(each, keys) for each in answered)
    return Said(statuses=read_statuses(read, rosters), rosters=rosters, unread=unread, logs=logs)


def _alone(answered: Answered, keys: Sequence[PublicKey]) -> InLog:
    read, _ = read_logged(answered.held, keys)
    return InLog(origin=answered.origin, statuses=read_statuses(read, read_rosters(read)))
