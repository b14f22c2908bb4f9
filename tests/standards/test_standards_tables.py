"""Walk every row that ships."""

import re
from importlib.resources import files

import pytest
from standards_world import SHIPPED, shipped

from aloi.standards.frameworks import read_framework
from aloi.standards.hub import MEASURED, hub
from aloi.standards.mapping import row_digest

FRAMEWORKS = [read_framework(found) for found in SHIPPED.values()]
KEYS = [found.pack.key for found in FRAMEWORKS]
HERE = files("aloi.standards") / "data"
DATA = sorted(
    (path for folder in (".", "frameworks", "mappings", "applicability") for path in (HERE / folder).iterdir()),
    key=lambda path: path.name,
)
TABLES = [path for path in DATA if path.name.endswith(".yaml")]

# How an id is written in each edition, and how many the publisher (or, for a chosen core, we) count.
PUBLISHED = {
    "owasp-llm@2026": (r"LLM(0[1-9]|10):2026", 10),
    "nist-ai-rmf@1.0": (r"(GOVERN|MAP|MEASURE|MANAGE) [1-6]\.(1[0-3]|[1-9])", 72),
    "owasp-agentic@2026": (r"ASI(0[1-9]|10):2026", 10),
    "nist-ai-600-1@2024-07": (r"2\.([1-9]|1[0-2])", 12),
    "eu-gpai-code@2025-07-10": (r"(I|II|III)-(10|[1-9])\.[1-7]", 40),
    "iso-iec-42001@2023": (r"A\.([2-57-9]|10|6\.[12])\.[2-8]", 38),
    "anssi-genai@2024-04": (r"R([1-9]|[12]\d|3[0-5])", 35),
    "eu-content-code@2026-06-10": (r"S1-M[1-4]\.[1-5](\.[1-4])?|S2-(M[12]\.[1-3]|C[34])", 32),
    "etsi-en-304-223@2.1.1": (r"5\.[1-5]\.[1-5]-[1-7](\.[1-3])?", 72),
    "owasp-aisvs@1.0": (r"v1\.0-C([1-9]|1[0-2])\.[1-6]\.([1-9]|10)", 191),
    "mitre-atlas@2026.09": (r"AML\.T0\d{3}(\.00[0-9])?", 22),
    "eu-ai-act@2026-07-27": (
        r"(Art\. (4|5|9|1[0-57]|2[67]|5[035]|7[23])|Annex IV)\(([1-9]|1[0-2])\)(\(([a-m]|b[ab])\))?",
        119,
    ),
}
# Subcategories per function (NIST AI 100-1, tables 1 to 4).
NIST = {"GOVERN": 19, "MAP": 18, "MEASURE": 22, "MANAGE": 13}


def test_every_shipped_file_is_plugged_in_once():
    shipped_files = {found.pack.name for found in SHIPPED.values()}
    assert shipped_files == {path.name for path in (HERE / "frameworks").iterdir()}
    mapped = {found.mapping.name for found in SHIPPED.values() if found.mapping}
    assert mapped == {path.name for path in (HERE / "mappings").iterdir()}
    assert len(set(KEYS)) == len(KEYS)


def test_every_edition_has_its_published_total_written_down():
    assert set(KEYS) == set(PUBLISHED)


@pytest.mark.parametrize("framework", FRAMEWORKS, ids=KEYS)
def test_ids_follow_the_publisher_and_add_up(framework):
    grammar, count = PUBLISHED[framework.pack.key]
    ids = [requirement.id for requirement in framework.pack.requirements]
    assert [found for found in ids if not re.fullmatch(grammar, found)] == []
    assert len(ids) == len(set(ids)) == count


def test_nist_has_its_subcategories_by_function():
    ids = [requirement.id for requirement in shipped("nist-ai-rmf@1.0").pack.requirements]
    assert {name: sum(found.startswith(name) for found in ids) for name in NIST} == NIST


def test_the_paragraph_deleted_in_2026_is_not_cited():
    assert "Art. 10(5)" not in {requirement.id for requirement in shipped("eu-ai-act@2026-07-27").pack.requirements}


def test_prohibited_practices_and_the_contents_of_the_technical_file_are_whole():
    law = shipped("eu-ai-act@2026-07-27").pack
    under = {group.id: [one.id for one in law.requirements if one.group == group.id] for group in law.groups}
    assert under["Art. 5"] == [f"Art. 5(1)({point})" for point in ("a", "b", "ba", "bb", *"cdefgh")]
    assert under["Art. 17"][1:] == [f"Art. 17(1)({point})" for point in "abcdefghijklm"]
    points = [f"({number})({point})" for number in (1, 2) for point in "abcdefgh"]
    assert under["Annex IV"] == [f"Annex IV{point}" for point in (*points, *(f"({number})" for number in range(3, 10)))]


def test_no_measurement_is_told_as_a_prohibited_practice():
    law = shipped("eu-ai-act@2026-07-27")
    assert [row.subject for row in law.rows if row.object.startswith("Art. 5(")] == []


@pytest.mark.parametrize("framework", FRAMEWORKS, ids=KEYS)
def test_french_is_not_english_left_in_place(framework):
    texts = [requirement.title for requirement in framework.pack.requirements] + [
        row.rationale for row in framework.rows
    ]
    assert [text.en for text in texts if text.en == text.fr] == []
    assert [text.fr for text in texts if "\u2019" in text.fr] == []


@pytest.mark.parametrize("framework", FRAMEWORKS, ids=KEYS)
def test_no_title_or_reason_stands_twice(framework):
    for language in ("en", "fr"):
        titles = [requirement.title.said(language) for requirement in framework.pack.requirements]
        assert len(titles) == len(set(titles))


@pytest.mark.parametrize("framework", FRAMEWORKS, ids=KEYS)
def test_every_row_is_dated_and_authored(framework):
    assert all(row.author for row in framework.rows)
    # A row is written by one who has the checked pack before him.
    assert all(framework.pack.checked_on <= row.date <= hub().checked_on for row in framework.rows)
    digests = [row_digest(framework.pack.key, row) for row in framework.rows]
    assert len(digests) == len(set(digests))


# The rows through which measuring alone can prove a requirement: each is read again whenever one is added.
PROVING = {
    "mitre-atlas@2026.09": {
        "consumption-limits superset AML.T0034",
        "hidden-context superset AML.T0056",
        "output-handling superset AML.T0077",
        "prompt-injection superset AML.T0051.000",
        "prompt-injection superset AML.T0051.001",
        "prompt-injection superset AML.T0054",
        "retrieval-integrity superset AML.T0070",
        "sensitive-disclosure equal AML.T0057",
    },
    "nist-ai-600-1@2024-07": {"factual-reliability equal 2.2"},
    "nist-ai-rmf@1.0": {"test-record equal MEASURE 2.1"},
    "owasp-llm@2026": {
        "agency-limits equal LLM03:2026",
        "consumption-limits equal LLM06:2026",
        "hidden-context equal LLM08:2026",
        "output-handling equal LLM10:2026",
        "prompt-injection equal LLM01:2026",
        "sensitive-disclosure equal LLM02:2026",
    },
}


@pytest.mark.parametrize("framework", FRAMEWORKS, ids=KEYS)
def test_measuring_alone_proves_what_is_listed_and_nothing_whose_text_was_not_read(framework):
    whole = [row for row in framework.rows if row.relation in {"equal", "superset"}]
    proving = [row for row in whole if hub().control(row.subject).proof in MEASURED]
    told = {f"{row.subject} {row.relation} {row.object}" for row in proving}
    assert told == PROVING.get(framework.pack.key, set())
    assert not {row.object for row in proving} & framework.pack.doubtful().keys()


@pytest.mark.parametrize("framework", FRAMEWORKS, ids=KEYS)
def test_a_list_whose_text_was_not_read_says_what_was(framework):
    read = {"eu-ai-act", "eu-gpai-code", "mitre-atlas", "nist-ai-600-1", "nist-ai-rmf", "owasp-aisvs", "owasp-llm"}
    pack = framework.pack
    assert (pack.certainty == "primary") is (pack.id in read)
    assert pack.certainty == "primary" or set(pack.doubtful()) == {one.id for one in pack.requirements}
    assert pack.certainty == "primary" or pack.unconfirmed


@pytest.mark.parametrize("key", ["etsi-en-304-223@2.1.1", "owasp-aisvs@1.0"])
def test_lists_of_what_has_to_be_in_place_share_no_more_than_a_part_with_our_controls(key):
    rows = shipped(key).rows
    assert {row.relation for row in rows} == {"intersects"}
    assert len({row.object for row in rows}) >= 45
    assert len({row.rationale.en for row in rows}) == len({row.rationale.fr for row in rows}) >= 0.9 * len(rows)


def test_the_gpai_code_has_its_commitments_by_chapter():
    groups = [group.id for group in shipped("eu-gpai-code@2025-07-10").pack.groups]
    assert [sum(name.startswith(f"{chapter}-") for name in groups) for chapter in ("I", "II", "III")] == [1, 1, 10]


def test_every_owasp_entry_is_related_to_a_control():
    owasp = shipped("owasp-llm@2026")
    assert {row.object for row in owasp.rows} == {requirement.id for requirement in owasp.pack.requirements}


def test_owasp_wording_is_ours():
    # OWASP's own titles are CC BY-SA 4.0 and stay out of this package.
    theirs = ["Prompt Injection", "Sensitive Information Disclosure", "Excessive Agency", "Unbounded Consumption"]
    theirs += [
        "Misinformation",
        "Hidden Context Exposure",
        "Vector and Embedding Weaknesses",
        "Improper Output Handling",
    ]
    theirs += ["Agent Goal Hijack", "Tool Misuse", "Identity & Privilege Abuse", "Cascading Failures", "Rogue Agents"]
    theirs += [
        "Prompt Injection Defenses",
        "Training Data Origin",
        "Loop Control",
        "Hallucination",
        "Hardware Security",
    ]
    owasp = ("owasp-llm@2026.yaml", "owasp-agentic@2026.yaml", "owasp-aisvs@1.0.yaml")
    text = "".join((HERE / "frameworks" / name).read_text(encoding="utf-8") for name in owasp)
    assert [title for title in theirs if title in text] == []


def test_the_hub_is_reached_and_reaches_every_hazard():
    controls = hub().controls
    hazards = {hazard for control in controls for hazard in control.hazards}
    assert hazards == {hazard.id for hazard in hub().hazards}
    assert len(hub().hazards) == 25
    assert sum(hazard.tier == "extreme" for hazard in hub().hazards) == 6
    assert {remedy for hazard in hub().hazards for remedy in hazard.remedies} == set(hub().remedies)
    injection = hub().control("prompt-injection")
    assert set(hub().remedies_of(injection)) >= {"injection-screen", "spotlighting", "hardened-prompt"}
    assert hub().remedies_of(hub().control("treatment-effect")) == hub().remedies
    assert hub().remedies_of(hub().control("technical-file")) == ()
    assert [control.id for control in controls if control.title.en == control.title.fr] == []


def test_every_control_serves_a_framework():
    reached = {row.subject for framework in FRAMEWORKS for row in framework.rows if row.relation != "none"}
    assert {control.id for control in hub().controls} - reached == set()


# A word for a verdict that no measurement can give, in either language.
NEVER = re.compile(
    r"\b(non-?compliant|compliant|conformant|safe|safely|conformes?|sûrs?|sûres?|sans danger)\b", re.IGNORECASE
)


@pytest.mark.parametrize("path", TABLES, ids=[path.name for path in TABLES])
def test_no_table_says_what_nobody_may_claim(path):
    assert NEVER.findall(path.read_text(encoding="utf-8")) == []


def test_all_tables_are_walked():
    mapped = [found for found in SHIPPED.values() if found.mapping]
    assert len(TABLES) == 4 + len(FRAMEWORKS) + len(mapped)
    assert len(mapped) == len(FRAMEWORKS)


def test_the_forbidden_words_would_be_found():
    assert NEVER.findall("a compliant and safe system, conforme") == ["compliant", "safe", "conforme"]


def test_what_could_not_be_confirmed_is_told_in_both_languages():
    for framework in FRAMEWORKS:
        doubts = framework.pack.doubts()
        single = [one for one in framework.pack.requirements if one.unconfirmed]
        assert len(doubts) == len(framework.pack.unconfirmed) + len(single)
        assert all(one.en != one.fr for one in doubts)
    assert sum(len(framework.pack.doubts()) for framework in FRAMEWORKS) > 20
