"""A bundle seen through frameworks again, with what organisations said and people attached since it was signed."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Literal

from msgspec import Struct

from aloi.errors import AskerError, EvidenceError
from aloi.evidence import envelope as dsse
from aloi.evidence.publickeys import PublicKey
from aloi.evidence.records import Coverage
from aloi.evidence.verification import Verification
from aloi.evidence.vouching import Attachment
from aloi.standards.attaching import read_attachment, speaks_of
from aloi.standards.coverage import cover
from aloi.standards.endorsing import Word, read_word, row_words, standing
from aloi.standards.files import contents
from aloi.standards.frameworks import Framework
from aloi.standards.gaps import NextStep, next_evidence
from aloi.standards.judging import EvidenceItem, counts_on
from aloi.standards.mapping import RowWords, row_digest
from aloi.standards.pack import Certainty, Freshness, freshness
from aloi.translation import N_

ENVELOPES = "*.dsse.json"
LIMIT = 1024 * 1024


class Said(Struct, frozen=True):
    """Organisations' words on mapping rows, and what people attached; `files` name where each attachment was read.

    `left_out` are the files that attach something for another system, `strangers` those that no trusted key signed:
    they were not read. `signers` are the ids of the keys that signed the
    evidence that this is read beside, `apart` those of them whose trust the reader did not say in so many words: what
    they endorse does not count, since nobody vouches for oneself.
    """

    words: tuple[Word, ...] = ()
    attached: tuple[EvidenceItem, ...] = ()
    files: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()
    signers: frozenset[str] = frozenset()
    apart: frozenset[str] = frozenset()

    @property
    def rows(self) -> RowWords:
        """What stands of each mapping row that somebody spoke of."""
        return row_words(self.words, apart=self.apart)


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


class Imported(Struct, frozen=True, kw_only=True):
    """Rows of others, in place of those that ship: the file, how many they are, and who wrote them."""

    file: str
    rows: int
    authors: tuple[str, ...]


class Standing(Struct, frozen=True, kw_only=True):
    """A framework through all the evidence at hand, for each gap the cheapest next evidence, and what to know of both.

    `checked` says whether the framework's text is due to be checked again, `certainty` how requirements are known whose
    text was not read, `imported` whose rows it is seen through
    where they are not those that ship.
    """

    coverage: Coverage
    steps: tuple[NextStep, ...]
    checked: Freshness
    certainty: dict[str, Certainty] = {}
    lapsed: tuple[Lapsed, ...] = ()
    own: tuple[OwnWord, ...] = ()
    imported: Imported | None = None


def said(
    folder: Path, keys: Sequence[PublicKey], beside: Verification | None = None, named: Collection[str] = ()
) -> Said:
    """What the signed statements in a folder say of mapping rows and controls (`*.dsse.json`).

    One that no key in `keys` claims to have signed is left out: what strangers say neither counts nor stops the rest.
    Raises EvidenceError for one that a trusted key claims to have signed and that does not hold, and for a file that
    is no envelope: either may have been a dispute, and what stands against must not vanish by damage.
    `beside` is the bundle that is looked at: what was attached for another system is left out. `named` are the ids of
    the keys whose trust the reader said in so many words.
    """
    words: list[Word] = []
    attached: list[EvidenceItem] = []
    files: list[str] = []
    left_out: list[str] = []
    strangers: list[str] = []
    for file in statement_files(folder):
        try:
            found = _read(file, keys)
        except EvidenceError as error:
            if error.reason == "no-word":  # it holds, and is for other readers: a withdrawal, a roster, an incident
                continue
            error.where = str(file)
            raise
        if found is None:
            strangers.append(file.name)
        elif isinstance(found, Word):
            words.append(found)
        elif beside is None or speaks_of(found, beside.subject):
            attached.append(found)
            files.append(str(file))
        else:
            left_out.append(file.name)
    signers = frozenset(one.key_id for claim in beside.claims for one in claim.signers) if beside else frozenset()
    apart = signers - frozenset(named)
    return Said(
        words=tuple(words),
        attached=tuple(attached),
        files=tuple(files),
        left_out=tuple(left_out),
        strangers=tuple(strangers),
        signers=signers,
        apart=apart,
    )


def statement_files(folder: Path) -> list[Path]:
    """The files of signed statements in a folder. Raises AskerError where it is none."""
    if not folder.is_dir():
        raise AskerError(
            N_("{folder} is no folder"), remedy=N_("name the folder that holds the *.dsse.json files"), folder=folder
        )
    return sorted(folder.glob(ENVELOPES))


def _read(file: Path, keys: Sequence[PublicKey]) -> Word | EvidenceItem | None:
    """What a file says; None where no signature on it even claims a trusted key."""
    data = contents(file, LIMIT)
    if not {one.keyid for one in dsse.read(data).signatures} & {key.id for key in keys}:
        return None
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
    rows: Literal["all", "endorsed"] = "all",
) -> Standing:
    """Where a framework stands today."""
    items = (*evidence, *more.attached)
    coverage = cover(framework, items, words=more.rows, rows=rows, today=today)
    return Standing(
        coverage=coverage,
        steps=next_evidence(coverage, framework, items, today=today),
        checked=freshness(framework.pack, today),
        certainty=framework.pack.doubtful(),
        lapsed=tuple(lapsed(more, today)),
        own=tuple(_own(framework, more)),
        imported=_imported(framework),
    )


def _imported(framework: Framework) -> Imported | None:
    if not framework.imported:
        return None
    return Imported(file=framework.imported, rows=len(framework.rows), authors=framework.authors())


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
            yield message, {**facts, "day": date.fromisoformat(one.valid_until or one.approved_on)}
        else:
            message = N_("{file} for {control} counts only from {day}, the day of its approval.")
            yield message, {**facts, "day": date.fromisoformat(one.approved_on)}


def _own(framework: Framework, more: Said) -> Iterator[OwnWord]:
    rows = {row_digest(framework.pack.key, row): row for row in framework.rows}
    for word in standing(more.words):
        if word.signer in more.signers and word.row in rows:
            row = rows[word.row]
            counted = word.says == "disputed" or word.signer not in more.apart
            yield OwnWord(control=row.subject, requirement=row.object, word=word, counted=counted)
