"""Bundles drawn at random: every kind of record, every verdict, systems with and without remedies."""

import random
import types
from enum import Enum
from typing import Any, Literal, get_args, get_origin

import msgspec

from aloi.evidence.predicates import predicate_type
from aloi.evidence.records import (
    BenignRate,
    Effect,
    Finding,
    Hunt,
    Plan,
    Record,
    RemedyIdentity,
    ScorerIdentity,
    Verdict,
)
from aloi.evidence.statement import Subject
from aloi.evidence.verification import Signer, Verification, VerifiedClaim
from aloi.evidence.vouching import Attachment
from aloi.standards.exports.source import Source
from aloi.standards.frameworks import framework, names
from aloi.standards.hub import MEASURED, hub
from aloi.standards.judging import EvidenceItem
from aloi.standards.mapping import row_digest

WRITTEN = tuple(control.id for control in hub().controls if control.proof not in MEASURED)
ROWS = tuple(row_digest(name, row) for name in names() for row in framework(name).rows)
HAZARDS = tuple(hazard.id for hazard in hub().hazards)
NAMES = {Plan: "plan", Finding: "finding", Hunt: "hunt", BenignRate: "benign-rate", Effect: "effect"}
ORACLE = ScorerIdentity(name="canary", kind="oracle", version="1")
JUDGE = ScorerIdentity(name="judge", kind="judge", version="1")
CALIBRATED = ScorerIdentity(name="judge", kind="judge", version="1", calibration="sha256:" + "1" * 64)
AT = "2026-11-26T08:00:00Z"
# What others may write where a name or a moment is asked for.
SYSTEMS = ("système “é” & <b>", " système\n\tà   la ligne ", "", "\u2028")
FILES = ("notice d'usage “v1” & co.pdf", "register.json", "#bundle\r\n.json", " ", "../a b%zz?x#y")
REGISTERED = (
    "2026-11-25T08:00:00Z",
    "2026-11-25T13:07:00.25+05:07",
    "0001-01-01T00:00:00+14:00",
    "2026-11-25T24:61:00Z",
)


def made(type_: Any, **said: Any) -> Any:
    """A record with what the test says; the fields it does not speak of hold some value of their type."""
    required = (field for field in msgspec.structs.fields(type_) if field.required and field.name not in said)
    return type_(**said, **{field.name: _some(field.type) for field in required})


def _some(type_: Any) -> Any:
    origin = get_origin(type_)
    if origin is Literal:
        return get_args(type_)[0]
    if origin is types.UnionType:
        return None
    if origin is tuple:
        items = get_args(type_)
        return () if items[-1] is Ellipsis else tuple(_some(item) for item in items)
    if origin is dict:
        return {}
    if issubclass(type_, msgspec.Struct):
        return made(type_)
    return next(iter(type_)) if issubclass(type_, Enum) else type_(1)


def drawn(seed: int) -> Source:
    """A verified bundle, as `verify_bundle` would tell it, without the work of signing it."""
    rng = random.Random(seed)
    before = Subject.of(SYSTEMS[seed % len(SYSTEMS)], _digest(rng))
    after = Subject.of("système+remèdes", _digest(rng))
    registered = REGISTERED[seed % 7 % len(REGISTERED)]
    records: list[Record] = [made(Plan, registered_at=registered, hazards=())] if rng.random() < 0.9 else []
    remedied = rng.random() < 0.5
    for hazard in rng.sample(HAZARDS, rng.randrange(0, 12)):
        for stage in ("measure", "confirm") if remedied else ("measure",):
            scorer = rng.choice([ORACLE, JUDGE, CALIBRATED])
            records.append(made(Finding, hazard=hazard, stage=stage, scorer=scorer, verdict=rng.choice(list(Verdict))))
        if rng.random() < 0.3:
            said = {"hazard": hazard, "stage": "measure", "scorer": ORACLE}
            records.append(made(Hunt, **said, verdict=rng.choice([Verdict.NOT_MET, Verdict.INCONCLUSIVE])))
    records.append(made(BenignRate, stage="measure"))
    if remedied:
        identity = RemedyIdentity(name="link-policy", version="1", digest=_digest(rng))
        records.append(made(Effect, stage="confirm", accepted=rng.random() < 0.5, remedies=(identity,)))
    signer = Signer(key_id=f"ed25519:{rng.getrandbits(64):x}", trusted=True)
    claims = tuple(_claim(record, before, after, signer, rng) for record in records)
    return Source(
        verification=Verification(
            digest=_digest(rng),
            subject=(before, after) if remedied else (before,),
            claims=claims,
            packed_by=(signer,),
            holds=(),
            non_claims=("legal-conformity",),
        ),
        at=AT,
        attached=tuple(_attached(rng, after if remedied else before) for _ in range(rng.randrange(4))),
        words={row: rng.choice(["endorsed", "disputed"]) for row in rng.sample(ROWS, rng.randrange(20))},
    )


def _attached(rng: random.Random, system: Subject) -> EvidenceItem:
    """A file that somebody approved, bound to the system or to none."""
    file = Subject.of(rng.choice(FILES), _digest(rng))
    record = Attachment(
        control=rng.choice(WRITTEN),
        size=rng.randrange(1, 10**6),
        approved_by=rng.choice(["Comité <des> risques", " Comité\ndes\trisques\u00a0"]),
        approved_on="2026-11-01",
        valid_until=rng.choice([None, "2026-11-20", "2027-11-01", "9999-12-31"]),
    )
    return EvidenceItem(digest=_digest(rng), record=record, subject=(file, system) if rng.random() < 0.5 else (file,))


def _digest(rng: random.Random) -> str:
    return f"sha256:{rng.getrandbits(256):064x}"


def _claim(record: Record, before: Subject, after: Subject, signer: Signer, rng: random.Random) -> VerifiedClaim:
    confirmed = getattr(record, "stage", "measure") == "confirm"
    name, digest = NAMES[type(record)], _digest(rng)
    return VerifiedClaim(
        digest=digest,
        envelope=digest,
        predicate_type=predicate_type(name),
        name=name,
        subject=(before, after) if name == "effect" else (after if confirmed else before,),
        record=record,
        plan=None,
        signers=(signer,),
        non_claims=("legal-conformity",),
    )
