"""Make the rows of a corpus from those of a table: each fact checked, each fault with its line."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from aloi.errors import Fault
from aloi.system.corpora.corpus import PLAIN, Row
from aloi.system.corpora.header import NEEDLES, Header
from aloi.system.corpora.table import CELL, Record
from aloi.translation import N_

# Parts of a result are told one by one: a report of hundreds of attacks says nothing.
ATTACKS = 64
LABEL = 64
SHORTEST = 6
TOLD = 20
_LANGUAGE = re.compile(r"[a-z]{2}")
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}", re.IGNORECASE)
_UNWRITABLE = re.compile("[\x00\ud800-\udfff]")


class Rows(NamedTuple):
    """Rows that can be asked, how many were left out, and the faults."""

    rows: tuple[Row, ...]
    left_out: int
    faults: list[Fault]


def rows_of(records: Iterable[Record], header: Header, languages: Iterable[str], *, foreign: bool) -> Rows:
    """The rows in `languages`. Faults of `foreign` rows, which nobody here can mend, are left out and counted instead.

    At most 20 faults are told, then how many more there are.
    """
    spoken = set(languages)
    seen: dict[Row, int] = {}
    alike: dict[str, str] = {}
    faults: list[Fault] = []
    left_out = 0
    for record in records:
        reading = _Reading(record, header, alike)
        made = reading.row()
        if isinstance(made, Row) and not (made.language in spoken and reading.is_drawn):
            left_out += 1
            continue
        if isinstance(made, Row) and made in seen:
            sentence, remedy = N_("{path}: the same row as line {other}"), N_("keep one of the two")
            made = [Fault(sentence, path="$", line=record.line, remedy=remedy, other=seen[made])]
        if isinstance(made, Row):
            seen[made] = record.line
        elif foreign:
            left_out += 1
        else:
            faults += made
    if len({row.attack for row in seen}) > ATTACKS:
        sentence, remedy = N_("{path}: more than {limit} attacks"), N_("name a column that groups them")
        faults.append(Fault(sentence, path=header.columns.attack, remedy=remedy, limit=ATTACKS))
    return Rows(tuple(seen), left_out, told(faults))


def told(faults: list[Fault]) -> list[Fault]:
    """The first 20 faults, and how many more there are."""
    if len(faults) <= TOLD:
        return faults
    rest = Fault(N_("{path}: {count} more faults"), path="$", count=len(faults) - TOLD)
    return [*faults[:TOLD], rest]


class _Reading:
    """One record on its way to a row."""

    def __init__(self, record: Record, header: Header, alike: dict[str, str]) -> None:
        self._record = record
        self._header = header
        self._alike = alike
        self.is_drawn = True
        self._columns = header.columns
        self._faults: list[Fault] = []

    def row(self) -> Row | list[Fault]:
        """The row, or all its faults."""
        prompt = self._text(self._columns.prompt)
        if not prompt.strip() and not self._faults:
            self._fault(N_("{path}: empty"), self._columns.prompt)
        language = self._text(self._columns.language) or self._header.language
        if not _LANGUAGE.fullmatch(language):
            sentence = N_("{path}: got {got}, expected two small letters, such as en")
            self._fault(sentence, self._columns.language, got=ascii(language[:LABEL]))
        label = self._text(self._columns.label)
        if self._columns.label and not label and not self._faults:
            self._fault(N_("{path}: empty"), self._columns.label)
        self.is_drawn = not self._columns.label or label in self._header.labels
        seed = self._text(self._columns.seed)
        attack = self._text(self._columns.attack) or PLAIN
        if len(attack) > LABEL or not attack.isprintable():
            sentence = N_("{path}: an attack is a name of at most {limit} characters on one line")
            self._fault(sentence, self._columns.attack, limit=LABEL)
        needles, hosts = self._needles(), self._hosts()
        if self._faults:
            return self._faults
        return Row(
            prompt=prompt,
            language=language,
            seed=seed or self._first_alike(prompt),
            attack=attack,
            needles=needles,
            hosts=hosts,
        )

    def _first_alike(self, prompt: str) -> str:
        """The first prompt that has the same letters and digits: what differs in case or signs only is one cluster."""
        letters = "".join(filter(str.isalnum, unicodedata.normalize("NFKC", prompt).casefold()))
        return self._alike.setdefault(letters, prompt) if letters else prompt

    def _needles(self) -> tuple[str, ...]:
        column = self._columns.needle
        needles = tuple(self._texts(column))
        if self._header.scorer == NEEDLES and not needles:
            self._fault(N_("{path}: empty"), column)
        if any(sum(map(str.isalnum, needle)) < SHORTEST for needle in needles):
            sentence = N_("{path}: needs {least} letters or digits at least, or it would be found by chance")
            self._fault(sentence, column, least=SHORTEST)
        return needles

    def _hosts(self) -> tuple[str, ...]:
        column = self._columns.hosts
        hosts = tuple(host for text in self._texts(column) for host in re.split(r"[\s,;]+", text.strip()) if host)
        for host in hosts:
            if not _HOST.fullmatch(host):
                self._fault(N_("{path}: {got} is not the name of a host"), column, got=ascii(host[:LABEL]))
        return hosts

    def _texts(self, column: str) -> Iterator[str]:
        """A list of texts, or one text as a list of one; empty texts are left out."""
        value = self._record.cells.get(column) if column else None
        for one in value if isinstance(value, list | tuple) else [value]:
            if text := self._checked(one, column):
                yield text

    def _text(self, column: str) -> str:
        return self._checked(self._record.cells.get(column), column) if column else ""

    def _checked(self, value: Any, column: str) -> str:
        """The text of a cell; empty where there is none, or a fault. A whole number is taken as it is written."""
        if value is None:
            return ""
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            sentence = N_("{path}: got {got}, expected {expected}")
            self._fault(sentence, column, got=type(value).__name__, expected="text")
        elif len(value) > CELL:
            self._fault(N_("{path}: {got} characters, at most {limit}"), column, got=len(value), limit=CELL)
        elif _UNWRITABLE.search(value):
            self._fault(N_("{path}: holds a character that no text may hold (half a surrogate pair, or NUL)"), column)
        else:
            return value
        return ""

    def _fault(self, sentence: str, column: str, **facts: object) -> None:
        self._faults.append(Fault(sentence, path=column or "language", line=self._record.line, remedy="", **facts))
