"""A whole log in one file, and back: every row of it, in SQLite, whatever database it is kept in.

The key is not in it. A log that is put back to an older state than others have seen must not be written to: its
witnesses refuse it, and so does its own server once they told it.
"""

from pathlib import Path

from sqlalchemy import Connection, Table, func, insert, select, text

from aloi.errors import AskerError
from aloi.evidence.notes import NoteKey
from aloi.registry import schema, store
from aloi.registry.check import Checked, check
from aloi.registry.database import SQLITE, Database, current, kept, upgrade
from aloi.translation import N_

_PAGE = 1_000
_SQLITE = b"SQLite format 3\0"  # https://www.sqlite.org/fileformat.html#magic_header_string


def backup(url: str, file: Path, key: NoteKey) -> Checked:
    """Copy the log into a new file, as of one moment, and check the copy; the log may be written to meanwhile.

    Raises AskerError where the file exists, RegistryError where a database fails, EvidenceError as `check`.
    """
    if file.exists():
        raise AskerError(
            N_("{path} exists already; a backup is never overwritten"),
            remedy=N_("choose another name"),
            path=file,
        )
    try:
        return _copied(url, f"{SQLITE}:///{file}", key)
    except BaseException:
        for ending in ("", "-wal", "-shm"):  # half a backup is none
            file.with_name(file.name + ending).unlink(missing_ok=True)
        raise


def restore(file: Path, url: str, key: NoteKey) -> Checked:
    """Copy a backup into an empty database, and check it there. Raises as `backup`; nothing is kept of half a copy."""
    if not _is_sqlite(file):
        raise AskerError(
            N_("there is no backup at {path}"), remedy=N_("name a file that `aloi registry backup` wrote"), path=file
        )
    return _copied(f"{SQLITE}:///{file}", url, key)


def _is_sqlite(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            return opened.read(len(_SQLITE)) == _SQLITE
    except OSError:
        return False


def _copied(source: str, target: str, key: NoteKey) -> Checked:
    old, new = kept(source), Database(target)
    try:
        with old.reading() as reading, new.writing() as writing:
            _require(reading, writing, key)
            upgrade(writing)
            for table in schema.metadata.sorted_tables:
                _copy(table, reading, writing)
            _go_on_counting(writing)
    finally:
        old.close()
        new.close()
    return check(target, key)


def _require(source: Connection, target: Connection, key: NoteKey) -> None:
    if store.owner(source) != store.Owner(key.name, key.public.der):
        raise AskerError(
            N_("this is not the log “{origin}” of the key that you gave"),
            remedy=N_("name the registry.yaml of the log that is copied"),
            origin=key.name,
        )
    if current(target) is not None:
        raise AskerError(
            N_("there is a log already where this one should go"),
            remedy=N_("restore into an empty database, then let registry.yaml name it"),
        )


def _copy(table: Table, source: Connection, target: Connection) -> None:
    rows = source.execution_options(yield_per=_PAGE).execute(select(table))
    for page in rows.mappings().partitions(_PAGE):
        target.execute(insert(table), [dict(row) for row in page])


def _go_on_counting(target: Connection) -> None:
    """PostgreSQL counts signers by itself, from where it stands: after the last one that was copied."""
    if target.dialect.name == SQLITE:
        return
    last = select(func.coalesce(func.max(schema.signers.c.id), 1)).scalar_subquery()
    sequence = func.pg_get_serial_sequence(text("'signers'"), text("'id'"))
    target.execute(select(func.setval(sequence, last)))
