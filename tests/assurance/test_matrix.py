"""Frameworks by controls as a page: what it says is what the rows and the evidence say, in both languages."""

import re
from datetime import date
from html import unescape
from html.parser import HTMLParser

import pytest

from aloi.assurance.report.matrix import GROUPS, SIGNS, lines, render_matrix
from aloi.evidence.statement import Subject
from aloi.standards.frameworks import framework, names
from aloi.standards.hub import hub
from aloi.standards.judging import judge
from aloi.standards.mapping import row_digest
from aloi.standards.marks import MEANINGS
from aloi.translation import translate

ALL = [framework(name) for name in names()]
SYSTEM = Subject.of("a & b", "sha256:" + "1" * 64)


class Cells(HTMLParser):
    """The texts of a table's cells, line by line, and what a page would load or run."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.lines: list[list[str]] = []
        self.loads: list[str] = []
        self._open = False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.lines.append([])
        if tag in {"td", "th"}:
            self.lines[-1].append("")
            self._open = True
        if tag in {"script", "link", "img", "iframe"} or dict(attrs).keys() & {"src", "onclick", "style"}:
            self.loads.append(tag)

    def handle_endtag(self, tag):
        if tag in {"td", "th"}:
            self._open = False

    def handle_data(self, data):
        if self._open:
            self.lines[-1][-1] += data


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_row_stands_in_its_cell(language):
    judgements = judge(hub(), [])
    page = render_matrix(ALL, hub(), judgements, language, about=SYSTEM, bundle="sha256:b", day=date(2026, 11, 26))
    table = Cells(page)
    assert table.loads == []
    body = [line for line in table.lines[1:] if len(line) > 1]
    assert len(body) == len(hub().controls)
    assert {len(line) for line in (table.lines[0], *body)} == {2 + len(ALL)}
    shown = sum(len(re.findall(f"[{''.join(SIGNS.values())}] ", cell)) for line in body for cell in line[2:])
    assert shown == sum(row.relation in SIGNS for one in ALL for row in one.rows)
    assert "a &amp; b" in page
    assert SYSTEM.fingerprint in page
    assert "sha256:b" in page


def test_controls_stand_under_what_shows_them():
    table = Cells(render_matrix(ALL, hub(), None, "en", day=date(2026, 11, 26)))
    heads = [line[0] for line in table.lines[1:] if len(line) == 1]
    assert heads == [told for _, told in GROUPS]
    assert {line[0].split(" ")[-1] for line in table.lines[1:] if len(line) > 1} == {one.id for one in hub().controls}


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_requirement_whose_text_was_not_read_is_marked_in_its_cell(language):
    read, summed = framework("owasp-llm@2026"), framework("etsi-en-304-223@2.1.1")
    page = render_matrix([read, summed], hub(), None, language, day=date(2026, 11, 26))
    body = [line for line in Cells(page).lines[1:] if len(line) > 1]
    assert not any("†" in line[1] for line in body)
    assert sum(line[2].count("†") for line in body) == len(summed.rows)
    assert translate(MEANINGS["secondary"], language) in unescape(page)
    assert "†" not in render_matrix([read], hub(), None, language, day=date(2026, 11, 26))


def test_what_organisations_said_of_a_row_stands_in_its_cell():
    found = framework("owasp-llm@2026")
    rows = {row.object: row_digest(found.pack.key, row) for row in found.rows}
    words = {rows["LLM01:2026"]: "endorsed", rows["LLM02:2026"]: "disputed"}
    page = render_matrix([found], hub(), None, "en", words=words, day=date(2026, 11, 26))
    cells = [line[1] for line in Cells(page).lines[1:] if len(line) > 1]
    assert [cell for cell in cells if "✓" in cell] == ["= LLM01:2026 ✓"]
    assert [cell for cell in cells if "✗" in cell] == ["= LLM02:2026 ✗"]


def test_without_evidence_no_state_is_shown():
    page = render_matrix(ALL[:1], hub(), None, "en", day=date(2026, 11, 26))
    assert {len(line) for line in Cells(page).lines} == {1, 2}
    assert all(line.state is None for line in lines(ALL[:1], hub(), None, "en"))
