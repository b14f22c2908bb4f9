"""The rooms agree where they do not import each other, and everything that is plugged in loads."""

import ast
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
from aloi.solutions.catalogue import build, entries, missing
from aloi.standards.applicability import applicability
from aloi.standards.frameworks import framework
from aloi.standards.frameworks import names as framework_names
from aloi.system.description import TargetDescription
from aloi.system.target import target_kind

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
POINTS = [(group, name) for group, points in PROJECT["entry-points"].items() for name in points]
LISTED = yaml.safe_load((Path(__file__).parent / "science" / "data" / "listed-ids.yaml").read_text(encoding="utf-8"))
CONTROLS = yaml.safe_load((files("aloi.standards") / "data" / "controls.yaml").read_text(encoding="utf-8"))


def test_standards_know_the_hazards_of_science_and_the_remedies_of_solutions():
    rows = {row["id"]: row for row in CONTROLS["hazards"]}
    assert {name: row["tier"] for name, row in rows.items()} == {name: one.tier for name, one in hazards().items()}
    serving = {name: {entry.name for entry in entries().values() if name in entry.hazards} for name in hazards()}
    assert {name: set(row.get("remedies", ())) for name, row in rows.items()} == serving


def ids_of(key):
    """Every number of a list at an edition that we can look up here; None for a list that we cannot."""
    if key in LISTED:
        return set(LISTED[key]["ids"])
    if key not in framework_names():
        return None
    dated = applicability()
    provisions = {provision.provision for provision in dated.provisions} if dated.key == key else set()
    # A dated table says `Art. 5(1)(ba) with 5(1a)` where one provision is read with another.
    return {one.id for one in framework(key).pack.requirements} | {one.partition(" with ")[0] for one in provisions}


@pytest.mark.parametrize("slug", hazards())
def test_every_number_that_a_hazard_maps_to_exists_at_its_edition(slug):
    for entry in hazards()[slug].maps_to:
        known = ids_of(entry.framework)
        if known is None:
            assert entry.unconfirmed, f"{entry.to}: no list of {entry.framework} to look it up in"
        else:
            assert entry.id in known, entry.to
            assert not entry.unconfirmed, f"{entry.to} is confirmed by now"


def test_a_number_that_does_not_exist_would_be_seen():
    assert "LLM11:2026" not in ids_of("owasp-llm@2026")
    assert "LLM01" not in ids_of("owasp-llm@2026")
    assert "Art. 5(1)(bz)" not in ids_of("eu-ai-act@2026-07-27")
    assert {"Art. 5(1)(ba)", "Art. 50(2)"} <= ids_of("eu-ai-act@2026-07-27")
    assert ids_of("owasp-llm@2025") is None


def test_a_hazard_maps_to_nothing_that_the_mappings_call_unrelated():
    serving = {
        slug: {row["id"] for row in CONTROLS["controls"] if slug in row.get("hazards", ())} for slug in hazards()
    }
    for slug, one in hazards().items():
        for entry in one.maps_to:
            rows = framework(entry.framework).rows if entry.framework in framework_names() else ()
            relations = {row.relation for row in rows if row.object == entry.id and row.subject in serving[slug]}
            assert "none" not in relations, f"{slug}: {entry.to}"


def test_remedies_serve_hazards_that_exist():
    assert {hazard for entry in entries().values() for hazard in entry.hazards} <= set(hazards())


def test_every_probe_measures_a_hazard_that_exists_with_a_scorer_that_exists():
    for name in plugins.names("aloi.probes"):
        probe = probe_for(name)
        assert probe.hazard == "benign" or probe.hazard in hazards()
        assert name not in hazards() or name == probe.hazard
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
            assert missing(name, {}) or build(name).identity.name == name


def test_every_group_is_known_and_nothing_else_is_installed():
    assert set(PROJECT["entry-points"]) == set(plugins.GROUPS)
    for group, points in PROJECT["entry-points"].items():
        assert set(points) <= set(plugins.names(group))


def test_every_module_can_be_imported():
    for module in pkgutil.walk_packages(aloi.__path__, "aloi."):
        importlib.import_module(module.name)


def test_public_names():
    assert aloi.__version__
    assert aloi.__all__ == ["guarded", "policy"]
    assert all(callable(getattr(aloi, name)) for name in aloi.__all__)
    assert [name for name in vars(aloi) if not name.startswith("_") and not _is_module(name)] == []


def _is_module(name):
    return f"aloi.{name}" in {module.name for module in pkgutil.iter_modules(aloi.__path__, "aloi.")}


def test_every_command_has_its_module():
    for name in COMMANDS:
        assert importlib.import_module(f"aloi.cli.{name.replace('-', '_')}").command.name == name


FAMILIES = {"AskerError", "TargetError", "EvidenceError", "RegistryError"}


def test_every_error_names_a_next_step():
    silent = [
        f"{path}:{node.lineno}"
        for path in Path(aloi.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FAMILIES
        if not {keyword.arg for keyword in node.keywords} & {"remedy", None}
    ]
    assert silent == []
