"""Tell a French telephone number from a row of five numbers, as of a draw: "05 12 23 34 45"."""

import re
from functools import cache
from itertools import pairwise

from aloi.solutions.guards.announced import whole
from aloi.solutions.tables import table

# In characters: how far before a number its word stands, and what of its line is looked at for neighbours.
NEAR, BESIDE = 48, 30
# The highest number of the draws of Europe with five numbers (EuroMillions, EuroJackpot; the French Loto has 49).
HIGHEST = "50"
# Days, weeks, seats and the like end here: one telephone number in a hundred has no higher pair behind its first.
LOW = "31"
_PAIRS = re.compile(r"\d\d(?:[ ]\d\d){4}")
_PAIRS_BEFORE = re.compile(r"(?<!\d)(?:\d\d[ ])*\Z")
_PAIRS_AFTER = re.compile(r"(?:[ ]\d\d(?!\d))*")
_SPOKEN_FOR = re.compile(r"\d(?:[ .-]?\d){5}")
_ALONE = re.compile(r"[\s|;,\t\"'()\[\]-]*")


@cache
def _words() -> re.Pattern[str]:
    rows, contact = (
        "|".join(map(whole, sorted(table("personal-data")["rows"][name], key=len, reverse=True)))
        for name in ("words", "contact")
    )
    return re.compile(rf"(?<![a-z])(?:(?P<row>{rows})|(?:{contact})(?!s\b))")


def is_row(text: str, start: int, end: int) -> bool:
    """Whether five pairs of digits with blanks between them are rather a row of numbers than a telephone number.

    The nearest word before them decides, of a draw or score or of a contact that has no number yet. Without one, they
    are a row where two further pairs or more go on beside them, unless all are fives, and where they rise to `HIGHEST`
    at most, as draws are published, or none is above `LOW`, unless they have their line for themselves. About one
    French number in 90 is such.
    """
    if not _PAIRS.fullmatch(text, start, end):
        return False
    line = text.rfind("\n", max(0, start - NEAR), start) + 1 or max(0, start - NEAR)
    if words := list(_words().finditer(before := text[line:start].casefold())):
        if words[-1]["row"] is not None:
            return True
        if not _SPOKEN_FOR.search(before, words[-1].end()):
            return False
    if (more := _beside(text, start, end)) > 1 and more % 5:
        return True
    pairs = text[start:end].split(" ")
    rising = pairs[-1] <= HIGHEST and all(one < other for one, other in pairwise(pairs))
    after = text[end : end + NEAR].partition("\n")[0]
    return (rising or max(pairs) <= LOW) and not (_ALONE.fullmatch(text[line:start]) and _ALONE.fullmatch(after))


def _beside(text: str, start: int, end: int) -> int:
    """How many further pairs stand before and behind these five, one blank apart."""
    before = _PAIRS_BEFORE.search(text, max(0, start - BESIDE), start)
    after = _PAIRS_AFTER.match(text, end, end + BESIDE)
    return sum(len(pairs[0]) // 3 for pairs in (before, after) if pairs)
