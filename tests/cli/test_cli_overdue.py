"""A framework whose text was to be checked again long ago, and was read in part: every report says both."""

import json
import re
from html import unescape
from pathlib import Path

import pytest

from cli.command import aloi

GOLDEN = Path(__file__).parents[1] / "evidence" / "golden"
BUNDLE, KEY = GOLDEN / "bundle-v1.json", GOLDEN / "bundle-v1.pem"
TRUST = ("--trust", KEY)
PACK = """\
id: acme
edition: "1"
title: {en: Acme rules, fr: Règles Acme}
publisher: Acme
status: draft
in_force_from: 2020-01-01
checked_on: 2020-01-01
horizon: 30
source: {document: Rules, place: "https://acme.example/rules"}
licence: CC0-1.0
text_policy: full
binds: [adopter]
certainty: secondary
unconfirmed:
  - {en: A digest alone was read., fr: Seule une synthèse a été lue.}
requirements:
  - {id: A.1, title: {en: Nothing leaks, fr: Rien ne fuit}, takes: [measurement], certainty: primary}
  - {id: A.2, title: {en: Nothing escapes, fr: Rien ne s'échappe}, takes: [measurement]}
  - id: A.3
    title: {en: Nobody is misled, fr: Nul n'est trompé}
    takes: [document]
    certainty: unconfirmed
    unconfirmed: {en: Its number may have changed., fr: Son numéro a pu changer.}
"""
ROW = (
    "  - {{subject: {s}, object: {o}, relation: intersects, rationale: {{en: {o} en, fr: {o} fr}}, date: 2020-01-02}}\n"
)
ROWS = [("hidden-context", "A.1"), ("output-handling", "A.2"), ("interaction-disclosure", "A.3")]
MAPPING = "framework: acme@1\nlicence: CC0-1.0\nauthor: Acme\nrows:\n" + "".join(ROW.format(s=s, o=o) for s, o in ROWS)
MODULE = """\
from pathlib import Path
from aloi.standards.frameworks import FrameworkFiles
here = Path(__file__).parent
rules = FrameworkFiles(pack=here / "acme.yaml", mapping=here / "acme-rows.yaml")
"""
KNOWN = ["primary", "secondary", "unconfirmed"]
SAYS = {
    "en": ("acme@1 was checked on", "was to be checked again by", "known from others' accounts alone"),
    "fr": ("acme@1 a été vérifié le", "de nouveau le", "comptes rendus de tiers"),
}


@pytest.fixture(scope="module")
def plugged(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plugged")
    info = folder / "acme_rules-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme_rules\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[aloi.frameworks]\nacme@1 = acme_rules:rules\n")
    (folder / "acme.yaml").write_text(PACK, encoding="utf-8")
    (folder / "acme-rows.yaml").write_text(MAPPING, encoding="utf-8")
    (folder / "acme_rules.py").write_text(MODULE)
    return folder


@pytest.fixture
def run(plugged, tmp_path):
    def run_(*arguments):
        said = aloi(*arguments, home=tmp_path, path=[plugged])
        assert said.code == 0, said.err
        return said

    return run_


def stale(told):
    assert told["stale"]
    assert told["framework"] == "acme@1"
    assert told["due"] == "2020-01-31"
    return True


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_the_terminal_says_it_of_a_coverage_and_marks_each_requirement(run, lang):
    said = run("--lang", lang, "standards", "coverage", BUNDLE, "acme@1", *TRUST).out
    assert all(words in said for words in SAYS[lang])
    marked = dict(re.findall(r"  (A\.\d)([†‡]?)  ", said))
    assert marked == {"A.1": "", "A.2": "†", "A.3": "‡"}


@pytest.mark.parametrize("lang", ["en", "fr"])
@pytest.mark.parametrize("kind", ["matrix", "case"])
def test_pages_say_it_and_mark_each_requirement(run, lang, kind, tmp_path):
    asked = {
        "matrix": ("matrix", "page.html", "--framework", "acme@1", "--bundle", BUNDLE),
        "case": ("case", BUNDLE, "acme@1", "page.html"),
    }
    run("--lang", lang, "standards", *asked[kind], *TRUST)
    page = unescape((tmp_path / "page.html").read_text(encoding="utf-8"))
    assert all(words in page for words in SAYS[lang])
    for one in ("A.2", "A.3"):
        marked = [f"{one}{close}{sign}" for close in ("</span>", "</code>") for sign in "†‡"]
        assert sum(text in page for text in marked) == 1, one
    assert "A.1</span>†" not in page
    assert "A.1</code>†" not in page


def test_machines_are_told(run):
    told = json.loads(run("standards", "coverage", BUNDLE, "acme@1", *TRUST, "--json").out)
    assert stale(told["checked"])
    assert told["certainty"] == {"A.2": "secondary", "A.3": "unconfirmed"}
    assert stale(json.loads(run("standards", "case", BUNDLE, "acme@1", *TRUST, "--json").out)["checked"])
    assert stale(json.loads(run("standards", "convergence", "acme@1", "owasp-llm@2026", "--json").out)["checked"][0])
    assert stale(json.loads(run("catalog", "frameworks", "acme@1", "--json").out)[0]["checked"])
    pack = json.loads(run("standards", "requirements", "acme@1", "--json").out)
    assert stale(pack["checked"])
    assert [one["certainty"] for one in pack["requirements"]] == KNOWN
    kinds = [
        one["found"]["kind"] for one in json.loads(run("standards", "conflicts", "--framework", "acme@1", "--json").out)
    ]
    assert kinds.count("overdue") == 1


COMMANDS = {
    "rows": ("standards", "rows", "acme@1"),
    "requirements": ("standards", "requirements", "acme@1"),
    "convergence": ("standards", "convergence", "owasp-llm@2026", "acme@1"),
    "catalog": ("catalog", "frameworks", "acme@1"),
    "sssom": ("standards", "export", "acme@1"),
    "olir": ("standards", "export", "acme@1", "--format", "olir"),
    "mapping": ("standards", "export", "acme@1", "--format", "oscal"),
    "oscal": ("export", BUNDLE, "--format", "oscal", "--output", "o", "--framework", "acme@1", *TRUST),
    "cyclonedx": ("export", BUNDLE, "--format", "cyclonedx", "--output", "b", "--framework", "acme@1", *TRUST),
}


@pytest.mark.parametrize("lang", ["en", "fr"])
@pytest.mark.parametrize("command", COMMANDS)
def test_whatever_speaks_of_the_framework_warns(run, command, lang):
    assert SAYS[lang][0] in run("--lang", lang, *COMMANDS[command]).err


def test_a_list_that_was_checked_in_time_warns_of_nothing(run):
    assert run("standards", "rows", "owasp-llm@2026").err == ""
    assert run("standards", "requirements", "owasp-llm@2026").err == ""


def test_exports_carry_it_with_them(run, tmp_path):
    run(*COMMANDS["oscal"])
    catalog = json.loads((tmp_path / "o" / "catalog.acme@1.json").read_text())["catalog"]
    assert {prop["name"]: prop["value"] for prop in catalog["metadata"]["props"]} == {
        "checked-on": "2020-01-01",
        "due": "2020-01-31",
        "overdue": "yes",
    }
    for told in ("to be checked again by 2020-01-31", "A digest alone was read.", "A.3: Its number may have changed."):
        assert told in catalog["metadata"]["remarks"]
    known = [[one["value"] for one in found["props"] if one["name"] == "certainty"] for found in catalog["controls"]]
    assert known == [[one] for one in KNOWN]
    run(*COMMANDS["cyclonedx"])
    (standard,) = json.loads((tmp_path / "b").read_text())["definitions"]["standards"]
    assert "was to be checked again by 2020-01-31" in standard["description"]
    assert "A digest alone was read." in standard["description"]
    assert [one["properties"][0]["value"] for one in standard["requirements"]] == KNOWN
    sssom = run(*COMMANDS["sssom"]).out
    assert "checked again by 2020-01-31" in sssom
    assert [line.rpartition("\t")[2] for line in sssom.splitlines() if line.startswith("aloi:")] == KNOWN
    olir = run(*COMMANDS["olir"]).out.splitlines()
    assert olir[0].endswith(",Certainty")
    assert [line.rpartition(",")[2] for line in olir[1:]] == KNOWN
