"""The tools protocol over each kind of target: what is offered, what comes back, and what is no usable answer."""

import json

import msgspec
import pytest

from aloi.errors import TargetError
from aloi.system.description import TargetDescription
from aloi.system.local import LocalKind
from aloi.system.messages import Message, Request, Tool, ToolCall
from aloi.system.python import CallableTarget
from aloi.system.target import Unscorable
from system.faulty import QUESTION, asked, completion, in_turn, says

TOOL = Tool(
    name="read_mail",
    description="Read one mail.",
    parameters={"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]},
)
OFFERED = msgspec.structs.replace(QUESTION, tools=(TOOL,))


def calling(*calls, content=None):
    """A completion whose message asks for these calls."""
    message = {"role": "assistant", "content": content, "tool_calls": list(calls)}
    return completion(choices=[{"index": 0, "message": message, "finish_reason": "tool_calls"}])


def function(name="read_mail", arguments='{"id": "M1"}', **fields):
    return {"id": "c1", "type": "function", "function": {"name": name, "arguments": arguments}, **fields}


async def test_an_endpoint_is_offered_the_tools_and_nothing_where_there_are_none():
    async with asked(says(completion())) as (target, endpoint):
        await target.ask(OFFERED)
        await target.ask(QUESTION)
    offered, plain = endpoint.bodies
    assert offered["tools"][0]["function"]["parameters"]["required"] == ["id"]
    assert "tools" not in plain


# What the endpoint says -> the calls that are read.
READ = {
    "one call": (calling(function()), (ToolCall(id="c1", name="read_mail", arguments='{"id": "M1"}'),)),
    "malformed arguments are kept": (
        calling(function(arguments='{"id":')),
        (ToolCall(id="c1", name="read_mail", arguments='{"id":'),),
    ),
    "no id": (calling(function(id=None), function(id="")), ("call-0", "call-1")),
    "an id twice": (calling(function(), function()), ("c1", "c1")),
    "no arguments": (calling(function(arguments=None)), (ToolCall(id="c1", name="read_mail"),)),
    "an object for arguments": (
        calling(function(arguments={"id": "M1"})),
        (ToolCall(id="c1", name="read_mail", arguments='{"id":"M1"}'),),
    ),
    "unknown fields": (calling(function(index=0, extra={})), ("c1",)),
    "text beside the call": (calling(function(), content="Let me see."), ("c1",)),
    "a megabyte of arguments": (calling(function(arguments="x" * 2**20)), ("c1",)),
}


@pytest.mark.parametrize("case", READ)
async def test_calls_of_an_endpoint(case):
    said, expected = READ[case]
    async with asked(says(said), timeout=5.0) as (target, _):
        response = await target.ask(OFFERED)
    assert response.finish == "tool_calls"
    if isinstance(expected[0], str):
        assert tuple(call.id for call in response.tool_calls) == expected
    else:
        assert response.tool_calls == expected


LOST = {
    "an empty list of calls": (calling(content=""), "empty"),
    "calls that are none": (calling("read_mail"), "malformed"),
    "a call without a name": (calling({"id": "c", "function": {"arguments": "{}"}}), "malformed"),
    "a number for arguments": (calling(function(arguments=7)), "malformed"),
    "calls in an object": (completion(choices=[{"message": {"tool_calls": {"0": function()}}}]), "malformed"),
}


@pytest.mark.parametrize("case", LOST)
async def test_an_answer_with_tools_that_cannot_be_used(case):
    said, reason = LOST[case]
    async with asked(says(said), retries=0) as (target, _):
        with pytest.raises(Unscorable) as caught:
            await target.ask(OFFERED)
    assert caught.value.reason == reason


async def test_an_empty_list_of_calls_beside_text_is_an_answer():
    async with asked(says(calling(content="Nothing to do."))) as (target, _):
        response = await target.ask(OFFERED)
    assert (response.text, response.tool_calls) == ("Nothing to do.", ())


async def test_the_conversation_goes_back_to_the_endpoint_whole():
    call = ToolCall(id="c1", name="read_mail", arguments='{"id": "M1"}')
    messages = (
        *OFFERED.messages,
        Message(role="assistant", content="", tool_calls=(call,)),
        Message(role="tool", content="Hello.", tool_call_id="c1"),
    )
    async with asked(in_turn(says(calling(function())), says(completion("Read.")))) as (target, endpoint):
        await target.ask(OFFERED)
        await target.ask(msgspec.structs.replace(OFFERED, messages=messages))
    assert [message["role"] for message in endpoint.bodies[1]["messages"]] == ["system", "user", "assistant", "tool"]
    assert endpoint.bodies[1]["messages"][3]["tool_call_id"] == "c1"


async def test_a_function_is_given_the_tools_only_where_there_are_some():
    seen = []

    def answer(messages, **more):
        seen.append(more)
        return {"content": None, "tool_calls": [function()]} if more else "Hello."

    target = CallableTarget(answer)
    response = await target.ask(OFFERED)
    assert response.tool_calls == (ToolCall(id="c1", name="read_mail", arguments='{"id": "M1"}'),)
    assert response.text == ""
    assert (await target.ask(QUESTION)).text == "Hello."
    assert [list(more) for more in seen] == [["tools"], []]
    assert seen[0]["tools"][0]["function"]["name"] == "read_mail"


# What a function returns -> (text, ids of its calls), or the reason why it is no answer.
RETURNED = {
    "a text": ("Hello.", ("Hello.", ())),
    "a message": ({"role": "assistant", "content": "Hello."}, ("Hello.", ())),
    "calls without ids": (
        {"tool_calls": [{"function": {"name": "a"}}, {"id": None, "function": {"name": "b", "arguments": None}}]},
        ("", ("call-0", "call-1")),
    ),
    "an object for arguments": (
        {"content": "x", "tool_calls": [{"id": "i", "function": {"name": "a", "arguments": {"b": 1}}}]},
        ("x", ("i",)),
    ),
    "an empty list of calls": ({"content": "", "tool_calls": []}, "empty"),
    "calls that are none": ({"tool_calls": "read_mail"}, "empty"),
    "a call without a name": ({"tool_calls": [{"function": {}}]}, "empty"),
    "a number": (7, "empty"),
    "nothing": (None, "empty"),
}


@pytest.mark.parametrize("case", RETURNED)
async def test_what_a_function_returns(case):
    returned, expected = RETURNED[case]
    target = CallableTarget(lambda messages, tools=(): returned)
    if isinstance(expected, str):
        with pytest.raises(Unscorable) as caught:
            await target.ask(OFFERED)
        assert caught.value.reason == expected
        return
    response = await target.ask(OFFERED)
    assert (response.text, tuple(call.id for call in response.tool_calls)) == expected
    assert all(isinstance(json.loads(call.arguments), dict) for call in response.tool_calls)


async def test_a_function_that_takes_no_tools_is_told_at_once():
    target = CallableTarget(lambda messages: "Hello.")
    assert (await target.ask(QUESTION)).text == "Hello."
    with pytest.raises(TargetError, match="takes no tools") as caught:
        await target.ask(OFFERED)
    assert not isinstance(caught.value, Unscorable)
    assert "tools" in caught.value.remedy


@pytest.mark.model
async def test_the_local_model_answers_a_request_with_tools():
    description = TargetDescription(kind="local", concurrency=1, max_tokens=8, retries=0)
    request = Request(prompt="Answer.", messages=OFFERED.messages, tools=(TOOL,), max_tokens=8)
    async with LocalKind().open(description) as target:
        response = await target.ask(request)
        assert response.text.strip() or response.tool_calls
        call = ToolCall(id="c1", name="read_mail", arguments='{"id": "M1"}')
        more = (Message(role="assistant", content="", tool_calls=(call,)),)
        result = (Message(role="tool", content="We open at nine.", tool_call_id="c1"),)
        again = await target.ask(msgspec.structs.replace(request, messages=(*request.messages, *more, *result)))
        assert again.text.strip() or again.tool_calls
