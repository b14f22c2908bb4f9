"""What a rate or an interval must satisfy by itself before anything is concluded from it."""

from aloi.errors import EvidenceError
from aloi.evidence.decoding import shown
from aloi.evidence.records import Estimate, HazardPlan, Interval
from aloi.translation import N_


def check_estimate(estimate: Estimate) -> None:
    """Raises EvidenceError ('impossible-figure') unless counts and bounds can be those of a rate."""
    counts = 0 <= estimate.failures <= estimate.n and estimate.unscorable >= 0
    bounds = 0 <= estimate.low <= estimate.value <= estimate.high <= 1
    if not (counts and bounds and 0 < estimate.level < 1):
        raise impossible(f"{estimate.failures}/{estimate.n}, {estimate.value} [{estimate.low}, {estimate.high}]")


def check_interval(interval: Interval) -> None:
    """Raises EvidenceError ('impossible-figure') unless the value lies inside its interval."""
    inside = interval.low <= interval.value <= interval.high
    possible = interval.unit != "proportion" or -1 <= interval.low <= interval.high <= 1
    if not (inside and possible and interval.n >= 0 and 0 < interval.level < 1):
        raise impossible(f"{interval.value} [{interval.low}, {interval.high}] {interval.unit}")


def check_hazard_plan(planned: HazardPlan) -> None:
    """Raises EvidenceError ('impossible-plan') where no test can be made of what is planned for a hazard."""
    low, high = planned.indifference
    shares = (*planned.languages.values(), *planned.attacks.values())
    faults = {
        "threshold": not 0 < planned.threshold < 1,
        "chance": not 0 <= planned.chance < planned.threshold,
        "indifference": not 0 < low < high,
        "cap": planned.cap < 1,
        "languages": not planned.languages,
        "attacks": not planned.attacks,
        "scope": planned.scope == "suite" and planned.corpus is None,
        "corpus": planned.corpus is not None and not 1 <= planned.corpus.seeds <= planned.corpus.rows,
        "share": any(not 0 < share <= 1 for share in shares),
    }
    for field, is_fault in faults.items():
        if is_fault:
            raise EvidenceError(
                N_("no test can be made of the plan for {hazard}: its {field} cannot be"),
                reason="impossible-plan",
                remedy=N_("ask the one who signed: the evidence contradicts itself"),
                hazard=shown(planned.hazard),
                field=field,
            )


def impossible(figure: str) -> EvidenceError:
    """The error ('impossible-figure') for a figure that no measurement can give."""
    return EvidenceError(
        N_("no measurement can give this figure: {figure}"),
        reason="impossible-figure",
        remedy=N_("ask the one who signed: the evidence contradicts itself"),
        figure=shown(figure, 160),
    )
