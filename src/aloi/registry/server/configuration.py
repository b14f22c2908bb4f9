"""`registry.yaml`: whose log this is, where it is kept, who may publish in it and who witnesses it."""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from aloi.errors import AskerError
from aloi.evidence.fields import Domain
from aloi.evidence.keys import PrivateKey, load, load_public
from aloi.evidence.notes import NoteKey
from aloi.evidence.publickeys import PublicKey
from aloi.registry.client import require_address
from aloi.registry.database import SQLITE
from aloi.registry.server.opened import Address, Opened, Text, Url, Verifier, contents
from aloi.system.loading import read
from aloi.translation import N_


class _Section(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class SubmitterSection(_Section, frozen=True, kw_only=True):
    """Who may publish: the keys (files, beside `registry.yaml`) and how many statements an hour.

    With an `organisation`, its domain, the keys are those by which it begins: its logged roster says the others.
    """

    name: Text
    keys: Annotated[tuple[Text, ...], Meta(min_length=1)]
    organisation: Domain | None = None
    per_hour: Annotated[int, Meta(ge=1, le=10_000_000)] = 3_600


class WitnessSection(_Section, frozen=True, kw_only=True):
    """Who is asked to cosign each checkpoint: a verifier key (`name+id+key`), and where the witness answers."""

    key: Verifier
    url: Url


class Limits(_Section, frozen=True, kw_only=True):
    """What one request may cost: bytes of one statement and of a request, requests a minute from one address."""

    statement_bytes: Annotated[int, Meta(ge=1_000, le=1 << 20)] = 1 << 20
    request_bytes: Annotated[int, Meta(ge=1_000, le=1 << 26)] = 1 << 23
    requests_per_minute: Annotated[int, Meta(ge=1, le=1_000_000)] = 1_200


class File(_Section, frozen=True, kw_only=True):
    """The file as it is written."""

    name: Text
    key: Text
    database: Text = "sqlite:///registry.db"
    tiles: Text | None = None
    listen: Address = "127.0.0.1:8420"
    submitters: tuple[SubmitterSection, ...] = ()
    witnesses: tuple[WitnessSection, ...] = ()
    limits: Limits = Limits()


class Submitter(Struct, frozen=True, kw_only=True):
    """Who may publish, with the keys themselves."""

    name: str
    keys: tuple[PublicKey, ...]
    per_hour: int
    organisation: str = ""


class Configuration(Struct, frozen=True, kw_only=True):
    """A registry that can be opened: paths resolved, keys read."""

    name: str
    key: PrivateKey
    database: str
    tiles: Path | None
    host: str
    port: int
    submitters: tuple[Submitter, ...]
    witnesses: Mapping[NoteKey, str]
    limits: Limits


def load_configuration(path: Path, passphrase: bytes | None = None) -> Configuration:
    """Read `registry.yaml` and the keys that it names; files stand beside it.

    Raises InvalidFile with every fault and its line, AskerError where a file cannot be read.
    """
    data = contents(path, N_("begin a registry with `aloi registry init FOLDER`, or name its registry.yaml"))
    file, lines = read(data, str(path), File)
    opened = _Opened(path.parent, lines)
    key = opened.get(("key",), lambda: load(path.parent / file.key, passphrase))
    database = opened.get(("database",), lambda: _database(file.database, path.parent))
    submitters = tuple(opened.submitters(file))
    witnesses = opened.witnesses(file)
    tiles = None if file.tiles is None else opened.tiles(file.tiles, (path, path.parent / file.key, _kept(database)))
    host, port = opened.listen(file.listen)
    opened.require_whole(path)
    assert key is not None  # what could not be had is a fault
    assert database is not None
    return Configuration(
        name=file.name,
        key=key,
        database=database,
        tiles=tiles,
        host=host,
        port=port,
        submitters=submitters,
        witnesses=witnesses,
        limits=file.limits,
    )


class _Opened(Opened):
    def submitters(self, file: File) -> Iterator[Submitter]:
        named: dict[str, str] = {}
        organised: dict[str, str] = {}
        for number, section in enumerate(file.submitters):
            keys = []
            for each, name in enumerate(section.keys):
                place = ("submitters", number, "keys", each)
                key = self.get(place, partial(load_public, self.folder / name))
                if key and named.setdefault(key.id, section.name) != section.name:
                    sentence = N_("{path}: this key stands under “{other}” too; a key speaks for one submitter")
                    self.fault(place, sentence, other=named[key.id])
                keys += [key] if key else []
            domain = section.organisation or ""
            if domain and organised.setdefault(domain, section.name) != section.name:
                sentence = N_("{path}: this organisation stands under “{other}” too; it is one submitter")
                self.fault(("submitters", number, "organisation"), sentence, other=organised[domain])
            yield Submitter(name=section.name, keys=tuple(keys), per_hour=section.per_hour, organisation=domain)

    def witnesses(self, file: File) -> dict[NoteKey, str]:
        found: dict[NoteKey, str] = {}
        for number, section in enumerate(file.witnesses):
            key = self.get(("witnesses", number, "key"), partial(NoteKey.parse, section.key))
            url = self.get(("witnesses", number, "url"), partial(require_address, section.url))
            if key and url:
                found[key] = url
        return found

    def tiles(self, name: str, private: Iterable[Path | None]) -> Path:
        """The folder that everybody is to read, in which nothing `private` may stand."""
        folder = self.folder / name
        public = os.path.realpath(folder)
        for each in filter(None, private):
            named = Path(os.path.realpath(each.parent), each.name), Path(os.path.realpath(each))
            if any(way.is_relative_to(public) for way in named):
                self.fault(
                    ("tiles",),
                    N_("{path}: {file} stands in {folder}, which is for everybody to read"),
                    remedy=N_("name a folder that holds nothing else, such as tiles"),
                    file=each.name,
                    folder=name,
                )
        return folder


def _database(url: str, folder: Path) -> str:
    """The address, a file of SQLite being beside `registry.yaml`; no password may stand in it."""
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):
        return url  # the database says what is wrong with it
    if address.password is not None or any("password" in name for name in address.query):
        raise AskerError(
            N_("a password stands in the database's address"),
            remedy=N_("leave it out: PostgreSQL takes it from the file that PGPASSFILE names"),
        )
    if address.drivername == SQLITE and address.database and address.database != ":memory:":
        address = address.set(database=str(folder / address.database))
    return address.render_as_string()


def _kept(database: str | None) -> Path | None:
    """The file that a log is kept in; None where a server keeps it."""
    with suppress(ArgumentError, ValueError):
        address = make_url(database or "")
        return Path(address.database) if address.drivername == SQLITE and address.database else None
    return None
