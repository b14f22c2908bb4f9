"""Read the rows of a CSV file, of JSON lines or of a list of texts, each with its line; tell what cannot be read."""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from aloi.errors import Fault
from aloi.system.labelled import QUOTE
from aloi.translation import N_

BYTES = 16 * 1024 * 1024
ROWS = 50_000
# The longest field that the csv module is let read, which is its own default.
FIELD = 128 * 1024
# The longest text of one cell; below what the csv module is let read.
CELL = 100_000


class Record(NamedTuple):
    """One row: the line on which it begins, and its cells by column."""

    line: int
    cells: Mapping[str, Any]


class Table(NamedTuple):
    """All rows of a file that could be read, the columns that occur, and faults with their lines.

    `is_cut` where there are more rows than are read.
    """

    records: list[Record]
    columns: set[str]
    faults: list[Fault]
    is_cut: bool = False


def table_of(data: bytes, suffix: str, delimiter: str) -> Table:
    """The rows of a file by the suffix of its name: `.csv`, `.tsv`, `.jsonl`, or `.txt` with one prompt a line.

    UTF-8, with or without a byte order mark.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        fault = Fault(N_("{path}: not UTF-8"), path="$", line=line, remedy=N_("save the file as UTF-8"))
        return Table([], set(), [fault])
    if suffix == ".jsonl":
        return _gathered(_json_lines(text), set())
    if suffix == ".txt":
        return of_texts(re.split("\r\n|\r|\n", text))
    return _csv_table(text, "\t" if suffix == ".tsv" else delimiter)


def of_texts(texts: Iterable[str], **more: str) -> Table:
    """A list of texts as a table whose column is `prompt`; `more` are further columns, the same in every row."""
    records = [Record(i, {"prompt": text, **more}) for i, text in enumerate(texts, 1) if text.strip()]
    return _gathered(records, {"prompt", *more})


def of_mappings(rows: Iterable[Mapping[str, Any]]) -> Table:
    """Rows that another library read."""
    return _gathered((Record(i, dict(row)) for i, row in enumerate(rows, 1)), set())


def _gathered(rows: Iterable[Record | Fault], columns: set[str]) -> Table:
    table = Table([], columns, [])
    for row in rows:
        if isinstance(row, Fault):
            table.faults.append(row)
        elif len(table.records) == ROWS:
            sentence = N_("{path}: more than {limit} rows")
            table.faults.append(Fault(sentence, path="$", line=row.line, remedy=N_("split the file"), limit=ROWS))
            return table._replace(is_cut=True)
        else:
            table.records.append(row)
            table.columns.update(row.cells)
    return table


def _csv_table(text: str, delimiter: str) -> Table:
    csv.field_size_limit(FIELD)  # one limit for the whole process, which another reader may have raised
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        names = next(reader, [])
    except csv.Error as error:
        return Table([], set(), [_not_csv(error, 1)])
    twice = sorted({name for name in names if names.count(name) > 1})
    sentence, remedy = N_("{path}: the column stands twice"), N_("keep one of the two")
    faults = [Fault(sentence, path=name or "$", line=1, remedy=remedy) for name in twice]
    table = _gathered(_csv_rows(reader, names), set(names))
    return table._replace(faults=[*faults, *table.faults])


def _csv_rows(reader: Any, names: list[str]) -> Iterator[Record | Fault]:
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            yield _not_csv(error, line)
            return  # where a quotation is left open, nothing after it can be trusted
        if cells is None:
            return
        if len(cells) == len(names):
            yield Record(line, dict(zip(names, cells, strict=True)))
        elif cells:  # a blank line is no row
            sentence = N_("{path}: got {got} cells, expected {expected}")
            yield Fault(sentence, path="$", line=line, remedy=QUOTE, got=len(cells), expected=len(names))


def _not_csv(error: Exception, line: int) -> Fault:
    return Fault(N_("{path}: this is not CSV: {problem}"), path="$", line=line, remedy=QUOTE, problem=error)


def _json_lines(text: str) -> Iterator[Record | Fault]:
    for line, written in enumerate(text.split("\n"), 1):
        if not written.strip():
            continue
        try:
            value = json.loads(written, object_pairs_hook=_once)
        except (ValueError, RecursionError) as error:
            problem = "it nests too deeply" if isinstance(error, RecursionError) else error
            sentence, remedy = N_("{path}: this is not JSON: {problem}"), N_("write one JSON object a line")
            yield Fault(sentence, path="$", line=line, remedy=remedy, problem=problem)
            continue
        if isinstance(value, dict):
            yield Record(line, value)
        else:
            got = type(value).__name__
            yield Fault(N_("{path}: got {got}, expected {expected}"), path="$", line=line, got=got, expected="object")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found
