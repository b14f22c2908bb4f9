"""The labelled corpus of the bench: texts drawn from the grammar, and where the values in them stand."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml
from msgspec import Struct

from benchmarks.solutions.personal_data import values

_HERE = Path(__file__).parent
GRAMMAR: dict[str, Any] = yaml.safe_load((_HERE / "grammar.yaml").read_bytes())
# The same ways of writing, in other sentences: those of AFTER and LATER, and those of OTHER, by another author, were
# each measured once as they came, and then showed what the filters missed, and mended them.
AFTER: dict[str, Any] = {**GRAMMAR, **yaml.safe_load((_HERE / "grammar-after.yaml").read_bytes())}
LATER: dict[str, Any] = {**GRAMMAR, **yaml.safe_load((_HERE / "grammar-later.yaml").read_bytes())}
OTHER: dict[str, Any] = {**GRAMMAR, **yaml.safe_load((_HERE / "grammar-other.yaml").read_bytes())}
KINDS = tuple(GRAMMAR["phrases"])
_SEPARATORS = {
    "iban": "grouped",
    "card": "card",
    "nir": "grouped",
    "siren": "company",
    "siret": "company",
    "vat": "company",
    "tax": "company",
    "phone": "phone",
}
Grammar = dict[str, Any]
_MARK = "\ue000"


class Labelled(Struct, frozen=True):
    """One text; `kind` and the place of its value. A near miss is not labelled: nothing in it may be masked."""

    text: str
    language: str
    kind: str
    start: int
    end: int
    miss: bool


def corpus(rng: random.Random, count: int, grammar: Grammar = GRAMMAR) -> Iterator[Labelled]:
    """`count` values and as many near misses of each kind in each language."""
    for language in ("fr", "en"):
        for kind in KINDS:
            for miss in (False, True):
                for _ in range(count):
                    yield labelled(rng, grammar, language, kind, miss=miss)


def labelled(rng: random.Random, grammar: Grammar, language: str, kind: str, *, miss: bool) -> Labelled:
    """One text with one value, or one near miss, in it."""
    value = written(rng, language, kind, miss=miss)
    genre = rng.choice(["letter", "ticket", "chat", "list", "table", "code"][: None if grammar is GRAMMAR else 4])
    if kind == "credential" and genre in {"table", "code"}:
        genre = "chat"
    match genre:
        case "table":
            text = _table(rng, language, kind)
        case "code":
            text = _code(rng, language, kind)
        case _:
            text = _framed(rng, grammar, language, kind, genre)
    start = text.index(_MARK)
    text = text.replace(_MARK, value, 1)
    return Labelled(text, language, kind, start, start + len(value), miss)


def written(rng: random.Random, language: str, kind: str, *, miss: bool) -> str:
    """A value as people write it."""
    maker = values.phone_fr if kind == "phone" and language == "fr" else values.phone_en
    groups = (maker if kind == "phone" else getattr(values, kind))(rng, miss)
    if kind == "plate":
        return rng.choice(["-", "-", " "]).join(groups)
    chances: dict[str, int] = GRAMMAR["separators"][_SEPARATORS.get(kind, "plain")]
    separator = rng.choices(list(chances), weights=list(chances.values()))[0]
    if separator == "\n":
        # A line ends once within a number, not beside its first or last group.
        broken = rng.randrange(2, len(groups) - 1) if len(groups) > 3 else 0
        text = "".join(("\n" if at == broken and at else " " if at else "") + group for at, group in enumerate(groups))
    else:
        text = separator.join(groups)
    return text.lower() if kind == "iban" and rng.randrange(100) < GRAMMAR["lower"] else text


def _filled(rng: random.Random, template: str, **given: str) -> str:
    """A template with everything in braces drawn."""
    text = template
    for name, draw in (*_DRAWN.items(), *values.LOOKALIKES.items()):
        while f"{{{name}}}" in text:
            text = text.replace(f"{{{name}}}", draw(rng), 1)
    return text.format(**given) if given else text.replace("{{", "{").replace("}}", "}")


_DRAWN: dict[str, Callable[[random.Random], str]] = {
    "name": lambda rng: str(rng.choice(GRAMMAR["names"])),
    "company": lambda rng: str(rng.choice(GRAMMAR["companies"])),
    "city": lambda rng: str(rng.choice(GRAMMAR["cities"])),
}


def _lookalike(rng: random.Random, grammar: Grammar, language: str) -> str:
    return _filled(rng, rng.choice(grammar["lookalikes"][language]))


def _framed(rng: random.Random, grammar: Grammar, language: str, kind: str, genre: str) -> str:
    phrase = _filled(rng, rng.choice(grammar["phrases"][kind][language]).replace("{v}", _MARK))
    text = GRAMMAR["frames"][language][genre]
    for name in ("o1", "o2"):
        text = text.replace(f"{{{name}}}", _lookalike(rng, grammar, language))
    return _filled(rng, text).replace("{p}", phrase)


def _table(rng: random.Random, language: str, kind: str) -> str:
    """A table of three rows; the value stands in one of them, the others hold none."""
    sign, edge = rng.choice([(" | ", "| "), (";", ""), ("\t", "")])
    heading = GRAMMAR["columns"][kind][language]
    rows = [[_DRAWN["name"](rng), values.date(rng), "-", values.amount(rng)] for _ in range(3)]
    rows[rng.randrange(3)][2] = _MARK
    lines = [
        [{"fr": "Nom", "en": "Name"}[language], "Date", heading, {"fr": "Montant", "en": "Amount"}[language]],
        *rows,
    ]
    return "\n".join(edge + sign.join(line) + edge.rstrip() for line in lines)


def _code(rng: random.Random, language: str, kind: str) -> str:
    line = rng.choice(GRAMMAR["code"]).replace("{v}", _MARK).replace("{k}", GRAMMAR["keys"][kind])
    line = line.replace("{n}", values.digits(rng, 6)).replace("{{", "{").replace("}}", "}")
    before, after = (_filled(rng, rng.choice(GRAMMAR["lookalikes"]["code"])) for _ in range(2))
    return f"```\n{before}\n{line}\n{after}\n```\n{_lookalike(rng, GRAMMAR, language)}"
