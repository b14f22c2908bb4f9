"""`aloi export`, as a person types it."""

import json
from pathlib import Path

import pytest
from benchmarks.standards.schemas import NO_SARIF, official_sarif

from aloi.standards.exports.references import dangling_oscal, dangling_stix
from cli.command import aloi

GOLDEN = Path(__file__).parents[1] / "evidence" / "golden"
BUNDLE, KEY = GOLDEN / "bundle-v1.json", GOLDEN / "bundle-v1.pem"
CASES = {
    "cyclonedx": ("bom.json", lambda told: told["specVersion"] == "1.7"),
    "sarif": ("aloi.sarif", lambda told: told["version"] == "2.1.0"),
    "svr": ("svr.dsse.json", lambda told: told["payloadType"] == "application/vnd.in-toto+json"),
}


@pytest.mark.parametrize("kind", CASES)
def test_a_file_is_written_once(kind, tmp_path):
    name, holds = CASES[kind]
    command = ("export", BUNDLE, "--format", kind, "--output", name, "--trust", KEY)
    said = aloi(*command, home=tmp_path)
    assert said.code == 0, said.err
    assert holds(json.loads((tmp_path / name).read_bytes()))
    again = aloi(*command, home=tmp_path)
    assert again.code == 2
    assert "is there already" in again.err


@pytest.mark.skipif(official_sarif() is None, reason=NO_SARIF)
def test_sarif_keeps_to_its_official_schema(tmp_path):
    said = aloi("export", BUNDLE, "--format", "sarif", "--output", "x.sarif", "--trust", KEY, home=tmp_path)
    assert said.code == 0, said.err
    written = json.loads((tmp_path / "x.sarif").read_bytes())
    assert [one.message for one in official_sarif().iter_errors(written)] == []


def test_oscal_is_a_folder_with_the_bundle_beside_it(tmp_path):
    said = aloi("export", BUNDLE, "--format", "oscal", "--output", "oscal", "--trust", KEY, home=tmp_path)
    assert said.code == 0, said.err
    folder = tmp_path / "oscal"
    assert (folder / "bundle.json").read_bytes() == BUNDLE.read_bytes()
    documents = {
        path.name: json.loads(path.read_bytes()) for path in folder.glob("*.json") if path.name != "bundle.json"
    }
    assert dangling_oscal(documents) == ()
    assert "assessment-results.json" in documents


def test_a_bundle_of_a_stranger_is_not_exported(tmp_path):
    said = aloi("export", BUNDLE, "--format", "sarif", "--output", "x.sarif", home=tmp_path)
    assert said.code == 4
    assert not (tmp_path / "x.sarif").exists()


def test_a_framework_that_is_not_there_is_told(tmp_path):
    command = (
        "export",
        BUNDLE,
        "--format",
        "cyclonedx",
        "--output",
        "x",
        "--trust",
        KEY,
        "--framework",
        "owasp-llm@2025",
    )
    said = aloi(*command, home=tmp_path)
    assert said.code == 2
    assert "owasp-llm@2026" in said.err
    assert not (tmp_path / "x").exists()


def test_what_stands_beside_the_bundle_is_exported_with_it(tmp_path):
    (tmp_path / "said").mkdir()
    (tmp_path / "notice d'usage.txt").write_text("who steps in, and when", encoding="utf-8")
    attach = ("standards", "attach", "human-oversight", "notice d'usage.txt", "--approved-by", "Board")
    day = ("--approved-on", "2026-11-01")
    assert aloi(*attach, *day, "--output", "said/a.dsse.json", home=tmp_path).code == 0
    bound = ("--bundle", BUNDLE, "--trust", KEY, "--output", "said/b.dsse.json")
    assert aloi(*attach, *day, *bound, home=tmp_path).code == 0
    row = ("owasp-llm@2026", "prompt-injection", "LLM01:2026")
    endorse = ("standards", "endorse", *row, "--organisation", "Institute", "--output", "said/c.dsse.json")
    assert aloi(*endorse, home=tmp_path).code == 0
    more = ("--statements", "said", "--trust", KEY)
    said = aloi("export", BUNDLE, "--format", "oscal", "--output", "oscal", *more, home=tmp_path)
    assert said.code == 0, said.err
    results = json.loads((tmp_path / "oscal" / "assessment-results.json").read_bytes())["assessment-results"]
    examined = [one for one in results["results"][0]["observations"] if one["methods"] == ["EXAMINE"]]
    assert len(examined) == 2
    assert {one["title"] for one in results["back-matter"]["resources"]} >= {"notice d'usage.txt"}
    maps = json.loads((tmp_path / "oscal" / "mapping.owasp-llm@2026.json").read_bytes())
    standing = [
        prop["value"]
        for one in maps["mapping-collection"]["mappings"][0]["maps"]
        for prop in one["props"]
        if prop["name"] == "standing"
    ]
    assert standing.count("endorsed") == 1
    assert aloi("export", BUNDLE, "--format", "cyclonedx", "--output", "b.json", *more, home=tmp_path).code == 0
    claims = json.loads((tmp_path / "b.json").read_bytes())["declarations"]["claims"]
    assert sum("notice d'usage.txt" in one["predicate"] for one in claims) == 2


@pytest.mark.parametrize("kind", ["sarif", "svr", "oscal", "cyclonedx"])
def test_an_unknown_framework_is_told_in_every_format(kind, tmp_path):
    said = aloi(
        "export", BUNDLE, "--format", kind, "--output", "x", "--trust", KEY, "--framework", "no@1", home=tmp_path
    )
    assert said.code == 2
    assert not (tmp_path / "x").exists()


@pytest.fixture
def incident(tmp_path):
    """A statement about a pattern of attack, told or sealed until the day that is given."""
    (tmp_path / "told.txt").write_text("A page says what to do, and the agent does it.", encoding="utf-8")

    def write(*more):
        known = ("--hazard", "indirect-injection", "--kind", "pattern", "--organisation", "Institute")
        system = ("--system", "bot", "sha256:" + "5" * 64)
        said = aloi("state", "incident", "told.txt", *known, *system, *more, "--output", "i.dsse.json", home=tmp_path)
        assert said.code == 0, said.err
        return ("export", "i.dsse.json", "--format", "stix", "--output", "i.stix.json")

    return write


def test_an_incident_is_shared_as_stix(incident, tmp_path):
    said = aloi(*incident("--severity", "high"), home=tmp_path)
    assert said.code == 0, said.err
    document = json.loads((tmp_path / "i.stix.json").read_bytes())
    assert dangling_stix(document) == ()
    main = next(one for one in document["objects"] if one["type"] == "attack-pattern")
    assert main["description"].startswith("A page says")
    assert {"LLM01:2026", "AML.T0051.001"} <= {one["external_id"] for one in main["external_references"]}
    assert next(one for one in document["objects"] if one["type"] == "software")["name"] == "bot"


def test_an_embargo_holds_until_its_day_unless_somebody_says_so(incident, tmp_path):
    command = incident("--embargo-until", "2999-01-01")
    said = aloi(*command, home=tmp_path)
    assert said.code == 2
    assert "2999-01-01T00:00:00Z" in said.err
    assert "--despite-embargo" in said.err
    assert not (tmp_path / "i.stix.json").exists()
    assert aloi(*command, "--despite-embargo", home=tmp_path).code == 0
    assert "A page says" not in (tmp_path / "i.stix.json").read_text(encoding="utf-8")


def test_a_stranger_s_incident_and_what_is_none_are_not_shared(incident, tmp_path):
    command = incident()
    (tmp_path / "aloi" / "keys" / "default.pub.pem").unlink()
    assert aloi(*command, home=tmp_path).code == 4
    said = aloi("export", BUNDLE, "--format", "stix", "--output", "x.json", "--trust", KEY, home=tmp_path)
    assert said.code == 2
    assert "states no incident" in said.err
    assert not (tmp_path / "x.json").exists()
