"""A transparency log: entries in an order that never changes, durable before they are answered, and proofs of it.

    log = Log.open("sqlite:///log.db", key, "registry.example.org/log")
    (index,) = log.append([envelope], submitters)
    log.proof(index)  # a .tlog-proof file: aloi.evidence.logproof verifies it offline

Nothing of the log is kept in memory: each batch reads the head in the transaction in which it writes, so that two
processes with one log cannot make two stories of it.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from aloi.errors import AskerError, MissingExtra, RegistryError
from aloi.evidence import checkpoints, logproof, notes
from aloi.evidence.checkpoints import Checkpoint
from aloi.evidence.logproof import LogProof
from aloi.evidence.merkle import EMPTY, leaf_hash
from aloi.evidence.notes import ED25519, NoteKey
from aloi.evidence.publickeys import PublicKey, SigningKey
from aloi.registry import paths
from aloi.registry.admission import Admitted, admit_all
from aloi.registry.tiles import edge, grow
from aloi.translation import N_

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from aloi.registry.database import Database
    from aloi.registry.store import Head, Stored

BATCH = 1000


class Log:
    """One log and its key. Several may be open on one database, in threads or processes: they take turns."""

    def __init__(self, database: "Database", key: SigningKey, origin: str, clock: Callable[[], float]) -> None:
        """Use `open`."""
        self._database = database
        self._key = key
        self._clock = clock
        self.key = NoteKey(origin, ED25519, key.public)

    @classmethod
    def open(cls, url: str, key: SigningKey, origin: str, *, clock: Callable[[], float] = time.time) -> "Log":
        """Open a log, or begin it; its tables are brought up to date.

        `url` is `sqlite:///FILE` or `postgresql+psycopg://…`, `key` an Ed25519 key, `origin` the log's name, for ever.
        Raises MissingExtra, AskerError for an address or a key that is not this log's, EvidenceError ('key-kind',
        'key-name'), RegistryError where the database fails.
        """
        try:
            from aloi.registry.database import Database  # noqa: PLC0415 - an extra, imported where it is needed
        except ModuleNotFoundError as error:
            raise MissingExtra(N_("a registry"), "registry", "pip install 'aloi[registry]'") from error
        log = cls(Database(url), key, origin, clock)
        try:
            log._begin()
        except BaseException:
            log.close()
            raise
        return log

    def append(self, envelopes: Sequence[bytes], keys: Iterable[PublicKey]) -> list[int]:
        """Log envelopes that `keys` signed, all or none, and give the index of each.

        What was logged before, the same statement signed by the same, has the index that it had. Raises EvidenceError
        as `admission.admit`, with the place of the refused one in `where`, and as `sequence`.
        """
        _check_count(len(envelopes))
        return self.sequence(admit_all(envelopes, keys))

    def sequence(self, batch: Sequence[Admitted]) -> list[int]:
        """Give an index to envelopes that `admit` let through; they are durable when this returns.

        Raises RegistryError: the batch is too large, the disk full, the database gone, another writer too slow.
        """
        from aloi.registry import store  # noqa: PLC0415 - as above

        _check_count(len(batch))
        if not batch:
            return []
        with self._database.writing() as connection:
            signers = store.signer_ids(connection, {item.signers for item in batch})
            known = store.known(connection, {item.digest for item in batch})
            head = store.newest(connection)
            indices: list[int] = []
            fresh: list[tuple[Admitted, int]] = []
            for item in batch:
                signer = signers[item.signers]
                index = known.setdefault((item.digest, signer), head.size + len(fresh))
                if index == head.size + len(fresh):
                    fresh.append((item, signer))
                indices.append(index)
            if fresh:
                self._extend(connection, head, fresh)
        return indices

    def checkpoint(self) -> bytes:
        """The newest checkpoint: a signed note."""
        from aloi.registry import store  # noqa: PLC0415 - as above

        with self._database.reading() as connection:
            return store.newest(connection).note

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """The proof that entry `index` is in the tree of `size`. Raises RegistryError where the log is smaller."""
        with self._database.reading() as connection:
            return _inclusion(connection, index, size)

    def consistency(self, old: int, new: int) -> list[bytes]:
        """The proof that the tree of `old` is a prefix of that of `new`. Raises RegistryError where there is none."""
        with self._database.reading() as connection:
            _require_size(connection, new)
            if not 0 <= old <= new:
                raise _no_size(old, new)
            return _hashes(connection, paths.consistency(old, new))

    def proof(self, index: int) -> bytes:
        """A `.tlog-proof` file for an entry under the newest checkpoint. Raises RegistryError for an unknown index."""
        from aloi.registry import store  # noqa: PLC0415 - as above

        with self._database.reading() as connection:
            head = store.newest(connection)
            path = _inclusion(connection, index, head.size)
        return logproof.write(LogProof(index=index, path=tuple(path), note=notes.read(head.note)))

    def entry(self, index: int) -> "Stored":
        """An entry, and its envelope unless that was erased. Raises RegistryError for an unknown index."""
        from aloi.registry import store  # noqa: PLC0415 - as above

        with self._database.reading() as connection:
            return _entry(store.entry(connection, index), index)

    def erase(self, index: int, reason: str) -> None:
        """Erase the envelope of an entry, for ever; the entry, its proofs, and when and why it was erased stay.

        To erase again changes nothing. Raises RegistryError for an unknown index, and where a long read of another
        process keeps the old bytes on the disk.
        """
        from aloi.registry import store  # noqa: PLC0415 - as above

        with self._database.writing() as connection:
            if _entry(store.entry(connection, index), index).erased_at is None:
                now = max(int(self._clock()), store.newest(connection).time)
                store.erase(connection, index, now, reason)
        if not self._database.scrub():
            raise RegistryError(
                N_("entry {index} is erased, but a long read keeps its old bytes on the disk"),
                remedy=N_("let the read end, then erase the entry again"),
                index=index,
            )

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    def _begin(self) -> None:
        from aloi.registry import store  # noqa: PLC0415 - as above
        from aloi.registry.database import upgrade  # noqa: PLC0415 - as above

        mine = store.Owner(self.key.name, self.key.public.der)
        first = self._signed(0, EMPTY)
        with self._database.writing() as connection:
            upgrade(connection)
            owner = store.owner(connection)
            if owner is None:
                store.put_owner(connection, mine)
                store.put_head(connection, store.Head(0, int(self._clock()), first))
            elif owner != mine:
                raise AskerError(
                    N_("this is the log “{origin}”, and it has another name or another key than you gave"),
                    remedy=N_("open it by its own name and with its own key, or begin a log of your own elsewhere"),
                    origin=owner.origin,
                )

    def _extend(self, connection: "Connection", head: "Head", fresh: Sequence[tuple[Admitted, int]]) -> None:
        from aloi.registry import store  # noqa: PLC0415 - as above

        now = max(int(self._clock()), head.time)  # a clock that goes back does not take the log with it
        store.put_entries(connection, head.size, fresh, now)
        held = store.tiles(connection, edge(head.size))
        changed = grow(head.size, held, [leaf_hash(item.body) for item, _ in fresh])
        store.put_tiles(connection, changed, held)
        size = head.size + len(fresh)
        root = paths.hash_of((0, size), held | changed)
        store.put_head(connection, store.Head(size, now, self._signed(size, root)))

    def _signed(self, size: int, root: bytes) -> bytes:
        checkpoint = Checkpoint(self.key.name, size, root)
        return notes.write(checkpoints.sign(checkpoint, self.key.name, self._key))


def _inclusion(connection: "Connection", index: int, size: int) -> list[bytes]:
    _require_size(connection, size)
    if not 0 <= index < size:
        raise _no_entry(index)
    return _hashes(connection, paths.inclusion(index, size))


def _hashes(connection: "Connection", ranges: list[paths.Range]) -> list[bytes]:
    from aloi.registry import store  # noqa: PLC0415 - as above

    tiles = store.tiles(connection, paths.places(ranges))
    return [paths.hash_of(span, tiles) for span in ranges]


def _require_size(connection: "Connection", size: int) -> None:
    from aloi.registry import store  # noqa: PLC0415 - as above

    largest = store.newest(connection).size
    if not 0 <= size <= largest:
        raise _no_size(size, largest)


def _entry(found: "Stored | None", index: int) -> "Stored":
    if found is None:
        raise _no_entry(index)
    return found


def _check_count(count: int) -> None:
    if count > BATCH:
        raise RegistryError(
            N_("a batch of {got} envelopes is too large; at most {limit} are taken at once"),
            remedy=N_("send it in parts"),
            got=count,
            limit=BATCH,
        )


def _no_entry(index: int) -> RegistryError:
    return RegistryError(
        N_("the log has no entry {index}"), remedy=N_("see the size in the newest checkpoint"), index=index
    )


def _no_size(size: int, largest: int) -> RegistryError:
    return RegistryError(
        N_("there is no tree of size {size} here; sizes run from 0 to {largest}"),
        remedy=N_("see the size in the newest checkpoint"),
        size=size,
        largest=largest,
    )
