"""What the threat model names as shown is there: tests by their paths, benches by their names."""

import re
from pathlib import Path

import pytest
from benchmarks.__main__ import BENCHMARKS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
PROMISES = [
    row.split(" | ")
    for table in re.findall(r"^\| .* \| shown by \|\n\|---\|---\|---\|\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    for row in table.splitlines()
]


def test_both_tables_of_promises_are_read():
    assert len(PROMISES) > 30


@pytest.mark.parametrize("row", PROMISES, ids=lambda row: row[0])
def test_each_promise_names_what_shows_it(row):
    assert len(row) == 3
    shown = row[2]
    paths, benches = re.findall(r"`([\w/]+\.py)`", shown), re.findall(r"BENCH=([\w-]+)", shown)
    assert paths or benches or "the same" in shown
    assert set(benches) <= set(BENCHMARKS)
    folder = ROOT
    for path in paths:  # a bare name stands beside the one before it
        file = ROOT / path if "/" in path else folder / path
        assert file.is_file(), path
        folder = file.parent
