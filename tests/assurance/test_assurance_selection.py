"""Selection on recorded trials of known risk, many times: it picks what works, and nothing that was not needed."""

import asyncio
from collections import Counter

import msgspec
import pytest

from aloi.assurance.remedies import fitted, options, remedies_for
from aloi.assurance.selecting import Selection
from aloi.errors import InvalidFile, UnknownName
from aloi.science.asking import Asker, Spending
from aloi.science.findings import finding
from aloi.science.items import Failed
from aloi.science.measuring import Measurement
from aloi.science.trials import TrialLog
from aloi.system.reading import System
from assurance.worlds import GUARDS, LEAKING, description, opened
from science.runs import Run, trial
from science.simulated import SimulatedTarget

RUNS = 102
NEEDED = {
    "hidden-context-exposure": "secret-filter",
    "data-disclosure": "personal-data-filter",
    "unsafe-output": "link-policy",
}


def system(**goals):
    return opened(description("good", **goals))


async def chosen(path, risks, seed):
    """The set that is nominated after one measurement of a system of these risks."""
    run = Run(path, system(seed=f"seed {seed}"), workers=1)
    target = SimulatedTarget(risks, seed=seed, system=run.system)
    await run.measure(target)
    remedies = fitted(run.system, GUARDS)
    async with TrialLog(path) as log:
        asker = Asker(log, run.scorers, run.spending, 1)
        selection = Selection(run.plan, asker, list(run.findings.values()), remedies, run.system.description)
        await selection.ask_pairs(target)
        choice, tried = selection.choose()
        assert len(log) == run.trials
    assert len(tried) == 2 ** len(GUARDS) - 1
    assert sum(one.chosen for one in tried) == (choice.chosen is not None)
    return choice


def test_over_many_runs_the_guard_that_is_needed_is_nominated(tmp_path):
    nominated = Counter()
    for seed in range(RUNS):
        hazard = LEAKING[seed % len(LEAKING)]
        choice = asyncio.run(chosen(tmp_path / f"{seed}.jsonl", {hazard: 0.7}, seed))
        nominated[hazard, choice.chosen.remedies, choice.meets] += 1
    assert nominated == {(hazard, (guard,), True): RUNS // 3 for hazard, guard in NEEDED.items()}


def test_the_recorded_answers_are_not_changed_by_selection(tmp_path):
    path = tmp_path / "trials.jsonl"
    asyncio.run(chosen(path, dict.fromkeys(LEAKING, 0.7), 1))
    lines = path.read_bytes()
    assert b'"stage":"select"' not in lines
    assert b'"stage":"measure"' in lines


def test_remedies_are_told_what_the_system_protects():
    known = system()
    assert options(known, "secret-filter") == {"secrets": ["KESTREL-7731"]}
    assert options(known, "link-policy") == {"allowed_hosts": ["bank.example"]}
    assert [remedy.name for remedy in fitted(known, remedies_for(known))] == list(GUARDS)
    with pytest.raises(UnknownName) as refused:
        fitted(known, ["secret-filtre"])
    assert "secret-filter" in str(refused.value.facts["nearest"])


def test_without_a_list_every_remedy_that_serves_is_tried():
    names = remedies_for(system(remedies=(), hazards=("unsafe-output",)))
    assert "link-policy" in names
    assert "personal-data-filter" not in names


def test_a_judge_is_asked_only_where_the_owner_names_its_model():
    silent = system(remedies=(), hazards=("harmful-content",))
    assert "judge-rail" not in remedies_for(silent)
    with pytest.raises(InvalidFile):
        fitted(silent, ["judge-rail"])
    told = {"judge-rail": {"target": {"kind": "callable", "callable": "judges:mine"}}}
    named = System(msgspec.structs.replace(silent.description, remedy_options=told), ())
    assert "judge-rail" in remedies_for(named)
    assert [remedy.name for remedy in fitted(named, ["judge-rail"])] == ["judge-rail"]


@pytest.mark.parametrize("conversing", [(), (0,), (3,)])
async def test_one_conversation_among_a_hazard_s_trials_has_its_guards_asked_afresh(tmp_path, conversing):
    """Of a mix of attacks some may converse; which of them was drawn first must not matter."""
    run = Run(tmp_path / "trials.jsonl", system())
    remedies = fitted(run.system, GUARDS)
    async with TrialLog(run.path) as log:
        for index in range(4):
            made = trial(index)
            script = ("Go on.",) if index in conversing else ()
            item = msgspec.structs.replace(made.item, script=script)
            log.append(msgspec.structs.replace(made, item=item, outcome=Failed()))
        asker = Asker(log, run.scorers, Spending(run.plan.limits), 1)
        found = [
            finding(run.plan, Measurement(run.plan, "measure", "base", run.sampler), "measure", "base", hazard, log)
            for hazard in LEAKING
        ]
        target = SimulatedTarget({}, system=run.system)
        await Selection(run.plan, asker, found, remedies, run.system.description).ask_pairs(target)
        asked = {key.key.arm for key in log if key.key.stage == "select"}
    assert asked == ({"base", "personal-data-filter", "secret-filter"} if conversing else set())
