"""`/v1/embeddings` of OpenAI: texts, and the vector of each.

Every text is read as what the user says: it goes to the model's endpoint as a question does. What is no text (tokens)
is refused unless the owner wants it unread. Of an answer model, vectors and tokens are handed on; a vector that is
written as base64 must be one.
"""

import binascii
from typing import Any, Required, TypedDict

import msgspec

from aloi.solutions.gateway.dialects.bodies import body_of, fitted, missing, understood
from aloi.solutions.gateway.dialects.contents import Unread, unreadable
from aloi.solutions.gateway.dialects.dialect import Answered, Asked, Beside, Body, Broken, Reading, Writing
from aloi.solutions.gateway.dialects.openai_forms import Usage, coded, error_body
from aloi.solutions.gateway.dialects.surroundings import Places, surroundings
from aloi.system.messages import Message, Request, Response
from aloi.system.openai import ANSWER_LIMIT

_NAMES = frozenset({"input", "model", "user", "dimensions", "encoding_format"})
_PLACES = Places(read={"input": None, "input[]": None}, names=_NAMES)
_FLOAT = 4  # bytes of a number in base64


class _Form(msgspec.Struct):
    input: Any = None


class _Vector(TypedDict, total=False):
    index: int | None
    embedding: Required[list[float] | str]


class _Answer(TypedDict, total=False):
    data: Required[list[_Vector]]
    model: str | None
    usage: Usage | None


class Embeddings:
    """The embeddings of OpenAI. `unread` tells what is done with what guards cannot read."""

    path = "/v1/embeddings"
    asks = False
    speaks = False

    def __init__(self, *, unread: Unread = "refuse") -> None:
        self._unread = unread
        self._answers = msgspec.json.Decoder(_Answer)

    def read(self, body: bytes) -> Asked:
        """A client's request. Raises Malformed."""
        given = body_of(body, _NAMES)
        texts = self._texts(fitted(given, _Form).input)
        messages = tuple(Message(role="user", content=text) for text in texts)
        return Asked(body=given, request=Request(prompt="", messages=messages, max_tokens=1, temperature=1.0))

    def beside(self, asked: Asked) -> list[Beside]:
        """What can carry a text beside the texts themselves."""
        return surroundings(asked.body, _PLACES, passes=self._unread == "pass")

    def sent(self, asked: Asked, request: Request) -> Body:
        """The client's body with the texts that guards left."""
        was = asked.request
        if request.messages == was.messages:
            return asked.body
        texts = [message.content for message in request.messages]
        return asked.body | {"input": texts[0] if isinstance(asked.body["input"], str) else texts}

    def answer(self, document: bytes, limit: int = ANSWER_LIMIT) -> Answered:
        """An upstream's whole answer. Raises Broken."""
        answer = understood(document, self._answers, limit)
        usage = answer.get("usage")
        vectors = [
            {"object": "embedding", "index": one.get("index") or 0, "embedding": _vector(one["embedding"])}
            for one in answer["data"]
        ]
        told: Body = {"object": "list", "data": vectors, "model": coded(answer.get("model"))}
        if usage is not None:
            told["usage"] = usage
        return Answered(
            document=told, response=Response(text="", prompt_tokens=(usage or {}).get("prompt_tokens") or 0)
        )

    def written(self, asked: Asked, answered: Answered | None, response: Response) -> Body:  # noqa: ARG002 - as all dialects
        """The answer to the client; a blocked request has none, and is told as an error."""
        assert answered is not None
        model = asked.body.get("model", "")
        return answered.document | {"model": answered.document["model"] or model}

    def reading(self, limit: int = ANSWER_LIMIT) -> Reading:  # noqa: ARG002 - as all dialects
        """There are no streams of vectors."""
        raise AssertionError("vectors are not streamed")

    def writing(self, asked: Asked) -> Writing:  # noqa: ARG002 - as all dialects
        """There are no streams of vectors."""
        raise AssertionError("vectors are not streamed")

    def error(self, status: int, kind: str, message: str, field: str = "") -> Body:
        """An error in the protocol's own form."""
        return error_body(status, kind, message, field)

    def _texts(self, given: Any) -> list[str]:
        if given is None:
            missing("input")
        if isinstance(given, str):
            return [given]
        if isinstance(given, list) and all(isinstance(one, str) for one in given):
            return given
        if self._unread == "refuse" or (isinstance(given, list) and any(isinstance(one, str) for one in given)):
            unreadable("input", "tokens")
        return []


def _vector(given: list[float] | str) -> list[float] | str:
    if isinstance(given, str):
        try:
            size = len(binascii.a2b_base64(given, strict_mode=True))
        except (binascii.Error, ValueError):
            size = -1
        if size < 0 or size % _FLOAT:
            raise Broken("malformed", "a vector is none")
    return given
