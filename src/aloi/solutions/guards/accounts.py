"""Where an IBAN may begin in a folded text, and what of it looks like one or may become one."""

import re
from collections.abc import Iterator
from functools import cache
from itertools import islice, product
from string import ascii_letters, digits

from msgspec import Struct
from stdnum import numdb

from aloi.solutions.stretches import MANY, Marks

# A number may be broken over two lines, as a letter or a terminal breaks it.
BREAK = r"\r?\n[ \t]{0,8}"
SEP = rf"(?:[ .\-]|{BREAK})?+"


def _behind(country: str) -> str:
    """After the first digit: whether a country stands before it, at the beginning of a word or behind "IBAN"."""
    return rf"(?<={country}\d)(?:(?<![^\W_]{country}\d)|(?<=[Ii][Bb][Aa][Nn]{country}\d))"


# "CMD-1460..." is an order; "IBANFR76..." is an account. All that stands before the first digit is asked for after it:
# the search then runs from one digit to the next.
_NEAR = r"(?<=[A-Za-z][A-Za-z .-]\d)"  # most digits have no letter there
_IBAN = re.compile(rf"\d{_NEAR}(?:{_behind('[A-Za-z]{2}')}|{_behind('[A-Za-z]{2}[ .-]')}){SEP}\d")
# The same on marks, whatever the blank is and where no "IBAN" stands before it: letters and digits are read in a tenth
# of the time.
_MARKS = Marks({b"A": ascii_letters.encode(), b"0": digits.encode()})
_BEGUN = re.compile(rb" AA ?0")
_ALNUM = rf"(?:{SEP}[A-Za-z0-9]){{%d}}"
_ALNUMS = re.compile(rf"(?:{SEP}[A-Za-z0-9]){{1,34}}(?:[ .\-]|\r?\n?[ \t]{{0,8}})\Z")
# In characters, each but the first behind a line end and the widest indentation.
_LONGEST_ACCOUNT = 34 * len("\r\n        0")


class _Account(Struct, frozen=True):
    """What an IBAN of one country looks like in a text, and in compact form."""

    shape: re.Pattern[str]
    compact: re.Pattern[str]


@cache
def _countries() -> dict[str, _Account]:
    """What an IBAN looks like by country, in letters of either case, after the SWIFT registry."""
    known: dict[str, _Account] = {}
    signs = {"n": "[0-9]", "a": "[A-Z]", "c": "[A-Z0-9]"}
    for _, country, _, facts, _ in numdb.get("iban").prefixes:
        parts = re.findall(r"(\d+)!([nac])", facts.get("bban", ""))
        size = 4 + sum(int(count) for count, _ in parts)
        bban = "".join(f"{signs[kind]}{{{count}}}" for count, kind in parts)
        account = _Account(re.compile(_ALNUM % (size - 1)), re.compile(rf"{country}\d\d{bban}"))
        known |= dict.fromkeys(map("".join, product(*((letter, letter.lower()) for letter in country))), account)
    return known


def account_starts(text: str, low: int = 0) -> Iterator[tuple[int, _Account]]:
    """Where an IBAN may begin, with what one of its country looks like."""
    countries = _countries()
    for at in _firsts(text, low):
        if known := countries.get(text[at - 2 : at]):
            yield at - 2, known
        elif (sign := text[at - 1]) in " .-":
            country = text[at - 3 : at - 1]
            # "by 45..." is a word and a number.
            if (known := countries.get(country)) and (sign != " " or country.isupper()):
                yield at - 3, known


def _firsts(text: str, low: int) -> Iterator[int]:
    """Where from `low` on the first digit stands of what may be an IBAN."""
    if "iban" not in text.lower():
        begun = _BEGUN.finditer(b" " + _MARKS.of(text), max(0, low - len("FR ")))
        for match in islice(begun, MANY):
            at = match.end() - 2
            if at >= low and _IBAN.match(text, at):
                yield at
        if not (further := next(begun, None)):
            return
        low = max(low, further.end() - 2)
    yield from (match.start() for match in _IBAN.finditer(text, low))


def accounts(text: str, low: int) -> Iterator[tuple[int, int]]:
    """Spans from `low` on of what looks like an IBAN, or may become one where it reaches the end of the text."""
    near, end = len(text) - _LONGEST_ACCOUNT, -1
    # Of those that begin within another and have its shape, the last one goes furthest: the others are not looked at.
    within: list[int] = []
    shape: re.Pattern[str] | None = None
    for start, account in account_starts(text, low):
        alike = account.shape is shape and start <= near
        if within and not (alike and start < end):
            if last := _last(text, within, shape):
                yield last
                end = last[1]
            within = []
        if alike and start < end:
            within.append(start)
            continue
        shape = account.shape
        whole = shape.match(text, start + 1) or (start > near and _ALNUMS.match(text, start + 1))
        end = whole.end() if whole else -1
        if whole:
            yield start, end
    if last := _last(text, within, shape):
        yield last


def _last(text: str, starts: list[int], shape: re.Pattern[str] | None) -> tuple[int, int] | None:
    """The last span of a shape that begins at one of these places."""
    for start in reversed(starts):
        if shape and (whole := shape.match(text, start + 1)):
            return start, whole.end()
    return None
