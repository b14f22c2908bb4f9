"""A bundle seen through frameworks again, with what organisations said and people attached since it was signed."""

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

from msgspec import Struct

from aloi.errors import AskerError, EvidenceError
from aloi.evidence.bundle import read
from aloi.evidence.publickeys import PublicKey
from aloi.evidence.records import Coverage
from aloi.evidence.statement import Subject
from aloi.standards.attaching import read_attachment, speaks_of
from aloi.standards.coverage import cover
from aloi.standards.endorsing import Word, endorsed_rows, read_word
from aloi.standards.frameworks import Framework
from aloi.standards.gaps import NextStep, next_evidence
from aloi.standards.judging import EvidenceItem
from aloi.translation import N_

ENVELOPES = "*.dsse.json"


class Said(Struct, frozen=True):
    """Organisations' words on mapping rows, and what people attached.

    `left_out` are the files that attach something for another system.
    """

    words: tuple[Word, ...] = ()
    attached: tuple[EvidenceItem, ...] = ()
    left_out: tuple[str, ...] = ()


class Standing(Struct, frozen=True):
    """A framework through all the evidence at hand, and for each gap the cheapest next evidence."""

    coverage: Coverage
    steps: tuple[NextStep, ...]


def said(folder: Path, keys: Sequence[PublicKey], systems: Sequence[Subject] | None = None) -> Said:
    """What the signed statements in a folder say (`*.dsse.json`). Raises EvidenceError for one that does not hold.

    `systems` are those of the bundle that is looked at: what was attached for another one is left out.
    """
    if not folder.is_dir():
        raise AskerError(
            N_("{folder} is no folder"), remedy=N_("name the folder that holds the *.dsse.json files"), folder=folder
        )
    words, attached, left_out = [], [], []
    for file in sorted(folder.glob(ENVELOPES)):
        try:
            one = _read(file, keys)
        except EvidenceError as error:
            error.where = str(file)
            raise
        if isinstance(one, Word):
            words.append(one)
        elif systems is None or speaks_of(one, systems):
            attached.append(one)
        else:
            left_out.append(file.name)
    return Said(tuple(words), tuple(attached), tuple(left_out))


def _read(file: Path, keys: Sequence[PublicKey]) -> Word | EvidenceItem:
    if not file.is_file():  # a pipe would be waited for
        raise AskerError(N_("{file} is no file"), remedy=N_("keep only signed statements under this ending"), file=file)
    data = read(file)
    try:
        return read_attachment(data, list(keys))
    except EvidenceError as error:
        if error.reason != "no-attachment":
            raise
        return read_word(data, keys)


def stand(framework: Framework, evidence: Iterable[EvidenceItem], more: Said, *, today: date) -> Standing:
    """Where a framework stands today."""
    items = (*evidence, *more.attached)
    coverage = cover(framework, items, endorsed=endorsed_rows(more.words), today=today)
    return Standing(coverage, next_evidence(coverage, framework, items, today=today))
