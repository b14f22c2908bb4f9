"""Anthropic's messages: what guards changed reaches the upstream, what they left the client, and nothing else does."""

import anthropic
import msgspec
import pytest

from aloi.solutions.gateway.dialects.dialect import Broken, Event
from aloi.solutions.gateway.dialects.messages import Messages
from aloi.solutions.guarded import BLOCKED
from aloi.system.messages import Message, Request, Response, Tool, ToolCall
from gateway.clients import anthropic_client

USE = {"type": "tool_use", "id": "t1", "name": "pay", "input": {"to": "Ann"}}
IMAGE = {"type": "image", "source": {"type": "url", "url": "x"}}
CACHED = {"cache_control": {"type": "ephemeral"}}
BODY = {
    "model": "m",
    "max_tokens": 100,
    "system": [{"type": "text", "text": "Be kind.", **CACHED}, {"type": "text", "text": "Be brief."}],
    "messages": [
        {
            "role": "user",
            "content": [{"type": "text", "text": "Look:", **CACHED}, IMAGE, {"type": "text", "text": "and pay."}],
        },
        {"role": "assistant", "content": [{"type": "redacted_thinking", "data": "x"}, USE]},
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "t1",
                    "is_error": False,
                    "content": [{"type": "text", "text": "paid", **CACHED}, {"type": "text", "text": "by Bob"}, IMAGE],
                },
                {"type": "text", "text": "Now tell me."},
            ],
        },
    ],
    "tools": [{"name": "pay", "description": "d", "input_schema": {"type": "object"}, "strict": True}],
    "metadata": {"user_id": "u"},
    "top_k": 5,
}
DIALECT = Messages(unread="pass", token=lambda count: "0" * (2 * count))


def asked(**changes):
    return DIALECT.read(msgspec.json.encode(BODY | changes))


def changed(request, **texts):
    """The request with other texts, by place: `_0` is the first message."""
    messages = list(request.messages)
    for place, text in texts.items():
        index = int(place[1:])
        messages[index] = msgspec.structs.replace(messages[index], content=text)
    return msgspec.structs.replace(request, messages=tuple(messages))


def test_texts_that_guards_changed_stand_in_their_first_blocks_and_all_else_as_written():
    question = asked()
    assert [message.role for message in question.request.messages] == ["user", "assistant", "tool", "user"]
    sent = DIALECT.sent(question, changed(question.request, _0="Look at ***", _2="p***", _3="Tell ***."))
    expected = msgspec.json.decode(msgspec.json.encode(BODY))
    expected["messages"][0]["content"] = [{"type": "text", "text": "Look at ***", **CACHED}, IMAGE]
    result = expected["messages"][2]["content"]
    result[0]["content"] = [{"type": "text", "text": "p***", **CACHED}, IMAGE]
    result[1]["text"] = "Tell ***."
    assert sent == expected
    assert question.body == BODY


def test_a_withheld_result_leaves_an_empty_one():
    question = asked(messages=[*BODY["messages"][:2], {"role": "user", "content": [RESULT]}])
    sent = DIALECT.sent(question, changed(question.request, _2=""))
    assert sent["messages"][-1]["content"] == [RESULT | {"content": ""}]


def test_nothing_of_a_withheld_result_is_left():
    question = asked()
    sent = DIALECT.sent(question, changed(question.request, _2=""))
    result, text = BODY["messages"][2]["content"]
    assert sent["messages"][2]["content"] == [result | {"content": ""}, text]


RESULT = {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "paid"}]}


@pytest.mark.parametrize(
    ("system", "sent"),
    [
        (BODY["system"], [{"type": "text", "text": "P", **CACHED}]),
        ("Be kind.", "P"),
        ([], [{"type": "text", "text": "P"}]),
    ],
)
def test_a_hardened_prompt_stands_in_the_first_block(system, sent):
    question = asked(system=system)
    assert DIALECT.sent(question, msgspec.structs.replace(question.request, prompt="P")) == BODY | {"system": sent}


def test_a_prompt_is_added_where_there_was_none():
    question = DIALECT.read(msgspec.json.encode({name: BODY[name] for name in BODY if name != "system"}))
    assert DIALECT.sent(question, msgspec.structs.replace(question.request, prompt="P")) == BODY | {"system": "P"}


def test_what_is_added_at_the_end_is_written_in_the_protocol():
    question = asked()
    calls = (ToolCall(id="t2", name="pay", arguments="{"), ToolCall(id="t3", name="pay"))
    said = Message(role="assistant", content="Well.", tool_calls=calls)
    told = [Message(role="tool", content="withheld", tool_call_id=call.id) for call in calls]
    again = Message(role="user", content="Go on.")
    request = msgspec.structs.replace(question.request, messages=(*question.request.messages, said, *told, again))
    assert DIALECT.sent(question, request)["messages"] == [
        *BODY["messages"],
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "Well."},
                {"type": "tool_use", "id": "t2", "name": "pay", "input": {"arguments": "{"}},
                {"type": "tool_use", "id": "t3", "name": "pay", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "t2", "content": "withheld"},
                {"type": "tool_result", "tool_use_id": "t3", "content": "withheld"},
            ],
        },
        {"role": "user", "content": "Go on."},
    ]


def test_limits_that_were_changed_are_written():
    question = asked()
    request = msgspec.structs.replace(question.request, max_tokens=9, temperature=0.0)
    assert DIALECT.sent(question, request) == BODY | {"max_tokens": 9, "temperature": 0.0}


def test_a_question_of_a_remedy_is_written_anew():
    said = Message(role="user", content="Which facts?")
    own = Request(prompt="", messages=(said,), max_tokens=300, temperature=0.0)
    expected = {
        "model": "m",
        "metadata": {"user_id": "u"},
        "messages": [{"role": "user", "content": "Which facts?"}],
        "temperature": 0.0,
        "max_tokens": 300,
    }
    assert DIALECT.sent(asked(stream=True), own) == expected
    tool = Tool(name="f", description="d", parameters={"type": "object"})
    assert DIALECT.sent(asked(), msgspec.structs.replace(own, prompt="Read.", tools=(tool,))) == expected | {
        "system": "Read.",
        "tools": [{"name": "f", "description": "d", "input_schema": {"type": "object"}}],
    }


def ask(client, **more):
    return client.messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": "Hi"}], **more)


def client_of(document):
    return anthropic_client(msgspec.json.encode(document))


KNOWN = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m-2026",
    "content": [{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo."}, USE],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {
        "input_tokens": 9,
        "output_tokens": 4,
        "cache_read_input_tokens": 20,
        "cache_creation": {"ephemeral_1h_input_tokens": 0, "ephemeral_5m_input_tokens": 0},
        "output_tokens_details": {"thinking_tokens": 1},
        "service_tier": "standard",
    },
}


def test_an_answer_that_was_left_alone_reaches_the_client_as_it_was():
    answered = DIALECT.answer(msgspec.json.encode(KNOWN))
    assert answered.response.text == "Hello."
    assert DIALECT.written(asked(), answered, answered.response) == KNOWN
    assert ask(client_of(DIALECT.written(asked(), answered, answered.response))) == ask(client_of(KNOWN))


def test_what_is_not_known_is_dropped():
    secret = "AZUR-COBALT-91"
    document = msgspec.json.decode(msgspec.json.encode(KNOWN))
    document["content"][0] |= {"citations": [{"type": "char_location", "cited_text": secret}]}
    document["content"][2] |= {"caller": {"type": secret}}
    document["content"] = [
        {"type": "thinking", "thinking": secret, "signature": secret},
        {"type": "redacted_thinking", "data": secret},
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": secret}},
        {"type": "web_search_tool_result", "tool_use_id": "s", "content": [{"title": secret}]},
        *document["content"],
    ]
    document |= {"container": {"id": secret}, "stop_details": {"explanation": secret}, "diagnostics": secret}
    document["usage"] |= {"cost": secret, "server_tool_use": {secret: 1}, "inference_geo": secret}
    answered = DIALECT.answer(msgspec.json.encode(document))
    assert secret not in str(answered)
    told = DIALECT.written(asked(), answered, answered.response)
    assert told.pop("content")[1:] == KNOWN["content"]
    assert told == {name: value for name, value in KNOWN.items() if name != "content"}


def test_what_a_guard_changed_reaches_the_client_and_nothing_else():
    answered = DIALECT.answer(msgspec.json.encode(KNOWN))
    response = msgspec.structs.replace(answered.response, text="H***.")
    # A name that the upstream chose could hold what was taken out.
    ours = KNOWN | {"id": "msg_aloi000000000000000000000000", "model": "m"}
    assert DIALECT.written(asked(), answered, response) == ours | {"content": [{"type": "text", "text": "H***."}, USE]}
    without = msgspec.structs.replace(answered.response, tool_calls=())
    assert DIALECT.written(asked(), answered, without) == ours | {
        "content": [{"type": "text", "text": "Hello."}],
        "stop_reason": "end_turn",
    }


def test_the_tokens_of_a_remedy_s_questions_are_told_too():
    answered = DIALECT.answer(msgspec.json.encode(KNOWN))
    assert answered.response.prompt_tokens == 29
    response = msgspec.structs.replace(answered.response, prompt_tokens=100)
    usage = {"input_tokens": 100, "output_tokens": 4}
    assert DIALECT.written(asked(), answered, response) == KNOWN | {"usage": usage}


def test_a_blocked_answer_tells_so():
    answered = DIALECT.answer(msgspec.json.encode(KNOWN | {"stop_reason": "stop_sequence", "stop_sequence": "END"}))
    response = msgspec.structs.replace(answered.response, text="I cannot.", finish=BLOCKED, tool_calls=())
    message = ask(client_of(DIALECT.written(asked(), answered, response)))
    assert [block.text for block in message.content] == ["I cannot."]
    assert (message.stop_reason, message.stop_sequence) == ("refusal", None)


def test_an_answer_that_no_upstream_made_is_whole():
    message = ask(client_of(DIALECT.written(asked(), None, Response(text="I cannot.", finish=BLOCKED))))
    assert message.model_dump(exclude_none=True) == {
        "id": "msg_aloi000000000000000000000000",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [{"type": "text", "text": "I cannot."}],
        "stop_reason": "refusal",
        "usage": {"input_tokens": 0, "output_tokens": 0},
    }


@pytest.mark.parametrize(
    ("finish", "calls", "told"),
    [
        ("stop", False, "end_turn"),
        ("length", False, "max_tokens"),
        ("length", True, "max_tokens"),
        ("content_filter", False, "refusal"),
        ("tool_calls", True, "tool_use"),
        ("tool_calls", False, "end_turn"),
        ("stop_sequence", False, "stop_sequence"),
        ("empty", False, "end_turn"),
        ("AZUR-COBALT-91", False, "end_turn"),
        (BLOCKED, False, "refusal"),
    ],
)
def test_why_an_answer_ended_is_told_in_the_protocol_s_words(finish, calls, told):
    response = Response(text="Hi", finish=finish, tool_calls=(ToolCall(id="c", name="f"),) if calls else ())
    assert DIALECT.written(asked(), None, response)["stop_reason"] == told


def test_a_reason_that_nobody_knows_is_not_handed_on():
    answered = DIALECT.answer(msgspec.json.encode(KNOWN | {"stop_reason": "AZUR-COBALT-91"}))
    assert DIALECT.written(asked(), answered, answered.response)["stop_reason"] == "tool_use"


def streamed(question, response, texts):
    writing = DIALECT.writing(question)
    return b"".join([*(writing.text(text) for text in texts), writing.end(response)])


def test_the_client_reads_a_stream():
    calls = (ToolCall(id="t1", name="pay", arguments='{"to": "Ann"}'), ToolCall(id="t2", name="pay"))
    response = Response(text="Hé 😀", finish="tool_calls", tool_calls=calls, prompt_tokens=3, completion_tokens=2)
    stream = streamed(asked(stream=True), response, ["", "Hé", "", " 😀"])
    events = list(ask(anthropic_client(stream, stream=True), stream=True))
    assert [event.type for event in events] == [
        "message_start",
        *("content_block_start", "content_block_delta", "content_block_delta", "content_block_stop"),
        *("content_block_start", "content_block_delta", "content_block_stop") * 2,
        "message_delta",
        "message_stop",
    ]
    with anthropic_client(stream, stream=True).messages.stream(
        model="m", max_tokens=9, messages=[{"role": "user", "content": "Hi"}]
    ) as helper:
        message = helper.get_final_message()
    assert message.content[0].text == "Hé 😀"
    assert [(block.id, block.name, block.input) for block in message.content[1:]] == [
        ("t1", "pay", {"to": "Ann"}),
        ("t2", "pay", {}),
    ]
    assert (message.stop_reason, message.usage.input_tokens, message.usage.output_tokens) == ("tool_use", 3, 2)
    assert (message.id, message.model) == ("msg_aloi000000000000000000000000", "m")


def test_a_stream_of_calls_alone_has_no_text():
    response = Response(text="", finish="tool_calls", tool_calls=(ToolCall(id="t1", name="pay"),))
    events = list(ask(anthropic_client(streamed(asked(), response, []), stream=True), stream=True))
    assert [event.content_block.type for event in events if event.type == "content_block_start"] == ["tool_use"]
    assert events[1].index == 0


@pytest.mark.parametrize(("given", "told"), [(["END"], "END"), (["END", "STOP"], None), (None, None)])
def test_a_stop_sequence_is_named_where_it_can_only_be_one(given, told):
    stream = streamed(asked(stop_sequences=given), Response(text="", finish="stop_sequence"), [])
    delta = list(ask(anthropic_client(stream, stream=True), stream=True))[1].delta
    assert (delta.stop_reason, delta.stop_sequence) == ("stop_sequence", told)


def test_a_stream_that_broke_off_is_an_error_to_the_client():
    writing = DIALECT.writing(asked())
    stream = writing.text("Hel") + writing.error("upstream-cut", "the upstream's answer broke off")
    assert b"message_stop" not in stream
    with pytest.raises(anthropic.APIStatusError, match="broke off") as error:
        list(ask(anthropic_client(stream, stream=True), stream=True))
    assert error.value.body["error"]["code"] == "upstream-cut"


@pytest.mark.parametrize(
    ("status", "kind", "raised"),
    [
        (400, "invalid_request_error", anthropic.BadRequestError),
        (401, "authentication_error", anthropic.AuthenticationError),
        (403, "permission_error", anthropic.PermissionDeniedError),
        (404, "not_found_error", anthropic.NotFoundError),
        (413, "request_too_large", anthropic.APIStatusError),
        (429, "rate_limit_error", anthropic.RateLimitError),
        (502, "api_error", anthropic.InternalServerError),
        (504, "timeout_error", anthropic.InternalServerError),
        (529, "overloaded_error", anthropic.InternalServerError),
    ],
)
def test_an_error_is_told_as_the_protocol_tells_it(status, kind, raised):
    body = DIALECT.error(status, "too-large", "The body is too large.", "messages")
    assert (body["type"], body["error"]["type"]) == ("error", kind)
    with pytest.raises(raised, match="too large"):
        ask(anthropic_client(msgspec.json.encode(body), status=status))


def test_an_endless_stream_is_too_large():
    reading = DIALECT.reading()
    delta = {"type": "text_delta", "text": "x" * 1_000_000}
    event = Event("", msgspec.json.encode({"type": "content_block_delta", "index": 0, "delta": delta}))
    with pytest.raises(Broken) as broken:
        list(map(reading.feed, [event] * 5))
    assert broken.value.reason == "too-large"
    assert len(reading.response().text) == 4_000_000
