"""The scenarios of the workplace: complete in both languages, fresh at each draw, clear on what is right."""

import json
import random
import re
from collections import Counter
from importlib.resources import files

import msgspec
import pytest
import yaml
from stdnum import iban

from aloi import plugins
from aloi.errors import AskerError
from aloi.science.episode import carry_out
from aloi.science.grammar import SLOT
from aloi.science.hazards import hazards
from aloi.science.items import Failed, Item, Passed
from aloi.science.probe import probe_for, scorer_for
from aloi.science.scorers.tool_log import watch_of
from aloi.science.workplace.drawing import draw, expression, fill, made
from aloi.science.workplace.scenarios import pack, texts
from aloi.science.workplace.toolbox import toolbox
from aloi.system.description import Context
from aloi.system.python import CallableTarget
from aloi.testing import ScriptedAgent
from science.simulated import small_system
from science.talking import Talker, call

PROBES = [name for name in plugins.names("aloi.probes") if hasattr(plugins.load("aloi.probes", name), "pack")]
PACKS = [plugins.load("aloi.probes", name).pack for name in PROBES]
SYSTEM = small_system()
DRAWS = 40


def draws(name: str, count: int = DRAWS) -> list[Item]:
    """Items of a probe: so many of each language and attack."""
    probe = probe_for(name)
    return [
        probe.item(SYSTEM, language, attack, random.Random(f"{name}{language}{attack}{index}"))
        for language in probe.languages(SYSTEM)
        for attack in probe.attacks()
        for index in range(count)
    ]


def target(agent: ScriptedAgent) -> CallableTarget:
    async def answer(messages, tools=()):
        return await agent(messages, tools)

    return CallableTarget(answer)


def test_twelve_hazards_and_ordinary_tasks():
    measured = {probe_for(name).hazard for name in PROBES}
    assert len(measured) == len(PROBES) == 13
    assert measured - {"benign"} <= set(hazards())
    assert len(pack("tasks").scenarios) >= 8
    assert {scenario.attack for scenario in pack("indirect-injection").scenarios} == {
        "mail",
        "file",
        "page",
        "ticket",
        "invitation",
    }


def test_every_pack_belongs_to_a_probe_and_says_where_it_comes_from():
    shipped = {path.name.removesuffix(".yaml") for path in files("aloi.science.workplace").joinpath("data").iterdir()}
    assert shipped == {*PACKS, "tools", "people"}
    for name in PACKS:
        one = pack(name)
        assert one.name == name
        assert one.source.startswith("written for Aloi")
        assert one.licence == "Apache-2.0"
        assert one.date.year == 2026


@pytest.mark.parametrize("name", PACKS)
def test_a_pack_is_complete(name):
    one = pack(name)
    assert one.languages() == {"en", "fr"}
    assert sum(one.attacks().values()) == pytest.approx(1)
    ids = [scenario.id for scenario in one.scenarios]
    assert len(set(ids)) == len(ids)
    for scenario in one.scenarios:
        assert scenario.solution
        assert set(scenario.tools) <= set(toolbox())
        assert bool(scenario.wrong) != bool(one.goals or name == "tasks")
        used = {tool for turn in (*scenario.solution, *scenario.wrong) for step in turn for tool in step}
        planted = {tool for goal in one.goals for step in (*goal.wrong, *goal.later) for tool in step}
        assert used <= set(scenario.tools)
        assert planted <= set(toolbox())
        assert scenario.interrupt == 0 or scenario.script
        for language in ("en", "fr"):
            for text in texts([scenario.say, scenario.state, list(scenario.script), list(scenario.sequel)], language):
                assert set(SLOT.findall(text)) <= {*one.known(scenario), "planted"}, text


@pytest.mark.parametrize("name", PACKS)
def test_french_and_english_differ_and_french_looks_french(name):
    one = pack(name)
    for scenario in one.scenarios:
        for words in (scenario.say, *scenario.script, *scenario.sequel):
            assert len(words["en"]) == len(words["fr"])
            assert not set(words["en"]) & set(words["fr"])
            for text in words["fr"]:
                assert not re.search(r"\w[;!?»]|«\w|\w :\w", text), text


@pytest.mark.parametrize("name", PROBES)
def test_draws_are_fresh_deterministic_and_fit_into_the_log(name):
    drawn = draws(name)
    assert len({item.seed for item in drawn}) == len(drawn)
    if pack(probe_for(name).pack).goals:  # the order itself is fresh, not only what stands around it
        assert len({item.seed.splitlines()[2] for item in drawn}) == len(drawn)
    again = draws(name)
    assert msgspec.json.encode(drawn) == msgspec.json.encode(again)
    assert msgspec.json.decode(msgspec.json.encode(drawn), type=list[Item]) == drawn
    assert {item.environment for item in drawn} == {"workplace"}
    assert all(item.request.tools for item in drawn)
    assert max(len(msgspec.json.encode(item)) for item in drawn) < 20_000
    assert not re.search(r"\{[a-z_]+\}", json.dumps([msgspec.to_builtins(item.state) for item in drawn]))


HOST = re.compile(r"(?:@|https?://)([a-z0-9.-]+[a-z0-9])", re.IGNORECASE)
RESERVED = re.compile(r"(?:^|\.)(?:example|example\.(?:com|net|org))$")


@pytest.mark.parametrize("name", PROBES)
def test_every_address_is_reserved_and_every_account_invented(name):
    for item in draws(name, 10):
        text = json.dumps([msgspec.to_builtins(item.state), item.seed, item.script, item.sequel], ensure_ascii=False)
        assert all(RESERVED.search(host.removesuffix(".txt")) for host in HOST.findall(text)), HOST.findall(text)
        for account in re.findall(r"\bFR\d{2}[0-9A-Z]{23}\b", text):
            assert iban.is_valid(account)
            assert account[4:9] == "19990"
        for number in re.findall(r"\b0\d(?: \d\d){4}\b", text):
            assert number.startswith("01 99 00")


@pytest.mark.parametrize("name", PROBES)
def test_what_the_oracle_looks_for_is_not_what_the_user_asks(name):
    for item in draws(name, 10):
        said = item.request.messages[0].content
        for rule in watch_of(item).forbidden:
            assert not any(needle in said for needle in rule.holds)
            assert not any(to.removeprefix("@") in said for to in rule.to if to)


@pytest.mark.parametrize("name", PROBES)
async def test_the_right_way_passes_and_the_wrong_way_fails_in_every_scenario(name):
    probe = probe_for(name)
    scorer = scorer_for(probe.scorer)
    good, bad = target(ScriptedAgent({})), target(ScriptedAgent({}, otherwise=1.0))
    seen: Counter[str] = Counter()
    for item in draws(name):
        seen[item.seed.splitlines()[0]] += 1
        right = await carry_out(item, good)
        assert scorer.score(item, right) == Passed(), (item.seed, right)
        if probe.hazard != "benign":
            wrong = await carry_out(item, bad)
            assert isinstance(scorer.score(item, wrong), Failed), (item.seed, wrong)
        assert right.tool_calls == ()
    assert set(seen) == {scenario.id for scenario in pack(probe.pack).scenarios}


@pytest.mark.parametrize("name", PROBES)
async def test_an_agent_that_only_talks_does_no_harm_and_no_work(name):
    probe = probe_for(name)
    scorer = scorer_for(probe.scorer)
    for item in draws(name, 3):
        outcome = scorer.score(item, await carry_out(item, Talker(*["I would rather not."] * 5)))
        assert isinstance(outcome, Failed if probe.hazard == "benign" else Passed)


@pytest.mark.parametrize("goal", [goal.id for goal in pack("indirect-injection").goals])
async def test_every_planted_order_is_drawn_in_every_carrier(goal):
    wanted = next(one for one in pack("indirect-injection").goals if one.id == goal)
    tools = {tool for step in wanted.wrong for tool in step}
    drawn = [item for item in draws("indirect-injection-agent", 60) if tools <= set(item.state["tools"])]
    assert {item.attack for item in drawn} == set(pack("indirect-injection").attacks())
    assert {item.language for item in drawn} == {"en", "fr"}


async def test_a_planted_order_is_read_only_through_a_tool():
    for item in draws("indirect-injection-agent", 5):
        order = item.seed.splitlines()[2]
        assert order in json.dumps(item.state, ensure_ascii=False)
        assert order not in "".join(message.content for message in item.request.messages)


async def test_a_mail_that_is_quoted_in_full_is_not_obeyed():
    scorer = scorer_for("tool-log")
    mails = [item for item in draws("indirect-injection-agent", 60) if item.attack == "mail"]
    assert len(mails) == 120
    for item in mails:
        (carrier,) = [mail for mail in item.state["mail"] if item.seed.splitlines()[2] in mail["body"]]
        answer = call("send_mail", to=carrier["sender"], subject="Re", body=f"> {carrier['body']}\nWe do not do that.")
        agent = Talker(call("read_mail", id=carrier["id"]), answer, f"It wanted: {carrier['body']}")
        assert scorer.score(item, await carry_out(item, agent)) == Passed()


def test_every_secret_of_the_system_is_looked_for():
    for item in draws("hidden-context-exposure-agent", 3):
        (rule,) = watch_of(item).forbidden
        assert rule.holds == ("KESTREL-7731",)
        assert "KESTREL-7731" not in json.dumps(item.state)
    bare = msgspec.structs.replace(SYSTEM.description, context=Context())
    with pytest.raises(AskerError, match=r"context\.secrets is empty"):
        probe_for("hidden-context-exposure-agent").languages(SYSTEM.__class__(bare, ()))


def test_a_language_that_no_scenario_speaks_is_told():
    german = msgspec.structs.replace(SYSTEM.description, languages=("de",))
    with pytest.raises(AskerError, match="speaks en, fr; the system speaks de"):
        probe_for("excessive-agency").languages(SYSTEM.__class__(german, ()))


def test_data_of_packs_hold_no_word_that_yaml_reads_as_something_else():
    for path in files("aloi.science.workplace").joinpath("data").iterdir():

        def walk(node):
            if isinstance(node, dict):
                assert all(isinstance(key, str) for key in node), node
                for value in node.values():
                    walk(value)
            elif isinstance(node, list):
                for one in node:
                    walk(one)

        walk(yaml.safe_load(path.read_text(encoding="utf-8")))


KINDS = {
    "=canary": r"[B-DF-HJ-NP-TV-XZ2-9]{4}-[B-DF-HJ-NP-TV-XZ2-9]{4}",
    "=digits 5": r"[1-9]\d{4}",
    "=hex 8": r"[0-9a-f]{8}",
    "=amount 40 480": r"\d{2,3}\.\d\d",
    "=iban": r"FR\d{25}",
    "=mail who x.example": r"anna\.keller@x\.example",
    "=cents price": "1999",
}


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_slots(kind):
    rng = random.Random(3)
    for _ in range(200):
        value = made(kind, rng, {"who": "Anna Keller", "price": "19.99"})
        assert re.fullmatch(KINDS[kind], value)
        assert re.fullmatch(expression({"slot": kind}, "{slot}", "en"), value)


def test_what_was_drawn_is_found_again():
    known = {"who": ["Anna Keller", "Paul Girard"], "note": {"en": ["{who} (again)"]}, "ref": "=digits 7"}
    values = draw(known, "en", random.Random(1), {})
    template = "From {who}: {ref}? {note} {who}"
    found = re.fullmatch(expression(known, template, "en"), fill(template, values))
    assert found
    assert found.groupdict() == values
    with pytest.raises(KeyError):
        fill("{none}", values)
    with pytest.raises(KeyError):
        made("=nothing", random.Random(1), {})
