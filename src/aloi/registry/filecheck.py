"""A folder of tiles held to the log, which was computed again: what it promises is there, and the same.

A checkpoint promises the tiles of its size. Partial tiles of earlier sizes are compared where they are; what is beyond
the log as it was read is left alone, for its server may be writing.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from sqlalchemy import Connection

from aloi.errors import EvidenceError
from aloi.evidence import checkpoints, notes
from aloi.evidence.notes import NoteKey
from aloi.registry import store
from aloi.registry.store import Place
from aloi.registry.tilefolder import CHECKPOINT, read
from aloi.registry.tiles import ENTRIES, FULL, HASH, HEIGHT, WIDTH, Tile, pack
from aloi.translation import N_


class FileCheck:
    """Given the log in order, from its first entry on. Raises EvidenceError: 'file-missing', 'file-differs'."""

    def __init__(self, folder: Path, key: NoteKey) -> None:
        self._folder = folder
        self._text = ""
        self._size = self._files = self._bundles = 0
        self._last: list[bytes] = []
        note = self._read(folder / CHECKPOINT)
        if note:
            try:
                head = notes.read(note)
                self._size = checkpoints.verify(head, [key], origin=key.name).size
                self._text = head.text
            except EvidenceError as error:
                raise self._differs(CHECKPOINT) from error

    def begin(self, connection: Connection) -> None:
        """The log's database, which keeps every checkpoint that was shown."""
        if self._text:
            kept = store.head(connection, self._size)
            if kept is None or notes.read(kept.note).text != self._text:
                raise self._differs(CHECKPOINT)
            self._files += 1

    def take(self, entries: Sequence[bytes], tiles: Mapping[Place, bytes]) -> None:
        """The next entries, and each tile that they change."""
        for entry in entries:
            self._last.append(entry)
            if len(self._last) == WIDTH:
                self._bundle()
        for (level, index), hashes in tiles.items():
            if len(hashes) == FULL:
                self._tile(level, index, hashes)

    def end(self, edge: Mapping[Place, bytes]) -> int:
        """The partial tiles of the log; gives how many files hold the same."""
        if self._last:
            self._bundle()
        for (level, index), hashes in edge.items():
            self._tile(level, index, hashes)
        return self._files

    def _bundle(self) -> None:
        entries, self._last = self._last, []
        self._compare(ENTRIES, self._bundles, len(entries), lambda width: pack(entries[:width]))
        self._bundles += 1

    def _tile(self, level: int, index: int, hashes: bytes) -> None:
        self._compare(level, index, len(hashes) // HASH, lambda width: hashes[: width * HASH])

    def _compare(self, level: int, index: int, known: int, expected: Callable[[int], bytes]) -> None:
        promised = min(WIDTH, (self._size >> (HEIGHT * max(level, 0))) - index * WIDTH)
        whole = self._folder / Tile(level, index).path
        found = set()
        # The whole one last: a partial one that goes meanwhile has it in its place.
        for width in [*self._partial(whole), WIDTH]:
            tile = Tile(level, index, width)
            data = self._read(self._folder / tile.path)
            if data and width <= known:
                if data != expected(width):
                    raise self._differs(tile.path)
                self._files += 1
            if data:
                found.add(width)
        if promised > 0 and not found & {promised, WIDTH}:
            raise EvidenceError(
                N_("{folder} lacks {file}, which its checkpoint counts"),
                reason="file-missing",
                remedy=_AGAIN,
                folder=self._folder,
                file=Tile(level, index, promised).path,
            )

    def _partial(self, whole: Path) -> list[int]:
        folder = whole.with_name(whole.name + ".p")
        try:
            names = [each.name for each in folder.iterdir()]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self._differs(folder.relative_to(self._folder)) from error
        return sorted(int(name) for name in names if name.isascii() and name.isdigit() and 0 < int(name) < WIDTH)

    def _read(self, path: Path) -> bytes:
        try:
            return read(path)
        except OSError as error:
            raise self._differs(path.relative_to(self._folder)) from error

    def _differs(self, file: str | Path) -> EvidenceError:
        return EvidenceError(
            N_("{folder} does not show this log: {file} does not hold what the log's entries make of it"),
            reason="file-differs",
            remedy=_AGAIN,
            folder=self._folder,
            file=file,
        )


_AGAIN = N_("keep the folder aside and ask who changed it; `aloi registry serve` makes it anew from the database")
