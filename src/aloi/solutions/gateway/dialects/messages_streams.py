"""A stream of Anthropic's messages, read and written."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from aloi.solutions.gateway.dialects.bodies import said_by, understood
from aloi.solutions.gateway.dialects.dialect import Body, Broken, Event
from aloi.solutions.gateway.dialects.gathering import GatheredReading
from aloi.solutions.gateway.dialects.messages_answers import FINISHES, Usage, shown, stop_reason, used
from aloi.solutions.gateway.dialects.messages_thoughts import Thinking, considered, handed_out
from aloi.solutions.gateway.sealing import Seal
from aloi.system.messages import Response


class _Block(Struct):
    type: str
    text: str | None = None
    id: str | None = None
    name: str | None = None
    input: Any = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None


class _Delta(Struct):
    type: str | None = None
    text: str | None = None
    partial_json: str | None = None
    thinking: str | None = None
    signature: str | None = None
    stop_reason: str | None = None


class _Message(Struct):
    usage: Usage | None = None


class _Data(Struct):
    type: str
    index: int = 0
    message: _Message | None = None
    content_block: _Block | None = None
    delta: _Delta | None = None
    usage: Usage | None = None
    error: Any = None


_EVENTS = msgspec.json.Decoder(_Data)


class MessagesReading(GatheredReading):
    """One upstream stream. Blocks and deltas are dropped but for texts, uses of tools and the thinking behind these."""

    def __init__(self, limit: int, seal: Seal) -> None:
        super().__init__(limit)
        self._usage: Usage = {}
        self._seal = seal
        self._thinking = Thinking(self._said)

    def response(self) -> Response:
        """All that was said so far."""
        said = super().response()
        return msgspec.structs.replace(
            said, tool_calls=considered(said.tool_calls, self._thinking.content(), self._seal)
        )

    def feed(self, event: Event) -> str:
        """What the event adds to the text. Raises Broken."""
        read = understood(event.data, _EVENTS, self._limit)
        match read.type:
            case "content_block_delta" if read.delta:
                return self._delta(read.index, read.delta)
            case "content_block_start" if read.content_block:
                return self._start(read.index, read.content_block)
            case "message_start" if read.message:
                self._count(read.message.usage)
            case "message_delta":
                self._count(read.usage)
                if read.delta and read.delta.stop_reason:
                    self._said.finish = FINISHES.get(read.delta.stop_reason, "")
            case "message_stop":
                self._ended = True
            case "error":
                raise Broken("error", said_by(read.error))
        return ""

    def _start(self, place: int, block: _Block) -> str:
        self._thinking.begin(place, block.type)
        self._thinking.add(place, thinking=block.thinking, signature=block.signature, data=block.data)
        if block.type == "tool_use":
            given = msgspec.json.encode(block.input).decode() if block.input else ""
            self._said.call(place, identity=block.id or "", name=block.name or "", arguments=given)
        return self._said.say(block.text or "") if block.type == "text" else ""

    def _delta(self, place: int, delta: _Delta) -> str:
        self._thinking.add(place, thinking=delta.thinking, signature=delta.signature)
        if delta.type == "input_json_delta" and self._said.calls(place):
            self._said.call(place, arguments=delta.partial_json or "")
        return self._said.say(delta.text or "") if delta.type == "text_delta" else ""

    def _count(self, usage: Usage | None) -> None:
        """Counts of a later event are totals, and take the place of earlier ones."""
        known = {name: count for name, count in (usage or {}).items() if count is not None}
        self._usage = self._usage | known  # type: ignore[assignment]  # a merged table stays one
        self._said.prompt_tokens = shown(self._usage)
        self._said.completion_tokens = self._usage.get("output_tokens") or 0


class MessagesWriting:
    """One stream to the client: the text is one block, and each use of a tool another, whole, behind one of thinking.

    Of a stop sequence nobody tells which it was: it is named where the client gave one alone.
    """

    def __init__(self, *, name: str, model: str, sequences: Sequence[str]) -> None:
        self._message: Body = {
            "id": name,
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {"input_tokens": 0, "output_tokens": 0},
        }
        self._sequence = sequences[0] if len(sequences) == 1 else None
        self._opened = False
        self._speaking = False

    def text(self, text: str) -> bytes:
        """Events that add to the text."""
        if not text:
            return self._open()
        opening = self._open()
        if not self._speaking:
            self._speaking = True
            opening += _started(0, {"type": "text", "text": ""})
        return opening + _delta(0, {"type": "text_delta", "text": text})

    def end(self, response: Response) -> bytes:
        """The uses of tools, why it ended, the tokens, `message_stop`."""
        events = [self._open()]
        if self._speaking:
            events.append(_stopped(0))
        behind = handed_out(response.tool_calls)
        for index, block in enumerate(behind, start=int(self._speaking)):
            events += [_started(index, block), _stopped(index)]
        for index, call in enumerate(response.tool_calls, start=int(self._speaking) + len(behind)):
            events.append(_started(index, {"type": "tool_use", "id": call.id, "name": call.name, "input": {}}))
            events.append(_delta(index, {"type": "input_json_delta", "partial_json": call.arguments}))
            events.append(_stopped(index))
        reason = stop_reason(response)
        sequence = self._sequence if reason == "stop_sequence" else None
        delta = {"stop_reason": reason, "stop_sequence": sequence}
        events.append(_event("message_delta", {"delta": delta, "usage": used(response)}))
        events.append(_event("message_stop", {}))
        return b"".join(events)

    def error(self, kind: str, message: str) -> bytes:
        """The event of an error, after which nothing comes."""
        return _event("error", {"error": {"type": "api_error", "message": message, "code": kind}})

    def _open(self) -> bytes:
        if self._opened:
            return b""
        self._opened = True
        return _event("message_start", {"message": self._message})


def _started(index: int, block: Body) -> bytes:
    return _event("content_block_start", {"index": index, "content_block": block})


def _delta(index: int, delta: Body) -> bytes:
    return _event("content_block_delta", {"index": index, "delta": delta})


def _stopped(index: int) -> bytes:
    return _event("content_block_stop", {"index": index})


def _event(name: str, fields: Body) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), msgspec.json.encode({"type": name} | fields))
