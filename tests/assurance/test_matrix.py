"""Frameworks by controls as a page: what it says is what the rows and the evidence say, in both languages."""

import re
from datetime import date
from html.parser import HTMLParser

import pytest

from aloi.assurance.report.matrix import SIGNS, lines, render_matrix
from aloi.standards.frameworks import framework, names
from aloi.standards.hub import hub
from aloi.standards.judging import judge

ALL = [framework(name) for name in names()]


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
    page = render_matrix(ALL, hub(), judge(hub(), []), language, about="a & b", day=date(2026, 11, 26))
    table = Cells(page)
    assert table.loads == []
    assert len(table.lines) == 1 + len(hub().controls)
    assert {len(line) for line in table.lines} == {2 + len(ALL)}
    shown = sum(len(re.findall(f"[{''.join(SIGNS.values())}] ", cell)) for line in table.lines[1:] for cell in line[2:])
    assert shown == sum(row.relation in SIGNS for one in ALL for row in one.rows)
    assert "a &amp; b" in page


def test_without_evidence_no_state_is_shown():
    page = render_matrix(ALL[:1], hub(), None, "en", about="", day=date(2026, 11, 26))
    assert {len(line) for line in Cells(page).lines} == {2}
    assert all(line.state is None for line in lines(ALL[:1], hub(), None, "en"))
