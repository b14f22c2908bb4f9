"""An upstream that answers in the forms that OpenAI and Anthropic document, not in those that the gateway writes.

Reasoning stands before what is said, calls come in pieces and two at once, events bring fields that nobody asked for,
and what a client sends back is held to the rules of the real endpoints.
"""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

from benchmarks.gateway.scripted import SECRET, USAGE, Playing

TEXT = "We open at nine on weekdays."
DAYS = ("monday", "sunday")
THOUGHT = f"The code {SECRET} is not for them; I look the hours up."
SEAL = base64.b64encode(bytes(range(1, 255))).decode()
CALLS = [(f"call_{day}", "hours", json.dumps({"day": day})) for day in DAYS]
RECITED = "Answer in short sentences, name no colleague, and send whoever wants to borrow to the branch in person."
FILLED = {"day": "monday", "opens": 9}
Body = dict[str, Any]


async def documented(it: Playing) -> None:
    """Plays what is asked: by endpoint, and by what the last message says."""
    path = it.head.split(b" ")[1].decode()
    await ENDPOINTS[path](it)


def said(it: Playing) -> tuple[str, bool]:
    """What the last message says, and whether it is the result of a tool."""
    turns = it.body.get("messages") or it.body.get("input") or it.body.get("prompt")
    if isinstance(turns, str):
        return turns.rpartition("\n")[2], False  # of a prompt that the system's own stands before
    last = turns[-1]
    if last.get("role") == "tool" or last.get("type") == "function_call_output":
        return str(last), True
    content = last["content"]
    if isinstance(content, list):
        return str(content), any(part["type"] == "tool_result" for part in content)
    return content, False


def texts(it: Playing) -> Sequence[str]:
    """The deltas of what it says."""
    told = said(it)[0]
    if "code" in told:
        return ("The code of the vault is ", *SECRET, ", but tell nobody.")
    if "recite" in told:
        return ("We open at nine ", "on weekdays. ", *(f"{word} " for word in RECITED.split(" ")))
    if "echo" in told:
        return (told, " ", told)
    return ("We open ", "at nine ", "on weekdays.")


async def _events(it: Playing, events: Iterator[bytes]) -> None:
    await it.begin()
    slowly = "slowly" in said(it)[0]
    for event in events:
        await it.chunk(event)
        await asyncio.sleep(0.05 if slowly else 0)
    await it.chunk(b"")


def _named(name: str, fields: Body) -> bytes:
    return f"event: {name}\ndata: {json.dumps({'type': name} | fields)}\n\n".encode()


def _halves(text: str) -> tuple[str, str]:
    return text[: len(text) // 2], text[len(text) // 2 :]


async def _refuse(it: Playing, told: Body) -> None:
    await it.whole(json.dumps(told).encode(), status="400 Bad Request")


def _wants_structure(it: Playing) -> bool:
    within = it.body.get("text") or it.body.get("output_config") or {}
    return (it.body.get("response_format") or within.get("format") or {}).get("type") == "json_schema"


async def chat(it: Playing) -> None:
    """`/v1/chat/completions`."""
    calling = bool(it.body.get("tools")) and not said(it)[1]
    calls = [{"id": i, "type": "function", "function": {"name": n, "arguments": a}} for i, n, a in CALLS]
    if it.body.get("tool_choice") not in (None, "auto"):
        calls = [{**calls[0], "function": {"name": it.body["tool_choice"]["function"]["name"]}}]
        calls[0]["function"]["arguments"] = json.dumps(FILLED)
    pieces = [json.dumps(FILLED)] if _wants_structure(it) else list(texts(it))
    finish = "tool_calls" if calling else "stop"
    if not it.streams:
        message: Body = {"role": "assistant", "content": None if calling else "".join(pieces), "refusal": None}
        message |= {"annotations": []} | ({"tool_calls": calls} if calling else {})
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
        told = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
        more = {"usage": USAGE, "service_tier": "default", "system_fingerprint": "fp_1"}
        await it.whole(json.dumps(told | more).encode())
        return

    def event(delta: Body, finish: str | None = None, **more: Any) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        told = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
        told |= {"system_fingerprint": "fp_1", "choices": [choice], "usage": None, "obfuscation": "x7Qa"} | more
        return f"data: {json.dumps(told)}\n\n".encode()

    def events() -> Iterator[bytes]:
        yield event({"role": "assistant", "content": None if calling else "", "refusal": None})
        for text in () if calling else pieces:
            yield event({"content": text})
        for index, call in enumerate(calls if calling else ()):
            function = call["function"]
            yield event({"tool_calls": [{**call, "index": index, "function": {**function, "arguments": ""}}]})
            for half in _halves(function["arguments"]):
                yield event({"tool_calls": [{"index": index, "function": {"arguments": half}}]})
        yield event({}, finish)
        if (it.body.get("stream_options") or {}).get("include_usage"):
            yield event({}, choices=[], usage=USAGE)
        yield b"data: [DONE]\n\n"

    await _events(it, events())


async def completions(it: Playing) -> None:
    """`/v1/completions`."""

    def told(text: str, finish: str | None, **more: Any) -> Body:
        choice = {"text": text, "index": 0, "logprobs": None, "finish_reason": finish}
        return {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": "m", "choices": [choice]} | more

    if not it.streams:
        await it.whole(json.dumps(told("".join(texts(it)), "stop", usage=USAGE)).encode())
        return

    def events() -> Iterator[bytes]:
        for text in texts(it):
            yield f"data: {json.dumps(told(text, None))}\n\n".encode()
        yield f"data: {json.dumps(told('', 'stop'))}\n\n".encode()
        yield b"data: [DONE]\n\n"

    await _events(it, events())


async def responses(it: Playing) -> None:
    """`/v1/responses` of a model that reasons: a call that it keeps comes with its reasoning, or by another name."""
    items = it.body["input"] if isinstance(it.body["input"], list) else []
    kept = [one.get("id") for one in items]
    if "fc_0" in kept and "rs_1" not in kept:
        message = "Item 'fc_0' of type 'function_call' was provided without its required 'reasoning' item: 'rs_1'."
        await _refuse(it, {"error": {"message": message, "type": "invalid_request_error", "param": "input"}})
        return
    calling = bool(it.body.get("tools")) and not said(it)[1]
    reasoning = {"id": "rs_1", "type": "reasoning", "summary": [{"type": "summary_text", "text": THOUGHT}]}
    called: list[Body] = [
        {"id": f"fc_{i}", "type": "function_call", "status": "completed", "call_id": c, "name": n, "arguments": a}
        for i, (c, n, a) in enumerate(CALLS)
    ]
    if it.body.get("tool_choice") not in (None, "auto"):
        called = [called[0] | {"name": it.body["tool_choice"]["name"], "arguments": json.dumps(FILLED)}]
    text = json.dumps(FILLED) if _wants_structure(it) else "".join(texts(it))
    content = [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}]
    message: Body = {"id": "msg_1", "type": "message", "status": "completed", "role": "assistant", "content": content}
    output: list[Body] = [reasoning, *(called if calling else [message])]
    usage = {"input_tokens": 11, "output_tokens": 7, "total_tokens": 18}
    usage |= {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 3}}
    told: Body = {"id": "resp_1", "object": "response", "created_at": 1, "model": "m", "status": "completed"}
    told |= {
        "error": None,
        "incomplete_details": None,
        "output": output,
        "usage": usage,
        "tools": [],
        "tool_choice": "auto",
    }
    told |= {"parallel_tool_calls": True, "instructions": it.body.get("instructions"), "billing": {"payer": "x"}}
    if not it.streams:
        await it.whole(json.dumps(told).encode())
        return
    await _events(it, _of_responses(told, list(texts(it)) if text == "".join(texts(it)) else [text]))


def _of_responses(told: Body, pieces: Sequence[str]) -> Iterator[bytes]:
    number = iter(range(10_000))

    def event(name: str, **fields: Any) -> bytes:
        return _named(f"response.{name}", {"sequence_number": next(number)} | fields)

    begun = {"response": told | {"status": "in_progress", "output": [], "usage": None}}
    yield event("created", **begun)
    yield event("in_progress", **begun)
    for place, item in enumerate(told["output"]):
        at = {"item_id": item["id"], "output_index": place}
        empty = {"reasoning": {"summary": []}, "message": {"content": []}, "function_call": {"arguments": ""}}
        status = {"status": "in_progress"} if "status" in item else {}
        yield event("output_item.added", output_index=place, item=item | status | empty[item["type"]])
        if item["type"] == "reasoning":
            yield event("reasoning_summary_text.delta", **at, summary_index=0, delta=THOUGHT, obfuscation="q")
            yield event("reasoning_summary_text.done", **at, summary_index=0, text=THOUGHT)
        elif item["type"] == "function_call":
            for half in _halves(item["arguments"]):
                yield event("function_call_arguments.delta", **at, delta=half, obfuscation="q")
            yield event("function_call_arguments.done", **at, name=item["name"], arguments=item["arguments"])
        else:
            part = item["content"][0]
            yield event("content_part.added", **at, content_index=0, part=part | {"text": ""})
            for piece in pieces:
                yield event("output_text.delta", **at, content_index=0, delta=piece, logprobs=[], obfuscation="q")
            yield event("output_text.done", **at, content_index=0, text=part["text"], logprobs=[])
            yield event("content_part.done", **at, content_index=0, part=part)
        yield event("output_item.done", output_index=place, item=item)
    yield event("completed", response=told)


async def messages(it: Playing) -> None:
    """`/v1/messages` of a model that thinks where it is asked to, and then, as some do, wants all of it back."""
    calling = bool(it.body.get("tools")) and not said(it)[1]
    thinks = (it.body.get("thinking") or {}).get("type")
    thoughts: list[Body] = [
        {"type": "thinking", "thinking": THOUGHT, "signature": SEAL},
        {"type": "redacted_thinking", "data": SEAL},
    ]
    if thinks == "enabled" and said(it)[1] and it.body["messages"][-2]["content"][:2] != thoughts:
        message = "messages.1.content.0: `thinking` blocks cannot be modified, and stand at the beginning."
        await _refuse(it, {"type": "error", "error": {"type": "invalid_request_error", "message": message}})
        return
    blocks: list[Body] = []
    if thinks:
        blocks += thoughts
    pieces = ["I look ", "it up."] if calling else [json.dumps(FILLED)] if _wants_structure(it) else list(texts(it))
    blocks.append({"type": "text", "text": "".join(pieces), "citations": None})
    if calling:
        blocks += [{"type": "tool_use", "id": i, "name": n, "input": json.loads(a)} for i, n, a in CALLS]
    usage = {"input_tokens": 11, "output_tokens": 7, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
    told: Body = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": blocks}
    told |= {"stop_reason": "tool_use" if calling else "end_turn", "stop_sequence": None, "usage": usage}
    if not it.streams:
        await it.whole(json.dumps(told).encode())
        return
    await _events(it, _of_messages(told, pieces))


def _of_messages(told: Body, pieces: Sequence[str]) -> Iterator[bytes]:
    yield _named("message_start", {"message": told | {"content": [], "stop_reason": None}})
    yield _named("ping", {})
    for index, block in enumerate(told["content"]):
        empty: Body = {"thinking": {"thinking": "", "signature": ""}, "text": {"text": ""}, "tool_use": {"input": {}}}
        yield _named("content_block_start", {"index": index, "content_block": block | empty.get(block["type"], {})})
        deltas: list[Body] = []
        if block["type"] == "thinking":
            deltas = [{"type": "thinking_delta", "thinking": half} for half in _halves(block["thinking"])]
            deltas.append({"type": "signature_delta", "signature": block["signature"]})
        elif block["type"] == "text":
            deltas = [{"type": "text_delta", "text": piece} for piece in pieces]
        elif block["type"] == "tool_use":
            given = ("", *_halves(json.dumps(block["input"])))
            deltas = [{"type": "input_json_delta", "partial_json": one} for one in given]
        for delta in deltas:
            yield _named("content_block_delta", {"index": index, "delta": delta})
        yield _named("content_block_stop", {"index": index})
    ending = {"stop_reason": told["stop_reason"], "stop_sequence": None}
    yield _named("message_delta", {"delta": ending, "usage": {"output_tokens": 7}})
    yield _named("message_stop", {})


def _words(value: Any) -> int:
    """The words of all texts in a body."""
    if isinstance(value, str):
        return len(value.split())
    return (
        sum(map(_words, value.values() if isinstance(value, dict) else value)) if isinstance(value, dict | list) else 0
    )


async def counted_messages(it: Playing) -> None:
    """`/v1/messages/count_tokens`, which takes nothing of an answer; a word is a token here."""
    if extra := it.body.keys() & {"max_tokens", "temperature", "stop_sequences", "stream"}:
        message = f"{min(extra)}: Extra inputs are not permitted"
        await _refuse(it, {"type": "error", "error": {"type": "invalid_request_error", "message": message}})
        return
    counted: Body = {"input_tokens": sum(_words(it.body.get(one)) for one in ("system", "tools", "messages"))}
    if "context_management" in it.body:
        counted["context_management"] = {"original_input_tokens": counted["input_tokens"] + 9}
    await it.whole(json.dumps(counted).encode())


async def counted_responses(it: Playing) -> None:
    """`/v1/responses/input_tokens`, the same."""
    if extra := it.body.keys() & {"max_output_tokens", "temperature", "stream"}:
        message = f"Unknown parameter: '{min(extra)}'."
        await _refuse(it, {"error": {"message": message, "type": "invalid_request_error", "param": min(extra)}})
        return
    counted = sum(_words(it.body.get(one)) for one in ("instructions", "tools", "input"))
    await it.whole(json.dumps({"object": "response.input_tokens", "input_tokens": counted}).encode())


ENDPOINTS: dict[str, Callable[[Playing], Awaitable[None]]] = {
    "/v1/chat/completions": chat,
    "/v1/completions": completions,
    "/v1/responses": responses,
    "/v1/responses/input_tokens": counted_responses,
    "/v1/messages": messages,
    "/v1/messages/count_tokens": counted_messages,
}
