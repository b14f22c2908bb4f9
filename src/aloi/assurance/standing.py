"""A bundle seen through frameworks again, with what organisations said and people attached since it was signed."""

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

from msgspec import Struct

from aloi.errors import AskerError, EvidenceError
from aloi.evidence.bundle import read
from aloi.evidence.publickeys import PublicKey
from aloi.evidence.records import Coverage
from aloi.standards.attaching import read_attachment
from aloi.standards.coverage import cover
from aloi.standards.endorsing import Word, endorsed_rows, read_word
from aloi.standards.frameworks import Framework
from aloi.standards.gaps import NextStep, next_evidence
from aloi.standards.judging import EvidenceItem
from aloi.translation import N_

ENVELOPES = "*.dsse.json"


class Said(Struct, frozen=True):
    """Organisations' words on mapping rows, and what people attached."""

    words: tuple[Word, ...] = ()
    attached: tuple[EvidenceItem, ...] = ()


class Standing(Struct, frozen=True):
    """A framework through all the evidence at hand, and for each gap the cheapest next evidence."""

    coverage: Coverage
    steps: tuple[NextStep, ...]


def said(folder: Path, keys: Sequence[PublicKey]) -> Said:
    """What the signed statements in a folder say (`*.dsse.json`). Raises EvidenceError for one that does not hold."""
    if not folder.is_dir():
        raise AskerError(
            N_("{folder} is no folder"), remedy=N_("name the folder that holds the *.dsse.json files"), folder=folder
        )
    found: list[Word | EvidenceItem] = []
    for file in sorted(folder.glob(ENVELOPES)):
        try:
            found.append(_read(file, keys))
        except EvidenceError as error:
            error.where = str(file)
            raise
    return Said(
        tuple(one for one in found if isinstance(one, Word)),
        tuple(one for one in found if isinstance(one, EvidenceItem)),
    )


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
