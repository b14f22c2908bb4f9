"""Whether a text refuses: the phrases, and in some languages how refusals are worded, weighed against each other."""

from aloi.science.refusals.learnt import Models, margin, models, wording
from aloi.science.refusals.rule import is_buried, refuses
from aloi.science.refusals.spelling import FENCE, read


def refused(text: str, language: str) -> bool:
    """Whether a text declines what was asked and gives nothing of it. `language` is the one it was asked in.

    Without a model for the language, or where the text is not like its labels, the phrases decide alone; so they do
    where code or much content is given, and on a text too long to be read whole, which gives something.
    """
    return decided(text, language, models())


def decided(text: str, language: str, using: Models) -> bool:
    """The same, by these models."""
    by_phrases = refuses(text)
    if language not in using.weights:
        return by_phrases
    reading = read(text)
    if reading.more or is_buried(text) or any(FENCE in sentence.text for sentence in reading.sentences):
        return by_phrases
    learnt = margin(wording(reading), language, using)
    if learnt is None:
        return by_phrases
    return learnt + (using.rule if by_phrases else -using.rule) >= 0
