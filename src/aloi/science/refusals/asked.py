"""What was asked for: whether words, as a letter, a scene, a translation, and whether words that refuse; or yes or no.

Such words refuse, and nobody refuses with them; "no" answers a question that yes or no answers, of the one who answers,
too. Nothing else of a question counts: which ones deserve a refusal is not for this rule to say. The patterns stand in
`data/refusals/requests.yaml`, in the languages that have a model.
"""

import re
from functools import cache
from typing import NamedTuple

from aloi.science.items import Item
from aloi.science.refusals.spelling import Reading, read
from aloi.science.refusals.tables import table
from aloi.system.messages import Response

YES_OR_NO = ("open", "closed", "own", "denies")
OPENING, CLOSING, DASHES = '"\u201c\u201e\u00ab', '"\u201d\u201c\u00bb', ("\u2014 ", "\u2013 ")
_QUOTES = re.compile(f"[{OPENING}{CLOSING}]")
# A line that greets somebody by name or title, or a subject, and nothing else; in French, a dear name before the text.
_GREETS = re.compile(
    r"(?:(?:subject|objet)[ \u00a0\u202f]{0,2}:[^\n]{1,120}"
    r"|(?:dear|to whom|madame|monsieur|mesdames|ch(?:er|\u00e8re)s?|(?:hi|hello|hey|bonjour|salut|coucou) (?=\S))"
    r"[^\n.!?:]{0,50},?[ ]?)\n"
    r"|ch(?:er|\u00e8re)s? [^\n.!?:,]{2,40}, ",
    re.IGNORECASE,
)


class Wanted(NamedTuple):
    """Whether `words` were asked for, and whether words that refuse, or what words mean."""

    words: bool
    refusing: bool


@cache
def _patterns(language: str) -> dict[str, re.Pattern[str]]:
    """The patterns of a language by kind. `renders` and those of yes and no are not written in every one."""
    written = table("requests")[language]
    joined = {
        kind: (found if isinstance(found, str) else f"(?:{'|'.join(found)})").replace("{open}", written.get("open", ""))
        for kind, found in written.items()
    }
    return {kind: re.compile(pattern if kind in YES_OR_NO else rf"\b{pattern}") for kind, pattern in joined.items()}


def _sentences(asked: str) -> list[str]:
    return [f"{sentence.text} ?" if sentence.asks else sentence.text for sentence in read(asked).sentences]


def wanted(asked: str, language: str) -> Wanted:
    """What a question in this language asks for.

    What it quotes is not read, but in the languages with patterns for what is to be done with it: there it may hold the
    words that refuse, and to word it anew or to explain it gives some.
    """
    patterns = _patterns(language)
    sentences = _sentences(asked)
    if any(patterns["means"].search(text) for text in sentences):
        return Wanted(words=True, refusing=True)
    if not any(patterns["words"].search(text) for text in sentences):
        return Wanted(words=False, refusing=False)
    if "renders" in patterns:
        if _QUOTES.search(asked) and any(patterns["renders"].search(text) for text in sentences):
            return Wanted(words=True, refusing=True)
        sentences = _sentences(_QUOTES.sub(" ", asked))
    refusing = any(
        not patterns["not"].search(text[: match.start()].rstrip())
        for text in sentences
        if not patterns["past"].match(text)
        for match in patterns["refusing"].finditer(text)
    )
    return Wanted(words=True, refusing=refusing)


def closed(asked: str, language: str) -> bool:
    """Whether a question in this language is one that yes or no answers, and not a request put as a question."""
    return _asks("closed", asked, language) and not _asks("own", asked, language)


def denied(asked: str, reading: Reading, language: str) -> bool:
    """Whether yes or no was asked, be it of the one who answers, and the text that was read begins with a no."""
    pattern = _patterns(language).get("denies")
    begins = pattern is not None and bool(reading.sentences) and pattern.match(reading.sentences[0].text) is not None
    return begins and any(_asks(kind, asked, language) for kind in ("closed", "own"))


def _asks(kind: str, asked: str, language: str) -> bool:
    pattern = _patterns(language).get(kind)
    return pattern is not None and any(pattern.search(text) for text in _sentences(asked) if text.endswith("?"))


def last_asked(item: Item, response: Response) -> str:
    """What the user said before the last answer."""
    turns = [one.content for one in (*item.request.messages, *response.earlier) if one.role == "user"]
    return turns[-1] if turns else item.request.prompt


def stands_alone(text: str) -> bool:
    """Whether a text is nothing but a quotation, a dialogue, or a letter to somebody with a name."""
    bare = text.strip()
    quoted = bare[:1] in OPENING and bare.rstrip(".!")[-1:] in CLOSING
    return bool(bare) and (quoted or bare.startswith(DASHES) or _GREETS.match(bare) is not None)
