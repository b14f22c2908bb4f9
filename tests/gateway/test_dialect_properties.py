"""What holds of every dialect: for any body, for any change of a guard, for any answer in any cuts."""

from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aloi.solutions.gateway.dialects.chat import Chat
from aloi.solutions.gateway.dialects.completions import Completions
from aloi.solutions.gateway.dialects.dialect import Event
from aloi.solutions.gateway.dialects.messages import Messages
from aloi.solutions.gateway.dialects.responses import Responses
from aloi.solutions.gateway.endpoints import dialect_for
from aloi.solutions.gateway.events import Events
from aloi.system.messages import Message, Response, ToolCall

DIALECTS = {
    "chat": Chat(unread="pass"),
    "completions": Completions(unread="pass"),
    "messages": Messages(unread="pass"),
    "responses": Responses(unread="pass"),
}
LETTERS = st.characters(exclude_categories=["Cs"])
TEXTS = st.text(LETTERS, max_size=20)
SAID = st.text(LETTERS, min_size=1, max_size=20)
NAMES = st.text("abcdef_", min_size=1, max_size=8)
LEAVES = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
)
VALUES = LEAVES | st.lists(LEAVES, max_size=2) | st.dictionaries(TEXTS, LEAVES, max_size=2)
# None of these is a parameter that a dialect reads.
FURTHER = st.dictionaries(st.sampled_from(["x", "top_k", "cache_control"]), VALUES, max_size=2)
ARGUMENTS = st.dictionaries(NAMES, TEXTS, max_size=2)


def some(**fields):
    """An object with these fields, and some that nobody knows."""
    return st.builds(lambda known, further: further | known, st.fixed_dictionaries(fields), FURTHER)


def content(kind, other):
    """A text, or parts of which some are none."""
    text = some(type=st.just(kind), text=TEXTS)
    return TEXTS | st.lists(text | some(type=st.just(other)), min_size=1, max_size=4)


def written(given):
    return msgspec.json.encode(given).decode()


def chat_bodies():
    parts = content("text", "image_url")
    called = st.fixed_dictionaries({"name": NAMES, "arguments": ARGUMENTS.map(written)})
    calls = st.lists(some(id=NAMES, type=st.just("function"), function=called), min_size=1, max_size=2)
    system = some(role=st.sampled_from(["system", "developer"]), content=parts)
    message = st.one_of(
        some(role=st.just("user"), content=parts, name=NAMES),
        some(role=st.just("assistant"), content=parts | st.none(), tool_calls=calls),
        some(role=st.just("assistant"), content=st.none(), refusal=TEXTS),
        some(role=st.just("tool"), content=parts, tool_call_id=NAMES),
        system,
    )
    tool = some(type=st.just("function"), function=some(name=NAMES, description=TEXTS, parameters=FURTHER))
    messages = st.builds(
        lambda head, rest: head + rest, st.lists(system, max_size=2), st.lists(message, min_size=1, max_size=4)
    )
    limit = st.none() | st.integers(1, 9999)
    return some(model=NAMES, messages=messages, tools=st.lists(tool, max_size=2), max_completion_tokens=limit)


def completions_bodies():
    return some(model=NAMES, prompt=TEXTS | TEXTS.map(lambda text: [text]), max_tokens=st.none() | st.integers(1, 99))


def messages_bodies():
    parts = content("text", "image")
    use = some(type=st.just("tool_use"), id=NAMES, name=NAMES, input=ARGUMENTS)
    result = some(type=st.just("tool_result"), tool_use_id=NAMES, content=parts)
    text = some(type=st.just("text"), text=SAID)
    turn = st.one_of(
        some(role=st.just("user"), content=parts | st.lists(result | text, min_size=1, max_size=4)),
        some(role=st.just("assistant"), content=parts | st.lists(use | text, min_size=1, max_size=4)),
    )
    return some(
        model=NAMES,
        max_tokens=st.integers(0, 9999),
        system=st.none() | parts,
        messages=st.lists(turn, min_size=1, max_size=4),
        tools=st.lists(some(name=NAMES, description=TEXTS, input_schema=FURTHER), max_size=2),
    )


def responses_bodies():
    parts = content("input_text", "input_image")
    system = some(role=st.sampled_from(["system", "developer"]), content=parts)
    sealed = some(type=st.just("reasoning"), encrypted_content=SAID, summary=st.just([]))
    item = st.one_of(
        some(role=st.sampled_from(["user", "assistant", "system"]), content=parts),
        some(type=st.just("function_call"), call_id=NAMES, name=NAMES, arguments=ARGUMENTS.map(written)),
        some(type=st.just("function_call_output"), call_id=NAMES, output=parts),
        sealed,
    )
    items = st.builds(
        lambda head, rest: head + rest, st.lists(system, max_size=2), st.lists(item, min_size=1, max_size=4)
    )
    tool = some(type=st.just("function"), name=NAMES, description=TEXTS, parameters=FURTHER)
    return some(model=NAMES, instructions=st.none() | TEXTS, input=TEXTS | items, tools=st.lists(tool, max_size=2))


BODIES = {
    "chat": chat_bodies(),
    "completions": completions_bodies(),
    "messages": messages_bodies(),
    "responses": responses_bodies(),
}


@pytest.mark.parametrize("name", DIALECTS)
@given(data=st.data())
def test_what_nobody_changed_is_sent_as_it_was_written(name, data):
    dialect, body = DIALECTS[name], data.draw(BODIES[name])
    asked = dialect.read(msgspec.json.encode(body))
    assert dialect.sent(asked, asked.request) == body
    again = msgspec.structs.replace(
        asked.request, messages=tuple(msgspec.structs.replace(one) for one in asked.request.messages)
    )
    assert dialect.sent(asked, again) == body


@pytest.mark.parametrize("name", DIALECTS)
@given(data=st.data())
def test_the_upstream_reads_what_guards_left(name, data):
    dialect = DIALECTS[name]
    asked = dialect.read(msgspec.json.encode(data.draw(BODIES[name])))
    # A call of the responses has no text.
    alone = name == "responses"
    texts = [
        one.content if alone and one.tool_calls else data.draw(st.just(one.content) | SAID)
        for one in asked.request.messages
    ]
    messages = [
        msgspec.structs.replace(one, content=text) for one, text in zip(asked.request.messages, texts, strict=True)
    ]
    # Completions have a place neither for a prompt nor for what comes after the text.
    prompt = asked.request.prompt
    if name != "completions":
        prompt = data.draw(st.just(prompt) | SAID)
        if data.draw(st.booleans()):
            call = ToolCall(id=data.draw(NAMES), name=data.draw(NAMES), arguments=written(data.draw(ARGUMENTS)))
            messages.append(Message(role="assistant", content="", tool_calls=(call,)))
            messages.append(Message(role="tool", content=data.draw(SAID), tool_call_id=call.id))
    left = msgspec.structs.replace(
        asked.request,
        prompt=prompt,
        messages=tuple(messages),
        max_tokens=data.draw(st.just(asked.request.max_tokens) | st.integers(1, 99)),
        temperature=data.draw(st.sampled_from([asked.request.temperature, 0.25])),
    )
    before = msgspec.json.encode(asked.body)
    sent = dialect.sent(asked, left)
    assert dialect.read(msgspec.json.encode(sent)).request == left
    assert msgspec.json.encode(asked.body) == before


def cut(data, whole):
    """A text or bytes in any pieces."""
    places = data.draw(st.sets(st.integers(0, len(whole)), max_size=8))
    return [whole[start:end] for start, end in pairwise(sorted({0, len(whole), *places}))]


CALLS = st.lists(st.builds(ToolCall, id=NAMES, name=NAMES, arguments=ARGUMENTS.map(written) | SAID), max_size=3).map(
    tuple
)
FINISHES = {
    "chat": ["stop", "length", "content_filter"],
    "completions": ["stop", "length", "content_filter"],
    "messages": ["stop", "length", "content_filter", "stop_sequence"],
    "responses": ["stop", "length", "content_filter"],
}


def response_of(data, name):
    calls = data.draw(CALLS) if name != "completions" else ()
    finish = "tool_calls" if calls else data.draw(st.sampled_from(FINISHES[name]))
    counts = st.integers(0, 9999)
    return Response(
        text=data.draw(st.text(LETTERS, max_size=60)),
        finish=finish,
        tool_calls=calls,
        prompt_tokens=data.draw(counts),
        completion_tokens=data.draw(counts),
    )


PLAIN = {
    "chat": {"messages": [{"role": "user", "content": "Hi"}], "stream_options": {"include_usage": True}},
    "completions": {"prompt": "Hi", "stream_options": {"include_usage": True}},
    "messages": {"max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]},
    "responses": {"input": "Hi"},
}


def read_back(dialect, events):
    reading = dialect.reading()
    texts = [reading.feed(event) for event in events]
    assert reading.ended
    assert "".join(texts) == reading.response().text
    return reading.response()


@pytest.mark.parametrize("name", DIALECTS)
@given(data=st.data())
def test_a_stream_that_we_wrote_is_read_as_what_was_said(name, data):
    dialect, response = DIALECTS[name], response_of(data, name)
    writing = dialect.writing(dialect.read(msgspec.json.encode(PLAIN[name])))
    stream = b"".join([*(writing.text(text) for text in cut(data, response.text)), writing.end(response)])
    reader = Events()
    events = [event for chunk in cut(data, stream) for event in reader.feed(chunk)]
    assert read_back(dialect, events) == response


def chat_stream(response, texts, arguments):
    def delta(**said):
        return {"choices": [{"index": 0, "delta": said}]}

    yield from (delta(content=text) for text in texts)
    for index, (call, pieces) in enumerate(zip(response.tool_calls, arguments, strict=True)):
        function = {"name": call.name, "arguments": ""}
        yield delta(tool_calls=[{"index": index, "id": call.id, "type": "function", "function": function}])
        for piece in pieces:
            yield delta(tool_calls=[{"index": index, "function": {"arguments": piece}}])
    yield {"choices": [{"index": 0, "delta": {}, "finish_reason": response.finish}]}
    counts = {"prompt_tokens": response.prompt_tokens, "completion_tokens": response.completion_tokens}
    yield {"choices": [], "usage": counts}
    yield "[DONE]"


REASONS = {"stop": "end_turn", "length": "max_tokens", "content_filter": "refusal", "tool_calls": "tool_use"}


def messages_stream(response, texts, arguments):
    def block(kind, index, **fields):
        return {"type": f"content_block_{kind}", "index": index} | fields

    usage = {"input_tokens": response.prompt_tokens, "output_tokens": 1}
    yield {"type": "message_start", "message": {"id": "m", "usage": usage}}
    yield block("start", 0, content_block={"type": "text", "text": ""})
    for text in texts:
        yield block("delta", 0, delta={"type": "text_delta", "text": text})
        yield {"type": "ping"}
    yield block("stop", 0)
    for index, (call, pieces) in enumerate(zip(response.tool_calls, arguments, strict=True), start=1):
        yield block("start", index, content_block={"type": "tool_use", "id": call.id, "name": call.name, "input": {}})
        for piece in pieces:
            yield block("delta", index, delta={"type": "input_json_delta", "partial_json": piece})
        yield block("stop", index)
    delta = {"stop_reason": REASONS.get(response.finish, response.finish)}
    yield {"type": "message_delta", "delta": delta, "usage": {"output_tokens": response.completion_tokens}}
    yield {"type": "message_stop"}


def responses_stream(response, texts, arguments):
    yield {"type": "response.created", "response": {"status": "in_progress"}}
    yield from ({"type": "response.output_text.delta", "output_index": 0, "delta": text} for text in texts)
    for index, (call, pieces) in enumerate(zip(response.tool_calls, arguments, strict=True), start=1):
        item = {"type": "function_call", "call_id": call.id, "name": call.name, "arguments": ""}
        yield {"type": "response.output_item.added", "output_index": index, "item": item}
        for piece in pieces:
            yield {"type": "response.function_call_arguments.delta", "output_index": index, "delta": piece}
        done = item | {"arguments": call.arguments}
        yield {"type": "response.output_item.done", "output_index": index, "item": done}
    reason = {"length": "max_output_tokens", "content_filter": "content_filter"}.get(response.finish)
    status = "incomplete" if reason else "completed"
    usage = {"input_tokens": response.prompt_tokens, "output_tokens": response.completion_tokens}
    told = {"status": status, "incomplete_details": reason and {"reason": reason}, "usage": usage}
    yield {"type": f"response.{status}", "response": told}


STREAMS = {"chat": chat_stream, "messages": messages_stream, "responses": responses_stream}


@pytest.mark.parametrize("name", STREAMS)
@given(data=st.data())
def test_a_stream_of_others_is_read_alike_in_any_deltas(name, data):
    response = response_of(data, name)
    arguments = [cut(data, call.arguments) for call in response.tool_calls]
    said = STREAMS[name](response, cut(data, response.text), arguments)
    events = [Event("", one.encode() if isinstance(one, str) else msgspec.json.encode(one)) for one in said]
    assert read_back(DIALECTS[name], events) == response


@pytest.mark.parametrize("name", DIALECTS)
@given(data=st.data())
def test_a_whole_answer_that_we_wrote_is_read_as_what_was_said(name, data):
    dialect, response = DIALECTS[name], response_of(data, name)
    calls = tuple(
        msgspec.structs.replace(call, arguments=written(data.draw(ARGUMENTS))) for call in response.tool_calls
    )
    response = msgspec.structs.replace(response, tool_calls=calls)
    document = dialect.written(dialect.read(msgspec.json.encode(PLAIN[name])), None, response)
    answered = dialect.answer(msgspec.json.encode(document))
    assert answered.response == response
    asked = dialect.read(msgspec.json.encode(PLAIN[name]))
    assert dialect.written(asked, answered, response) == document


def test_a_dialect_is_known_by_its_path():
    for dialect in DIALECTS.values():
        assert dialect_for(dialect.path, tuple(DIALECTS.values())) is dialect
    assert dialect_for("/v1/models", tuple(DIALECTS.values())) is None
