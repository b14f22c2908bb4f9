"""`/v1/chat/completions`, the protocol of OpenAI's chat.

Of an answer its id, time, model, text, refusal, tool calls, finish and tokens are handed on. Log probabilities,
reasoning, annotations, audio and fields that are not known are dropped: they could carry what a guard took out.
"""

import secrets
import time
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from aloi.solutions.gateway.dialects.bodies import body_of, fitted, missing, names_of, refused, understood
from aloi.solutions.gateway.dialects.chat_answers import Completion, answered_as, finish_reason, message_of
from aloi.solutions.gateway.dialects.chat_streams import ChatReading, ChatWriting
from aloi.solutions.gateway.dialects.contents import (
    REASONING,
    Part,
    Unread,
    refuse_unread,
    respoken,
    retold,
    spoken,
    unreadable,
)
from aloi.solutions.gateway.dialects.descent import descends
from aloi.solutions.gateway.dialects.dialect import Answered, Asked, Beside, Body
from aloi.solutions.gateway.dialects.openai_forms import Clock, StreamOptions, Token, error_body, refuse_several, used
from aloi.solutions.gateway.dialects.surroundings import PARAMETERS, Places, surroundings
from aloi.solutions.limits.tokens import MOST
from aloi.system.messages import Message, Request, Response, Role, Tool, ToolCall
from aloi.system.openai import ANSWER_LIMIT
from aloi.system.rendering import chat_messages, chat_tools
from aloi.translation import N_

_HEAD = frozenset({"system", "developer"})
_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
}
_TEXTS = frozenset({"text", "refusal"})
_LIMITS = ("max_completion_tokens", "max_tokens")
# Texts for the model, or words of it, that stand where no guard reads.
_UNREAD = frozenset({"web_search_options", "documents", "chat_template", "audio"})
_UNREAD_OF_MESSAGE = REASONING | {"audio"}


class _Called(Struct):
    name: str
    arguments: str


class _Call(Struct):
    id: str
    type: str = "function"
    function: _Called | None = None


class _Message(Struct):
    role: str
    content: str | list[Part] | None = None
    refusal: str | None = None
    tool_calls: list[_Call] | None = None
    tool_call_id: str | None = None
    function_call: Any = None


class _Function(Struct):
    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None


class _Tool(Struct):
    type: str
    function: _Function | None = None


_Tokens = Annotated[int, Meta(ge=1, le=MOST)]


class _Form(Struct):
    messages: Annotated[list[_Message], Meta(min_length=1)]
    model: str = ""
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_completion_tokens: _Tokens | None = None
    max_tokens: _Tokens | None = None
    temperature: float | None = None
    tools: list[_Tool] | None = None
    n: int | None = None
    best_of: int | None = None
    functions: Any = None
    function_call: Any = None


_NAMES = names_of(_Form, _Message, _Call, _Called, _Tool, _Function, Part) | _UNREAD | _UNREAD_OF_MESSAGE
_PARTS = {"messages[].content[]": _TEXTS}
_FUNCTION = "messages[].tool_calls[].function"
_PLACES = Places(
    read={
        "messages[].role": None,
        "messages[].content": None,
        "messages[].content[].type": None,
        "messages[].content[].text": frozenset({"text"}),
        "messages[].content[].refusal": frozenset({"refusal"}),
        "messages[].refusal": None,
        "messages[].tool_calls[].type": None,
        f"{_FUNCTION}.name": None,
        f"{_FUNCTION}.arguments": None,
    },
    parts=_PARTS,
    unread=_UNREAD | {f"messages[].{name}" for name in _UNREAD_OF_MESSAGE},
    fixed=frozenset({"messages[].tool_calls[].id", "messages[].tool_call_id"}),
    names=_NAMES | PARAMETERS,
)


class Chat:
    """The chat of OpenAI.

    `unread` tells what is done with parts that guards cannot read. `clock` and `token` date and name the answers that
    no upstream made.
    """

    path = "/v1/chat/completions"
    asks = True
    speaks = True

    def __init__(
        self, *, unread: Unread = "refuse", clock: Clock = time.time, token: Token = secrets.token_hex
    ) -> None:
        self._unread = unread
        self._clock = clock
        self._token = token
        self._answers = msgspec.json.Decoder(Completion)

    def read(self, body: bytes) -> Asked:
        """A client's request. Raises Malformed."""
        given = body_of(body, _NAMES)
        form = fitted(given, _Form)
        refuse_several(n=form.n, best_of=form.best_of)
        for name in ("functions", "function_call"):
            if getattr(form, name) is not None:
                refused(name, N_("{field} is not served: the protocol replaced it by tools"), N_("use tools"))
        if self._unread == "refuse":
            refuse_unread(given, _UNREAD)
        head = _head(form.messages)
        texts = [self._text(index, message, given) for index, message in enumerate(form.messages)]
        request = Request(
            prompt="\n\n".join(filter(None, texts[:head])),
            messages=tuple(_message(one, text) for one, text in zip(form.messages[head:], texts[head:], strict=True)),
            tools=tuple(_tool(index, tool) for index, tool in enumerate(form.tools or ())),
            max_tokens=max((getattr(form, name) for name in _LIMITS if getattr(form, name)), default=MOST),
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
            return body
        if not descends(request, was):
            return _own(body, request)
        if request.prompt != was.prompt or request.messages != was.messages:
            body["messages"] = _messages(body["messages"], was, request)
        if request.max_tokens != was.max_tokens:
            body |= dict.fromkeys(_limits(body), request.max_tokens)
        if request.temperature != was.temperature:
            body["temperature"] = request.temperature
        return body

    def answer(self, document: bytes, limit: int = ANSWER_LIMIT) -> Answered:
        """An upstream's whole answer. Raises Broken."""
        return answered_as(understood(document, self._answers, limit))

    def written(self, asked: Asked, answered: Answered | None, response: Response) -> Body:
        """The answer to the client."""
        if answered is None:
            answered = Answered(document=self._blank(), response=Response(text="", finish=""))
        was, document = answered.response, dict(answered.document)
        choice = document["choices"][0]
        if response.text != was.text or response.tool_calls != was.tool_calls:
            # What guards took out could stand in a name that the upstream chose.
            document |= {"id": "", "model": ""}
            document.pop("system_fingerprint", None)
            choice = choice | {"message": message_of(response)}
        document["choices"] = [choice | {"finish_reason": finish_reason(response)}]
        if (response.prompt_tokens, response.completion_tokens) != (was.prompt_tokens, was.completion_tokens):
            document["usage"] = used(response)
        document["id"] = document["id"] or self._name()
        document["created"] = document["created"] or int(self._clock())
        document["model"] = document["model"] or asked.body.get("model", "")
        return document

    def reading(self, limit: int = ANSWER_LIMIT) -> ChatReading:
        """A reader of one upstream stream."""
        return ChatReading(limit)

    def writing(self, asked: Asked) -> ChatWriting:
        """A writer of one stream to the client."""
        options = asked.body.get("stream_options") or {}
        return ChatWriting(
            name=self._name(),
            created=int(self._clock()),
            model=asked.body.get("model", ""),
            usage=bool(options.get("include_usage")),
        )

    def error(self, status: int, kind: str, message: str, field: str = "") -> Body:
        """An error in the protocol's own form."""
        return error_body(status, kind, message, field)

    def _name(self) -> str:
        return f"chatcmpl-aloi{self._token(12)}"

    def _blank(self) -> Body:
        choice = {"index": 0, "message": message_of(Response(text="")), "logprobs": None, "finish_reason": "stop"}
        return {
            "id": "",
            "object": "chat.completion",
            "created": 0,
            "model": "",
            "choices": [choice],
            "usage": used(Response(text="")),
        }

    def _text(self, index: int, message: _Message, given: Body) -> str:
        """What a message says. Raises Malformed where it is none of the protocol's, or holds what cannot be read."""
        field = f"messages[{index}]"
        if message.role not in _ROLES:
            _refuse_role(field, message.role)
        if message.function_call is not None:
            refused(
                f"{field}.function_call",
                N_("{field} is not served: the protocol replaced it by tools"),
                N_("use tools"),
            )
        if message.content is None and message.role != "assistant":
            missing(f"{field}.content")
        if message.role == "tool" and not message.tool_call_id:
            refused(
                f"{field}.tool_call_id",
                N_("{field} is missing: a result belongs to a call"),
                N_("name the call that it is the result of"),
            )
        if self._unread == "refuse":
            for name in _UNREAD_OF_MESSAGE & given["messages"][index].keys():
                if given["messages"][index][name]:
                    unreadable(f"{field}.{name}", name)
        _require_calls(field, message)
        text = spoken(message.content, f"{field}.content", _TEXTS, self._unread)
        return "\n".join(filter(None, (text, message.refusal)))


def _require_calls(field: str, message: _Message) -> None:
    """Raises Malformed where calls are not those of functions that an assistant tells."""
    if message.tool_calls and message.role != "assistant":
        refused(
            f"{field}.tool_calls",
            N_("{field} is not served: calls are the assistant's, and guards read no others"),
            N_("leave it out, or tell the calls in a message of the assistant"),
        )
    for place, call in enumerate(message.tool_calls or ()):
        if call.function is None or call.type != "function":
            _refuse_kind(f"{field}.tool_calls[{place}].type")


def _refuse_role(field: str, role: str) -> None:
    if role == "function":
        refused(f"{field}.role", N_("{field} is not served: the protocol replaced it by tools"), N_("use tools"))
    refused(
        f"{field}.role",
        N_("{field} is none of the protocol's: {role}"),
        N_("use system, developer, user, assistant or tool"),
        role=role[:60],
    )


def _refuse_kind(field: str) -> None:
    refused(field, N_("{field} is not served: guards read calls of functions"), N_("use tools of the type function"))


def _limits(body: Body) -> list[str]:
    """The fields in which a client tells its limit. Where it tells none, the one that every endpoint knows or refuses:
    a limit that is overlooked is none."""
    return [name for name in _LIMITS if body.get(name) is not None] or ["max_tokens"]


def _own(body: Body, request: Request) -> Body:
    """A remedy's own question."""
    own: Body = {name: body[name] for name in ("model", "user", "service_tier") if name in body}
    own |= {"messages": chat_messages(request), "temperature": request.temperature}
    if request.tools:
        own["tools"] = chat_tools(request.tools)
    return own | (dict.fromkeys(_limits(body), request.max_tokens) if request.max_tokens < MOST else {})


def _head(messages: list[_Message]) -> int:
    """How many messages of the system stand before all others."""
    return next((i for i, message in enumerate(messages) if message.role not in _HEAD), len(messages))


def _message(message: _Message, text: str) -> Message:
    return Message(
        role=_ROLES[message.role],
        content=text,
        tool_calls=tuple(
            ToolCall(id=call.id, name=call.function.name, arguments=call.function.arguments)
            for call in message.tool_calls or ()
            if call.function
        ),
        tool_call_id=message.tool_call_id or "",
    )


def _tool(index: int, tool: _Tool) -> Tool:
    if tool.function is None or tool.type != "function":
        _refuse_kind(f"tools[{index}].type")
    function = tool.function
    assert function is not None
    return Tool(name=function.name, description=function.description or "", parameters=function.parameters or {})


def _messages(written: list[Body], was: Request, request: Request) -> list[Body]:
    """The messages of the body, with what differs: the whole prompt in its first message, texts in their own."""
    count = len(was.messages)
    head = written[: len(written) - count]
    if request.prompt != was.prompt:
        first = head[0] if head else {"role": "system", "content": ""}
        told = first | {"content": respoken(first["content"], request.prompt, _TEXTS)}
        # Of later ones nothing is left but parts that are no text.
        rest = [one | {"content": respoken(one["content"], "", _TEXTS)} for one in head[1:]]
        head = [told, *(one for one in rest if one["content"])]
    body = [
        _as_left(one, new, old)
        for one, new, old in zip(written[len(written) - count :], request.messages, was.messages, strict=False)
    ]
    return [*head, *body, *chat_messages(Request(prompt="", messages=request.messages[count:]))]


def _as_left(message: Body, new: Message, old: Message) -> Body:
    if new.content != old.content:
        message = _with_text(message, new.content)
    if new.tool_calls != old.tool_calls:
        calls = zip(message["tool_calls"], new.tool_calls, strict=True)
        message = message | {
            "tool_calls": [one | {"function": one["function"] | {"arguments": now.arguments}} for one, now in calls]
        }
    return message


def _with_text(message: Body, text: str) -> Body:
    write = retold if message["role"] == "tool" else respoken
    changed = message | {"content": write(message.get("content"), text, _TEXTS)}
    changed.pop("refusal", None)
    return changed
