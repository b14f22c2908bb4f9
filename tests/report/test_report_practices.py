"""The eight practices in the report: a sentence for each fact, in both languages, and a table that can be read out."""

import ast
import re
from pathlib import Path

import pytest
from msgspec.structs import replace
from report_stories import ACCEPTED, NAMES, NOTHING_MEASURED, PLAN
from test_report import page

from aloi.assurance import practices
from aloi.assurance.practices import Fact, practice_list
from aloi.assurance.report.practices import FACTS, STATES, fact_told
from aloi.assurance.report.speech import Speech

SPEECH = {
    language: Speech(
        language,
        titles=NAMES["titles"],
        framework=NAMES["framework_title"],
        hazard=NAMES["hazard_title"],
        remedy=NAMES["remedy_title"],
    )
    for language in ("en", "fr")
}


def codes():
    """Every code that `aloi.assurance.practices` can give, read from its source."""
    tree = ast.parse(Path(practices.__file__).read_text(encoding="utf-8"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            given = {"_share": node.args[:1], "_yes_or_no": node.args[1:3]}.get(node.func.id, [])
            given += [keyword.value for keyword in node.keywords if keyword.arg == "code"]
            found |= {part.value for part in given if isinstance(part, ast.Constant)}
    texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return found | {text for text in texts if text in FACTS}


def test_every_fact_has_its_sentence_and_every_sentence_its_fact():
    assert codes() == set(FACTS)
    assert len(FACTS) > 30


@pytest.mark.parametrize("code", FACTS)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_fact_reads_as_a_sentence(code, language):
    told = fact_told(Fact(code=code, state="in part", count=1_234, of=5_678, names=("en", "fr")), SPEECH[language])
    assert "{" not in told
    assert told.endswith(".")
    assert ("1,234" in told or "1\u202f234" in told) == ("{count}" in FACTS[code].sentence)
    assert not re.search(r"[ \u00a0][;:!?%»]", told) or language == "en"


def test_a_fact_of_tomorrow_is_shown_with_its_figures():
    fact = Fact(code="a-code-of-tomorrow", state="in part", count=2, of=3, names=("x<y",))
    assert str(fact_told(fact, SPEECH["en"])) == "a-code-of-tomorrow: 2, 3, x&lt;y"
    assert str(fact_told(Fact(code="bare<", state="done"), SPEECH["en"])) == "bare&lt;"


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_table_of_practices(language):
    told = page(ACCEPTED, language)
    words = told.words
    for one in practice_list().practices:
        assert one.title[language] in words
        assert one.description[language] in words
    assert practice_list().known[language] in words
    table = next(attributes for tag, attributes in told.elements if attributes.get("class") == "practices")
    assert table["role"] == "table"
    roles = [attributes.get("role") for tag, attributes in told.elements]
    assert (roles.count("rowheader"), roles.count("columnheader"), roles.count("cell")) == (8, 3, 16)


def test_what_a_practice_lacks_is_told_with_names():
    words = page(ACCEPTED).words
    assert "Hazards whose cap leaves room for a verdict if nothing fails: 4 of 5. Lacking: Runaway use of" in words
    assert "No transcript is recorded as read by a person." in words
    assert "The plan sha256:4b1d9a0e4b1d… was signed before the first query." in words
    assert "Scorers that can err, whose error the intervals carry: 0 of 1. Lacking: answered." in words
    french = page(replace(ACCEPTED, languages=("en", "fr", "de")), "fr").words
    assert (
        "Langues du système dans lesquelles chaque danger a été éprouvé\u202f: 2 sur 3. Il manque\u202f: allemand."
        in french
    )


def test_what_is_lacking_comes_before_what_is_not():
    words = page(ACCEPTED).words
    assert words.index("No transcript is recorded as read") < words.index("Transcripts kept in this report")


def test_a_run_that_measured_nothing_is_told_so():
    words = page(replace(NOTHING_MEASURED, plan=replace(PLAN, seed=""), plan_digest="")).words
    practices_told = words[words.index("What this run shows of eight practices") :]
    assert practices_told.count("not done") >= 4
    assert "The plan was cut short: the system gave no usable answer any more." in practices_told
    assert "The plan is not signed: nothing shows that it came first." in practices_told


def test_the_states_are_three_words():
    assert set(STATES) == {"done", "in part", "not done"}
