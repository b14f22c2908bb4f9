"""What a rate or an interval must satisfy by itself before anything is concluded from it."""

from aloi.errors import EvidenceError
from aloi.evidence.records import Estimate, Interval
from aloi.translation import N_


def check_estimate(estimate: Estimate) -> None:
    """Raises EvidenceError ('impossible-figure') unless counts and bounds can be those of a rate."""
    counts = 0 <= estimate.failures <= estimate.n and estimate.unscorable >= 0
    bounds = 0 <= estimate.low <= estimate.value <= estimate.high <= 1
    if not (counts and bounds and 0 < estimate.level < 1):
        raise _impossible(f"{estimate.failures}/{estimate.n}, {estimate.value} [{estimate.low}, {estimate.high}]")


def check_interval(interval: Interval) -> None:
    """Raises EvidenceError ('impossible-figure') unless the value lies inside its interval."""
    inside = interval.low <= interval.value <= interval.high
    possible = interval.unit != "proportion" or -1 <= interval.low <= interval.high <= 1
    if not (inside and possible and interval.n >= 0 and 0 < interval.level < 1):
        raise _impossible(f"{interval.value} [{interval.low}, {interval.high}] {interval.unit}")


def _impossible(figure: str) -> EvidenceError:
    return EvidenceError(
        N_("no measurement can give this figure: {figure}"),
        reason="impossible-figure",
        remedy=N_("ask the one who signed: the evidence contradicts itself"),
        figure=figure,
    )
