"""Bound what an answer may cost: its length, and loops in which a model says the same again and again."""

import re
import zlib
from collections import Counter
from itertools import islice
from typing import Annotated, ClassVar, Literal

import numpy as np
from msgspec import Meta

from aloi.solutions.ahead import Ahead
from aloi.solutions.guard import Allow, Block, Rewrite, Ruling
from aloi.solutions.guards import tails
from aloi.solutions.options import Options
from aloi.system.messages import Message, Role
from aloi.translation import N_

LONGEST_PERIOD = 16
MARKER = " […]"
# A cut is made between words where one ends this near before it.
_NEAR = 40
# A run without blanks of this length that deflates below a tenth repeats itself; encoded data does not.
_RUN, _DEFLATED = 400, 10
_WORD = re.compile(r"\S+")
_LONG_RUN = re.compile(rf"(?<!\S)\S{{{_RUN},}}")
_FEWEST_WORDS = 5
_SHORTEST = len("a a a a a")
_SENTENCE = re.compile(r"[^.!?\n]+[.!?\n]*")


class OutputBudgetOptions(Options, frozen=True, kw_only=True):
    """`repeats` is how often in a row the same words, or in all the same long sentence, may be said; 0 never checks."""

    characters: Annotated[int, Meta(ge=1)] = 4_000
    words: Annotated[int, Meta(ge=1)] = 600
    repeats: Annotated[int, Meta(ge=0)] = 6
    action: Literal["truncate", "block"] = "truncate"
    marker: Annotated[str, Meta(max_length=80)] = MARKER

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
        most, room = self._room()
        kept = text[: min(end, most)]
        if len(kept.split()) > room:
            kept = kept[: _end_of_word(kept, room) if room else 0]
        cut = kept.rfind(" ", max(0, len(kept) - _NEAR))
        if len(kept) < len(text) and not text[len(kept)].isspace() and cut > 0:
            kept = kept[:cut]
        return kept.rstrip() + options.marker

    def _room(self) -> tuple[int, int]:
        """The characters and words that fit beside the marker."""
        options = self._options
        return options.characters - len(options.marker), max(options.words - len(options.marker.split()), 0)

    def settled(self, text: str) -> int:
        options, (most, room) = self._options, self._room()
        at = _unlooped(text, options.repeats) if options.repeats else len(text)
        if len(text) > most - _NEAR:
            blank = most if text[most : most + 1].isspace() else text.rfind(" ", max(0, most - _NEAR), most)
            at = min(at, blank if blank > 0 else most)
        if len(text.split()) > room:
            at = min(at, _end_of_word(text, room) if room else 0)
        # Blanks before a cut go with it, but for one with which the marker begins.
        end = len(text[:at].rstrip())
        return end + (text[end : end + 1] == options.marker[:1] != "")

    def settled_before(self, text: str, ahead: Ahead) -> int:  # noqa: ARG002 - a cut is made between words, whatever these are
        return self.settled(text)

    def leaves(self, ahead: Ahead) -> Ahead | None:
        return ahead if self._options.action == "block" or self._options.marker == MARKER else None

    def ends(self, text: str) -> bool:
        options = self._options
        too_long = len(text) > options.characters or len(text.split()) > options.words
        return options.action == "block" and too_long


def _end_of_word(text: str, number: int) -> int:
    """Where the word of this number ends, counted from 1."""
    return next(islice(_WORD.finditer(text), number - 1, None)).end()


def _loop(text: str, repeats: int) -> int | None:
    """Where the first repetition begins to be too much: the end of its `repeats`-th copy."""
    found = (_periods(text, repeats), _sentences(text, repeats), _run(text, repeats))
    return min((end for end in found if end is not None), default=None)


def _unlooped(text: str, repeats: int) -> int:
    """Up to where a text stays as it is, whatever loop it may go on to."""
    whole = tails.word(text, len(text))
    found = (_periods(text[:whole], repeats, begun=True), _sentences(text, repeats, begun=True), _run(text, repeats))
    ends = [end for end in found if end is not None]
    ends = [_between_words(text, end) for end in ends]
    # The last word, or the next, may become a long run.
    blank = text.rfind(" ", max(0, whole + repeats - _NEAR), whole)
    return min([*ends, blank if blank > 0 else whole + repeats, len(text)])


def _between_words(text: str, end: int) -> int:
    """Where a text that would be cut at `end` is cut."""
    blank = text.rfind(" ", max(0, end - _NEAR), end)
    return blank if end < len(text) and not text[end].isspace() and blank > 0 else end


def _periods(text: str, repeats: int, *, begun: bool = False) -> int | None:
    """The end of the copies that are allowed, where the same one to sixteen words come more often than that.

    With `begun` also where they have come that often, and may go on to.
    """
    known: dict[str, int] = {}
    words = np.array([known.setdefault(word, len(known)) for word in text.casefold().split()], dtype=np.int64)
    last = []
    for period in range(1, min(LONGEST_PERIOD, len(words) - 1) + 1):
        # A run of k equal pairs at this distance is 1 + k / period copies.
        same = (words[period:] == words[:-period]).tobytes()
        at = same.find(b"\1" * (period * repeats))
        if at < 0 and begun and same.endswith(b"\1" * (period * (repeats - 1))):
            at = len(same.rstrip(b"\1"))
        if at >= 0:
            last.append(at + period * repeats)
    return _end_of_word(text, min(last)) if last else None


def _sentences(text: str, repeats: int, *, begun: bool = False) -> int | None:
    """The end of the last allowed copy of a sentence of at least five words.

    With `begun` also where the last sentence may become one copy more.
    """
    seen: Counter[str] = Counter()
    for match in _SENTENCE.finditer(text):
        is_last = begun and match.end() == len(text)
        if len(match[0]) < _SHORTEST and not is_last:
            continue
        words = match[0].casefold().split()
        key = " ".join(words)
        if is_last:
            return match.start() if any(one.startswith(key) for one, n in seen.items() if n >= repeats) else None
        if len(words) < _FEWEST_WORDS:
            continue
        seen[key] += 1
        if seen[key] > repeats:
            return match.start()
    return None


def _run(text: str, repeats: int) -> int | None:
    """The allowed beginning of a long run without blanks that repeats itself."""
    if max(map(len, text.split()), default=0) < _RUN:
        return None
    for match in _LONG_RUN.finditer(text):
        raw = match[0].encode("utf-8", "surrogatepass")
        if len(zlib.compress(raw, 1)) * _DEFLATED < len(raw):
            return match.start() + repeats
    return None
