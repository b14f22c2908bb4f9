"""What stands in a record of traffic, one JSON object a line. Texts are there only where the owner asked for them.

Every line names the SHA-256 of the line before it in `before`: what was changed, or taken out of the middle, shows.
"""

import re
from math import ceil, isfinite, log

from msgspec import Struct

from aloi.evidence.records import RemedyIdentity
from aloi.solutions.gateway.record import Entry, Outcome
from aloi.system.messages import GuardDecision

TEXT = 20_000  # characters of a text that is kept
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_FINEST, _STEP = 1e-6, 1.1  # of the classes in which the time of guards is counted


class Line(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind"):
    """A line. `at` is POSIX seconds; `before` is written last, by whoever chains the lines."""

    before: str = ""
    at: float


class Guards(Line, frozen=True, kw_only=True, tag="guards"):
    """By which guards a system is served: told before the first line of each file that names their digest."""

    system: str
    fingerprint: str
    guard_set: str
    remedies: tuple[RemedyIdentity, ...]


class Exchanged(Line, frozen=True, kw_only=True):
    """One exchange: an entry, without what others wrote in it unless texts are kept. `cut`: of a text the rest is
    missing."""

    id: str
    key: str
    endpoint: str
    guard_set: str
    outcome: Outcome
    decisions: tuple[GuardDecision, ...] = ()
    error: str = ""
    seconds: float = 0.0
    guard_seconds: float = 0.0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    asked: str = ""
    answer: str = ""
    cut: bool = False


class Decided(Exchanged, frozen=True, kw_only=True, tag="decision"):
    """Guards acted, or the client was told an error: on disk before the client hears of it."""


class Sampled(Exchanged, frozen=True, kw_only=True, tag="sample"):
    """One of the exchanges in which no guard acted, chosen by chance."""


class Counted(Line, frozen=True, kw_only=True, tag="count"):
    """How many exchanges ended since `since`, by outcome, and how long guards took, by class (`seconds_of`).

    `missed` counts samples that could not be written.
    """

    since: float
    guard_set: str
    counts: dict[str, int]
    took: dict[str, int] = {}
    missed: int = 0


Kept = Guards | Decided | Sampled | Counted


def exchanged(entry: Entry, kind: type[Decided] | type[Sampled], *, texts: bool) -> Decided | Sampled:
    """The line of an entry. Without texts, names that a client or a model wrote are left out, and what is no code."""
    asked, answer = (_written(entry.asked), _written(entry.answer)) if texts else ("", "")
    return kind(
        at=round(entry.at, 3),
        id=entry.id,
        key=entry.key,
        endpoint=entry.endpoint,
        guard_set=entry.guard_set,
        outcome=entry.outcome,
        decisions=tuple(_decided(one, texts=texts) for one in entry.decisions),
        error=code_or_nothing(entry.error),
        seconds=round(entry.seconds, 6),
        guard_seconds=round(entry.guard_seconds, 6),
        prompt_tokens=entry.prompt_tokens,
        completion_tokens=entry.completion_tokens,
        asked=asked[:TEXT],
        answer=answer[:TEXT],
        cut=max(len(asked), len(answer)) > TEXT,
    )


def class_of(seconds: float) -> str:
    """The class of a time: a tenth wide."""
    return str(max(0, ceil(log(max(seconds, _FINEST) / _FINEST, _STEP))))


def seconds_of(which: str) -> float:
    """The longest time of a class."""
    return float(_FINEST * _STEP ** int(which))


def _decided(one: GuardDecision, *, texts: bool) -> GuardDecision:
    score = round(one.score, 6) if isfinite(one.score) else 1.0  # what is no number cannot be read back
    return GuardDecision(
        guard=one.guard,
        role=one.role,
        action=one.action,
        reason=_written(one.reason) if texts else code_or_nothing(one.reason),
        score=score,
        document=_written(one.document) if texts else "",
        tool=_written(one.tool) if texts else "",
    )


def _written(text: str) -> str:
    """A text that JSON can hold: half a surrogate pair is replaced."""
    return text.encode("utf-8", "replace").decode()


def code_or_nothing(text: str) -> str:
    """A text where it is a plain code; a guard of somebody else may give words of the user as its reason."""
    return text if _CODE.fullmatch(text) else ""
