"""What of a text that goes on may yet become a personal identifier, be announced as one, or be told from one."""

import re
from collections.abc import Iterable

from aloi.solutions.guards import tails
from aloi.solutions.guards.accounts import SEP, accounts
from aloi.solutions.guards.announced import AFTER, TABLE_SIGNS
from aloi.solutions.guards.identifiers import shapes
from aloi.solutions.runs import runs

# What stands in and between the digits of any number, and what joins the words of an address that is spelt out.
_NUMERIC, _JOINING = "0123456789+ .-/()\n\r\t", "[({)]}@"
_FIRST = re.compile(r"[\d+]")
# Words that begin with such a sign, each behind another that ends in a number, numbers between them or not, read
# from the end on.
_SIGNS = r"0-9+./()\-"
_BLANKS = r" \n\r\t"
_CHAINED = re.compile(
    rf"(?:[{_SIGNS}{_BLANKS}]*[{_BLANKS}](?=[{_SIGNS}]*[\d+])[{_SIGNS}]+[^\s{_SIGNS}]\S*(?<=[{_SIGNS}])(?=\s))*"
)
_FAR = 1_000
_PART = r"(?:[ .\-]|\r?\n?[ \t]{0,8})"
# Identifiers with letters, as far as they have come.
_BEGUN = re.compile(
    rf"(?:[Ff][Rr]{_PART}(?:[0-9A-Za-z]{{1,2}}(?:{SEP}\d)*{_PART})?|[1-8](?:{SEP}\d){{4}}{SEP}2[ABab](?:{SEP}\d)*{_PART}"
    r"|[A-Z]{1,2}[ -]?(?:\d{1,3}[ -]?[A-Z]{0,2})?|\d{1,4}[ -]?(?:[A-Z]{1,3}[ -]?(?:\d{1,3}|2[AB])?)?)\Z"
)
# Numbers on which words rule that stand behind them as well, and addresses.
_CANDIDATES = (
    re.compile(rf"\d(?<!\d\d)(?:{SEP}\d){{6,}}+"),
    re.compile(r"[+0][ ]?[1-9](?:(?:[ .\-/()]{0,2}|\r?\n[ \t]{0,8})\d){6,}"),
    re.compile(r"\.\d{1,3}\.\d{1,3}\.\d{1,3}"),
    re.compile(r":[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:]*"),
)
# How far behind a number words and the signs of a table count, in characters of what cannot be masked itself.
_REACH = max(AFTER, 90)
_MASKABLE = re.compile(r"\S*[\d@]\S*|\S{16,}")
_SLICE = 3_500
# In a table that is longer than one half, a number may be read without its heading in a later pass, which may begin as
# far behind it as the other.
_LONG_TABLE, _LONG_REACH = 700, 2_600
_NEARBY = 420


def unfinished(text: str, found: Iterable[int]) -> int:
    """Where in a folded text the first thing begins that what follows may make an identifier, or keep from being one.

    `found` are places that are held with what is near before them.
    """
    end = min([len(text), *found, tails.encoded(text), _numeric(text, len(text))])
    if begun := _BEGUN.search(text, max(0, len(text) - _NEARBY)):
        end = min(end, begun.start())
    low = max(0, end - _SLICE)
    at = _begins(text, end, low)
    return at if not low or at > low + _NEARBY else _begins(text, end, 0)


def _begins(text: str, end: int, low: int) -> int:
    """The same up to `end`, where nothing that begins before `low` matters."""
    shaped, numbers = list(shapes(text, low)), list(accounts(text, low))
    at = min([end, *(start for start, stop in numbers if stop == len(text))])
    spans = tails.Spans([*runs(text, low), *shaped, *numbers])
    candidates = [match.span() for pattern in _CANDIDATES for match in pattern.finditer(text, low)]
    return _whole(text, _waiting(text, _whole(text, at, spans), {*candidates, *shaped}), spans)


def _whole(text: str, at: int, spans: tails.Spans) -> int:
    """The last place up to `at` where nothing is parted."""
    before = -1
    while at != before:
        before, at = at, spans.clear(text, at)
        at = tails.parted(text, at, _JOINING)
        if text[at : at + 1] in _NUMERIC:
            chained = _CHAINED.match(text[max(0, at - _FAR) : at][::-1])
            at = _numeric(text, at - (chained.end() if chained else 0))
    return at


def _numeric(text: str, end: int) -> int:
    """Where the chain of digits and their signs begins that reaches up to `end`."""
    low, left = end, ""
    while low and not left:
        start = max(0, low - _NEARBY)
        left = text[start:low].rstrip(_NUMERIC)
        low = start + len(left)
    first = _FIRST.search(text, low, end)
    return first.start() if first else end


def _waiting(text: str, end: int, candidates: Iterable[tuple[int, int]]) -> int:
    """The first of the numbers at the end of a text on which what follows has a say."""
    for start, stop in sorted(candidates, reverse=True):
        if start >= end:
            continue
        if end - stop < _REACH:  # what stands between cannot be more
            end = start
            continue
        reach = _LONG_REACH if end - stop < _LONG_REACH and _in_long_table(text, start) else _REACH
        apart = text[stop:end]
        free = len(apart) if reach == _LONG_REACH else len(_MASKABLE.sub("", apart[:_SLICE]))
        if free < reach:
            end = start
        elif len(apart) > _SLICE:
            break
    return end


def _in_long_table(text: str, start: int) -> bool:
    """Whether a place lies far below the first row of a table."""
    line = text.rfind("\n", 0, start) + 1
    rows = text[max(0, line - _LONG_REACH) : line].splitlines()
    for sign in TABLE_SIGNS:
        size = 0
        for row in reversed(rows):
            if sign not in row:
                break
            size += len(row) + 1
        if size > _LONG_TABLE:
            return True
    return False
