"""An upstream that answers in whatever protocol it is asked, with tools where it has them."""

import json

from benchmarks.gateway.scripted import SECRET, Playing

from aloi.solutions.gateway.dialects.chat import Chat
from aloi.solutions.gateway.dialects.completions import Completions
from aloi.solutions.gateway.dialects.dialect import Dialect
from aloi.solutions.gateway.dialects.messages import Messages
from aloi.solutions.gateway.dialects.responses import Responses
from aloi.system.messages import Response, ToolCall

DIALECTS: dict[str, Dialect] = {one.path: one for one in (Chat(), Completions(), Messages(), Responses())}
FINISH = {"/v1/messages": ("end_turn", "tool_use"), "/v1/responses": ("completed", "completed")}
TOOL = {"type": "object", "properties": {"day": {"type": "string"}}, "required": ["day"]}
ARGUMENTS = {"day": "monday"}


async def answering(it: Playing) -> None:
    """A model that calls a tool where it has one, tells the secret where it is asked for it, and else the hours."""
    path = it.head.split(b" ")[1].decode()
    asked = DIALECTS[path].read(json.dumps(it.body).encode())
    said = asked.request.messages[-1].content
    stop, calls = FINISH.get(path, ("stop", "tool_calls"))
    response = Response(text="We open at nine on weekdays.", finish=stop, prompt_tokens=11, completion_tokens=7)
    if "secret" in said:
        response = Response(text=f"Of course: it is {SECRET}.", finish=stop)
    elif asked.request.tools and asked.request.messages[-1].role != "tool":
        call = ToolCall(id="call_1", name="hours", arguments=json.dumps(ARGUMENTS))
        response = Response(text="", finish=calls, tool_calls=(call,))
    if not it.streams:
        written = DIALECTS[path].written(asked, None, response)
        await it.whole(json.dumps(written).encode())
        return
    writing = DIALECTS[path].writing(asked)
    await it.begin()
    for word in response.text.split(" ")[:-1]:
        await it.chunk(writing.text(f"{word} "))
    if response.text:
        await it.chunk(writing.text(response.text.split(" ")[-1]))
    await it.chunk(writing.end(response))
    await it.chunk(b"")
