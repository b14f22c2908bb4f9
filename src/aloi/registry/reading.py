"""What a log answers, read in one transaction: its published checkpoint, tiles, proofs, entries and look-ups."""

from collections.abc import Sequence

from sqlalchemy import Connection

from aloi.errors import RegistryError
from aloi.evidence import logproof, notes
from aloi.evidence.logproof import LogProof
from aloi.registry import answers, indexstore, paths, store
from aloi.registry.index import Index
from aloi.registry.store import Head, Stored
from aloi.registry.tiles import ENTRIES, HASH, HEIGHT, WIDTH, Tile, pack
from aloi.translation import N_


class NotThere(RegistryError):
    """The log has no such entry, tile or size."""


def published(connection: Connection) -> Head:
    """The published checkpoint. Raises RegistryError while a log of an older release is being opened."""
    taken = indexstore.published(connection)
    head = store.head(connection, taken.size) if taken else None
    if head is None:
        raise RegistryError(N_("the log is not open yet"), remedy=N_("ask again in a moment"))
    return head


def entry(connection: Connection, index: int) -> Stored:
    """An entry. Raises RegistryError for an unknown index."""
    found = store.entry(connection, index)
    if found is None:
        raise _no_entry(index)
    return found


def filed(connection: Connection, subject: str) -> list[Stored]:
    """The entries of the published log that name a subject, in its order; none that name only their statements."""
    return [entry(connection, index) for index in _index(connection).look_up(subject).indices]


def _index(connection: Connection) -> Index:
    """The index at the published checkpoint."""
    return Index(indexstore.StoredNodes(connection, indexstore.since(connection)))


def tile(connection: Connection, asked: Tile) -> bytes:
    """A tile, or a bundle of entries. Raises NotThere where the log has none such.

    Also of what is signed and not published yet: whoever is to cosign it may have to read it first.
    """
    size = store.newest(connection).size >> (HEIGHT * max(asked.level, 0))
    first = asked.index * WIDTH
    if first + asked.width > size:
        raise NotThere(
            N_("the log has no tile {path} yet"), remedy=N_("see the size in the newest checkpoint"), path=asked.path
        )
    if asked.level == ENTRIES:
        return pack(store.bodies(connection, first, asked.width))
    place = (asked.level, asked.index)
    return store.tiles(connection, [place])[place][: asked.width * HASH]


def inclusion(connection: Connection, index: int, size: int) -> list[bytes]:
    """The proof that entry `index` is in the tree of `size`. Raises RegistryError where the log is smaller."""
    _require_size(connection, size)
    if not 0 <= index < size:
        raise _no_entry(index)
    return _hashes(connection, paths.inclusion(index, size))


def consistency(connection: Connection, old: int, new: int) -> list[bytes]:
    """The proof that the tree of `old` is a prefix of that of `new`. Raises RegistryError where there is none."""
    _require_size(connection, new)
    if not 0 <= old <= new:
        raise _no_size(old, new)
    return _hashes(connection, paths.consistency(old, new))


def proof(connection: Connection, index: int) -> bytes:
    """A `.tlog-proof` file for an entry under the published checkpoint. Raises RegistryError for an unknown index."""
    head = published(connection)
    path = inclusion(connection, index, head.size)
    return logproof.write(LogProof(index=index, path=tuple(path), note=notes.read(head.note)))


def look_up(connection: Connection, subject: str) -> bytes:
    """All that the published log holds about `sha256:<64 hex>`. Raises RegistryError as `answers.answer`."""
    head = published(connection)
    return answers.answer(subject, _index(connection), _Entries(connection), notes.read(head.note))


class _Entries:
    """The entries and paths that an answer asks for."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def entry(self, index: int) -> bytes:
        return entry(self._connection, index).body

    def path(self, index: int, size: int) -> Sequence[bytes]:
        return _hashes(self._connection, paths.inclusion(index, size))


def _hashes(connection: Connection, ranges: list[paths.Range]) -> list[bytes]:
    tiles = store.tiles(connection, paths.places(ranges))
    return [paths.hash_of(span, tiles) for span in ranges]


def _require_size(connection: Connection, size: int) -> None:
    largest = store.newest(connection).size
    if not 0 <= size <= largest:
        raise _no_size(size, largest)


def _no_entry(index: int) -> NotThere:
    return NotThere(N_("the log has no entry {index}"), remedy=N_("see the size in the newest checkpoint"), index=index)


def _no_size(size: int, largest: int) -> NotThere:
    return NotThere(
        N_("there is no tree of size {size} here; sizes run from 0 to {largest}"),
        remedy=N_("see the size in the newest checkpoint"),
        size=size,
        largest=largest,
    )
