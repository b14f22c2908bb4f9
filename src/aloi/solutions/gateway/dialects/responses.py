"""`/v1/responses`, the newer protocol of OpenAI.

Of an answer its id, time, model, texts, refusals, calls of functions, status and tokens are handed on. Reasoning,
annotations, log probabilities, what tools of the server did and fields that are not known are dropped: they could carry
what a guard took out. Conversations that the server keeps, and tools that it carries out, are refused unless their
owner wants them unread; reasoning of an earlier turn that is encrypted, and tells nothing beside, is left out.
"""

import secrets
import time
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from aloi.solutions.gateway.dialects.bodies import body_of, fitted, missing, names_of, refused, understood
from aloi.solutions.gateway.dialects.contents import Part, Unread, refuse_unread, unreadable
from aloi.solutions.gateway.dialects.descent import descends
from aloi.solutions.gateway.dialects.dialect import Answered, Asked, Beside, Body
from aloi.solutions.gateway.dialects.openai_forms import Clock, Token, error_body
from aloi.solutions.gateway.dialects.responses_answers import Answer, answered_as, ending, named, output_of, used, whole
from aloi.solutions.gateway.dialects.responses_items import TEXTS, Item, head, of_chat, rewritten, said
from aloi.solutions.gateway.dialects.responses_streams import ResponsesReading, ResponsesWriting
from aloi.solutions.gateway.dialects.surroundings import PARAMETERS, Places, surroundings
from aloi.solutions.limits.tokens import MOST
from aloi.system.messages import Request, Response, Tool
from aloi.system.openai import ANSWER_LIMIT
from aloi.system.rendering import chat_messages
from aloi.translation import N_

_UNREAD = frozenset({"previous_response_id", "conversation", "prompt"})
_OWN = ("model", "user", "safety_identifier", "service_tier", "store")


class _Tool(Struct):
    type: str
    name: str | None = None
    description: str | None = None
    parameters: dict[str, Any] | None = None


class _Form(Struct):
    input: str | Annotated[list[Item], Meta(min_length=1)]
    model: str = ""
    instructions: str | None = None
    background: bool | None = None
    stream: bool | None = None
    max_output_tokens: Annotated[int, Meta(ge=1, le=MOST)] | None = None
    temperature: float | None = None
    tools: list[_Tool] | None = None


_NAMES = names_of(_Form, _Tool, Item, Part) | _UNREAD
_MESSAGES, _CALLS, _RESULTS = (frozenset({one}) for one in ("message", "function_call", "function_call_output"))
_PLACES = Places(
    read={
        "instructions": None,
        "input": None,
        "input[].type": None,
        "input[].role": _MESSAGES,
        "input[].content": _MESSAGES,
        "input[].content[].type": None,
        "input[].content[].text": TEXTS - {"refusal"},
        "input[].content[].refusal": frozenset({"refusal"}),
        "input[].name": _CALLS,
        "input[].arguments": _CALLS,
        "input[].output": _RESULTS,
        "input[].output[].type": None,
        "input[].output[].text": TEXTS - {"refusal"},
        "input[].output[].refusal": frozenset({"refusal"}),
    },
    skipped={"input[].encrypted_content": frozenset({"reasoning"})},
    parts={
        "input[]": _MESSAGES | _CALLS | _RESULTS | {"reasoning"},
        "input[].content[]": TEXTS,
        "input[].output[]": TEXTS,
    },
    unread=_UNREAD,
    fixed=frozenset({"input[].id", "input[].call_id"}),
    names=_NAMES | PARAMETERS,
    kind="message",
)


class Responses:
    """The responses of OpenAI.

    `unread` tells what is done with what guards cannot read. `clock` and `token` date and name the answers that no
    upstream made, and their items.
    """

    path = "/v1/responses"
    asks = True
    speaks = True

    def __init__(
        self, *, unread: Unread = "refuse", clock: Clock = time.time, token: Token = secrets.token_hex
    ) -> None:
        self._unread = unread
        self._clock = clock
        self._token = token
        self._answers = msgspec.json.Decoder(Answer)

    def read(self, body: bytes) -> Asked:
        """A client's request. Raises Malformed."""
        given = body_of(body, _NAMES)
        form = fitted(given, _Form)
        if form.background:
            refused(
                "background",
                N_("behind guards an answer is given at once, and none is fetched later"),
                N_("leave out {field}, or set it to false"),
            )
        if self._unread == "refuse":
            refuse_unread(given, _UNREAD)
        items = _items(form.input)
        messages = [one.message for one in said(items, self._unread)]
        first = head(items)
        request = Request(
            prompt="\n\n".join(filter(None, (form.instructions, *(one.content for one in messages[:first])))),
            messages=tuple(messages[first:]),
            tools=tuple(tool for index, one in enumerate(form.tools or ()) for tool in self._tool(index, one)),
            max_tokens=form.max_output_tokens or MOST,
            temperature=1.0 if form.temperature is None else form.temperature,
        )
        return Asked(body=given, request=request, stream=bool(form.stream))

    def beside(self, asked: Asked) -> list[Beside]:
        """What carries text beside the messages."""
        return surroundings(asked.body, _PLACES, passes=self._unread == "pass")

    def sent(self, asked: Asked, request: Request) -> Body:
        """The client's body with what differs from what it asked; a remedy's own question is written anew, whole."""
        was = asked.request
        body = self._readable(asked.body)
        if request is was:
            return body
        if not descends(request, was):
            return _own(body, request)
        if request.prompt != was.prompt or request.messages != was.messages:
            body |= self._readable(self._spoken(asked.body, was, request))
        if request.max_tokens != was.max_tokens:
            body["max_output_tokens"] = request.max_tokens
        if request.temperature != was.temperature:
            body["temperature"] = request.temperature
        return body

    def answer(self, document: bytes, limit: int = ANSWER_LIMIT) -> Answered:
        """An upstream's whole answer. Raises Broken."""
        return answered_as(understood(document, self._answers, limit))

    def written(self, asked: Asked, answered: Answered | None, response: Response) -> Body:
        """The answer to the client."""
        if answered is None:
            answered = answered_as({"output": []})
            answered.document["usage"] = used(answered.response)
        was, told = answered.response, dict(answered.document)
        if response.text != was.text or response.tool_calls != was.tool_calls:
            # What guards took out could stand in a name that the upstream chose.
            told |= {"id": "", "model": "", "output": output_of(response)}
        told["output"] = named(told["output"], self._new)
        if response.finish != was.finish:
            told |= ending(response)
        if (response.prompt_tokens, response.completion_tokens) != (was.prompt_tokens, was.completion_tokens):
            told["usage"] = used(response)
        told["id"] = told["id"] or f"resp_aloi{self._new()}"
        told["created_at"] = told["created_at"] or int(self._clock())
        told["model"] = told["model"] or asked.body.get("model", "")
        return whole(asked.body, told)

    def reading(self, limit: int = ANSWER_LIMIT) -> ResponsesReading:
        """A reader of one upstream stream."""
        return ResponsesReading(limit)

    def writing(self, asked: Asked) -> ResponsesWriting:
        """A writer of one stream to the client."""
        name = f"resp_aloi{self._new()}"
        return ResponsesWriting(body=asked.body, name=name, created=int(self._clock()), token=self._new)

    def error(self, status: int, kind: str, message: str, field: str = "") -> Body:
        """An error in the protocol's own form."""
        return error_body(status, kind, message, field)

    def _new(self) -> str:
        return self._token(12)

    def _tool(self, index: int, tool: _Tool) -> list[Tool]:
        if tool.type != "function":
            if self._unread == "refuse":
                unreadable(f"tools[{index}].type", tool.type)
            return []
        if not tool.name:
            missing(f"tools[{index}].name")
        return [Tool(name=tool.name, description=tool.description or "", parameters=tool.parameters or {})]

    def _readable(self, body: Body) -> Body:
        """A body without the sealed reasoning of earlier turns, which no guard can read."""
        given = body.get("input")
        if self._unread == "pass" or not isinstance(given, list):
            return dict(body)
        return body | {"input": [item for item in given if item.get("type") != "reasoning"]}

    def _spoken(self, body: Body, was: Request, request: Request) -> Body:
        """The instructions and the input, with what differs: the whole prompt where the client's own began."""
        items = _items(fitted(body["input"], _INPUT, "input"))
        found, first, count = said(items, self._unread), head(items), len(was.messages)
        now = [one.message for one in found[:first]]
        now += request.messages[:count]
        written = [{"role": "user", "content": body["input"]}] if isinstance(body["input"], str) else body["input"]
        changed: Body = {}
        if request.prompt != was.prompt and (first == 0 or body.get("instructions")):
            changed["instructions"] = request.prompt
            now[:first] = [msgspec.structs.replace(one, content="") for one in now[:first]]
        elif request.prompt != was.prompt:
            prompts = [request.prompt, *[""] * (first - 1)]
            now[:first] = [msgspec.structs.replace(one, content=p) for one, p in zip(now, prompts, strict=False)]
        written = rewritten(written, found, now)
        if request.prompt != was.prompt:
            written = [*(item for item in written[:first] if item["content"]), *written[first:]]
        written += of_chat(chat_messages(Request(prompt="", messages=request.messages[count:])))
        alone = isinstance(body["input"], str) and len(written) == 1
        return changed | {"input": written[0]["content"] if alone else written}


_INPUT: Any = str | list[Item]


def _items(given: str | list[Item]) -> list[Item]:
    return [Item(role="user", content=given)] if isinstance(given, str) else given


def _own(body: Body, request: Request) -> Body:
    """A remedy's own question."""
    own: Body = {name: body[name] for name in _OWN if name in body}
    own["input"] = of_chat(chat_messages(msgspec.structs.replace(request, prompt="")))
    own["temperature"] = request.temperature
    if request.prompt:
        own["instructions"] = request.prompt
    if request.max_tokens < MOST:
        own["max_output_tokens"] = request.max_tokens
    if request.tools:
        own["tools"] = [
            {"type": "function", "name": one.name, "description": one.description, "parameters": one.parameters}
            for one in request.tools
        ]
    return own
