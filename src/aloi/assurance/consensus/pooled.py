"""What alike results say together: pooled from three independent clusters on, a range or one result below."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from math import log, sqrt
from typing import Literal, NamedTuple

from msgspec import Struct
from scipy.special import expit

from aloi.assurance.consensus.clusters import Cluster
from aloi.assurance.consensus.results import Result
from aloi.evidence.records import Finding
from aloi.statistics.counts import FEWEST, Count, PooledCounts, TypicalRate, merged, pool_counts
from aloi.statistics.judges import JudgeCalibration, exact_worth
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


class Counted(NamedTuple):
    """A finding as it is pooled: failures among trials, and the trials of which nobody knows."""

    failures: float
    n: float
    least: tuple[float, float]
    most: tuple[float, float]


def counted(result: Result) -> Counted:
    """A finding's counts; a calibrated judge's are worth so many exact ones.

    `least` and `most` count the unscorable trials as passes and as failures. Raises NotIdentifiable where a judge's
    ratings tell nothing.
    """
    assert isinstance(result.record, Finding)
    seen = result.record.estimate
    asked = seen.n + seen.unscorable
    judging = result.planned.judging
    if result.record.uncorrected is None or judging is None or judging.calibration is None:
        return Counted(seen.failures, seen.n, (seen.failures, asked), (seen.failures + seen.unscorable, asked))
    found = judging.calibration
    calibration = JudgeCalibration(tp=found.tp, fn=found.fn, fp=found.fp, tn=found.tn)

    def worth(failures: int, n: int) -> tuple[float, float]:
        told = exact_worth(failures, n, calibration, confirmed=judging.confirmed)
        return told.failures, told.n

    middle = worth(seen.failures, seen.n)
    if not seen.unscorable:
        return Counted(*middle, middle, middle)
    return Counted(*middle, worth(seen.failures, asked), worth(seen.failures + seen.unscorable, asked))


def shown(clusters: int) -> Shown:
    """What may be shown of so many independent clusters."""
    return "one result" if clusters == 1 else "pooled" if clusters >= FEWEST else "range only"


def pooled_of(counts: Sequence[Counted], clusters: Sequence[Cluster]) -> Pooled | None:
    """The pooled rate; None below three clusters. Trials without a score count either way: they widen intervals."""
    if len(clusters) < FEWEST:
        return None
    names = {member: f"{place:04}" for place, cluster in enumerate(clusters) for member in cluster.members}

    def pool_as(ways: Sequence[tuple[float, float]]) -> PooledCounts:
        return pool_counts([_count(names[place], *way) for place, way in enumerate(ways)], LEVEL)

    middle = pool_as([(each.failures, each.n) for each in counts])
    bounds = [middle]
    if any(each.least != (each.failures, each.n) for each in counts):
        bounds += [pool_as([each.least for each in counts]), pool_as([each.most for each in counts])]
    units = merged([_count(names[place], each.failures, each.n) for place, each in enumerate(counts)])
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
        ample=all(min(unit.failures, unit.n - unit.failures) >= AMPLE for unit in units),
    )


def _count(cluster: str, failures: float, n: float) -> Count:
    return Count(name=cluster, cluster=cluster, failures=failures, n=n)


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
    studies = []
    for unit in units:
        x, y = unit.failures + 0.5, unit.n - unit.failures + 0.5
        studies.append(Study(name=unit.name, estimate=log(x / y), variance=1 / x + 1 / y, cluster=unit.cluster))
    found = pool(studies, LEVEL)
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
