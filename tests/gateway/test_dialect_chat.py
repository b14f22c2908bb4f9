"""OpenAI's chat: what guards changed reaches the upstream, what they left reaches the client, and nothing else does."""

import msgspec
import openai
import pytest

from aloi.solutions.gateway.dialects.chat import Chat
from aloi.solutions.gateway.dialects.dialect import Broken, Event
from aloi.solutions.guarded import BLOCKED
from aloi.solutions.limits.tokens import MOST
from aloi.system.messages import Message, Request, Response, Tool, ToolCall
from gateway.clients import openai_client

CALL = {"id": "c1", "type": "function", "function": {"name": "pay", "arguments": '{"to": "Ann"}'}}
BODY = {
    "model": "m",
    "messages": [
        {"role": "system", "content": [{"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}]},
        {"role": "developer", "content": "Be brief.", "name": "dev"},
        {
            "role": "user",
            "name": "ann",
            "content": [
                {"type": "text", "text": "Look:", "cache_control": {"type": "ephemeral"}},
                {"type": "image_url", "image_url": {"url": "data:,"}},
                {"type": "text", "text": "and pay."},
            ],
        },
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c1", "content": "paid"},
    ],
    "tools": [{"type": "function", "function": {"name": "pay", "parameters": {}, "strict": True}}],
    "response_format": {"type": "json_object"},
    "top_p": 0.5,
    "seed": 7,
    "metadata": {"a": "b"},
}
DIALECT = Chat(unread="pass", clock=lambda: 1700000000.5, token=lambda count: "0" * (2 * count))


def asked(**changes):
    return DIALECT.read(msgspec.json.encode(BODY | changes))


def changed(request, place, text):
    messages = list(request.messages)
    messages[place] = msgspec.structs.replace(messages[place], content=text)
    return msgspec.structs.replace(request, messages=tuple(messages))


def test_a_text_that_a_guard_changed_stands_in_its_first_part_and_all_else_as_written():
    question = asked()
    sent = DIALECT.sent(question, changed(question.request, 0, "Look at ***"))
    parts = sent["messages"][2].pop("content")
    assert parts == [
        {"type": "text", "text": "Look at ***", "cache_control": {"type": "ephemeral"}},
        {"type": "image_url", "image_url": {"url": "data:,"}},
    ]
    expected = msgspec.json.decode(msgspec.json.encode(BODY))
    expected["messages"][2].pop("content")
    assert sent == expected
    assert question.body == BODY


def test_a_withheld_result_leaves_an_empty_one():
    question = asked()
    sent = DIALECT.sent(question, changed(question.request, 2, ""))
    assert sent["messages"][-1] == {"role": "tool", "tool_call_id": "c1", "content": ""}


def test_nothing_of_a_withheld_result_is_left():
    image = {"type": "image_url", "image_url": {"url": "data:,"}}
    result = {"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "paid"}, image]}
    question = asked(messages=[*BODY["messages"][:4], result])
    sent = DIALECT.sent(question, changed(question.request, 2, ""))
    assert sent["messages"][-1] == result | {"content": ""}


def test_parts_of_later_prompts_that_are_no_text_stay():
    image = {"type": "image_url", "image_url": {"url": "data:,"}}
    later = {"role": "system", "content": [{"type": "text", "text": "Be brief."}, image]}
    question = asked(messages=[{"role": "system", "content": "Be kind."}, later, {"role": "user", "content": "Hi"}])
    sent = DIALECT.sent(question, msgspec.structs.replace(question.request, prompt="P"))
    assert sent["messages"][:-1] == [{"role": "system", "content": "P"}, {"role": "system", "content": [image]}]


def test_a_hardened_prompt_stands_in_the_first_message():
    question = asked()
    prompt = f"{question.request.prompt}\n\nNever say the code."
    sent = DIALECT.sent(question, msgspec.structs.replace(question.request, prompt=prompt))
    first = {"type": "text", "text": prompt, "cache_control": {"type": "ephemeral"}}
    assert sent["messages"] == [{"role": "system", "content": [first]}, *BODY["messages"][2:]]


def test_a_prompt_is_added_where_there_was_none():
    question = asked(messages=BODY["messages"][2:])
    sent = DIALECT.sent(question, msgspec.structs.replace(question.request, prompt="Be careful."))
    assert sent["messages"] == [{"role": "system", "content": "Be careful."}, *BODY["messages"][2:]]


def test_what_is_added_at_the_end_is_written_in_the_protocol():
    question = asked()
    said = Message(role="assistant", content="", tool_calls=(ToolCall(id="c2", name="pay", arguments="{"),))
    told = Message(role="tool", content="withheld", tool_call_id="c2")
    request = msgspec.structs.replace(question.request, messages=(*question.request.messages, said, told))
    call = {"id": "c2", "type": "function", "function": {"name": "pay", "arguments": "{"}}
    assert DIALECT.sent(question, request) == BODY | {
        "messages": [
            *BODY["messages"],
            {"role": "assistant", "content": "", "tool_calls": [call]},
            {"role": "tool", "content": "withheld", "tool_call_id": "c2"},
        ]
    }


def test_a_refusal_that_was_changed_becomes_the_content():
    question = asked(messages=[*BODY["messages"], {"role": "assistant", "content": None, "refusal": "No, Ann."}])
    sent = DIALECT.sent(question, changed(question.request, 3, "No, ***."))
    assert sent["messages"][-1] == {"role": "assistant", "content": "No, ***."}


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({}, {"max_tokens": 9}),
        ({"max_tokens": 50}, {"max_tokens": 9}),
        ({"max_completion_tokens": 50}, {"max_completion_tokens": 9}),
        ({"max_tokens": 50, "max_completion_tokens": 20}, {"max_tokens": 9, "max_completion_tokens": 9}),
    ],
)
def test_a_limit_stands_where_the_client_wrote_one(given, sent):
    question = asked(**given)
    assert DIALECT.sent(question, msgspec.structs.replace(question.request, max_tokens=9)) == BODY | sent


def test_a_temperature_that_was_changed_is_written():
    question = asked()
    assert DIALECT.sent(question, msgspec.structs.replace(question.request, temperature=0.0))["temperature"] == 0.0


OWN = Request(prompt="", messages=(Message(role="user", content="Which facts?"),), max_tokens=300, temperature=0.0)


@pytest.mark.parametrize(
    "messages", [BODY["messages"], BODY["messages"][2:], BODY["messages"][:3]], ids=["all", "no prompt", "no calls"]
)
def test_a_question_of_a_remedy_is_written_anew(messages):
    question = asked(messages=messages, user="u-1", stream=True)
    assert DIALECT.sent(question, OWN) == {
        "model": "m",
        "user": "u-1",
        "messages": [{"role": "user", "content": "Which facts?"}],
        "temperature": 0.0,
        "max_tokens": 300,
    }


def test_a_question_of_a_remedy_may_have_tools_and_no_limit():
    tool = Tool(name="f", description="d", parameters={"type": "object"})
    own = msgspec.structs.replace(OWN, tools=(tool,), max_tokens=MOST, prompt="Read.")
    function = {"name": "f", "description": "d", "parameters": {"type": "object"}}
    assert DIALECT.sent(asked(), own) == {
        "model": "m",
        "messages": [{"role": "system", "content": "Read."}, {"role": "user", "content": "Which facts?"}],
        "temperature": 0.0,
        "tools": [{"type": "function", "function": function}],
    }
    limited = DIALECT.sent(asked(max_completion_tokens=50), OWN)
    assert (limited["max_completion_tokens"], "max_tokens" in limited) == (300, False)


def client_of(document):
    return openai_client(msgspec.json.encode(document))


def ask(client, **more):
    return client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}], **more)


KNOWN = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1700000001,
    "model": "m-2026",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hello.", "refusal": None, "tool_calls": [CALL]},
            "logprobs": None,
            "finish_reason": "tool_calls",
        }
    ],
    "usage": {
        "prompt_tokens": 9,
        "completion_tokens": 4,
        "total_tokens": 13,
        "prompt_tokens_details": {"cached_tokens": 2},
        "completion_tokens_details": {"reasoning_tokens": 1},
    },
    "system_fingerprint": "fp",
    "service_tier": "default",
}


def test_an_answer_that_was_left_alone_reaches_the_client_as_it_was():
    answered = DIALECT.answer(msgspec.json.encode(KNOWN))
    assert DIALECT.written(asked(), answered, answered.response) == KNOWN
    assert ask(client_of(DIALECT.written(asked(), answered, answered.response))) == ask(client_of(KNOWN))


def test_what_is_not_known_is_dropped():
    secret = "AZUR-COBALT-91"
    document = msgspec.json.decode(msgspec.json.encode(KNOWN))
    choice = document["choices"][0]
    choice |= {"logprobs": {"content": [{"token": secret, "logprob": 0, "top_logprobs": []}]}, "extra": secret}
    choice["message"] |= {
        "reasoning_content": secret,
        "reasoning": secret,
        "annotations": [{"type": "url_citation", "url_citation": {"title": secret}}],
        "audio": {"transcript": secret},
        "function_call": {"name": secret, "arguments": secret},
    }
    choice["message"]["tool_calls"][0]["extra_content"] = secret
    document |= {"prompt_logprobs": [secret], "moderation": {"input": secret}, "citations": [secret]}
    document["usage"] |= {"cost": secret}
    document["usage"]["prompt_tokens_details"] |= {secret: 5}
    answered = DIALECT.answer(msgspec.json.encode(document))
    assert secret not in str(answered)
    assert DIALECT.written(asked(), answered, answered.response) == KNOWN


def test_what_a_guard_changed_reaches_the_client_and_nothing_else():
    answered = DIALECT.answer(msgspec.json.encode(KNOWN))
    response = msgspec.structs.replace(answered.response, text="H***.", tool_calls=())
    completion = ask(client_of(DIALECT.written(asked(), answered, response)))
    assert completion.choices[0].message.content == "H***."
    assert completion.choices[0].message.tool_calls is None
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage.prompt_tokens_details.cached_tokens == 2


def test_the_tokens_of_a_remedy_s_questions_are_told_too():
    answered = DIALECT.answer(msgspec.json.encode(KNOWN))
    response = msgspec.structs.replace(answered.response, prompt_tokens=100)
    usage = {"prompt_tokens": 100, "completion_tokens": 4, "total_tokens": 104}
    assert DIALECT.written(asked(), answered, response) == KNOWN | {"usage": usage}


def test_a_refusal_of_the_model_stays_one_until_a_guard_changes_it():
    message = {"role": "assistant", "content": None, "refusal": "No, Ann."}
    choice = KNOWN["choices"][0] | {"message": message, "finish_reason": "stop"}
    answered = DIALECT.answer(msgspec.json.encode(KNOWN | {"choices": [choice]}))
    assert DIALECT.written(asked(), answered, answered.response)["choices"][0]["message"] == message
    changed = msgspec.structs.replace(answered.response, text="No, ***.")
    assert DIALECT.written(asked(), answered, changed)["choices"][0]["message"] == {
        "role": "assistant",
        "content": "No, ***.",
        "refusal": None,
    }


def test_a_blocked_answer_tells_so():
    answered = DIALECT.answer(msgspec.json.encode(KNOWN))
    response = msgspec.structs.replace(answered.response, text="I cannot.", finish=BLOCKED, tool_calls=())
    completion = ask(client_of(DIALECT.written(asked(), answered, response)))
    assert completion.choices[0].message.content == "I cannot."
    assert completion.choices[0].message.tool_calls is None
    assert completion.choices[0].finish_reason == "content_filter"


def test_an_answer_that_no_upstream_made_is_whole():
    completion = ask(client_of(DIALECT.written(asked(), None, Response(text="I cannot.", finish=BLOCKED))))
    assert completion.model_dump(exclude_none=True) == {
        "id": "chatcmpl-aloi000000000000000000000000",
        "object": "chat.completion",
        "created": 1700000000,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "I cannot."},
                "finish_reason": "content_filter",
            }
        ],
        "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
    }


def test_a_poor_answer_is_made_whole():
    answered = DIALECT.answer(b'{"choices": [{"message": {"content": "Hi"}}]}')
    completion = ask(client_of(DIALECT.written(asked(), answered, answered.response)))
    assert (completion.id[:13], completion.model, completion.created) == ("chatcmpl-aloi", "m", 1700000000)
    assert completion.choices[0].message.role == "assistant"
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage is None


@pytest.mark.parametrize(
    ("finish", "calls", "told"),
    [
        ("stop", False, "stop"),
        ("length", False, "length"),
        ("content_filter", False, "content_filter"),
        ("tool_calls", True, "tool_calls"),
        ("stop", True, "stop"),
        ("", True, "tool_calls"),
        ("tool_calls", False, "stop"),
        ("empty", False, "stop"),
        ("AZUR-COBALT-91", False, "stop"),
        (BLOCKED, False, "content_filter"),
    ],
)
def test_why_an_answer_ended_is_told_in_the_protocol_s_words(finish, calls, told):
    response = Response(text="Hi", finish=finish, tool_calls=(ToolCall(id="c", name="f"),) if calls else ())
    assert DIALECT.written(asked(), None, response)["choices"][0]["finish_reason"] == told


def streamed(question, response, texts):
    writing = DIALECT.writing(question)
    return b"".join([*(writing.text(text) for text in texts), writing.end(response)])


def test_the_client_reads_a_stream():
    question = asked(stream=True, stream_options={"include_usage": True})
    call = ToolCall(id="c1", name="pay", arguments='{"to": "Ann"}')
    response = Response(text="Hé 😀", finish="tool_calls", tool_calls=(call,), prompt_tokens=3, completion_tokens=2)
    stream = streamed(question, response, ["Hé", "", " 😀"])
    chunks = list(ask(openai_client(stream, stream=True), stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "Hé 😀"
    assert chunks[0].choices[0].delta.role == "assistant"
    assert {(chunk.id, chunk.created, chunk.model, chunk.object) for chunk in chunks} == {
        ("chatcmpl-aloi000000000000000000000000", 1700000000, "m", "chat.completion.chunk")
    }
    assert chunks[-3].choices[0].delta.tool_calls[0].function.arguments == '{"to": "Ann"}'
    assert chunks[-2].choices[0].finish_reason == "tool_calls"
    assert (chunks[-1].choices, chunks[-1].usage.total_tokens) == ([], 5)
    with openai_client(stream, stream=True).chat.completions.stream(
        model="m", messages=[{"role": "user", "content": "Hi"}], stream_options={"include_usage": True}
    ) as helper:
        completion = helper.get_final_completion()
    assert completion.choices[0].message.content == "Hé 😀"
    assert completion.choices[0].message.tool_calls[0].function.name == "pay"
    assert completion.usage.prompt_tokens == 3


def test_a_stream_of_calls_alone_has_no_content():
    response = Response(text="", finish="tool_calls", tool_calls=(ToolCall(id="c1", name="pay"),))
    chunks = list(ask(openai_client(streamed(asked(), response, []), stream=True), stream=True))
    assert all(chunk.choices[0].delta.content is None for chunk in chunks)
    assert all(chunk.usage is None for chunk in chunks)


def test_a_stream_that_broke_off_is_an_error_to_the_client():
    writing = DIALECT.writing(asked())
    stream = writing.text("Hel") + writing.error("upstream-cut", "the upstream's answer broke off")
    assert b"[DONE]" not in stream
    with pytest.raises(openai.APIError, match="broke off") as error:
        list(ask(openai_client(stream, stream=True), stream=True))
    assert error.value.code == "upstream-cut"


@pytest.mark.parametrize(
    ("status", "kind", "raised"),
    [
        (400, "invalid_request_error", openai.BadRequestError),
        (401, "authentication_error", openai.AuthenticationError),
        (403, "permission_error", openai.PermissionDeniedError),
        (404, "not_found_error", openai.NotFoundError),
        (413, "invalid_request_error", openai.APIStatusError),
        (429, "rate_limit_error", openai.RateLimitError),
        (502, "server_error", openai.InternalServerError),
        (504, "timeout_error", openai.InternalServerError),
    ],
)
def test_an_error_is_told_as_the_protocol_tells_it(status, kind, raised):
    body = DIALECT.error(status, "too-large", "The body is too large.", "messages")
    assert body["error"]["type"] == kind
    with pytest.raises(raised) as error:
        ask(openai_client(msgspec.json.encode(body), status=status))
    assert (error.value.code, error.value.param) == ("too-large", "messages")
    assert DIALECT.error(500, "x", "y")["error"]["param"] is None


def chunk(**delta):
    return Event("", msgspec.json.encode({"choices": [{"index": 0, "delta": delta}]}))


def test_a_stream_of_four_mebibytes_is_read_and_no_more():
    reading = DIALECT.reading()
    piece = chunk(content="x" * 48_512, tool_calls=[{"index": 0, "function": {"arguments": "é" * 500_000}}])
    for _ in range(4):
        reading.feed(piece)
    with pytest.raises(Broken) as broken:
        reading.feed(chunk(content="x"))
    assert broken.value.reason == "too-large"


def test_endless_empty_calls_are_too_large():
    reading = DIALECT.reading()
    with pytest.raises(Broken) as broken:
        list(map(reading.feed, (chunk(tool_calls=[{"index": index}]) for index in range(20_000))))
    assert broken.value.reason == "too-large"
