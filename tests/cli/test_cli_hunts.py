"""A hunt from the command line: what is printed, in both languages, and how it ends."""

import json

import pytest

from aloi.system.description import HuntGoal
from assurance.one_way import described
from assurance.worlds import written
from cli.command import aloi


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hunt")
    file = written(described("weak"), folder)
    said = aloi("measure", file, "--framework", "owasp-llm@2026", "--json", home=folder)
    return folder, said


def test_a_proof_ends_in_1_and_is_in_the_json(ran):
    _, said = ran
    assert said.code == 1, said.err
    told = json.loads(said.out)
    assert [finding["verdict"] for finding in told["findings"]] == ["met"]
    (hunt,) = told["hunts"]
    assert (hunt["verdict"], hunt["worst"]) == ("not met", "completion")


@pytest.mark.parametrize(
    ("language", "lines"),
    [
        ("en", ("some attack at least", "Some attack makes more than", "Most failures came with completion")),
        ("fr", ("une attaque au moins", "Une attaque fait échouer plus de", "le plus souvent avec completion")),
    ],
)
def test_show_and_verify_tell_it(ran, language, lines):
    folder, said = ran
    run = json.loads(said.out)
    shown = aloi("--lang", language, "show", run["run"], home=folder)
    assert shown.code == 1
    assert all(line in shown.out for line in lines), shown.out
    verified = aloi("--lang", language, "verify", run["bundle"], "--key", run["public_key"], home=folder)
    assert verified.code == 0
    assert lines[0] in verified.out


def test_nothing_proved_is_not_called_a_rate(tmp_path):
    hunt = HuntGoal(queries=8, attacks=("pretext",))
    said = aloi("measure", written(described("weak", hunt=hunt), tmp_path), home=tmp_path)
    assert said.code == 0, said.err
    assert "inconclusive at 30.0 %; 8 trials" in said.out
    assert "at least" not in said.out


def test_a_model_attacker_without_a_model_is_a_fault_of_the_file(tmp_path):
    hunt = HuntGoal(queries=8, attacks=("model-attacker",))
    said = aloi("measure", written(described("weak", hunt=hunt), tmp_path), home=tmp_path)
    assert said.code == 2
    assert "model-attacker needs a model" in said.err
