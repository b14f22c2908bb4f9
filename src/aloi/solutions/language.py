"""The language of a text by its function words: small, and enough to choose a threshold and to group results."""

from functools import cache

from aloi.solutions.tables import table

UNKNOWN = "und"
# Languages are told from their most frequent words, so the beginning of a text suffices.
_CHARACTERS, _WORDS = 4_000, 400
_EDGES = ".,;:!?\"'()[]{}«»\u2018\u2019\u201c\u201d*#_-/\\<>"


@cache
def _known() -> dict[str, tuple[str, ...]]:
    """For each function word, the languages that use it."""
    words: dict[str, tuple[str, ...]] = {}
    for code, listed in table("languages")["words"].items():
        for word in listed.split():
            words[word] = (*words.get(word, ()), code)
    return words


def language(text: str) -> str:
    """The ISO 639-1 code of a text that was folded before, or 'und' where none or several fit as well.

    A word that several languages use counts in part for each.
    """
    votes: dict[str, float] = {}
    known = _known()
    for word in text[:_CHARACTERS].lower().replace("'", " ").replace("\u2019", " ").split()[:_WORDS]:
        codes = known.get(word.strip(_EDGES), ())
        for code in codes:
            votes[code] = votes.get(code, 0.0) + 1 / len(codes)
    ranked = sorted(votes, key=lambda code: (-votes[code], code))
    if not ranked or (len(ranked) > 1 and votes[ranked[0]] == votes[ranked[1]]):
        return UNKNOWN
    return ranked[0]
