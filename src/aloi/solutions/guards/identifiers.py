"""Find personal identifiers in a folded text: shape first, then the check digits that make chance unlikely.

Checks are python-stdnum's and phonenumbers'. Work on one text is bounded: beyond `BUDGET` checks `Overload` is raised,
and whoever asked must treat the text as full of personal data.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import islice, pairwise
from string import ascii_uppercase, digits
from typing import Any

from msgspec import Struct
from phonenumbers import (
    NumberParseException,
    PhoneMetadata,
    PhoneNumberFormat,
    format_number,
    is_valid_number,
    is_valid_number_for_region,
    parse,
)
from stdnum.fr import nir, tva
from stdnum.iso7064 import mod_97_10

from aloi.solutions.guards.accounts import BREAK, SEP, account_starts
from aloi.solutions.guards.addresses import emails, internet, like_email, like_internet
from aloi.solutions.guards.announced import BESIDE, announced, another, heralded
from aloi.solutions.guards.checkdigits import is_card, valid
from aloi.solutions.guards.rows import is_row
from aloi.solutions.stretches import Marks, Stretches
from aloi.solutions.tables import table

# Units are about a microsecond: a text of ordinary prose spends a few hundred.
BUDGET = 20_000
_COST = {"window": 4, "check": 8, "number": 10, "iban": 20, "announced": 16, "phone": 60, "mail": 5, "plate": 5}
_COST["address"] = 25
# Kinds that are digits, and nothing else.
_NUMBERS = frozenset({"card", "nir", "tax", "siren", "siret", "phone"})
_SHORTEST = len("1 AB 2A")
_MOST_DIGITS = 19
_CLUSTER = re.compile(rf"\d(?<!\d\d)(?:{SEP}\d){{8,}}+")
_NUMERIC = Stretches(b"0123456789 .-\r\n\t", 9)
# A plate of earlier years begins with a number and a group of letters.
_GROUPS = Marks({b"0": digits.encode(), b"A": ascii_uppercase.encode(), b"-": b" -"})
_EARLIER, _PLATE = b"0-AA", (b"AA000", b"AA-000")
_JOINED_BEFORE = re.compile(r"(?:\d\.|\w-|\w)\Z")
_JOINED_GROUP = re.compile(r"\d[ .-]?\Z")
_JOINED_AFTER = re.compile(r"[.-]\d|\w")
_VAT_BEFORE = re.compile(r"[Ff][Rr][ .-]?[0-9A-Za-z]{2}[ .-]?\Z")
_GROUP = re.compile(r"\d+")
_CORSICA = re.compile(r"\d[ .-]?2[ABab]")
_DEPARTMENT = re.compile(r"2[ABab]")
_NIR_CORSICA = re.compile(
    rf"[1-8](?<!\w.)(?:{SEP}\d){{4}}{SEP}2[ABab](?:{SEP}\d){{8}}(?!\w)",
)
_PLUS = re.compile(rf"[+0](?:(?<=\+)|(?<!\w0)0)[ ]?[1-9](?:(?:[ .\-/()]{{0,2}}|{BREAK})\d){{6,14}}")
_APPOSITION = re.compile(r"[^\W\d_](?:,[ ]| ?\()\Z")
# A unit, a currency or a word behind a number: it is counted with.
_MORE = re.compile(r"[ ]?[A-Za-z%$\u00b0\u00a3\u20ac]|[.,]\d|[ ]\d")
_SLASHES = re.compile(r"0(?<![\d/]0)\d(?:/\d\d){4}(?![\d/])")
_TVA = re.compile(rf"[Ff][Rr](?<!\w..){SEP}[0-9A-HJ-NP-Za-hj-np-z]{{2}}(?:{SEP}\d){{9}}(?!\w)")


class Overload(Exception):
    """A text holds more candidates than one answer can honestly hold."""


class Identifier(Struct, frozen=True):
    """One identifier, its place in the folded text, and its compact value: digits, letters in capitals, E.164."""

    kind: str
    start: int
    end: int
    value: str


class Budget:
    """The checks that may still be made, and the telephone numbers that are known."""

    def __init__(self) -> None:
        self._left = BUDGET
        self._phones: dict[tuple[str, str | None], str | None] = {}

    def spend(self, what: str) -> None:
        """One more check. Raises `Overload`."""
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
    plates: dict[str, re.Pattern[str]]
    reserved: dict[str, int]
    groups: dict[str, frozenset[str]]
    phone_groups: frozenset[str]


@cache
def _patterns() -> _Patterns:
    data: dict[str, Any] = table("personal-data")
    return _Patterns(
        plates={name: re.compile(pattern) for name, pattern in data["plates"].items()},
        reserved=data["reserved_phones"],
        groups={kind: frozenset(groups) for kind, groups in data["groups"].items()},
        phone_groups=frozenset(data["phone_groups"]),
    )


def compact(text: str) -> str:
    """Letters and digits only, in capitals."""
    return "".join(filter(str.isalnum, text)).upper()


def shapes(text: str, low: int) -> Iterator[tuple[int, int]]:
    """Spans from `low` on of what has the shape of an identifier of letters and digits, whatever stands around it."""
    corsican = (_NIR_CORSICA,) if _DEPARTMENT.search(text, low) else ()
    known, widest = _patterns().plates, _widest_plate(text)
    plates = (known["always"], known["likely"], widest) if widest and widest.search(text, low) else ()
    for pattern in (*plates, _TVA, *corsican):
        yield from (match.span() for match in pattern.finditer(text, low))


def _ibans(text: str, budget: Budget) -> Iterator[tuple[Identifier, bool]]:
    """What has the structure of an IBAN, and whether its check digits hold (ISO 7064, mod 97-10)."""
    done = 0
    for start, account in account_starts(text):
        if start < done:
            continue
        budget.spend("iban")
        if whole := account.shape.match(text, start + 1):
            value = compact(text[start : whole.end()])
            if account.compact.fullmatch(value):
                valid = mod_97_10.is_valid(value[4:] + value[:4])
                done = whole.end() if valid else done
                yield Identifier("iban", start, whole.end(), value), valid


def _phone(text: str, region: str | None) -> str | None:
    """E.164 of a telephone number that its country really assigns, or None."""
    try:
        number = parse(" ".join(text.split()), region)
    except NumberParseException:
        return None
    e164 = format_number(number, PhoneNumberFormat.E164)
    if region is not None and not _dialled_in_full(text, region):
        return None
    valid = is_valid_number(number) if region is None else is_valid_number_for_region(number, region)
    return e164 if valid or _is_reserved(e164) else None


def _is_reserved(e164: str) -> bool:
    """Whether this is a whole number of a range that is kept for fiction."""
    return any(e164.startswith(prefix) and len(e164) == size for prefix, size in _patterns().reserved.items())


@cache
def _trunk(region: str) -> str:
    metadata = PhoneMetadata.metadata_for_region(region)
    return (metadata.national_prefix or "") if metadata else ""


def _dialled_in_full(text: str, region: str) -> bool:
    """Where a country dials a leading 0, a number without it is more likely an amount or a reference."""
    return _trunk(region) != "0" or text.startswith("0")


def _number(
    digits: str, text: str, start: int, end: int, regions: tuple[str, ...], budget: Budget
) -> tuple[str, str] | None:
    """What a window of digits is: its kind and value."""
    if kind := _checked(digits, text, start, end, budget):
        return kind, digits
    dialled = [one for one in regions if _dialled_in_full(digits, one)] if 8 <= len(digits) <= 12 else []
    if dialled:
        budget.spend("announced")
    for region in dialled if dialled and not _other_number(text, start, end) else ():
        if (value := budget.phone(digits, region)) and _grouped(text[start:end], value):
            return "phone", value
    return None


def _other_number(text: str, start: int, end: int) -> bool:
    """Whether digits are a part of a longer number (10.0.19045.3803), or said to be something else than a telephone."""
    if _JOINED_BEFORE.search(text, max(0, start - 2), start) or _JOINED_AFTER.match(text, end):
        return True
    if is_row(text, start, end):
        return True
    return text[start:end].isdigit() and another(text, start)


def _grouped(written: str, e164: str) -> bool:
    """Whether a national number stands in groups in which people write one."""
    groups = _groups(written)
    if "-" not in groups or groups in _patterns().phone_groups:
        return True
    national = format_number(parse(e164), PhoneNumberFormat.NATIONAL)
    return groups == _groups(national)


def _checked(digits: str, text: str, start: int, end: int, budget: Budget) -> str | None:
    """The kind of number whose length, beginning, check digits and groups these are."""
    budget.spend("check")
    written = text[start:end]
    card = "card" if is_card(digits) and _like_a_card(_groups(written)) else None
    kind = valid(digits, budget.spend)
    if kind is None or (kind == "nir" and card) or not _in_groups(written, kind):
        return card
    if kind == "siren" and ("-" in written or _goes_on(text, start)):
        return card
    # First digits 1 and 2 are nearly all of the NIR; another fifteen digits are rather the number of a device.
    if kind == "nir" and digits[0] in "12":
        return kind
    if not _stands_alone(kind, text, start):
        return card
    budget.spend("announced")
    if announced(kind, text, start):
        # One number of nine digits in ten passes by chance: where two words speak of it, the nearer one decides.
        other = (
            kind == "siren"
            and another(text, start)
            and not announced(kind, text[max(0, start - BESIDE) : start], BESIDE)
        )
        return card if other else kind
    budget.spend("announced")
    return kind if _likely(kind, digits, text, start, end) else card


def _in_groups(written: str, kind: str) -> bool:
    """Whether digits stand in groups in which this kind is written: in its own, in one, or one by one."""
    groups = _groups(written)
    return "-" not in groups or set(groups.split("-")) == {"1"} or groups in _patterns().groups[kind]


def _likely(kind: str, digits: str, text: str, start: int, end: int) -> bool:
    """Whether the form alone makes a number likely, where no word announces it.

    Nothing else is written in the groups of SIRET and of the tax number. In the groups of SIREN amounts are as well:
    it has to stand beside a name, as "Kestrel Optics, 552 008 443" does, and nothing be counted with it. Without
    groups, SIRET may be a date with its time, and the tax number one in milliseconds.
    """
    grouped = "-" in (groups := _groups(text[start:end])) and groups in _patterns().groups.get(kind, ())
    if _goes_on(text, start):
        return False
    match kind:
        case "siret":
            # A SIREN and a postcode are no SIRET: nearly every firm has fewer than a thousand establishments.
            shaped, sure = digits.startswith("00", 9) and (grouped or not digits.startswith(("19", "20"))), grouped
        case "tax":
            shaped, sure = grouped or not digits.startswith("1"), False
        case "siren":
            named = _APPOSITION.search(text, max(0, start - 3), start) and not _MORE.match(text, end)
            shaped, sure = grouped and named is not None, False
        case _:
            shaped, sure = False, False
    return shaped and (sure or not another(text, start))


def _goes_on(text: str, start: int) -> bool:
    """Whether a group of digits stands just before: these are the end of a longer number."""
    return _JOINED_GROUP.search(text, max(0, start - 2), start) is not None


def _stands_alone(kind: str, text: str, start: int) -> bool:
    """Whether a number is not glued to letters before it; nine digits may also be the end of a VAT number."""
    if start and text[start - 1].isalnum():
        return False
    return kind != "siren" or not _VAT_BEFORE.search(text, max(0, start - 6), start)


def _like_a_card(groups: str) -> bool:
    """Whether digits are grouped as on a card: in groups of one size, or American Express's and Diners's."""
    sizes = groups.split("-")
    # "2.718281828459045" is a number with decimals.
    decimals = sizes[0] == "1" and sizes[-1] != "1"
    return (len(set(sizes[:-1])) <= 1 and not decimals) or groups in _patterns().groups["card"]


def _groups(written: str) -> str:
    """The lengths of the groups of digits, as "3-3-3"."""
    return "-".join(str(len(group)) for group in _GROUP.findall(written))


def _is_fraction(text: str, start: int, *, single: bool) -> bool:
    """Whether a lone group of digits is the decimal part of a number, as in 0.4970101234567890."""
    return single and start >= 2 and text[start - 1] in ".," and text[start - 2].isdigit()


def _numbers(text: str, regions: tuple[str, ...], budget: Budget) -> Iterator[Identifier]:
    for cluster in _NUMERIC.matches(_CLUSTER, text):
        if cluster.end() - cluster.start() > _MOST_DIGITS and cluster[0].isdigit():
            continue
        # Groups are read when they are come to: a text that spends its budget on the first thousand needs no more.
        spans = (match.span() for match in _GROUP.finditer(text, *cluster.span()))
        groups: list[tuple[str, int, int]] = []
        first = 0
        while True:
            groups += [
                (text[low:high], low, high)
                for low, high in islice(spans, max(0, first + _MOST_DIGITS + 2 - len(groups)))
            ]
            if first >= len(groups):
                break
            found = _longest(groups, first, text, regions, budget)
            if found:
                last, identifier = found
                yield identifier
                first = last
            first += 1


def _longest(
    groups: list[tuple[str, int, int]], first: int, text: str, regions: tuple[str, ...], budget: Budget
) -> tuple[int, Identifier] | None:
    """The longest identifier that starts with group `first`, and its last group."""
    windows, digits = [], ""
    for last in range(first, len(groups)):
        digits += groups[last][0]
        if len(digits) > _MOST_DIGITS:
            break
        if len(digits) >= 8:
            windows.append((last, digits))
    start = groups[first][1]
    for last, candidate in reversed(windows):
        budget.spend("window")
        if _is_fraction(text, start, single=first == last) or _is_column(groups[first : last + 1], text):
            continue
        if found := _number(candidate, text, start, groups[last][2], regions, budget):
            return last, Identifier(found[0], start, groups[last][2], found[1])
    return None


def _is_column(groups: list[tuple[str, int, int]], text: str) -> bool:
    """Whether these groups are rather numbers on lines of their own than one number that a line end broke.

    One number is broken once at most, and leaves two groups on either side.
    """
    if "\n" not in text[groups[0][1] : groups[-1][2]]:
        return False
    breaks = [i for i, (left, right) in enumerate(pairwise(groups), 1) if "\n" in text[left[2] : right[1]]]
    return len(breaks) > 1 or not 2 <= breaks[0] <= len(groups) - 2


def _international(text: str, budget: Budget) -> Iterator[Identifier]:
    for match in _PLUS.finditer(text):
        written = match[0]
        if written[0] == "0" and _JOINED_GROUP.search(text, max(0, match.start() - 2), match.start()):
            continue
        # Digits that follow the number may have been swallowed: take words off the end until a country assigns it.
        while len(written) >= 8:
            dialled = "+" + written.lstrip("+")[2:] if written.startswith("00") else written
            if value := budget.phone(dialled, None):
                yield Identifier("phone", match.start(), match.start() + len(written), value)
                break
            cut = max(written.rfind(mark) for mark in " .-/(\n")
            written = written[: max(cut, 0)]


def _slashed(text: str, regions: tuple[str, ...], budget: Budget) -> Iterator[Identifier]:
    for match in _SLASHES.finditer(text) if "/" in text else ():
        if value := next(filter(None, (budget.phone(compact(match[0]), region) for region in regions)), None):
            yield Identifier("phone", match.start(), match.end(), value)


def _corsican(text: str, budget: Budget) -> Iterator[Identifier]:
    for match in _NIR_CORSICA.finditer(text) if _CORSICA.search(text) else ():
        budget.spend("check")
        if nir.is_valid(compact(match[0])):
            yield Identifier("nir", match.start(), match.end(), compact(match[0]))


def _vat(text: str, budget: Budget) -> Iterator[Identifier]:
    for match in _TVA.finditer(text):
        budget.spend("check")
        if tva.is_valid(compact(match[0])):
            yield Identifier("vat", match.start(), match.end(), compact(match[0]))


def _widest_plate(text: str) -> re.Pattern[str] | None:
    """What any plate looks like that a text may hold; those of earlier years where it may hold one of these."""
    groups = _GROUPS.of(text)
    if _EARLIER in groups:
        return _patterns().plates["announced_or_earlier"]
    return _patterns().plates["announced"] if any(plate in groups for plate in _PLATE) else None


def _plates(text: str, budget: Budget) -> Iterator[Identifier]:
    widest = _widest_plate(text)
    shaped = list(widest.finditer(text)) if widest else []
    if not shaped:
        return
    for match in _patterns().plates["always"].finditer(text):
        budget.spend("plate")
        yield Identifier("plate", match.start(), match.end(), compact(match[0]))
    for match in _patterns().plates["likely"].finditer(text):
        budget.spend("announced")
        if not another(text, match.start()):
            yield Identifier("plate", match.start(), match.end(), compact(match[0]))
    for match in shaped if heralded("plate", text) else ():
        budget.spend("announced")
        if announced("plate", text, match.start()):
            yield Identifier("plate", match.start(), match.end(), compact(match[0]))


def shaped(text: str, kinds: frozenset[str]) -> frozenset[str]:
    """Of these kinds, those of which something in a folded text has the shape: it holds no identifier of another."""
    digits = _GROUP.search(text) is not None
    numbers = digits and next(_NUMERIC.matches(_CLUSTER, text), None) is not None
    seen: dict[str, Callable[[], object]] = {
        "iban": lambda: digits and next(account_starts(text), None),
        "nir": lambda: numbers or (digits and _NIR_CORSICA.search(text)),
        "vat": lambda: digits and _TVA.search(text),
        "phone": lambda: numbers or (digits and (_PLUS.search(text) or _SLASHES.search(text))),
        "email": lambda: like_email(text),
        "ip": lambda: like_internet(text),
        "plate": lambda: (widest := _widest_plate(text)) and widest.search(text),
    }
    return frozenset(kind for kind in kinds if (seen[kind]() if kind in seen else numbers))


def _joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans in order, those that overlap made one."""
    joined: list[tuple[int, int]] = []
    for low, high in spans:
        if joined and low < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return joined


def _outside(found: Iterable[Identifier], spans: list[tuple[int, int]]) -> Iterator[Identifier]:
    starts = [low for low, _ in spans]
    for one in found:
        at = bisect_right(starts, one.start) - 1
        if at < 0 or one.end > spans[at][1]:
            yield one


def identifiers(text: str, kinds: frozenset[str], regions: tuple[str, ...], budget: Budget) -> Iterator[Identifier]:
    """Identifiers of these kinds in a folded text, one kind after another. Raises `Overload`.

    `regions` are the countries (ISO 3166) whose telephone numbers are known without a country code. Texts that share a
    `budget` are read within it.
    """
    has_digits = len(text) >= _SHORTEST and _GROUP.search(text) is not None
    if has_digits:
        yield from _numbered(text, kinds, regions, budget)
    yield from (Identifier("email", *place) for place in (emails(text, budget.spend) if "email" in kinds else ()))
    yield from (Identifier("ip", *place) for place in (internet(text, budget.spend) if "ip" in kinds else ()))
    yield from _plates(text, budget) if "plate" in kinds and has_digits else ()


def _numbered(text: str, kinds: frozenset[str], regions: tuple[str, ...], budget: Budget) -> Iterator[Identifier]:
    """Those of a text with digits in it that are numbers, or begin with a country."""
    accounts = list(_ibans(text, budget)) if "iban" in kinds else []
    # Sixteen digits within a mistyped account are no card.
    mistyped = _joined((one.start, one.end) for one, valid in accounts if not valid)
    read = _numbers(text, regions if "phone" in kinds else (), budget) if kinds & _NUMBERS else ()
    numbers: Iterable[Identifier] = _outside(read, mistyped)
    abroad = list(_international(text, budget)) if "phone" in kinds else []
    if abroad:
        # A tax number may begin with two zeros, as a call abroad does.
        numbers = list(numbers)
        taken = _joined(sorted(mistyped + [(one.start, one.end) for one in numbers if one.kind == "tax"]))
        abroad = list(_outside(abroad, taken))
    yield from (one for one, valid in accounts if valid)
    yield from _corsican(text, budget) if "nir" in kinds else ()
    yield from _vat(text, budget) if "vat" in kinds else ()
    yield from abroad
    yield from _slashed(text, regions, budget) if "phone" in kinds else ()
    yield from (one for one in numbers if one.kind in kinds)


def known_value(text: str, regions: tuple[str, ...]) -> set[str]:
    """The compact forms under which a value written by a person may be found again."""
    phones = (_phone(text, region) for region in (None, *regions))
    return {compact(text), text.strip().casefold(), *filter(None, phones)}
