"""What is undecided at the end is told with what would decide it; which error was controlled is told with the plan."""

import json

import pytest

from aloi.system.description import LimitsDescription
from assurance.worlds import description, written
from cli.command import aloi

FEW = LimitsDescription(queries=12, tokens=10**6, seconds=600)


def only_run(folder):
    (run,) = (folder / "runs").iterdir()
    return run


def test_a_run_that_a_limit_ended_says_how_many_more_queries_it_needs(tmp_path):
    file = written(description("good", limits=FEW), tmp_path)
    ended = aloi("assure", file, home=tmp_path)
    assert ended.code == 6, ended.err
    assert ended.out.count("more queries needed: about ") == 3
    told = json.loads(aloi("show", only_run(tmp_path), "--json", home=tmp_path).out)
    assert set(told["remaining"]) == {"measure"}
    assert {one["hazard"] for one in told["findings"]} == set(told["remaining"]["measure"])
    assert all(0 < count < 100 for count in told["remaining"]["measure"].values())
    shown = aloi("show", only_run(tmp_path), home=tmp_path)
    assert shown.out.count("more queries would decide it, at the rate seen.") == 3
    french = aloi("--lang", "fr", "show", only_run(tmp_path), home=tmp_path)
    assert french.out.count("requêtes encore nécessaires\u202f: environ ") == 3


def test_a_system_that_never_answers_usably_is_not_called_close_to_its_threshold(tmp_path):
    ended = aloi("measure", written(description("mute"), tmp_path), home=tmp_path)
    assert ended.code == 6, ended.err
    assert ended.out.count("no answer could be scored") == 3
    assert "too close" not in ended.out
    shown = aloi("--lang", "fr", "show", only_run(tmp_path), home=tmp_path)
    assert shown.out.count("a pu être notée") == 6


@pytest.mark.parametrize(
    ("goals", "told"),
    [
        ({}, "at most 5 %; of any false “not met”: also at most 5 % (Holm's rule on e-values"),
        ({"multiplicity": "bonferroni", "joint": True}, "“met” or “not met”: at most 5 % (Bonferroni's rule"),
        ({"multiplicity": "holm_directional"}, "in general it is not proved)"),
    ],
)
def test_verify_says_which_error_was_controlled(tmp_path, goals, told):
    file = written(description("good", limits=FEW, **goals), tmp_path)
    aloi("assure", file, home=tmp_path)
    run = only_run(tmp_path)
    verified = aloi("verify", run, "--key", run / "signer.pub.pem", home=tmp_path)
    assert verified.code == 0, verified.err
    assert told in verified.out
