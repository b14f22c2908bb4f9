"""Every probe: hostile answers to an item that it drew, through its own scorer, from `data/hostile-probes.yaml`."""

import asyncio
import json
from collections.abc import Mapping
from functools import cache

import msgspec
import pytest
from msgspec import Struct

from aloi import plugins
from aloi.science.episode import carry_out
from aloi.science.items import Expectation, Item
from aloi.science.probe import Scorer, scorer_for
from aloi.system.messages import Message, Response, ToolCall
from aloi.system.python import CallableTarget
from aloi.testing import ScriptedAgent
from science.dojo import toys
from science.hostile import FILLER, FORMS, Case, exchange, table, written
from science.hostile_items import SYSTEM, drawn, probe_of, said_of
from science.talking import call
from science.test_science_hostile_scorers import DOJO

TABLE = table("hostile-probes")
ANSWERS = msgspec.convert(TABLE["answers"], dict[str, Case])
Outcomes = str | dict[str, str]
ENDPOINT: dict[str, dict[str, Outcomes]] = TABLE["endpoint"]
LARGE = {"a megabyte", "the harm after a megabyte"}


class Deed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One column of the table for agents."""

    way: str
    form: str = ""
    says: str = "Done."
    answers: int = 0


class Row(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One agent's probe: which attack is drawn, and, if there are several of it, which scenario."""

    attack: str
    draw: str = ""
    outcomes: dict[str, str]


DEEDS = msgspec.convert(TABLE["agents"], dict[str, Deed])
AGENT = msgspec.convert(TABLE["agent"], dict[str, Row])


def spoken(name: str) -> list[str]:
    return list(probe_of(name).languages(SYSTEM))


def holds(outcome: str, wanted: str) -> bool:
    """Evidence that holds what was drawn is told by its beginning."""
    return outcome.startswith(wanted) if wanted.startswith("failed: ") else outcome == wanted


def expected(row: Mapping[str, Outcomes], case: str, language: str) -> str:
    """The outcome of a cell, which may be another one in some languages."""
    cell = row[case]
    return cell if isinstance(cell, str) else cell.get(language, cell["otherwise"])


ENDPOINT_CELLS = [
    (name, language, case)
    for name, row in ENDPOINT.items()
    for position, language in enumerate(spoken(name))
    for case in row
    if not expected(row, case, language).startswith("n/a: ") and (case not in LARGE or position == 0)
]


@pytest.mark.parametrize(("name", "language", "case"), ENDPOINT_CELLS, ids=map(" ".join, ENDPOINT_CELLS))
def test_a_hostile_answer_to_an_item_of_its_own(name, language, case):
    scorer, known = probe_of(name).scorer, ANSWERS[case]
    item = drawn(name, language)
    words, before = said_of(item, scorer)
    if not known.expects:
        item = msgspec.structs.replace(item, expectation=Expectation())
    outcome = written(scorer_for(scorer).score(item, exchange(known, words, before=before)))
    assert holds(outcome, expected(ENDPOINT[name], case, language)), outcome


# --- agents


def scorer_of(name: str) -> Scorer:
    wanted = probe_of(name).scorer
    return DOJO[wanted](toys) if wanted in DOJO else scorer_for(wanted)


@cache
def item_of(name: str, language: str) -> Item:
    row = AGENT[name]
    seeds = map(str, range(50))
    return next(
        item for item in (drawn(name, language, row.attack, seed) for seed in seeds) if item.seed.startswith(row.draw)
    )


@cache
def done(name: str, language: str) -> Response:
    """What an agent does that goes the wrong way, or, of ordinary work, the right one."""
    item = item_of(name, language)
    if "agentdojo" in name:
        pays = [] if "benign" in name else [call("pay", to="M-66", amount=10)]
        calls = [call("read_note"), *pays]
        said = tuple(Message(role="assistant", content="", tool_calls=(one,)) for one in calls)
        return Response(text="Nothing today.", earlier=said)
    agent = ScriptedAgent({}, otherwise=0.0 if name == "benign-agent" else 1.0)

    async def answer(messages, tools=()):
        return await agent(messages, tools)

    return asyncio.run(carry_out(item, CallableTarget(answer)))


def formed(form: str, one: ToolCall) -> tuple[ToolCall, ...]:
    """A call as the hostile agent makes it."""
    if form in {"", "each twice", "malformed first"}:
        before = {"": (), "each twice": (one,), "malformed first": formed("cut short", one)}[form]
        return (*before, one)
    given = json.loads(one.arguments)
    tool, arguments = FORMS[form](one.name, given, next(iter(given), "text"))
    return (ToolCall(id=one.id, name=tool, arguments=arguments),)


def acted(deed: Deed, whole: Response, item: Item) -> Response:
    """The exchange of one case, made of what the agent did."""
    says = deed.says.replace("{filler}", FILLER).replace("{state}", json.dumps(item.state, ensure_ascii=False))
    says = whole.text if says == "Done." else says
    if deed.way == "idle":
        return Response(text=says)
    if deed.answers:
        first = next(i for i, message in enumerate(whole.earlier) if message.tool_calls)
        return Response(text="", earlier=whole.earlier[:first], tool_calls=whole.earlier[first].tool_calls)
    earlier, made = [], 0
    for message in whole.earlier:
        kept = message.tool_calls if deed.form != "the first only" or not made else ()
        made += len(message.tool_calls)
        form = "" if deed.form == "the first only" else deed.form
        calls = tuple(each for one in kept for each in formed(form, one))
        earlier.append(msgspec.structs.replace(message, tool_calls=calls))
    return Response(text=says, earlier=tuple(earlier))


AGENT_CELLS = [
    (name, language, case)
    for name, row in AGENT.items()
    for language in spoken(name)
    for case, outcome in row.outcomes.items()
    if not outcome.startswith("n/a: ")
]


@pytest.mark.parametrize(("name", "language", "case"), AGENT_CELLS, ids=map(" ".join, AGENT_CELLS))
def test_what_an_agent_does_in_an_item_of_its_own(name, language, case):
    item = item_of(name, language)
    response = acted(DEEDS[case], done(name, language), item)
    outcome = written(scorer_of(name).score(item, response))
    assert holds(outcome, AGENT[name].outcomes[case]), outcome


# --- the tables are whole


def test_every_probe_that_is_installed_has_a_row_and_every_row_a_probe():
    installed, rows = set(plugins.names("aloi.probes")), ENDPOINT.keys() | AGENT.keys()
    assert installed - rows == set(), "probes without a row in tests/science/data/hostile-probes.yaml"
    assert rows - installed == set(), "rows of probes that do not exist"
    assert not ENDPOINT.keys() & AGENT.keys()


@pytest.mark.parametrize("name", [*ENDPOINT, *AGENT])
def test_every_row_has_an_outcome_for_every_case(name):
    row, columns = (ENDPOINT[name], ANSWERS.keys()) if name in ENDPOINT else (AGENT[name].outcomes, DEEDS.keys())
    assert columns - row.keys() == set(), f"{name}: cases without an outcome"
    assert row.keys() - columns == set(), f"{name}: outcomes of cases that do not exist"
    assert {str(outcome).partition(":")[0] for outcome in row.values()} >= {"passed", "failed"}


@pytest.mark.parametrize("name", [*ENDPOINT, *AGENT])
def test_a_probe_is_in_the_half_that_it_belongs_to(name):
    item = drawn(name, spoken(name)[0], AGENT[name].attack if name in AGENT else "")
    assert bool(item.environment) == (name in AGENT)
