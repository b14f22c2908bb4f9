"""One plain reading of a text that may be disguised, with the way back to its places in the text itself.

`fold` undoes what keeps a text readable to a model but hides it from a rule: zero-width and bidirectional controls,
Unicode tag and variation-selector smuggling, compatibility forms, accents, look-alike letters. Linear in the text.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable
from functools import cache, cached_property
from itertools import accumulate, islice
from string import ascii_letters, digits

import numpy as np
from numpy.typing import NDArray

from aloi.solutions.tables import table

# Marks, format controls, surrogates, private use and unassigned code points carry no letter of their own.
_DROPPED = frozenset({"Mn", "Me", "Cf", "Cs", "Co", "Cn", "Cc"})
# Code points from the first of these on are nobody's, but for the block of tags: unassigned, or for private use.
_NOBODYS, _TAGS = "\U00040000", 0xE0
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
_NOT_ALPHANUMERIC = re.compile(r"[\W_]+")
# A text of plain ASCII is read as bytes: that takes a tenth of the time of a pattern.
_ALPHANUMERIC = (ascii_letters + digits).encode()
_OTHERS = bytes(byte for byte in range(128) if byte not in _ALPHANUMERIC)
_APART = bytes(byte if byte in _ALPHANUMERIC else ord(" ") for byte in range(256))
_PLAIN = re.compile(r"[\t\n\r\x20-\x7e]*")
# So many different characters are replaced one after the other in less time than a text is folded place by place.
_FEW = 40
# In longer texts characters are counted to find the different ones, but for those beyond the first two planes.
_LONG, _RARE = 2_000, 0x20000


class _Folds(dict[str, str]):
    """What each character folds to, worked out once per character; the million that are nobody's are not kept."""

    def __missing__(self, character: str) -> str:
        if character >= _NOBODYS and ord(character) >> 12 != _TAGS:
            return ""
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


def _codes(text: str) -> NDArray[np.uint32] | None:
    """The characters of a long text by their numbers; None where it is short, or a lone surrogate slows this down."""
    if len(text) < _LONG:
        return None
    try:
        return np.frombuffer(text.encode("utf-32-le"), np.uint32)
    except UnicodeEncodeError:
        return None


def _nobodys_alike(text: str) -> str:
    """A text with one character in place of all that are nobody's: there are a million of them."""
    codes = _codes(text)
    if codes is None or not (nobodys := (codes >= ord(_NOBODYS)) & (codes >> 12 != _TAGS)).any():
        return text
    return np.where(nobodys, np.uint32(ord(_NOBODYS)), codes).tobytes().decode("utf-32-le")


def _characters(text: str) -> Iterable[str]:
    """The different characters of a text."""
    codes = _codes(text)
    if codes is None:
        return set(text)
    low = codes[codes < _RARE]
    rare = set(codes[codes >= _RARE].tolist()) if len(low) < len(codes) else ()
    found = np.concatenate((np.flatnonzero(np.bincount(low)), np.fromiter(rare, np.intp, len(rare))))
    return found.astype(np.uint32).tobytes().decode("utf-32-le")


class Folded:
    """A folded text that remembers where each of its characters stood in the original."""

    def __init__(self, original: str) -> None:
        self.original = self.text = original
        # Whether each character stands at its own place in the original.
        self._even = True
        self._plain = (original.isascii() and original.isprintable()) or _PLAIN.fullmatch(original) is not None
        if not self._plain:
            folds = _folds()
            self._alike = _nobodys_alike(original)
            characters = _characters(self._alike)
            self._folds = dict(zip(characters, map(folds.__getitem__, characters), strict=True))
            others = [(one, folded) for one, folded in self._folds.items() if folded != one]
            self._even = all(len(folded) == 1 for _, folded in others)
            if len(others) <= _FEW:
                self.text = self._alike
                for one, folded in others:  # one after the other, for what is folded stays so
                    self.text = self.text.replace(one, folded)
            else:
                self.text = "".join(map(self._folds.__getitem__, self._alike))

    @cached_property
    def _ends(self) -> list[int]:
        codes = _codes(self._alike)
        if codes is None:
            return list(accumulate(map(len, map(self._folds.__getitem__, self._alike))))
        sizes = np.zeros(int(codes.max()) + 1, np.int32)
        count = len(self._folds)
        sizes[np.fromiter(map(ord, self._folds), np.intp, count)] = np.fromiter(
            map(len, self._folds.values()), np.int32, count
        )
        ends: list[int] = np.cumsum(sizes[codes]).tolist()
        return ends

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where characters `start` to `end` (exclusive, not empty) of the folded text stand in the original.

        Invisible characters that follow the last one belong to it.
        """
        if self._even:
            return start, end
        return (
            bisect_right(self._ends, start),
            max(bisect_right(self._ends, end - 1) + 1, bisect_right(self._ends, end)),
        )

    def place(self, index: int) -> int:
        """Where the character at `index` of the folded text stands in the original; their end is each other's."""
        return index if self._even else bisect_right(self._ends, index)

    def whole(self, start: int, end: int) -> tuple[int, int]:
        """These characters of the folded text, with those that share a character of the original with them."""
        if self._even:
            return start, end
        low, high = self.span(start, end)
        return self._ends[low - 1] if low else 0, self._ends[high - 1]

    def plain_end(self, start: int, end: int) -> int:
        """Where the first character between `start` and `end` stands that the original wrote in no plain ASCII."""
        if self._plain:
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


def words_in(folded: str) -> list[str]:
    """The words of a folded text in one case: what is of letters and digits."""
    return _kept(folded, " ").split()


def alphanumeric(folded: str) -> str:
    """The letters and digits of a folded text, in one case."""
    return _kept(folded, "")


def _kept(folded: str, instead: str) -> str:
    """A text in one case, with `instead` of each character that is no letter or digit."""
    text = folded.casefold()
    if text.isascii():
        table, others = (_APART, b"") if instead else (None, _OTHERS)
        return text.encode().translate(table, others).decode()
    others_in = list(islice((one for one in _characters(text) if not one.isalnum()), _FEW + 1))
    if len(others_in) > _FEW:
        return _NOT_ALPHANUMERIC.sub(instead, text)
    for one in others_in:
        text = text.replace(one, instead)
    return text


def squash(text: str) -> str:
    """The letters and digits of a text, in one case: what is left of it however it is set or disguised."""
    return alphanumeric(fold(text).text)
