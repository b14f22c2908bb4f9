"""Every field of `assurance` in system.yaml with every hostile value, from `data/hostile-goals.yaml`: what is told."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from aloi.errors import AloiError, InvalidFile
from aloi.system.description import Assurance
from aloi.system.reading import open_system
from science.hostile import table
from science.plan_fields import ABSENT, at, paths, put
from science.runs import plan_for

TABLE = table("hostile-goals")
ROWS = TABLE["fields"]
CASES = [(path, value, outcome) for path, pairs in ROWS.items() for value, outcome in pairs]


def told(folder: Path, path: str, value: Any) -> str:
    """What becomes of the system with another value in one field of its goals."""
    described = copy.deepcopy(TABLE["system"])
    place = "assurance." + put(described["assurance"], path, ABSENT if value == "<absent>" else value)
    file = folder / "system.yaml"
    file.write_text(yaml.safe_dump(described, sort_keys=False), encoding="utf-8")
    try:
        system = open_system(file)
    except InvalidFile as error:
        faults = " | ".join(str(fault).removeprefix(f"{place}: ") for fault in error.faults)
        return "fault: " + faults.replace(str(folder), "HERE").replace(str(folder.parent), "ABOVE")
    try:
        plan_for(system)
    except AloiError as error:
        return f"plan: {error}"
    return f"accepted: {at(system.description.assurance, path)!r}"


def test_the_system_as_it_was_described_is_accepted(tmp_path):
    assert told(tmp_path, "seed", "aloi") == "accepted: 'aloi'"


def test_a_judged_hazard_is_not_hunted_again_either(tmp_path):
    """`readapt` asks for hunts of all hazards; one that a judge rates has no exact scorer to prove by."""
    (tmp_path / "system.yaml").write_text(yaml.safe_dump(TABLE["system"]), encoding="utf-8")
    plan, _ = plan_for(open_system(tmp_path / "system.yaml"))
    assert [hunt.hazard for hunt in plan.hunts] == ["data-disclosure"]
    assert [entry.hazard for entry in plan.hazards if entry.judging] == ["unsafe-output"]


@pytest.mark.parametrize(("path", "value", "outcome"), CASES, ids=[f"{path} = {value!r}" for path, value, _ in CASES])
def test_a_hostile_value_in_system_yaml(tmp_path, path, value, outcome):
    assert told(tmp_path, path, value) == outcome


def test_every_field_has_a_row_and_every_row_a_field():
    known = set(paths(Assurance))
    assert known - ROWS.keys() == set(), "fields without a row in tests/science/data/hostile-goals.yaml"
    assert ROWS.keys() - known == set(), "rows of fields that do not exist"


@pytest.mark.parametrize("path", ROWS)
def test_every_field_meets_what_it_cannot_be(path):
    assert any(outcome.startswith("fault: ") for _, outcome in ROWS[path])
    assert all(outcome.partition(": ")[0] in {"accepted", "fault", "plan"} for _, outcome in ROWS[path])
