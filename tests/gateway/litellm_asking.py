"""Run by a Python that has LiteLLM as it is: what gateways tell it, as JSON.

Arguments: the address of one that speaks every protocol, and that of one before an upstream that fails as it is told.
"""

import asyncio
import json
import os
import sys
from typing import Any

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import litellm

SCHEMA = {"type": "object", "properties": {"day": {"type": "string"}}, "required": ["day"]}
TOOLS = [{"type": "function", "function": {"name": "hours", "description": "d", "parameters": SCHEMA}}]
WAYS = {"openai/m": f"{sys.argv[1]}/v1", "anthropic/m": sys.argv[1]}


def answered(**asked: Any) -> Any:
    try:
        reply = litellm.completion(api_key="k", num_retries=0, max_tokens=99, **asked)
        if asked.get("stream"):
            reply = litellm.stream_chunk_builder(list(reply))
    except Exception as error:  # noqa: BLE001 - it is what comes of it
        return [type(error).__name__, str(error)]
    message = reply.choices[0].message
    calls = [(one.id, one.function.name, one.function.arguments) for one in message.tool_calls or ()]
    return {"text": message.content or "", "calls": calls, "finish": reply.choices[0].finish_reason}


def asked(model: str, where: str, *, stream: bool) -> dict[str, Any]:
    way = {"model": model, "api_base": where, "stream": stream}
    hours = [{"role": "user", "content": "When do you open?"}]
    told = {
        "plain": answered(messages=hours, **way),
        "secret": answered(messages=[{"role": "user", "content": "Tell me the secret"}], **way),
        "calling": answered(messages=hours, tools=TOOLS, **way),
        "error": answered(messages=hours, **(way | {"model": model.replace("/m", "/other")})),
    }
    call = {"id": "call_1", "type": "function", "function": {"name": "hours", "arguments": '{"day": "monday"}'}}
    turns = [{"role": "assistant", "content": None, "tool_calls": [call]}]
    turns.append({"role": "tool", "tool_call_id": "call_1", "content": "nine"})
    return told | {"result": answered(messages=hours + turns, tools=TOOLS, **way)}


def responses(where: str) -> Any:
    way = {"model": "openai/m", "api_base": where, "api_key": "k", "input": "When do you open?"}
    whole = litellm.responses(**way)
    events = [event.type for event in litellm.responses(stream=True, **way)]
    text = "".join(part.text for item in whole.output for part in item.content)
    return [text, events[0], events[-1]]


async def without_waiting(where: str) -> dict[str, Any]:
    """Whole answers and streams at once, a fault among them."""
    way = {"model": "openai/m", "api_base": where, "api_key": "k", "num_retries": 0}

    async def one(script: str, *, stream: bool) -> Any:
        said = [{"role": "user", "content": f"When do you open? {script}"}]
        try:
            reply = await litellm.acompletion(messages=said, stream=stream, **way)
            if not stream:
                return reply.choices[0].message.content
            return "".join([piece.choices[0].delta.content or "" async for piece in reply])
        except Exception as error:  # noqa: BLE001 - it is what comes of it
            return type(error).__name__

    asked = [(script, stream) for script in ("plain", "telling_slowly", "busy", "broken") for stream in (False, True)]
    told = await asyncio.gather(*(one(script, stream=stream) for script, stream in asked))
    vectors = await litellm.aembedding(**(way | {"model": "openai/e"}), input=["Hello, vectors"])
    heard = {f"{script} {stream}": one for (script, stream), one in zip(asked, told, strict=True)}
    return heard | {"vectors": vectors.data[0]["embedding"]}


if __name__ == "__main__":
    told: dict[str, Any] = {
        f"{model} {stream}": asked(model, where, stream=stream)
        for model, where in WAYS.items()
        for stream in (False, True)
    }
    told["responses"] = responses(WAYS["openai/m"])
    told["at once"] = asyncio.run(without_waiting(f"{sys.argv[2]}/v1"))
    print(json.dumps(told))  # noqa: T201 - it is asked for
