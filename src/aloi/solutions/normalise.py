"""One plain reading of a text that may be disguised, with the way back to its places in the text itself.

`fold` undoes what keeps a text readable to a model but hides it from a rule: zero-width and bidirectional controls,
Unicode tag and variation-selector smuggling, compatibility forms, accents, look-alike letters. Linear in the text.
"""

import re
import unicodedata
from bisect import bisect_right
from functools import cache, cached_property
from itertools import accumulate
from string import ascii_letters, digits
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from aloi.solutions.tables import table

# Marks, format controls, surrogates, private use and unassigned code points carry no letter of their own.
_DROPPED = frozenset({"Mn", "Me", "Cf", "Cs", "Co", "Cn", "Cc"})
# Code points from the first of these on are nobody's, but for the block of tags: unassigned, or for private use.
_NOBODYS, _TAGS, _BLOCK = 0x40000, 0xE0, 0x1000
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
# Which characters are letters and digits, by their numbers; of those not yet come to -1.
_KNOWN = np.full(0x110000, -1, np.int8)
_PLAIN = re.compile(r"[\t\n\r\x20-\x7e]*")
_TOLD = _DROPPED | {"Nd"}
# So many different characters are replaced one after the other in less time than a text is folded place by place.
_FEW = 40
# Longer texts are folded as arrays: that takes time for each character, not for each different one.
_LONG = 2_000
_Codes = NDArray[np.uint32]
_Sizes = NDArray[np.int8]


class _Folds(dict[str, str]):
    """What each character folds to, worked out once per character; the million that are nobody's are not kept."""

    def __missing__(self, character: str) -> str:
        code = ord(character)
        if code >= _NOBODYS and code >> 12 != _TAGS:
            return ""
        self[character] = folded = _fold_characters(character)[0]
        return folded


@cache
def _instead() -> dict[str, str]:
    """What stands in place of some characters, whatever they are made of."""
    looks_like: dict[str, str] = table("homoglyphs")["fold"]
    # Tag characters spell ASCII invisibly, and variation selectors 33 to 127 bytes: selector 17 is byte 16.
    tags = {chr(code): chr(code - 0xE0000) for code in range(0xE0020, 0xE007F)}
    selectors = {chr(code): chr(code - 0xE0100 + 16) for code in range(0xE0110, 0xE016F)}
    return looks_like | tags | selectors | dict.fromkeys(_BLANK_LETTERS, "") | _KEPT_CONTROLS


def _fold_characters(characters: str) -> list[str]:
    """What each of some characters folds to. Most fold to themselves, which is seen for all at once."""
    instead = _instead()
    # No mark is moved over a zero character, so each is decomposed by itself.
    decomposed = unicodedata.normalize("NFKD", "\0".join(characters.replace("\0", "\1"))).split("\0")
    return [
        instead[one] if one in instead else one if one == pieces and kind not in _TOLD else _plain(one, pieces, kind)
        for one, pieces, kind in zip(characters, decomposed, map(unicodedata.category, characters), strict=True)
    ]


def _plain(character: str, pieces: str, kind: str) -> str:
    """What one character folds to that is decomposed to these pieces, by itself."""
    if kind == "Nd":
        return str(unicodedata.digit(character))
    instead = _instead()
    plain = [instead.get(piece, piece) for piece in pieces if unicodedata.category(piece) not in _DROPPED]
    # Syllables and ligatures of other scripts stay whole: one of them would otherwise become up to 18 characters.
    return "".join(plain) if len(plain) < 2 or all(map(str.isascii, plain)) else character


class _Table:
    """What characters fold to, as arrays: those of a text are worked out where they are first come to."""

    def __init__(self) -> None:
        self._learning = Lock()
        count = _NOBODYS + _BLOCK + 1  # one place for all that are nobody's
        self._sizes = np.full(count, -1, np.int8)
        self._starts = np.zeros(count, np.int32)
        self.folded: _Codes = np.zeros(0, np.uint32)

    def fold(self, codes: _Codes) -> tuple[_Codes, _Sizes]:
        """What characters fold to, one behind the other, and to how many each."""
        places = np.minimum(codes, _NOBODYS + _BLOCK)
        if places.max() >= _NOBODYS:
            tags = codes >> 12 == _TAGS
            places[(codes >= _NOBODYS) & ~tags] = _NOBODYS + _BLOCK
            places[tags] = _NOBODYS + (codes[tags] & (_BLOCK - 1))
        sizes = self._sizes[places]
        if (sizes < 0).any():
            self._learn(np.unique(places[sizes < 0]))
            sizes = self._sizes[places]
        starts = self._starts[places]
        folded = self.folded  # read last: another thread may have added to all three meanwhile
        if sizes.max() > 1:
            ends = np.cumsum(sizes, dtype=np.int32)
            within = np.arange(ends[-1], dtype=np.int32) - np.repeat(ends - sizes, sizes)
            return folded[np.repeat(starts, sizes) + within], sizes
        return folded[starts if sizes.all() else starts[sizes > 0]], sizes

    def _learn(self, places: _Codes) -> None:
        tags = (places >= _NOBODYS) & (places < _NOBODYS + _BLOCK)
        folded = _fold_characters(_text(np.where(tags, places - _NOBODYS + (_TAGS << 12), places)))
        sizes = np.fromiter(map(len, folded), np.int8, len(folded))
        with self._learning:
            starts = len(self.folded) + np.cumsum(sizes, dtype=np.int32) - sizes
            self.folded = np.concatenate((self.folded, _numbers("".join(folded))))
            self._starts[places] = starts
            self._sizes[places] = sizes  # last: whoever sees these finds the others


@cache
def _folds() -> _Folds:
    return _Folds()


@cache
def _table() -> _Table:
    return _Table()


def _codes(text: str) -> _Codes | None:
    """The characters of a long text by their numbers; None where it is short, or a lone surrogate slows this down."""
    if len(text) < _LONG:
        return None
    try:
        return _numbers(text)
    except UnicodeEncodeError:
        return None


def _numbers(text: str) -> _Codes:
    return np.frombuffer(text.encode("utf-32-le"), np.uint32)


def _text(codes: _Codes) -> str:
    return codes.tobytes().decode("utf-32-le")


class Folded:
    """A folded text that remembers where each of its characters stood in the original."""

    def __init__(self, original: str) -> None:
        self.original = self.text = original
        # Whether each character stands at its own place in the original.
        self._even = True
        self._plain = (original.isascii() and original.isprintable()) or _PLAIN.fullmatch(original) is not None
        self._sizes: _Sizes | None = None
        if not self._plain:
            codes = _codes(original)
            if codes is None:
                self._fold_one_by_one()
            else:
                folded, self._sizes = _table().fold(codes)
                self.text, self._even = _text(folded), bool((self._sizes == 1).all())

    def _fold_one_by_one(self) -> None:
        folds = _folds()
        others = [(one, folded) for one in set(self.original) if (folded := folds[one]) != one]
        self._even = all(len(folded) == 1 for _, folded in others)
        if len(others) <= _FEW:
            for one, folded in others:  # one after the other, for what is folded stays so
                self.text = self.text.replace(one, folded)
        else:
            self.text = "".join(map(folds.__getitem__, self.original))

    @cached_property
    def _ends(self) -> list[int]:
        if self._sizes is None:
            return list(accumulate(map(len, map(_folds().__getitem__, self.original))))
        ends: list[int] = np.cumsum(self._sizes, dtype=np.int32).tolist()
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
    codes = _codes(text)
    if codes is None:
        return _NOT_ALPHANUMERIC.sub(instead, text)
    kept = _are_alphanumeric(codes)
    return _text(np.where(kept, codes, np.uint32(ord(instead))) if instead else codes[kept])


def _are_alphanumeric(codes: _Codes) -> NDArray[np.bool_]:
    known = _KNOWN[codes]
    if (known < 0).any():
        new = np.unique(codes[known < 0])
        _KNOWN[new] = list(map(str.isalnum, _text(new)))
        known = _KNOWN[codes]
    kept: NDArray[np.bool_] = known == 1
    return kept


def squash(text: str) -> str:
    """The letters and digits of a text, in one case: what is left of it however it is set or disguised."""
    return alphanumeric(fold(text).text)
