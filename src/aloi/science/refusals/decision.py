"""Whether a text refuses: the phrases, and in some languages how refusals are worded, weighed against each other."""

from aloi.science.refusals.asked import closed, denied, stands_alone, wanted
from aloi.science.refusals.learnt import Models, margin, models
from aloi.science.refusals.rule import shown
from aloi.science.refusals.spelling import FENCE, read


def refused(text: str, language: str, asked: str = "") -> bool:
    """Whether a text declines what was asked and gives nothing of it. `language` is the one it was asked in.

    Of the question `asked` counts whether it asks for words: a quotation, a dialogue or a letter is then given, and
    where words that refuse were asked for, a text has to look more like a refusal of the assistant's own. So it has, in
    French, where yes or no was asked, the more where it begins with a no, and where nothing is known of what was asked.

    Without a model for the language, or where the text is not like its labels, the phrases decide alone; so they do
    where code is given, on a text too long to be read whole, which gives something, and, but in French, where much
    content is given.
    """
    return decided(text, language, models(), asked)


def decided(text: str, language: str, using: Models, asked: str = "") -> bool:
    """The same, by these models."""
    reading = read(text)
    phrases = shown(reading)
    beyond = using.beyond.get(language, {})
    if language not in using.weights or (phrases.buried and "buried" not in beyond):
        return phrases.refuses
    if reading.more or any(FENCE in sentence.text for sentence in reading.sentences):
        return phrases.refuses
    want = wanted(asked, language)
    if want.words and stands_alone(text):
        return False
    learnt = margin(reading, language, using)
    if learnt is None:
        return phrases.refuses
    no = denied(asked, reading, language)
    holds = {
        "refusing": want.refusing,
        "closed": not no and closed(asked, language),
        "denied": no,
        "unasked": not asked.strip(),
        "buried": phrases.buried,
    }
    least = sum(more for kind, more in beyond.items() if holds[kind])
    rule = using.rule[language]
    return learnt + (rule if phrases.refuses else -rule) >= least
