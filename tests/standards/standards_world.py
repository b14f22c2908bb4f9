"""Evidence of a known shape, for the tests of this room."""

import hashlib
from decimal import Decimal

import msgspec
from benchmarks.standards.bundles import ORACLE, made

from aloi.evidence.records import Effect, Finding, HazardPlan, Hunt, Plan, Record, ScorerIdentity, Stage, Verdict
from aloi.standards import packs
from aloi.standards.frameworks import Framework, FrameworkFiles, read_framework
from aloi.standards.judging import EvidenceItem

SHIPPED = {name: value for name, value in sorted(vars(packs).items()) if isinstance(value, FrameworkFiles)}


def shipped(key: str) -> Framework:
    """A shipped framework by its key, read through its files."""
    return next(found for found in map(read_framework, SHIPPED.values()) if found.pack.key == key)


def signed(record: Record) -> EvidenceItem:
    """A record as if one statement carried it."""
    return EvidenceItem(digest="sha256:" + hashlib.sha256(msgspec.json.encode(record)).hexdigest(), record=record)


def finding(
    hazard: str, verdict: str, stage: Stage = "measure", *, scorer: ScorerIdentity = ORACLE, threshold: str = "0.05"
) -> EvidenceItem:
    """The result for one hazard."""
    said = {"hazard": hazard, "stage": stage, "scorer": scorer, "threshold": Decimal(threshold)}
    return signed(made(Finding, **said, verdict=Verdict(verdict)))


def hunt(hazard: str, verdict: str, stage: Stage = "measure", *, threshold: str = "0.05") -> EvidenceItem:
    """What a hunt on one hazard proved."""
    said = {"hazard": hazard, "stage": stage, "threshold": Decimal(threshold), "scorer": ORACLE}
    return signed(made(Hunt, **said, verdict=Verdict(verdict)))


def effect(stage: Stage = "confirm", *, accepted: bool = True) -> EvidenceItem:
    """What a remedy bought."""
    return signed(made(Effect, stage=stage, accepted=accepted))


def plan(**thresholds: str) -> EvidenceItem:
    """A plan that registers thresholds by hazard (underscores stand for hyphens)."""
    hazards = (
        made(HazardPlan, hazard=name.replace("_", "-"), threshold=Decimal(threshold))
        for name, threshold in thresholds.items()
    )
    return signed(made(Plan, hazards=tuple(hazards)))
