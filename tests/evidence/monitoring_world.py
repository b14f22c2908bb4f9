"""A bundle of monitoring that holds, made with a fixed key, to change one thing of."""

from decimal import Decimal

from msgspec.structs import replace

from aloi.evidence.bundle import pack
from aloi.evidence.envelope import Envelope, sign
from aloi.evidence.guardset import guard_set
from aloi.evidence.monitoring import Ends, GuardAct, GuardSeconds, Monitoring, Period, RateShift, TrafficRecord
from aloi.evidence.records import Estimate, RemedyIdentity
from aloi.evidence.statement import state
from evidence.evidence_world import HARDENED, fixed_key

KEY = fixed_key(42)
REMEDIES = (
    RemedyIdentity(name="secret-filter", version="3", digest="sha256:" + "3" * 64),
    RemedyIdentity(name="link-policy", version="2", digest="sha256:" + "2" * 64),
)
BEGAN, MIDDLE, ENDED = "2026-11-26T10:00:00Z", "2026-11-26T12:00:00Z", "2026-11-27T10:00:00Z"


def rate(events: int, n: int, **changes: object) -> Estimate:
    share = Decimal(events) / n if n else Decimal("0.5")
    fields: dict[str, object] = {
        "value": share,
        "low": share / 2,
        "high": (1 + share) / 2,
        "failures": events,
        "n": n,
        "level": Decimal("0.95"),
        "method": "time-uniform mixture betting",
    }
    return Estimate(**(fields | changes))  # type: ignore[arg-type] # a test names only what it changes


SHIFT = RateShift(
    reference=Period(began=BEGAN, ended=MIDDLE, screened=4_000, blocked=200),
    low=Decimal("0.04"),
    high=Decimal("0.0625"),
    alpha=Decimal("0.05"),
    looks=1_320,
    screened=16_000,
    blocked=1_400,
    log_e=Decimal("3.5"),
    peak_log_e=Decimal("5.25"),
    rang_at="2026-11-26T18:30:00Z",
    towards="higher",
)


def monitoring(**changes: object) -> Monitoring:
    fields: dict[str, object] = {
        "began": BEGAN,
        "ended": ENDED,
        "guard_set": guard_set(REMEDIES),
        "remedies": REMEDIES,
        "record": TrafficRecord(lines=4_242, first="sha256:" + "0" * 64, last="sha256:" + "1" * 64, whole=True),
        "exchanges": Ends(answered=18_000, changed=400, blocked=1_600, error=25, gone=7),
        "blocked": rate(1_600, 20_000),
        "changed": rate(400, 20_000),
        "errors": rate(25, 20_032),
        "acts": (
            GuardAct(guard="link-policy", role="assistant", action="rewrite", rate=rate(400, 20_000)),
            GuardAct(guard="secret-filter", role="assistant", action="block", rate=rate(1_600, 20_000)),
        ),
        "guard_seconds": GuardSeconds(p50=Decimal("0.0021"), p95=Decimal("0.0064"), n=20_000),
        "false_alarms": rate(12, 100, unscorable=3),
        "shift": SHIFT,
        "unsaid": ("hazard-rates", "texts", "misses"),
        "software": "aloi 0.1.0",
    }
    return Monitoring(**(fields | changes))  # type: ignore[arg-type] # as above


CALM = monitoring(
    remedies=REMEDIES[:1],
    guard_set=guard_set(REMEDIES[:1]),
    acts=monitoring().acts[1:],
    shift=replace(SHIFT, peak_log_e=Decimal("3.5"), rang_at=None, towards=None),
)


def signed(record: Monitoring, plan: str | None = None) -> Envelope:
    return sign(state(record, [HARDENED], plan=plan), KEY)


def bundle(*records: Monitoring) -> bytes:
    return pack([signed(one) for one in records or (monitoring(), CALM)], [KEY.public], KEY)
