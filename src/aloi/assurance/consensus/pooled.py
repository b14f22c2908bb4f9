"""What alike results say together: pooled from three independent clusters on, a range or one result below."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from math import log, sqrt
from statistics import fmean, pvariance
from typing import Literal, NamedTuple

from msgspec import Struct
from scipy.special import expit

from aloi.assurance.consensus.clusters import Cluster
from aloi.assurance.consensus.results import Result
from aloi.evidence.records import Finding
from aloi.statistics.counts import FEWEST, Count, TypicalRate, merged, pool_counts
from aloi.statistics.judges import JudgeCalibration, true_failures
from aloi.statistics.multiplicity import merge_evalues
from aloi.statistics.pooling import Shown, Study, pool

LEVEL = 0.95
# Below so many failures, or passes, in some cluster the logit of a rate is far from normal.
AMPLE = 10

Standing = Literal["below", "above", "not settled", "one result", "range only"]


class Rate(Struct, frozen=True, kw_only=True):
    """A pooled rate with its interval, and where the rate that a next evaluator would measure lies."""

    value: float
    low: float
    high: float
    prediction: tuple[float, float]


class Pooled(Rate, frozen=True, kw_only=True):
    """The pooled rate at `level`, how far evaluators disagree, and the same without each cluster in turn.

    `tau` is on the logit scale. `normal` is the same by REML and Hartung-Knapp on empirical logits, with the Q-profile
    interval `tau_profile` and `i2`, which decides nothing; `ample` tells whether counts are large enough for it.
    """

    level: float
    tau: float
    tau_interval: tuple[float, float]
    without: tuple[Rate, ...]
    normal: Rate
    tau_profile: tuple[float, float]
    i2: float
    ample: bool


class Question(Struct, frozen=True, kw_only=True):
    """Whether the rate lies below a threshold: what the pooled results say of it, and the e-values together.

    `log_e_met` speaks against "above", `log_e_not_met` against "below": the average in each of `clusters` clusters, and
    the product of these. Calibrations of judges that do not hold spoil them with a probability of at most `beside`.
    """

    threshold: Decimal
    standing: Standing
    clusters: int
    log_e_met: float
    log_e_not_met: float
    beside: Decimal


Failures = float | tuple[float, ...]


class Counted(NamedTuple):
    """A finding as it is pooled: its failures, equally likely numbers of them where a judge may err, among `n` trials.

    `least` and `most` are the same with the trials of which nobody knows counted as passes, and as failures.
    """

    failures: Failures
    n: int
    least: Failures
    most: Failures
    asked: int


def counted(result: Result) -> Counted:
    """A finding's counts; behind a calibrated judge's words stand numbers of real failures."""
    assert isinstance(result.record, Finding)
    seen, judging = result.record.estimate, result.planned.judging
    asked = seen.n + seen.unscorable
    if result.record.uncorrected is None or judging is None or judging.calibration is None:
        return Counted(seen.failures, seen.n, seen.failures, seen.failures + seen.unscorable, asked)
    found = judging.calibration
    calibration = JudgeCalibration(tp=found.tp, fn=found.fn, fp=found.fp, tn=found.tn)

    def real(failures: int, n: int) -> Failures:
        return true_failures(failures, n, calibration, confirmed=judging.confirmed)

    middle = real(seen.failures, seen.n)
    if not seen.unscorable:
        return Counted(middle, seen.n, middle, middle, asked)
    most = real(seen.failures + seen.unscorable, asked)
    return Counted(middle, seen.n, real(seen.failures, asked), most, asked)


def shown(clusters: int) -> Shown:
    """What may be shown of so many independent clusters."""
    return "one result" if clusters == 1 else "pooled" if clusters >= FEWEST else "range only"


def pooled_of(counts: Sequence[Counted], clusters: Sequence[Cluster]) -> Pooled | None:
    """The pooled rate; None below three clusters. Trials without a score count either way: they widen intervals."""
    if len(clusters) < FEWEST:
        return None
    names = {member: f"{place:04}" for place, cluster in enumerate(clusters) for member in cluster.members}

    def counts_as(ways: Sequence[tuple[Failures, int]]) -> list[Count]:
        return [
            Count(name=names[at], cluster=names[at], failures=failures, n=n) for at, (failures, n) in enumerate(ways)
        ]

    scored = counts_as([(each.failures, each.n) for each in counts])
    middle = pool_counts(scored, LEVEL)
    bounds = [middle]
    if any(each.asked != each.n for each in counts):
        bounds.append(pool_counts(counts_as([(each.least, each.asked) for each in counts]), LEVEL))
        bounds.append(pool_counts(counts_as([(each.most, each.asked) for each in counts]), LEVEL))
    units = merged(scored)
    normal, profile, i2 = _by_normal_errors(units)
    whole = _widest(middle, bounds)
    return Pooled(
        value=whole.value,
        low=whole.low,
        high=whole.high,
        prediction=whole.prediction,
        level=LEVEL,
        tau=middle.tau,
        tau_interval=(min(one.tau_interval[0] for one in bounds), max(one.tau_interval[1] for one in bounds)),
        without=tuple(
            _widest(middle.without[name], [one.without[name] for one in bounds]) for name in sorted(middle.without)
        ),
        normal=normal,
        tau_profile=profile,
        i2=i2,
        ample=all(min(unit.ways[0], unit.n - unit.ways[-1]) >= AMPLE for unit in units),
    )


def _widest(middle: TypicalRate, bounds: Sequence[TypicalRate]) -> Rate:
    """The middle way's rate within the ends of all ways."""
    return Rate(
        value=middle.value,
        low=min(one.low for one in bounds),
        high=max(one.high for one in bounds),
        prediction=(min(one.prediction[0] for one in bounds), max(one.prediction[1] for one in bounds)),
    )


def _by_normal_errors(units: Sequence[Count]) -> tuple[Rate, tuple[float, float], float]:
    """REML and Hartung-Knapp on empirical logits; the Q-profile interval of tau, and the share of variance between."""
    found = pool([_study(unit) for unit in units], LEVEL)
    assert found.effect is not None
    assert found.prediction is not None
    assert found.tau2_interval is not None
    assert found.i2 is not None
    rate = Rate(
        value=float(expit(found.effect.estimate)),
        low=float(expit(found.low)),
        high=float(expit(found.high)),
        prediction=(float(expit(found.prediction[0])), float(expit(found.prediction[1]))),
    )
    return rate, (sqrt(found.tau2_interval[0]), sqrt(found.tau2_interval[1])), found.i2


def _study(unit: Count) -> Study:
    """Empirical logit; what a judge leaves open adds to its variance."""
    ways = [(each + 0.5, unit.n - each + 0.5) for each in unit.ways]
    logits = [log(x / y) for x, y in ways]
    within = fmean(1 / x + 1 / y for x, y in ways)
    return Study(name=unit.name, estimate=fmean(logits), variance=within + pvariance(logits), cluster=unit.cluster)


def questions(results: Sequence[Result], clusters: Sequence[Cluster], pooled: Pooled | None) -> Iterator[Question]:
    """One for each threshold that a plan registered, the one that most clusters registered first."""
    registered: dict[Decimal, list[list[Finding]]] = {}
    beside: dict[Decimal, Decimal] = {}
    for cluster in clusters:
        own: dict[Decimal, list[Finding]] = {}
        for member in cluster.members:
            record, plan = results[member].record, results[member].plan
            assert isinstance(record, Finding)
            own.setdefault(record.threshold, []).append(record)
            if record.uncorrected is not None:
                spent = plan.error_each_way - plan.test_error
                beside[record.threshold] = beside.get(record.threshold, Decimal(0)) + spent
        for threshold, findings in own.items():
            registered.setdefault(threshold, []).append(findings)
    for threshold in sorted(registered, key=lambda each: (-len(registered[each]), each)):
        groups = registered[threshold]
        yield Question(
            threshold=threshold,
            standing=standing(pooled, float(threshold), len(clusters)),
            clusters=len(groups),
            log_e_met=_together([[float(one.log_e_met) for one in group] for group in groups]),
            log_e_not_met=_together([[float(one.log_e_not_met) for one in group] for group in groups]),
            beside=beside.get(threshold, Decimal(0)),
        )


def standing(pooled: Pooled | None, threshold: float, clusters: int) -> Standing:
    """On which side of a threshold the rate of a next evaluator is predicted."""
    if pooled is None:
        return "one result" if clusters == 1 else "range only"
    low, high = pooled.prediction
    return "below" if high < threshold else "above" if low > threshold else "not settled"


def _together(groups: Sequence[Sequence[float]]) -> float:
    """The product over clusters of the average within each: an e-value whatever links the results of one cluster."""
    return merge_evalues([merge_evalues(group, independent=False) for group in groups], independent=True)
