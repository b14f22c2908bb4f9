"""A whole answer of OpenAI's chat: read with the fields that are handed on alone, and written."""

from typing import Any, Required, TypedDict

from aloi.solutions.gateway.dialects.dialect import Answered, Body, Broken
from aloi.solutions.gateway.dialects.openai_forms import Usage, coded, tier
from aloi.solutions.guarded import BLOCKED
from aloi.system.messages import Response, ToolCall
from aloi.system.rendering import written

_FINISHES = frozenset({"stop", "length", "content_filter"})


class _Function(TypedDict, total=False):
    name: Required[str]
    arguments: str | dict[str, Any] | None


class _Call(TypedDict, total=False):
    id: str | None
    function: Required[_Function]


class _Message(TypedDict, total=False):
    content: str | None
    refusal: str | None
    tool_calls: list[_Call] | None


class _Choice(TypedDict, total=False):
    index: int | None
    message: Required[_Message]
    finish_reason: str | None


class Completion(TypedDict, total=False):
    """The fields of an answer that are read; the others are dropped."""

    id: str | None
    created: int | float | None
    model: str | None
    choices: Required[list[_Choice]]
    usage: Usage | None
    system_fingerprint: str | None
    service_tier: str | None


def answered_as(completion: Completion) -> Answered:
    """An upstream's answer in the protocol's full form. Raises Broken where it is not one choice."""
    if len(completion["choices"]) != 1:
        raise Broken("malformed", f"{len(completion['choices'])} choices")
    choice = completion["choices"][0]
    message = choice["message"]
    content, refusal = message.get("content"), message.get("refusal")
    calls = tuple(
        # Some endpoints leave the id out, and the protocol needs one to tie a result to its call.
        ToolCall(
            id=call.get("id") or f"call-{i}",
            name=call["function"]["name"],
            arguments=written(call["function"].get("arguments")),
        )
        for i, call in enumerate(message.get("tool_calls") or ())
    )
    usage = completion.get("usage")
    response = Response(
        text="\n".join(filter(None, (content, refusal))),
        finish=choice.get("finish_reason") or "",
        tool_calls=calls,
        prompt_tokens=(usage or {}).get("prompt_tokens") or 0,
        completion_tokens=(usage or {}).get("completion_tokens") or 0,
    )
    told: Body = {"role": "assistant", "content": content, "refusal": refusal or None}
    if calls:
        told["tool_calls"] = called(calls)
    document: Body = {
        "id": coded(completion.get("id")),
        "object": "chat.completion",
        "created": int(completion.get("created") or 0),
        "model": coded(completion.get("model")),
        "choices": [{"index": 0, "message": told, "logprobs": None, "finish_reason": response.finish}],
    }
    if usage is not None:
        document["usage"] = usage
    names = {
        "system_fingerprint": coded(completion.get("system_fingerprint")),
        "service_tier": tier(completion.get("service_tier")),
    }
    document |= {name: value for name, value in names.items() if value}
    return Answered(document=document, response=response)


def message_of(response: Response) -> Body:
    """The message of an answer whose words are ours or a guard's."""
    told: Body = {"role": "assistant", "content": response.text or None, "refusal": None}
    if response.tool_calls:
        told["tool_calls"] = called(response.tool_calls)
    else:
        told["content"] = response.text
    return told


def called(calls: tuple[ToolCall, ...]) -> list[Body]:
    """Tool calls as the protocol writes them."""
    return [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
        for call in calls
    ]


def finish_reason(response: Response) -> str:
    """Why an answer ended, in the words that the protocol has."""
    if response.finish == BLOCKED:
        return "content_filter"
    if response.tool_calls:
        return response.finish if response.finish in _FINISHES else "tool_calls"
    return response.finish if response.finish in _FINISHES else "stop"
