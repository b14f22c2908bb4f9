"""What a gateway did in production: counts with their doubt, from a record that is named by its digest."""

from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta

from aloi.evidence.fields import Code, Digest, Name, Time, moment
from aloi.evidence.records import Estimate, Record, RemedyIdentity

Count = Annotated[int, Meta(ge=0)]
Role = Literal["system", "user", "assistant", "document", "tool", "call"]
Action = Literal["block", "rewrite", "withhold", "approve"]


class TrafficRecord(Record, frozen=True, kw_only=True):
    """The lines that were read: how many, the digest that the first of them names as the one before it, and that of the
    last, which fixes all between. `whole`: nothing before them was removed."""

    lines: Count
    first: Digest
    last: Digest
    whole: bool


class Ends(Record, frozen=True, kw_only=True):
    """How exchanges ended: the answer as it was, with something changed or withheld, or blocked; the client was told an
    error, or had gone."""

    answered: Count = 0
    changed: Count = 0
    blocked: Count = 0
    error: Count = 0
    gone: Count = 0

    @property
    def screened(self) -> int:
        """Those that came to an end behind the guards."""
        return self.answered + self.changed + self.blocked

    @property
    def total(self) -> int:
        """All of them."""
        return self.screened + self.error + self.gone


class GuardAct(Record, frozen=True, kw_only=True):
    """In how many screened exchanges a guard did this to a message of this role, once or more."""

    guard: Name
    role: Role
    action: Action
    rate: Estimate


class GuardSeconds(Record, frozen=True, kw_only=True):
    """Time that guards took for one exchange: half of them, and 95 in 100, took no longer; told to a tenth."""

    p50: Decimal
    p95: Decimal
    n: Count


class Period(Record, frozen=True, kw_only=True):
    """Exchanges that a rate is compared with: `blocked` of `screened`. Where they are of an earlier monitoring, the
    digest of its `statement`."""

    began: Time
    ended: Time
    screened: Count
    blocked: Count
    statement: Digest | None = None

    def __post_init__(self) -> None:
        _in_order(self.began, self.ended)


class RateShift(Record, frozen=True, kw_only=True):
    """A watch on the share of blocked exchanges, looked at after each line of counts, at an error of `alpha` over all.

    `low` and `high` bound the rate behind `reference`, at half of alpha; the e-value is against every rate between. It
    rang at `rang_at`, when the e-value first was 2/alpha or more: then the rate had gone `towards` higher or lower.
    """

    reference: Period
    low: Decimal
    high: Decimal
    alpha: Decimal
    looks: Count
    screened: Count
    blocked: Count
    log_e: Decimal
    peak_log_e: Decimal
    rang_at: Time | None = None
    towards: Literal["higher", "lower"] | None = None

    def __post_init__(self) -> None:
        if self.rang_at is not None:
            moment(self.rang_at)


class Monitoring(Record, frozen=True, kw_only=True):
    """What one set of guards did in front of one system, over a period. Rates are of screened exchanges, `errors` of
    all.

    `uncounted` exchanges were decided and never counted, because their process was ended; `missed` samples could not
    be written. Of those that people labelled, `false_alarms` is the share of ordinary ones among blocked exchanges,
    `misses` that of harmful ones among samples. `unsaid` codes tell what the record cannot say.
    """

    began: Time
    ended: Time
    guard_set: Digest
    remedies: tuple[RemedyIdentity, ...]
    record: TrafficRecord
    exchanges: Ends
    uncounted: Count = 0
    missed: Count = 0
    blocked: Estimate
    changed: Estimate
    errors: Estimate
    acts: tuple[GuardAct, ...] = ()
    guard_seconds: GuardSeconds | None = None
    false_alarms: Estimate | None = None
    misses: Estimate | None = None
    shift: RateShift | None = None
    unsaid: tuple[Code, ...] = ()
    software: Name

    def __post_init__(self) -> None:
        _in_order(self.began, self.ended)


def _in_order(began: str, ended: str) -> None:
    if moment(ended) < moment(began):
        raise ValueError(f"a period that ends at {ended}, before it begins")
