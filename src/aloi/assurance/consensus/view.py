"""The consensus on a system: who is alike, who is independent, what they say together, who dissents, how sure it is."""

from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from msgspec import Struct

from aloi.assurance.consensus.account import Said, read_beside
from aloi.assurance.consensus.certainty import Override
from aloi.assurance.consensus.evidence import evidence_of
from aloi.assurance.consensus.members import Member, members_of
from aloi.assurance.consensus.missing import unfollowed, unseen
from aloi.assurance.consensus.pools import Around, pools_of
from aloi.assurance.consensus.records import Consensus, HazardView, Unfollowed, Unseen
from aloi.assurance.consensus.results import Result, Source, results_of
from aloi.errors import AskerError
from aloi.evidence.organisations import ANYTHING
from aloi.evidence.records import Hunt
from aloi.evidence.statement import Subject
from aloi.translation import N_

NO_NAMES: Mapping[str, str] = MappingProxyType({})


class Wanted(Struct, frozen=True, kw_only=True):
    """What a reader asks of the bundles.

    `system` is the fingerprint, '' for the one that most bundles planned to measure; `hazards` none for all of them.
    `names` are the reader's own for keys; `owner` is the domain of whoever runs the system, to which evaluators relate.
    """

    system: str = ""
    hazards: tuple[str, ...] = ()
    names: Mapping[str, str] = NO_NAMES
    owner: str = ANYTHING
    other_versions: bool = False
    overrides: tuple[Override, ...] = ()


EVERYTHING = Wanted()


def consensus(sources: Sequence[Source], said: Said | None = None, wanted: Wanted = EVERYTHING) -> Consensus:
    """What verified bundles say together; `said` is where their statements stand, by a log or by a folder beside them.

    Raises AskerError where it is not clear which system is meant, or where nobody measured what is asked for.
    """
    results = results_of(sources)
    system = _system(sources, results, wanted.system)
    known = said or read_beside(sources)
    members = members_of(results, known, system, wanted.owner, other_versions=wanted.other_versions)
    missing = tuple(unfollowed(known, system))
    elsewhere = tuple(unseen(known, system, {result.statement for result in results}))
    return Consensus(
        system=system,
        bundles=tuple(source.verification.digest for source in sources),
        other_versions=wanted.other_versions,
        owner=wanted.owner,
        from_log=known.from_log,
        hazards=tuple(
            _hazard(slug, members, known, wanted, _around(slug, system, known, wanted, missing, elsewhere))
            for slug in _hazards(members, system, wanted.hazards)
        ),
        unfollowed=missing,
        unseen=elsewhere,
        unread=tuple((each.envelope, each.why) for each in known.unread),
        nothing=known.statuses.nothing,
    )


def _system(sources: Sequence[Source], results: Sequence[Result], wanted: str) -> Subject:
    """The system that is meant: the one asked for, or the one that most bundles planned to measure."""
    measured = {result.system.fingerprint: result.system for result in results}
    if wanted:
        if wanted not in measured:
            raise AskerError(
                N_("no bundle holds a result on the system {system}; there are results on: {known}"),
                remedy=N_("give one of these fingerprints, or none"),
                system=wanted,
                known=", ".join(measured) or "-",
            )
        return measured[wanted]
    planned = Counter(source.plan.subject[0].fingerprint for source in sources)
    most = [name for name, count in planned.most_common() if count == max(planned.values()) and name in measured]
    if len(most) != 1:
        raise AskerError(
            N_("it is not clear which system is meant; there are results on: {known}"),
            remedy=N_("name one of them by its fingerprint with --system"),
            known=", ".join(most or measured) or "-",
        )
    return measured[most[0]]


def _hazards(members: Sequence[Member], system: Subject, wanted: Sequence[str]) -> list[str]:
    """The hazards that somebody measured on the system, in the order of the bundles."""
    known = list(dict.fromkeys(each.result.hazard for each in members if each.aside != "other-system"))
    for slug in wanted:
        if slug not in known:
            raise AskerError(
                N_("no bundle holds a result for {hazard} on {system}; there are results for: {known}"),
                remedy=N_("ask for one of these hazards, or for all"),
                hazard=slug,
                system=system.name,
                known=", ".join(known) or "-",
            )
    return [slug for slug in known if not wanted or slug in wanted]


def _around(
    slug: str,
    system: Subject,
    said: Said,
    wanted: Wanted,
    missing: Sequence[Unfollowed],
    elsewhere: Sequence[Unseen],
) -> Around:
    return Around(
        system=system,
        unfollowed=sum(slug in each.hazards for each in missing),
        unseen=sum(each.hazard == slug for each in elsewhere),
        complete=said.from_log,
        overrides=wanted.overrides,
    )


def _hazard(slug: str, members: Sequence[Member], said: Said, wanted: Wanted, around: Around) -> HazardView:
    own = [each for each in members if each.result.hazard == slug]
    return HazardView(
        hazard=slug,
        evidence=tuple(evidence_of(each, said, wanted.names, wanted.owner) for each in own),
        pools=pools_of(own, around),
        hunts=tuple(each.number for each in own if isinstance(each.result.record, Hunt) and each.aside is None),
    )
