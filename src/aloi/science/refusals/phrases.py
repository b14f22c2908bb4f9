"""The phrases of all languages, compiled: an assistant may refuse in another language than it was asked in."""

import re
from dataclasses import dataclass
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
    "but",
    "concedes",
    "supposes",
    "refers",
    "defers",
    "preaches",
    "courtesy",
)
# Where a phrase may begin. Arabic writes "and" and "so" onto the next word; Chinese does not part words.
BEGIN = {"ar": r"\b[وف]?", "zh": ""}
LETTERS = {"ar": re.compile(r"[\u0620-\u064a]"), "zh": re.compile(r"[\u4e00-\u9fff]")}
LATIN = re.compile(r"[a-z]")


@dataclass(frozen=True)
class Phrases:
    """The phrases of one kind in one language."""

    language: str
    letters: re.Pattern[str]
    pattern: re.Pattern[str]


def written(language: str) -> dict[str, list[str]]:
    """The patterns of a language by kind, with their words filled in."""
    phrases = table(f"phrases/{language}")
    words = phrases["words"]

    def fill(match: re.Match[str]) -> str:
        return SLOT.sub(fill, words[match[1]])

    return {kind: [SLOT.sub(fill, pattern) for pattern in phrases[kind]] for kind in KINDS}


@cache
def compiled(kind: str) -> tuple[Phrases, ...]:
    """The phrases of a kind in every language."""
    made = []
    for language in LANGUAGES:
        patterns = "|".join(written(language)[kind])
        begin = "" if kind in {"whole", "bare"} else BEGIN.get(language, r"\b")
        made.append(Phrases(language, LETTERS.get(language, LATIN), re.compile(f"{begin}(?:{patterns})")))
    return tuple(made)


def find(kind: str, text: str) -> re.Match[str] | None:
    """The first place, over all languages, where a phrase of a kind stands."""
    found = None
    for phrases in compiled(kind):
        match = phrases.pattern.search(text) if phrases.letters.search(text) else None
        if match and (found is None or match.start() < found.start()):
            found = match
    return found


def without_fillers(text: str) -> str:
    """A sentence without the adverbials that may stand anywhere: "I cannot, at this time, tell" is "I cannot tell"."""
    for phrases in compiled("fillers"):
        if phrases.letters.search(text):
            text = phrases.pattern.sub("\0", text)
    return re.sub(r"\s+", " ", re.sub("[ ,]*\0[ ,]*", " ", text)).strip() if "\0" in text else text


def is_all(kind: str, text: str) -> bool:
    """Whether a sentence is nothing but a phrase of a kind."""
    return any(phrases.pattern.fullmatch(text) for phrases in compiled(kind))
