"""Every code by which a statement is not counted has words, in both languages, and the words the documents give it."""

import re
from pathlib import Path
from typing import get_args

import pytest

from aloi.evidence.reasons import NOTHING, UNJUDGED
from aloi.evidence.voices import Why
from aloi.translation import translate

DOCS = Path(__file__).parents[2] / "docs"
NEVER_HERE = {"unknown-format", "stray-manifest", "foreign-plan", "several-plans", "missing-evidence"} | {
    "proven-without-evidence",
    "no-manifest",
    "manifest-count",
    "manifest-mismatch",
    "manifest-subject",
    "repeated-statement",
    "stray-key",
}
"""Of bundles as files, their manifests and their coverage, which no log is asked for."""


def codes(page, first, last):
    text = (DOCS / page).read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^|]+) \|", text[text.index(first) : text.index(last)], re.MULTILINE)
    return {code for row in rows for code in re.findall(r"`?([a-z][a-z0-9-]+)`?", row)} - {"reason", "why"}


def test_every_code_of_nothing_has_words():
    assert set(NOTHING) == set(get_args(Why))
    assert codes("statements.md", "| why |", "Limits: a log's times") == set(NOTHING)


def test_every_refusal_of_a_statement_or_a_plan_has_words():
    told = codes("evidence.md", "| `too-large` |", "## One item to an auditor") - NEVER_HERE
    told -= {each for each in told if each.startswith("domain-proof")} | {"no-organisation"}
    assert told <= set(UNJUDGED), told - set(UNJUDGED)


@pytest.mark.parametrize("table", [NOTHING, UNJUDGED])
def test_words_differ_from_each_other_and_are_french_in_french(table):
    assert len(set(table.values())) == len(table)
    assert all(translate(words, "fr") != words for words in table.values())
