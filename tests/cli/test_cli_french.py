"""What a person reads in French holds no English: answers, plans, drafts, help, and errors of every kind."""

import re
from datetime import date
from pathlib import Path

import pytest

from aloi.assurance.report.figures import Figures
from aloi.standards.reading import Text
from cli.command import aloi

EXAMPLE = Path(__file__).parents[2] / "src" / "aloi" / "examples" / "banque-azur"
GOLDEN = Path(__file__).parents[1] / "evidence" / "golden"
BUNDLE, KEY = GOLDEN / "bundle-v1.json", GOLDEN / "bundle-v1.pem"
ENGLISH = re.compile(
    r"\b(the|of|with|and|from|which|is|are|was|subpara|such|denied|day|month|January|March|August|December|TEXT"
    r"|ARGS|%Y|None|Invalid|value)\b"
)
COMMANDS = {
    "applies": ("applies", EXAMPLE, "--on", "2026-12-02"),
    "applies, all unknown": (
        *("applies", "--role", "provider", "--role", "deployer", "--on", "2028-01-01"),
        *("--class", "hr-annex3", "--class", "hr-annex1-A", "--class", "transparency", "--class", "prohibited"),
    ),
    "the calendar": ("applies", "--calendar", "--on", "2026-11-26"),
    "coverage": ("standards", "coverage", BUNDLE, "owasp-llm@2026", "--trust", KEY),
    "conflicts": ("standards", "conflicts", "--framework", "nist-ai-600-1@2024-07"),
    "convergence": ("standards", "convergence", "owasp-llm@2026", "nist-ai-600-1@2024-07"),
    "rows": ("standards", "rows", "iso-iec-42001@2023"),
    "annex iv": ("draft", "annex-iv", BUNDLE, "--trust", KEY),
    "evaluation": ("draft", "gpai-evaluation", BUNDLE, "--trust", KEY),
    "system card": ("draft", "system-card", BUNDLE, "--trust", KEY),
    "incident": ("incident", "new", "--bundle", BUNDLE, "--trust", KEY, "--aware", "2026-11-01", "--kind", "death"),
    "help of all": ("--help",),
    "help of a group": ("standards", "--help"),
    "help of a command": ("incident", "new", "--help"),
    "help of the law": ("applies", "--help"),
    "unknown role": ("applies", "--role", "king"),
    "no day": ("incident", "new", "--aware", "soon"),
    "a day to come": ("incident", "new", "--aware", "2999-01-01"),
    "help of learning": ("guard", "learn", "--help"),
    "help of accepting": ("guard", "accept", "--help"),
    "nothing to learn from": ("guard", "learn"),
    "no file": ("export", "nothing.json", "--format", "sarif", "--output", "x"),
    "a folder": ("standards", "attach", "human-oversight", ".", "--approved-by", "x", "--approved-on", "2026-11-01"),
    "no key to make": ("keys", "rotate", BUNDLE),
    "a bundle in place of an organisation": ("keys", "rotate", BUNDLE, "new.pem"),
    "no moment": ("keys", "revoke", BUNDLE, "k", "--reason", "retired", "--since", "yesterday"),
    "no algorithm": ("keys", "new", "--algorithm", "rsa"),
    "no index": ("registry", "erase", "registry.yaml", "x", "--reason", "a"),
    "no configuration": ("registry", "serve", "none.yaml"),
    "no witness": ("registry", "witness", "serve", "none.yaml"),
    "a name with a blank": ("registry", "init", "r", "--name", "a b"),
    "nobody there": ("registry", "trust", "http://127.0.0.1:9", "f.policy"),
    "credentials": ("registry", "trust", "http://a:b@127.0.0.1:9", "f.policy"),
    "no address": ("registry", "mirror", "here", "d", "--policy", "none.policy"),
    "nowhere to share": ("share", BUNDLE),
    "no domain": ("lookup", BUNDLE, "--from", "u", "--policy", "p", "--organisation", "my bank"),
    "help of revoking": ("keys", "revoke", "--help"),
    "help of witnesses": ("registry", "witness", "init", "--help"),
    "no control": ("standards", "attach", "no", "x", "--approved-by", "x", "--approved-on", "2026-11-01"),
}
# Names that are typed or cited as they stand: options, keys, ids of others, paths of CycloneDX, ids of statements.
NAMES = re.compile(r"--[\w-]+|`[^`]*`|sha256:\w+|ed25519:\w+|\(?[\w]+(?:-\w+)+\)?|\[[^]]*\|[^]]*\]|mean|\'[^\']*\'")


FRENCH_SYSTEM = """language: fr
regulation: {roles: provider, placed: soon}
"""


def test_the_faults_of_a_system_are_told_in_french(tmp_path):
    (tmp_path / "system.yaml").write_text(FRENCH_SYSTEM, encoding="utf-8")
    said = aloi("--lang", "fr", "applies", "system.yaml", home=tmp_path)
    assert "attendu une liste" in said.err
    assert "reçu 'soon', attendu un jour écrit AAAA-MM-JJ" in said.err


@pytest.mark.parametrize("command", [("conflicts",), ("convergence", "owasp-llm@2026", "nist-ai-600-1@2024-07")])
def test_a_colon_has_its_space_in_french(command, tmp_path):
    said = aloi("--lang", "fr", "standards", *command, home=tmp_path)
    assert not re.search(r"[^\W\d_]: |\d: ", said.out)


@pytest.mark.parametrize("case", COMMANDS)
def test_no_english_is_left(case, tmp_path):
    said = aloi("--lang", "fr", *COMMANDS[case], home=tmp_path)
    text = NAMES.sub("", said.out + said.err)
    assert text.strip()
    assert [line for line in text.splitlines() if ENGLISH.search(line)] == []


@pytest.mark.parametrize("text", ["a: [", "a: b: c", "a: *b", '"', "a:\n\t- b", "- a\nb: c"])
def test_what_is_wrong_with_yaml_is_told_in_french(text, tmp_path):
    (tmp_path / "registry.yaml").write_text(text)
    said = aloi("--lang", "fr", "registry", "serve", "registry.yaml", home=tmp_path)
    assert said.code == 2
    assert not re.search(r"\b(but|found|not|allowed|while|could)\b", said.err), said.err


def test_days_are_written_out_in_sentences_and_the_first_of_a_month_is_1er(tmp_path):
    out = aloi("--lang", "fr", "applies", EXAMPLE, "--on", "2026-12-01", home=tmp_path).out
    assert "au 1er décembre 2026" in out
    assert "à partir du 2 août 2026" in out
    assert not re.search(r"du \d{4}-\d\d-\d\d", out)
    assert Figures("fr").day("2026-11-01") == "1er novembre 2026"
    assert Figures("fr").day("2026-11-11") == "11 novembre 2026"
    assert Figures("fr").moment("2026-11-01T08:00:00Z").startswith("1er novembre 2026")
    assert Figures("en").day("2026-11-01") == Figures("en").day(date(2026, 11, 1).isoformat()) != "2026-11-01"


def test_french_of_the_tables_is_set_as_french_is():
    text = Text(en='it\'s: "a"', fr="l'art. 5 : « oui » ; 5 % ?")
    assert text.said("fr") == "l\u2019art. 5\u202f: «\u202foui\u202f»\u202f; 5\u202f%\u202f?"
    assert text.said("en") == 'it\'s: "a"'
