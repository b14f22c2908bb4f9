"""OpenAI's responses: what guards changed reaches the upstream, what they left the client, and nothing else does."""

import msgspec
import openai
import pytest

from aloi.solutions.gateway.dialects.dialect import Broken, Event
from aloi.solutions.gateway.dialects.responses import Responses
from aloi.solutions.guarded import BLOCKED
from aloi.system.messages import Message, Request, Response, Tool, ToolCall
from gateway.clients import openai_client

CALL = {"type": "function_call", "id": "fc_0", "call_id": "c1", "name": "pay", "arguments": '{"to": "Ann"}'}
IMAGE = {"type": "input_image", "image_url": "x"}
SEALED = {"type": "reasoning", "id": "rs_0", "summary": [], "encrypted_content": "x"}
TOOL = {"type": "function", "name": "pay", "description": "d", "parameters": {"type": "object"}, "strict": True}
BODY = {
    "model": "m",
    "instructions": "Be kind.",
    "input": [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [{"type": "input_text", "text": "Look:"}, IMAGE, {"type": "input_text", "text": "and pay."}],
        },
        SEALED,
        CALL,
        {"type": "function_call_output", "call_id": "c1", "output": [{"type": "input_text", "text": "paid"}, IMAGE]},
        {
            "type": "message",
            "id": "msg_0",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "Paid.", "annotations": []}],
        },
    ],
    "tools": [TOOL],
    "text": {"format": {"type": "json_object"}},
    "metadata": {"a": "b"},
    "top_p": 0.5,
    "store": False,
}


class Names:
    """Names that are counted, so that two of them differ."""

    def __init__(self):
        self.count = 0

    def __call__(self, size):
        self.count += 1
        return f"{self.count:0{2 * size}}"


def dialect():
    return Responses(unread="pass", clock=lambda: 1700000000.5, token=Names())


def asked(**changes):
    return dialect().read(msgspec.json.encode(BODY | changes))


def changed(request, **texts):
    """The request with other texts, by place: `_0` is the first message."""
    messages = list(request.messages)
    for place, text in texts.items():
        index = int(place[1:])
        messages[index] = msgspec.structs.replace(messages[index], content=text)
    return msgspec.structs.replace(request, messages=tuple(messages))


def test_texts_that_guards_changed_stand_in_their_first_parts_and_all_else_as_written():
    question = asked()
    assert question.request.prompt == "Be kind.\n\nBe brief."
    assert [message.role for message in question.request.messages] == ["user", "assistant", "tool", "assistant"]
    sent = dialect().sent(question, changed(question.request, _0="Look at ***", _2="p***", _3="P***."))
    expected = msgspec.json.decode(msgspec.json.encode(BODY))
    expected["input"][1]["content"] = [{"type": "input_text", "text": "Look at ***"}, IMAGE]
    expected["input"][4]["output"] = [{"type": "input_text", "text": "p***"}, IMAGE]
    expected["input"][5]["content"][0]["text"] = "P***."
    assert sent == expected
    assert question.body == BODY


def test_a_text_that_was_put_beside_a_call_stands_before_it():
    question = asked(input=[{"role": "user", "content": "Pay."}, CALL])
    sent = dialect().sent(question, changed(question.request, _1="Well."))
    assert sent["input"] == [{"role": "user", "content": "Pay."}, {"role": "assistant", "content": "Well."}, CALL]


def test_a_text_alone_stays_one():
    question = asked(input="Pay Ann.")
    assert dialect().sent(question, changed(question.request, _0="Pay ***.")) == BODY | {"input": "Pay ***."}


def test_a_withheld_result_leaves_an_empty_one():
    result = {"type": "function_call_output", "call_id": "c1", "output": [{"type": "input_text", "text": "paid"}]}
    question = asked(input=[CALL, result])
    sent = dialect().sent(question, changed(question.request, _1=""))
    assert sent["input"] == [CALL, result | {"output": ""}]


def test_nothing_of_a_withheld_result_is_left():
    question = asked()
    sent = dialect().sent(question, changed(question.request, _2=""))
    assert sent["input"][4] == BODY["input"][4] | {"output": ""}


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({}, {"instructions": "P", "input": BODY["input"][1:]}),
        ({"input": "Hi"}, {"instructions": "P", "input": "Hi"}),
        ({"input": "Hi", "instructions": None}, {"instructions": "P", "input": "Hi"}),
        (
            {"instructions": None},
            {"instructions": None, "input": [{"role": "system", "content": "P"}, *BODY["input"][1:]]},
        ),
        (
            {"instructions": None, "input": [{"role": "developer", "content": "a"}, *BODY["input"]]},
            {"instructions": None, "input": [{"role": "developer", "content": "P"}, *BODY["input"][1:]]},
        ),
    ],
    ids=["both", "instructions", "none", "a message", "two messages"],
)
def test_a_hardened_prompt_stands_where_the_clients_began(given, sent):
    question = asked(**given)
    assert dialect().sent(question, msgspec.structs.replace(question.request, prompt="P")) == BODY | sent


@pytest.mark.parametrize("given", [BODY["input"], "Pay."], ids=["items", "a text"])
def test_what_is_added_at_the_end_is_written_in_the_protocol(given):
    question = asked(input=given)
    calls = (ToolCall(id="c2", name="pay", arguments="{"), ToolCall(id="c3", name="pay"))
    said = Message(role="assistant", content="Well.", tool_calls=calls)
    told = [Message(role="tool", content="withheld", tool_call_id=call.id) for call in calls]
    quiet = Message(role="assistant", content="", tool_calls=calls[:1])
    request = msgspec.structs.replace(question.request, messages=(*question.request.messages, said, *told, quiet))
    assert dialect().sent(question, request)["input"] == [
        *(BODY["input"] if given == BODY["input"] else [{"role": "user", "content": "Pay."}]),
        {"role": "assistant", "content": "Well."},
        {"type": "function_call", "call_id": "c2", "name": "pay", "arguments": "{"},
        {"type": "function_call", "call_id": "c3", "name": "pay", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c2", "output": "withheld"},
        {"type": "function_call_output", "call_id": "c3", "output": "withheld"},
        {"type": "function_call", "call_id": "c2", "name": "pay", "arguments": "{"},
    ]


def test_limits_that_were_changed_are_written():
    question = asked()
    request = msgspec.structs.replace(question.request, max_tokens=9, temperature=0.0)
    assert dialect().sent(question, request) == BODY | {"max_output_tokens": 9, "temperature": 0.0}


def test_a_question_of_a_remedy_is_written_anew():
    said = Message(role="user", content="Which facts?")
    own = Request(prompt="", messages=(said,), max_tokens=300, temperature=0.0)
    expected = {
        "model": "m",
        "store": False,
        "input": [{"role": "user", "content": "Which facts?"}],
        "temperature": 0.0,
        "max_output_tokens": 300,
    }
    assert dialect().sent(asked(stream=True), own) == expected
    tool = Tool(name="f", description="d", parameters={"type": "object"})
    assert dialect().sent(asked(), msgspec.structs.replace(own, prompt="Read.", tools=(tool,))) == expected | {
        "instructions": "Read.",
        "tools": [{"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}}],
    }


def ask(client, **more):
    return client.responses.create(model="m", input="Hi", **more)


def client_of(document):
    return openai_client(msgspec.json.encode(document))


def text_part(text):
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


SPOKEN = {
    "type": "message",
    "id": "msg_1",
    "status": "completed",
    "role": "assistant",
    "content": [text_part("Hel"), text_part("lo.")],
    "phase": "final_answer",
}
CALLED = {
    "type": "function_call",
    "id": "fc_1",
    "status": "completed",
    "call_id": "c9",
    "name": "pay",
    "arguments": '{"to": "Ann"}',
}
KNOWN = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1700000001,
    "model": "m-2026",
    "status": "completed",
    "incomplete_details": None,
    "error": None,
    "output": [SPOKEN, CALLED],
    "usage": {
        "input_tokens": 9,
        "input_tokens_details": {"cached_tokens": 2},
        "output_tokens": 4,
        "output_tokens_details": {"reasoning_tokens": 1},
        "total_tokens": 13,
    },
    "service_tier": "default",
}
REPEATED = {
    "background": False,
    "instructions": "Be kind.",
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {"a": "b"},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "reasoning": {"effort": None, "summary": None},
    "safety_identifier": None,
    "store": False,
    "temperature": 1.0,
    "text": {"format": {"type": "json_object"}},
    "tool_choice": "auto",
    "tools": [TOOL],
    "top_logprobs": 0,
    "top_p": 0.5,
    "truncation": "disabled",
    "user": None,
}


def test_an_answer_that_was_left_alone_reaches_the_client_as_it_was():
    answered = dialect().answer(msgspec.json.encode(KNOWN | REPEATED))
    assert answered.response.text == "Hello."
    written = dialect().written(asked(), answered, answered.response)
    assert written == KNOWN | REPEATED
    response = ask(client_of(written))
    assert response == ask(client_of(KNOWN | REPEATED))
    assert response.output_text == "Hello."
    assert response.output[1].arguments == '{"to": "Ann"}'


def test_what_is_not_known_is_dropped_and_what_was_added_is_not_told():
    secret = "AZUR-COBALT-91"
    document = msgspec.json.decode(msgspec.json.encode(KNOWN | REPEATED))
    document["output"][0]["content"][0] |= {
        "annotations": [{"type": "url_citation", "title": secret}],
        "logprobs": [{"token": secret}],
    }
    document["output"][1] |= {"caller": {"type": secret}, "namespace": secret}
    document["output"] = [
        {"type": "reasoning", "id": "rs", "summary": [{"type": "summary_text", "text": secret}]},
        {"type": "web_search_call", "id": "ws", "status": "completed", "action": {"query": secret}},
        *document["output"],
    ]
    document |= {
        "instructions": secret,
        "metadata": {secret: secret},
        "tools": [secret],
        "conversation": {"id": secret},
    }
    document["usage"] |= {"cost": secret}
    answered = dialect().answer(msgspec.json.encode(document))
    assert secret not in str(answered)
    written = dialect().written(asked(), answered, answered.response)
    # By a name of its own an endpoint would know an item that it keeps, and miss the reasoning that was before it.
    assert [one.pop("id") for one in written["output"]] == [
        "msg_aloi000000000000000000000001",
        "fc_aloi000000000000000000000002",
    ]
    output = [{name: one[name] for name in one if name != "id"} for one in KNOWN["output"]]
    assert written == KNOWN | REPEATED | {"output": output}


def test_what_a_guard_changed_reaches_the_client_and_nothing_else():
    answered = dialect().answer(msgspec.json.encode(KNOWN))
    response = msgspec.structs.replace(answered.response, text="H***.")
    # A name that the upstream chose could hold what was taken out.
    spoken = {name: SPOKEN[name] for name in SPOKEN if name != "phase"} | {"content": [text_part("H***.")]}
    spoken |= {"id": "msg_aloi000000000000000000000001"}
    called = CALLED | {"id": "fc_aloi000000000000000000000002"}
    assert dialect().written(asked(), answered, response)["output"] == [spoken, called]
    without = msgspec.structs.replace(answered.response, text="", tool_calls=(ToolCall(id="c8", name="pay"),))
    assert dialect().written(asked(), answered, without)["output"] == [
        CALLED | {"id": "fc_aloi000000000000000000000001", "call_id": "c8", "arguments": "{}"}
    ]


def test_the_tokens_of_a_remedy_s_questions_are_told_too():
    answered = dialect().answer(msgspec.json.encode(KNOWN))
    response = msgspec.structs.replace(answered.response, prompt_tokens=100)
    usage = ask(client_of(dialect().written(asked(), answered, response))).usage
    assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (100, 4, 104)
    assert (usage.input_tokens_details.cached_tokens, usage.output_tokens_details.reasoning_tokens) == (0, 0)


def test_a_blocked_answer_tells_so():
    answered = dialect().answer(msgspec.json.encode(KNOWN))
    response = msgspec.structs.replace(answered.response, text="I cannot.", finish=BLOCKED, tool_calls=())
    told = ask(client_of(dialect().written(asked(), answered, response)))
    assert (told.status, told.incomplete_details.reason, told.output_text) == (
        "incomplete",
        "content_filter",
        "I cannot.",
    )


def test_an_answer_that_no_upstream_made_is_whole():
    told = ask(client_of(dialect().written(asked(), None, Response(text="I cannot.", finish=BLOCKED))))
    assert (told.id, told.created_at, told.model) == ("resp_aloi000000000000000000000002", 1700000000, "m")
    assert told.output[0].model_dump() == SPOKEN | {
        "id": "msg_aloi000000000000000000000001",
        "content": [text_part("I cannot.")],
        "phase": None,
    }
    assert told.usage.total_tokens == 0
    assert told.instructions == "Be kind."


@pytest.mark.parametrize(
    ("finish", "status", "reason"),
    [
        ("stop", "completed", None),
        ("tool_calls", "completed", None),
        ("empty", "completed", None),
        ("AZUR-COBALT-91", "completed", None),
        ("length", "incomplete", "max_output_tokens"),
        ("content_filter", "incomplete", "content_filter"),
        (BLOCKED, "incomplete", "content_filter"),
        ("", "incomplete", None),
    ],
)
def test_why_an_answer_ended_is_told_in_the_protocol_s_words(finish, status, reason):
    told = dialect().written(asked(), None, Response(text="Hi", finish=finish))
    assert (told["status"], (told["incomplete_details"] or {}).get("reason")) == (status, reason)


def streamed(question, response, texts):
    writing = dialect().writing(question)
    return b"".join([*(writing.text(text) for text in texts), writing.end(response)])


def test_the_client_reads_a_stream():
    calls = (ToolCall(id="c1", name="pay", arguments='{"to": "Ann"}'), ToolCall(id="c2", name="pay"))
    response = Response(text="Hé 😀", finish="tool_calls", tool_calls=calls, prompt_tokens=3, completion_tokens=2)
    stream = streamed(asked(stream=True), response, ["", "Hé", "", " 😀"])
    events = list(ask(openai_client(stream, stream=True), stream=True))
    called = ["output_item.added", "function_call_arguments.delta", "function_call_arguments.done", "output_item.done"]
    assert [event.type.removeprefix("response.") for event in events] == [
        *("created", "in_progress", "output_item.added", "content_part.added"),
        *("output_text.delta", "output_text.delta", "output_text.done", "content_part.done", "output_item.done"),
        *called * 2,
        "completed",
    ]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert {event.item_id for event in events if event.type == "response.output_text.delta"} == {events[2].item.id}
    with openai_client(stream, stream=True).responses.stream(model="m", input="Hi") as helper:
        final = helper.get_final_response()
    assert final.output_text == "Hé 😀"
    assert [(item.call_id, item.name, item.arguments) for item in final.output[1:]] == [
        ("c1", "pay", '{"to": "Ann"}'),
        ("c2", "pay", "{}"),
    ]
    assert (final.status, final.usage.total_tokens, final.model) == ("completed", 5, "m")
    assert len({item.id for item in final.output}) == 3


def test_a_blocked_stream_tells_so():
    stream = streamed(asked(), Response(text="I cannot.", finish=BLOCKED), ["I cannot."])
    last = list(ask(openai_client(stream, stream=True), stream=True))[-1]
    assert last.type == "response.incomplete"
    assert last.response.incomplete_details.reason == "content_filter"


def test_a_stream_of_calls_alone_has_no_message():
    response = Response(text="", finish="tool_calls", tool_calls=(ToolCall(id="c1", name="pay"),))
    events = list(ask(openai_client(streamed(asked(), response, []), stream=True), stream=True))
    assert [item.type for item in events[-1].response.output] == ["function_call"]
    assert events[2].output_index == 0


@pytest.mark.parametrize("said", ["", "Hel"])
def test_a_stream_that_broke_off_is_an_error_to_the_client(said):
    writing = dialect().writing(asked())
    stream = writing.text(said) + writing.error("upstream-cut", "the upstream's answer broke off")
    *_, told, last = ask(openai_client(stream, stream=True), stream=True)
    assert (told.type, told.code, told.message) == ("error", "upstream-cut", "the upstream's answer broke off")
    assert (last.type, last.response.status, last.response.error.code) == ("response.failed", "failed", "server_error")
    assert b"completed" not in stream
    with (
        openai_client(stream, stream=True).responses.stream(model="m", input="Hi") as helper,
        pytest.raises(RuntimeError),
    ):
        helper.get_final_response()


@pytest.mark.parametrize(("status", "raised"), [(400, openai.BadRequestError), (502, openai.InternalServerError)])
def test_an_error_is_told_as_the_protocol_tells_it(status, raised):
    body = dialect().error(status, "too-large", "The body is too large.", "input")
    with pytest.raises(raised) as error:
        ask(openai_client(msgspec.json.encode(body), status=status))
    assert (error.value.code, error.value.param) == ("too-large", "input")


def test_an_endless_stream_is_too_large():
    reading = dialect().reading()
    event = Event("", msgspec.json.encode({"type": "response.output_text.delta", "delta": "x" * 1_000_000}))
    with pytest.raises(Broken) as broken:
        list(map(reading.feed, [event] * 5))
    assert broken.value.reason == "too-large"
    assert len(reading.response().text) == 4_000_000
