"""What a text holds in encoded form: base64, hexadecimal, percent signs and character references, also nested.

Linear in the text, up to `DEPTH` levels of it.
"""

import binascii
import codecs
import html
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
_NAME = rf"[a-zA-Z][a-zA-Z0-9]{{1,30}};|{_either(name for name in html5 if not name.endswith(';'))}"
_REFERENCE = re.compile(rf"(&(?:#[0-9]+;?|#[xX][0-9a-fA-F]+;?|{_NAME}))")
# A whole word is decoded, because its plain letters belong to what the encoded ones spell; it starts at a boundary. "&"
# and "#" of a reference may be written as references themselves.
_ENCODED = r"%[0-9a-fA-F]{2}|&(?:(?:amp|AMP);?)*(?:#|num;)"
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
        self[reference] = plain = html.unescape(reference)
        return plain


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
    """What is left of a word that is decoded again and again, so many times at most, and folded in between."""
    decoded = _word(encoded)
    for _ in range(times - 1):
        plain = fold(decoded).text
        if (further := _word(plain)) == plain:
            break
        decoded = further
    return decoded


def runs(text: str, low: int = 0) -> Iterator[tuple[int, int]]:
    """Spans from `low` on of what is decoded as a whole and may hold blanks, whether or not that can be read."""
    for found in (_base64_in, _hex_in):
        yield from (match.span() for match in found(text, low))


# So many encoded words of a text are read one by one; those behind them in pieces of so many characters, none of which
# ends within a word. Read apart, a text of nothing else would take ten times as long as it may.
APART, PIECE = 256, 2_000
# So many characters of a text's words are read at each of their levels, and what is behind these at the last one only;
# words in base64 and in hexadecimal as well, of which the same number of characters are counted.
STEPS = 25_000
_Decoded = Iterator[tuple[str, int, int]]
_RUNS = ((_base64_in, _base64), (_hex_in, _hex))


class _Text(Struct, frozen=True):
    """A text to read. `by_level` is whether its words are read at each level, None until that is known; `spelled`
    whether they were read at the last one."""

    text: str
    start: int
    end: int
    by_level: bool | None = None
    spelled: bool = False


class _Reader:
    """How many encoded words of a text may still be read one by one, and how many characters of them level by level."""

    def __init__(self) -> None:
        self._apart = APART
        self._steps: dict[_Decode, int] = dict.fromkeys((_base64, _hex, _word), STEPS)

    def once(self, outer: _Text, times: int) -> Iterator[_Text]:
        """What a text holds in encoded form, and where; not nested, but for words at their last level of `times`."""
        for find, decode in _RUNS if len(outer.text) >= _LEAST else ():
            matches = find(outer.text)
            for decoded, low, high in chain(
                self._one_by_one(matches, decode), _runs_in_pieces(outer.text, matches, decode)
            ):
                yield _Text(decoded, low, high, self._by_level(outer, decode, high - low))
        if outer.spelled or not ("%" in outer.text or "&" in outer.text):
            return
        for low, high in self._words(_WORD.finditer(outer.text)):
            by_level = self._by_level(outer, _word, high - low)
            yield _Text(_spelled(outer.text[low:high], 1 if by_level else times), low, high, by_level, not by_level)

    def _by_level(self, outer: _Text, kind: _Decode, size: int) -> bool:
        if outer.by_level is not None:
            return outer.by_level
        self._steps[kind] -= size
        return self._steps[kind] >= 0

    def _one_by_one(self, matches: Iterator[re.Match[str]], decode: _Decode) -> _Decoded:
        while self._apart and (match := next(matches, None)):
            if (decoded := decode(match[0])) is not None:
                self._apart -= 1
                yield decoded, *match.span()

    def _words(self, matches: Iterator[re.Match[str]]) -> Iterator[tuple[int, int]]:
        while self._apart and (match := next(matches, None)):
            self._apart -= 1
            yield match.span()
        yield from _joined(matches)


def _runs_in_pieces(text: str, matches: Iterator[re.Match[str]], decode: _Decode) -> _Decoded:
    """What is between runs stays as it is; a run that cannot be read as well."""
    parts: list[str] = []
    low = high = 0
    for match in matches:
        start, end = match.span()
        if parts and end - low > PIECE:
            yield "".join(parts), low, high
            parts = []
        if not parts:
            low = high = start
        parts += text[high:start], decode(match[0]) or match[0]
        high = end
    if parts:
        yield "".join(parts), low, high


def _joined(matches: Iterator[re.Match[str]]) -> Iterator[tuple[int, int]]:
    """Spans of neighbours, each of `PIECE` characters at most or one match."""
    low = high = -1
    for match in matches:
        start, end = match.span()
        if low >= 0 and end - low > PIECE:
            yield low, high
            low = -1
        low, high = start if low < 0 else low, end
    if low >= 0:
        yield low, high


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
