"""Read labelled answers that a person keeps in a CSV or JSONL file, and tell all its faults at once."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from aloi.errors import AskerError, Fault, InvalidFile
from aloi.system.messages import Message
from aloi.translation import N_

QUOTE = N_("quote cells that hold a comma, a quotation mark or a line break")
LIMIT = 64 * 1024 * 1024
CELL = 4 * 1024 * 1024
Label = Literal["failed", "passed", ""]
LABELS: tuple[Label, ...] = ("failed", "passed", "")


class Row(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One answer, and what a person holds it to be: an empty label means that nobody has said yet.

    `earlier` is what was said between the question and the answer; `line` is where the row stands in its file.
    """

    question: str
    answer: str
    label: Label = ""
    language: str = ""
    attack: str = ""
    by: str = ""
    earlier: tuple[Message, ...] = ()
    line: int = 0


class _Line(Struct, frozen=True, kw_only=True):
    """A line of JSONL. Keys that are not ours are let stand: the file may serve others as well."""

    question: str
    answer: str
    label: str = ""
    language: str = ""
    attack: str = ""
    by: str = ""
    earlier: tuple[Message, ...] = ()


class Labelled(Struct, frozen=True, kw_only=True):
    """Rows that may be counted: each text once. What was set aside is told, never counted.

    `missing` rows have no label, `tied` texts have both labels, `repeated` rows say again what another says.
    """

    rows: tuple[Row, ...]
    missing: int = 0
    tied: int = 0
    repeated: int = 0


def read_labelled(path: Path) -> Labelled:
    """The rows of a file. Raises AskerError where it cannot be read, InvalidFile with every fault of its rows."""
    return sorted_out(read_rows(path))


def read_rows(path: Path) -> list[Row]:
    """Every row as it stands: columns question, answer, label, and language, attack, by where they are known."""
    text = read_text(path)
    faults: list[Fault] = []
    rows = [found for found in (_jsonl if path.suffix == ".jsonl" else _csv)(text) if _kept(found, faults)]
    if faults:
        raise InvalidFile(str(path), faults)
    return [row for row in rows if isinstance(row, Row)]


def read_text(path: Path) -> str:
    """A UTF-8 text of at most 64 MiB, a byte order mark left out. Raises AskerError."""
    try:
        size = path.stat().st_size
        if size > LIMIT:
            raise AskerError(
                N_("{file} is larger than {limit} bytes"), remedy=N_("split the file"), file=path, limit=LIMIT
            )
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise AskerError(
            N_("cannot read {file}: {problem}"),
            remedy=N_("give a CSV or JSONL file in UTF-8"),
            file=path,
            problem=getattr(error, "strerror", None) or error,
        ) from error


def table(text: str, needed: Iterable[str]) -> Iterator[tuple[int, dict[str, str]] | Fault]:
    """The rows of a CSV text by column, each with its line; a Fault where `needed` columns or cells are missing."""
    csv.field_size_limit(CELL)
    reader = csv.DictReader(io.StringIO(text, newline=""))
    try:
        missing = [name for name in needed if name not in (reader.fieldnames or ())]
        if missing:
            remedy = N_("name the column in the first line")
            yield Fault(N_("{path}: missing"), path=", ".join(missing), line=1, remedy=remedy)
            return
        for cells in reader:
            if None in cells or None in cells.values():
                sentence = N_("{path}: another number of cells than the first line names")
                yield Fault(sentence, path="row", line=reader.line_num, remedy=QUOTE)
            else:
                yield reader.line_num, {name: value.strip() for name, value in cells.items()}
    except csv.Error as error:
        sentence = N_("{path}: this is not CSV: {problem}")
        yield Fault(sentence, path="row", line=reader.line_num, remedy=QUOTE, problem=error)


def sorted_out(rows: Sequence[Row]) -> Labelled:
    """Each text once. The same text twice would count one judgement as two; two labels of it leave nothing to hold."""
    known = [row for row in rows if row.label]
    labels: dict[tuple[object, ...], set[Label]] = {}
    for row in known:
        labels.setdefault(_text_of(row), set()).add(row.label)
    tied = {text for text, said in labels.items() if len(said) > 1}
    once = {_text_of(row): row for row in reversed(known) if _text_of(row) not in tied}
    counted = Counter(_text_of(row) for row in known)
    return Labelled(
        rows=tuple(sorted(once.values(), key=lambda row: row.line)),
        missing=len(rows) - len(known),
        tied=len(tied),
        repeated=sum(counted[text] - 1 for text in once),
    )


def _text_of(row: Row) -> tuple[object, ...]:
    return row.question, row.earlier, row.answer


def _kept(found: Row | Fault, faults: list[Fault]) -> bool:
    if isinstance(found, Row) and found.label not in LABELS:
        expected = ", ".join(filter(None, LABELS))
        sentence = N_("{path}: got {got}, expected one of {expected}")
        found = Fault(sentence, path="label", line=found.line, got=repr(found.label)[:60], expected=expected)
    if isinstance(found, Fault):
        faults.append(found)
    return isinstance(found, Row)


def _csv(text: str) -> Iterator[Row | Fault]:
    for found in table(text, ("question", "answer", "label")):
        if isinstance(found, Fault):
            yield found
            continue
        line, cells = found
        wanted = {name: cells.get(name, "") for name in ("question", "answer", "label", "language", "attack", "by")}
        yield Row(**wanted | {"line": line})  # type: ignore[arg-type] # `_kept` refuses what is no label


def _jsonl(text: str) -> Iterator[Row | Fault]:
    decoder = msgspec.json.Decoder(_Line)
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            fields = msgspec.structs.asdict(decoder.decode(line))
            yield Row(**fields | {"line": number})
        except (msgspec.DecodeError, RecursionError) as error:
            sentence = N_("{path}: this is not a labelled answer: {problem}")
            remedy = N_("write one JSON object a line, with question, answer and label")
            yield Fault(sentence, path="row", line=number, remedy=remedy, problem=error)
