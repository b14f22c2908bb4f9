"""A bundle seen through frameworks again, with what organisations said and people attached since it was signed."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Literal

from msgspec import Struct

from aloi.errors import AskerError, EvidenceError
from aloi.evidence.publickeys import PublicKey
from aloi.evidence.records import Coverage
from aloi.evidence.statement import Subject
from aloi.evidence.vouching import Attachment
from aloi.standards.attaching import read_attachment, speaks_of
from aloi.standards.coverage import cover
from aloi.standards.endorsing import Word, disputed_rows, endorsed_rows, read_word, standing
from aloi.standards.files import contents
from aloi.standards.frameworks import Framework
from aloi.standards.gaps import NextStep, next_evidence
from aloi.standards.judging import EvidenceItem, counts_on
from aloi.standards.mapping import row_digest
from aloi.standards.pack import Freshness, freshness
from aloi.translation import N_

ENVELOPES = "*.dsse.json"
LIMIT = 1024 * 1024


class Said(Struct, frozen=True):
    """Organisations' words on mapping rows, and what people attached; `files` name where each attachment was read.

    `left_out` are the files that attach something for another system.
    """

    words: tuple[Word, ...] = ()
    attached: tuple[EvidenceItem, ...] = ()
    files: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


class Lapsed(Struct, frozen=True, kw_only=True):
    """An attachment that does not count on a day: it expired, or is approved only later."""

    file: str
    control: str
    approved_on: str
    valid_until: str | None = None
    expired: bool


class OwnWord(Struct, frozen=True, kw_only=True):
    """What a signer of the bundle says of a row that its own evidence is seen through, and whether it counts."""

    control: str
    requirement: str
    word: Word
    counted: bool


class Standing(Struct, frozen=True, kw_only=True):
    """A framework through all the evidence at hand, for each gap the cheapest next evidence, and what to know of both.

    `checked` says whether the framework's text is due to be checked again.
    """

    coverage: Coverage
    steps: tuple[NextStep, ...]
    checked: Freshness
    lapsed: tuple[Lapsed, ...] = ()
    own: tuple[OwnWord, ...] = ()


def said(folder: Path, keys: Sequence[PublicKey], systems: Sequence[Subject] | None = None) -> Said:
    """What the signed statements in a folder say (`*.dsse.json`). Raises EvidenceError for one that does not hold.

    `systems` are those of the bundle that is looked at: what was attached for another one is left out.
    """
    if not folder.is_dir():
        raise AskerError(
            N_("{folder} is no folder"), remedy=N_("name the folder that holds the *.dsse.json files"), folder=folder
        )
    words: list[Word] = []
    attached: list[EvidenceItem] = []
    files: list[str] = []
    left_out: list[str] = []
    for file in sorted(folder.glob(ENVELOPES)):
        try:
            found = _read(file, keys)
        except EvidenceError as error:
            error.where = str(file)
            raise
        if isinstance(found, Word):
            words.append(found)
        elif systems is None or speaks_of(found, systems):
            attached.append(found)
            files.append(str(file))
        else:
            left_out.append(file.name)
    return Said(tuple(words), tuple(attached), tuple(files), tuple(left_out))


def _read(file: Path, keys: Sequence[PublicKey]) -> Word | EvidenceItem:
    data = contents(file, LIMIT)
    try:
        return read_attachment(data, list(keys))
    except EvidenceError as error:
        if error.reason != "no-attachment":
            raise
        return read_word(data, keys)


def stand(
    framework: Framework,
    evidence: Iterable[EvidenceItem],
    more: Said,
    *,
    today: date,
    signers: Collection[str] = (),
    named: Collection[str] = (),
    rows: Literal["all", "endorsed"] = "all",
) -> Standing:
    """Where a framework stands today.

    `signers` are the ids of the keys that signed the evidence, `named` those of the keys whose trust the reader said
    in so many words. What a signer of the evidence endorses counts only where it is named: nobody vouches for oneself.
    """
    items = (*evidence, *more.attached)
    apart = frozenset(signers) - frozenset(named)
    coverage = cover(
        framework,
        items,
        endorsed=endorsed_rows(more.words, apart=apart),
        disputed=disputed_rows(more.words),
        rows=rows,
        today=today,
    )
    return Standing(
        coverage=coverage,
        steps=next_evidence(coverage, framework, items, today=today),
        checked=freshness(framework.pack, today),
        lapsed=tuple(lapsed(more, today)),
        own=tuple(_own(framework, more, frozenset(signers), apart)),
    )


def lapsed(more: Said, today: date) -> Iterator[Lapsed]:
    """What was attached and does not count on a day."""
    for item, file in zip(more.attached, more.files, strict=True):
        record = item.record
        if isinstance(record, Attachment) and not counts_on(record, today):
            yield Lapsed(
                file=file,
                control=record.control,
                approved_on=record.approved_on,
                valid_until=record.valid_until,
                expired=record.approved_on <= today.isoformat(),
            )


def doubts(checked: Iterable[Freshness], late: Iterable[Lapsed]) -> Iterator[tuple[str, dict[str, object]]]:
    """What a reader has to be warned of, as messages with their facts."""
    for pack in checked:
        if pack.stale:
            message = N_("{framework} was checked on {day} and was to be checked again by {due}; it may have changed.")
            yield message, {"framework": pack.framework, "day": pack.checked_on, "due": pack.due}
    for one in late:
        facts: dict[str, object] = {"file": one.file, "control": one.control}
        if one.expired:
            message = N_("{file} for {control} expired on {day} and does not count; attach it again once renewed.")
            yield message, {**facts, "day": one.valid_until}
        else:
            message = N_("{file} for {control} counts only from {day}, the day of its approval.")
            yield message, {**facts, "day": one.approved_on}


def _own(framework: Framework, more: Said, signers: Collection[str], apart: Collection[str]) -> Iterator[OwnWord]:
    rows = {row_digest(framework.pack.key, row): row for row in framework.rows}
    for word in standing(more.words):
        if word.signer in signers and word.row in rows:
            row = rows[word.row]
            counted = word.says == "disputed" or word.signer not in apart
            yield OwnWord(control=row.subject, requirement=row.object, word=word, counted=counted)
