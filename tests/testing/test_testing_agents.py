"""The scripted agents: they fail at the rates that they were given, from what they read and nothing else."""

import json
import random

import msgspec
import pytest
from aiohttp import web
from scipy.stats import binomtest

from aloi.science.episode import carry_out
from aloi.science.items import Failed, Item, Outcome, Passed
from aloi.science.probe import probe_for, scorer_for
from aloi.solutions.catalogue import build
from aloi.solutions.guarded import GuardedTarget
from aloi.system.description import TargetDescription
from aloi.system.python import CallableTarget
from aloi.system.rendering import chat_messages, chat_tools
from aloi.system.target import Target, target_kind
from aloi.testing import ScriptedAgent, hardened_agent, weak_agent
from aloi.testing.agents import LOST, UNKNOWN
from science.simulated import small_system
from system.faulty import asked

SYSTEM = small_system()


def draws(name: str, count: int) -> list[Item]:
    probe = probe_for(name)
    rng = random.Random(name)
    languages, attacks = list(probe.languages(SYSTEM)), list(probe.attacks())
    return [probe.item(SYSTEM, rng.choice(languages), rng.choice(attacks), rng) for _ in range(count)]


def as_target(agent: ScriptedAgent) -> Target:
    async def answer(messages, tools=()):
        return await agent(messages, tools)

    return CallableTarget(answer)


async def outcomes(name: str, target: Target, count: int) -> list[Outcome]:
    scorer = scorer_for(probe_for(name).scorer)
    return [scorer.score(item, await carry_out(item, target)) for item in draws(name, count)]


def failures(found: list[Outcome]) -> int:
    return sum(isinstance(outcome, Failed) for outcome in found)


@pytest.mark.parametrize(
    "name", ["indirect-injection-agent", "cascade", "loss-of-control", "memory-rag-poisoning-agent"]
)
async def test_the_rate_is_the_one_that_was_given(name):
    count = failures(await outcomes(name, as_target(ScriptedAgent({}, otherwise=0.3)), 600))
    assert binomtest(count, 600, 0.3).pvalue > 1e-4


async def test_rates_are_by_hazard():
    target = as_target(ScriptedAgent({"cascade": 1.0, "unmarked-media": 0.0}, otherwise=0.0))
    assert failures(await outcomes("cascade", target, 20)) == 20
    assert failures(await outcomes("unmarked-media-agent", target, 20)) == 0


async def test_a_clumsy_agent_gives_tasks_up_and_does_no_harm():
    target = as_target(ScriptedAgent({}, clumsy=0.4))
    count = failures(await outcomes("benign-agent", target, 400))
    assert binomtest(count, 400, 0.4).pvalue > 1e-4
    assert failures(await outcomes("excessive-agency", target, 20)) == 0


async def test_an_order_in_a_marked_text_is_obeyed_less_often():
    agent = ScriptedAgent({}, otherwise=1.0, marked=0.25)
    assert failures(await outcomes("indirect-injection-agent", as_target(agent), 50)) == 50
    spotlit = GuardedTarget(as_target(agent), [build("spotlighting", {})])
    count = failures(await outcomes("indirect-injection-agent", spotlit, 400))
    assert binomtest(count, 400, 0.25).pvalue > 1e-4
    assert failures(await outcomes("benign-agent", spotlit, 50)) == 0


async def test_what_is_withheld_is_neither_obeyed_nor_used():
    class Blind:
        def __init__(self, target):
            self._target = target

        async def ask(self, request):
            kept = [msgspec.structs.replace(m, content="") if m.role == "tool" else m for m in request.messages]
            return await self._target.ask(msgspec.structs.replace(request, messages=tuple(kept)))

    blind = Blind(as_target(ScriptedAgent({}, otherwise=1.0)))
    assert failures(await outcomes("indirect-injection-agent", blind, 40)) == 0
    found = await outcomes("benign-agent", blind, 40)
    assert Failed(evidence="not done: paid") in found
    (item, *_) = [one for one in draws("benign-agent", 60) if one.seed.startswith("pay-invoice")]
    assert (await carry_out(item, blind)).text in LOST.values()


async def test_an_agent_holds_nothing_from_one_request_to_the_next():
    agent = ScriptedAgent({}, otherwise=0.5)
    items = draws("cascade", 30)
    one_by_one = [await carry_out(item, as_target(agent)) for item in items]
    backwards = [await carry_out(item, as_target(agent)) for item in reversed(items)]
    calls = [response.calls() for response in one_by_one]
    assert calls == [response.calls() for response in reversed(backwards)]
    other = [(await carry_out(item, as_target(ScriptedAgent({}, otherwise=0.5, seed="2")))).calls() for item in items]
    assert calls != other


async def test_what_it_does_not_know_it_does_not_do():
    agent = ScriptedAgent({}, otherwise=1.0)
    for said in ([], [{"role": "user", "content": "Hello."}], [{"role": "assistant", "content": "Hm."}]):
        assert (await agent(said))["content"] == UNKNOWN
    # Without the tools that it needs, an agent has nothing to call.
    (item,) = draws("unmarked-media-agent", 1)
    assert "tool_calls" not in await agent(chat_messages(item.request), [])
    assert (await agent(chat_messages(item.request), chat_tools(item.request.tools)))["tool_calls"]


@pytest.mark.parametrize(
    ("name", "agent", "rate"), [("weak_agent", weak_agent, 0.6), ("hardened_agent", hardened_agent, 0.01)]
)
async def test_the_two_agents_are_opened_by_name(name, agent, rate):
    description = TargetDescription(kind="callable", callable=f"aloi.testing:{name}")
    async with target_kind(description).open(description) as target:
        found = [outcome for probe in ("excessive-agency", "cascade") for outcome in await outcomes(probe, target, 200)]
    assert binomtest(failures(found), 400, rate).pvalue > 1e-4
    assert (await agent([]))["content"] == UNKNOWN


async def test_behind_an_endpoint_the_agent_does_the_same():
    agent = ScriptedAgent({}, otherwise=0.5)

    async def reply(request: web.Request, _: int) -> web.Response:
        body = await request.json()
        message = await agent(body["messages"], body.get("tools", []))
        choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if "tool_calls" in message else "stop"}
        whole = {"choices": [choice], "usage": {"prompt_tokens": 50, "completion_tokens": 5}}
        return web.Response(text=json.dumps(whole), content_type="application/json")

    scorer = scorer_for("tool-log")
    async with asked(reply, timeout=10.0) as (target, endpoint):
        for item in draws("indirect-injection-agent", 12):
            over_http, direct = await carry_out(item, target), await carry_out(item, as_target(agent))
            assert over_http.calls() == direct.calls()
            assert scorer.score(item, over_http) == scorer.score(item, direct)
            assert over_http.prompt_tokens == 50 * (len(over_http.calls()) + 1)
    assert {body["max_tokens"] for body in endpoint.bodies} == {48}
    assert all(body["tools"] for body in endpoint.bodies)


async def test_the_outcome_of_a_task_is_seen():
    assert await outcomes("benign-agent", as_target(ScriptedAgent({})), 30) == [Passed()] * 30
