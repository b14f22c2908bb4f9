"""A log's tiles as static files, for whatever serves or copies files (C2SP tlog-tiles).

    folder = TileFolder.open(Path("tiles"), log)
    folder.follow()  # writes what was published since

The folder holds `checkpoint` and `tile/…`, as their addresses are. Only what the database has committed is written, and
`checkpoint` last: what it counts is on the disk before. A partial tile is there for each checkpoint that was shown,
until the whole one is.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from aloi.errors import AskerError, EvidenceError, RegistryError
from aloi.evidence import checkpoints, notes
from aloi.registry import durable, tiles
from aloi.registry.log import Log
from aloi.registry.tiles import ENTRIES, HASH, WIDTH, Tile, unpack
from aloi.translation import N_

CHECKPOINT = "checkpoint"
TEMPORARY = ".tmp"
_PUBLIC = 0o644  # what anybody may ask for, as far as the process's mask lets it


class TileFolder:
    """The folder of one log, which one process has to itself. `size` is what its checkpoint counts."""

    def __init__(self, folder: Path, log: Log, held: int, note: bytes) -> None:
        """Use `open`."""
        self._folder = folder
        self._log = log
        self._held = held
        self._note = note
        self.size = size_of(note)

    @classmethod
    def open(cls, folder: Path, log: Log) -> "TileFolder":
        """Open the folder, or make it.

        Raises AskerError where it cannot be had, is another process's or shows another log; RegistryError where it
        shows what the log does not have.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
            held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                note = read(folder / CHECKPOINT)
                _require_own(folder, note, log)
                _sweep(folder)
                return cls(folder, log, held, note)
            except BaseException:
                os.close(held)
                raise
        except BlockingIOError as error:
            raise AskerError(
                N_("another process works in {folder}"),
                remedy=N_("end it first, or name a folder that only this one writes to"),
                folder=folder,
            ) from error
        except OSError as error:
            raise _unkept(folder, error) from error

    def follow(self, goes_on: Callable[[], bool] = lambda: True) -> None:
        """Write what was published since. Where `goes_on` says no it ends early, and nothing new is shown.

        Raises OSError, RegistryError; what was shown stays, and the next call goes on.
        """
        note = self._log.published()
        size = size_of(note)
        if note == self._note or size < self.size:
            return
        touched: set[Path] = set()
        for tile in owed(self.size, size):
            if not goes_on():
                return
            touched |= self._put(tile)
        for each in touched:
            durable.sync(each)
        durable.put(self._folder / CHECKPOINT, note, self._folder / TEMPORARY, _PUBLIC)
        durable.sync(self._folder)
        before, self._note, self.size = self.size, note, size
        for tile in owed(before, size):
            if tile.index == before >> (tiles.HEIGHT * (max(tile.level, 0) + 1)) and tile.width == WIDTH:
                _remove_partial(self._folder / tile.path)

    def read(self, tile: Tile) -> bytes | None:
        """A tile as its file holds it; None where there is none, or not a whole one."""
        with suppress(OSError, EvidenceError):
            data = read(self._folder / tile.path)
            if len(unpack(data)) == tile.width if tile.level == ENTRIES else len(data) == tile.width * HASH:
                return data
        return None

    def close(self) -> None:
        """Let another process open the folder."""
        os.close(self._held)

    def _put(self, tile: Tile) -> set[Path]:
        """Write a tile, unless it is there; gives the folders in which there may be new names."""
        path, data = self._folder / tile.path, self._log.tile(tile)
        path.parent.mkdir(parents=True, exist_ok=True)
        if _or_nothing(path) != data:
            durable.put(path, data, self._folder / TEMPORARY, _PUBLIC)
        return {each for each in path.parents if each.is_relative_to(self._folder)}


def shows_a_log(folder: Path) -> bool:
    """Whether a checkpoint stands in the folder. Raises AskerError where that cannot be seen."""
    try:
        return bool(read(folder / CHECKPOINT))
    except OSError as error:
        raise _unkept(folder, error) from error


def owed(old: int, new: int) -> Iterator[Tile]:
    """The tiles that change when a log of size `old` grows to `new`, and the bundles of entries under them."""
    for tile in tiles.changed(old, new):
        if tile.level == 0:
            yield Tile(ENTRIES, tile.index, tile.width)
        yield tile


def size_of(note: bytes) -> int:
    """The size that a checkpoint counts; 0 where there is none. Raises EvidenceError."""
    return checkpoints.size_of(note) if note else 0


def read(path: Path) -> bytes:
    """The bytes of a file, and nothing where there is none; no link is followed. Raises OSError."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return b""
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


def _or_nothing(path: Path) -> bytes:
    with suppress(OSError):  # what is in the way is told when it is to be replaced
        return read(path)
    return b""


def _unkept(folder: Path, error: OSError) -> AskerError:
    return AskerError(
        N_("tiles cannot be kept in {folder}: {problem}"),
        remedy=N_("name a folder that you may write to"),
        folder=folder,
        problem=error.strerror or error,
    )


def _require_own(folder: Path, note: bytes, log: Log) -> None:
    if not note:
        return
    try:
        kept = log.keeps(notes.read(note))
    except EvidenceError as error:
        raise AskerError(
            N_("{folder} shows a checkpoint that this log did not sign: {problem}"),
            remedy=N_("name a folder of its own for each log"),
            folder=folder,
            problem=str(error),
        ) from error
    if not kept:
        raise RegistryError(
            N_(
                "{folder} shows {size} entries of this log that its database does not have: it was put back, or changed"
            ),
            remedy=N_("restore the newest copy of the database: others may have read what the folder shows"),
            folder=folder,
            size=size_of(note),
        )


def _sweep(folder: Path) -> None:
    """Remove what a process left that was killed: a file half written, partial tiles of whole ones."""
    (folder / TEMPORARY).unlink(missing_ok=True)
    for partial in (folder / "tile").rglob("*.p"):
        if partial.with_suffix("").is_file():
            _remove_partial(partial.with_suffix(""))


def _remove_partial(whole: Path) -> None:
    partial = whole.with_name(whole.name + ".p")
    if partial.is_dir() and not partial.is_symlink():
        for each in partial.iterdir():
            each.unlink()
        partial.rmdir()
