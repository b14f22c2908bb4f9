"""`aloi consensus` as a person starts it."""

import json

import pytest

from aloi.evidence import envelope as dsse
from aloi.evidence.vouching import Withdrawal
from cli.command import aloi
from consensus.laboratory import AT, HAZARD, about


@pytest.fixture
def files(tmp_path, four, failing, other_version):
    """A folder of bundles and public keys, under their evaluators' names."""
    for one in (*four, failing, other_version):
        (tmp_path / f"{one.name}.json").write_bytes(one.bundle)
        (tmp_path / f"{one.name}.pub.pem").write_bytes(one.key.public.pem())
    return tmp_path


def named(*names):
    keys = [each for name in names for each in ("--key", f"{name}.pub.pem")]
    return [*(f"{name}.json" for name in names), *keys]


FOUR = ("north", "south", "east", "west")


def test_it_says_what_they_come_to_and_exits_0(files):
    said = aloi("consensus", *named(*FOUR), home=files)
    assert said.code == 0, said.err
    assert "1. north: 5.0% (" in said.out
    assert "Pooled from 4 independent clusters: 5.9% (" in said.out
    assert "A next evaluator is predicted to find" in said.out
    assert "SETTLED BELOW THE THRESHOLD at the stated threshold of 30%" in said.out
    assert "Certainty: low" in said.out


def test_disagreement_exits_6_and_names_who(files):
    said = aloi("consensus", *named(*FOUR, "failing"), home=files)
    assert said.code == 6
    assert "NOT SETTLED at the stated threshold of 30%" in said.out
    assert "Outside what is predicted: 5. failing" in said.out
    assert "Verdicts contradict each other:" in said.out


def test_two_are_no_pooled_number(files):
    said = aloi("consensus", *named("north", "south"), home=files)
    assert said.code == 6
    assert "No pooled number from so few clusters" in said.out
    assert "RANGE ONLY" in said.out


def test_json_for_machines_and_a_page_for_people(files):
    said = aloi("consensus", *named(*FOUR), "--json", "--html", "consensus.html", home=files)
    told = json.loads(said.out)
    assert (said.code, told["exit_code"], told["page"]) == (0, 0, "consensus.html")
    [view] = told["consensus"]["hazards"]
    assert view["hazard"] == HAZARD
    assert view["pools"][0]["pooled"]["prediction"][1] < 0.3
    assert view["evidence"][0]["evaluator"]["name"] == "north"
    made = (files / "consensus.html").read_text(encoding="utf-8")
    assert made.startswith("<!doctype html>")
    again = aloi("consensus", *named(*FOUR), "--html", "consensus.html", home=files)
    assert again.code == 2
    assert "is there already" in again.err


def test_the_page_is_in_the_readers_language(files):
    said = aloi("--lang", "fr", "consensus", *named(*FOUR), "--html", "page.html", home=files)
    assert said.code == 0, said.err
    assert '<html lang="fr">' in (files / "page.html").read_text(encoding="utf-8")


def test_statements_beside_the_bundles_count(files, failing):
    folder = files / "said"
    folder.mkdir()
    record = Withdrawal(organisation="x", at=AT, reason="error-in-data", text="A third was asked twice.")
    (folder / "withdrawal.dsse.json").write_bytes(failing.says(record, about(failing.envelope())))
    (folder / "organisation.dsse.json").write_bytes(failing.organisation("failing.example.org"))
    said = aloi("consensus", *named(*FOUR, "failing"), "--statements", "said", home=files)
    assert said.code == 0, said.err
    assert "5. failing of failing.example.org: set aside, withdrawn by who made it" in said.out


def test_a_registered_plan_without_a_finding_is_told(files, failing, four):
    folder = files / "said"
    folder.mkdir()
    (folder / "plan.dsse.json").write_bytes(dsse.write(failing.source.envelopes[0]))
    said = aloi("consensus", *named(*FOUR), "--key", "failing.pub.pem", "--statements", "said", home=files)
    assert f"Registered, and never followed by a finding: {HAZARD}" in said.out
    assert said.code == 0


def test_another_version_is_told_apart_and_pooled_on_request(files):
    said = aloi("consensus", *named(*FOUR, "other-version"), home=files)
    assert "set aside, another version of the system: indirect evidence" in said.out
    said = aloi("consensus", *named(*FOUR, "other-version"), "--other-versions", home=files)
    assert "Pooled from 5 independent clusters" in said.out


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        ((), 2, "EVIDENCE"),
        (("north.json",), 4, "not among the keys you trust"),
        (("missing.json",), 2, "missing.json"),
        ((*named("north"), "--hazard", "weapons-uplift"), 2, "weapons-uplift"),
        ((*named("north"), "--system", "sha256:00"), 2, "sha256:00"),
        ((*named("north", "other-version"),), 2, "--system"),
        ((*named("north"), "--statements", "nowhere"), 2, "nowhere"),
    ],
)
def test_what_cannot_be_is_said_with_the_code_of_its_family(files, arguments, code, told):
    said = aloi("consensus", *arguments, home=files)
    assert said.code == code
    assert told in said.err


def test_a_broken_bundle_is_named(files):
    data = (files / "south.json").read_bytes()
    (files / "south.json").write_bytes(data[:-40] + b"A" + data[-39:])
    said = aloi("consensus", *named(*FOUR), "--json", home=files)
    assert said.code == 4
    assert any("south.json" in line for line in json.loads(said.out)["message"])
