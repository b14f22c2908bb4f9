"""No text goes by the guards: every place that the client libraries type, against docs/gateway-fields.md."""

import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import msgspec
import pytest
from anthropic.types import Message, MessageTokensCount, RawMessageStreamEvent
from anthropic.types.message_count_tokens_params import MessageCountTokensParams
from anthropic.types.message_create_params import MessageCreateParamsBase
from msgspec.structs import replace
from openai.types import Completion, CreateEmbeddingResponse
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.chat.completion_create_params import CompletionCreateParamsBase as ChatParams
from openai.types.completion_create_params import CompletionCreateParamsBase
from openai.types.embedding_create_params import EmbeddingCreateParams
from openai.types.responses import Response, ResponseStreamEvent
from openai.types.responses.input_token_count_params import InputTokenCountParams
from openai.types.responses.input_token_count_response import InputTokenCountResponse
from openai.types.responses.response_create_params import ResponseCreateParamsBase
from walked_types import MARK, Case, cases, minimal

from aloi.solutions.gateway.dialects.chat import Chat
from aloi.solutions.gateway.dialects.completions import Completions
from aloi.solutions.gateway.dialects.counts import CountedMessages, CountedResponses
from aloi.solutions.gateway.dialects.dialect import Asked, Broken, Dialect, Event, Malformed
from aloi.solutions.gateway.dialects.embeddings import Embeddings
from aloi.solutions.gateway.dialects.messages import Messages
from aloi.solutions.gateway.dialects.responses import Responses
from aloi.solutions.guarded import BLOCKED

DOCS = Path(__file__).parents[2] / "docs" / "gateway-fields.md"
HI = [{"role": "user", "content": "Hi"}]
# The dialect, the type of its requests, and a request.
REQUESTS: dict[str, tuple[Dialect, Any, dict[str, Any]]] = {
    "/v1/chat/completions": (Chat(), ChatParams, {"model": "m", "messages": HI}),
    "/v1/responses": (Responses(), ResponseCreateParamsBase, {"model": "m", "input": "Hi"}),
    "/v1/messages": (Messages(), MessageCreateParamsBase, {"model": "m", "max_tokens": 9, "messages": HI}),
    "/v1/completions": (Completions(), CompletionCreateParamsBase, {"model": "m", "prompt": "Hi"}),
    "/v1/embeddings": (Embeddings(), EmbeddingCreateParams, {"model": "m", "input": "Hi"}),
    "/v1/responses/input_tokens": (CountedResponses(), InputTokenCountParams, {"model": "m", "input": "Hi"}),
    "/v1/messages/count_tokens": (CountedMessages(), MessageCountTokensParams, {"model": "m", "messages": HI}),
}
# What only a question that is answered has.
UNCOUNTED = {"prompt", "container"}


def rows() -> dict[str, dict[str, set[str]]]:
    """The table: by endpoint and place, as what it is read."""
    found: dict[str, dict[str, set[str]]] = defaultdict(dict)
    for line in DOCS.read_text().splitlines():
        if match := re.fullmatch(r"\| `(/v1/\S+)` \| `?([^|`]+)`? \| ([^|]+) \|.*", line):
            found[match[1]][match[2].strip()] = {one.strip() for one in match[3].split(",")}
    for path, known in found.items():
        if as_that := re.fullmatch(r"as `(/v1/\S+)`", next(iter(known["all"])) if "all" in known else ""):
            found[path] = {place: found[as_that[1]][place] for place in set(found[as_that[1]]) - UNCOUNTED}
    return found


def row_of(place: str, known: dict[str, set[str]]) -> str:
    """The row that says most of a place."""
    fitting = [one for one in known if place == one or place.startswith((f"{one}.", f"{one}["))]
    return max(fitting, key=len, default="any other")


def read_as(dialect: Dialect, body: dict[str, Any]) -> set[str]:
    """As what the mark in a body is read; nothing where no guard sees it."""
    try:
        asked = dialect.read(msgspec.json.encode(body))
    except Malformed:
        return {"refused"}
    request = asked.request
    found = {"operator"} if MARK in request.prompt else set()
    for message in request.messages:
        if MARK in message.content:
            found.add({"system": "operator", "assistant": "said before"}.get(message.role, message.role))
        if any(MARK in call.name + call.arguments for call in message.tool_calls):
            found.add("said before")
    for part in dialect.beside(asked):
        if any(MARK in text for text in (*part.names, *(leaf for _, leaf in part.leaves))):
            found.add(part.role)
    return found


def body_with(case: Case, base: dict[str, Any]) -> dict[str, Any]:
    top = re.split(r"[.\[{]", case.place.lstrip("."))[0]
    return base | {top: case.value[top]}


@pytest.mark.parametrize("path", REQUESTS)
def test_every_text_of_a_request_is_read_as_the_table_says(path: str) -> None:
    dialect, of, base = REQUESTS[path]
    known, met = rows()[path], defaultdict(set)
    walked = list(cases(of))
    for case in walked:
        place, found = case.place.lstrip("."), read_as(dialect, body_with(case, base))
        assert found, f"no guard reads {place}: {case.value}"
        met[row_of(place, known)] |= found
    assert dict(met) == known
    assert len(walked) > len(known)


@pytest.mark.parametrize("path", REQUESTS)
@pytest.mark.parametrize(
    "more",
    [{"x_new": MARK}, {"x_new": {"deep": [{"er": MARK}]}}, {MARK: 1}, {"x_new": {MARK: None}}, {"x_new": [[MARK]]}],
)
def test_what_nobody_here_knows_is_read_as_the_users(path: str, more: dict[str, Any]) -> None:
    dialect, _, base = REQUESTS[path]
    assert read_as(dialect, base | more) == {"user"}


# A part of a body that is read, in which something else stands beside what is.
BESIDE: dict[str, tuple[str, dict[str, Any]]] = {
    "a refusal in a text": ("chat", {"type": "text", "text": "Hi", "refusal": MARK}),
    "more in a text": ("chat", {"type": "text", "text": "Hi", "name": MARK}),
    "input of a text": ("messages", {"type": "text", "text": "Hi", "input": {"a": MARK}}),
    "content of a text": ("messages", {"type": "text", "text": "Hi", "content": MARK}),
    "data of a text": ("messages", {"type": "text", "text": "Hi", "data": MARK}),
    "a sealed thought in words": ("messages", {"type": "redacted_thinking", "data": MARK}),
    "output of a message": ("responses", {"role": "user", "content": "Hi", "output": MARK}),
    "arguments of a message": ("responses", {"role": "user", "content": "Hi", "arguments": MARK}),
    "a sealed thought of a message": ("responses", {"role": "user", "content": "Hi", "encrypted_content": MARK}),
    "sealed reasoning in words": ("responses", {"type": "reasoning", "summary": [], "encrypted_content": MARK}),
    "more beside sealed reasoning": (
        "responses",
        {"type": "reasoning", "summary": [], "encrypted_content": "QUJD", "note": MARK},
    ),
}


@pytest.mark.parametrize("name", BESIDE)
def test_what_hides_beside_what_is_read_is_read_or_refused(name: str) -> None:
    dialect, part = BESIDE[name]
    if dialect == "responses":
        body = REQUESTS["/v1/responses"][2] | {"input": [part, *HI]}
        assert read_as(Responses(), body) in ({"user"}, {"refused"})
    elif dialect == "messages":
        assistant = {"role": "assistant", "content": [part]}
        body = REQUESTS["/v1/messages"][2] | {"messages": [*HI, assistant, *HI]}
        assert read_as(Messages(), body) in ({"user"}, {"refused"})
    else:
        body = REQUESTS["/v1/chat/completions"][2] | {"messages": [{"role": "user", "content": [part]}]}
        assert read_as(Chat(), body) in ({"user"}, {"refused"})


# A name that is one, and could be a secret: only what the upstream itself chose may hold it, and only where no guard
# changed anything.
CODE = "BUCEPHALUS-4471"
ANSWERS: dict[str, tuple[Any, dict[str, Any]]] = {
    "/v1/chat/completions": (
        ChatCompletion,
        {"choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}]},
    ),
    "/v1/responses": (
        Response,
        {
            "status": "completed",
            "error": None,
            "output": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hi"}]}],
        },
    ),
    "/v1/messages": (Message, {"content": [{"type": "text", "text": "Hi"}], "stop_reason": "end_turn"}),
    "/v1/completions": (Completion, {"choices": [{"text": "Hi", "finish_reason": "stop"}]}),
    "/v1/embeddings": (CreateEmbeddingResponse, {"data": [{"embedding": [0.5], "index": 0}]}),
    "/v1/responses/input_tokens": (InputTokenCountResponse, {"input_tokens": 9}),
    "/v1/messages/count_tokens": (MessageTokensCount, {"input_tokens": 9}),
}
CHOSEN = {"id", "model", "system_fingerprint", "output[].id"}


def _marked(value: Any, code: str) -> Any:
    return msgspec.json.decode(msgspec.json.encode(value).replace(MARK.encode(), code.encode()))


@pytest.mark.parametrize("path", ANSWERS)
@pytest.mark.parametrize("mark", [MARK, CODE])
def test_of_an_answer_goes_out_what_guards_read_and_nothing_else(path: str, mark: str) -> None:
    dialect, (of, base) = REQUESTS[path][0], ANSWERS[path]
    asked = dialect.read(msgspec.json.encode(REQUESTS[path][2]))
    least = minimal(of) | base
    read, chosen = set(), set()
    for case in cases(of):
        place = case.place.lstrip(".")
        answer = _marked(body_with(case, least), mark)
        try:
            answered = dialect.answer(msgspec.json.encode(answer))
        except Broken:
            continue
        response = answered.response
        seen = mark in response.text or any(mark in call.name + call.arguments for call in response.tool_calls)
        named = any(mark in call.id for call in response.tool_calls)  # read apart
        told = msgspec.json.encode(dialect.written(asked, answered, response)).decode()
        if seen or named:
            read.add(place)
        elif mark in told:
            assert mark == CODE, place
            chosen.add(place)
        if dialect.speaks and not named:
            for changed in (
                replace(response, text="[SECRET]", tool_calls=()),
                replace(response, text="No.", tool_calls=(), finish=BLOCKED),
            ):
                assert mark not in msgspec.json.encode(dialect.written(asked, answered, changed)).decode(), place
    assert read or not dialect.speaks
    assert chosen <= CHOSEN


STREAMS: dict[str, Any] = {
    "/v1/chat/completions": ChatCompletionChunk,
    "/v1/responses": ResponseStreamEvent,
    "/v1/messages": RawMessageStreamEvent,
    "/v1/completions": Completion,
}


@pytest.mark.parametrize("path", STREAMS)
@pytest.mark.parametrize("mark", [MARK, CODE])
def test_of_a_stream_goes_out_what_guards_read_and_nothing_else(path: str, mark: str) -> None:
    dialect = REQUESTS[path][0]
    asked = dialect.read(msgspec.json.encode(REQUESTS[path][2] | {"stream": True}))
    read = 0
    for case in cases(STREAMS[path]):
        event = _marked(case.value, mark)
        reading = dialect.reading()
        try:
            text = reading.feed(Event(str(event.get("type", "")), msgspec.json.encode(event)))
        except Broken:
            continue
        response = reading.response()
        calls = "".join(call.id + call.name + call.arguments for call in response.tool_calls)
        writing = _writing(dialect, asked)
        told = (writing.text(text) + writing.end(response)).decode()
        if mark in text + calls:
            read += 1
        else:
            assert mark not in told, case
        written = _writing(dialect, asked)
        changed = written.text("[SECRET]") + written.end(replace(response, text="[SECRET]", tool_calls=()))
        assert mark not in changed.decode(), case
    assert read


def _writing(dialect: Dialect, asked: Asked) -> Any:
    return dialect.writing(asked)
