"""OpenAI's completions: one text that guards read as the user's, and what follows it."""

import msgspec
import openai
import pytest

from aloi.solutions.gateway.dialects.completions import Completions
from aloi.solutions.gateway.dialects.dialect import Broken, Event
from aloi.solutions.guarded import BLOCKED
from aloi.system.messages import Document, Message, Request, Response
from gateway.clients import openai_client

BODY = {"model": "m", "prompt": "Once, Ann", "max_tokens": 50, "logprobs": 3, "stop": ["END"], "user": "u"}
DIALECT = Completions(clock=lambda: 1700000000.5, token=lambda count: "0" * (2 * count))


def asked(**changes):
    return DIALECT.read(msgspec.json.encode(BODY | changes))


@pytest.mark.parametrize(("given", "sent"), [("Once, Ann", "Once, ***"), (["Once, Ann"], ["Once, ***"])])
def test_a_text_that_a_guard_changed_stands_where_it_stood(given, sent):
    question = asked(prompt=given)
    request = msgspec.structs.replace(question.request, messages=(Message(role="user", content="Once, ***"),))
    assert DIALECT.sent(question, request) == BODY | {"prompt": sent}


def test_a_hardened_prompt_stands_before_the_text():
    question = asked()
    request = msgspec.structs.replace(question.request, prompt="Be kind.", max_tokens=9, temperature=0.0)
    expected = BODY | {"prompt": "Be kind.\n\nOnce, Ann", "max_tokens": 9, "temperature": 0.0}
    assert DIALECT.sent(question, request) == expected


def test_a_question_of_a_remedy_is_written_anew():
    own = Request(
        prompt="Read.",
        documents=(Document(id="d", text="Ann paid."),),
        messages=(Message(role="user", content="Which facts?"),),
        max_tokens=50,
        temperature=1.0,
    )
    assert DIALECT.sent(asked(stream=True), own) == {
        "model": "m",
        "user": "u",
        "prompt": "Read.\n\nWhich facts?\n\n<document>\nAnn paid.\n</document>",
        "max_tokens": 50,
        "temperature": 1.0,
    }


def ask(client, **more):
    return client.completions.create(model="m", prompt="Once", **more)


def client_of(document):
    return openai_client(msgspec.json.encode(document))


KNOWN = {
    "id": "cmpl-1",
    "object": "text_completion",
    "created": 1700000001,
    "model": "m-2026",
    "choices": [{"index": 0, "text": " upon a time", "logprobs": None, "finish_reason": "length"}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13},
    "system_fingerprint": "fp",
}


def test_an_answer_that_was_left_alone_reaches_the_client_as_it_was():
    answered = DIALECT.answer(msgspec.json.encode(KNOWN))
    assert DIALECT.written(asked(), answered, answered.response) == KNOWN
    assert ask(client_of(DIALECT.written(asked(), answered, answered.response))) == ask(client_of(KNOWN))


def test_what_is_not_known_is_dropped():
    secret = "AZUR-COBALT-91"
    document = msgspec.json.decode(msgspec.json.encode(KNOWN))
    document["choices"][0] |= {"logprobs": {"tokens": [secret]}, "prompt_logprobs": [secret], "stop_reason": secret}
    document |= {"extra": secret}
    answered = DIALECT.answer(msgspec.json.encode(document))
    assert secret not in str(answered)
    assert DIALECT.written(asked(), answered, answered.response) == KNOWN


def test_what_a_guard_changed_reaches_the_client():
    answered = DIALECT.answer(msgspec.json.encode(KNOWN))
    response = msgspec.structs.replace(answered.response, text=" upon ***", prompt_tokens=100)
    told = ask(client_of(DIALECT.written(asked(), answered, response)))
    assert (told.choices[0].text, told.choices[0].finish_reason) == (" upon ***", "length")
    assert told.usage.total_tokens == 104
    blocked = msgspec.structs.replace(answered.response, text="I cannot.", finish=BLOCKED)
    told = ask(client_of(DIALECT.written(asked(), answered, blocked)))
    assert (told.choices[0].text, told.choices[0].finish_reason) == ("I cannot.", "content_filter")


def test_an_answer_that_no_upstream_made_is_whole():
    told = ask(client_of(DIALECT.written(asked(), None, Response(text="I cannot.", finish=BLOCKED))))
    assert told.model_dump(exclude_none=True) == {
        "id": "cmpl-aloi000000000000000000000000",
        "object": "text_completion",
        "created": 1700000000,
        "model": "m",
        "choices": [{"index": 0, "text": "I cannot.", "finish_reason": "content_filter"}],
        "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
    }


@pytest.mark.parametrize("usage", [True, False])
def test_the_client_reads_a_stream(usage):
    writing = DIALECT.writing(asked(stream=True, stream_options={"include_usage": usage}))
    response = Response(text="Hé 😀", finish="stop", prompt_tokens=3, completion_tokens=2)
    stream = writing.text("Hé") + writing.text("") + writing.text(" 😀") + writing.end(response)
    chunks = list(ask(openai_client(stream, stream=True), stream=True))
    assert "".join(chunk.choices[0].text for chunk in chunks if chunk.choices) == "Hé 😀"
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices] == [None, None, "stop"]
    assert [chunk.usage and chunk.usage.total_tokens for chunk in chunks] == [None] * 3 + [5] * usage


def test_a_stream_that_broke_off_is_an_error_to_the_client():
    writing = DIALECT.writing(asked())
    stream = writing.text("Hel") + writing.error("upstream-cut", "the upstream's answer broke off")
    with pytest.raises(openai.APIError, match="broke off") as error:
        list(ask(openai_client(stream, stream=True), stream=True))
    assert error.value.code == "upstream-cut"


def test_an_error_is_told_as_the_protocol_tells_it():
    body = DIALECT.error(400, "malformed", "There is no prompt.", "prompt")
    with pytest.raises(openai.BadRequestError) as error:
        ask(openai_client(msgspec.json.encode(body), status=400))
    assert (error.value.code, error.value.param) == ("malformed", "prompt")


def test_an_endless_stream_is_too_large():
    reading = DIALECT.reading()
    event = Event("", msgspec.json.encode({"choices": [{"text": "x" * 1_000_000}]}))
    with pytest.raises(Broken) as broken:
        list(map(reading.feed, [event] * 5))
    assert broken.value.reason == "too-large"
