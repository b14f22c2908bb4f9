"""The end of a text that goes on: where something begins that may yet become another thing than it is.

All texts here are folded ones. A guard that is streamed through holds an answer back from such a place on.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from functools import cache

from aloi.solutions.ahead import Ahead
from aloi.solutions.normalise import alphanumeric

# Lines of a wrapped base64 block, read from their end on.
_LINES_BACK = re.compile(r"\n?\r?[A-Za-z0-9+/]{40,}(?:\n\r?[A-Za-z0-9+/]{40,})*")
_HEX_SIGNS = "0123456789abcdefABCDEF :,;-x\\u%"
# A chain of pairs of hexadecimal digits from its end on, and what may be there of the next pair.
_PAIRS_BACK = re.compile(r"[0-9a-fA-F]{2}(?:(?:x0|x\\|00u\\|%)?[ :,;-]?[0-9a-fA-F]{2})*")
_PART = re.compile(r"[ :,;-]?(?:0x?|\\(?:x|u0{0,2})?|%)?[0-9a-fA-F]?")
_LONGEST_PART = 6
# What is read at once from the end on, in characters; the nearest are read one by one.
_FAR, _NEAR = 1_000, 64
# A sign of an address that is spelt out, or the beginning of one; and one that is read from its end on.
_SIGN = re.compile(r"(?:[\[({][ ]?(?:[.:@]|dot|point|punto|at|arobase|arroba)?[ ]?[\])}]?|@)\Z", re.IGNORECASE)
_SIGN_BACK = r"(?:[\])}]?[ ]?(?:[.:@]|tod|tniop|otnup|ta|esabora|aborra)?[ ]?[\[({]|@)"


def word(text: str, end: int) -> int:
    """Where the run without blanks begins that reaches up to `end`; `end` where a blank stands before it."""
    if not end or text[end - 1].isspace():
        return end
    near = text[max(0, end - 200) : end]
    run = near.rsplit(None, 1)[-1]
    if len(run) == len(near) and end > len(near):
        run = text[:end].rsplit(None, 1)[-1]
    return end - len(run)


def encoded(text: str, ahead: Ahead | None = None) -> int:
    """Where the encoded run begins that reaches the end of a text: one word, lines of base64, pairs of digits."""
    pairs = _pairs(text) if ahead is None or ahead.pairs() else 0
    return min(word(text, _lines(text)), word(text, len(text) - pairs))


def _lines(text: str) -> int:
    """The beginning of the word at the end, and of the lines of base64 that lead up to it."""
    at = word(text, len(text))
    lines = _LINES_BACK.match(text[:at][::-1]) if text[at - 1 : at] in {"\r", "\n"} else None
    return at - lines.end() if lines else at


def _pairs(text: str) -> int:
    """The length of the chain of pairs of hexadecimal digits at the end."""
    chain = text[len(text.rstrip(_HEX_SIGNS)) :][::-1]
    longest = 0
    for size in range(min(_LONGEST_PART, len(chain)) + 1):
        if _PART.fullmatch(chain[:size][::-1]):
            pairs = _PAIRS_BACK.match(chain, size)
            longest = max(longest, pairs.end() if pairs else 0)
    return longest


class Spans:
    """Parts of a text that are not to be cut."""

    def __init__(self, spans: Iterable[tuple[int, int]]) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for low, high in sorted(spans):
            if self._ends and low < self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], high)
            else:
                self._starts.append(low)
                self._ends.append(high)

    def clear(self, text: str, at: int) -> int:
        """The last place up to `at` where no word is cut, and none of the parts."""
        while True:
            at = word(text, at)
            last = bisect_left(self._starts, at) - 1
            if last < 0 or self._ends[last] <= at:
                return at
            at = self._starts[last]


@cache
def _joined(behind: str) -> re.Pattern[str]:
    """Words that are joined as `parted` tells, read from the end on: each behind the blank that joins it."""
    return re.compile(rf"(?: (?=\S)(?:(?<=[{re.escape(behind)}] )|(?={_SIGN_BACK}))\S+(?=\s))*", re.IGNORECASE)


def parted(text: str, at: int, behind: str) -> int:
    """The last beginning of a word up to `at` that one blank does not join to the word before.

    It may where that ends in a sign in brackets ("[dot]"), where the next begins with one of `behind`, or is not known.
    """
    while at > 1 and text[at - 1] == " " and not text[at - 2].isspace():
        if at < len(text):
            if text[at] not in behind and not _SIGN.search(text, max(0, at - 14), at - 1):
                break
            words = _joined(behind).match(text[max(0, at - _FAR) : at + 1][::-1], 1)
            if words and words.end() > 1:
                at -= words.end() - 1
                continue
        at = word(text, at - 1)
    return at


def back(text: str, count: int, counted: Callable[[str], int]) -> int:
    """Where the character stands that holds the `count`-th from the end of all that are counted.

    What is counted in two texts is the sum of what is counted in each.
    """
    at, size = len(text), _NEAR
    near = max(0, at - _NEAR)
    while count > 0 and at > near:
        at -= 1
        count -= counted(text[at])
    while count > 0 and at:
        part = text[max(0, at - size) : at]
        held = counted(part)
        if held < count:
            at, count, size = at - len(part), count - held, min(2 * size, _FAR)
        elif len(part) > 1:
            size = len(part) // 2
        else:
            return at - 1
    return at


def letters(text: str) -> int:
    """How many letters and digits a text is in one case."""
    return text.isalnum() if text.isascii() and len(text) == 1 else len(alphanumeric(text))


class Replaced:
    """A text with other words in place of some of its parts, and the ways between the places of both.

    `parts` are start, end and what stands in place, in order; one that begins in another goes with it.
    """

    def __init__(self, text: str, parts: Iterable[tuple[int, int, str]]) -> None:
        pieces: list[str] = []
        done = length = 0
        # Where pieces begin: in this text, in the other, and whether they stand in place of something.
        self._starts = [(0, 0, False)]
        for low, high, other in parts:
            if low >= done:
                pieces += [text[done:low], other]
                length += low - done
                self._starts += [(length, low, True), (length + len(other), high, False)]
                length, done = length + len(other), high
            elif high > done:
                self._starts[-1] = (length, high, False)
                done = high
        self.text = "".join([*pieces, text[done:]]) if pieces else text

    def back(self, index: int) -> int:
        """Where a character of this text stands in the other; one that is new, where what it stands for begins."""
        here, there, is_new = self._starts[bisect_right(self._starts, index, key=lambda start: start[0]) - 1]
        return there if is_new else there + index - here

    def forth(self, index: int) -> int:
        """Where a character of the other text stands in this one."""
        here, there, is_new = self._starts[bisect_right(self._starts, index, key=lambda start: start[1]) - 1]
        return here if is_new else here + index - there
