"""What a text holds in encoded form: base64, hexadecimal, percent signs and character references, also nested.

Linear in the text, up to `DEPTH` levels of it.
"""

import binascii
import codecs
import html
import math
import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from html.entities import html5
from itertools import chain, groupby
from operator import itemgetter
from string import ascii_letters, digits, hexdigits

from msgspec import Struct

from aloi.solutions.normalise import fold
from aloi.solutions.stretches import Stretches

DEPTH = 3


class Layer(Struct, frozen=True):
    """A decoded text, where its encoded form stands in the text it was found in, and how deep it was nested."""

    text: str
    start: int
    end: int
    depth: int


# A line of a wrapped base64 block is at least 40 characters long; without that bound, words on lines would be joined.
_BASE64 = re.compile(
    r"(?<![A-Za-z0-9+/_-])(?=[A-Za-z0-9+/_-]{12})(?:[A-Za-z0-9+/]{40,}+\r?\n)*[A-Za-z0-9+/_-]{12,}+={0,2}"
)
_HEX = re.compile(r"[0-9a-fA-F]{2}(?:[ :,;-]?+(?:0x|\\x|\\u00|%)?+[0-9a-fA-F]{2}){5,}+")
_URL_SAFE = str.maketrans("-_", "+/")
_HEX_MARKS = str.maketrans("", "", " :,;-%")
_PERCENT_RUN = re.compile(r"(%[0-9a-fA-F]{2}(?:%[0-9a-fA-F]{2})*)")  # begins with what is searched for fast


def _either(words: Iterable[str]) -> str:
    """A pattern for the longest of these words that stands at a place, told apart by their first letters first."""
    longest_first = sorted(words, key=lambda word: (word[0], -len(word)))
    branches = (
        f"{first}(?:{'|'.join(word[1:] for word in same)})" for first, same in groupby(longest_first, itemgetter(0))
    )
    return rf"(?=[{''.join({word[0] for word in longest_first})}])(?:{'|'.join(branches)})"


# What `html.unescape` changes, and little else: names that need no ";" count wherever a longer one begins with them.
_UNENDED = re.compile(_either(name for name in html5 if not name.endswith(";")))
_REFERENCE = re.compile(rf"(&(?:#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[a-zA-Z][a-zA-Z0-9]{{1,30}};|{_UNENDED.pattern}))")
_ZEROS = re.compile(r"(?<=#)0+(?=[0-9])|(?<=[xX])0+(?=[0-9a-fA-F])")
_LONGEST_NUMBER = len("&#1114111;")
# A whole word is decoded, because its plain letters belong to what the encoded ones spell; it starts at a boundary. "&"
# and "#" of a reference may be written as references themselves.
_ENCODED = r"%[0-9a-fA-F]{2}|&(?:(?:amp|AMP);?)*(?:#|num;)"
_SIGN = re.compile(_ENCODED)
_WORD = re.compile(rf"(?<!\S)\S*?(?:{_ENCODED})\S*")
# Nothing shorter is decoded.
_LEAST = 12
_IN_BASE64 = Stretches((ascii_letters + digits + "+/_-=\r\n").encode(), _LEAST)
_IN_HEX = Stretches((hexdigits + " :,;-%x\\u").encode(), _LEAST)
_base64_in = partial(_IN_BASE64.matches, _BASE64)
_hex_in = partial(_IN_HEX.matches, _HEX)
# Controls that no text has.
_ODD = "\0\1\2\3\4\5\6\7\x08"
_Decode = Callable[[str], str | None]


def _readable(raw: bytes) -> str | None:
    """The bytes as text, or None where they are not text: binary data decodes to noise that no rule should read."""
    text = raw.decode("utf-8", errors="replace")
    if raw.isascii() and text.isprintable():
        return text or None
    noise = text.count("\ufffd")
    if noise * 8 <= len(text) and not text.isprintable():
        noise += sum(map(text.count, _ODD))
    return text if text and noise * 8 <= len(text) else None


def _base64(encoded: str) -> str | None:
    compact = encoded
    if not encoded.isalnum():
        compact = "".join(encoded.split()).rstrip("=").translate(_URL_SAFE)
    if over := len(compact) % 4:
        compact = compact[:-1] if over == 1 else compact + "=" * (4 - over)
    try:
        return _readable(binascii.a2b_base64(compact))
    except binascii.Error:
        return None


def _hex(encoded: str) -> str | None:
    try:
        return _readable(bytes.fromhex(encoded))
    except ValueError:  # there are marks between the digits
        plain = encoded.translate(_HEX_MARKS)
    for mark in ("0x", "\\x", "\\u00"):
        plain = plain.replace(mark, "")
    return _readable(bytes.fromhex(plain))


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
    if unended := _UNENDED.match(reference, 1):
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


def runs(text: str, low: int = 0) -> Iterator[tuple[int, int]]:
    """Spans from `low` on of what is decoded as a whole and may hold blanks, whether or not that can be read."""
    for found in (_base64_in, _hex_in):
        yield from (match.span() for match in found(text, low))


# So many encoded words of a text are read one by one; those behind them in pieces of so many characters, none of which
# ends within a word. Read apart, a text of nothing else would take ten times as long as it may.
APART, PIECE = 256, 2_000
# So many characters of a text's encoded words are read at each of their levels, and the words behind these at the last
# one only; those in base64 and in hexadecimal likewise, by the characters of these.
STEPS = 25_000
_Matches = Iterator[re.Match[str]]
_Piece = tuple[list[re.Match[str]], bool]
_RUNS = ((_base64_in, _base64), (_hex_in, _hex))


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
        for find, decode in _RUNS if len(outer.text) >= _LEAST else ():
            matches, steps = find(outer.text), _Steps(outer.by_level)
            yield from self._runs(matches, decode, steps)
            for piece, by_level in _pieces(matches, steps):
                yield _Text(_joined(outer.text, piece, decode), piece[0].start(), piece[-1].end(), by_level)
        if outer.spelled or not ("%" in outer.text or "&" in outer.text):
            return
        matches, steps = _WORD.finditer(outer.text), _Steps(outer.by_level)
        for piece, by_level in chain(self._words(matches, steps), _pieces(matches, steps)):
            low, high = piece[0].start(), piece[-1].end()
            yield _Text(_spelled(outer.text[low:high], 1 if by_level else times), low, high, by_level, not by_level)

    def _runs(self, matches: _Matches, decode: _Decode, steps: _Steps) -> Iterator[_Text]:
        """Those that can be read, one by one."""
        while self._left and (match := next(matches, None)):
            by_level = steps.take(len(match[0]))
            if (decoded := decode(match[0])) is not None:
                self._left -= 1
                yield _Text(decoded, *match.span(), by_level)

    def _words(self, matches: _Matches, steps: _Steps) -> Iterator[_Piece]:
        while self._left and (match := next(matches, None)):
            self._left -= 1
            yield [match], steps.take(len(match[0]))


def _pieces(matches: _Matches, steps: _Steps) -> Iterator[_Piece]:
    """Neighbours that are read alike, of `PIECE` characters at most or one match; and whether level by level."""
    piece: list[re.Match[str]] = []
    low, alike, left = 0, True, steps.left
    for match in matches:
        start, end = match.span()
        left -= end - start
        by_level = left >= 0
        if piece and (end - low > PIECE or by_level is not alike):
            yield piece, alike
            piece = []
        if not piece:
            low, alike = start, by_level
        piece.append(match)
    if piece:
        yield piece, alike


def _joined(text: str, piece: list[re.Match[str]], decode: _Decode) -> str:
    """A piece of a text with its runs decoded; what is between them stays as it is, and one that cannot be read."""
    parts: list[str] = []
    high = piece[0].start()
    for match in piece:
        parts += text[high : match.start()], decode(match[0]) or match[0]
        high = match.end()
    return "".join(parts)


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
                if one.text and one.text != outer.text[one.start : one.end]:
                    start, end = (one.start, one.end) if depth == 1 else (outer.start, outer.end)
                    plain = fold(one.text).text
                    yield Layer(plain, start, end, depth)
                    deeper.append(_Text(plain, start, end, one.by_level, one.spelled))
        level = deeper


def rot13(text: str) -> str:
    """`text` with its ASCII letters rotated by 13 places."""
    return codecs.encode(text, "rot13")
