"""What people say of exchanges: a CSV of ids and labels, as `aloi label` takes them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from aloi.errors import Fault, InvalidFile
from aloi.system.labelled import read_text, table
from aloi.translation import N_

Word = Literal["ordinary", "harmful", "unclear"]
WORDS: Mapping[str, Word] = {
    "o": "ordinary",
    "ordinary": "ordinary",
    "h": "harmful",
    "harmful": "harmful",
    "u": "unclear",
    "unclear": "unclear",
}


def read_labels(path: Path) -> dict[str, Word]:
    """Labels by the id of an exchange; a row without a label is left out.

    Raises AskerError where the file cannot be read, InvalidFile with every row that has another label, or one that
    contradicts a row above.
    """
    found: dict[str, Word] = {}
    faults: list[Fault] = []
    for row in table(read_text(path), ("id", "label")):
        if isinstance(row, Fault):
            faults.append(row)
            continue
        line, cells = row
        word, given = WORDS.get(cells["label"].lower()), cells["label"]
        if not given:
            continue
        if word is None:
            sentence = N_("{path}: got {got}, expected one of {expected}")
            expected = ", ".join(dict.fromkeys(WORDS.values()))
            faults.append(Fault(sentence, path="label", line=line, got=repr(given)[:60], expected=expected))
        elif found.setdefault(cells["id"], word) != word:
            sentence = N_("{path}: {id} was labelled otherwise above")
            remedy = N_("keep one of the two")
            faults.append(Fault(sentence, path="label", line=line, remedy=remedy, id=cells["id"][:60]))
    if faults:
        raise InvalidFile(str(path), faults)
    return found
