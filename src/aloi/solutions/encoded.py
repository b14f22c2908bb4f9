"""What a text holds in encoded form: base64, hexadecimal, percent signs and character references, also nested.

Linear in the text, up to `DEPTH` levels of it.
"""

import codecs
import html
import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from html.entities import html5
from operator import itemgetter
from string import hexdigits

import numpy as np
from msgspec import Struct

from aloi.solutions.either import either
from aloi.solutions.normalise import fold
from aloi.solutions.runs import LEAST, Run, base64_runs, hex_runs

DEPTH = 3


class Layer(Struct, frozen=True):
    """A decoded text, where its encoded form stands in the text it was found in, and how deep it was nested."""

    text: str
    start: int
    end: int
    depth: int


# What the ASCII codes of hexadecimal digits stand for.
_NO_DIGIT = 16
_DIGITS = np.full(256, _NO_DIGIT, np.uint8)
for _digit in hexdigits:
    _DIGITS[ord(_digit)] = int(_digit, 16)
# What `html.unescape` changes, and little else: names that need no ";" count wherever a longer one begins with them.
_UNENDED = re.compile(either(name for name in html5 if not name.endswith(";")))
_UNENDED_BEGIN = frozenset(name[:2] for name in html5 if not name.endswith(";"))
_REFERENCE = re.compile(rf"(&(?:#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[a-zA-Z][a-zA-Z0-9]{{1,30}};|{_UNENDED.pattern}))")
_ZEROS = re.compile(r"(?<=#)0+(?=[0-9])|(?<=[xX])0+(?=[0-9a-fA-F])")
_LONGEST_NUMBER = len("&#1114111;")
# A whole word is decoded, because its plain letters belong to what the encoded ones spell; it starts at a boundary. "&"
# and "#" of a reference may be written as references themselves.
_ENCODED = r"%[0-9a-fA-F]{2}|&(?:(?:amp|AMP);?)*(?:#|num;)"
_SIGN = re.compile(_ENCODED)
_WORD = re.compile(rf"(?<!\S)\S*?(?:{_ENCODED})\S*")
_PLAIN_WORDS = re.compile(rf"(?<!\s)\s++(?:(?:(?!{_ENCODED})\S)++\s++)+")
_LAST_BLANK = re.compile(r"(?s:.*)(?=\s)")


# Stands between texts that are read in one: a blank to all that is looked for, and nothing that a folded text holds.
_WALL = "\x1f"


class _Known(dict[str, str]):
    """What each reference stands for, worked out once."""

    def __missing__(self, reference: str) -> str:
        plain = _number(reference) if reference[1] == "#" else _named(reference)
        self[reference] = plain = plain.replace(_WALL, "")
        return plain


def _number(reference: str) -> str:
    if len(reference) > _LONGEST_NUMBER:  # thousands of digits are more than `int` takes
        reference = _ZEROS.sub("", reference)
    return html.unescape(reference) if len(reference) <= _LONGEST_NUMBER else "\ufffd"


def _named(reference: str) -> str:
    """As `html.unescape` has it, which tries every beginning of a name that is none."""
    if plain := html5.get(reference[1:]):
        return plain
    if reference[1:3] in _UNENDED_BEGIN and (unended := _UNENDED.match(reference, 1)):
        return html5[unended[0]] + reference[unended.end() :]
    return reference


def references(text: str) -> str:
    """A text with what its references stand for."""
    parts, known = _REFERENCE.split(text), _Known()
    parts[1::2] = map(known.__getitem__, parts[1::2])
    return "".join(parts)


def _percents(text: str) -> str:
    """A text with what its percents stand for, in UTF-8; what is none is replaced, as it is beside other characters."""
    signs = np.frombuffer(text.encode("utf-8", "replace") + b"  ", np.uint8)
    values = _DIGITS[signs]
    at = np.flatnonzero(signs == ord("%"))
    high, low = values[at + 1], values[at + 2]
    encoded = (high < _NO_DIGIT) & (low < _NO_DIGIT)
    at, bytes_ = at[encoded], high[encoded] << 4 | low[encoded]
    bytes_[bytes_ == ord(_WALL)] -= 1  # another control, which is dropped as well
    plain, kept = signs.copy(), np.ones(len(signs), np.bool_)
    plain[at] = bytes_
    kept[at + 1] = kept[at + 2] = kept[-2:] = False
    return plain[kept].tobytes().decode("utf-8", "replace")


def _decoded(words: Sequence[str]) -> list[str]:
    """Words decoded once, all in one, which takes a tenth of the time of one after the other.

    References and percents go in one step: each alone would leave a text as long, in which the other is looked for.
    """
    joined = _WALL.join(words)
    if "&" in joined:
        joined = references(joined)
    if "%" in joined:
        joined = _percents(joined)
    return joined.split(_WALL)


def _spelled(words: Sequence[str], times: int) -> list[str]:
    """What is left of words that are decoded again and again, so many times at most, and folded in between."""
    decoded = _decoded(words)
    for _ in range(times - 1):
        again = [(index, plain) for index, one in enumerate(decoded) if _SIGN.search(plain := fold(one).text)]
        if not again:
            break
        for (index, _), plain in zip(again, _decoded([plain for _, plain in again]), strict=True):
            decoded[index] = plain
    return decoded


# So many encoded words of a text are read one by one; those behind them in pieces of so many characters, without what
# stands between them: that would be read again with the words and runs of each kind, and at each level. Read apart, a
# text of nothing else would take ten times as long as it may.
APART, PIECE = 256, 2_000
# What stands instead: no number and no credential goes over it, as over a blank or a line's end, and no sentence ends.
_BETWEEN = "\r"
# So many characters of a text's encoded words are read at each of their levels, and the words behind these at the last
# one only; those in base64 and in hexadecimal likewise, by the characters of these.
STEPS = 25_000


class _Text(Struct, frozen=True):
    """A text to read. `by_level` is whether its words are read at each level, None until that is known; `spelled`
    whether they were read at the last one."""

    text: str
    start: int
    end: int
    by_level: bool | None = None
    spelled: bool = False


class _Steps:
    """How many characters of encoded words, or of runs, are still read level by level."""

    def __init__(self, by_level: bool | None) -> None:
        """What a text inside was read by holds for all that is in it."""
        self.left = STEPS if by_level is None else math.inf if by_level else 0

    def take(self, size: int) -> bool:
        """Whether the next one, of so many characters, is read level by level."""
        self.left -= size
        return self.left >= 0


class _Reader:
    """How many encoded words and runs of a text may still be read one by one."""

    def __init__(self) -> None:
        self._left = APART

    def once(self, level: Sequence[_Text], times: int) -> list[tuple[int, _Text]]:
        """What these texts hold in encoded form, each with the index of the one it is in; not nested, but for words at
        their last level of `times`."""
        runs: list[tuple[int, _Text]] = []
        words: list[tuple[int, _Text]] = []
        kinds = [_each(level, read) for read in (base64_runs, hex_runs)]
        for index, outer in enumerate(level):
            runs += [(index, one) for kind in kinds for one in self._runs(outer, kind[index])]
            if not outer.spelled and ("%" in outer.text or "&" in outer.text):
                words += [(index, one) for one in self._words(outer)]
        return sorted([*runs, *_read(words, times)], key=itemgetter(0))

    def _runs(self, outer: _Text, found: list[Run]) -> Iterator[_Text]:
        steps, at = _Steps(outer.by_level), 0
        while at < len(found):
            low, high, text = found[at]
            by_level = steps.take(high - low)
            end = at + 1
            if self._left:
                self._left -= 1
            else:
                end = bisect_right(found, low + PIECE, end, key=itemgetter(1))
                for start, stop, plain in found[at + 1 : end]:
                    steps.take(stop - start)
                    between = outer.text[high:start]
                    text += (between if between.isspace() else _BETWEEN) + plain
                    high = stop
            yield _Text(text, low, high, by_level)
            at = end

    def _words(self, outer: _Text) -> Iterator[_Text]:
        """Those of a text, still encoded."""
        text, steps, high = outer.text, _Steps(outer.by_level), 0
        while match := _WORD.search(text, high):
            low, high = match.span()
            by_level, encoded = steps.take(high - low), match[0]
            if self._left:
                self._left -= 1
            else:
                end = max(high, _last_blank(text, low + PIECE))
                if words := _WORD.findall(text, high, end):
                    steps.take(sum(map(len, words)))
                    high = text.rfind(words[-1], high, end) + len(words[-1])
                    encoded = text[low:high]
                    if len(encoded.split()) > len(words) + 1:
                        encoded = _PLAIN_WORDS.sub(_BETWEEN, encoded)
            yield _Text(encoded, low, high, by_level, not by_level)


def _each(level: Sequence[_Text], read: Callable[[str], list[Run]]) -> list[list[Run]]:
    """The runs of each of some texts, which are read in one."""
    joined = _WALL.join([outer.text for outer in level])
    if len(joined) < LEAST or not (found := read(joined)):
        return [[]] * len(level)
    runs, low, at = [], 0, 0
    for outer in level:
        end = bisect_left(found, (low + len(outer.text) + 1,), at)
        here = found[at:end]
        runs.append([(start - low, stop - low, text) for start, stop, text in here] if low else here)
        low, at = low + len(outer.text) + 1, end
    return runs


def _read(words: Sequence[tuple[int, _Text]], times: int) -> Iterator[tuple[int, _Text]]:
    """Words decoded, once or at their last level of `times`."""
    for by_level in (True, False):
        chosen = [(index, word) for index, word in words if word.by_level is by_level]
        decoded = _spelled([word.text for _, word in chosen], 1 if by_level else times) if chosen else []
        for (index, word), plain in zip(chosen, decoded, strict=True):
            if plain not in ("", word.text):
                yield index, _Text(plain, word.start, word.end, by_level, word.spelled)


def _last_blank(text: str, at: int) -> int:
    """The last blank up to a place, or the end of the text where that comes first; 0 where no blank is near."""
    if at >= len(text):
        return len(text)
    blank = _LAST_BLANK.match(text, max(0, at - PIECE), at + 1)
    return blank.end() if blank else 0


def layers(text: str) -> Iterator[Layer]:
    """Every readable text that `text` holds in encoded form, folded, nested up to `DEPTH`.

    Base64 and hexadecimal shrink what they decode, and of many words only the last level is read, so the work stays
    linear. A text of more than `APART` encoded words has what follows in pieces.
    """
    reader = _Reader()
    level = [_Text(text.replace(_WALL, " "), 0, len(text))]
    for depth in range(1, DEPTH + 1):
        deeper = []
        for index, one in reader.once(level, DEPTH - depth + 1):
            start, end = (one.start, one.end) if depth == 1 else (level[index].start, level[index].end)
            plain = fold(one.text).text
            yield Layer(plain, start, end, depth)
            deeper.append(_Text(plain, start, end, one.by_level, one.spelled))
        if not deeper:
            return
        level = deeper


def rot13(text: str) -> str:
    """`text` with its ASCII letters rotated by 13 places."""
    return codecs.encode(text, "rot13")
