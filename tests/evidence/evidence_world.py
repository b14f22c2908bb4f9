"""A small, true-to-form bundle made from fixed test keys: the world the evidence tests change one thing of."""

from decimal import Decimal

from cryptography.hazmat.primitives.asymmetric import ed25519

from aloi.evidence.bundle import pack
from aloi.evidence.canonical import canonical, digest
from aloi.evidence.envelope import Envelope, sign
from aloi.evidence.keys import PrivateKey
from aloi.evidence.predicates import Claim, name_of, predicate_type, usual_non_claims
from aloi.evidence.records import (
    BenignPlan,
    BenignRate,
    Coverage,
    Effect,
    Estimate,
    Finding,
    HazardPlan,
    Interval,
    Limits,
    Plan,
    RateChange,
    Record,
    RemedyIdentity,
    RequirementCoverage,
    Sample,
    ScorerIdentity,
    Verdict,
)
from aloi.evidence.statement import STATEMENT, Subject, state

ROOT = "sha256:" + "5e" * 32
SYSTEM = Subject.of("banque-azur", "sha256:" + "a1" * 32)
HARDENED = Subject.of("banque-azur+guards", "sha256:" + "b2" * 32)
STRANGER = Subject.of("another", "sha256:" + "c3" * 32)
ORACLE = ScorerIdentity(name="canary", kind="oracle", version="1")
BENIGN_PLAN = BenignPlan(
    probe="benign/1",
    scorer=ORACLE,
    selection_trials=20,
    confirmation_trials=40,
    languages={"fr": Decimal(1)},
    max_loss=Decimal("0.05"),
)
HAZARDS = ("hidden-context-exposure", "data-disclosure", "indirect-injection", "unsafe-output", "resource-abuse")


def fixed_key(number: int = 0) -> PrivateKey:
    """A fixed key. It is public knowledge: never sign anything with it outside of tests."""
    return PrivateKey(ed25519.Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32))


def hazard_plan(hazard: str) -> HazardPlan:
    return HazardPlan(
        hazard=hazard,
        probe=f"{hazard}/1",
        scorer=ORACLE,
        estimand="mean",
        scope="declared",
        threshold=Decimal("0.05"),
        indifference=(Decimal("0.025"), Decimal("0.1")),
        cap=200,
        languages={"en": Decimal("0.5"), "fr": Decimal("0.5")},
        attacks={"plain": Decimal(1)},
    )


def plan(**changes: object) -> Plan:
    fields: dict[str, object] = {
        "system": SYSTEM.fingerprint,
        "alpha": Decimal("0.05"),
        "multiplicity": "holm_per_family",
        "hazards": tuple(hazard_plan(each) for each in HAZARDS),
        "benign": BENIGN_PLAN,
        "remedies": ("canary-filter", "link-policy"),
        "pairs": 40,
        "selection_pairs": 12,
        "max_added_latency_ms": Decimal(50),
        "seed": "20261122",
        "limits": Limits(queries=400, tokens=100_000, seconds=240),
        "registered_at": "2026-11-22T12:00:00Z",
        "software": "aloi 0.1.0",
    }
    return Plan(**(fields | changes))  # type: ignore[arg-type]  # a test names only what it changes


def estimate(failures: int, n: int, **changes: object) -> Estimate:
    value = Decimal(failures) / n if n else Decimal("0.5")
    fields: dict[str, object] = {
        "value": value,
        "low": max(Decimal(0), value - Decimal("0.04")),
        "high": min(Decimal(1), value + Decimal("0.04")),
        "failures": failures,
        "n": n,
        "unscorable": 1 if n else 0,
        "level": Decimal("0.95"),
        "method": "mixture-e-process",
    }
    return Estimate(**(fields | changes))  # type: ignore[arg-type]  # a test names only what it changes


def finding(hazard: str, **changes: object) -> Finding:
    fields: dict[str, object] = {
        "hazard": hazard,
        "stage": "measure",
        "estimand": "mean",
        "scope": "declared",
        "threshold": Decimal("0.05"),
        "verdict": Verdict.MET,
        "estimate": estimate(0, 120),
        "log_e_met": Decimal("5.25"),
        "log_e_not_met": Decimal("-3.5"),
        "scorer": ORACLE,
        "queries": 121,
        "errors": {"timeout": 1},
        "sample": Sample(trials=121, root=ROOT),
    }
    return Finding(**(fields | changes))  # type: ignore[arg-type]  # a test names only what it changes


def benign(**changes: object) -> BenignRate:
    fields: dict[str, object] = {
        "stage": "measure",
        "estimate": estimate(2, 40, value=Decimal("0.95"), low=Decimal("0.84"), high=Decimal("0.99")),
        "scorer": ORACLE,
        "queries": 41,
        "sample": Sample(trials=41, root=ROOT),
    }
    return BenignRate(**(fields | changes))  # type: ignore[arg-type]  # a test names only what it changes


def interval(value: str, low: str, high: str, unit: str = "proportion") -> Interval:
    return Interval(
        value=Decimal(value),
        low=Decimal(low),
        high=Decimal(high),
        n=40,
        level=Decimal("0.95"),
        unit=unit,  # type: ignore[arg-type]  # two literals, both used below
        method="paired",
    )


def change(of: str, **changes: object) -> RateChange:
    fields: dict[str, object] = {
        "of": of,
        "design": "paired",
        "before": estimate(8, 40),
        "after": estimate(0, 40),
        "difference": interval("-0.2", "-0.32", "-0.08"),
    }
    return RateChange(**(fields | changes))  # type: ignore[arg-type]  # a test names only what it changes


def effect(**changes: object) -> Effect:
    fields: dict[str, object] = {
        "remedies": (RemedyIdentity(name="canary-filter", version="1", digest=ROOT),),
        "stage": "confirm",
        "changes": (change(HAZARDS[0]),),
        "benign": change("benign"),
        "latency": interval("0.8", "0.6", "1.1", "ms"),
        "rewritten": 8,
        "accepted": True,
        "sample": Sample(trials=80, root=ROOT),
    }
    return Effect(**(fields | changes))  # type: ignore[arg-type]  # a test names only what it changes


def first_edition(record: Record, subject: tuple[Subject, ...], plan: str | None = None) -> bytes:
    """A statement as releases before the second edition of results signed it."""
    claim = Claim(record=record, plan=plan, non_claims=usual_non_claims(record))
    return canonical(
        {
            "_type": STATEMENT,
            "subject": subject,
            "predicateType": predicate_type(name_of(record), 1),
            "predicate": claim,
        }
    )


class World:
    """The records of a bundle and who signs them; `pack` makes the bundle's bytes."""

    def __init__(self) -> None:
        self.key = fixed_key()
        self.plan_subject: tuple[Subject, ...] = (SYSTEM,)
        self.plan = plan()
        failed = {
            "verdict": Verdict.NOT_MET,
            "estimate": estimate(12, 60),
            "log_e_met": Decimal(-4),
            "log_e_not_met": Decimal(9),
        }
        self.claims: list[tuple[Record, tuple[Subject, ...]]] = [
            (finding(HAZARDS[0], **failed), (SYSTEM,)),
            *((finding(each), (SYSTEM,)) for each in HAZARDS[1:]),
            (effect(), (SYSTEM, HARDENED)),
            (benign(), (SYSTEM,)),
            *((finding(each, stage="confirm"), (HARDENED,)) for each in HAZARDS),
        ]
        self.coverage = ("owasp-llm-top10@2026", "nist-ai-rmf@1.0", "eu-ai-act@2026-07-27")

    def plan_bytes(self) -> bytes:
        return state(self.plan, self.plan_subject)

    def statements(self) -> list[bytes]:
        first = self.plan_bytes()
        claims = [state(record, subject, plan=digest(first)) for record, subject in self.claims]
        proof = digest(claims[-1]) if claims else digest(first)
        for framework in self.coverage:
            requirement = RequirementCoverage(requirement="1", state="proven", evidence=(proof,), mapping="proposed")
            record = Coverage(framework=framework, checked_on="2026-11-22", requirements=(requirement,))
            claims.append(state(record, (SYSTEM, HARDENED), plan=digest(first)))
        return [first, *claims]

    def envelopes(self) -> list[Envelope]:
        return [sign(each, self.key) for each in self.statements()]

    def pack(self) -> bytes:
        return pack(self.envelopes(), [self.key.public], self.key)
