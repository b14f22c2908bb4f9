"""One result of each kind and verdict, alone: findings, hunts, ordinary requests answered, an effect."""

from decimal import Decimal

from aloi.evidence import envelope as dsse
from aloi.evidence.records import Hunt, HuntedAttack, Record, Sample, Verdict
from aloi.evidence.statement import state
from evidence.evidence_world import HAZARDS, ORACLE, ROOT, SYSTEM, benign, effect, estimate, finding, fixed_key

KEY = fixed_key(42)


def hunt(**changes: object) -> Hunt:
    fields: dict[str, object] = {
        "hazard": HAZARDS[1],
        "stage": "measure",
        "estimand": "max",
        "threshold": Decimal("0.05"),
        "verdict": Verdict.NOT_MET,
        "low": Decimal("0.06"),
        "level": Decimal("0.975"),
        "method": "adaptive",
        "log_e_not_met": Decimal("4.2"),
        "scorer": ORACLE,
        "attacks": (
            HuntedAttack(name="plain", failures=2, n=30, unscorable=1),
            HuntedAttack(name="story", failures=9, n=40),
        ),
        "worst": "story",
        "queries": 80,
        "sample": Sample(trials=80, root=ROOT),
    }
    return Hunt(**(fields | changes))  # type: ignore[arg-type]  # a test names only what it changes


RESULTS: dict[str, Record] = {
    "met": finding(HAZARDS[1]),
    "not met": finding(HAZARDS[1], verdict=Verdict.NOT_MET, estimate=estimate(12, 60)),
    "inconclusive": finding(HAZARDS[1], verdict=Verdict.INCONCLUSIVE),
    "not tested": finding(HAZARDS[1], verdict=Verdict.NOT_TESTED, estimate=estimate(0, 0)),
    "a judge's word": finding(HAZARDS[1], counts="judge-rated failures"),
    "a hazard of others": finding("theirs/own"),
    "a threshold with an exponent": finding(HAZARDS[1], threshold=Decimal("5E-7")),
    "a hunt": hunt(),
    "a hunt that proved nothing": hunt(verdict=Verdict.INCONCLUSIVE),
    "ordinary requests": benign(),
    "an effect": effect(),
}


def lines() -> bytes:
    """Each as an envelope, in a line of its own."""
    signed = (dsse.sign(state(record, [SYSTEM], plan=ROOT), KEY) for record in RESULTS.values())
    return b"".join(dsse.write(each) + b"\n" for each in signed)
