"""What a person reads before anything runs: help, versions, unknown words."""

import ast
import re
from pathlib import Path

import pytest

from aloi import __version__, cli
from aloi.cli.main import COMMANDS
from aloi.translation import translate
from cli.command import aloi


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_helps_in_both_languages(tmp_path, command):
    english = aloi(command, "--help", home=tmp_path)
    french = aloi("--lang", "fr", command, "--help", home=tmp_path)
    assert (english.code, french.code) == (0, 0), english.err + french.err
    assert "Usage:" in english.out
    assert "--help" in english.out
    assert english.out != french.out
    assert not list(tmp_path.iterdir())


def test_the_first_page_names_every_command_and_exit_code(tmp_path):
    english, french = aloi("--help", home=tmp_path), aloi("--help", home=tmp_path, ALOI_LANG="fr")
    assert english.code == french.code == 0
    for page in (english.out, french.out):
        assert [line.split()[0] for line in page.splitlines() if line.split()[:1] and line.split()[0] in COMMANDS] == [
            *COMMANDS
        ]
        assert all(f" {code} " in " ".join(page.split()) for code in range(7))
    assert "safe" not in english.out.lower().replace("safety", "")
    assert english.out != french.out


# What a command and an option do stands in the infinitive in French, as the English imperative does in English.
DO = re.compile(r"(Ask|Calibrate|Check|Compare|Go|Label|List|Make|Measure|Print|Put|Read|Run|Say|Show|Try|Write)\b")
INFINITIVE = re.compile(r"\w+(er|ir|re|oir)\b")


def test_french_help_is_in_one_mood():
    helps = [*COMMANDS.values()]
    for path in Path(cli.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "help":
                helps += [one.value for one in ast.walk(node.value) if isinstance(one, ast.Constant)]
    told = [help_ for help_ in helps if isinstance(help_, str) and DO.match(help_)]
    assert len(told) > 25
    assert [translate(help_, "fr") for help_ in told if not INFINITIVE.match(translate(help_, "fr"))] == []


def test_the_version(tmp_path):
    assert __version__ in aloi("--version", home=tmp_path).out


UNKNOWN = {
    "a slip": ("mesure", "measure"),
    "two letters swapped": ("verfiy", "verify"),
    "nothing near": ("qqqqqq", "assure"),
    "another case": ("ASSURE", "assure"),
    "control characters": ("ver\x1b[31mify", "verify"),
}


@pytest.mark.parametrize(("typed", "nearest"), UNKNOWN.values(), ids=UNKNOWN)
def test_an_unknown_command_is_answered_with_the_nearest(tmp_path, typed, nearest):
    said = aloi(typed, home=tmp_path)
    assert said.code == 2
    assert nearest in said.err
    assert "Traceback" not in said.err
    assert "\x1b[31m" not in said.err


MISUSED = {
    "no system": ["assure"],
    "both": ["assure", "system.yaml", "--resume", "runs/x"],
    "unknown option": ["assure", "--hazzard", "x"],
    "unknown language": ["--lang", "de", "catalog", "hazards"],
    "unknown catalogue": ["catalog", "hazzards"],
    "a day that is none": ["applies", "--role", "provider", "--on", "2027-02-30"],
    "threshold of no key": ["verify", "x", "--threshold", "0"],
    "no kind": ["catalog"],
}


@pytest.mark.parametrize("arguments", MISUSED.values(), ids=MISUSED)
def test_misuse_is_an_asker_s_error(tmp_path, arguments):
    said = aloi(*arguments, home=tmp_path)
    assert said.code == 2
    assert said.err
    assert "Traceback" not in said.err
    assert not list(tmp_path.iterdir())


def test_a_reader_that_leaves_is_not_told_that_all_is_met(tmp_path):
    import subprocess

    from cli.command import START, environment

    # The reader is gone before the first word is written: starting takes longer than closing a pipe.
    ended = subprocess.Popen(
        [*START, "catalog", "hazards"],
        cwd=tmp_path,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    ended.stdout.close()
    told = ended.stderr.read()
    ended.stderr.close()
    assert ended.wait(timeout=30) == 141
    assert b"Traceback" not in told
    assert b"Exception ignored" not in told
