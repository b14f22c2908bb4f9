"""A whole answer of OpenAI's responses: read with the fields that are handed on alone, and written.

What an answer repeats of its request is told from what the client wrote: an upstream repeats what it was sent, and that
may hold what hardenings added.
"""

from collections.abc import Callable, Sequence
from typing import Any, Required, TypedDict

from aloi.solutions.gateway.dialects.bodies import said_by
from aloi.solutions.gateway.dialects.dialect import Answered, Body, Broken
from aloi.solutions.gateway.dialects.openai_forms import coded, tier
from aloi.solutions.guarded import BLOCKED
from aloi.system.messages import Response, ToolCall

_REPEATED: Body = {
    "background": False,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "reasoning": {"effort": None, "summary": None},
    "safety_identifier": None,
    "store": True,
    "temperature": 1.0,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
}
_FINISHES = {"max_output_tokens": "length", "content_filter": "content_filter"}
_REASONS = {BLOCKED: "content_filter", "content_filter": "content_filter", "length": "max_output_tokens"}


class _Part(TypedDict, total=False):
    type: Required[str]
    text: str | None
    refusal: str | None


class _Item(TypedDict, total=False):
    type: Required[str]
    id: str | None
    status: str | None
    phase: str | None
    content: list[_Part] | None
    call_id: str | None
    name: str | None
    arguments: str | None


class InputDetails(TypedDict, total=False):
    """Of which kind the tokens of a request were."""

    cache_write_tokens: int | None
    cached_tokens: int | None


class OutputDetails(TypedDict, total=False):
    """Of which kind the tokens of an answer were."""

    reasoning_tokens: int | None


class Usage(TypedDict, total=False):
    """The tokens of an answer, as far as they are handed on."""

    input_tokens: int | None
    input_tokens_details: InputDetails | None
    output_tokens: int | None
    output_tokens_details: OutputDetails | None
    total_tokens: int | None


class Incomplete(TypedDict, total=False):
    """Why an answer is not whole."""

    reason: str | None


class Answer(TypedDict, total=False):
    """The fields of an answer that are read; the others are dropped."""

    id: str | None
    created_at: int | float | None
    model: str | None
    status: str | None
    error: Any
    incomplete_details: Incomplete | None
    output: Required[list[_Item]]
    usage: Usage | None
    service_tier: str | None


def answered_as(answer: Answer) -> Answered:
    """An upstream's answer in the protocol's full form. Raises Broken where it tells an error, or did not end."""
    if answer.get("error") is not None or answer.get("status") == "failed":
        raise Broken("error", said_by(answer.get("error")))
    if answer.get("status") not in {None, "completed", "incomplete"}:
        raise Broken("malformed", "an answer that has not ended")
    items = [item for item in map(_item, answer["output"]) if item]
    if len(items) < len(answer["output"]):
        items = [item | {"id": ""} for item in items]  # by its name the endpoint would ask for the reasoning before it
    usage = answer.get("usage")
    calls = calls_of(items)
    response = Response(
        text="".join(part.get("text", part.get("refusal")) for item in items for part in item.get("content", ())),
        finish=finish_of(answer.get("status"), answer.get("incomplete_details"), calls=bool(calls)),
        tool_calls=calls,
        prompt_tokens=(usage or {}).get("input_tokens") or 0,
        completion_tokens=(usage or {}).get("output_tokens") or 0,
    )
    document = {
        "id": coded(answer.get("id")),
        "created_at": answer.get("created_at") or 0,
        "model": coded(answer.get("model")),
        **ending(response),
        "output": items,
        "usage": usage,
    }
    return Answered(document=document | _tier(answer), response=response)


def _tier(answer: Answer) -> Body:
    named = tier(answer.get("service_tier"))
    return {"service_tier": named} if named else {}


def _item(item: _Item) -> Body | None:
    status = {"status": "incomplete" if item.get("status") == "incomplete" else "completed"}
    match item:
        case {"type": "message", "content": list(parts)}:
            phase = {"phase": item.get("phase")} if item.get("phase") in {"commentary", "final_answer"} else {}
            content = [one for one in map(_part, parts) if one]
            return {
                "type": "message",
                "id": coded(item.get("id")),
                **status,
                "role": "assistant",
                "content": content,
            } | phase
        case {"type": "function_call", "name": str(name), "arguments": str(arguments), "call_id": str(call)}:
            told = {"type": "function_call", "id": coded(item.get("id")), **status}
            return told | {"call_id": call, "name": name, "arguments": arguments}
        case {"type": "message" | "function_call"}:
            raise Broken("malformed", "an item is not of its type")
    return None


def _part(part: _Part) -> Body | None:
    match part:
        case {"type": "output_text", "text": str(text)}:
            return text_part(text)
        case {"type": "refusal", "refusal": str(refusal)}:
            return {"type": "refusal", "refusal": refusal}
        case {"type": "output_text" | "refusal"}:
            raise Broken("malformed", "a part is not of its type")
    return None


def text_part(text: str) -> Body:
    """A part of text, which nothing is said about."""
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def finish_of(status: str | None, details: Incomplete | None, *, calls: bool) -> str:
    """Why an answer ended, in the words of guards; empty where nobody knows."""
    if status == "incomplete":
        return _FINISHES.get((details or {}).get("reason") or "", "")
    return "tool_calls" if calls else "stop"


def ending(response: Response) -> Body:
    """Whether an answer is whole, and if not why, in the words of the protocol."""
    reason = _REASONS.get(response.finish)
    if reason is None and response.finish:
        return {"status": "completed", "incomplete_details": None}
    return {"status": "incomplete", "incomplete_details": {"reason": reason} if reason else None}


def calls_of(items: Sequence[Body]) -> tuple[ToolCall, ...]:
    """The calls among the items of an output."""
    return tuple(
        ToolCall(id=item["call_id"], name=item["name"], arguments=item["arguments"] or "{}")
        for item in items
        if item["type"] == "function_call"
    )


def message_item(name: str, text: str) -> Body:
    """A text as an item."""
    content = [text_part(text)]
    return {"type": "message", "id": name, "status": "completed", "role": "assistant", "content": content}


def call_item(name: str, call: ToolCall) -> Body:
    """A call as an item."""
    told = {"type": "function_call", "id": name, "status": "completed"}
    return told | {"call_id": call.id, "name": call.name, "arguments": call.arguments}


def output_of(response: Response) -> list[Body]:
    """The items of an answer that guards changed, still without names of their own."""
    texts = [message_item("", response.text)] if response.text else []
    return [*texts, *(call_item("", one) for one in response.tool_calls)]


def named(items: Sequence[Body], token: Callable[[], str]) -> list[Body]:
    """The items of an output, each with a name: a client refers to it."""
    kinds = {"message": "msg", "function_call": "fc"}
    return [item if item["id"] else item | {"id": f"{kinds[item['type']]}_aloi{token()}"} for item in items]


def used(response: Response) -> Body:
    """The tokens that a response took, what remedies asked included."""
    return {
        "input_tokens": response.prompt_tokens,
        "input_tokens_details": {"cache_write_tokens": 0, "cached_tokens": 0},
        "output_tokens": response.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": response.prompt_tokens + response.completion_tokens,
    }


def whole(body: Body, told: Body) -> Body:
    """An answer to a client's body, with what it repeats of it."""
    repeated = {name: default if body.get(name) is None else body[name] for name, default in _REPEATED.items()}
    return {"object": "response", "error": None} | repeated | told
