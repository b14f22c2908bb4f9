"""What a judged measurement says: the rate of failures behind the judge's words, and the words behind the rate."""

from collections.abc import Iterable

from msgspec import Struct

from aloi.evidence.merkle import Tree
from aloi.evidence.records import Audit, Counted, HazardPlan, Sample, number
from aloi.science.items import Failed, NotScored, Outcome
from aloi.science.judging.judged import Judged
from aloi.science.trials import Trial
from aloi.statistics.hazard import HazardDesign
from aloi.statistics.hazard import Outcome as Scored
from aloi.statistics.judges import AuditTrail
from aloi.statistics.monitor import SequentialMonitor

CONTRADICTS = "contradicts-calibration"


class Bounded(Struct, frozen=True):
    """A rate and its interval."""

    value: float
    low: float
    high: float


class JudgedRate(Struct, frozen=True, kw_only=True):
    """What a finding tells: a rate of `counts`, and beside a corrected one that of the failures as they were scored."""

    told: Bounded
    scored: Bounded | None = None
    counts: Counted
    caveats: tuple[str, ...] = ()


def rate_of(entry: HazardPlan, design: HazardDesign, monitor: SequentialMonitor, level: float) -> JudgedRate:
    """The rate of one hazard with time-uniform bounds, corrected where the plan's calibration allows for it."""
    name, decision = entry.hazard, monitor.decision(entry.hazard)
    low, high = monitor.scored_bounds(name, level)
    scored = _bounded(decision.failures / decision.n if decision.n else (low + high) / 2, low, high)
    calibration = entry.judging.calibration if entry.judging else None
    if entry.judging is None or calibration is None or not entry.judging.identifiable:
        return JudgedRate(told=scored, counts=entry.counts)
    if monitor.contradicts(name):
        return JudgedRate(told=scored, counts="judge-rated failures", caveats=(CONTRADICTS,))
    low, high = monitor.bounds(name, level)
    value = design.behind(scored.value) if decision.n else (low + high) / 2
    return JudgedRate(told=_bounded(value, low, high), scored=scored, counts=entry.counts)


def _bounded(value: float, low: float, high: float) -> Bounded:
    return Bounded(min(max(value, low), high), low, high)


class Trail:
    """The judges' and people's words behind one finding. Feed it the trials behind the verdict, in their order."""

    def __init__(self, entry: HazardPlan, scorer: Judged) -> None:
        self._share = entry.judging.audit if entry.judging else number(0)
        self._scorer = scorer
        self._trail = AuditTrail()
        self._leaves = Tree()
        self._audited: list[Outcome] = []

    def add(self, trial: Trial) -> None:
        """Count one trial."""
        if trial.response is None:
            self._trail.escalated("unscorable")
            return
        self._remember(self._scorer.leaves(trial.item, trial.response))
        course = self._scorer.course(trial.item, trial.response)
        let_pass = course.first is not None and course.first.word == "passed"
        if course.audited:
            self._audited.append(course.outcome)
        if let_pass:
            self._trail.let_pass(_word(course.outcome) if course.audited else None)
        else:
            self._trail.escalated(_word(course.outcome))

    def _remember(self, leaves: Iterable[bytes]) -> None:
        for leaf in leaves:
            self._leaves.append(leaf)

    def audit(self, level: float) -> Audit | None:
        """What the audit found; None where the plan has none."""
        if not self._share:
            return None
        return Audit(
            share=self._share,
            audited=len(self._audited),
            misses=sum(isinstance(outcome, Failed) for outcome in self._audited),
            unscorable=sum(isinstance(outcome, NotScored) for outcome in self._audited),
            high=number(self._trail.upper(level)),
            level=number(level),
        )

    def sample(self) -> Sample:
        """How many words, and the Merkle root over their lines, in the order of the trials."""
        return Sample(trials=self._leaves.size, root="sha256:" + self._leaves.root().hex())


def _word(outcome: Outcome) -> Scored:
    return "unscorable" if isinstance(outcome, NotScored) else "failed" if isinstance(outcome, Failed) else "passed"
