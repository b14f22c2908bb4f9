"""`/v1/completions`, the oldest protocol of OpenAI: one text, and what follows it.

The text is read as what the user says; there is no place for a prompt of the system, so that what hardenings add to it
stands before the text. Of an answer its id, time, model, text, finish and tokens are handed on; log probabilities and
fields that are not known are dropped, for they could carry what a guard took out.
"""

import secrets
import time
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from aloi.solutions.gateway.dialects.bodies import body_of, fitted, missing, names_of, refused, understood
from aloi.solutions.gateway.dialects.completions_answers import (
    Completion,
    CompletionsReading,
    CompletionsWriting,
    answered_as,
    choice_of,
    finish_reason,
)
from aloi.solutions.gateway.dialects.contents import Unread, refuse_unread
from aloi.solutions.gateway.dialects.descent import descends
from aloi.solutions.gateway.dialects.dialect import Answered, Asked, Beside, Body
from aloi.solutions.gateway.dialects.openai_forms import Clock, StreamOptions, Token, error_body, refuse_several, used
from aloi.solutions.gateway.dialects.surroundings import PARAMETERS, Places, surroundings
from aloi.solutions.limits.tokens import MOST
from aloi.system.messages import Message, Request, Response
from aloi.system.openai import ANSWER_LIMIT
from aloi.system.rendering import chat_messages
from aloi.translation import N_

_UNREAD = frozenset({"prompt_embeds"})
_UNCHECKED = N_("{field} is not served: it mixes what was asked with what was answered, which guards read apart")


class _Form(Struct):
    prompt: Any = None
    model: str = ""
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: Annotated[int, Meta(ge=1, le=MOST)] | None = None
    temperature: float | None = None
    n: int | None = None
    best_of: int | None = None
    echo: bool | None = None
    suffix: str | None = None


_NAMES = names_of(_Form) | _UNREAD
_PLACES = Places(read={"prompt": None, "prompt[]": None}, unread=_UNREAD, names=_NAMES | PARAMETERS)


class Completions:
    """The completions of OpenAI.

    `unread` tells what is done with what guards cannot read. `clock` and `token` date and name the answers that no
    upstream made.
    """

    path = "/v1/completions"
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
        if form.echo:
            refused("echo", _UNCHECKED, N_("leave out {field}, or set it to false"))
        if form.suffix:
            refused("suffix", _UNCHECKED, N_("leave out {field}: put what is to follow into the prompt"))
        if self._unread == "refuse":
            refuse_unread(given, _UNREAD)
        request = Request(
            prompt="",
            messages=(Message(role="user", content=_prompt(form.prompt)),),
            max_tokens=form.max_tokens or MOST,
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
        own = not descends(request, was)
        if own:
            body = {name: body[name] for name in ("model", "user") if name in body}
        if own or request.prompt != was.prompt or request.messages != was.messages:
            text = "\n\n".join(message["content"] for message in chat_messages(request))
            body["prompt"] = [text] if isinstance(body.get("prompt"), list) else text
        known: Body = {"max_tokens": MOST if own else was.max_tokens, "temperature": None if own else was.temperature}
        wanted = {"max_tokens": request.max_tokens, "temperature": request.temperature}
        return body | {name: value for name, value in wanted.items() if value != known[name]}

    def answer(self, document: bytes, limit: int = ANSWER_LIMIT) -> Answered:
        """An upstream's whole answer. Raises Broken."""
        return answered_as(understood(document, self._answers, limit))

    def written(self, asked: Asked, answered: Answered | None, response: Response) -> Body:
        """The answer to the client."""
        if answered is None:
            answered = answered_as({"choices": [{"text": ""}]})
            answered.document["usage"] = used(answered.response)
        was, document = answered.response, dict(answered.document)
        document["choices"] = [choice_of(response.text, finish_reason(response))]
        if response.text != was.text:  # what guards took out could stand in a name that the upstream chose
            document |= {"id": "", "model": ""}
            document.pop("system_fingerprint", None)
        if (response.prompt_tokens, response.completion_tokens) != (was.prompt_tokens, was.completion_tokens):
            document["usage"] = used(response)
        document["id"] = document["id"] or self._name()
        document["created"] = document["created"] or int(self._clock())
        document["model"] = document["model"] or asked.body.get("model", "")
        return document

    def reading(self, limit: int = ANSWER_LIMIT) -> CompletionsReading:
        """A reader of one upstream stream."""
        return CompletionsReading(limit)

    def writing(self, asked: Asked) -> CompletionsWriting:
        """A writer of one stream to the client."""
        options = asked.body.get("stream_options") or {}
        return CompletionsWriting(
            name=self._name(),
            created=int(self._clock()),
            model=asked.body.get("model", ""),
            usage=bool(options.get("include_usage")),
        )

    def error(self, status: int, kind: str, message: str, field: str = "") -> Body:
        """An error in the protocol's own form."""
        return error_body(status, kind, message, field)

    def _name(self) -> str:
        return f"cmpl-aloi{self._token(12)}"


def _prompt(given: Any) -> str:
    if given is None:
        missing("prompt")
    if isinstance(given, list) and len(given) == 1 and isinstance(given[0], str):
        return given[0]
    if isinstance(given, list) and len(given) > 1 and all(isinstance(one, str) for one in given):
        refused("prompt", N_("behind guards one answer is made at a time"), N_("send one request for each prompt"))
    if not isinstance(given, str):
        refused("prompt", N_("{field} is no text that guards can read"), N_("send one text, not the tokens of one"))
    return given
