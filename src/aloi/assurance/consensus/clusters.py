"""Which results are independent of each other: union-find over what they have in common, each link with its reason."""

from collections.abc import Iterator, Sequence
from typing import Literal

from msgspec import Struct

from aloi.assurance.consensus.results import Result
from aloi.evidence.records import PERSON, Finding

Why = Literal["signer", "organisation", "trials", "ratings", "plan", "seed", "corpus", "judge", "calibration"]


class Link(Struct, frozen=True, kw_only=True):
    """What several results have in common; they are told by their places in what was given."""

    why: Why
    value: str
    members: tuple[int, ...]


class Cluster(Struct, frozen=True, kw_only=True):
    """Results that are not independent of each other, or one that is of all others, and why."""

    members: tuple[int, ...]
    links: tuple[Link, ...]


def clusters(results: Sequence[Result], parties: Sequence[Sequence[str]]) -> tuple[Cluster, ...]:
    """The independence clusters of results; `parties` are the organisations that speak in each.

    Any one thing in common links, and links join: where A shares a judge with B and B its seed with C, all three are
    one cluster. In the order of their first members.
    """
    shared: dict[tuple[Why, str], list[int]] = {}
    for place, (result, domains) in enumerate(zip(results, parties, strict=True)):
        for key in dict.fromkeys(_marks(result, domains)):
            shared.setdefault(key, []).append(place)
    links = [
        Link(why=why, value=value, members=tuple(members)) for (why, value), members in shared.items() if members[1:]
    ]
    parent = list(range(len(results)))

    def root(place: int) -> int:
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    for link in links:
        for member in link.members[1:]:
            first, other = sorted((root(link.members[0]), root(member)))
            parent[other] = first
    grouped: dict[int, list[int]] = {}
    for place in range(len(results)):
        grouped.setdefault(root(place), []).append(place)
    return tuple(
        Cluster(members=tuple(members), links=tuple(link for link in links if root(link.members[0]) == first))
        for first, members in grouped.items()
    )


def _marks(result: Result, domains: Sequence[str]) -> Iterator[tuple[Why, str]]:
    """All that a result may have in common with another one."""
    record, judging = result.record, result.planned.judging
    yield from (("signer", key) for key in result.signers)
    yield from (("organisation", domain) for domain in domains)
    if record.sample.trials:
        yield "trials", record.sample.root
    yield "plan", result.plan_digest
    yield "seed", result.plan.seed
    if isinstance(record, Finding):
        if record.ratings is not None and record.ratings.trials:
            yield "ratings", record.ratings.root
        if record.corpus is not None:
            yield "corpus", record.corpus.digest
    for scorer in (record.scorer, judging.escalates_to if judging else None):
        # An oracle is exact, and each person labels for one evaluator: neither errs alike for two.
        if scorer is not None and scorer.kind != "oracle" and scorer.name != PERSON:
            yield "judge", scorer.model or scorer.digest or f"{scorer.name} {scorer.version}"
    if judging is not None and judging.calibration is not None:
        yield "calibration", judging.calibration.digest
