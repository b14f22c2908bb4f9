"""A verified copy of the log that answers at an address: every entry under its signed head, its index computed anew.

Whoever has one can replay it, serve it, and say whether the log's look-ups leave anything out.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from aloi.errors import AskerError, EvidenceError
from aloi.evidence import checkpoints, notes
from aloi.evidence.decoding import shown
from aloi.evidence.trustpolicy import Policy
from aloi.registry import monitor
from aloi.registry.client import Refusal, Registry, open_registry
from aloi.registry.copies import FolderCopy
from aloi.registry.mirror import Declined, Mirror
from aloi.registry.monitor import Replay
from aloi.registry.tiles import ENTRIES, WIDTH, Tile
from aloi.translation import N_

NOT_FOUND = 404


class Mirrored(NamedTuple):
    """The log's name, the entries that are kept, how many are new, and the subjects of its index."""

    origin: str
    entries: int
    fresh: int
    subjects: int


class Remote:
    """A log over HTTP, as a mirror asks for it: a `Source`. Each request is one run of the loop that it is given.

    `head` is the signed head that is at hand already; else the published one is asked for.
    """

    def __init__(self, loop: asyncio.Runner, registry: Registry, head: bytes = b"") -> None:
        self._loop = loop
        self._registry = registry
        self._head = head

    def name(self) -> str:
        """What the log is called, by the word of its head. Raises RegistryError where that is none."""
        try:
            return checkpoints.parse(notes.read(self.fetch_checkpoint()).text).origin
        except EvidenceError as error:
            raise self._registry.strange(str(error)) from error

    def fetch_checkpoint(self) -> bytes:
        """The signed head."""
        return self._head or self._loop.run(self._registry.checkpoint())

    def fetch_tile(self, level: int, index: int, width: int) -> bytes:
        """The tile of this width, or the whole one; nothing where the log says that it has neither."""
        return self._tile(Tile(level, index, width))

    def fetch_entries(self, index: int, width: int) -> bytes:
        """The bundle of this many entries, or the whole one; nothing where the log says that it has neither."""
        return self._tile(Tile(ENTRIES, index, width))

    def _tile(self, tile: Tile) -> bytes:
        try:
            return self._loop.run(self._registry.tile(tile))
        except Refusal as error:
            if error.status == NOT_FOUND and tile.width < WIDTH:
                return self._tile(Tile(tile.level, tile.index))  # static files may have let go of the partial one
            if error.status == NOT_FOUND:
                return b""  # a log owes every tile of a head that it signed: the mirror says what is missing
            raise


@contextmanager
def remote(url: str, head: bytes = b"") -> Iterator[Remote]:
    """The log at an address, where no event loop runs in this thread. Raises AskerError as `open_registry`."""
    with asyncio.Runner() as loop:
        opening = open_registry(url)
        registry = loop.run(opening.__aenter__())
        try:
            yield Remote(loop, registry, head)
        finally:
            loop.run(opening.__aexit__(None, None, None))


def mirror(url: str, folder: Path, policy: Policy) -> Mirrored:
    """Bring the copy in `folder` up to the log's head, and begin it where there is none.

    No event loop may run in this thread. Raises EvidenceError where the log is none of the policy ('unknown-log'),
    contradicts what was seen of it, serves other entries than it signed for (as `Mirror.pull`), or leaves something out
    of its index (as `monitor.check`); evidence against it is kept in the folder. Raises AskerError, RegistryError.
    """
    try:
        with remote(url) as source:
            name = source.name()
            keys = [key for key in policy.logs if key.name == name]
            if not keys:
                raise _unknown(name)
            copy = FolderCopy(folder) if folder.exists() else FolderCopy.create(folder)
            try:
                return _mirrored(Mirror(name, keys, source, copy), copy)
            finally:
                copy.close()
    except OSError as error:
        raise AskerError(
            N_("the copy in {folder} cannot be kept: {problem}"),
            remedy=N_("make room, or name a folder that you may write to; what was kept stays"),
            folder=folder,
            problem=error.strerror or error,
        ) from error


def pull_whole(mirror: Mirror) -> None:
    """Pull until every entry under the head is kept. Raises EvidenceError where it is declined, and as `pull`."""
    while True:
        pulled = mirror.pull()
        if isinstance(pulled, Declined):
            raise pulled.why
        if pulled.complete:
            return


def _mirrored(mirror: Mirror, copy: FolderCopy) -> Mirrored:
    before = copy.count()
    pull_whole(mirror)
    head = checkpoints.parse(notes.read(copy.heads().complete).text)
    replay = Replay()
    replay.take(entries(copy, 0, head.size))
    monitor.check(head, replay.state())
    return Mirrored(head.origin, head.size, head.size - before, replay.state().head.subjects)


def entries(copy: FolderCopy, first: int, last: int) -> Iterator[bytes]:
    """The entries of a copy from index `first` to before `last`."""
    for index in range(first // WIDTH, -(-last // WIDTH)):
        start = index * WIDTH
        yield from copy.entries(index)[max(0, first - start) : last - start]


def _unknown(name: str) -> EvidenceError:
    return EvidenceError(
        N_("the log is called “{got}”, and your policy names no such log"),
        reason="unknown-log",
        remedy=N_("check the address, or add the log's key to your policy once its keeper gave it to you"),
        got=shown(name),
    )
