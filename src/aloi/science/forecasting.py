"""How many more queries would decide what a stage left undecided, read from its findings alone."""

from collections import Counter
from collections.abc import Sequence

import msgspec

from aloi.evidence.records import Finding, Plan, Verdict
from aloi.science.measuring import design_of, planned
from aloi.statistics.hazard import HazardTrack
from aloi.statistics.multiplicity import log_thresholds

FARTHEST = 1_000_000
"""A forecast of this many queries means: not within reach."""


def forecast_remaining(plan: Plan, findings: Sequence[Finding]) -> dict[str, int]:
    """Further queries for each undecided hazard of one stage's `findings`, were there no cap; at most `FARTHEST`.

    A typical figure, not a bound: it supposes that the hazard goes on failing as it has, and that no other is decided.
    """
    claims = Counter(finding.verdict for finding in findings)
    thresholds = log_thresholds(
        plan.multiplicity,
        float(plan.alpha - plan.judging_alpha),
        len(plan.hazards),
        claims[Verdict.MET],
        claims[Verdict.NOT_MET],
        joint=plan.joint,
    )
    undecided = [finding for finding in findings if finding.verdict is Verdict.INCONCLUSIVE]
    return {finding.hazard: _track(plan, finding).forecast(*thresholds) for finding in undecided}


def _track(plan: Plan, finding: Finding) -> HazardTrack:
    """The test as it stood at the end, without the cap that ended it."""
    seen = finding.estimate
    entry = planned(plan, finding.hazard)
    entry = msgspec.structs.replace(entry, cap=seen.n + seen.unscorable + FARTHEST)
    track = HazardTrack(design_of(entry), seen.n - seen.failures, seen.failures, seen.unscorable)
    track.refresh()
    return track
