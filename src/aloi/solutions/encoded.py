"""What a text holds in encoded form: base64, hexadecimal, percent signs and character references, also nested.

Linear in the text, up to `DEPTH` levels of it.
"""

import binascii
import codecs
import html
import re
from collections.abc import Callable, Iterator
from functools import partial
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
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/_-])(?:[A-Za-z0-9+/]{40,}+\r?\n)*[A-Za-z0-9+/_-]{12,}+={0,2}")
_HEX = re.compile(r"[0-9a-fA-F]{2}(?:[ :,;-]?+(?:0x|\\x|\\u00|%)?+[0-9a-fA-F]{2}){5,}+")
_URL_SAFE = str.maketrans("-_", "+/")
_HEX_MARKS = str.maketrans("", "", " :,;-%")
_PERCENT_RUN = re.compile(r"((?:%[0-9a-fA-F]{2})+)")
# As `html.unescape` finds them.
_REFERENCE = re.compile(r"(&(?:#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[^\t\n\f <&#;]{1,32};?))")
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
    noise = text.count("\ufffd")
    if noise * 8 <= len(text) and not text.isprintable():
        noise += sum(map(text.count, _ODD))
    return text if text and noise * 8 <= len(text) else None


def _base64(encoded: str) -> str | None:
    compact = ("".join(encoded.split()) if "\n" in encoded else encoded).rstrip("=")
    if "-" in compact or "_" in compact:
        compact = compact.translate(_URL_SAFE)
    if over := len(compact) % 4:
        compact = compact[:-1] if over == 1 else compact + "=" * (4 - over)
    try:
        return _readable(binascii.a2b_base64(compact))
    except binascii.Error:
        return None


def _hex(encoded: str) -> str | None:
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


def runs(text: str, low: int = 0) -> Iterator[tuple[int, int]]:
    """Spans from `low` on of what is decoded as a whole and may hold blanks, whether or not that can be read."""
    for found in (_base64_in, _hex_in):
        yield from (match.span() for match in found(text, low))


# So many encoded words of a text are read one by one; those behind them in pieces of so many characters, none of which
# ends within a word. Read apart, a text of nothing else would take ten times as long as it may.
APART, PIECE = 256, 2_000
_Decoded = Iterator[tuple[str, int, int]]


class _Apart:
    """How many encoded words of a text may still be read one by one."""

    def __init__(self) -> None:
        self._left = APART

    def once(self, text: str) -> _Decoded:
        """What a text holds in encoded form, and where, not nested."""
        for find, decode in ((_base64_in, _base64), (_hex_in, _hex)):
            matches = find(text)
            yield from _changed(text, self._one_by_one(matches, decode))
            yield from _changed(text, _runs_in_pieces(text, matches, decode))
        if "%" in text or "&" in text:
            matches = _WORD.finditer(text)
            yield from _changed(text, self._one_by_one(matches, _word))
            yield from _changed(text, ((_word(text[low:high]), low, high) for low, high in _joined(matches)))

    def _one_by_one(self, matches: Iterator[re.Match[str]], decode: _Decode) -> _Decoded:
        while self._left and (match := next(matches, None)):
            if (decoded := decode(match[0])) is not None:
                self._left -= 1
                yield decoded, *match.span()


def _changed(text: str, decoded: _Decoded) -> _Decoded:
    return (one for one in decoded if one[0] and one[0] != text[one[1] : one[2]])


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

    Base64 and hexadecimal shrink what they decode, and words are decoded once for each level, so the work stays
    linear. A text of more than `APART` encoded words has what follows in pieces.
    """
    apart = _Apart()
    level = [(text, 0, len(text))]
    for depth in range(1, DEPTH + 1):
        deeper = []
        for outer, low, high in level:
            for decoded, start, end in apart.once(outer):
                plain = fold(decoded).text
                span = (start, end) if depth == 1 else (low, high)
                yield Layer(plain, *span, depth)
                deeper.append((plain, *span))
        level = deeper


def rot13(text: str) -> str:
    """`text` with its ASCII letters rotated by 13 places."""
    return codecs.encode(text, "rot13")
