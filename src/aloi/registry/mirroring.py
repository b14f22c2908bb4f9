"""A verified copy of the log that answers at an address: every entry under its signed head, its index computed anew.

Whoever has one can replay it, serve it, and say whether the log's look-ups leave anything out.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
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
    """A log over HTTP, as a mirror asks for it: a `Source`. Each request is one run of the loop that it is given."""

    def __init__(self, loop: asyncio.Runner, registry: Registry) -> None:
        self._loop = loop
        self._registry = registry

    def fetch_checkpoint(self) -> bytes:
        """The signed head."""
        return self._loop.run(self._registry.checkpoint())

    def fetch_tile(self, level: int, index: int, width: int) -> bytes:
        """The tile of this width; nothing where the log says that it has none such."""
        return self._tile(Tile(level, index, width))

    def fetch_entries(self, index: int, width: int) -> bytes:
        """The bundle of this many entries; nothing where the log says that it has none such."""
        return self._tile(Tile(ENTRIES, index, width))

    def _tile(self, tile: Tile) -> bytes:
        try:
            return self._loop.run(self._registry.tile(tile))
        except Refusal as error:
            if error.status == NOT_FOUND:
                return b""  # a log owes every tile of a head that it signed: the mirror says what is missing
            raise


def mirror(url: str, folder: Path, policy: Policy) -> Mirrored:
    """Bring the copy in `folder` up to the log's head, and begin it where there is none.

    No event loop may run in this thread. Raises EvidenceError where the log is none of the policy ('unknown-log'),
    contradicts what was seen of it, serves other entries than it signed for (as `Mirror.pull`), or leaves something out
    of its index (as `monitor.check`); evidence against it is kept in the folder. Raises AskerError, RegistryError.
    """
    with asyncio.Runner() as loop:
        opening = open_registry(url)
        registry = loop.run(opening.__aenter__())
        try:
            name = loop.run(registry.about()).name
            keys = [key for key in policy.logs if key.name == name]
            if not keys:
                raise _unknown(name)
            copy = FolderCopy(folder) if folder.exists() else FolderCopy.create(folder)
            try:
                return _pulled(Mirror(name, keys, Remote(loop, registry), copy), copy)
            finally:
                copy.close()
        except OSError as error:
            raise AskerError(
                N_("the copy in {folder} cannot be kept: {problem}"),
                remedy=N_("make room, or name a folder that you may write to; what was kept stays"),
                folder=folder,
                problem=error.strerror or error,
            ) from error
        finally:
            loop.run(opening.__aexit__(None, None, None))


def _pulled(mirror: Mirror, copy: FolderCopy) -> Mirrored:
    before = copy.count()
    while True:
        pulled = mirror.pull()
        if isinstance(pulled, Declined):
            raise pulled.why
        if pulled.complete:
            break
    head = checkpoints.parse(notes.read(copy.heads().complete).text)
    (state,) = deque(monitor.replay(_entries(copy, head.size)), maxlen=1)
    monitor.check(head, state)
    return Mirrored(head.origin, head.size, head.size - before, state.head.subjects)


def _entries(copy: FolderCopy, size: int) -> Iterator[bytes]:
    for index in range(-(-size // WIDTH)):
        yield from copy.entries(index)


def _unknown(name: str) -> EvidenceError:
    return EvidenceError(
        N_("the log is called “{got}”, and your policy names no such log"),
        reason="unknown-log",
        remedy=N_("check the address, or add the log's key to your policy once its keeper gave it to you"),
        got=shown(name),
    )
