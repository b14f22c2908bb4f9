"""What a text holds in encoded form: base64, hexadecimal, percent signs and character references, also nested.

Linear in the text, up to `DEPTH` levels of it.
"""

import codecs
import html
import math
import re
from bisect import bisect_right
from collections.abc import Iterator
from html.entities import html5
from operator import itemgetter

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


_PERCENT_RUN = re.compile(r"(%[0-9a-fA-F]{2}(?:%[0-9a-fA-F]{2})*)")  # begins with what is searched for fast
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


class _Percents(dict[str, str]):
    def __missing__(self, run: str) -> str:
        self[run] = plain = bytes.fromhex(run.replace("%", "")).decode("utf-8", errors="replace")
        return plain


class _References(dict[str, str]):
    def __missing__(self, reference: str) -> str:
        self[reference] = plain = _number(reference) if reference[1] == "#" else _named(reference)
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


def _replaced(parted: re.Pattern[str], encoded: str, known: dict[str, str]) -> str:
    """A text with what is known in place of all that a pattern, which is one group, finds in it."""
    parts = parted.split(encoded)
    parts[1::2] = map(known.__getitem__, parts[1::2])
    return "".join(parts)


def _word(encoded: str) -> str:
    """References and percents in one step: each alone would leave a text as long, in which the other is looked for."""
    if "&" in encoded:
        encoded = _replaced(_REFERENCE, encoded, _References())
    return _replaced(_PERCENT_RUN, encoded, _Percents()) if "%" in encoded else encoded


def _spelled(encoded: str, times: int) -> str:
    """What is left of words that are decoded again and again, so many times at most, and folded in between."""
    decoded = _word(encoded)
    for _ in range(times - 1):
        plain = fold(decoded).text
        if not _SIGN.search(plain):
            break
        decoded = _word(plain)
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

    def once(self, outer: _Text, times: int) -> Iterator[_Text]:
        """What a text holds in encoded form, and where; not nested, but for words at their last level of `times`."""
        for read in (base64_runs, hex_runs) if len(outer.text) >= LEAST else ():
            if found := read(outer.text):
                yield from self._runs(outer, found)
        if outer.spelled or not ("%" in outer.text or "&" in outer.text):
            return
        for encoded, low, high, by_level in self._words(outer):
            plain = _spelled(encoded, 1 if by_level else times)
            if plain not in ("", encoded):
                yield _Text(plain, low, high, by_level, not by_level)

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

    def _words(self, outer: _Text) -> Iterator[tuple[str, int, int, bool]]:
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
            yield encoded, low, high, by_level


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
    level = [_Text(text, 0, len(text))]
    for depth in range(1, DEPTH + 1):
        deeper = []
        for outer in level:
            for one in reader.once(outer, DEPTH - depth + 1):
                start, end = (one.start, one.end) if depth == 1 else (outer.start, outer.end)
                plain = fold(one.text).text
                yield Layer(plain, start, end, depth)
                deeper.append(_Text(plain, start, end, one.by_level, one.spelled))
        level = deeper


def rot13(text: str) -> str:
    """`text` with its ASCII letters rotated by 13 places."""
    return codecs.encode(text, "rot13")
