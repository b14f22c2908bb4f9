"""The phrases of all languages, compiled: an assistant may refuse in another language than it was asked in."""

import re
from collections.abc import Iterator
from functools import cache

from aloi.science.refusals.tables import LANGUAGES, table

SLOT = re.compile(r"\{([a-z]+)\}")
# `bare` and `whole` are all that a sentence says; the others stand anywhere in it, or where rule.py looks for them.
KINDS = (
    "refuses",
    "fillers",
    "whole",
    "bare",
    "reports",
    "gives",
    "yields",
    "but",
    "concedes",
    "supposes",
    "refers",
    "numbers",
    "defers",
    "preaches",
    "courtesy",
)
# Where a phrase may begin. Arabic writes "and" and "so" onto the next word; Chinese does not part words.
BEGIN = {"ar": r"\b[وف]?", "zh": ""}
LETTERS = {"ar": re.compile(r"[\u0620-\u064a]"), "zh": re.compile(r"[\u4e00-\u9fff]")}
LATIN = re.compile(r"[a-z]")


@cache
def written(language: str) -> dict[str, list[str]]:
    """The patterns of a language by kind, with their words filled in."""
    phrases = table(f"phrases/{language}")
    words = phrases["words"]

    def fill(match: re.Match[str]) -> str:
        return SLOT.sub(fill, words[match[1]])

    return {kind: [SLOT.sub(fill, pattern) for pattern in phrases[kind]] for kind in KINDS}


@cache
def compiled(kind: str, language: str) -> re.Pattern[str]:
    """The phrases of a kind in a language as one pattern."""
    begin = "" if kind in {"whole", "bare"} else BEGIN.get(language, r"\b")
    return re.compile(f"{begin}(?:{'|'.join(written(language)[kind])})")


def _patterns(kind: str, text: str) -> Iterator[re.Pattern[str]]:
    """The phrases of a kind in the languages that are written in letters of this text."""
    for language in LANGUAGES:
        if LETTERS.get(language, LATIN).search(text):
            yield compiled(kind, language)


def find(kind: str, text: str) -> re.Match[str] | None:
    """The first place, over all languages, where a phrase of a kind stands."""
    found = (match for pattern in _patterns(kind, text) if (match := pattern.search(text)))
    return min(found, key=lambda match: match.start(), default=None)


def find_all(kind: str, text: str) -> list[re.Match[str]]:
    """Every place where a phrase of a kind stands, from the first."""
    return sorted((m for pattern in _patterns(kind, text) for m in pattern.finditer(text)), key=lambda m: m.start())


def without_fillers(text: str) -> str:
    """A sentence without the adverbials that may stand anywhere: "I cannot, at this time, tell" is "I cannot tell"."""
    for pattern in _patterns("fillers", text):
        text = pattern.sub("\0", text)
    return re.sub(r"\s+", " ", re.sub("[ ,]*\0[ ,]*", " ", text)).strip() if "\0" in text else text


def is_all(kind: str, text: str) -> bool:
    """Whether a sentence is nothing but a phrase of a kind."""
    return any(pattern.fullmatch(text) for pattern in _patterns(kind, text))
