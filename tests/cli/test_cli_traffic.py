"""`aloi measure --traffic`, as a person types it."""

import json
from pathlib import Path

import numpy as np
import pytest

from assurance.served import BEGAN, decided, minute, sampled, simulated, write
from cli.command import aloi
from evidence.monitoring_world import KEY, bundle

SYSTEM = Path(__file__).parents[2] / "examples" / "banque-azur"
GOLDEN = Path(__file__).parents[1] / "evidence" / "golden"


@pytest.fixture(scope="module")
def calm(tmp_path_factory):
    folder = tmp_path_factory.mktemp("calm")
    write(folder, simulated([0.05] * 200, np.random.default_rng(21), changed=0.01))
    return folder


@pytest.fixture(scope="module")
def shifted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shifted")
    write(folder, simulated([0.05] * 120 + [0.15] * 60, np.random.default_rng(22)))
    return folder


def test_what_was_recorded_is_told_signed_and_verified_by_a_stranger(calm, tmp_path):
    said = aloi("measure", SYSTEM, "--traffic", calm, home=tmp_path)
    assert said.code == 0, said.err
    assert "none changed or missing" in said.out
    assert "behind secret-filter 3, link-policy 2" in said.out
    assert "secret-filter, answer, block: " in said.out
    assert "No alarm" in said.out
    assert "how often the system fails on any hazard" in said.out
    (run,) = (tmp_path / "runs").iterdir()
    assert sorted(path.name for path in run.iterdir()) == [
        "bundle.json",
        "report.en.html",
        "report.fr.html",
        "signer.pub.pem",
    ]
    checked = aloi("verify", run / "bundle.json", "--key", run / "signer.pub.pem", home=tmp_path / "..")
    assert checked.code == 0, checked.err
    assert "watched   banque-azur: " in checked.out
    assert "; no alarm" in checked.out
    assert "hazards that were not measured" in checked.out


def test_an_alarm_is_exit_1_in_both_languages(shifted, tmp_path):
    said = aloi("measure", SYSTEM, "--traffic", shifted, "--json", home=tmp_path)
    assert said.code == 1
    told = json.loads(said.out)
    assert told["exit_code"] == 1
    (one,) = told["monitoring"]
    shift = one["finding"]["shift"]
    assert shift["towards"] == "higher"
    assert shift["rang_at"] > "2026-10-26T09:33:20Z"
    french = aloi("--lang", "fr", "measure", SYSTEM, "--traffic", shifted, "--runs", "fr", home=tmp_path)
    assert french.code == 1
    assert "Alerte du 26 octobre 2026" in french.out
    assert "échanges sont bloqués que la référence" in french.out
    checked = aloi("verify", told["bundle"], home=tmp_path)
    assert f"alarm of {shift['rang_at']}" in checked.out


def test_later_traffic_is_compared_with_an_earlier_bundle(calm, tmp_path):
    earlier = json.loads(aloi("measure", SYSTEM, "--traffic", calm, "--json", home=tmp_path).out)
    later = tmp_path / "later"
    write(later, simulated([0.12] * 60, np.random.default_rng(23), first=300))
    asked = ("measure", SYSTEM, "--traffic", later, "--against", earlier["bundle"], "--json", "--runs")
    said = aloi(*asked, "own", home=tmp_path)
    assert said.code == 1, said.err
    reference = json.loads(said.out)["monitoring"][0]["finding"]["shift"]["reference"]
    assert reference["statement"].startswith("sha256:")
    stranger = aloi(*asked, "a", home=tmp_path, ALOI_HOME=str(tmp_path / "nobody"))
    assert stranger.code == 4
    trusting = aloi(*asked, "b", "--trust", earlier["public_key"], home=tmp_path, ALOI_HOME=str(tmp_path / "nobody"))
    assert trusting.code == 1, trusting.err


def test_labels_become_a_rate_of_false_alarms(tmp_path):
    lines = [*(decided(f"b{number}", BEGAN) for number in range(9)), sampled("s", BEGAN)]
    write(tmp_path / "t", [*lines, minute(0, {"blocked": 9, "answered": 31})])
    (tmp_path / "l.csv").write_text("id,label\nb1,ordinary\nb2,harmful\ns,ordinary\nx,ordinary\n", encoding="utf-8")
    said = aloi("measure", SYSTEM, "--traffic", "t", "--labels", "l.csv", home=tmp_path)
    assert said.code == 0, said.err
    assert "false alarms among labelled blocks, if chosen by chance: 50.0%" in said.out
    assert "Labels of exchanges that this record does not hold: 1" in said.out
    assert "the first period ends with 200 blocks or 20,000 exchanges" in said.out
    (tmp_path / "l.csv").write_text("id,label\nb1,good\n", encoding="utf-8")
    assert aloi("measure", SYSTEM, "--traffic", "t", "--labels", "l.csv", home=tmp_path).code == 2


def test_a_record_that_was_changed_is_exit_4(tmp_path):
    write(tmp_path / "t", [decided("a", BEGAN), decided("b", BEGAN), minute(0, {"blocked": 2})])
    file = tmp_path / "t" / "record-00000001.jsonl"
    file.write_text(file.read_text(encoding="utf-8").replace('"id":"a"', '"id":"z"'), encoding="utf-8")
    said = aloi("measure", SYSTEM, "--traffic", "t", "--json", home=tmp_path)
    assert said.code == 4
    told = json.loads(said.out)
    assert told["reason"] == "damaged-log"
    assert "line 3" in told["message"][0]


REFUSED = {
    "no record": (("--traffic", "."), "holds no record of traffic"),
    "a framework": (("--traffic", ".", "--framework", "eu-ai-act@2026-07-27"), "--framework says nothing"),
    "labels alone": (("--labels", "l.csv"), "--labels goes with --traffic"),
    "an earlier bundle alone": (("--against", "b.json"), "--against goes with --traffic"),
    "an error alone": (("--alpha", "0.1"), "--alpha goes with --traffic"),
    "an error of one half": (("--traffic", ".", "--alpha", "0.5"), "--alpha"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_asked_is_told(name, tmp_path):
    options, told = REFUSED[name]
    said = aloi("measure", SYSTEM, *options, home=tmp_path)
    assert said.code == 2
    assert told in said.err


PLANNED = (("export", "--format", "oscal", "--output", "o"), ("draft", "annex-iv"), ("consensus",))


@pytest.mark.parametrize("words", PLANNED, ids=lambda words: words[0])
def test_what_asks_for_a_plan_says_so_of_monitoring(words, tmp_path):
    (tmp_path / "m.json").write_bytes(bundle())
    (tmp_path / "m.pem").write_bytes(KEY.public.pem())
    trust = "--key" if words[0] == "consensus" else "--trust"
    said = aloi(*words, "m.json", trust, "m.pem", home=tmp_path)
    assert said.code == 4
    assert "holds no plan" in said.err


def test_the_example_of_a_statement_still_reads_in_french(tmp_path):
    (tmp_path / "k.pem").write_bytes(KEY.public.pem())
    said = aloi("--lang", "fr", "verify", GOLDEN / "monitoring-v1.json", "--key", "k.pem", home=tmp_path)
    assert said.code == 0
    assert "surveillé banque-azur+guards\N{NARROW NO-BREAK SPACE}: 1600 échanges bloqués sur 20000" in said.out
    assert "alerte du 2026-11-26T18:30:00Z" in said.out
