"""An answer of OpenAI's completions, whole or as a stream."""

from typing import Required, TypedDict

import msgspec
from msgspec import Struct

from aloi.solutions.gateway.dialects.chunks import Chunk, ChunkedReading
from aloi.solutions.gateway.dialects.dialect import Answered, Body, Broken
from aloi.solutions.gateway.dialects.openai_forms import DONE, Usage, coded, data, error_body, used
from aloi.solutions.guarded import BLOCKED
from aloi.system.messages import Response
from aloi.system.openai import ANSWER_LIMIT

_FINISHES = frozenset({"stop", "length", "content_filter"})


class _Choice(TypedDict, total=False):
    text: Required[str]
    finish_reason: str | None


class Completion(TypedDict, total=False):
    """The fields of an answer that are read; the others are dropped."""

    id: str | None
    created: int | float | None
    model: str | None
    choices: Required[list[_Choice]]
    usage: Usage | None
    system_fingerprint: str | None


class _Piece(Struct):
    index: int | None = None
    text: str | None = None
    finish_reason: str | None = None


_CHUNKS = msgspec.json.Decoder(Chunk[_Piece])


def answered_as(completion: Completion) -> Answered:
    """An upstream's answer in the protocol's full form. Raises Broken where it is not one choice."""
    if len(completion["choices"]) != 1:
        raise Broken("malformed", f"{len(completion['choices'])} choices")
    choice, usage = completion["choices"][0], completion.get("usage")
    response = Response(
        text=choice["text"],
        finish=choice.get("finish_reason") or "",
        prompt_tokens=(usage or {}).get("prompt_tokens") or 0,
        completion_tokens=(usage or {}).get("completion_tokens") or 0,
    )
    document: Body = {
        "id": coded(completion.get("id")),
        "object": "text_completion",
        "created": int(completion.get("created") or 0),
        "model": coded(completion.get("model")),
        "choices": [choice_of(response.text, finish_reason(response))],
    }
    if usage is not None:
        document["usage"] = usage
    if fingerprint := coded(completion.get("system_fingerprint")):
        document["system_fingerprint"] = fingerprint
    return Answered(document=document, response=response)


def choice_of(text: str, finish: str | None) -> Body:
    """The one choice of an answer, or a piece of it."""
    return {"text": text, "index": 0, "logprobs": None, "finish_reason": finish}


def finish_reason(response: Response) -> str:
    """Why an answer ended, in the words that the protocol has."""
    if response.finish == BLOCKED:
        return "content_filter"
    return response.finish if response.finish in _FINISHES else "stop"


class CompletionsReading(ChunkedReading[_Piece]):
    """One upstream stream."""

    def __init__(self, limit: int = ANSWER_LIMIT) -> None:
        super().__init__(_CHUNKS, limit)

    def _choice(self, choice: _Piece) -> str:
        self._said.finish = choice.finish_reason or self._said.finish
        return self._said.say(choice.text or "")


class CompletionsWriting:
    """One stream to the client: pieces under one name, the usage last where it was asked for, then `[DONE]`."""

    def __init__(self, *, name: str, created: int, model: str, usage: bool) -> None:
        self._chunk: Body = {"id": name, "object": "text_completion", "created": created, "model": model}
        self._usage = usage

    def text(self, text: str) -> bytes:
        """Events that add to the text."""
        return self._piece(text, None) if text else b""

    def end(self, response: Response) -> bytes:
        """Why it ended, the tokens, `[DONE]`. The protocol has no calls."""
        told = data(self._chunk | {"choices": [], "usage": used(response)}) if self._usage else b""
        return self._piece("", finish_reason(response)) + told + DONE

    def error(self, kind: str, message: str) -> bytes:
        """The event of an error, after which nothing comes."""
        return data(error_body(502, kind, message))

    def _piece(self, text: str, finish: str | None) -> bytes:
        told = self._chunk | {"choices": [choice_of(text, finish)]}
        return data(told | ({"usage": None} if self._usage else {}))
