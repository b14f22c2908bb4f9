"""`aloi standards`, as a person types it."""

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from aloi.evidence.keys import load
from cli.command import aloi
from evidence.evidence_world import World

GOLDEN = Path(__file__).parents[1] / "evidence" / "golden"
BUNDLE, KEY = GOLDEN / "bundle-v1.json", GOLDEN / "bundle-v1.pem"
ROW = ("owasp-llm@2026", "prompt-injection", "LLM01:2026")


@pytest.fixture
def home(tmp_path):
    (tmp_path / "said").mkdir()
    return tmp_path


def test_a_row_is_endorsed_disputed_and_shown(home):
    institute = ("--organisation", "Institute")
    assert "endorsed" not in aloi("standards", "rows", ROW[0], home=home).out
    assert aloi("standards", "endorse", *ROW, *institute, "--output", "said/a.dsse.json", home=home).code == 0
    listed = aloi("standards", "rows", ROW[0], "--statements", "said", home=home)
    assert "[endorsed by key " in listed.out.splitlines()[0]
    assert listed.out.splitlines()[0].endswith(", as Institute]")
    disputed = ("--reason", "too wide", "--output", "said/b.dsse.json")
    assert aloi("standards", "dispute", *ROW, "--organisation", "Other", *disputed, home=home).code == 0
    told = json.loads(aloi("standards", "rows", ROW[0], "--statements", "said", "--json", home=home).out)
    assert [word["says"] for word in told[0]["words"]] == ["disputed"], "one key, so its last word"
    again = aloi("standards", "endorse", *ROW, *institute, "--output", "said/a.dsse.json", home=home)
    assert again.code == 2
    assert "is there already" in again.err


def test_a_bundle_is_seen_again_with_what_was_attached(home):
    keys = home / "aloi" / "keys"
    (home / "file.txt").write_text("who steps in, and when", encoding="utf-8")
    attached = ("--approved-by", "Board", "--approved-on", "2026-11-01", "--output", "said/c.dsse.json")
    assert aloi("standards", "attach", "human-oversight", "file.txt", *attached, home=home).code == 0
    own = keys / "default.pub.pem"
    shutil.copy(KEY, home / "trusted.pem")
    command = ("standards", "coverage", BUNDLE, "eu-ai-act@2026-07-27", "--trust", "trusted.pem")
    bare = json.loads(aloi(*command, "--json", home=home).out)
    more = json.loads(aloi(*command, "--statements", "said", "--json", home=home).out)
    states = [{one["requirement"]: one["state"] for one in told["coverage"]["requirements"]} for told in (bare, more)]
    assert own.exists()
    assert (states[0]["Art. 14(1)"], states[1]["Art. 14(1)"]) == ("needs a document", "partial")
    judged = [step for step in more["steps"] if step["requirement"] == "Art. 14(1)"]
    assert "judged by somebody" in judged[0]["message"], "a file alone proves nothing"
    people = aloi(*command, "--statements", "said", home=home).out
    assert "Plan of action" in people
    assert "To know: The Official Journal was read through stored copies" in people
    assert "no statement of conformity" in people
    french = aloi("--lang", "fr", *command, "--statements", "said", home=home)
    assert french.code == 0
    assert french.out.count("\n") == people.count("\n")
    assert "Plan of action" not in french.out


def test_a_dispute_shows_and_an_own_endorsement_does_not_count(home):
    shutil.copy(KEY, home / "trusted.pem")
    command = ("standards", "coverage", BUNDLE, "owasp-llm@2026", "--trust", "trusted.pem", "--statements", "said")
    said = ("--organisation", "Other", "--reason", "too wide", "--output", "said/b.dsse.json")
    assert aloi("standards", "dispute", *ROW, *said, home=home).code == 0
    told = json.loads(aloi(*command, "--json", home=home).out)
    mappings = {one["requirement"]: one.get("mapping") for one in told["coverage"]["requirements"]}
    assert mappings["LLM01:2026"] == "disputed"
    people = aloi(*command, home=home).out
    assert "disputed 1" in people
    assert [line.split()[-2:] for line in people.splitlines() if "LLM01:2026  " in line] == [["[mapping", "disputed]"]]
    assert "correspondance contestée" in aloi("--lang", "fr", *command, home=home).out


def test_who_signed_the_bundle_does_not_vouch_for_it_unless_named(home):
    own = ("--organisation", "Ourselves", "--output", "said/own.dsse.json")
    assert aloi("standards", "endorse", *ROW, *own, home=home).code == 0
    world = World()
    world.key = load(home / "aloi" / "keys" / "default.pem")
    (home / "bundle.json").write_bytes(world.pack())
    command = ("standards", "coverage", "bundle.json", ROW[0], "--statements", "said")
    named = (*command, "--trust", "aloi/keys/default.pub.pem")
    for arguments, mapping, told in (
        (command, "proposed", "; not counted"),
        (named, "endorsed", "; you named its key"),
    ):
        seen = json.loads(aloi(*arguments, "--json", home=home).out)
        mappings = {one["requirement"]: one.get("mapping") for one in seen["coverage"]["requirements"]}
        assert mappings[ROW[2]] == mapping
        people = aloi(*arguments, home=home).out
        assert f"endorsed by the bundle's own signer, as Ourselves{told}" in people


def test_only_endorsed_rows_are_counted_where_that_is_asked(home):
    command = ("standards", "coverage", BUNDLE, "owasp-llm@2026", "--trust", KEY, "--endorsed", "--json")
    told = json.loads(aloi(*command, home=home).out)
    states = {one["requirement"]: one["state"] for one in told["coverage"]["requirements"]}
    assert states["LLM08:2026"] == "proposed mapping only"
    assert "proven" not in states.values()


WRONG = {
    "nobody endorses": (("endorse", *ROW, "--organisation", " "), 2),
    "nobody approves": (("attach", "human-oversight", KEY, "--approved-by", "", "--approved-on", "2026-11-01"), 2),
    "no such framework": (("rows", "owasp-llm@2025"), 2),
    "no such row": (("endorse", "owasp-llm@2026", "prompt-injection", "LLM05:2026", "--organisation", "I"), 2),
    "a measured control": (
        ("attach", "prompt-injection", KEY, "--approved-by", "B", "--approved-on", "2026-11-01"),
        2,
    ),
    "no such folder": (("rows", "owasp-llm@2026", "--statements", "nowhere"), 2),
    "a stranger's bundle": (("coverage", BUNDLE, "owasp-llm@2026"), 4),
    "no table": (("import", "owasp-llm@2026", KEY), 2),
    "nowhere to write": (("matrix", "/proc/nowhere/x.html"), 2),
    "no case without a place": (("case", BUNDLE, "owasp-llm@2026", "--trust", KEY), 2),
    "a stranger's case": (("case", BUNDLE, "owasp-llm@2026", "x.html"), 4),
    "statements for nothing": (("matrix", "x.html", "--statements", "said"), 2),
    "no such file": (("import", "owasp-llm@2026", "none.tsv"), 2),
}


@pytest.mark.parametrize("case", WRONG, ids=list(WRONG))
def test_mistakes_are_told_with_the_next_step(case, home):
    arguments, code = WRONG[case]
    said = aloi("standards", *arguments, home=home)
    assert said.code == code, said.err
    assert said.err.startswith("Error: ")
    assert "Traceback" not in said.err
    assert not list(home.glob("*.dsse.json"))


def test_a_statement_of_a_stranger_is_left_out_and_told(home):
    elsewhere = home / "elsewhere"
    elsewhere.mkdir()
    assert (
        aloi("standards", "endorse", *ROW, "--organisation", "I", "--output", "a.dsse.json", home=elsewhere).code == 0
    )
    shutil.copy(elsewhere / "a.dsse.json", home / "said")
    said = aloi("standards", "rows", ROW[0], "--statements", "said", home=home)
    assert said.code == 0, said.err
    assert "no key that you trust signed them (name one with --trust): a.dsse.json" in said.err
    assert "[endorsed]" not in said.out
    trust = ("--trust", elsewhere / "aloi" / "keys" / "default.pub.pem")
    said = aloi("standards", "rows", ROW[0], "--statements", "said", *trust, home=home)
    assert (said.code, said.err) == (0, "")
    assert "[endorsed" in said.out


def test_a_statement_that_is_none_is_named(home):
    (home / "said" / "bad.dsse.json").write_text("{", encoding="utf-8")
    said = aloi("standards", "rows", ROW[0], "--statements", "said", home=home)
    assert said.code == 4
    assert "bad.dsse.json: " in said.err
    (home / "said" / "bad.dsse.json").unlink()
    os.mkfifo(home / "said" / "pipe.dsse.json")
    said = aloi("standards", "rows", ROW[0], "--statements", "said", home=home)
    assert said.code == 2
    assert "pipe.dsse.json is no file" in said.err


def test_rows_go_out_and_come_back(home):
    assert aloi("standards", "export", ROW[0], "--output", "rows.tsv", home=home).code == 0
    assert aloi("standards", "import", ROW[0], "rows.tsv", "--output", "rows.yaml", home=home).code == 0
    assert "prompt-injection" in (home / "rows.yaml").read_text(encoding="utf-8")
    olir = aloi("standards", "export", ROW[0], "--format", "olir", home=home).out
    assert olir.startswith("Focal Document Element,")
    (home / "rows.csv").write_text(olir, encoding="utf-8")
    assert aloi("standards", "export", ROW[0], "--format", "oscal", home=home).code == 0
    collection = f"oscal.{ROW[0]}/mapping.{ROW[0]}.json"
    for kind, file in (("olir", "rows.csv"), ("oscal", collection)):
        read = aloi("standards", "import", ROW[0], file, "--format", kind, home=home)
        assert read.out == (home / "rows.yaml").read_text(encoding="utf-8"), read.err
    assert aloi("standards", "export", ROW[0], "--format", "oscal", home=home).code == 2, "the folder is there"


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_conflicts_and_convergence_are_told(home, lang):
    found = aloi("--lang", lang, "standards", "conflicts", "--framework", "owasp-llm@2026", home=home)
    assert found.code == 0
    side = aloi("--lang", lang, "standards", "convergence", "owasp-llm@2026", "nist-ai-600-1@2024-07", home=home)
    assert side.code == 0
    assert "LLM01:2026 | 2.9" in side.out


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_the_matrix_is_written_once(home, lang):
    command = ("--lang", lang, "standards", "matrix", "m.html", "--bundle", BUNDLE, "--trust", KEY)
    assert aloi(*command, home=home).code == 0
    page = (home / "m.html").read_text(encoding="utf-8")
    assert f'<html lang="{lang}">' in page
    assert "banque-azur" in page
    assert aloi(*command, home=home).code == 2


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_a_case_ends_at_statements_that_verify(home, lang):
    keys = home / "aloi" / "keys"
    (home / "file.txt").write_text("who steps in, and when", encoding="utf-8")
    attached = ("--approved-by", "Board <b>", "--approved-on", "2026-11-01", "--output", "said/c.dsse.json")
    assert aloi("standards", "attach", "human-oversight", "file.txt", *attached, home=home).code == 0
    assert (keys / "default.pub.pem").exists()
    command = ("--lang", lang, "standards", "case", BUNDLE, "eu-ai-act@2026-07-27")
    more = ("--statements", "said", "--trust", KEY)
    case = json.loads(aloi(*command, *more, "--json", home=home).out)
    cited = [digest for control in case["controls"] for digest in control["evidence"]]
    assert aloi(*command, "case.html", *more, home=home).code == 0
    page = (home / "case.html").read_text(encoding="utf-8")
    assert f'<html lang="{lang}">' in page
    assert cited
    for digest in cited:
        assert digest in page
    for leaf in re.findall(r'href="#([^"]+)"', page):
        assert f'id="{leaf}"' in page, leaf
    assert "Board &lt;b&gt;" in page
    assert aloi(*command, "case.html", *more, home=home).code == 2


@pytest.mark.parametrize(("lang", "told"), [("en", "counts only from 1 January 2099"), ("fr", "1er janvier 2099")])
def test_a_file_that_counts_later_is_told_on_the_matrix_and_the_case(home, lang, told):
    (home / "file.txt").write_text("who steps in, and when", encoding="utf-8")
    attached = ("--approved-by", "Board", "--approved-on", "2099-01-01", "--output", "said/c.dsse.json")
    assert aloi("standards", "attach", "human-oversight", "file.txt", *attached, home=home).code == 0
    more = ("--statements", "said", "--trust", KEY)
    for command in (("case", BUNDLE, ROW[0], "case.html"), ("matrix", "matrix.html", "--bundle", BUNDLE)):
        assert aloi("--lang", lang, "standards", *command, *more, home=home).code == 0
    for page in ("case.html", "matrix.html"):
        assert told in (home / page).read_text(encoding="utf-8")


UPSTREAM = Path(__file__).parents[1] / "standards" / "upstream" / "atlas-new.yaml"


def test_a_file_of_mitre_is_compared_and_written_as_a_pack(home):
    told = aloi("standards", "atlas", UPSTREAM, "--output", "atlas.yaml", home=home)
    assert told.code == 0
    assert "tactics 2, techniques 6, mitigations 1" in told.out
    assert "AML.T0029  is called Denial of AI Service: Renamed now" in told.out
    assert "AML.T0088  is not there; we know it as Generate Deepfakes (that name is now at AML.T9988)" in told.out
    assert "mitre-atlas@2026.99" in told.out
    assert "id: AML.M0013" in (home / "atlas.yaml").read_text(encoding="utf-8")
    assert aloi("standards", "atlas", UPSTREAM, "--output", "atlas.yaml", home=home).code == 2, "never overwritten"
    checked = aloi("standards", "atlas", UPSTREAM, "--check", "--json", home=home)
    assert checked.code == 1
    states = {one["id"]: one["state"] for one in json.loads(checked.out)["ids"]}
    assert (states["AML.T0010"], states["AML.T0054"], len(states)) == ("same", "deprecated", 22)
    french = aloi("--lang", "fr", "standards", "atlas", UPSTREAM, home=home)
    assert "tactiques" in french.out


@pytest.mark.parametrize("name", ["folder", "none.yaml", "pipe", "huge.yaml"])
def test_what_is_no_file_of_mitre_is_refused_before_it_is_read(name, home):
    (home / "folder").mkdir()
    os.mkfifo(home / "pipe")
    with (home / "huge.yaml").open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    for command in (("atlas",), ("import", "owasp-llm@2026")):
        told = aloi("standards", *command, home / name, home=home)
        assert told.code == 2
        assert name in told.err
        assert "Next: " in told.err or "is a directory" in told.err


@pytest.fixture
def imported(home):
    """Aloi's own rows with one changed, exchanged by an institute, and read back."""
    assert aloi("standards", "export", ROW[0], "--output", "theirs.tsv", home=home).code == 0
    text = (home / "theirs.tsv").read_text(encoding="utf-8")
    row = next(line for line in text.splitlines() if "prompt-injection" in line and "LLM01:2026" in line)
    changed = row.replace("skos:exactMatch", "skos:broadMatch").replace("The Aloi developers", "Institut Azur")
    (home / "theirs.tsv").write_text(text.replace(row, changed), encoding="utf-8")
    assert aloi("standards", "import", ROW[0], "theirs.tsv", "--output", "theirs.yaml", home=home).code == 0
    return home


COVERAGE = ("standards", "coverage", BUNDLE, ROW[0], "--trust", KEY)


@pytest.mark.parametrize(("lang", "mark"), [("en", "imported"), ("fr", "importée")])
def test_imported_rows_are_used_and_always_shown_as_theirs(lang, mark, imported):
    said = aloi("--lang", lang, *COVERAGE, "--mapping", "theirs.yaml", home=imported)
    assert said.code == 0, said.err
    told = [line for line in said.out.splitlines() if "Institut Azur" in line]
    assert "theirs.yaml" in told[0]
    assert "The Aloi developers" in told[0]
    listed = [line for line in said.out.splitlines() if re.search(r"  LLM\d\d:2026  ", line)]
    assert len(listed) == 10
    assert all(f" {mark}, " in line for line in listed)
    assert [line for line in listed if "Institut Azur" in line] == [line for line in listed if ROW[2] in line]
    rows = aloi("--lang", lang, "standards", "rows", ROW[0], "--mapping", "theirs.yaml", home=imported).out
    assert f"{mark}, " in rows
    assert mark not in aloi("--lang", lang, *COVERAGE, home=imported).out
    assert mark not in aloi("--lang", lang, "standards", "rows", ROW[0], home=imported).out


def test_what_is_imported_is_told_to_machines_and_vouched_for_by_its_own_digest(imported):
    command = (*COVERAGE, "--mapping", "theirs.yaml", "--json")
    told = json.loads(aloi(*command, home=imported).out)
    assert told["imported"]["file"] == "theirs.yaml"
    assert told["imported"]["authors"] == ["Institut Azur", "The Aloi developers"]
    assert told["imported"]["rows"] == len(json.loads(aloi("standards", "rows", ROW[0], "--json", home=imported).out))
    assert json.loads(aloi(*COVERAGE, "--json", home=imported).out)["imported"] is None
    endorse = ("standards", "endorse", *ROW, "--organisation", "Institute")
    assert aloi(*endorse, "--output", "said/ours.dsse.json", home=imported).code == 0

    def mapping_of(*more):
        found = json.loads(aloi(*more, "--statements", "said", home=imported).out)["coverage"]["requirements"]
        return next(one["mapping"] for one in found if one["requirement"] == ROW[2])

    assert mapping_of(*COVERAGE, "--json") == "endorsed"
    assert mapping_of(*command) == "proposed", "the word was on Aloi's row, not on this one"
    theirs = ("--mapping", "theirs.yaml", "--output", "said/theirs.dsse.json")
    assert aloi(*endorse, *theirs, home=imported).code == 0
    assert mapping_of(*command) == "endorsed"


def test_a_mapping_of_another_framework_or_of_none_is_refused(imported):
    other = ("standards", "coverage", BUNDLE, "nist-ai-600-1@2024-07", "--trust", KEY)
    said = aloi(*other, "--mapping", "theirs.yaml", home=imported)
    assert said.code == 2
    assert "theirs.yaml" in said.err
    assert aloi(*COVERAGE, "--mapping", "nothing.yaml", home=imported).code == 2
    assert aloi(*COVERAGE, "--mapping", "theirs.tsv", home=imported).code == 2
