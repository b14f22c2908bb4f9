"""The consensus on a system: who is alike, who is independent, what they say together, who dissents, how sure it is."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from aloi.assurance.consensus.account import Said, read_beside
from aloi.assurance.consensus.appraising import overrides
from aloi.assurance.consensus.certainty import Override
from aloi.assurance.consensus.evidence import SHORT, evidence_of
from aloi.assurance.consensus.logged import NOTHING_LOGGED, LoggedResults
from aloi.assurance.consensus.members import Member, members_of
from aloi.assurance.consensus.missing import unfollowed, unopened, unseen
from aloi.assurance.consensus.pools import Around, pools_of
from aloi.assurance.consensus.records import Consensus, HazardView, Unfollowed, Unseen
from aloi.assurance.consensus.results import Result, Source, results_of, together
from aloi.errors import AskerError
from aloi.evidence.organisations import ANYTHING
from aloi.evidence.records import Hunt
from aloi.evidence.statement import Subject
from aloi.translation import N_

NO_NAMES: Mapping[str, str] = MappingProxyType({})


class Wanted(Struct, frozen=True, kw_only=True):
    """What a reader asks of the bundles and logs.

    `system` is the fingerprint, '' for the one that most bundles planned to measure; `hazards` none for all of them.
    `names` are the reader's own for keys; `owner` is the domain of whoever runs the system, to which evaluators relate.
    """

    system: str = ""
    hazards: tuple[str, ...] = ()
    names: Mapping[str, str] = NO_NAMES
    owner: str = ANYTHING
    other_versions: bool = False


EVERYTHING = Wanted()


def consensus(
    sources: Sequence[Source],
    said: Said | None = None,
    wanted: Wanted = EVERYTHING,
    logged: LoggedResults = NOTHING_LOGGED,
) -> Consensus:
    """What verified bundles, and results that logs hold, say together.

    `said` is where their statements stand, by logs or by a folder beside them. Raises AskerError where it is not clear
    which system is meant, or where nobody measured what is asked for. That a log holds no result on a system is an
    answer.
    """
    results = together((*results_of(sources), *logged.results))
    known = said or read_beside(sources)
    wanted = replace(wanted, names={**logged.names, **wanted.names})
    system = _system(sources, results, known, wanted.system)
    members = members_of(results, known, system, wanted.owner, other_versions=wanted.other_versions)
    missing = tuple(unfollowed(known, system))
    elsewhere = tuple(unseen(known, system, {result.statement for result in results}))
    unjudged = sum(system.fingerprint in each for each in logged.unjudged)
    around = _Around(system, known.from_log, missing, elsewhere, unjudged, tuple(overrides(known, system)))
    return Consensus(
        system=system,
        bundles=tuple(source.verification.digest for source in sources),
        other_versions=wanted.other_versions,
        owner=wanted.owner,
        from_log=known.from_log,
        logs=logged.logs,
        hazards=tuple(
            _hazard(slug, members, known, wanted, around.of(slug)) for slug in _hazards(members, system, wanted.hazards)
        ),
        unfollowed=missing,
        unopened=tuple(unopened(known, system)),
        unseen=elsewhere,
        unread=tuple(dict.fromkeys((*((each.envelope, each.why) for each in known.unread), *logged.refused))),
        unjudged=unjudged,
        nothing=known.statuses.nothing,
    )


def _system(sources: Sequence[Source], results: Sequence[Result], said: Said, wanted: str) -> Subject:
    """The system that is meant: the one asked for, or the one that most bundles planned to measure."""
    measured = {result.system.fingerprint: result.system for result in results}
    if wanted:
        if said.from_log and wanted not in measured:
            return _named(said, wanted)
        if wanted not in measured:
            raise AskerError(
                N_("no bundle holds a result on the system {system}; there are results on: {known}"),
                remedy=N_("give one of these fingerprints, or none"),
                system=wanted,
                known=", ".join(measured) or "-",
            )
        return measured[wanted]
    return meant(sources, measured)


def meant(sources: Sequence[Source], measured: Collection[str] | None = None) -> Subject:
    """The system that most bundles planned to measure, among those `measured` where they are given.

    Raises AskerError where there is not one such.
    """
    subjects = {source.plan.subject[0].fingerprint: source.plan.subject[0] for source in sources}
    planned = Counter(source.plan.subject[0].fingerprint for source in sources)
    most = [
        each
        for each, count in planned.items()
        if count == max(planned.values()) and (measured is None or each in measured)
    ]
    if len(most) != 1:
        raise AskerError(
            N_("it is not clear which system is meant; there are results on: {known}"),
            remedy=N_("name one of them by its fingerprint with --system"),
            known=", ".join(most or measured or subjects) or "-",
        )
    return subjects[most[0]]


def _named(said: Said, fingerprint: str) -> Subject:
    """A system of which no result is known, under the name by which some statement calls it."""
    called = (subject for status in said.statuses.statements.values() for subject in status.logged.subjects)
    return next(
        (each for each in called if each.fingerprint == fingerprint), Subject.of(fingerprint[:SHORT], fingerprint)
    )


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


class _Around(NamedTuple):
    """What is known of all hazards, beside the results."""

    system: Subject
    complete: bool
    missing: Sequence[Unfollowed]
    elsewhere: Sequence[Unseen]
    unjudged: int
    overrides: tuple[Override, ...]

    def of(self, slug: str) -> Around:
        """The same for one hazard."""
        return Around(
            system=self.system,
            unfollowed=sum(slug in each.hazards for each in self.missing),
            unseen=sum(each.hazard == slug for each in self.elsewhere),
            unjudged=self.unjudged,
            complete=self.complete,
            overrides=self.overrides,
        )


def _hazard(slug: str, members: Sequence[Member], said: Said, wanted: Wanted, around: Around) -> HazardView:
    own = [each for each in members if each.result.hazard == slug]
    return HazardView(
        hazard=slug,
        evidence=tuple(evidence_of(each, said, wanted.names, wanted.owner) for each in own),
        pools=pools_of(own, around),
        hunts=tuple(each.number for each in own if isinstance(each.result.record, Hunt) and each.aside is None),
    )
