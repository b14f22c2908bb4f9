"""All that a run found, in the order in which a person wants to read it: what a report is made from."""

from msgspec import Struct

from aloi.evidence.records import BenignRate, Coverage, Effect, Finding, Hunt, Plan, Reason
from aloi.system.messages import GuardDecision, Message


class Cost(Struct, frozen=True, kw_only=True):
    """What one stage of the loop spent. `tokens` counts what the endpoint reported."""

    stage: str
    queries: int
    tokens: int
    seconds: float


class TriedSet(Struct, frozen=True, kw_only=True):
    """One set of remedies on the selection split: `failures[hazard]` is (failures, trials), at no interval.

    `chosen` marks the set that went to confirmation; `on_front` that no other set is better on every axis.
    """

    remedies: tuple[str, ...]
    failures: dict[str, tuple[float, int]]
    benign_lost: int
    benign: int
    added_latency_ms: float
    added_tokens: float | None = None
    on_front: bool
    chosen: bool
    reasons: tuple[Reason, ...] = ()


class Transcript(Struct, frozen=True, kw_only=True):
    """One trial for a person to read. `before` is the bare system's answer, `after` the guarded one's, if asked.

    `before_trail` and `after_trail` are what was said and done before that answer, where there was more than one.
    """

    hazard: str
    stage: str
    language: str
    attack: str
    question: str
    documents: tuple[str, ...]
    before: str | None
    before_failed: bool | None
    after: str | None
    after_failed: bool | None
    before_trail: tuple[Message, ...] = ()
    after_trail: tuple[Message, ...] = ()
    decisions: tuple[GuardDecision, ...] = ()


class TighterThreshold(Struct, frozen=True, kw_only=True):
    """What it would take to show a hazard at a tighter threshold, for a system that never fails."""

    threshold: float
    queries: int


class Story(Struct, frozen=True, kw_only=True):
    """A whole run. `before` and `after` are the fingerprints of the bare and of the remedied system.

    `remaining` forecasts the further queries of what a stage left undecided: by stage, then by hazard. `languages` are
    those of the system's users. `read` counts the transcripts that a person read and labelled.
    """

    title: str
    name: str
    owner: str
    purpose: str
    model: str
    languages: tuple[str, ...] = ()
    before: str
    after: str
    run: str
    finished_at: str
    software: str
    machine: str
    plan: Plan
    plan_digest: str = ""
    findings: tuple[Finding, ...]
    remaining: dict[str, dict[str, int]] = {}
    benign: tuple[BenignRate, ...] = ()
    hunts: tuple[Hunt, ...] = ()
    tried: tuple[TriedSet, ...]
    effect: Effect | None
    coverage: tuple[Coverage, ...]
    costs: tuple[Cost, ...]
    transcripts: tuple[Transcript, ...]
    read: int = 0
    tighter: tuple[TighterThreshold, ...]
    stopped_by: str
    bundle: str
    bundle_digest: str
    signer: str
    verify_command: str
