"""What is known of an answer behind the place up to which a guard reads it: how the next word begins.

A guard in a window reads what the one before it has settled, which ends between two words. If it knew nothing of what
follows, it would have to keep back the last of these words in its turn, for the next may be "[dot] com".
"""

import re
from collections.abc import Iterator

from msgspec import Struct

from aloi.solutions.normalise import fold

# In letters. What a budget cuts in the middle of a word is longer; and what stands in place of something is known by
# its first letters, for a later guard may mask what follows them.
MOST, OPENING = 12, 4
_STAND_IN = re.compile(r"\[(?P<first>[A-Za-z]+)(?: [A-Za-z]+)*\]")
# These read as a sign of an address that is spelt out, or as the beginning of a run of hexadecimal digits.
_SIGNS = frozenset(sign[:OPENING] for sign in ("dot", "point", "punto", "at", "arobase", "arroba"))
_PAIRS = re.compile(r".{1,3}[0-9A-Fa-f]{2}(?:[0-9A-Fa-f]{2}|\Z)")
_HEX = frozenset("0123456789abcdefABCDEF")


class Ahead(Struct, frozen=True):
    """A text that ends in one blank goes on in one of three ways.

    (1) With the letters `word`. (2) With some of these or none, and then, in place of the next, with a bracket and one
    of `instead`, the first letters of stand-ins; where `bare` is set the bracket may be missing. (3) With "[…]", and
    that is its end.
    """

    word: str
    instead: frozenset[str] = frozenset()
    bare: bool = False

    @classmethod
    def at(cls, text: str, place: int) -> "Ahead | None":
        """What is known where a word begins in a text, one blank behind another; None at any other place."""
        if not apart(text, place):
            return None
        end = place
        while end < min(len(text), place + MOST) and text[end].isalpha() and fold(text[end]).text.isalpha():
            end += 1
        return cls(text[place:end]) if end > place else None

    def behind(self, *stand_ins: str, bare: bool = False) -> "Ahead | None":
        """The same behind a guard that puts these in place of what it takes out; None where they may be misread.

        `bare` tells that it may take their brackets away.
        """
        openings = [_opening(one) for one in stand_ins]
        if not all(openings):
            return None
        return Ahead(self.word, self.instead.union(filter(None, openings)), self.bare or bare)

    def firsts(self) -> frozenset[str]:
        """The first letters that may follow where no bracket does."""
        return frozenset({self.word[0], *(one[0] for one in self.instead if self.bare)})

    def letters(self, within: str | None = None) -> Iterator[str]:
        """The letters, folded, that follow, one way each; `within` leaves out stand-ins that are no part of it."""
        word = fold(self.word).text
        yield word
        for one in self.instead:
            if within is None or one.casefold() in within:
                yield from (word[:at] + one for at in range(len(word)))

    def pairs(self) -> bool:
        """Whether a pair of hexadecimal digits may follow."""
        return any(_HEX.issuperset(way[:2]) for way in (self.letters() if self.bare else [fold(self.word).text]))


def apart(text: str, place: int) -> bool:
    """Whether one blank stands before a place of a text, and something else before that."""
    return place > 1 and text[place - 1] == " " and not text[place - 2].isspace()


def _opening(stand_in: str) -> str | None:
    """The first letters of what stands in place of something, where these cannot be misread."""
    written = _STAND_IN.fullmatch(fold(stand_in).text)
    opening = written["first"][:OPENING] if written else ""
    misread = opening.casefold() in _SIGNS or (written and _PAIRS.match(written["first"]))
    return None if misread else opening or None
