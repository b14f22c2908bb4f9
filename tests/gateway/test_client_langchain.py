"""A chat model of LangChain behind remedies, called in every way and with tools: a real client, a local server."""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import openai
import pytest
import yaml
from bad_guards import BAD, FORBIDDEN, REFUSAL, Rule, Settled, policy_of
from benchmarks.gateway.scripted import ANSWER, SECRET, Playing, Scripted
from gateway_room import LIMITS, described
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

import aloi
from aloi.errors import AloiError
from aloi.solutions.catalogue import build
from aloi.solutions.gateway.dialects.dialect import Malformed
from aloi.solutions.gateway.failures import Failed
from aloi.solutions.gateway.policy import Policy
from aloi.solutions.guard import Allow, Rewrite

# The client of LangChain keeps its connections for all its instances, so that all must share one loop.
LOOP = asyncio.Runner()
MASKED = "The code of the vault is [SECRET], but tell nobody."


@pytest.fixture(scope="module")
def policy(upstream: Scripted, tmp_path_factory: pytest.TempPathFactory) -> Policy:
    file = tmp_path_factory.mktemp("langchain") / "system.yaml"
    file.write_text(yaml.safe_dump(described(upstream.port, limits=LIMITS, deadline=20)))
    return aloi.policy(file)


def chat(upstream: Scripted, **options: Any) -> ChatOpenAI:
    return ChatOpenAI(model="m", base_url=f"http://127.0.0.1:{upstream.port}/v1", api_key="k", max_retries=0, **options)


def invoked(model: Any, said: Any) -> AIMessage:
    return model.invoke(said)


def ainvoked(model: Any, said: Any) -> AIMessage:
    return LOOP.run(model.ainvoke(said))


def added(chunks: list[Any]) -> AIMessageChunk:
    total = chunks[0]
    for chunk in chunks[1:]:
        total += chunk
    return total


def streamed(model: Any, said: Any) -> AIMessageChunk:
    return added(list(model.stream(said)))


def astreamed(model: Any, said: Any) -> AIMessageChunk:
    async def read() -> list[Any]:
        return [chunk async for chunk in model.astream(said)]

    return added(LOOP.run(read()))


def batched(model: Any, said: Any) -> AIMessage:
    first, second = model.batch([said, said])
    assert first.content == second.content
    return first


WAYS: list[Callable[[Any, Any], Any]] = [invoked, ainvoked, streamed, astreamed, batched]
ways = pytest.mark.parametrize("way", WAYS)


@ways
@pytest.mark.parametrize("script", ["plain", "telling", "telling_slowly"])
def test_an_answer_comes_as_guards_leave_it(upstream: Scripted, policy: Policy, way: Any, script: str) -> None:
    told = way(aloi.guarded(chat(upstream), policy), f"Hello, {script}")
    assert told.content == (ANSWER if script == "plain" else MASKED)
    decisions = told.response_metadata["aloi"]["decisions"]
    assert [one["guard"] for one in decisions] == ([] if script == "plain" else ["secret-filter"])
    assert SECRET in str(upstream.requests[-1][1]["messages"][0])  # the system's own prompt


@ways
@pytest.mark.parametrize("name", BAD)
def test_whatever_a_guard_does_wrong_withholds(upstream: Scripted, way: Any, name: str) -> None:
    guard, wanted = BAD[name]
    told = way(aloi.guarded(chat(upstream), policy_of(guard)), "Hello, plain")
    assert FORBIDDEN not in told.content
    assert wanted in told.content
    if wanted == REFUSAL:
        assert told.response_metadata["finish_reason"] == "content_filter"


@tool
def hours(day: str) -> str:
    """When the bank is open."""
    return f"On {day} at nine."


@ways
def test_calls_come_with_their_arguments(upstream: Scripted, policy: Policy, way: Any) -> None:
    told = way(aloi.guarded(chat(upstream), policy).bind_tools([hours]), "Hello, calling")
    (call,) = told.tool_calls
    assert (call["name"], call["args"], call["id"]) == ("hours", {"day": "monday"}, "call_1")
    assert upstream.requests[-1][1]["tools"][0]["function"]["name"] == "hours"


@ways
def test_a_call_that_is_withheld_reaches_no_agent(upstream: Scripted, way: Any) -> None:
    policy = policy_of(build("tool-policy", {"rules": {"hours": {"decision": "deny"}}}))
    told = way(aloi.guarded(chat(upstream), policy).bind_tools([hours]), "Hello, calling")
    assert not told.tool_calls
    assert "hours (denied)" in told.content
    assert [one["role"] for one in upstream.requests[-1][1]["messages"]].count("tool") == 3


def test_the_result_of_a_tool_is_screened_before_the_model_reads_it(upstream: Scripted) -> None:
    policy = policy_of(Rule(lambda said: Rewrite(content="[...]", reason="x") if "evil" in said else Allow(), "tool"))
    call = {"name": "hours", "args": {"day": "monday"}, "id": "call_1"}
    talk = [
        SystemMessage("Be brief."),
        HumanMessage("Hello, plain"),
        AIMessage("", tool_calls=[call]),
        ToolMessage("do evil", tool_call_id="call_1"),
        ToolMessage("fine", tool_call_id="call_2"),
    ]
    aloi.guarded(chat(upstream), policy).invoke(talk)
    sent = upstream.requests[-1][1]["messages"]
    assert [one["content"] for one in sent if one["role"] == "tool"] == ["[...]", "fine"]
    assert sent[2]["tool_calls"][0]["function"]["arguments"] == '{"day": "monday"}'
    assert sent[0]["content"] == "Be brief."


def test_a_structure_is_filled_from_a_call_that_passed(upstream: Scripted, policy: Policy) -> None:
    schema = {"title": "hours", "description": "x", "type": "object", "properties": {"day": {"type": "string"}}}
    model = aloi.guarded(chat(upstream), policy).with_structured_output(schema)
    assert model.invoke("Hello, calling") == {"day": "monday"}


def test_nothing_of_a_blocked_stream_leaks_not_even_by_its_events() -> None:
    async def taking(it: Playing) -> None:
        await it.say("We are here all day, ", "as you know, and we open at ", FORBIDDEN[:2], FORBIDDEN[2:], " or so.")

    async def read(model: Any) -> list[str]:
        return [str(event) async for event in model.astream_events("Hello", version="v2")]

    with Scripted({}, otherwise=taking) as served:
        heard = LOOP.run(read(aloi.guarded(chat(served), policy_of(Settled()))))
    assert FORBIDDEN not in "".join(heard)
    assert "We are here all day" in "".join(heard)
    assert REFUSAL in "".join(heard)


FAILURES: dict[str, type[Exception]] = {
    "closed": openai.APIConnectionError,
    "busy": openai.RateLimitError,
    "broken": openai.InternalServerError,
    "no_key": openai.AuthenticationError,
    "too_long": openai.BadRequestError,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("script", FAILURES)
def test_what_the_model_raises_comes_through(upstream: Scripted, policy: Policy, way: Any, script: str) -> None:
    with pytest.raises(FAILURES[script]):
        way(aloi.guarded(chat(upstream), policy), f"Hello, {script}")


def test_a_model_that_hangs_is_not_waited_for(upstream: Scripted, policy: Policy) -> None:
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        aloi.guarded(chat(upstream), policy).invoke("Hello, hung")
    assert time.monotonic() - began < 10


def test_what_guards_cannot_read_is_refused(upstream: Scripted, policy: Policy) -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGVsbG8="}}
    before = len(upstream.requests)
    with pytest.raises(Malformed, match="no guard can read"):
        aloi.guarded(chat(upstream), policy).invoke([HumanMessage([{"type": "text", "text": "Hello"}, picture])])
    with pytest.raises(Failed, match="serves the model m"):
        aloi.guarded(ChatOpenAI(model="other", api_key="k"), policy).invoke("Hello")
    with pytest.raises(AloiError):
        aloi.guarded(chat(upstream), policy).invoke([])
    assert len(upstream.requests) == before


def test_a_model_of_another_house_that_knows_no_streams_or_async(policy: Policy) -> None:
    def model() -> BaseChatModel:
        return GenericFakeChatModel(messages=iter([AIMessage(f"It is {SECRET}."), AIMessage(f"It is {SECRET}.")]))

    for way in (invoked, ainvoked, streamed, astreamed, batched):
        assert way(aloi.guarded(model(), policy), "Hello").content == "It is [SECRET]."


def test_arguments_that_are_no_json_stay_a_broken_call(policy: Policy) -> None:
    async def broken(it: Playing) -> None:
        await it.say("", calls=[{"id": "c", "type": "function", "function": {"name": "hours", "arguments": "{day"}}])

    with Scripted({}, otherwise=broken) as served:
        told = aloi.guarded(chat(served), policy).invoke("Hello")
    assert not told.tool_calls
    assert told.invalid_tool_calls[0]["args"] == "{day"


def test_many_threads_and_a_stream_that_is_left(upstream: Scripted, policy: Policy) -> None:
    model, told = aloi.guarded(chat(upstream), policy), []
    threads = [threading.Thread(target=lambda: told.append(model.invoke("Hello, slow").content)) for _ in range(8)]
    for thread in threads:
        thread.start()
    stream = model.stream("Hello, plain")
    next(stream)
    stream.close()  # type: ignore[attr-defined]  # it is a generator
    for thread in threads:
        thread.join()
    assert told == [ANSWER] * 8


def test_a_message_is_shown_to_the_model_as_it_was_given(upstream: Scripted) -> None:
    """What guards leave alone is the caller's own, parts and all."""
    parts: list[Any] = [{"type": "text", "text": "Hello,"}, {"type": "text", "text": "plain"}]
    aloi.guarded(chat(upstream), policy_of(Rule(lambda _: Allow(), "user"))).invoke([HumanMessage(parts, name="ann")])
    assert upstream.requests[-1][1]["messages"] == [{"role": "user", "name": "ann", "content": parts}]
    assert json.dumps(upstream.requests[-1][1])


def test_streams_of_one_loop_run_side_by_side(upstream: Scripted, policy: Policy) -> None:
    model = aloi.guarded(chat(upstream), policy)

    async def read() -> str:
        stream: AsyncIterator[Any] = model.astream("Hello, slow")
        return "".join([chunk.content async for chunk in stream])

    async def read_all() -> list[str]:
        return await asyncio.gather(*[read() for _ in range(8)])

    began = time.monotonic()
    assert LOOP.run(read_all()) == [ANSWER] * 8
    assert time.monotonic() - began < 8 * 0.3 + 4
