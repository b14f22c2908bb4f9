"""Thinking behind uses of tools: handed out so that nobody can read it, and put back as it was and where it stood."""

import msgspec
import pytest

from aloi.solutions.gateway.dialects.dialect import Broken, Event
from aloi.solutions.gateway.dialects.messages import Messages
from aloi.solutions.gateway.sealing import Seal
from aloi.solutions.guarded import BLOCKED
from aloi.system.messages import Message

SECRET = "AZUR-COBALT-91"
KEY = b"a key of the upstream's, as long as they are"
THOUGHT = {"type": "thinking", "thinking": f"The code is {SECRET}.", "signature": "EqQBCg=="}
LATER = {"type": "thinking", "thinking": "Now the other.", "signature": "Ab=="}
MAKERS = {"type": "redacted_thinking", "data": "EmwKAhgB"}
TEXT = {"type": "text", "text": "I look it up."}
PAY = {"type": "tool_use", "id": "t1", "name": "pay", "input": {"to": "Ann"}}
TELL = {"type": "tool_use", "id": "t2", "name": "tell", "input": {}}
ASKED = {"role": "user", "content": "Pay Ann."}
RESULTS = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "paid"}]}
TOOLS = [{"name": "pay", "description": "d", "input_schema": {"type": "object"}}]


def asked(dialect, turns):
    body = {"model": "m", "max_tokens": 9, "messages": turns, "tools": TOOLS, "thinking": {"type": "enabled"}}
    return dialect.read(msgspec.json.encode(body))


def answered(dialect, content):
    told = {"id": "i", "model": "m", "content": content, "stop_reason": "tool_use", "usage": {}}
    return dialect.answer(msgspec.json.encode(told))


def handed_out(dialect, content, **left):
    """The content that a client is told of an answer, as guards left it."""
    answer = answered(dialect, content)
    response = msgspec.structs.replace(answer.response, **left)
    return dialect.written(asked(dialect, [ASKED]), answer, response)["content"]


def sent_back(dialect, content):
    """The turn that an upstream reads, where a client tells `content` as the answer's."""
    back = asked(dialect, [ASKED, {"role": "assistant", "content": content}, RESULTS])
    return dialect.sent(back, back.request)["messages"][1]["content"]


def streamed(dialect, content):
    """The content that a client gathers from a stream."""
    reading = dialect.reading()
    texts = []
    for index, block in enumerate(content):
        texts += [reading.feed(event(one)) for one in pieces(index, block)]
    reading.feed(event({"type": "message_stop"}))
    writing = dialect.writing(asked(dialect, [ASKED]))
    wrote = b"".join(map(writing.text, texts)) + writing.end(reading.response())
    assert SECRET.encode() not in wrote
    found = {}
    for line in wrote.split(b"\n"):
        told = msgspec.json.decode(line.removeprefix(b"data: ")) if line.startswith(b"data: ") else {}
        match told:
            case {"type": "content_block_start", "index": index, "content_block": block}:
                assert index == len(found)
                found[index] = block
            case {"type": "content_block_delta", "index": index, "delta": {"type": "text_delta", "text": text}}:
                found[index]["text"] += text
            case {"type": "content_block_delta", "index": index, "delta": {"partial_json": given}}:
                found[index]["input"] = msgspec.json.decode(given)
    return list(found.values())


def read_beside(dialect, question):
    return [(part.role, [text for _, text in part.leaves], part.names) for part in dialect.beside(question)]


def event(told):
    return Event(name=told["type"], data=msgspec.json.encode(told))


def feed(reading, told):
    for one in told:
        reading.feed(event(one))


def pieces(index, block):
    """The events of one block; a thought comes in halves."""
    empty = {"thinking": {"thinking": "", "signature": ""}, "text": {"text": ""}}
    yield {"type": "content_block_start", "index": index, "content_block": block | empty.get(block["type"], {})}
    match block:
        case {"type": "thinking", "thinking": thought, "signature": signature}:
            for half in (thought[:4], thought[4:]):
                delta = {"type": "thinking_delta", "thinking": half}
                yield {"type": "content_block_delta", "index": index, "delta": delta}
            delta = {"type": "signature_delta", "signature": signature}
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        case {"type": "text", "text": text}:
            yield {"type": "content_block_delta", "index": index, "delta": {"type": "text_delta", "text": text}}
    yield {"type": "content_block_stop", "index": index}


PLACES = pytest.mark.parametrize(
    "content",
    [
        [THOUGHT, PAY],
        [THOUGHT, MAKERS, TEXT, PAY, TELL],
        [THOUGHT, TEXT, LATER, PAY],
        [TEXT, THOUGHT, PAY, LATER, TELL],
        [PAY, THOUGHT],
        [{"type": "thinking", "thinking": "", "signature": "kept apart"}, PAY],
    ],
)


@PLACES
def test_the_model_is_told_again_what_it_thought_where_it_thought_it(content):
    dialect = Messages(seal=Seal(KEY))
    told = handed_out(dialect, content)
    assert SECRET not in str(told)
    assert [block for block in told if block["type"] != "redacted_thinking"] == [
        block for block in content if "thinking" not in block["type"]
    ]
    assert sent_back(dialect, told) == content


@PLACES
def test_so_of_a_stream(content):
    dialect = Messages(seal=Seal(KEY))
    assert sent_back(dialect, streamed(dialect, content)) == content


def test_whoever_has_the_secret_takes_it_back_and_nobody_else():
    told = handed_out(Messages(seal=Seal(KEY)), [THOUGHT, PAY])
    assert sent_back(Messages(seal=Seal(KEY)), told) == [THOUGHT, PAY]
    assert sent_back(Messages(seal=Seal(b"another key" * 4)), told) == [PAY]
    assert sent_back(Messages(), told) == [PAY]


@pytest.mark.parametrize("data", ["aloi.", "aloi.x", "aloi." + "A" * 200, "aloi.gAAAAAB="])
def test_what_somebody_made_up_is_left_out(data):
    forged = {"type": "redacted_thinking", "data": data}
    assert sent_back(Messages(seal=Seal(KEY)), [forged, PAY]) == [PAY]


def test_a_changed_letter_is_seen():
    dialect = Messages(seal=Seal(KEY))
    sealed, use = handed_out(dialect, [THOUGHT, PAY])
    for place in (5, 40, len(sealed["data"]) // 2, -9):
        letters = list(sealed["data"])
        letters[place] = "A" if letters[place] != "A" else "B"
        assert sent_back(dialect, [sealed | {"data": "".join(letters)}, use]) == [PAY]


def test_only_what_is_behind_uses_of_tools_is_handed_out():
    dialect = Messages(seal=Seal(KEY))
    assert handed_out(dialect, [THOUGHT, TEXT]) == [TEXT]
    assert streamed(dialect, [THOUGHT, TEXT]) == [TEXT]


def test_a_blocked_answer_hands_out_nothing_of_it():
    dialect = Messages(seal=Seal(KEY))
    refusal = {"type": "text", "text": "I cannot."}
    assert handed_out(dialect, [THOUGHT, TEXT, PAY], text="I cannot.", finish=BLOCKED, tool_calls=()) == [refusal]


def test_it_comes_with_what_guards_left_of_text_and_uses():
    dialect = Messages(seal=Seal(KEY))
    answer = answered(dialect, [THOUGHT, TEXT, PAY, TELL])
    left = answer.response.tool_calls[1:]
    told = handed_out(dialect, [THOUGHT, TEXT, PAY, TELL], text="I […]", tool_calls=left)
    assert sent_back(dialect, told) == [THOUGHT, {"type": "text", "text": "I […]"}, TELL]


def test_a_guard_that_asks_the_model_again_tells_it_what_it_thought():
    """As guards on calls do: the call is told as withheld, and the model decides anew."""
    dialect = Messages(seal=Seal(KEY))
    question = asked(dialect, [ASKED])
    calls = answered(dialect, [THOUGHT, PAY]).response.tool_calls
    again = msgspec.structs.replace(
        question.request,
        messages=(
            *question.request.messages,
            Message(role="assistant", content="", tool_calls=calls),
            Message(role="tool", content="withheld", tool_call_id="t1"),
        ),
    )
    assert dialect.sent(question, again)["messages"][1] == {"role": "assistant", "content": [THOUGHT, PAY]}


def test_guards_read_such_a_turn_as_if_nothing_were_thought():
    dialect = Messages(seal=Seal(KEY))
    told = handed_out(dialect, [THOUGHT, TEXT, PAY])
    back = asked(dialect, [ASKED, {"role": "assistant", "content": told}, RESULTS])
    without = asked(dialect, [ASKED, {"role": "assistant", "content": [TEXT, PAY]}, RESULTS])
    assert back.request == without.request
    assert read_beside(dialect, back) == read_beside(dialect, without)


@pytest.mark.parametrize(
    "block", [{"type": "thinking", "thinking": "", "signature": ""}, {"type": "redacted_thinking"}]
)
def test_endless_thoughts_come_to_an_end(block):
    reading = Messages(seal=Seal(KEY)).reading(limit=100_000)
    told = [{"type": "content_block_start", "index": index, "content_block": block} for index in range(1_000)]
    with pytest.raises(Broken, match="too-large"):
        feed(reading, told)


def test_a_long_thought_comes_to_an_end():
    reading = Messages(seal=Seal(KEY)).reading(limit=100_000)
    reading.feed(event({"type": "content_block_start", "index": 0, "content_block": THOUGHT}))
    delta = {"type": "thinking_delta", "thinking": "é" * 1_000}
    feed(reading, [{"type": "content_block_delta", "index": 0, "delta": delta}] * 40)
    with pytest.raises(Broken, match="too-large"):
        feed(reading, [{"type": "content_block_delta", "index": 0, "delta": delta}] * 11)


@pytest.mark.parametrize("secret", [b"EMPTY", b"none", b"sk-1234", b"token-abc123", b"x" * 31])
def test_what_is_sealed_is_not_opened_by_a_key_that_can_be_guessed(secret):
    told = handed_out(Messages(seal=Seal(secret)), [THOUGHT, PAY])
    assert sent_back(Messages(seal=Seal(secret)), told) == [PAY]


def test_it_is_put_back_in_the_turns_of_the_assistant_alone():
    dialect = Messages(seal=Seal(KEY), unread="pass")
    thought, _ = handed_out(dialect, [THOUGHT, PAY])
    question = asked(dialect, [{"role": "user", "content": [TEXT, thought]}])
    assert SECRET not in str(dialect.sent(question, question.request))
