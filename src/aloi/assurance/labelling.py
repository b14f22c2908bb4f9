"""Hand answers to people and take their labels, one by one or in a CSV to fill in. Labels are added, never changed.

A label is `failed`, `passed` or `unscorable`, or its first letter.
"""

import csv
import getpass
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from aloi.assurance.folder import RunFolder
from aloi.errors import AskerError, Fault, InvalidFile
from aloi.science.items import Item
from aloi.science.judging.judged import Words
from aloi.science.judging.ratings import Awaiting, Labels, Said
from aloi.system.labelled import read_text, table
from aloi.system.messages import Message, Response
from aloi.translation import N_

ID = 16
COLUMNS = ("id", "hazard", "language", "question", "answer", "label", "by")
WORDS: dict[str, Said] = {
    "f": "failed",
    "failed": "failed",
    "p": "passed",
    "passed": "passed",
    "u": "unscorable",
    "unscorable": "unscorable",
}
# A spreadsheet runs a cell that begins so; an answer may be written to be run.
RUN_BY_SPREADSHEETS = ("=", "+", "-", "@", "\t", "\r")


class Imported(Struct, frozen=True, kw_only=True):
    """What a file of labels gave: `labelled` new words, `left` rows without one, `known` ones said before."""

    labelled: int
    left: int
    known: int


def short(of: str) -> str:
    """The name by which people know an exchange: the first figures of its digest."""
    return of.removeprefix("sha256:")[:ID]


def turns(item: Item, response: Response) -> Iterator[Message]:
    """The whole exchange as a person reads it, without the system's prompt."""
    yield from item.request.messages
    yield from (Message(role="document", content=document.text) for document in item.request.documents)
    yield from response.earlier
    yield Message(role="assistant", content=response.text, tool_calls=response.tool_calls)


def awaited(folder: RunFolder, who: str) -> list[Awaiting]:
    """What waits in a run for a word of one person: nobody's word is enough yet, and this person has not spoken."""
    folder.state()
    with folder.words() as words:
        return [one for one in words.awaited() if not words.labels.by(who, one.subject)]


def add_label(folder: RunFolder, who: str, waiting: Awaiting, word: Said) -> None:
    """Add one label to a run."""
    with Labels(folder.labels, write=True) as labels:
        labels.write(who, waiting, word)


def write_csv(waiting: Iterable[Awaiting], path: Path) -> int:
    """Write what waits as a CSV whose column `label` is to be filled in; how many rows. Raises AskerError."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    count = 0
    for one in waiting:
        *said, last = turns(one.item, one.response)
        question = "\n\n".join(f"{message.role}: {_written(message)}" for message in said)
        cells = (short(one.subject), one.item.hazard, one.item.language, question, _written(last), "", "")
        writer.writerow(_inert(cell) for cell in cells)
        count += 1
    try:
        path.write_text(text.getvalue(), encoding="utf-8", newline="")
    except OSError as error:
        raise AskerError(
            N_("cannot write {file}: {problem}"),
            remedy=N_("make the folder writable, free some space, or name another file"),
            file=path,
            problem=error.strerror or error,
        ) from error
    return count


def _written(message: Message) -> str:
    return "\n".join([message.content, *(f"{call.name} {call.arguments}" for call in message.tool_calls)])


def _inert(cell: str) -> str:
    return f"'{cell}" if cell.startswith(RUN_BY_SPREADSHEETS) else cell


def read_csv(folder: RunFolder, path: Path, who: str) -> Imported:
    """Add the labels of a CSV to a run: columns id and label, and `by` where others than `who` labelled.

    All or nothing: raises InvalidFile with every row that names no answer, one that waits for nobody, no label, or two
    labels by one person.
    """
    folder.state()
    rows, faults = _rows(path, who), list[Fault]()
    wanted: dict[tuple[str, str], tuple[Awaiting, Said]] = {}
    left = 0
    with folder.words() as words:
        for row in rows:
            if isinstance(row, Fault):
                faults.append(row)
            elif not row.label:
                left += 1
            elif isinstance(found := _found(row, words), Fault):
                faults.append(found)
            elif wanted.setdefault((row.by, found[0].subject), found) != found:
                sentence = N_("{path}: {id} was labelled otherwise above by the same person")
                faults.append(Fault(sentence, path="label", line=row.line, remedy=N_("keep one of the two"), id=row.id))
        if faults:
            raise InvalidFile(str(path), faults)
        new = {key: value for key, value in wanted.items() if words.labels.by(*key) != value[1]}
    with Labels(folder.labels, write=True) as labels:
        for (by, _), (waiting, word) in new.items():
            labels.write(by, waiting, word)
    return Imported(labelled=len(new), left=left, known=len(wanted) - len(new))


class _Label(Struct, frozen=True):
    id: str
    label: str
    by: str
    line: int


def _rows(path: Path, who: str) -> Sequence[_Label | Fault]:
    found = list(table(read_text(path), ("id", "label")))
    return [one if isinstance(one, Fault) else _label(*one, who) for one in found]


def _label(line: int, cells: dict[str, str], who: str) -> _Label:
    return _Label(cells["id"], cells["label"].lower(), cells.get("by") or who, line)


def _found(row: _Label, words: Words) -> tuple[Awaiting, Said] | Fault:
    word = WORDS.get(row.label)
    if word is None:
        sentence = N_("{path}: got {got}, expected one of {expected}")
        expected = ", ".join(dict.fromkeys(WORDS.values()))
        return Fault(sentence, path="label", line=row.line, got=repr(row.label)[:60], expected=expected)
    waiting = next((one for one in words.waiting if short(one.subject) == row.id), None)
    if waiting is not None:
        return waiting, word
    known = row.id in {short(of) for of in words.ratings.subjects()}
    sentence = N_("{path}: {id} waits for nobody: the judge's word stands") if known else N_("{path}: no answer {id}")
    remedy = N_("leave the row out") if known else N_("keep the ids of the file that `aloi label` wrote")
    return Fault(sentence, path="id", line=row.line, remedy=remedy, id=row.id[:60])


def this_person() -> str:
    """The name of who is logged in; empty where the system does not know it."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""
