"""A stream of OpenAI's responses, read and written."""

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct

from aloi.solutions.gateway.dialects.bodies import said_by, understood
from aloi.solutions.gateway.dialects.dialect import Body, Broken, Event
from aloi.solutions.gateway.dialects.gathering import GatheredReading
from aloi.solutions.gateway.dialects.responses_answers import (
    Incomplete,
    Usage,
    call_item,
    ending,
    finish_of,
    message_item,
    text_part,
    used,
    whole,
)
from aloi.system.messages import Response, ToolCall


class _Item(Struct):
    type: str | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None


class _Answer(Struct):
    status: str | None = None
    incomplete_details: Incomplete | None = None
    usage: Usage | None = None
    error: Any = None


class _Data(Struct):
    type: str
    output_index: int = 0
    delta: Any = None
    item: _Item | None = None
    response: _Answer | None = None
    message: str | None = None
    error: Any = None


_EVENTS = msgspec.json.Decoder(_Data)
_TEXTS = frozenset({"response.output_text.delta", "response.refusal.delta"})
_ENDS = frozenset({"response.completed", "response.incomplete", "response.failed"})
_ITEMS = frozenset({"response.output_item.added", "response.output_item.done"})


class ResponsesReading(GatheredReading):
    """One upstream stream. Deltas that are neither text, refusal nor arguments of a function are dropped."""

    def feed(self, event: Event) -> str:
        """What the event adds to the text. Raises Broken."""
        if event.data == b"[DONE]":  # some endpoints close every stream so
            return ""
        read = understood(event.data, _EVENTS, self._limit)
        if read.type in _TEXTS:
            return self._said.say(_text(read.delta))
        if read.type == "response.function_call_arguments.delta":
            if self._said.calls(read.output_index):
                self._said.call(read.output_index, arguments=_text(read.delta))
        elif read.type in _ITEMS and read.item and read.item.type == "function_call":
            self._call(read.output_index, read.item)
        elif read.type in _ENDS:
            self._end(read.response or _Answer(), failed=read.type == "response.failed")
        elif read.type == "error":
            raise Broken("error", said_by(read.message or read.error))
        return ""

    def _call(self, place: int, item: _Item) -> None:
        """A call that begins or is whole: what was said of it in between is not said again."""
        begun = self._said.begun(place)
        arguments = "" if begun else item.arguments or ""
        self._said.call(place, identity=item.call_id or "", name=item.name or "", arguments=arguments)

    def _end(self, answer: _Answer, *, failed: bool) -> None:
        self._ended = True
        if failed:
            raise Broken("error", said_by(answer.error))
        calls = bool(self._said.last_call() >= 0)
        self._said.finish = finish_of(answer.status, answer.incomplete_details, calls=calls)
        self._said.prompt_tokens = (answer.usage or {}).get("input_tokens") or 0
        self._said.completion_tokens = (answer.usage or {}).get("output_tokens") or 0


def _text(delta: Any) -> str:
    if not isinstance(delta, str):
        raise Broken("malformed", "a delta is no text")
    return delta


class ResponsesWriting:
    """One stream to the client: the text is one item, and each call is another, whole."""

    def __init__(self, *, body: Body, name: str, created: int, token: Callable[[], str]) -> None:
        told = {"id": name, "created_at": created, "model": body.get("model", ""), "output": [], "usage": None}
        self._answer = whole(body, told | {"status": "in_progress", "incomplete_details": None})
        self._token = token
        self._item = f"msg_aloi{token()}"
        self._number = 0
        self._opened = False
        self._texts: list[str] = []

    def text(self, text: str) -> bytes:
        """Events that add to the text."""
        events = [self._open()]
        if text:
            if not self._texts:
                events.append(self._begin())
            self._texts.append(text)
            events.append(self._part("response.output_text.delta", {"delta": text, "logprobs": []}))
        return b"".join(events)

    def end(self, response: Response) -> bytes:
        """The calls, why it ended, the tokens."""
        events, output = [self._open()], []
        if self._texts:
            text = "".join(self._texts)
            output.append(message_item(self._item, text))
            events.append(self._part("response.output_text.done", {"text": text, "logprobs": []}))
            events.append(self._part("response.content_part.done", {"part": text_part(text)}))
            events.append(self._event("response.output_item.done", {"output_index": 0, "item": output[0]}))
        for call in response.tool_calls:
            item = call_item(f"fc_aloi{self._token()}", call)
            events += self._call(len(output), item, call)
            output.append(item)
        told = self._answer | ending(response) | {"output": output, "usage": used(response)}
        events.append(self._event(f"response.{told['status']}", {"response": told}))
        return b"".join(events)

    def error(self, kind: str, message: str) -> bytes:
        """The events of an error, after which nothing comes."""
        failed = {"status": "failed", "error": {"code": "server_error", "message": message}}
        return b"".join(
            [
                self._open(),
                self._event("error", {"code": kind, "message": message, "param": None}),
                self._event("response.failed", {"response": self._answer | failed}),
            ]
        )

    def _open(self) -> bytes:
        if self._opened:
            return b""
        self._opened = True
        told = {"response": self._answer}
        return self._event("response.created", told) + self._event("response.in_progress", told)

    def _begin(self) -> bytes:
        item = message_item(self._item, "") | {"status": "in_progress", "content": []}
        added = self._event("response.output_item.added", {"output_index": 0, "item": item})
        return added + self._part("response.content_part.added", {"part": text_part("")})

    def _call(self, index: int, item: Body, call: ToolCall) -> list[bytes]:
        begun = item | {"status": "in_progress", "arguments": ""}
        about = {"item_id": item["id"], "output_index": index}
        arguments = {"name": call.name, "arguments": call.arguments}
        return [
            self._event("response.output_item.added", {"output_index": index, "item": begun}),
            self._event("response.function_call_arguments.delta", about | {"delta": call.arguments}),
            self._event("response.function_call_arguments.done", about | arguments),
            self._event("response.output_item.done", {"output_index": index, "item": item}),
        ]

    def _part(self, name: str, fields: Body) -> bytes:
        return self._event(name, {"item_id": self._item, "output_index": 0, "content_index": 0} | fields)

    def _event(self, name: str, fields: Body) -> bytes:
        told = {"type": name, "sequence_number": self._number} | fields
        self._number += 1
        return b"event: %b\ndata: %b\n\n" % (name.encode(), msgspec.json.encode(told))
