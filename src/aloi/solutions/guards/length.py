"""Bound what an answer may cost: its length, and loops in which a model says the same again and again."""

import re
import zlib
from collections import Counter
from itertools import islice
from typing import Annotated, ClassVar, Literal

import numpy as np
from msgspec import Meta

from aloi.solutions.guard import Allow, Block, Rewrite, Ruling
from aloi.solutions.options import Options
from aloi.system.messages import Message, Role
from aloi.translation import N_

LONGEST_PERIOD = 16
# A run without blanks of this length that deflates below a tenth repeats itself; encoded data does not.
_RUN, _DEFLATED = 400, 10
_WORD = re.compile(r"\S+")
_LONG_RUN = re.compile(rf"\S{{{_RUN},}}")
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
        if len(text[:end].split()) > options.words:
            end, reason = _end_of_word(text, options.words), "too-long"
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
        room = max(options.words - len(options.marker.split()), 0)
        if len(kept.split()) > room:
            kept = kept[: _end_of_word(kept, room) if room else 0]
        cut = kept.rfind(" ", max(0, len(kept) - 40))
        if len(kept) < len(text) and not text[len(kept)].isspace() and cut > 0:
            kept = kept[:cut]
        return kept.rstrip() + options.marker


def _end_of_word(text: str, number: int) -> int:
    """Where the word of this number ends, counted from 1."""
    return next(islice(_WORD.finditer(text), number - 1, None)).end()


def _loop(text: str, repeats: int) -> int | None:
    """Where the first repetition begins to be too much: the end of its `repeats`-th copy."""
    found = (_periods(text, repeats), _sentences(text, repeats), _run(text, repeats))
    return min((end for end in found if end is not None), default=None)


def _periods(text: str, repeats: int) -> int | None:
    """The end of the copies that are allowed, where the same one to sixteen words come more often than that."""
    known: dict[str, int] = {}
    words = np.array([known.setdefault(word, len(known)) for word in text.casefold().split()], dtype=np.int64)
    last = []
    for period in range(1, min(LONGEST_PERIOD, len(words) - 1) + 1):
        # A run of k equal pairs at this distance is 1 + k / period copies.
        at = (words[period:] == words[:-period]).tobytes().find(b"\1" * (period * repeats))
        if at >= 0:
            last.append(at + period * repeats)
    return _end_of_word(text, min(last)) if last else None


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


def _run(text: str, repeats: int) -> int | None:
    """The allowed beginning of a long run without blanks that repeats itself."""
    for match in _LONG_RUN.finditer(text):
        raw = match[0].encode("utf-8", "surrogatepass")
        if len(zlib.compress(raw, 1)) * _DEFLATED < len(raw):
            return match.start() + repeats
    return None
