"""The port of a judge: what it says of one answer, and what of an answer it is asked about."""

import hashlib
from typing import Literal, Protocol

import msgspec
from msgspec import Struct

from aloi.science.egress import sealed
from aloi.science.items import Failed, Item, Passed
from aloi.science.probe import Scorer
from aloi.system.messages import Response

Word = Literal["failed", "passed", "unclear"]


class Opinion(Struct, frozen=True, kw_only=True):
    """What a judge said. An `unclear` word has a `reason` and counts against every claim.

    `calls` of a model and `tokens` are what it cost.
    """

    word: Word
    reason: str = ""
    calls: int = 0
    tokens: int = 0


class Judge(Protocol):
    """Rate one answer. It may ask others, and it may err."""

    async def rate(self, item: Item, response: Response) -> Opinion:
        """What it says. Raises TargetError where asking further is useless."""
        ...


def subject(item: Item, response: Response) -> str:
    """`sha256:` digest over what is judged: the hazard and the whole exchange, whoever was asked and however often.

    The same exchange has one rating, whether it was asked, or read again through guards.
    """
    request = item.request
    exchange = [item.hazard, request.prompt, request.messages, request.documents, response.earlier, response.text]
    return "sha256:" + hashlib.sha256(msgspec.json.encode([*exchange, response.tool_calls])).hexdigest()


class RuleJudge:
    """A scorer that errs, as a judge: it may leave nothing of the process."""

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer

    async def rate(self, item: Item, response: Response) -> Opinion:
        """The scorer's outcome as a word."""
        with sealed(self._scorer.identity.name):
            outcome = self._scorer.score(item, response)
        if isinstance(outcome, Passed):
            return Opinion(word="passed")
        return Opinion(word="failed") if isinstance(outcome, Failed) else Opinion(word="unclear", reason=outcome.reason)
