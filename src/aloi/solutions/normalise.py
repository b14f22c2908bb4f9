"""One plain reading of a text that may be disguised, with the way back to its places in the text itself.

`fold` undoes what keeps a text readable to a model but hides it from a rule: zero-width and bidirectional controls,
Unicode tag and variation-selector smuggling, compatibility forms, accents, look-alike letters. `layers` undoes
base64, hexadecimal, percent and character-reference encodings, nested up to `DEPTH`. Both are linear in the text.
"""

import binascii
import codecs
import html
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import cache, cached_property
from itertools import accumulate, chain

from msgspec import Struct

from aloi.solutions.tables import table

DEPTH = 3
# Marks, format controls, surrogates, private use and unassigned code points carry no letter of their own.
_DROPPED = frozenset({"Mn", "Me", "Cf", "Cs", "Co", "Cn", "Cc"})
_BLANK_LETTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180e\u180f\u2800\u3164\uffa0")
_KEPT_CONTROLS = {
    "\t": "\t",
    "\n": "\n",
    "\r": "\r",
    "\v": " ",
    "\f": " ",
    "\x85": "\n",
    "\u2028": "\n",
    "\u2029": "\n",
}
_PLAIN = re.compile(r"[\t\n\r\x20-\x7e]*")


class _Folds(dict[str, str]):
    """What each character folds to, worked out once per character."""

    def __missing__(self, character: str) -> str:
        self[character] = folded = _fold_character(character)
        return folded


def _fold_character(character: str) -> str:
    code = ord(character)
    if 0xE0020 <= code <= 0xE007E:  # tag characters spell ASCII invisibly
        return chr(code - 0xE0000)
    if 0xE0110 <= code <= 0xE016E:  # variation selectors 33 to 127 spell bytes invisibly: selector 17 is byte 16
        return chr(code - 0xE0100 + 16)
    if character in _BLANK_LETTERS:
        return ""
    if (digit := unicodedata.digit(character, None)) is not None and unicodedata.category(character) == "Nd":
        return str(digit)
    looks_like = table("homoglyphs")["fold"]
    if character in looks_like:
        return str(looks_like[character])
    pieces = [
        looks_like.get(piece, piece)
        for piece in unicodedata.normalize("NFKD", character)
        if unicodedata.category(piece) not in _DROPPED
    ]
    # Syllables and ligatures of other scripts stay whole: one of them would otherwise become up to 18 characters.
    return "".join(pieces) if len(pieces) < 2 or all(map(str.isascii, pieces)) else character


@cache
def _folds() -> _Folds:
    return _Folds(_KEPT_CONTROLS)


class Folded:
    """A folded text that remembers where each of its characters stood in the original."""

    def __init__(self, original: str) -> None:
        self.original = original
        self._same = _PLAIN.fullmatch(original) is not None
        self._pieces = [] if self._same else list(map(_folds().__getitem__, original))
        self.text = original if self._same else "".join(self._pieces)

    @cached_property
    def _ends(self) -> list[int]:
        return list(accumulate(map(len, self._pieces)))

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where characters `start` to `end` (exclusive, not empty) of the folded text stand in the original.

        Invisible characters that follow the last one belong to it.
        """
        if self._same:
            return start, end
        return (
            bisect_right(self._ends, start),
            max(bisect_right(self._ends, end - 1) + 1, bisect_right(self._ends, end)),
        )

    def place(self, index: int) -> int:
        """Where the character at `index` of the folded text stands in the original; their end is each other's."""
        return index if self._same else bisect_right(self._ends, index)

    def whole(self, start: int, end: int) -> tuple[int, int]:
        """These characters of the folded text, with those that share a character of the original with them."""
        if self._same:
            return start, end
        low, high = self.span(start, end)
        return self._ends[low - 1] if low else 0, self._ends[high - 1]

    def plain_end(self, start: int, end: int) -> int:
        """Where the first character between `start` and `end` stands that the original wrote in no plain ASCII."""
        if self._same:
            return end
        low = self.span(start, start + 1)[0]
        for index, (folded, written) in enumerate(zip(self.text[start:end], self.original[low:], strict=False)):
            if folded != written or not written.isascii():
                return start + index
        return end

    def disguised(self, start: int, end: int) -> bool:
        """Whether the original wrote these characters in any other way than plainly."""
        low, high = self.span(start, end)
        return self.original[low:high] != self.text[start:end]


def fold(text: str) -> Folded:
    """Fold one text. Any string is accepted, lone surrogates included."""
    return Folded(text)


class Layer(Struct, frozen=True):
    """A decoded text, where its encoded form stands in the text it was found in, and how deep it was nested."""

    text: str
    start: int
    end: int
    depth: int


# A line of a wrapped base64 block is at least 40 characters long; without that bound, words on lines would be joined.
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/_-])(?:[A-Za-z0-9+/]{40,}\r?\n)*[A-Za-z0-9+/_-]{12,}={0,2}")
_HEX = re.compile(r"[0-9a-fA-F]{2}(?:[ :,;-]?(?:0x|\\x|\\u00|%)?[0-9a-fA-F]{2}){5,}")
_URL_SAFE = str.maketrans("-_", "+/")
_HEX_MARKS = str.maketrans("", "", " :,;-%")
_PERCENT_RUN = re.compile(r"(?:%[0-9a-fA-F]{2})+")
# As `html.unescape` finds them; what each stands for is worked out once.
_REFERENCE = re.compile(r"&(?:#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[^\t\n\f <&#;]{1,32};?)")
# A whole word is decoded, because its plain letters belong to what the encoded ones spell; it starts at a boundary.
_REFERENCES = re.compile(r"(?<!\S)[^\s&]*&#\S*")
_PERCENT = re.compile(r"(?<!\S)[^\s%]*%[0-9a-fA-F]{2}\S*")


_ODD = re.compile("[\0-\x08\ufffd]")
_Decode = Callable[[str], str | None]


def _readable(raw: bytes) -> str | None:
    """The bytes as text, or None where they are not text: binary data decodes to noise that no rule should read."""
    text = raw.decode("utf-8", errors="replace")
    return text if text and len(_ODD.findall(text)) * 8 <= len(text) else None


def _base64(encoded: str) -> str | None:
    compact = ("".join(encoded.split()) if "\n" in encoded else encoded).rstrip("=")
    if "-" in compact or "_" in compact:
        compact = compact.translate(_URL_SAFE)
    compact = compact[: len(compact) - (len(compact) % 4 == 1)]
    try:
        return _readable(binascii.a2b_base64(compact + "=" * (-len(compact) % 4)))
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


def _percent(encoded: str) -> str | None:
    known = _Percents()
    return _PERCENT_RUN.sub(lambda run: known[run[0]], encoded)


class _References(dict[str, str]):
    def __missing__(self, reference: str) -> str:
        self[reference] = plain = html.unescape(reference)
        return plain


def _references(encoded: str) -> str | None:
    known = _References()
    return _REFERENCE.sub(lambda reference: known[reference[0]], encoded)


def _each(pattern: re.Pattern[str], decode: _Decode) -> _Decode:
    """Decodes every match of a pattern where it stands in a text, and leaves the rest."""
    return lambda text: pattern.sub(lambda match: decode(match[0]) or match[0], text)


# A pattern is tried only where the sign it needs occurs at all; base64 and hexadecimal need none. What is last decodes
# whatever is encoded in a text, where it stands.
_DECODERS = (
    ("", _BASE64, _base64, _each(_BASE64, _base64)),
    ("", _HEX, _hex, _each(_HEX, _hex)),
    ("&#", _REFERENCES, _references, _references),
    ("%", _PERCENT, _percent, _percent),
)


def runs(text: str, low: int = 0) -> Iterator[tuple[int, int]]:
    """Spans from `low` on of what is decoded as a whole and may hold blanks, whether or not that can be read."""
    for pattern in (_BASE64, _HEX):
        yield from (match.span() for match in pattern.finditer(text, low))


# So many encoded words of a text are read one by one; those behind them in pieces of so many characters, none of which
# ends within a word. Read apart, a text of nothing else would take ten times as long as it may.
APART, PIECE = 256, 2_000


class _Apart:
    """How many encoded words of a text may still be read one by one."""

    def __init__(self) -> None:
        self._left = APART

    def once(self, text: str) -> Iterator[tuple[str, int, int]]:
        """What a text holds in encoded form, and where, not nested."""
        for sign, pattern, decode, decode_whole in _DECODERS:
            matches = pattern.finditer(text) if sign in text else iter(())
            for match in matches:
                if not self._left:
                    yield from _pieces(text, chain([match], matches), decode_whole)
                    break
                decoded = decode(match[0])
                if decoded and decoded != match[0]:
                    self._left -= 1
                    yield decoded, match.start(), match.end()


def _pieces(text: str, matches: Iterator[re.Match[str]], decode: _Decode) -> Iterator[tuple[str, int, int]]:
    for start, end in _joined(matches):
        decoded = decode(text[start:end])
        if decoded and decoded != text[start:end]:
            yield decoded, start, end


def _joined(matches: Iterator[re.Match[str]]) -> Iterator[tuple[int, int]]:
    """Spans of neighbours, each of `PIECE` characters or one match."""
    low, high = next(matches).span()
    for match in matches:
        if match.end() - low > PIECE:
            yield low, high
            low = match.start()
        high = match.end()
    yield low, high


def layers(text: str) -> Iterator[Layer]:
    """Every readable text that `text` holds in encoded form, folded, nested up to `DEPTH`.

    Each encoding shrinks what it decodes or is tried on what the level above left, so the work stays linear. A text of
    more than `APART` encoded words has what follows in pieces.
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
