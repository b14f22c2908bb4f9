"""What monitoring owes its own figures: counts that add up, guards that are named, alarms that follow."""

from decimal import Decimal

from aloi.errors import EvidenceError
from aloi.evidence.decoding import shown
from aloi.evidence.fields import moment
from aloi.evidence.figures import check_estimate, impossible
from aloi.evidence.guardset import guard_set
from aloi.evidence.monitoring import Monitoring, Period, RateShift
from aloi.evidence.records import Estimate
from aloi.translation import N_

# Log e-values are signed with six significant digits; an alarm exactly at its threshold must survive the rounding.
_ROUNDING = Decimal("0.0001")


def check_monitoring(one: Monitoring) -> None:
    """Raises EvidenceError: 'guard-set', 'unknown-guard', 'impossible-figure', 'unfounded-alarm'."""
    if guard_set(one.remedies) != one.guard_set:
        raise _refusal(N_("the digest of a set of guards is not that of the guards named"), "guard-set")
    known = {remedy.name for remedy in one.remedies}
    screened = one.exchanges.screened
    for act in one.acts:
        if act.guard not in known:
            raise _refusal(N_("the guard {guard} is not among those that ran"), "unknown-guard", guard=act.guard)
        _check_rate(act.rate, act.rate.failures, screened)
    _check_rate(one.blocked, one.exchanges.blocked, screened)
    _check_rate(one.changed, one.exchanges.changed, screened)
    _check_rate(one.errors, one.exchanges.error, one.exchanges.total)
    for labelled in (one.false_alarms, one.misses):
        if labelled is not None:
            check_estimate(labelled)
    if len({(act.guard, act.role, act.action) for act in one.acts}) != len(one.acts):
        raise impossible(f"{len(one.acts)} acts")
    took = one.guard_seconds
    if took is not None and not 0 <= took.p50 <= took.p95:
        raise impossible(f"{took.p50} s, {took.p95} s")
    if one.shift is not None:
        _check_shift(one.shift, one)


def _check_rate(rate: Estimate, events: int, n: int) -> None:
    check_estimate(rate)
    if (rate.failures, rate.n) != (events, n):
        raise impossible(f"{rate.failures}/{rate.n}, {events}/{n}")


def _check_shift(shift: RateShift, one: Monitoring) -> None:
    reference = shift.reference
    _check_period(reference)
    own = reference.statement is None
    screened = shift.screened + (reference.screened if own else 0)
    blocked = shift.blocked + (reference.blocked if own else 0)
    possible = (
        shift.blocked <= shift.screened
        and screened <= one.exchanges.screened
        and blocked <= one.exchanges.blocked
        and 0 < shift.alpha < 1
        and 0 <= shift.low <= shift.high <= 1
        and shift.low * reference.screened <= reference.blocked <= shift.high * reference.screened
        and shift.log_e <= shift.peak_log_e
        and shift.peak_log_e >= 0
    )
    if not possible:
        raise impossible(f"{shift.blocked}/{shift.screened}, {shift.low} to {shift.high}")
    rang = shift.peak_log_e >= (2 / shift.alpha).ln() - _ROUNDING
    told = shift.rang_at is not None
    if told != (shift.towards is not None) or (told and not rang) or (not told and _surely(shift)):
        raise _refusal(N_("an alarm is told that its e-value does not give, or is not told"), "unfounded-alarm")
    if shift.rang_at is not None and not moment(one.began) <= moment(shift.rang_at) <= moment(one.ended):
        raise _refusal(N_("an alarm is told for a time outside of the period"), "unfounded-alarm")


def _surely(shift: RateShift) -> bool:
    return shift.peak_log_e > (2 / shift.alpha).ln() + _ROUNDING


def _check_period(period: Period) -> None:
    if not period.screened or period.blocked > period.screened:
        raise impossible(f"{period.blocked}/{period.screened}, {period.began} to {period.ended}")


def _refusal(message: str, reason: str, **facts: object) -> EvidenceError:
    return EvidenceError(
        message,
        reason=reason,
        remedy=N_("ask the one who signed: the evidence contradicts itself"),
        **{name: shown(fact) for name, fact in facts.items()},
    )
