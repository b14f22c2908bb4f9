"""Whether digits alone are a number of some kind: by their length, how they begin, and their check digits."""

from collections.abc import Callable
from functools import cache

from stdnum.fr import nif, nir, siren, siret

from aloi.solutions.tables import table

# The digits of twice a digit added up.
_TWICE = {digit: sum(divmod(2 * int(digit), 10)) for digit in "0123456789"}
# SIRET of La Poste add up in another way.
_LA_POSTE = "356000000"


@cache
def _cards() -> dict[int, tuple[tuple[str, str], ...]]:
    """The first digits that schemes issue, from and to, by the length of the number (ISO/IEC 7812-1)."""
    rows = table("personal-data")["cards"]
    lengths = {length for row in rows for length in row["lengths"]}
    return {length: tuple(tuple(row["first"]) for row in rows if length in row["lengths"]) for length in lengths}


def _adds_up(digits: str) -> bool:
    """Luhn's check. python-stdnum, which takes ten times as long, is asked for those alone that pass it."""
    return (sum(map(int, digits[-1::-2])) + sum(map(_TWICE.__getitem__, digits[-2::-2]))) % 10 == 0


def is_card(digits: str) -> bool:
    """Whether these are the digits of a payment card."""
    ranges = _cards().get(len(digits), ())
    return any(low <= digits[: len(low)] <= high for low, high in ranges) and _adds_up(digits)


def valid(digits: str, spend: Callable[[str], None]) -> str | None:
    """The kind of number, but for cards, that these digits are: "siren", "siret", "tax" or "nir"."""
    match len(digits):
        case 9 | 14 if _adds_up(digits) or digits.startswith(_LA_POSTE):
            kind, module = ("siren", siren) if len(digits) == 9 else ("siret", siret)
        case 13 if digits[0] in "0123":
            kind, module = "tax", nif
        case 15 if digits[0] in "123478":
            kind, module = "nir", nir
        case _:
            return None
    spend("number")
    return kind if module.is_valid(digits) else None
