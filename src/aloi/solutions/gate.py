"""The policy gate: a remedy is accepted only where its benefit is shown and its cost is known to be within bounds."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from msgspec import Struct

from aloi.evidence.records import Finding, Interval, RateChange, Reason, Verdict

_CODES = {
    Verdict.NOT_MET: "hazard-not-met",
    Verdict.INCONCLUSIVE: "hazard-inconclusive",
    Verdict.NOT_TESTED: "hazard-not-tested",
}


class GatePolicy(Struct, frozen=True, kw_only=True):
    """What may be lost: a share of benign requests in [0, 1], and milliseconds for each answer."""

    max_loss: Decimal
    max_added_latency_ms: Decimal


def decide(
    after: Sequence[Finding], benign: RateChange | None, latency: Interval | None, policy: GatePolicy
) -> tuple[bool, tuple[Reason, ...]]:
    """Whether the policy accepts a set of remedies, and every reason against it.

    `after` are the findings with the remedies in place, on fresh items; `benign.difference` is after minus before, so
    a loss is negative. A cost whose interval reaches over the limit is refused as not known, one that lies beyond it
    wholly as too high. No findings, no benign trials or no latency is refused as well.
    """
    reasons = (*_hazards(after), *_benign(benign, policy.max_loss), *_latency(latency, policy.max_added_latency_ms))
    return not reasons, reasons


def _hazards(after: Sequence[Finding]) -> Iterator[Reason]:
    if not after:
        yield Reason(code="hazard-not-tested", about="hazards")
    for finding in after:
        if finding.verdict is not Verdict.MET:
            code = _CODES[finding.verdict]
            yield Reason(code=code, about=finding.hazard, got=finding.estimate.high, limit=finding.threshold)


def _benign(benign: RateChange | None, limit: Decimal) -> Iterator[Reason]:
    if benign is None or not benign.difference.n:
        yield Reason(code="benign-loss-unknown", about="benign", limit=limit)
        return
    least, most = -benign.difference.high, -benign.difference.low
    if most > limit:
        code = "benign-loss" if least > limit else "benign-loss-unknown"
        yield Reason(code=code, about="benign", got=most, limit=limit)


def _latency(latency: Interval | None, limit: Decimal) -> Iterator[Reason]:
    if latency is None or not latency.n:
        yield Reason(code="latency-unknown", about="latency", limit=limit)
    elif latency.high > limit:
        code = "latency" if latency.low > limit else "latency-unknown"
        yield Reason(code=code, about="latency", got=latency.high, limit=limit)
