"""Find personal identifiers in a folded text: shape first, then the check digits that make chance unlikely.

Checks are python-stdnum's and phonenumbers'. Work on one text is bounded: beyond `BUDGET` checks `Overload` is raised,
and whoever asked must treat the text as full of personal data.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from msgspec import Struct
from phonenumbers import (
    NumberParseException,
    PhoneMetadata,
    PhoneNumberFormat,
    format_number,
    is_possible_number,
    is_valid_number,
    is_valid_number_for_region,
    parse,
)
from stdnum import luhn
from stdnum.fr import nir
from stdnum.iso7064 import mod_97_10

from aloi.solutions.tables import table

# Units are about a microsecond: a text of ordinary prose spends a few hundred.
BUDGET = 20_000
_COST = {"window": 3, "luhn": 8, "nir": 8, "iban": 12, "phone": 60}
_NEAR = 60

_IBAN = re.compile(r"([A-Za-z]{2})[ .-]?\d[ .-]?\d")
_ALNUM = r"(?:[ .\-]?[A-Za-z0-9]){%d}"
_CLUSTER = re.compile(r"\d(?:[ .\-]?\d){8,}")
_GROUP = re.compile(r"\d+")
_CORSICA = re.compile(r"2[ABab]")
_NIR_CORSICA = re.compile(r"(?<!\w)[1-8](?:[ .-]?\d){4}[ .-]?2[ABab](?:[ .-]?\d){8}(?!\w)")
_PLUS = re.compile(r"(?:\+|(?<!\d)00)[ ]?[1-9](?:[ .\-/()]{0,2}\d){6,14}")
_SLASHES = re.compile(r"(?<![\d/])0\d(?:/\d\d){4}(?![\d/])")
_AT = re.compile(r"(?:@|[\[({][ ]?(?:[aA][tT]|[aA]robase|[aA]rroba|@)[ ]?[\])}])[ ]?(?=[A-Za-z0-9])")
_LOCAL = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._%+-"
_DOT = r"(?:\.|[ ]?[\[({][ ]?(?:\.|dot|point|punto)[ ]?[\])}][ ]?)"
_DOMAIN = re.compile(rf"(?:[A-Za-z0-9-]{{1,63}}{_DOT}){{1,8}}[A-Za-z]{{2,24}}", re.IGNORECASE)


class Overload(Exception):
    """A text holds more candidates than one answer can honestly hold."""


class Identifier(Struct, frozen=True):
    """One identifier, its place in the folded text, and its compact value: digits, letters in capitals, E.164."""

    kind: str
    start: int
    end: int
    value: str


class _Budget:
    def __init__(self) -> None:
        self._left = BUDGET
        self._phones: dict[tuple[str, str | None], str | None] = {}

    def spend(self, what: str) -> None:
        self._left -= _COST[what]
        if self._left < 0:
            raise Overload

    def phone(self, text: str, region: str | None) -> str | None:
        """`_phone`, once for each number of the text."""
        key = (text, region)
        if key not in self._phones:
            self.spend("phone")
            self._phones[key] = _phone(text, region)
        return self._phones[key]


class _Patterns(Struct, frozen=True):
    iban: dict[str, tuple[int, re.Pattern[str]]]
    cards: tuple[tuple[str, str, frozenset[int]], ...]
    plates: tuple[re.Pattern[str], re.Pattern[str]]
    announced: dict[str, tuple[str, ...]]
    reserved: tuple[str, ...]


@cache
def _patterns() -> _Patterns:
    data: dict[str, Any] = table("personal-data")
    return _Patterns(
        iban={country: (size, re.compile(_ALNUM % (size - 1))) for country, size in data["iban_lengths"].items()},
        cards=tuple((*row["first"], frozenset(row["lengths"])) for row in data["cards"]),
        plates=(re.compile(data["plates"]["always"]), re.compile(data["plates"]["announced"])),
        announced={kind: tuple(words) for kind, words in data["announced"].items()},
        reserved=tuple(data["reserved_phones"]),
    )


def compact(text: str) -> str:
    """Letters and digits only, in capitals."""
    return "".join(filter(str.isalnum, text)).upper()


def _announced(kind: str, text: str, start: int) -> bool:
    before = text[max(0, start - _NEAR) : start].casefold()
    return any(word in before for word in _patterns().announced[kind])


def _ibans(text: str, budget: _Budget) -> Iterator[Identifier]:
    done = 0
    for match in _IBAN.finditer(text):
        known = _patterns().iban.get(match[1].upper())
        if known is None or match.start() < done:
            continue
        budget.spend("iban")
        if whole := known[1].match(text, match.start() + 1):
            value = compact(text[match.start() : whole.end()])
            if value.isascii() and mod_97_10.is_valid(value[4:] + value[:4]):
                done = whole.end()
                yield Identifier("iban", match.start(), done, value)


def _is_card(digits: str) -> bool:
    return any(len(digits) in lengths and low <= digits[: len(low)] <= high for low, high, lengths in _patterns().cards)


def _phone(text: str, region: str | None) -> str | None:
    """E.164 of a telephone number that its country really assigns, or None."""
    try:
        number = parse(text, region)
    except NumberParseException:
        return None
    e164 = format_number(number, PhoneNumberFormat.E164)
    if region is not None and not _dialled_in_full(text, region):
        return None
    valid = is_valid_number(number) if region is None else is_valid_number_for_region(number, region)
    return e164 if valid or (e164.startswith(_patterns().reserved) and is_possible_number(number)) else None


@cache
def _trunk(region: str) -> str:
    metadata = PhoneMetadata.metadata_for_region(region)
    return (metadata.national_prefix or "") if metadata else ""


def _dialled_in_full(text: str, region: str) -> bool:
    """Where a country dials a leading 0, a number without it is more likely an amount or a reference."""
    return _trunk(region) != "0" or text.startswith("0")


def _number(digits: str, text: str, start: int, regions: tuple[str, ...], budget: _Budget) -> tuple[str, str] | None:
    """What a window of digits is: its kind and value."""
    if kind := _checked(digits, text, start, budget):
        return kind, digits
    dialled = regions if 8 <= len(digits) <= 12 else ()
    for region in (one for one in dialled if _dialled_in_full(digits, one)):
        if value := budget.phone(digits, region):
            return "phone", value
    return None


def _checked(digits: str, text: str, start: int, budget: _Budget) -> str | None:
    """The kind of number whose length, beginning and check digits these are."""
    if _is_card(digits):
        budget.spend("luhn")
        if luhn.is_valid(digits):
            return "card"
    if len(digits) == 15 and digits[0] in "123478":
        budget.spend("nir")
        return "nir" if nir.is_valid(digits) else None
    company = {9: "siren", 14: "siret"}.get(len(digits))
    if company and _announced(company, text, start):
        budget.spend("luhn")
        return company if luhn.is_valid(digits) else None
    return None


def _is_fraction(text: str, start: int, *, single: bool) -> bool:
    """Whether a lone group of digits is the decimal part of a number, as in 0.4970101234567890."""
    return single and start >= 2 and text[start - 1] in ".," and text[start - 2].isdigit()


def _numbers(text: str, regions: tuple[str, ...], budget: _Budget) -> Iterator[Identifier]:
    for cluster in _CLUSTER.finditer(text):
        groups = [(m[0], m.start(), m.end()) for m in _GROUP.finditer(text, cluster.start(), cluster.end())]
        first = 0
        while first < len(groups):
            found = _longest(groups, first, text, regions, budget)
            if found:
                last, identifier = found
                yield identifier
                first = last
            first += 1


def _longest(
    groups: list[tuple[str, int, int]], first: int, text: str, regions: tuple[str, ...], budget: _Budget
) -> tuple[int, Identifier] | None:
    """The longest identifier that starts with group `first`, and its last group."""
    windows, digits = [], ""
    for last in range(first, len(groups)):
        digits += groups[last][0]
        if len(digits) > 19:
            break
        if len(digits) >= 8:
            windows.append((last, digits))
    start = groups[first][1]
    for last, candidate in reversed(windows):
        budget.spend("window")
        if _is_fraction(text, start, single=first == last):
            continue
        if found := _number(candidate, text, start, regions, budget):
            return last, Identifier(found[0], start, groups[last][2], found[1])
    return None


def _international(text: str, budget: _Budget) -> Iterator[Identifier]:
    for match in _PLUS.finditer(text):
        written = match[0]
        # Digits that follow the number may have been swallowed: take words off the end until a country assigns it.
        while len(written) >= 8:
            dialled = "+" + written.lstrip("+")[2:] if written.startswith("00") else written
            if value := budget.phone(dialled, None):
                yield Identifier("phone", match.start(), match.start() + len(written), value)
                break
            cut = max(written.rfind(mark) for mark in " .-/(")
            written = written[: max(cut, 0)]


def _slashed(text: str, regions: tuple[str, ...], budget: _Budget) -> Iterator[Identifier]:
    for match in _SLASHES.finditer(text) if "/" in text else ():
        if value := next(filter(None, (budget.phone(compact(match[0]), region) for region in regions)), None):
            yield Identifier("phone", match.start(), match.end(), value)


def _emails(text: str, budget: _Budget) -> Iterator[Identifier]:
    for match in _AT.finditer(text):
        budget.spend("window")
        head = text[max(0, match.start() - 64) : match.start()].removesuffix(" ")
        local = head[len(head.rstrip(_LOCAL)) :].lstrip(".%+-")
        domain = _DOMAIN.match(text, match.end())
        if local and domain:
            start = match.start() - len(local) - (text[match.start() - 1] == " ")
            plain = re.sub(_DOT, ".", domain[0], flags=re.IGNORECASE)
            yield Identifier("email", start, domain.end(), f"{local}@{plain}".casefold())


def _corsican(text: str, budget: _Budget) -> Iterator[Identifier]:
    for match in _NIR_CORSICA.finditer(text) if _CORSICA.search(text) else ():
        budget.spend("nir")
        if nir.is_valid(compact(match[0])):
            yield Identifier("nir", match.start(), match.end(), compact(match[0]))


def _plates(text: str, budget: _Budget) -> Iterator[Identifier]:
    always, announced = _patterns().plates
    for match in always.finditer(text):
        yield Identifier("plate", match.start(), match.end(), compact(match[0]))
    lowered = text.casefold()
    heralded = any(word in lowered for word in _patterns().announced["plate"])
    for match in announced.finditer(text) if heralded else ():
        budget.spend("window")
        if _announced("plate", text, match.start()):
            yield Identifier("plate", match.start(), match.end(), compact(match[0]))


def identifiers(text: str, kinds: frozenset[str], regions: tuple[str, ...]) -> list[Identifier]:
    """Identifiers of these kinds in a folded text, by place. Raises `Overload`.

    `regions` are the countries (ISO 3166) whose telephone numbers are known without a country code.
    """
    budget = _Budget()
    found = [
        *(_ibans(text, budget) if "iban" in kinds else ()),
        *(_corsican(text, budget) if "nir" in kinds else ()),
        *(_international(text, budget) if "phone" in kinds else ()),
        *(_slashed(text, regions, budget) if "phone" in kinds else ()),
        *_numbers(text, regions if "phone" in kinds else (), budget),
        *(_emails(text, budget) if "email" in kinds else ()),
        *(_plates(text, budget) if "plate" in kinds else ()),
    ]
    return sorted((one for one in found if one.kind in kinds), key=lambda one: (one.start, -one.end))


def known_value(text: str, regions: tuple[str, ...]) -> set[str]:
    """The compact forms under which a value written by a person may be found again."""
    phones = (_phone(text, region) for region in (None, *regions))
    return {compact(text), text.strip().casefold(), *filter(None, phones)}
