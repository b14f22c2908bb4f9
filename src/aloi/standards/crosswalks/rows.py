"""What the readers of others' formats share: lines become cells, cells become rows, faults are told by row."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import date as day
from typing import NamedTuple

import msgspec

from aloi.standards.frameworks import Framework
from aloi.standards.hub import Hub
from aloi.standards.mapping import Mapping, Relation, Row, check_rows
from aloi.standards.reading import LIMIT, UNSEEN, Table
from aloi.translation import N_

# Every row of such a file names its own author.
AUTHOR = "see rows"


class Said(NamedTuple):
    """A row as another format says it: every part is still a text."""

    subject: str
    object: str
    relation: Relation
    en: str
    fr: str
    author: str
    date: str


def text_of(data: bytes, table: Table) -> str | None:
    """The text of a file; None, and a fault, where it is too large or not UTF-8."""
    if len(data) > LIMIT:
        message = N_("{at}: {got} bytes, at most {limit}")
        table.fault(message, "$", remedy=N_("split the file"), got=len(data), limit=LIMIT)
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        table.lines["$"] = data.count(b"\n", 0, error.start) + 1
        table.fault(N_("{at}: this is not UTF-8"), "$", remedy=N_("save the file as UTF-8"))
        return None


def cells(
    lines: Iterable[str], delimiter: str, owed: Sequence[str], table: Table
) -> Iterator[tuple[str, dict[str, str]]]:
    """The rows of a table whose first line names its columns, each under `rows[i]`, which is bound to its line."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    numbered, begun = [], 1
    try:
        for found in reader:
            if any(found):
                numbered.append((begun, found))
            begun = reader.line_num + 1
    except csv.Error as error:
        table.lines["$"] = begun
        table.fault(N_("{at}: {problem}"), "$", remedy=N_("save it as separated text"), problem=error)
        return
    head = numbered[0][1] if numbered else []
    if missing := [name for name in owed if name not in head]:
        table.lines["$"] = numbered[0][0] if numbered else 1
        remedy = N_("add the columns {missing}")
        table.fault(N_("{at}: this is no table of mappings"), "$", remedy=remedy, missing=", ".join(missing))
        return
    for i, (line, found) in enumerate(numbered[1:]):
        at = f"rows[{i}]"
        table.lines[at] = line
        yield at, dict(zip(head, found, strict=False))


def owes(found: dict[str, str], owed: Sequence[str], at: str, table: Table) -> bool:
    """Note every cell that has to be filled and is not, or holds what nobody sees; whether there was none."""
    empty = [name for name in owed if not found.get(name, "").strip()]
    for name in empty:
        remedy = N_("say it, in both languages where it is a rationale")
        table.fault(N_("{at}: {name} is empty"), at, remedy=remedy, name=name)
    hidden = [name for name, cell in found.items() if UNSEEN.search(cell)]
    for name in hidden:
        message = N_("{at}: {name} holds a sign that is not shown or that moves others")
        table.fault(message, at, remedy=N_("write it without control characters"), name=name)
    return not empty and not hidden


def unknown_relation(got: str, known: Iterable[str], at: str, table: Table) -> None:
    """Note a relation that the format does not have."""
    told = ", ".join(dict.fromkeys(known))
    table.fault(N_("{at}: no relation {id}"), at, remedy=N_("one of {known}"), id=got, known=told)


def row(said: Said, at: str, table: Table) -> Row | None:
    """The row; None, and a fault, where a part of it has no such form."""
    try:
        day.fromisoformat(said.date)
    except ValueError:
        remedy = N_("write the day as YYYY-MM-DD")
        table.fault(N_("{at}: {got} is no day"), at, remedy=remedy, got=repr(said.date))
        return None
    try:
        return msgspec.convert(
            {
                "subject": said.subject,
                "object": said.object,
                "relation": said.relation,
                "rationale": {"en": said.en, "fr": said.fr},
                "author": said.author,
                "date": said.date,
            },
            Row,
        )
    except msgspec.ValidationError as error:
        table.fault(N_("{at}: {problem}"), at, remedy=N_("correct the row"), problem=error)
        return None


def other_edition(got: str, framework: Framework, table: Table) -> None:
    """Note a file that maps another framework or edition."""
    remedy = N_("import it into its own edition, or map this edition anew")
    table.fault(N_("{at}: maps {got}, the pack is {want}"), "$", remedy=remedy, got=got, want=framework.pack.key)


def checked(rows: Iterable[Row], framework: Framework, hub: Hub, table: Table) -> Mapping:
    """The mapping of these rows. Raises InvalidFile with every fault of form, and then with every fault of content."""
    found = tuple(rows)
    table.close()
    licence = framework.licence or "unknown"
    mapping = Mapping(framework=framework.pack.key, licence=licence, author=AUTHOR, rows=found)
    check_rows(mapping, framework.pack, hub, table)
    table.close()
    return mapping
