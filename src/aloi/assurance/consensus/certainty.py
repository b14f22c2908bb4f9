"""How certain a consensus is, in four words, each step derived from facts that stand beside it.

After GRADE (Guyatt et al. 2008, BMJ 336:924): a start by design, steps down for what makes results doubtful, a step up
for what makes them firm. Whoever disagrees with a step gives a signed reason, and both stand in view.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import ceil
from typing import Literal

from msgspec import Struct

from aloi.assurance.consensus.account import Account
from aloi.assurance.consensus.clusters import Cluster
from aloi.assurance.consensus.pooled import Counted, Pooled, Question, Standing
from aloi.assurance.consensus.results import Result
from aloi.evidence.records import Finding
from aloi.statistics.counts import FEWEST, Count, merged
from aloi.statistics.design import sound_fixed_size

Level = Literal["very low", "low", "moderate", "high"]
Code = Literal["design", "bias", "inconsistency", "indirectness", "imprecision", "reporting", "replication"]
Design = Literal["open", "third-party", "self-attested"]

LEVELS: tuple[Level, ...] = ("very low", "low", "moderate", "high")
STARTS: Mapping[Design, int] = {"open": 3, "third-party": 2, "self-attested": 1}
ALPHA = 0.05
# A larger share of trials without a score could hide what matters.
MOST_UNSCORABLE = 0.05


class Fact(Struct, frozen=True, kw_only=True):
    """What a step rests on: a stable `code`, the figures that it compares, and whether it speaks `against`."""

    code: str
    against: bool = False
    figures: Mapping[str, float] = {}


class Override(Struct, frozen=True, kw_only=True):
    """Another change for a step, and why, by whoever signed the reason. That the signature holds, the caller owes."""

    hazard: str
    code: Code
    change: Literal[-2, -1, 0, 1]
    reason: str
    by: str


class Step(Struct, frozen=True, kw_only=True):
    """One step: by how much it changes the level (for 'design' nothing: it is the start), and why.

    Where somebody overrides it, `change` is what was derived, and the level rests on the override.
    """

    code: Code
    change: int
    facts: tuple[Fact, ...]
    override: Override | None = None

    @property
    def counts(self) -> int:
        """The change that the level rests on."""
        return self.override.change if self.override else self.change


class Certainty(Struct, frozen=True, kw_only=True):
    """How certain, where it started, and every step."""

    level: Level
    start: Level
    steps: tuple[Step, ...]


class Ground(Struct, frozen=True, kw_only=True):
    """All that the certainty of one pool is derived from.

    `designs` are the clusters' best; `unfollowed` plans have no finding on the hazard, `unseen` results are known and
    are not counted, `unjudged` ones cannot be read. `undisputed` is the standing without what is disputed.
    """

    hazard: str
    results: Sequence[Result]
    accounts: Sequence[Account]
    counts: Sequence[Counted]
    clusters: Sequence[Cluster]
    designs: Sequence[Design]
    pooled: Pooled | None
    question: Question
    undisputed: Standing
    other_versions: int
    unfollowed: int
    unseen: int
    unjudged: int
    complete: bool
    blind: int


def certainty(ground: Ground, overrides: Sequence[Override] = ()) -> Certainty:
    """How certain a pool is."""
    start = _start(ground.designs)
    given = {each.code: each for each in overrides if each.hazard == ground.hazard}
    steps = tuple(
        Step(code=code, change=change, facts=facts, override=given.get(code)) for code, change, facts in _steps(ground)
    )
    place = STARTS[start] + sum(step.counts for step in steps)
    return Certainty(level=LEVELS[min(max(place, 0), 3)], start=LEVELS[STARTS[start]], steps=steps)


def _start(designs: Sequence[Design]) -> Design:
    """What at least three clusters reach; with fewer, all of them: weak evidence beside strong takes nothing away."""
    ranked = sorted(designs, key=lambda each: -STARTS[each])
    return ranked[min(FEWEST, len(ranked)) - 1]


def _steps(ground: Ground) -> Iterator[tuple[Code, int, tuple[Fact, ...]]]:
    yield "design", 0, tuple(_design(ground))
    down: Mapping[Code, Callable[[Ground], Iterator[Fact]]] = {
        "bias": _bias,
        "inconsistency": _inconsistency,
        "indirectness": _indirectness,
        "imprecision": _imprecision,
        "reporting": _reporting,
    }
    for code, doubts in down.items():
        facts = tuple(doubts(ground))
        yield code, -1 if any(fact.against for fact in facts) else 0, facts
    yield "replication", 1 if ground.blind else 0, (Fact(code="blind-replications", figures={"count": ground.blind}),)


def _design(ground: Ground) -> Iterator[Fact]:
    of = len(ground.designs)
    for design in STARTS:
        if count := sum(each == design for each in ground.designs):
            yield Fact(code=design, figures={"count": count, "of": of})


def _bias(ground: Ground) -> Iterator[Fact]:
    findings = [each.record for each in ground.results if isinstance(each.record, Finding)]
    of = len(findings)
    asked = sum(each.estimate.n + each.estimate.unscorable for each in findings)
    lost = sum(each.estimate.unscorable for each in findings) / asked
    for code, count in (
        ("judge-rated", sum(each.counts != "failures" for each in findings)),
        ("judge-caveats", sum(bool(each.caveats) for each in findings)),
        ("disowned-key", sum(each.disowned for each in ground.accounts)),
    ):
        if count:
            yield Fact(code=code, against=True, figures={"count": count, "of": of})
    if ground.undisputed != ground.question.standing:
        yield Fact(code="rests-on-disputed", against=True)
    yield Fact(code="unscorable", against=lost > MOST_UNSCORABLE, figures={"share": lost, "limit": MOST_UNSCORABLE})


def _inconsistency(ground: Ground) -> Iterator[Fact]:
    if ground.pooled is None:
        figures = {"count": len(ground.clusters), "fewest": FEWEST}
        yield Fact(code="too-few-clusters", against=True, figures=figures)
        return
    spans = ground.question.standing == "not settled"
    yield _against_threshold("prediction", ground.pooled.prediction, ground, spans=spans)


def _indirectness(ground: Ground) -> Iterator[Fact]:
    figures = {"count": ground.other_versions, "of": len(ground.results)}
    yield Fact(code="other-versions", against=bool(ground.other_versions), figures=figures)


def _imprecision(ground: Ground) -> Iterator[Fact]:
    if ground.pooled is not None:
        ends = (ground.pooled.low, ground.pooled.high)
        spans = ends[0] <= float(ground.question.threshold) <= ends[1]
        yield _against_threshold("interval", ends, ground, spans=spans)
    cluster_of = {member: str(place) for place, one in enumerate(ground.clusters) for member in one.members}
    units = merged(
        [
            Count(name=cluster_of[place], cluster=cluster_of[place], failures=each.failures, n=each.n)
            for place, each in enumerate(ground.counts)
        ]
    )
    n, wanted = sum(unit.n for unit in units), optimal_size(float(ground.question.threshold))
    yield Fact(code="optimal-size", against=n < wanted, figures={"n": n, "wanted": wanted})


def optimal_size(threshold: float) -> int:
    """Trials of one exact fixed-size test of a threshold, power 0.9 at half and at twice it (GRADE's optimal size)."""
    # Below one in a million the sizes are Poisson's, which grow as the threshold falls.
    reckoned = max(threshold, 1e-6)
    return ceil(sound_fixed_size(reckoned, ALPHA, 1) * reckoned / threshold)


def _against_threshold(what: str, ends: tuple[float, float], ground: Ground, *, spans: bool) -> Fact:
    figures = {"low": ends[0], "high": ends[1], "threshold": float(ground.question.threshold)}
    return Fact(code=f"{what}-spans" if spans else f"{what}-on-one-side", against=spans, figures=figures)


def _reporting(ground: Ground) -> Iterator[Fact]:
    if ground.unfollowed:
        yield Fact(code="unfollowed-plans", against=True, figures={"count": ground.unfollowed})
    if ground.unseen:
        yield Fact(code="unseen-results", against=True, figures={"count": ground.unseen})
    if ground.unjudged:
        yield Fact(code="unjudged-results", against=True, figures={"count": ground.unjudged})
    yield Fact(code="complete" if ground.complete else "completeness-unproved")
