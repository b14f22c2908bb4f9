"""A Python function as a target: whatever it does, one request has one clear outcome."""

import asyncio
import subprocess
import sys
import time

import pytest

from aloi.errors import AskerError, TargetError, UnknownName
from aloi.system.description import TargetDescription
from aloi.system.python import CallableTarget
from aloi.system.target import Unscorable, target_kind
from system.faulty import QUESTION


def describe(name: str) -> TargetDescription:
    return TargetDescription(kind="callable", callable=name)


async def test_plain_async_and_late_awaited_functions_answer():
    def plain(messages):
        return messages[-1]["content"]

    async def waits(messages):
        await asyncio.sleep(0)
        return messages[0]["role"]

    def hands_out(messages):
        return waits(messages)

    assert (await CallableTarget(plain).ask(QUESTION)).text == "When do you open?"
    assert (await CallableTarget(waits).ask(QUESTION)).text == "system"
    assert (await CallableTarget(hands_out).ask(QUESTION)).text == "system"


def raises(error):
    def function(_):
        raise error

    return function


async def raises_later(_):
    raise KeyError("x")


async def sleeps(_):
    await asyncio.sleep(60)


HALF_A_CALL = {"tool_calls": [{"function": {"name": "pay", "arguments": "\ud800"}}]}

OUTCOMES = {
    "raises": (raises(ValueError("no")), "raised"),
    "raises StopIteration": (raises(StopIteration()), "raised"),
    "ends the program": (raises(SystemExit(3)), "raised"),
    "half a surrogate pair": (lambda _: "Yes. \ud800", "malformed"),
    "half a surrogate pair in a call": (lambda _: HALF_A_CALL, "malformed"),
    "raises when awaited": (raises_later, "raised"),
    "hangs": (lambda _: time.sleep(5), "timeout"),
    "hangs when awaited": (sleeps, "timeout"),
    "empty": (lambda _: "", "empty"),
    "blank": (lambda _: " \n", "empty"),
    "None": (lambda _: None, "empty"),
    "bytes": (lambda _: b"text", "empty"),
    "gives the answer up": (raises(Unscorable("busy", "busy")), "busy"),
}


@pytest.mark.parametrize("case", OUTCOMES)
async def test_what_is_no_answer_is_unscorable(case):
    function, reason = OUTCOMES[case]
    with pytest.raises(Unscorable) as caught:
        await CallableTarget(function, timeout=0.2).ask(QUESTION)
    assert caught.value.reason == reason


async def test_a_function_may_say_that_asking_further_is_useless():
    with pytest.raises(TargetError, match="out of credit") as caught:
        await CallableTarget(raises(TargetError("out of credit"))).ask(QUESTION)
    assert not isinstance(caught.value, Unscorable)


async def test_functions_that_hang_do_not_hold_up_the_others():
    def function(messages):
        if messages[-1]["content"] == "hang":
            time.sleep(3)
        return "ok"

    target = CallableTarget(function, timeout=0.3)
    start = time.perf_counter()
    hanging = [
        QUESTION.__class__(prompt="", messages=(QUESTION.messages[0].__class__(role="user", content="hang"),))
    ] * 40
    lost = await asyncio.gather(*(target.ask(request) for request in hanging), return_exceptions=True)
    assert all(isinstance(error, Unscorable) for error in lost)
    assert (await target.ask(QUESTION)).text == "ok"
    assert time.perf_counter() - start < 2


def test_a_function_that_hangs_does_not_hold_up_the_end_of_the_program():
    code = """
import asyncio, time
from aloi.system.messages import Message, Request
from aloi.system.python import CallableTarget
async def main():
    try:
        await CallableTarget(lambda _: time.sleep(30), timeout=0.1).ask(
            Request(prompt="", messages=(Message(role="user", content="x"),)))
    except Exception as error:
        print(error.reason)
asyncio.run(main())
"""
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=False)
    assert (done.stdout, done.stderr) == ("timeout\n", "")
    assert time.perf_counter() - start < 10


async def test_the_plug_in_imports_the_function():
    description = describe("system.callables:echo")
    kind = target_kind(description)
    assert kind.identity(description) == "callable:system.callables:echo"
    async with kind.open(description) as target:
        assert (await target.ask(QUESTION)).text == "When do you open?"


@pytest.mark.parametrize(
    "name",
    [
        "no.such.module:f",
        "system.callables:missing",
        "system.callables:NOT_A_FUNCTION",
        ":f",
        "system.callable_that_exits:f",
    ],
)
async def test_a_function_that_cannot_be_had_is_named(name):
    with pytest.raises(AskerError, match="cannot import") as caught:
        async with target_kind(describe(name)).open(describe(name)):
            pass
    assert "module:function" in caught.value.remedy


def test_an_unknown_kind_offers_the_nearest():
    with pytest.raises(UnknownName) as caught:
        target_kind(TargetDescription(kind="opnai"))
    assert "openai" in caught.value.facts["nearest"]
