"""A stream of OpenAI's chat, read and written."""

from typing import Any

import msgspec
from msgspec import Struct

from aloi.solutions.gateway.dialects.chat_answers import called, finish_reason
from aloi.solutions.gateway.dialects.chunks import Chunk, ChunkedReading
from aloi.solutions.gateway.dialects.dialect import Body
from aloi.solutions.gateway.dialects.openai_forms import DONE, data, error_body, used
from aloi.system.messages import Response
from aloi.system.openai import ANSWER_LIMIT
from aloi.system.rendering import written


class _Function(Struct):
    name: str | None = None
    arguments: str | dict[str, Any] | None = None


class _Call(Struct):
    index: int | None = None
    id: str | None = None
    function: _Function | None = None


class _Delta(Struct):
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[_Call] | None = None


class _Choice(Struct):
    index: int | None = None
    delta: _Delta | None = None
    finish_reason: str | None = None


_CHUNKS = msgspec.json.Decoder(Chunk[_Choice])


class ChatReading(ChunkedReading[_Choice]):
    """One upstream stream. What its deltas hold beside text, refusal and tool calls is dropped."""

    def __init__(self, limit: int = ANSWER_LIMIT) -> None:
        super().__init__(_CHUNKS, limit)

    def _choice(self, choice: _Choice) -> str:
        if choice.finish_reason:
            self._said.finish = choice.finish_reason
        delta = choice.delta
        if delta is None:
            return ""
        for call in delta.tool_calls or ():
            self._call(call)
        return self._said.say((delta.content or "") + (delta.refusal or ""))

    def _call(self, call: _Call) -> None:
        place = call.index
        if place is None:  # some endpoints count their calls by identity alone
            place = max(self._said.last_call(), 0) + bool(call.id and self._said.last_call() >= 0)
        function = call.function or _Function()
        self._said.call(
            place,
            identity=call.id or "",
            name=function.name or "",
            arguments=written(function.arguments) if function.arguments else "",
        )


class ChatWriting:
    """One stream to the client: chunks under one name, the usage last where it was asked for, then `[DONE]`."""

    def __init__(self, *, name: str, created: int, model: str, usage: bool) -> None:
        self._chunk: Body = {"id": name, "object": "chat.completion.chunk", "created": created, "model": model}
        self._usage = usage
        self._opened = False
        # A chunk of text is written between these two: nothing but the text differs from one to the next.
        self._before, self._after = self._delta({"content": ""}).rsplit(b'""', 1)

    def text(self, text: str) -> bytes:
        """Events that add to the text."""
        opening = b"" if self._opened else self._open("")
        return opening + (self._before + msgspec.json.encode(text) + self._after if text else b"")

    def end(self, response: Response) -> bytes:
        """The calls, why it ended, the tokens, `[DONE]`."""
        events = [] if self._opened else [self._open(None if response.tool_calls else "")]
        for index, call in enumerate(called(response.tool_calls)):
            events.append(self._delta({"tool_calls": [{"index": index} | call]}))
        events.append(self._delta({}, finish_reason(response)))
        if self._usage:
            events.append(data(self._chunk | {"choices": [], "usage": used(response)}))
        return b"".join([*events, DONE])

    def error(self, kind: str, message: str) -> bytes:
        """The event of an error, after which nothing comes."""
        return data(error_body(502, kind, message))

    def _open(self, content: str | None) -> bytes:
        self._opened = True
        return self._delta({"role": "assistant", "content": content})

    def _delta(self, delta: Body, finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return data(self._chunk | {"choices": [choice]} | ({"usage": None} if self._usage else {}))
