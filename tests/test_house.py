"""The rooms agree where they do not import each other, and everything that is plugged in loads."""

import importlib
import pkgutil
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest
import yaml

import aloi
from aloi import plugins
from aloi.cli.main import COMMANDS
from aloi.science.hazards import hazards
from aloi.science.probe import probe_for, scorer_for
from aloi.solutions.catalogue import build, entries
from aloi.standards.frameworks import framework
from aloi.system.description import TargetDescription
from aloi.system.target import target_kind

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
POINTS = [(group, name) for group, points in PROJECT["entry-points"].items() for name in points]
CONTROLS = yaml.safe_load((files("aloi.standards") / "data" / "controls.yaml").read_text(encoding="utf-8"))


def test_standards_know_the_hazards_of_science_and_the_remedies_of_solutions():
    rows = {row["id"]: row for row in CONTROLS["hazards"]}
    assert {name: row["tier"] for name, row in rows.items()} == {name: one.tier for name, one in hazards().items()}
    serving = {name: {entry.name for entry in entries().values() if name in entry.hazards} for name in hazards()}
    assert {name: set(row.get("remedies", ())) for name, row in rows.items()} == serving


def test_remedies_serve_hazards_that_exist():
    assert {hazard for entry in entries().values() for hazard in entry.hazards} <= set(hazards())


def test_every_probe_measures_a_hazard_that_exists_with_a_scorer_that_exists():
    for name in plugins.names("aloi.probes"):
        probe = probe_for(name)
        assert probe.hazard == "benign" or probe.hazard in hazards()
        assert name.removesuffix("-agent") == probe.hazard
        assert scorer_for(probe.scorer).identity.name == probe.scorer


@pytest.mark.parametrize(("group", "name"), POINTS, ids=[f"{group}:{name}" for group, name in POINTS])
def test_every_entry_point_loads_and_works(group, name):
    assert plugins.load(group, name)
    match group:
        case "aloi.targets":
            assert target_kind(TargetDescription(kind=name, model="m", callable="a:b"))
        case "aloi.frameworks":
            assert framework(name).pack.requirements
        case "aloi.guards":
            assert build(name).identity.name == name


def test_every_group_is_known_and_nothing_else_is_installed():
    assert set(PROJECT["entry-points"]) == set(plugins.GROUPS)
    for group, points in PROJECT["entry-points"].items():
        assert set(points) <= set(plugins.names(group))


def test_every_module_can_be_imported():
    for module in pkgutil.walk_packages(aloi.__path__, "aloi."):
        importlib.import_module(module.name)


def test_public_names():
    assert aloi.__version__
    assert [name for name in vars(aloi) if not name.startswith("_") and not _is_module(name)] == []


def _is_module(name):
    return f"aloi.{name}" in {module.name for module in pkgutil.iter_modules(aloi.__path__, "aloi.")}


def test_every_command_has_its_module():
    for name in COMMANDS:
        assert importlib.import_module(f"aloi.cli.{name}").command.name == name
