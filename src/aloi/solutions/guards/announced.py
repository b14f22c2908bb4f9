"""Whether a text announces a number: the words before it, or the heading of its column."""

import re
from functools import cache

from aloi.solutions.tables import table

ANNOUNCED = frozenset({"siren", "siret", "tax", "plate"})
# In characters; what follows is counted from the beginning of the number ("552 008 443 RCS Lyon").
NEAR, AFTER = 60, 60
# How far before a number a word stands that says it is another one.
BESIDE = 20
# How far back the heading of a table is looked for.
_TABLE = 4_000
_CELLS = TABLE_SIGNS = "|;\t,"


@cache
def _words(kind: str) -> re.Pattern[str]:
    words = "|".join(map(re.escape, table("personal-data")["announced"].get(kind, ())))
    return re.compile(rf"(?<![a-z])(?:{words})" if words else r"(?!)")


def whole(word: str) -> str:
    """A pattern of a word that begins where words begin; one of three letters or fewer is no beginning of another."""
    return re.escape(word) + ("(?![a-z])" if len(word) <= 3 and word.isalpha() else "")


@cache
def _another() -> re.Pattern[str]:
    return re.compile(rf"(?<![a-z])(?:{'|'.join(map(whole, table('personal-data')['another']))})")


def another(text: str, start: int) -> bool:
    """Whether a word just before `start`, or over it as the heading of a column, says that this is another number."""
    before = text[max(0, start - BESIDE) : start].rpartition("\n")[2]
    return any(_another().search(part.casefold()) for part in (before, heading(text, start, _CELLS.rstrip(","))))


def heralded(kind: str, text: str) -> bool:
    """Whether a word that announces this kind stands anywhere in the text."""
    lowered = text.casefold()
    return any(word in lowered for word in table("personal-data")["announced"][kind])


def announced(kind: str, text: str, start: int) -> bool:
    """Whether a word of this kind stands just before or behind `start`, or over it as the heading of a column."""
    words = _words(kind)
    after = text[start : start + AFTER].partition("\n")[0]
    return any(
        words.search(part.casefold()) for part in (text[max(0, start - NEAR) : start], after, heading(text, start))
    )


def heading(text: str, start: int, signs: str = _CELLS) -> str:
    """The cell over `start` in the first of the rows that lead down to it; empty where it lies in no table."""
    line = text.rfind("\n", 0, start) + 1
    above = text[max(0, line - _TABLE) : line].splitlines()
    sign = next((sign for sign in signs if above and sign in above[-1] and sign in text[line : start + 80]), "")
    if not sign:
        return ""
    top = ""
    for row in reversed(above):
        if sign not in row:
            break
        top = row
    cells, before = top.split(sign), text.count(sign, line, start)
    return cells[before].casefold() if before < len(cells) else ""
