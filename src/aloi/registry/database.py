"""The database under a log: opened, brought up to date, locked for one writer, and its errors in plain words."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from aloi.errors import AskerError, MissingExtra, RegistryError
from aloi.registry.schema import REVISION
from aloi.translation import N_

SQLITE, POSTGRESQL = "sqlite", "postgresql+psycopg"
WAIT = 30  # seconds that a writer waits for another
# Rows and parameters are in no log and no error, whatever its level: some of them are not published.
_SILENT: Any = {"hide_parameters": True, "logging_name": "aloi"}
logging.getLogger("sqlalchemy.engine.Engine.aloi").setLevel(logging.WARNING)
_LOCK = int.from_bytes(b"aloi log")
_PRAGMAS = (
    "page_size=16384",  # before the first table: envelopes of 2 kB waste half a page of 4,096
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "secure_delete=ON",  # what is erased is overwritten, not only unlinked
    "cache_size=-32768",
)


class Database:
    """One log's database. Several processes may open it; `writing` lets one at a time through."""

    def __init__(self, url: str) -> None:
        """Connect lazily. Raises AskerError for an address that is none of ours, MissingExtra without psycopg."""
        address = _address(url)
        self._engine = _engine(address)
        self._file = _File(Path(address.database or "")) if address.drivername == SQLITE else None
        if self._file:
            event.listen(self._engine, "do_connect", self._file.require)
            event.listen(self._engine, "connect", self._file.remember)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state throughout. Raises RegistryError where the database fails."""
        with _plain_errors(), self._engine.connect() as connection:
            if connection.dialect.name != SQLITE:
                connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                self._require_file()
                yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that no other writer stands beside; durable once it ends, undone where it does not.

        Raises RegistryError where the database fails, is full or gone, or another writer does not end in time.
        """
        with _plain_errors(), self._engine.connect().execution_options(aloi_writes=True) as connection:
            if connection.dialect.name != SQLITE:
                # A snapshot taken before the lock would be older than what the last writer left.
                connection.execution_options(isolation_level="READ COMMITTED")
            with connection.begin():
                if connection.dialect.name != SQLITE:
                    connection.execute(text(f"SET LOCAL lock_timeout = '{WAIT}s'"))
                    connection.execute(text("SET LOCAL synchronous_commit = on"))
                    # A plan made while a table is small is kept, and would read all of it when it is large.
                    connection.execute(text("SET LOCAL enable_seqscan = off"))
                    connection.execute(text("SET LOCAL jit = off"))
                    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
                yield connection
                self._require_file()

    def _require_file(self) -> None:
        if self._file:
            self._file.require()

    def scrub(self) -> bool:
        """Take what was erased out of SQLite's write-ahead log; False while a reader still holds it there.

        PostgreSQL frees the space by itself, at a time of its own.
        """
        if self._engine.dialect.name != SQLITE:
            return True
        with _plain_errors(), self._engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            busy: int = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            return busy == 0

    def close(self) -> None:
        """Let go of every connection."""
        self._engine.dispose()


class _File:
    """SQLite's file as it was first opened: what is written into one that was moved away or deleted is lost."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: tuple[int, int] | None = None

    def remember(self, *_: object) -> None:
        """Called once a connection is open, for there is a file then."""
        self._known = self._known or self._found()

    def require(self, *_: object) -> None:
        """Raises RegistryError where another file, or none, stands under the name."""
        if self._known and self._found() != self._known:
            raise RegistryError(
                N_("the registry's database was moved, deleted or replaced while it was open; nothing is taken in"),
                remedy=N_("put the file back as it was, then send the same again"),
            )

    def _found(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino


def upgrade(connection: Connection, revision: str = REVISION) -> None:
    """Bring the tables to a revision, in the transaction that is open.

    Raises RegistryError where a newer release of Aloi has been there.
    """
    found = current(connection)
    if found == revision:
        return
    if found is not None and found > revision:
        raise RegistryError(
            N_("the registry's database is of revision {got}, made by a newer release; this one knows {expected}"),
            remedy=N_("install the newer release; nothing was changed"),
            got=found,
            expected=revision,
        )
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def kept(url: str) -> Database:
    """The database of a log that was begun, at this release's revision; nothing is made. Raises RegistryError."""
    address = _address(url)
    database = Database(url)
    found = None
    if address.drivername != SQLITE or Path(address.database or "").exists():
        with database.reading() as connection:
            found = current(connection)
    if found != REVISION:
        database.close()
        raise RegistryError(
            N_("{database} keeps no log of the revision {expected}: {problem}"),
            remedy=N_("serve it once with this release, which begins a log or brings it up to date"),
            database=address.database,
            expected=REVISION,
            problem=found or N_("there is none"),
        )
    return database


def current(connection: Connection) -> str | None:
    """The revision of the tables; None for an empty database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def _address(url: str) -> URL:
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):  # the latter for a port that is no number
        address = None
    if (
        address is None
        or address.drivername not in {SQLITE, POSTGRESQL}
        or (address.drivername == SQLITE and address.database in {None, "", ":memory:"})
    ):
        raise AskerError(
            N_("a registry cannot be kept at this address: it names no file of SQLite and no database of PostgreSQL"),
            remedy=N_("give sqlite:///FILE or postgresql+psycopg://USER@HOST/DATABASE"),
        )
    return address


def _engine(address: URL) -> Engine:
    if address.drivername == POSTGRESQL:
        logging.getLogger("psycopg").addFilter(_is_no_echo)
        try:
            return create_engine(address, pool_pre_ping=True, **_SILENT)
        except ModuleNotFoundError as error:
            raise MissingExtra(N_("a registry in PostgreSQL"), "postgres", "pip install 'aloi[postgres]'") from error
    engine = create_engine(address, connect_args={"timeout": WAIT}, **_SILENT)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _is_no_echo(record: logging.LogRecord) -> bool:
    """What psycopg could not tidy up after an error is said beside that error, which we tell."""
    return not str(record.msg).startswith("error ignored")


def _prepare(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions begin where we say so, below
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("aloi_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _plain_errors() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise _told(error) from error


def _told(error: DBAPIError) -> RegistryError:
    code = getattr(error.orig, "sqlite_errorname", None) or getattr(error.orig, "sqlstate", None) or ""
    if code in {"SQLITE_FULL", "53100"}:
        return RegistryError(
            N_("the registry's disk is full; nothing of this request was kept, and nothing older was lost"),
            remedy=N_("make room, then send the same again"),
        )
    if code.startswith("SQLITE_BUSY") or code == "55P03":
        return RegistryError(
            N_("another writer has held the registry for {seconds} seconds; nothing of this request was kept"),
            remedy=N_("let one process write to a log, then send the same again"),
            seconds=WAIT,
        )
    return RegistryError(
        N_("the registry's database failed: {problem}"),
        remedy=N_("see that it runs, then send the same again: what was kept already is not kept twice"),
        problem=str(error.orig).strip().partition("\n")[0],
    )
