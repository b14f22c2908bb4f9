"""`/v1/messages`, the protocol of Anthropic.

Of an answer its id, model, texts, uses of tools, stop reason, stop sequence and tokens are handed on. Citations,
containers, blocks of tools that the server carries out and fields that are not known are dropped: they could carry what
a guard took out. So is thinking, but for that behind uses of tools, which is handed out sealed: some models want it
back with the results. Of an earlier turn that alone is handed on, opened: what another sealed no guard can read.
"""

import secrets
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta, Struct

from aloi.solutions.gateway.dialects.bodies import body_of, fitted, missing, names_of, understood
from aloi.solutions.gateway.dialects.contents import Part, Unread, refuse_unread, respoken, spoken, unreadable
from aloi.solutions.gateway.dialects.descent import descends
from aloi.solutions.gateway.dialects.dialect import Answered, Asked, Beside, Body
from aloi.solutions.gateway.dialects.messages_answers import Answer, answered_as, content_of, stop_reason, used
from aloi.solutions.gateway.dialects.messages_streams import MessagesReading, MessagesWriting
from aloi.solutions.gateway.dialects.messages_thoughts import SEALED, unsealed
from aloi.solutions.gateway.dialects.messages_turns import TEXTS, Block, Turn, of_chat, rewritten, said
from aloi.solutions.gateway.dialects.openai_forms import Token
from aloi.solutions.gateway.dialects.surroundings import PARAMETERS, Places, surroundings
from aloi.solutions.gateway.sealing import Seal
from aloi.solutions.limits.tokens import MOST
from aloi.system.messages import Request, Response, Tool
from aloi.system.openai import ANSWER_LIMIT
from aloi.system.rendering import chat_messages

# Tools whose calls the client carries out, by the beginnings of their types; all others are the server's own.
_CLIENTS = ("custom", "bash_", "text_editor_", "memory_")
_UNREAD = frozenset({"mcp_servers", "container"})
_TYPES = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}


class _Tool(Struct):
    type: str | None = None
    name: str | None = None
    description: str | None = None
    input_schema: dict[str, Any] | None = None


class _Form(Struct):
    messages: Annotated[list[Turn], Meta(min_length=1)]
    max_tokens: Annotated[int, Meta(ge=0, le=MOST)]
    model: str = ""
    system: str | list[Part] | None = None
    stream: bool | None = None
    stop_sequences: list[str] | None = None
    temperature: float | None = None
    tools: list[_Tool] | None = None


_USES, _RESULTS = frozenset({"tool_use"}), frozenset({"tool_result"})
_NAMES = names_of(_Form, _Tool, Turn, Block, Part) | _UNREAD
_PLACES = Places(
    read={
        "system": None,
        "system[].type": None,
        "system[].text": TEXTS,
        "messages[].role": None,
        "messages[].content": None,
        "messages[].content[].type": None,
        "messages[].content[].text": TEXTS,
        "messages[].content[].name": _USES,
        "messages[].content[].content": _RESULTS,
        "messages[].content[].content[].type": None,
        "messages[].content[].content[].text": TEXTS,
    },
    skipped={"messages[].content[].input": _USES, "messages[].content[].data": frozenset({SEALED})},
    parts={
        "system[]": TEXTS,
        "messages[].content[]": TEXTS | _USES | _RESULTS | {SEALED},
        "messages[].content[].content[]": TEXTS,
    },
    unread=_UNREAD,
    fixed=frozenset({"messages[].content[].id", "messages[].content[].tool_use_id"}),
    names=_NAMES | PARAMETERS,
)


class Messages:
    """The messages of Anthropic.

    `unread` tells what is done with blocks that guards cannot read. `seal` closes thinking; without one, what is handed
    out is never taken back. `token` names the answers that no upstream made.
    """

    # What a body need not say.
    assumed: ClassVar[Body] = {}
    path = "/v1/messages"
    asks = True
    speaks = True

    def __init__(
        self, *, unread: Unread = "refuse", seal: Seal | None = None, token: Token = secrets.token_hex
    ) -> None:
        self._unread = unread
        self._seal = seal or Seal()
        self._token = token
        self._answers = msgspec.json.Decoder(Answer)

    def read(self, body: bytes) -> Asked:
        """A client's request. Raises Malformed."""
        given = body_of(body, _NAMES)
        form = fitted(self.assumed | given, _Form)
        if self._unread == "refuse":
            refuse_unread(given, _UNREAD)
        request = Request(
            prompt=spoken(form.system, "system", TEXTS, self._unread),
            messages=tuple(one.message for one in said(form.messages, self._unread)),
            tools=tuple(tool for index, one in enumerate(form.tools or ()) for tool in self._tool(index, one)),
            max_tokens=form.max_tokens,
            temperature=1.0 if form.temperature is None else form.temperature,
        )
        return Asked(body=given, request=request, stream=bool(form.stream))

    def beside(self, asked: Asked) -> list[Beside]:
        """What carries text beside the messages."""
        return surroundings(asked.body, _PLACES, passes=self._unread == "pass")

    def sent(self, asked: Asked, request: Request) -> Body:
        """The client's body with what differs from what it asked; a remedy's own question is written anew, whole."""
        was = asked.request
        body = dict(asked.body)
        if request is was:
            body["messages"] = unsealed(body["messages"], self._seal, self._unread)
            return body
        if not descends(request, was):
            return _own(body, request)
        if request.prompt != was.prompt:
            body["system"] = respoken(body.get("system"), request.prompt, TEXTS)
        if request.messages != was.messages:
            count = len(was.messages)
            spoken_then = said(fitted(body["messages"], list[Turn], "messages"), self._unread)
            added = _turns(Request(prompt="", messages=request.messages[count:]))
            body["messages"] = [*rewritten(body["messages"], spoken_then, request.messages[:count]), *added]
        body["messages"] = unsealed(body["messages"], self._seal, self._unread)
        if request.max_tokens != was.max_tokens:
            body["max_tokens"] = request.max_tokens
        if request.temperature != was.temperature:
            body["temperature"] = request.temperature
        return body

    def answer(self, document: bytes, limit: int = ANSWER_LIMIT) -> Answered:
        """An upstream's whole answer. Raises Broken."""
        return answered_as(understood(document, self._answers, limit), self._seal)

    def written(self, asked: Asked, answered: Answered | None, response: Response) -> Body:
        """The answer to the client."""
        if answered is None:
            answered = answered_as({"content": []}, self._seal)
        was, document = answered.response, dict(answered.document)
        same_calls = response.tool_calls == was.tool_calls
        if response.text != was.text or not same_calls:
            document["content"] = content_of(response.text, response.tool_calls)
            # What guards took out could stand in a name that the upstream chose.
            document |= {"id": "", "model": ""}
        if response.finish != was.finish or not same_calls:
            document |= {"stop_reason": stop_reason(response), "stop_sequence": None}
        if (response.prompt_tokens, response.completion_tokens) != (was.prompt_tokens, was.completion_tokens):
            document["usage"] = used(response)
        if document["stop_sequence"] not in (asked.body.get("stop_sequences") or ()):
            document["stop_sequence"] = None
        document["id"] = document["id"] or self._name()
        document["model"] = document["model"] or asked.body.get("model", "")
        return document

    def reading(self, limit: int = ANSWER_LIMIT) -> MessagesReading:
        """A reader of one upstream stream."""
        return MessagesReading(limit, self._seal)

    def writing(self, asked: Asked) -> MessagesWriting:
        """A writer of one stream to the client."""
        return MessagesWriting(
            name=self._name(),
            model=asked.body.get("model", ""),
            sequences=asked.body.get("stop_sequences") or (),
        )

    def error(self, status: int, kind: str, message: str, field: str = "") -> Body:
        """An error in the protocol's own form; `code` and `param`, which it does not have, stand beside."""
        told = _TYPES.get(status) or ("api_error" if status >= 500 else "invalid_request_error")
        return {"type": "error", "error": {"type": told, "message": message, "code": kind, "param": field or None}}

    def _name(self) -> str:
        return f"msg_aloi{self._token(12)}"

    def _tool(self, index: int, tool: _Tool) -> list[Tool]:
        if not (tool.type or "custom").startswith(_CLIENTS):
            if self._unread == "refuse":
                unreadable(f"tools[{index}].type", tool.type or "")
            return []
        if not tool.name:
            missing(f"tools[{index}].name")
        return [Tool(name=tool.name, description=tool.description or "", parameters=tool.input_schema or {})]


def _turns(request: Request) -> list[Body]:
    calls = {call.id: call for message in request.messages for call in message.tool_calls}
    return of_chat(chat_messages(msgspec.structs.replace(request, prompt="")), calls)


def _own(body: Body, request: Request) -> Body:
    """A remedy's own question."""
    kept = {name: body[name] for name in ("model", "metadata", "service_tier") if name in body}
    own = {"max_tokens": request.max_tokens, "messages": _turns(request), "temperature": request.temperature}
    if request.prompt:
        own["system"] = request.prompt
    if request.tools:
        own["tools"] = [
            {"name": tool.name, "description": tool.description, "input_schema": tool.parameters}
            for tool in request.tools
        ]
    return kept | own
