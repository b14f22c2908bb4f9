"""Alike results of one hazard as pools: their clusters, what they say together, dissent, certainty."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from msgspec import Struct

from aloi.assurance.consensus.certainty import STARTS, Design, Ground, Override, certainty
from aloi.assurance.consensus.clusters import Cluster, clusters
from aloi.assurance.consensus.likeness import Likeness, differences, likeness
from aloi.assurance.consensus.members import Member
from aloi.assurance.consensus.pooled import Counted, Pooled, Standing, pooled_of, questions, shown, standing
from aloi.assurance.consensus.records import Dissent, NamedCluster, NamedLink, Pool
from aloi.evidence.records import Finding, Verdict
from aloi.evidence.statement import Subject
from aloi.statistics.counts import FEWEST


class Around(Struct, frozen=True, kw_only=True):
    """What is known beside the results of a hazard: the system, and how many plans and results are missing.

    `unjudged` are results on any hazard that a log holds and nobody can read. `complete` is proved by a log only.
    """

    system: Subject
    unfollowed: int
    unseen: int
    unjudged: int
    complete: bool
    overrides: tuple[Override, ...] = ()


class _Group(Struct, frozen=True):
    """Alike findings, and how they fall into clusters."""

    members: tuple[Member, ...]
    clusters: tuple[Cluster, ...]

    @property
    def counts(self) -> list[Counted]:
        return [each.counts for each in self.members if each.counts is not None]

    @property
    def findings(self) -> list[Finding]:
        return [each.result.record for each in self.members if isinstance(each.result.record, Finding)]


def pools_of(members: Sequence[Member], around: Around) -> tuple[Pool, ...]:
    """The pools of one hazard's findings, the one of most clusters and then of most trials first."""
    alike: dict[tuple[tuple[str, str], ...], list[Member]] = {}
    for each in members:
        if each.counts is not None:
            alike.setdefault(tuple(sorted(likeness(each.result).items())), []).append(each)
    groups = sorted((_group(each) for each in alike.values()), key=_rank)
    first = likeness(groups[0].members[0].result) if groups else {}
    return tuple(_pool(group, first, around) for group in groups)


def _group(members: Sequence[Member]) -> _Group:
    """The clusters of alike findings, those of one cluster side by side."""
    found = clusters([each.result for each in members], [_domains(each) for each in members])
    return _Group(tuple(members), found)


def _domains(member: Member) -> list[str]:
    """The organisations that speak in a result; a party that is a key is linked as its signer."""
    return [party for party in member.account.parties if party not in member.result.signers]


def _rank(group: _Group) -> tuple[int, float, int]:
    return -len(group.clusters), -sum(each.n for each in group.counts), group.members[0].number


def _pool(group: _Group, first: Likeness, around: Around) -> Pool:
    pooled = pooled_of(group.counts, group.clusters)
    results = [each.result for each in group.members]
    asked = tuple(questions(results, group.clusters, pooled))
    undisputed = _undisputed(group, asked[0].threshold, asked[0].standing)
    ground = Ground(
        hazard=results[0].hazard,
        results=results,
        accounts=[each.account for each in group.members],
        counts=group.counts,
        clusters=group.clusters,
        designs=[_best(group, cluster) for cluster in group.clusters],
        pooled=pooled,
        question=asked[0],
        undisputed=undisputed,
        other_versions=sum(each.system.fingerprint != around.system.fingerprint for each in results),
        unfollowed=around.unfollowed,
        unseen=around.unseen,
        unjudged=around.unjudged,
        complete=around.complete,
        blind=_blind(group),
    )
    estimates = [finding.estimate for finding in group.findings]
    return Pool(
        numbers=tuple(each.number for each in group.members),
        differs=differences(first, likeness(results[0])),
        clusters=tuple(_named(place, cluster, group) for place, cluster in enumerate(group.clusters)),
        shown=shown(len(group.clusters)),
        low=pooled.low if pooled else float(min(each.low for each in estimates)),
        high=pooled.high if pooled else float(max(each.high for each in estimates)),
        pooled=pooled,
        questions=asked,
        undisputed=undisputed,
        certainty=certainty(ground, around.overrides),
        dissent=tuple(_dissent(group, pooled)) if pooled else (),
        contradicting=tuple(_contradicting(group)),
    )


def _best(group: _Group, cluster: Cluster) -> Design:
    return max((group.members[place].design for place in cluster.members), key=lambda each: STARTS[each])


def _named(place: int, cluster: Cluster, group: _Group) -> NamedCluster:
    def numbers(places: Sequence[int]) -> tuple[int, ...]:
        return tuple(group.members[each].number for each in places)

    links = tuple(NamedLink(why=one.why, value=one.value, numbers=numbers(one.members)) for one in cluster.links)
    return NamedCluster(name=letter(place), numbers=numbers(cluster.members), links=links)


def letter(place: int) -> str:
    """A, B … Z, AA, AB …"""
    more, last = divmod(place, 26)
    return (letter(more - 1) if more else "") + chr(ord("A") + last)


def _undisputed(group: _Group, threshold: Decimal, whole: Standing) -> Standing:
    """How the pool stands without what is disputed."""
    left = [each for each in group.members if each.account.state != "disputed"]
    if len(left) == len(group.members) or not left:
        return whole
    rest = _group(left)
    return standing(pooled_of(rest.counts, rest.clusters), float(threshold), len(rest.clusters))


def _blind(group: _Group) -> int:
    """How many results were repeated blindly in another cluster of the pool."""
    cluster_of = {
        group.members[place].result.statement: cluster for cluster in group.clusters for place in cluster.members
    }
    return sum(
        any(cluster_of.get(other, mine) is not mine for other in member.account.blind)
        for member in group.members
        for mine in [cluster_of[member.result.statement]]
    )


def _dissent(group: _Group, pooled: Pooled) -> Iterator[Dissent]:
    """Whose whole interval lies outside what the other clusters predict or, where these are too few, all together."""
    apart = len(group.clusters) > FEWEST
    for place, cluster in enumerate(group.clusters):
        low, high = pooled.without[place].prediction if apart else pooled.prediction
        for each in cluster.members:
            seen = group.findings[each].estimate
            if float(seen.low) > high or float(seen.high) < low:
                yield Dissent(number=group.members[each].number, others=apart, prediction=(low, high))


def _contradicting(group: _Group) -> Iterator[int]:
    """Results whose verdict contradicts another's at the same threshold."""
    said = {(each.threshold, each.verdict) for each in group.findings}
    contrary = {Verdict.MET: Verdict.NOT_MET, Verdict.NOT_MET: Verdict.MET}
    for member, finding in zip(group.members, group.findings, strict=True):
        if (finding.threshold, contrary.get(finding.verdict)) in said:
            yield member.number
