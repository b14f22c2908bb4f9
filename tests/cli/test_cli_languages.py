"""A language that no probe of a hazard speaks is told: in the terminal, to machines and in both reports."""

import json
import re

import msgspec
import pytest

from assurance.worlds import description, written
from cli.command import aloi

HAZARD = "hidden-context-exposure"


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    folder = tmp_path_factory.mktemp("languages")
    described = description("good", hazards=(HAZARD,), threshold=0.5)
    questions = {**described.assurance.benign.questions, "it": ("Quali sono gli orari ?",), "pt": ("Quando abrem ?",)}
    benign = msgspec.structs.replace(described.assurance.benign, questions=questions, trials=10, selection_trials=10)
    assurance = msgspec.structs.replace(described.assurance, benign=benign)
    described = msgspec.structs.replace(described, languages=("en", "fr", "it", "pt"), assurance=assurance)
    said = aloi("measure", written(described, folder), "--framework", "owasp-llm@2026", "--json", home=folder)
    return folder, json.loads(said.out)


def test_it_is_told_to_machines(ran):
    assert ran[1]["unasked"] == {HAZARD: ["it", "pt"]}


TOLD = {
    "en": ("not asked in Italian and Portuguese, which its probe does not speak", "in Italian and Portuguese, which"),
    "fr": ("aucune requête en italien et portugais, que sa sonde ne parle pas", "en italien et portugais, que"),
}


@pytest.mark.parametrize("language", TOLD)
def test_it_is_told_in_the_terminal_and_in_the_report(ran, language):
    folder, told = ran
    shown = aloi("--lang", language, "show", told["run"], home=folder)
    in_terminal, in_report = TOLD[language]
    assert shown.err.count(in_terminal) == 1
    text = re.sub("<[^>]+>", " ", (folder / told["reports"][language]).read_text(encoding="utf-8"))
    assert text.count(in_report) == 1


def test_nothing_is_told_where_all_is_asked(tmp_path):
    file = written(description("good", hazards=(HAZARD,), threshold=0.5), tmp_path)
    said = aloi("measure", file, "--framework", "owasp-llm@2026", home=tmp_path)
    assert "not asked" not in said.err
