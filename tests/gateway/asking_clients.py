"""One question by the real client of each protocol, and what its package raises."""

from collections.abc import Callable
from typing import Any

import anthropic
import httpx2 as httpx
import openai

Heard = list[Any]


def chat(gpt: openai.OpenAI, _: object, said: str, heard: Heard, *, stream: bool) -> str:
    turns = [{"role": "user", "content": said}]
    if not stream:
        heard.append(gpt.chat.completions.create(model="m", messages=turns))
        return heard[0].choices[0].message.content
    for chunk in gpt.chat.completions.create(model="m", messages=turns, stream=True):
        heard.append(chunk)
    return "".join(one.choices[0].delta.content or "" for one in heard if one.choices)


def completions(gpt: openai.OpenAI, _: object, said: str, heard: Heard, *, stream: bool) -> str:
    if not stream:
        heard.append(gpt.completions.create(model="m", prompt=said))
        return heard[0].choices[0].text
    for chunk in gpt.completions.create(model="m", prompt=said, stream=True):
        heard.append(chunk)
    return "".join(one.choices[0].text for one in heard if one.choices)


def responses(gpt: openai.OpenAI, _: object, said: str, heard: Heard, *, stream: bool) -> str:
    if not stream:
        heard.append(gpt.responses.create(model="m", input=said))
        return heard[0].output_text
    for event in gpt.responses.create(model="m", input=said, stream=True):
        heard.append(event)
    for event in heard:
        if event.type == "error":  # which the package hands on, and the application raises
            raise openai.APIError(event.message, httpx.Request("POST", "http://x"), body={"code": event.code})
    return "".join(one.delta for one in heard if one.type == "response.output_text.delta")


def messages(_: object, claude: anthropic.Anthropic, said: str, heard: Heard, *, stream: bool) -> str:
    turns = [{"role": "user", "content": said}]
    if not stream:
        heard.append(claude.messages.create(model="m", max_tokens=99, messages=turns))
        return "".join(one.text for one in heard[0].content)
    for event in claude.messages.create(model="m", max_tokens=99, messages=turns, stream=True):
        heard.append(event)
    return "".join(one.delta.text for one in heard if one.type == "content_block_delta")


ASK: dict[str, Callable[..., str]] = {one.__name__: one for one in (chat, completions, responses, messages)}


def heard_text(heard: Heard) -> str:
    return "".join(one.model_dump_json() for one in heard)


def told(error: Any) -> tuple[int | None, str]:
    """The status and the code of what a package raised; no status where an event told it."""
    body = error.body or {}
    code = body.get("code") or body.get("error", {}).get("code")
    status = getattr(error, "status_code", None)
    return (None if status == 200 else status), code
