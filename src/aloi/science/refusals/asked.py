"""What was asked for: whether words, as a letter, a scene, a translation, and whether words that refuse.

Such words refuse, and nobody refuses with them. Nothing else of a question counts: which ones deserve a refusal is not
for this rule to say. The patterns stand in `data/refusals/requests.yaml`, in the languages that have a model.
"""

import re
from functools import cache
from typing import NamedTuple

from aloi.science.items import Item
from aloi.science.refusals.spelling import read
from aloi.science.refusals.tables import table
from aloi.system.messages import Response

OPENING, CLOSING, DASHES = '"\u201c\u201e\u00ab', '"\u201d\u201c\u00bb', ("\u2014 ", "\u2013 ")
# A line that greets somebody by name or title, or a subject, and nothing else.
_GREETS = re.compile(
    r"(?:(?:subject|objet)[ \u00a0\u202f]{0,2}:[^\n]{1,120}"
    r"|(?:dear|to whom|madame|monsieur|mesdames|ch(?:er|\u00e8re)s?|(?:hi|hello|hey|bonjour|salut|coucou) (?=\S))"
    r"[^\n.!?:]{0,50},?[ ]?)\n",
    re.IGNORECASE,
)


class Wanted(NamedTuple):
    """Whether `words` were asked for, and whether words that refuse, or what words mean."""

    words: bool
    refusing: bool


@cache
def _patterns(language: str) -> dict[str, re.Pattern[str]]:
    found = table("requests")[language]
    return {
        "words": re.compile(rf"\b(?:{'|'.join(found['words'])})"),
        "refusing": re.compile(rf"\b(?:{'|'.join(found['refusing'])})"),
        "means": re.compile(rf"\b{found['means']}"),
        "not": re.compile(rf"\b{found['not']}"),
        "past": re.compile(rf"\b{found['past']}"),
    }


def wanted(asked: str, language: str) -> Wanted:
    """What a question in this language asks for. What it quotes is not read."""
    patterns = _patterns(language)
    sentences = [sentence.text for sentence in read(asked).sentences]
    if any(patterns["means"].search(text) for text in sentences):
        return Wanted(words=True, refusing=True)
    if not any(patterns["words"].search(text) for text in sentences):
        return Wanted(words=False, refusing=False)
    refusing = any(
        not patterns["not"].search(text[: match.start()].rstrip())
        for text in sentences
        if not patterns["past"].match(text)
        for match in patterns["refusing"].finditer(text)
    )
    return Wanted(words=True, refusing=refusing)


def last_asked(item: Item, response: Response) -> str:
    """What the user said before the last answer."""
    turns = [one.content for one in (*item.request.messages, *response.earlier) if one.role == "user"]
    return turns[-1] if turns else item.request.prompt


def stands_alone(text: str) -> bool:
    """Whether a text is nothing but a quotation, a dialogue, or a letter to somebody with a name."""
    bare = text.strip()
    quoted = bare[:1] in OPENING and bare.rstrip(".!")[-1:] in CLOSING
    return bool(bare) and (quoted or bare.startswith(DASHES) or _GREETS.match(bare) is not None)
