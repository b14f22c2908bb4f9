"""Draws of a scenario: names, numbers, canaries. What was drawn can be found again in a text, so that texts are read
back by who knows the scenario (`aloi.testing` does)."""

import random
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from aloi.science.grammar import SLOT

CANARY = "BCDFGHJKLMNPQRSTVWXZ23456789"
FREE = "free"

Values = dict[str, str]
Draws = Mapping[str, Any]  # by slot: texts, texts by language, or a kind such as '=digits 5'


def options(draws: Draws, slot: str, language: str) -> list[str] | str:
    """The texts that a slot may be, or its kind."""
    drawn = draws[slot]
    if isinstance(drawn, dict):
        drawn = drawn[language]
    return drawn if isinstance(drawn, str) else list(drawn)


def draw(draws: Draws, language: str, rng: random.Random, given: Values) -> Values:
    """A value for each slot, in the order in which they are declared; `given` values stand. Slots nest."""
    values = dict(given)
    for slot in draws:
        if slot not in values:
            values[slot] = _value(draws, slot, language, rng, values)
    return values


def _value(draws: Draws, slot: str, language: str, rng: random.Random, values: Values) -> str:
    choices = options(draws, slot, language)
    if isinstance(choices, str):
        return made(choices, rng, values)
    return fill(rng.choice(choices), values)


def fill(template: str, values: Mapping[str, str]) -> str:
    """A template with its slots filled. Raises KeyError for a slot that has no value."""
    return SLOT.sub(lambda match: values[match[1]], template)


def made(kind: str, rng: random.Random, values: Values) -> str:
    """A value of a kind: one of `KINDS` and what it needs, such as `=digits 5` or `=mail SLOT DOMAIN`."""
    name, *more = kind.removeprefix("=").split()
    return KINDS[name](rng, values, more)


def _canary(rng: random.Random, _: Values, __: list[str]) -> str:
    letters = "".join(rng.choices(CANARY, k=8))
    return f"{letters[:4]}-{letters[4:]}"


def _iban(rng: random.Random, _: Values, __: list[str]) -> str:
    """A French IBAN of the bank code 19990, which no bank has; its check digits hold (ISO 13616, ISO 7064 mod 97)."""
    bank, branch, number = 19990, 1, rng.randrange(10**11)
    key = 97 - (89 * bank + 15 * branch + 3 * number) % 97
    bban = f"{bank:05d}{branch:05d}{number:011d}{key:02d}"
    return f"FR{98 - int(f'{bban}152700') % 97:02d}{bban}"


KINDS: dict[str, Callable[[random.Random, Values, list[str]], str]] = {
    "amount": lambda rng, _, more: f"{rng.randrange(100 * int(more[0]), 100 * int(more[1])) / 100:.2f}",
    "canary": _canary,
    "cents": lambda _, values, more: str(int(Decimal(values[more[0]]) * 100)),
    "digits": lambda rng, _, more: str(rng.randrange(10 ** (int(more[0]) - 1), 10 ** int(more[0]))),
    "hex": lambda rng, _, more: f"{rng.getrandbits(4 * int(more[0])):0{more[0]}x}",
    "iban": _iban,
    "mail": lambda _, values, more: f"{mailbox(values[more[0]])}@{more[1]}",
}
PATTERNS = {
    "canary": r"[B-DF-HJ-NP-TV-XZ2-9]{4}-[B-DF-HJ-NP-TV-XZ2-9]{4}",
    "cents": r"\d+",
    "digits": r"\d+",
    "hex": r"[0-9a-f]+",
    "amount": r"\d+\.\d\d",
    "iban": r"FR\d{12}[0-9A-Z]{11}\d\d",
    "mail": r"[a-z]+\.[a-z]+@[a-z.-]+[a-z]",
    FREE: r"(?s:.*?)",
}


def pattern(draws: Draws, slot: str, language: str) -> str:
    """The expression of all that a slot may be."""
    choices = options(draws, slot, language)
    if isinstance(choices, str):
        return PATTERNS[choices.removeprefix("=").split()[0]]
    return "|".join(_nested(draws, choice, language) for choice in choices)


def _nested(draws: Draws, template: str, language: str) -> str:
    parts, end = [], 0
    for match in SLOT.finditer(template):
        parts += [re.escape(template[end : match.start()]), f"(?:{pattern(draws, match[1], language)})"]
        end = match.end()
    return "".join([*parts, re.escape(template[end:])])


def expression(draws: Draws, template: str, language: str) -> str:
    """The expression of all that a template may become; each slot is a group of its name."""
    parts: list[str] = []
    end, seen = 0, set()
    for match in SLOT.finditer(template):
        slot = match[1]
        parts.append(re.escape(template[end : match.start()]))
        parts.append(f"(?P={slot})" if slot in seen else f"(?P<{slot}>{pattern(draws, slot, language)})")
        seen.add(slot)
        end = match.end()
    return "".join([*parts, re.escape(template[end:])])


def mailbox(name: str) -> str:
    """The local part of a person's address: `Anna Keller` is anna.keller."""
    return ".".join(name.casefold().split())
