"""`aloi draft` and `aloi incident new`, as a person types them."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assurance.drafts_world import attach, planned, run
from cli.command import aloi
from evidence.evidence_world import fixed_key

GOLDEN = Path(__file__).parents[1] / "evidence" / "golden"
BUNDLE, KEY = GOLDEN / "bundle-v1.json", GOLDEN / "bundle-v1.pem"
KINDS = ("annex-iv", "gpai-evaluation", "system-card")


@pytest.mark.parametrize("kind", KINDS)
def test_a_draft_is_told_to_machines(kind, tmp_path):
    told = json.loads(aloi("draft", kind, BUNDLE, "--trust", KEY, "--json", home=tmp_path).out)
    assert {one["state"] for one in told["sections"]} >= {"partly filled", "empty"}
    assert sum(told["counts"].values()) == len(told["sections"])
    assert any(one["digests"] for one in told["sections"])


def test_a_draft_is_printed_and_written_once(tmp_path):
    command = ("draft", "annex-iv", BUNDLE, "--trust", KEY)
    printed = aloi(*command, home=tmp_path)
    assert printed.code == 0, printed.err
    assert printed.out.startswith("# ")
    assert "> **To complete**: " in printed.out
    assert "no declaration of conformity" in printed.out
    told = json.loads(aloi(*command, "--output", "d.md", "--json", home=tmp_path).out)
    assert (tmp_path / "d.md").read_text(encoding="utf-8") == told["markdown"]
    again = aloi(*command, "--output", "d.md", home=tmp_path)
    assert again.code == 2
    assert "is there already" in again.err


@pytest.mark.parametrize("where", ["before", "after"])
def test_the_language_may_stand_before_or_after_the_command(where, tmp_path):
    command = ("draft", "annex-iv", BUNDLE, "--trust", KEY)
    french = ("--lang", "fr")
    said = aloi(*french, *command, home=tmp_path) if where == "before" else aloi(*command, *french, home=tmp_path)
    assert said.code == 0
    assert "> **À compléter**\u202f: " in said.out
    assert "To complete" not in said.out


def test_a_bundle_that_was_changed_or_is_a_strangers_is_refused(tmp_path):
    data = BUNDLE.read_bytes()
    place = data.index(b'"payload":"') + 40
    changed = data[:place] + (b"A" if data[place : place + 1] != b"A" else b"B") + data[place + 1 :]
    (tmp_path / "changed.json").write_bytes(changed)
    for command in (("draft", "annex-iv", "changed.json"), ("incident", "new", "--bundle", "changed.json")):
        said = aloi(*command, "--trust", KEY, "--output", "d.md", home=tmp_path)
        assert said.code == 4, said.out
        assert not (tmp_path / "d.md").exists()
    assert aloi("draft", "annex-iv", BUNDLE, home=tmp_path).code == 4


def test_a_run_whose_description_was_changed_is_refused(tmp_path):
    run(tmp_path / "run", "Answer questions.")
    (tmp_path / "k.pem").write_bytes(fixed_key().public.pem())
    command = ("draft", "system-card", "run", "--trust", "k.pem")
    assert "Purpose, as described: Answer questions." in aloi(*command, home=tmp_path).out
    state = tmp_path / "run" / "run.json"
    state.write_text(state.read_text().replace("Answer questions", "Judge people"))
    said = aloi(*command, home=tmp_path)
    assert said.code == 4
    assert "describes another system" in said.err
    alone = aloi("draft", "system-card", "run/bundle.json", "--trust", "k.pem", home=tmp_path)
    assert alone.code == 0
    assert "Judge people" not in alone.out


def test_attached_documents_are_named_with_who_approved_them(tmp_path):
    (tmp_path / "plan.json").write_bytes(planned())
    (tmp_path / "k.pem").write_bytes(fixed_key().public.pem())
    attach(tmp_path / "said", "instructions-for-use", "notice.pdf", "The board")
    command = ("draft", "annex-iv", "plan.json", "--trust", "k.pem")
    said = aloi(*command, "--statements", "said", home=tmp_path)
    assert said.code == 0, said.err
    assert "approved by The board on 1 November 2026" in said.out
    assert "notice.pdf" not in aloi(*command, home=tmp_path).out


def test_a_report_is_begun_with_and_without_a_bundle(tmp_path):
    day = datetime.now(UTC).date() - timedelta(days=1)
    command = ("incident", "new", "--occurred", day, "--aware", day, "--kind", "death")
    told = json.loads(aloi(*command, "--json", home=tmp_path).out)
    assert told["latest_report"] == (day + timedelta(days=10)).isoformat()
    assert told["bundle"] == ""
    filled = aloi(*command, "--bundle", BUNDLE, "--trust", KEY, "--lang", "fr", home=tmp_path)
    assert filled.code == 0, filled.err
    assert "été envoyé à quiconque" in filled.out
    assert "au seuil énoncé de" in filled.out


FUTURE = "2999-01-01"
WRONG = {
    "aware before": (("--occurred", "2026-11-02", "--aware", "2026-11-01"), "nobody can be aware"),
    "future": (("--aware", FUTURE), "lies in the future"),
    "no day": (("--aware", "yesterday"), "yesterday"),
    "no kind": (("--kind", "bad"), "bad"),
    "statements for nothing": (("--statements", "."), "without --bundle"),
}


@pytest.mark.parametrize("case", WRONG)
def test_mistakes_are_told(case, tmp_path):
    arguments, word = WRONG[case]
    said = aloi("incident", "new", *arguments, home=tmp_path)
    assert said.code == 2
    assert word in said.err
    assert "Traceback" not in said.err
