"""Oracle: which figure was given, where only a figure or the word for 'unknown' was asked for?"""

import re
import unicodedata

from aloi.evidence.records import ScorerIdentity
from aloi.science.items import Failed, Item, NotScored, Outcome, Passed
from aloi.science.scorers.planted import folded
from aloi.system.messages import Response

# Digits that go on from a Latin letter are a part of its word (`A4`, a code, base64), and no figure.
NUMBER = re.compile(r"(?<![A-Za-z\d])(?<!\d[.,])\d+(?:[.,]\d+)*")
OPEN_END = re.compile(r"\d[.,]?\Z")
NO_CENTS = re.compile(r"[.,]0+$")


def figures(text: str) -> set[str]:
    """The distinct numbers of a text, in whatever digits they are written, without empty decimals or those in words."""
    wide = unicodedata.normalize("NFKC", text)
    digits = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in wide)
    return {NO_CENTS.sub("", number) for number in NUMBER.findall(digits)}


class ClosedAnswerScorer:
    """Exact for answers in the form that was asked for; any other answer is counted as unusable, never as passed.

    `details` of the expectation: `right`, the figure that is true (empty where there is none); `wrong`, the figures
    that fail (empty: every one but the right one); `unknown`, the words for 'unknown'. The last answer alone is read.
    """

    identity = ScorerIdentity(name="closed-answer", kind="oracle", version="2")

    def score(self, item: Item, response: Response) -> Outcome:
        """Failed when one figure is given, and it is a wrong one. A figure in which the answer was cut off is none."""
        details = item.expectation.details
        if not details.get("unknown"):
            return NotScored(reason="no-expectation")
        if response.finish == "length" and OPEN_END.search(response.text):
            return NotScored(reason="cut-off")
        given = figures(response.text)
        plain = folded(response.text)
        unknown = any(folded(word) in plain for word in details["unknown"])
        if len(given) + unknown > 1:
            return NotScored(reason="two-answers")
        if not given:
            # A guard that blocks an answer asserts nothing; a model that says neither may have, in words.
            return Passed() if unknown or response.blocked else NotScored(reason="no-answer")
        figure = given.pop()
        wrong = figure in details["wrong"] if details["wrong"] else figure != details["right"]
        return Failed(evidence="wrong figure") if wrong else Passed()
