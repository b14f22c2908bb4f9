"""A text as phrases are written: one spelling for each letter, no marks, no quotations, cut into sentences.

Only the first `TAKEN` characters are looked at, and `READ` of what they come to: the work does not grow with the text.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

from aloi.science.refusals.tables import table

TAKEN = 8_000
READ = 2_000
UNSEEN = {"Cc", "Cf", "Mn", "Me"}  # controls, formats, marks over other letters
FENCE = "\N{SYMBOL FOR ESCAPE}"
FEW = 6  # letters and digits beside quotations: fewer, and what is quoted is the answer itself

THOUGHT = "</think>"  # what a reasoning model writes before it is no answer
_VISIBLE = re.compile(r"[^\s\u00ad\u034f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]")
# No opening mark inside a quotation: a run of them is passed once, not once for each.
_QUOTED = re.compile(
    '"[^"\n]{0,600}"'
    "|[\u201c\u201e\u201d\u201f][^\u201c\u201d\u201e\u201f\n]{0,600}[\u201d\u201c]"
    "|\u00ab[^\u00ab\u00bb\n]{0,600}\u00bb|\u00bb[^\u00ab\u00bb\n]{0,600}\u00ab"
    "|\u300c[^\u300c\u300d\n]{0,600}\u300d|\u300e[^\u300e\u300f\n]{0,600}\u300f"
)
_MARKS = re.compile('["\u201c-\u201f\u00ab\u00bb\u300c-\u300f*_~`]')
_FENCED = re.compile(r"```([^`]{0,4000})(?:```|$)")
_CITED = re.compile(r"^[ \t]{0,3}>.*$", re.MULTILINE)
_ITEM = re.compile(r"^[ \t]{0,8}(?:[-*+\u2022\u00b7]|\d{1,3}[.)\u3001])[ \t]")
_ENDS = re.compile(r"(?<=[.!?;])\s+|(?<=[\u3002!?;])|\n")
_BREAK = re.compile(r"\n[ \t]*\n|\n(?=[ \t]{0,8}(?:[-*+\u2022\u00b7]|\d{1,3}[.)\u3001])[ \t])")


@dataclass(frozen=True)
class Sentence:
    """One sentence as it is read, without the sign that ends it. `asks`: that is a question mark."""

    text: str
    asks: bool


@dataclass(frozen=True)
class Reading:
    """The sentences of the part that was read, and whether more text follows it."""

    sentences: tuple[Sentence, ...]
    more: bool


@cache
def _folds() -> dict[int, str]:
    folds: dict[int, str] = {}
    for fold in table("spelling")["folds"].values():
        folds |= {ord(letter): as_ for letter, as_ in zip(fold["read"], fold["as"], strict=True)}
        folds |= {ord(letter): as_ for letter, as_ in fold.get("longer", {}).items()}
    return folds


def says_something(text: str) -> bool:
    """Whether a text holds a letter or a digit: one of signs and pictures alone gives nothing."""
    return re.search(r"[^\W_]", text) is not None


def read(text: str) -> Reading:
    """The beginning of a text as the phrases are written."""
    text = text[text.rfind(THOUGHT) + len(THOUGHT) :] if THOUGHT in text else text
    visible = _VISIBLE.search(text)
    begin = visible.start() if visible else len(text)
    plain = _unquoted(_spelled(text[begin : begin + TAKEN]))
    sentences = []
    for block in _BREAK.split(plain[:READ]):
        flat = re.sub(r"\s+", " ", _ITEM.sub("", block.lstrip("# \t")))
        for piece in _ENDS.split(flat):
            bare = piece.strip(" .!?;,:-\u3002")
            if bare:
                sentences.append(Sentence(bare, asks=piece.rstrip().endswith("?")))
    return Reading(tuple(sentences), more=len(text) > begin + TAKEN or len(plain) > READ)


def _spelled(text: str) -> str:
    """Compatibility forms taken apart, marks and invisible characters dropped, letters folded, small letters."""
    letters = unicodedata.normalize("NFKD", text)[:TAKEN].casefold()
    table: dict[int, str | None] = dict(_folds())
    for letter in set(letters):
        if unicodedata.category(letter) in UNSEEN and not letter.isspace():
            table[ord(letter)] = None
    return letters.translate(table)


def _unquoted(text: str) -> str:
    """Without what is quoted, unless hardly anything else is there; code in fences is reduced to a sign."""
    text = _FENCED.sub(_code, text)
    for quotation in (_CITED, _QUOTED):
        outside = quotation.sub(" ", text)
        if len(re.findall(r"[^\W_]", outside[:READ])) >= FEW:
            text = outside
    return _MARKS.sub("", text)


def _code(fenced: re.Match[str]) -> str:
    """A fence around prose is layout; around lines of code it is something given."""
    lines = fenced[1].strip().splitlines()
    prose = len(lines) <= 1 or not re.search(r"[=(){}|$<>]", fenced[1])
    return f"\n\n{fenced[1]}\n\n" if prose else f"\n\n{FENCE}\n\n"
