"""A whole answer of Anthropic's messages: read with the fields that are handed on alone, and written."""

from typing import Any, Required, TypedDict

import msgspec

from aloi.solutions.gateway.dialects.bodies import too_deep
from aloi.solutions.gateway.dialects.dialect import Answered, Body, Broken
from aloi.solutions.gateway.dialects.messages_thoughts import THOUGHTS, considered, handed_out
from aloi.solutions.gateway.dialects.openai_forms import coded, tier
from aloi.solutions.gateway.sealing import Seal
from aloi.solutions.guarded import BLOCKED
from aloi.system.messages import Response, ToolCall

# Why an answer ended, in the words of guards; `stop_sequence` is the protocol's own and is left.
FINISHES = {
    "end_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "pause_turn": "stop",
    "refusal": "content_filter",
    "stop_sequence": "stop_sequence",
    "tool_use": "tool_calls",
}
_REASONS = {
    BLOCKED: "refusal",
    "content_filter": "refusal",
    "length": "max_tokens",
    "stop_sequence": "stop_sequence",
}


class _Block(TypedDict, total=False):
    type: Required[str]
    text: str | None
    id: str | None
    name: str | None
    input: Any
    thinking: str | None
    signature: str | None
    data: str | None


class CacheCreation(TypedDict, total=False):
    """For how long tokens were put into the cache."""

    ephemeral_1h_input_tokens: int | None
    ephemeral_5m_input_tokens: int | None


class OutputDetails(TypedDict, total=False):
    """Of which kind the tokens of an answer were."""

    thinking_tokens: int | None


class Usage(TypedDict, total=False):
    """The tokens of an answer, as far as they are handed on."""

    input_tokens: int | None
    output_tokens: int | None
    cache_creation: CacheCreation | None
    cache_creation_input_tokens: int | None
    cache_read_input_tokens: int | None
    output_tokens_details: OutputDetails | None
    service_tier: str | None


class Answer(TypedDict, total=False):
    """The fields of an answer that are read; the others are dropped."""

    id: str | None
    model: str | None
    content: Required[list[_Block]]
    stop_reason: str | None
    stop_sequence: str | None
    usage: Usage | None


def answered_as(answer: Answer, seal: Seal) -> Answered:
    """An upstream's answer in the protocol's full form. Guards read its texts as one, as they are shown."""
    content: list[Body] = []
    called: list[ToolCall] = []
    for block in answer["content"]:
        match block:
            case {"type": "text", "text": str(text)}:
                content.append({"type": "text", "text": text})
            case {"type": "tool_use", "id": str(identity), "name": str(name), "input": dict(given)}:
                content.append({"type": "tool_use", "id": identity, "name": name, "input": given})
                called.append(ToolCall(id=identity, name=name, arguments=msgspec.json.encode(given).decode()))
            case {"type": "text" | "tool_use"}:
                raise Broken("malformed", "a block is not of its type")
            case {"type": kind} if kind in THOUGHTS:
                content.append({"type": kind} | {name: block.get(name) or "" for name in THOUGHTS[kind]})
    calls = considered(called, content, seal)
    blocks = [*handed_out(calls), *(block for block in content if block["type"] not in THOUGHTS)]
    reason = answer.get("stop_reason") or ""
    usage = answer.get("usage")
    response = Response(
        text="".join(block["text"] for block in blocks if block["type"] == "text"),
        finish=FINISHES.get(reason, ""),
        tool_calls=calls,
        prompt_tokens=shown(usage),
        completion_tokens=(usage or {}).get("output_tokens") or 0,
    )
    document = {
        "id": coded(answer.get("id")),
        "type": "message",
        "role": "assistant",
        "model": coded(answer.get("model")),
        "content": blocks,
        "stop_reason": reason if reason in FINISHES else stop_reason(response),
        "stop_sequence": answer.get("stop_sequence"),
        "usage": {"input_tokens": 0, "output_tokens": 0} | _counted(usage),
    }
    return Answered(document=document, response=response)


def _counted(usage: Usage | None) -> Body:
    """Counts, and no name that is none."""
    named = tier((usage or {}).get("service_tier"))
    counts = {name: count for name, count in (usage or {}).items() if name != "service_tier"}
    return counts | ({"service_tier": named} if named else {})


def shown(usage: Usage | None) -> int:
    """Tokens that the model was shown, those out of its cache and those put there included."""
    names = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    return sum(int(usage.get(name) or 0) for name in names) if usage else 0  # type: ignore[call-overload]  # every name is a field of counts


def used(response: Response) -> Body:
    """The tokens that a response took, what remedies asked included."""
    return {"input_tokens": response.prompt_tokens, "output_tokens": response.completion_tokens}


def content_of(text: str, calls: tuple[ToolCall, ...]) -> list[Body]:
    """A text, where there is one, and uses of tools with the thinking behind them, as blocks."""
    texts = [{"type": "text", "text": text}] if text else []
    return [
        *handed_out(calls),
        *texts,
        *({"type": "tool_use", "id": one.id, "name": one.name, "input": input_of(one.arguments)} for one in calls),
    ]


def input_of(arguments: str) -> Body:
    """The arguments of a call as the object that the protocol wants; what is none stands in one as it was written."""
    try:
        given = msgspec.json.decode(arguments)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        given = None
    return given if isinstance(given, dict) and not too_deep(given) else {"arguments": arguments}


def stop_reason(response: Response) -> str:
    """Why an answer ended, in the words of the protocol."""
    known = _REASONS.get(response.finish)
    return known or ("tool_use" if response.tool_calls else "end_turn")
