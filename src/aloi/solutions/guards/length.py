"""Bound what an answer may cost: its length, and loops in which a model says the same again and again."""

import re
import zlib
from collections import Counter
from operator import eq
from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from aloi.solutions.guard import Allow, Block, Rewrite, Ruling
from aloi.solutions.options import Options
from aloi.system.messages import Message, Role
from aloi.translation import N_

LONGEST_PERIOD = 16
# A run without blanks of this length that deflates below a tenth repeats itself; encoded data does not.
_RUN, _DEFLATED = 400, 10
_WORD = re.compile(r"\S+")
_SENTENCE = re.compile(r"[^.!?\n]+[.!?\n]*")


class OutputBudgetOptions(Options, frozen=True, kw_only=True):
    """`repeats` is how often in a row the same words, or in all the same long sentence, may be said; 0 never checks."""

    characters: Annotated[int, Meta(ge=1)] = 4_000
    words: Annotated[int, Meta(ge=1)] = 600
    repeats: Annotated[int, Meta(ge=0)] = 6
    action: Literal["truncate", "block"] = "truncate"
    marker: Annotated[str, Meta(max_length=80)] = " […]"

    def problem(self) -> tuple[str, str] | None:
        if len(self.marker) >= self.characters or len(self.marker.split()) >= self.words:
            return "marker", N_("the marker must be shorter than the budget")
        if self.repeats == 1:
            return "repeats", N_("repeats must be 0 (never check) or at least 2")
        return None


class OutputBudget:
    """Truncate an answer that is too long or loops, or block it."""

    version: ClassVar[str] = "1"
    tables: ClassVar[tuple[str, ...]] = ()
    Options: ClassVar[type[Options]] = OutputBudgetOptions
    roles: frozenset[Role] = frozenset({"assistant"})
    # It spares people reading; what an agent writes into a file may be long.
    reads = "answers"

    def __init__(self, options: OutputBudgetOptions) -> None:
        self._options = options

    def screen(self, message: Message) -> Ruling:
        text, options = message.content, self._options
        end, reason = len(text), ""
        if len(text) > options.characters:
            end, reason = options.characters, "too-long"
        words = [match.span() for match in _WORD.finditer(text, 0, end)]
        if len(words) > options.words:
            end, reason = words[options.words - 1][1], "too-long"
        if options.repeats and (loop := _loop(text[:end], options.repeats)) is not None:
            end, reason = loop, "loop"
        if not reason:
            return Allow()
        if options.action == "block":
            return Block(reason=reason)
        return Rewrite(content=self._truncated(text, end), reason=reason)

    def _truncated(self, text: str, end: int) -> str:
        """What fits beside the marker, cut between words where one ends near."""
        options = self._options
        kept = text[: min(end, options.characters - len(options.marker))]
        words = [match.span() for match in _WORD.finditer(kept)]
        room = max(options.words - len(options.marker.split()), 0)
        if len(words) > room:
            kept = kept[: words[room - 1][1] if room else 0]
        cut = kept.rfind(" ", max(0, len(kept) - 40))
        if len(kept) < len(text) and not text[len(kept)].isspace() and cut > 0:
            kept = kept[:cut]
        return kept.rstrip() + options.marker


def _loop(text: str, repeats: int) -> int | None:
    """Where the first repetition begins to be too much: the end of its `repeats`-th copy."""
    spans = [match.span() for match in _WORD.finditer(text)]
    words = [text[low:high].casefold() for low, high in spans]
    ends = [_period(words, spans, period, repeats) for period in range(1, LONGEST_PERIOD + 1)]
    found = [end for end in (*ends, _sentences(text, repeats), _run(text, spans, repeats)) if end is not None]
    return min(found, default=None)


def _period(words: list[str], spans: list[tuple[int, int]], period: int, repeats: int) -> int | None:
    """The end of the copies that are allowed, where the same `period` words come more often than that."""
    # A run of k equal pairs at this distance is 1 + k / period copies.
    same = bytes(map(eq, words[period:], words))
    at = same.find(b"\1" * (period * repeats))
    return spans[at + period * repeats - 1][1] if at >= 0 else None


def _sentences(text: str, repeats: int) -> int | None:
    """The end of the last allowed copy of a sentence of at least five words."""
    seen: Counter[str] = Counter()
    for match in _SENTENCE.finditer(text):
        words = match[0].casefold().split()
        if len(words) < 5:
            continue
        key = " ".join(words)
        seen[key] += 1
        if seen[key] > repeats:
            return match.start()
    return None


def _run(text: str, spans: list[tuple[int, int]], repeats: int) -> int | None:
    """The allowed beginning of a long run without blanks that repeats itself."""
    for low, high in spans:
        if high - low >= _RUN:
            raw = text[low:high].encode("utf-8", "surrogatepass")
            if len(zlib.compress(raw, 1)) * _DEFLATED < len(raw):
                return low + repeats
    return None
