"""How certain a consensus is, in four words, each step derived from facts that stand beside it.

After GRADE (Guyatt et al. 2008, BMJ 336:924): a start by design, steps down for what makes results doubtful, a step up
for what makes them firm. Whatever organisations appraise otherwise stands beside it and changes none of it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import ceil
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from aloi.assurance.consensus.account import Account
from aloi.assurance.consensus.clusters import Cluster
from aloi.assurance.consensus.pooled import Counted, Pooled, Question, Standing
from aloi.assurance.consensus.results import Result
from aloi.evidence.records import Finding
from aloi.evidence.vouching import Step as Code
from aloi.statistics.counts import FEWEST, Count, merged
from aloi.statistics.design import sound_fixed_size

Level = Literal["very low", "low", "moderate", "high"]
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
    """Another change for a step, and why, signed by an organisation, `by` its domain, `name` as it calls itself.

    `disputed`: another party finds it wrong. `own`: a result that is pooled here is the organisation's own.
    """

    envelope: str
    hazard: str
    code: Code
    change: int
    reason: str
    by: str
    name: str
    disputed: bool = False
    own: bool = False


class Step(Struct, frozen=True, kw_only=True):
    """One step: by how much it changes the level (for 'design' nothing: it is the start), and why."""

    code: Code
    change: int
    facts: tuple[Fact, ...]


class Appraised(Struct, frozen=True, kw_only=True):
    """How certain it is to an organisation, by the steps that it appraises otherwise."""

    by: str
    name: str
    level: Level
    overrides: tuple[Override, ...]


class Certainty(Struct, frozen=True, kw_only=True):
    """How certain by what was derived, where it started, every step; and beside it, how organisations appraise it."""

    level: Level
    start: Level
    steps: tuple[Step, ...]
    appraised: tuple[Appraised, ...] = ()


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
    steps = tuple(Step(code=code, change=change, facts=facts) for code, change, facts in _steps(ground))
    given: dict[str, list[Override]] = {}
    for each in overrides:
        if each.hazard == ground.hazard:
            own = any(each.by in one.parties for one in ground.accounts)
            given.setdefault(each.by, []).append(replace(each, own=own))
    return Certainty(
        level=_level(start, steps, ()),
        start=LEVELS[STARTS[start]],
        steps=steps,
        appraised=tuple(
            Appraised(by=by, name=said[0].name, level=_level(start, steps, said), overrides=tuple(said))
            for by, said in given.items()
        ),
    )


def _level(start: Design, steps: Sequence[Step], overrides: Sequence[Override]) -> Level:
    """Where the steps lead, with what is said in place of some of them."""
    said = {each.code: each.change for each in overrides}
    place = STARTS[start] + sum(said.get(step.code, step.change) for step in steps)
    return LEVELS[min(max(place, 0), 3)]


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
