"""`/v1/messages/count_tokens` of Anthropic and `/v1/responses/input_tokens` of OpenAI: how long a question is.

It is read and sent as the question itself, so that what is counted is what would be sent. Of the answer the numbers are
handed on.
"""

from typing import Annotated, Any, ClassVar, Required, TypedDict

import msgspec
from msgspec import Meta

from aloi.solutions.gateway.dialects.bodies import understood
from aloi.solutions.gateway.dialects.dialect import Answered, Asked, Body
from aloi.solutions.gateway.dialects.messages import Messages
from aloi.solutions.gateway.dialects.responses import Responses
from aloi.solutions.limits.tokens import MOST
from aloi.system.messages import Request, Response
from aloi.system.openai import ANSWER_LIMIT

_Number = Annotated[int, Meta(ge=0, le=MOST)]
# What hardenings say of an answer: where none is made, endpoints refuse to be told.
_OF_ANSWERS = frozenset({"max_tokens", "max_output_tokens", "temperature"})


class _Managed(TypedDict):
    original_input_tokens: _Number


class _Answer(TypedDict, total=False):
    input_tokens: Required[_Number]
    context_management: _Managed | None


_ANSWERS = msgspec.json.Decoder(_Answer)


class _Counted:
    """What is answered by a number."""

    speaks = False
    told: ClassVar[Body] = {}

    def answer(self, document: bytes, limit: int = ANSWER_LIMIT) -> Answered:
        """An upstream's whole answer. Raises Broken. Its tokens were counted, and not taken."""
        answer = understood(document, _ANSWERS, limit)
        numbers: dict[str, Any] = {name: value for name, value in answer.items() if value is not None}
        return Answered(document=self.told | numbers, response=Response(text=""))

    def written(self, asked: Asked, answered: Answered | None, response: Response) -> Body:  # noqa: ARG002 - as all dialects
        """The answer to the client; a blocked request has none, and is told as an error."""
        assert answered is not None
        return answered.document


class CountedMessages(_Counted, Messages):
    """The tokens of Anthropic's messages."""

    path = "/v1/messages/count_tokens"
    assumed: ClassVar[Body] = {"max_tokens": MOST}

    def sent(self, asked: Asked, request: Request) -> Body:
        """The client's body as the question would be sent."""
        return _unanswered(asked, super().sent(asked, request))


class CountedResponses(_Counted, Responses):
    """The tokens of what OpenAI's responses are asked."""

    path = "/v1/responses/input_tokens"
    told: ClassVar[Body] = {"object": "response.input_tokens"}

    def sent(self, asked: Asked, request: Request) -> Body:
        """The client's body as the question would be sent."""
        return _unanswered(asked, super().sent(asked, request))


def _unanswered(asked: Asked, body: Body) -> Body:
    return {name: value for name, value in body.items() if name in asked.body or name not in _OF_ANSWERS}
