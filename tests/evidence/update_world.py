"""An update of a detector and its acceptance that hold, made with fixed keys, to change one thing of."""

from decimal import Decimal

from aloi.evidence import envelope as dsse
from aloi.evidence.canonical import digest
from aloi.evidence.envelope import Envelope
from aloi.evidence.records import Interval, RemedyIdentity
from aloi.evidence.statement import Subject, state
from aloi.evidence.updates import (
    DETECTOR,
    DetectorUpdate,
    LanguageLearnt,
    LanguageMeasured,
    Measured,
    Paired,
    Source,
    UpdateAcceptance,
)
from aloi.evidence.vouching import STATEMENT
from evidence.evidence_world import fixed_key

AUTHOR, ACCEPTOR = fixed_key(43), fixed_key(44)
BASE = "sha256:" + "b" * 64


def update(**changes: object) -> DetectorUpdate:
    fields: dict[str, object] = {
        "base": BASE,
        "buckets": (3, 70_000, 524_287),
        "changes": (9, -4, 127),
        "bias": Decimal("-0.25"),
        "strength": Decimal("0.02"),
        "least": 3,
        "attacks": 40,
        "ordinary": 200,
        "languages": (
            LanguageLearnt(language="en", attacks=30, ordinary=120),
            LanguageLearnt(language="fr", attacks=10, ordinary=80),
        ),
        "sources": (
            Source(kind="run", digest="sha256:" + "1" * 64, attacks=40, ordinary=0),
            Source(kind="corpus", digest="sha256:" + "2" * 64, attacks=0, ordinary=200),
        ),
        "learnt": "sha256:" + "3" * 64,
        "software": "aloi 0.1.0",
    }
    return DetectorUpdate(**(fields | changes))  # type: ignore[arg-type] # a test names only what it changes


def paired(n: int, before: int, gained: int, lost: int, low: str, high: str) -> Paired:
    value = Decimal(gained - lost) / n if n else Decimal(0)
    told = Interval(
        value=value, low=Decimal(low), high=Decimal(high), n=n, level=Decimal("0.95"), unit="proportion", method="exact"
    )
    return Paired(n=n, before=before, gained=gained, lost=lost, difference=told)


CAUGHT, QUIET = paired(50, 10, 30, 0, "0.4", "0.75"), paired(500, 2, 0, 0, "-0.009", "0.009")


def acceptance(**changes: object) -> UpdateAcceptance:
    whole = Measured(attacks=CAUGHT, ordinary=QUIET)
    fields: dict[str, object] = {
        "at": "2026-11-27T10:00:00Z",
        "base": BASE,
        "remedy": RemedyIdentity(name=DETECTOR, version="1", digest="sha256:" + "4" * 64),
        "threshold": Decimal("0.5"),
        "margin": Decimal("0.01"),
        "whole": whole,
        "languages": (LanguageMeasured(language="en", attacks=CAUGHT, ordinary=QUIET),),
        "left_out": 2,
        "corpora": ("sha256:" + "5" * 64,),
        "software": "aloi 0.1.0",
    }
    return UpdateAcceptance(**(fields | changes))  # type: ignore[arg-type] # as above


def signed(record: DetectorUpdate | None = None) -> Envelope:
    record = record or update()
    return dsse.sign(state(record, [Subject.of(DETECTOR, record.base)]), AUTHOR)


def accepted(envelope: Envelope, record: UpdateAcceptance | None = None) -> Envelope:
    subject = Subject.of(STATEMENT, digest(dsse.write(envelope)))
    return dsse.sign(state(record or acceptance(), [subject]), ACCEPTOR)


def lines() -> bytes:
    """Both statements, a line each."""
    return b"".join(dsse.write(one) + b"\n" for one in (signed(), accepted(signed())))
