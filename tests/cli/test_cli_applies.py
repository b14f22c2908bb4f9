"""`aloi applies`: the six inputs from a file, from options, or asked for; what binds, and what changes next."""

import json
import os
import pty
from datetime import date
from pathlib import Path

import pytest

from aloi.cli import law
from aloi.standards.regimes import regimes
from cli.command import aloi

EXAMPLE = Path(__file__).parents[2] / "src" / "aloi" / "examples" / "banque-azur"


@pytest.fixture
def system(tmp_path):
    """A system.yaml that says `regulation` as given."""

    def write(*lines: str) -> Path:
        text = (EXAMPLE / "system.yaml").read_text(encoding="utf-8")
        start, end = text.index("regulation:\n"), text.index("\n# What must be shown.")
        section = "regulation:\n" + "".join(f"  {line}\n" for line in lines) if lines else ""
        file = tmp_path / "system.yaml"
        file.write_text(text[:start] + section + text[end:], encoding="utf-8")
        return file

    return write


def asked(*arguments: object, answers: str, home: Path) -> tuple[int, str]:
    """The command at a terminal where a person types `answers`."""
    ours, theirs = pty.openpty()
    try:
        os.write(ours, answers.encode())
        said = aloi(*arguments, home=home, stdin=theirs)
    finally:
        os.close(ours)
        os.close(theirs)
    return said.code, said.out + said.err


def binding(*arguments: object, home: Path) -> set[str]:
    said = aloi("applies", *arguments, "--json", home=home)
    assert said.code == 0, said.err + said.out
    return {one["provision"]["id"] for one in json.loads(said.out)["provisions"] if one["status"] == "binds"}


def test_a_system_says_what_the_law_wants_to_know(tmp_path):
    said = aloi("applies", EXAMPLE, home=tmp_path)
    assert said.code == 0, said.err
    for told in ("Art. 50(1)", "applies from 2026-08-02", "the law's text was read", "P1  Regulation (EU) 2024/1689"):
        assert told in said.out
    assert "not legal advice" in said.out
    assert "art50-2-new" in binding(EXAMPLE, "--on", "2026-12-02", home=tmp_path)


def test_an_option_goes_before_the_file(system, tmp_path):
    does = ("generates: true", "interacts: true")
    file = system("roles: [provider]", "classes: [transparency]", "placed: 2026-07-01", "day: 2026-12-02", *does)
    assert {"art50-2-old"} <= binding(file, home=tmp_path)
    assert "art50-2-old" not in binding(file, "--placed", "2026-09-01", home=tmp_path)
    assert "art50-2-old" not in binding(file, "--on", "2026-12-01", home=tmp_path)
    assert "art50-1" not in binding(file, "--role", "deployer", home=tmp_path)
    assert "art50-1" not in binding(file, "--not-interacts", home=tmp_path)
    assert "art50-3" in binding(file, "--role", "deployer", "--emotions-or-biometrics", home=tmp_path)


def test_the_literal_day_the_operative_one_and_what_was_inferred_are_told(tmp_path):
    given = ("--role", "provider", "--class", "hr-annex3", "--on", "2027-01-01")
    out = aloi("applies", *given, home=tmp_path).out
    assert "applies from 2026-08-02; can bind from 2027-12-02, which is inferred and not written" in out
    assert "Open points, both sides" in out


def test_nobody_is_bound_without_a_role(system, tmp_path):
    said = aloi("applies", system(), home=tmp_path)
    assert said.code == 2
    assert "--role" in said.err
    assert "deployer" in said.err


def test_what_is_missing_is_asked_for_at_a_terminal(system, tmp_path):
    code, told = asked("applies", system(), answers="deployer\nno-such\nhr-annex3\nn\n", home=tmp_path)
    assert code == 0, told
    assert "no-such" in told
    assert "deployer; hr-annex3" in told
    late = ("applies", system("roles: [deployer]", "classes: [hr-annex3]"), "--on", "2028-01-01")
    code, told = asked(*late, answers="2027-01-01\nn\nnon\nn\n", home=tmp_path)
    assert code == 0, told
    assert "spared, as an older system" in told
    code, told = asked(*late, answers="2027-12-02\nn\n", home=tmp_path)
    assert code == 0, told
    assert "hangs on" not in told


def test_what_nobody_knows_stays_open(system, tmp_path):
    file = system("roles: [provider]", "classes: [transparency]", "placed: 2026-09-01")
    code, told = asked("applies", file, "--on", "2026-12-02", answers="\nperhaps\ny\n", home=tmp_path)
    assert code == 0, told
    assert "perhaps" in told
    assert "hangs on what nobody said: --interacts / --not-interacts" in told
    assert told.index("binds (") < told.index("Art. 50(2)") < told.index("unknown (") < told.index("Art. 50(1)")
    open_ = ("applies", system("roles: [deployer]", "classes: [hr-annex3]"), "--on", "2028-01-01")
    code, told = asked(*open_, answers="\n\n\n\n", home=tmp_path)
    assert code == 0, told
    assert "--placed, --redesigned / --not-redesigned, --public / --not-public, --annex-x / --not-annex-x" in told


def test_what_nobody_said_is_named_where_nobody_can_be_asked(system, tmp_path):
    file = system("roles: [deployer]", "classes: [hr-annex3]", "redesigned: false", "annex_x: false")
    out = aloi("applies", file, "--on", "2028-01-01", home=tmp_path).out
    assert "hangs on what nobody said: --placed, --public / --not-public" in out


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_the_calendar_shows_what_changes_next(lang, tmp_path):
    said = aloi("--lang", lang, "applies", "--calendar", "--on", "2026-11-26", home=tmp_path)
    assert said.code == 0, said.err
    assert said.out.index("2026-12-02") < said.out.index("2027-12-02") < said.out.index("2028-08-02")
    assert "Art. 5(1)(ba)" in said.out
    assert "SB 26-189" in said.out
    own = json.loads(aloi("applies", EXAMPLE, "--calendar", "--on", "2026-11-26", "--json", home=tmp_path).out)
    assert own["changes"] == []
    assert {"eu-pld", "us-co"} <= {event["regime"] for event in own["others"]}
    over = aloi("--lang", lang, "applies", EXAMPLE, "--calendar", "--on", "2031-01-01", home=tmp_path)
    assert over.code == 0
    assert "2030" not in over.out


WRONG = {
    "no such role": ("roles: [king]", "king"),
    "no day": ("day: soon", "regulation.day: got 'soon', expected a day"),
    "a day that is none": ("placed: 2026-02-30", "placed"),
    "a moment": ("day: 2026-09-01 10:00:00", "regulation.day"),
    "a number": ("placed: 7", "regulation.placed"),
    "neither yes nor no": ("redesigned: perhaps", "regulation.redesigned"),
    "unknown key": ("role: provider", "regulation.role"),
}


@pytest.mark.parametrize("case", WRONG, ids=list(WRONG))
def test_a_wrong_section_is_told_with_its_line(case, system, tmp_path):
    line, told = WRONG[case]
    said = aloi("applies", system(line), home=tmp_path)
    assert said.code == 2
    assert told in said.err
    assert "system.yaml:5" in said.err
    assert "Traceback" not in said.err


def test_other_regimes_are_listed(tmp_path):
    said = aloi("catalog", "regimes", "coe-225", home=tmp_path)
    assert said.code == 0
    assert "NOT in force" in said.out
    assert aloi("--lang", "fr", "catalog", "regimes", "coe-225", home=tmp_path).out != said.out


def test_a_table_that_was_not_checked_again_says_so(monkeypatch, capsys):
    for day, stale in ((date(2026, 12, 22), False), (date(2026, 12, 23), True), (date(2026, 11, 21), True)):
        monkeypatch.setattr(law, "today", lambda day=day: day)
        law.warn_if_stale(regimes())
        assert ("other-regimes was checked on 2026-11-22" in capsys.readouterr().err) == stale, day


def test_fines_and_transitions_stand_apart_from_what_is_asked(tmp_path):
    given = ("applies", "--role", "provider", "--class", "prohibited", "--on", "2026-12-02", "--placed", "2025-01-01")
    out = aloi(*given, home=tmp_path).out
    assert out.index("stands around it") < out.index("Art. 99(3): Fines for Art. 5: up to EUR 35m or 7 %")
    told = json.loads(aloi(*given, "--json", home=tmp_path).out)
    assert "art99-3" in {one["provision"]["id"] for one in told["context"]}
    assert "context" not in {one["provision"]["kind"] for one in told["provisions"]}
    model = ("--role", "gpai-systemic-provider", "--class", "gpai-systemic", "--on", "2026-11-22")
    assert "Art. 101" in aloi("applies", *model, home=tmp_path).out


def test_machines_are_told_when_the_table_is_to_be_checked_again(tmp_path):
    told = json.loads(aloi("applies", "--role", "deployer", "--class", "hr-annex3", "--json", home=tmp_path).out)
    assert [one["framework"] for one in told["checked"]] == ["eu-ai-act@2026-07-27"]
    told = json.loads(aloi("applies", "--calendar", "--json", home=tmp_path).out)
    assert [one["framework"] for one in told["checked"]] == ["eu-ai-act@2026-07-27", "other-regimes"]


def test_a_class_that_nobody_named_is_missed_aloud(tmp_path):
    bare = aloi("applies", "--role", "provider", "--on", "2028-01-01", home=tmp_path)
    assert bare.code == 0
    assert "No class of system was named" in bare.err
    assert "hr-annex3" in bare.err
    named = aloi("applies", "--role", "provider", "--class", "gpai", "--on", "2028-01-01", home=tmp_path)
    assert "No class" not in named.err


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "system.yaml")
    assert aloi("applies", "system.yaml", home=tmp_path).code == 2


def test_what_binds_public_authorities_does_not_bind_others(tmp_path):
    given = ("--role", "deployer", "--class", "hr-annex3", "--on", "2028-02-01", "--placed", "2028-01-10")
    assert {"art26-8-a3", "art49-3-a3"} <= binding(*given, "--public", home=tmp_path)
    assert not {"art26-8-a3", "art49-3-a3"} & binding(*given, "--not-public", home=tmp_path)
    told = json.loads(aloi("applies", *given, "--json", home=tmp_path).out)["provisions"]
    found = {one["provision"]["id"]: (one["status"], one["missing"]) for one in told}
    assert found["art26-8-a3"] == ("unknown", ["public_authorities"])


def test_duties_stand_apart_and_what_is_prohibited_to_all_is_said(tmp_path):
    out = aloi("applies", EXAMPLE, home=tmp_path).out
    assert out.index("Art. 50(1)") < out.index("applies without binding") < out.index("Art. 4a")
    assert "--class prohibited" in out


def test_a_role_that_is_near_none_is_answered_with_all_of_them(tmp_path):
    said = aloi("applies", "--role", "fournisseur", home=tmp_path)
    assert said.code == 2
    assert said.err.rstrip().endswith("notified-body, product-manufacturer, provider")
