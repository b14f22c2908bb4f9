"""A transparency log: entries in an order that never changes, durable before they are answered, and proofs of it.

    log = Log.open("sqlite:///log.db", key, "registry.example.org/log")
    (index,) = log.append([envelope], submitters)
    log.proof(index)  # a .tlog-proof file: aloi.evidence.logproof verifies it offline
    log.look_up("sha256:…")  # all about a system: aloi.evidence.lookup verifies it offline

Each batch reads the head in the transaction in which it writes, so that two processes with one log cannot make two
stories of it. Each checkpoint commits to the index by subject too. What is proved and looked up is so under the
*published* checkpoint, which may wait for its witnesses: `sequence`, gather their cosignatures, `publish`.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from aloi.errors import AskerError, EvidenceError, MissingExtra, RegistryError
from aloi.evidence import checkpoints, notes
from aloi.evidence.checkpoints import Checkpoint
from aloi.evidence.lookup import IndexHead, index_head
from aloi.evidence.merkle import EMPTY, leaf_hash
from aloi.evidence.notes import ED25519, Note, NoteKey
from aloi.evidence.publickeys import PublicKey, SigningKey
from aloi.registry import paths
from aloi.registry.admission import Admitted, admit_all
from aloi.registry.tiles import Tile, edge, grow
from aloi.translation import N_

try:
    from aloi.registry import indexstore, reading, recall, store
    from aloi.registry.database import Database, upgrade
    from aloi.registry.indexstore import Changes
    from aloi.registry.store import Head, Stored
except ModuleNotFoundError as error:
    raise MissingExtra(N_("a registry"), "registry", "pip install 'aloi[registry]'") from error

if TYPE_CHECKING:
    from sqlalchemy import Connection

BATCH = 1000


class Log:
    """One log and its key. Several may be open on one database, in threads or processes: they take turns."""

    def __init__(self, database: Database, key: SigningKey, origin: str, clock: Callable[[], float]) -> None:
        """Use `open`."""
        self._database = database
        self._key = key
        self._clock = clock
        self._changes: Changes | None = None
        self._sieve = recall.Sieve()
        self.key = NoteKey(origin, ED25519, key.public)

    @classmethod
    def open(
        cls,
        url: str,
        key: SigningKey,
        origin: str,
        *,
        clock: Callable[[], float] = time.time,
        begin: bool = True,
    ) -> "Log":
        """Open a log, or `begin` it; its tables are brought up to date.

        `url` is `sqlite:///FILE` or `postgresql+psycopg://…`, `key` an Ed25519 key, `origin` the log's name, for ever.
        Raises MissingExtra, AskerError for an address or a key that is not this log's, EvidenceError ('key-kind',
        'key-name'), RegistryError where the database fails, or holds no log and none may begin.
        """
        log = cls(Database(url), key, origin, clock)
        try:
            log._begin(may=begin)
        except BaseException:
            log.close()
            raise
        return log

    def append(self, envelopes: Sequence[bytes], keys: Iterable[PublicKey]) -> list[int]:
        """Log and publish envelopes that `keys` signed, all or none, and give the index of each.

        What was logged before, the same statement signed by the same, has the index that it had. Raises EvidenceError
        as `admission.admit`, with the place of the refused one in `where`, and as `sequence`.
        """
        require_batch(len(envelopes))
        return self.sequence(admit_all(envelopes, keys))

    def sequence(self, batch: Sequence[Admitted], *, publish: bool = True) -> list[int]:
        """Give an index to envelopes that `admit` let through; they are durable when this returns.

        Without `publish` their checkpoint waits for the call of that name. Raises RegistryError: the batch is too
        large, the disk full, the database gone, another writer too slow.
        """
        require_batch(len(batch))
        if not batch:
            return []
        changes, self._changes = self._changes, None  # what a failed transaction took in is forgotten with it
        with self._database.writing() as connection:
            signers = store.signer_ids(connection, {item.signers for item in batch})
            head = store.newest(connection)
            known = recall.known(connection, self._sieve.sift(connection, head.size, {item.digest for item in batch}))
            indices: list[int] = []
            fresh: list[tuple[Admitted, int]] = []
            for item in batch:
                signer = signers[item.signers]
                index = known.setdefault((item.digest, signer), head.size + len(fresh))
                if index == head.size + len(fresh):
                    fresh.append((item, signer))
                indices.append(index)
            if fresh:
                changes = since = self._extend(connection, head, fresh, changes)
                if publish:
                    changes = indexstore.StoredNodes(connection, since).flush()
            elif publish:
                changes = _publish(connection, head, changes)
        self._changes = changes
        return indices

    def publish(self, note: Note | None = None) -> None:
        """Let proofs and look-ups stand under a checkpoint of the log, with the lines that the note has.

        By default under the newest. One that is smaller than the published one changes nothing. Raises EvidenceError
        for what the log did not sign, RegistryError for what it does not keep.
        """
        changes, self._changes = self._changes, None
        with self._database.writing() as connection:
            head = store.newest(connection) if note is None else self._cosigned(connection, note)
            changes = _publish(connection, head, changes)
        self._changes = changes

    def checkpoint(self) -> bytes:
        """The newest checkpoint: a signed note."""
        with self._database.reading() as connection:
            return store.newest(connection).note

    def published(self) -> bytes:
        """The published checkpoint, with its cosignatures."""
        with self._database.reading() as connection:
            return reading.published(connection).note

    def keeps(self, note: Note) -> bool:
        """Whether a checkpoint of the log, with whatever lines, is one that it keeps.

        Raises EvidenceError for what the log did not sign.
        """
        with self._database.reading() as connection:
            return self._kept(connection, note) is not None

    def tile(self, tile: Tile) -> bytes:
        """A tile, or a bundle of entries. Raises RegistryError where the log has none such."""
        with self._database.reading() as connection:
            return reading.tile(connection, tile)

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """The proof that entry `index` is in the tree of `size`. Raises RegistryError where the log is smaller."""
        with self._database.reading() as connection:
            return reading.inclusion(connection, index, size)

    def consistency(self, old: int, new: int) -> list[bytes]:
        """The proof that the tree of `old` is a prefix of that of `new`. Raises RegistryError where there is none."""
        with self._database.reading() as connection:
            return reading.consistency(connection, old, new)

    def proof(self, index: int) -> bytes:
        """A `.tlog-proof` file for an entry under the published checkpoint. Raises RegistryError for an unknown one."""
        with self._database.reading() as connection:
            return reading.proof(connection, index)

    def look_up(self, subject: str) -> bytes:
        """All that the published log holds about `sha256:<64 hex>`, for `aloi.evidence.lookup.verify_lookup`.

        Raises RegistryError where that is more than a verifier reads.
        """
        with self._database.reading() as connection:
            return reading.look_up(connection, subject)

    def filed(self, subject: str) -> "list[Stored]":
        """The entries of the published log that name `sha256:<64 hex>`, without a proof that they are all."""
        with self._database.reading() as connection:
            return reading.filed(connection, subject)

    def entry(self, index: int) -> Stored:
        """An entry, and its envelope unless that was erased. Raises RegistryError for an unknown index."""
        with self._database.reading() as connection:
            return reading.entry(connection, index)

    def erase(self, index: int, reason: str) -> None:
        """Erase the envelope of an entry, for ever; the entry, its proofs, and when and why it was erased stay.

        To erase again changes nothing. Raises RegistryError for an unknown index, and where a long read of another
        process keeps the old bytes on the disk.
        """
        with self._database.writing() as connection:
            if reading.entry(connection, index).erased_at is None:
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

    def _begin(self, *, may: bool) -> None:
        mine = store.Owner(self.key.name, self.key.public.der)
        with self._database.writing() as connection:
            upgrade(connection)
            owner = store.owner(connection)
            if owner is None and not may:
                raise RegistryError(
                    N_("the database holds no log; to begin “{origin}” anew would be another history under its key"),
                    remedy=N_(
                        "restore a backup with `aloi registry restore`; a new log needs a name and key of its own"
                    ),
                    origin=self.key.name,
                )
            if owner is None:
                store.put_owner(connection, mine)
            elif owner != mine:
                raise AskerError(
                    N_("this is the log “{origin}”, and it has another name or another key than you gave"),
                    remedy=N_("open it by its own name and with its own key, or begin a log of your own elsewhere"),
                    origin=owner.origin,
                )
            if indexstore.published(connection) is None:
                old = store.newest(connection) if owner else Head(0, int(self._clock()), b"")
                index = indexstore.build(connection, old.size)
                root = checkpoints.parse(notes.read(old.note).text).root if old.note else EMPTY
                store.put_head(connection, old._replace(note=self._signed(old.size, root, index)))
            elif not indexstore.whole(connection):
                _build_again(connection)

    def _extend(
        self, connection: "Connection", head: Head, fresh: Sequence[tuple[Admitted, int]], changes: Changes | None
    ) -> Changes:
        now = max(int(self._clock()), head.time)  # a clock that goes back does not take the log with it
        changes = _since(connection, changes, head.size)
        indexstore.catch_up(connection, changes, head.size)
        store.put_entries(connection, head.size, fresh, now)
        recall.put(connection, head.size, [(item.digest, signer) for item, signer in fresh])
        held = store.tiles(connection, edge(head.size))
        changed = grow(head.size, held, [leaf_hash(item.body) for item, _ in fresh])
        store.put_tiles(connection, changed, held)
        size = head.size + len(fresh)
        root = paths.hash_of((0, size), held | changed)
        index = indexstore.take_in(connection, changes, [item.body for item, _ in fresh])
        store.put_head(connection, Head(size, now, self._signed(size, root, index)))
        return changes

    def _cosigned(self, connection: "Connection", note: Note) -> Head:
        """The checkpoint as it is kept, with the note's lines."""
        kept = self._kept(connection, note)
        if kept is None:
            raise RegistryError(
                N_("the log keeps no such checkpoint of size {size}"),
                remedy=N_("publish a checkpoint that the log signed, cosigned and not changed"),
                size=checkpoints.parse(note.text).size,
            )
        return kept._replace(note=notes.write(note))

    def _kept(self, connection: "Connection", note: Note) -> Head | None:
        size = checkpoints.verify(note, [self.key], origin=self.key.name).size
        kept = store.head(connection, size)
        return kept if kept and notes.read(kept.note).text == note.text else None

    def _signed(self, size: int, root: bytes, index: IndexHead) -> bytes:
        checkpoint = Checkpoint(self.key.name, size, root, (index.line,))
        return notes.write(checkpoints.sign(checkpoint, self.key.name, self._key))


def _build_again(connection: "Connection") -> None:
    """Make the index of the published checkpoint anew. Raises EvidenceError ('index-differs')."""
    head = reading.published(connection)
    said = index_head(checkpoints.parse(notes.read(head.note).text))
    if indexstore.build(connection, head.size) != said:
        raise EvidenceError(
            N_("the index of the checkpoint of size {size} is not that of its entries"),
            reason="index-differs",
            remedy=N_("keep the database as it is, and put the last whole copy in its place"),
            size=head.size,
        )


def _since(connection: "Connection", changes: Changes | None, size: int) -> Changes:
    """The changes since the published index, where these are they; else none yet, to be taken in again."""
    since = indexstore.since(connection)
    return changes if changes and changes.goes_on(since) and changes.taken.size <= size else since


def _publish(connection: "Connection", head: Head, changes: Changes | None) -> Changes:
    """Move the index to a checkpoint; gives the changes since."""
    changes = _since(connection, changes, head.size)
    if head.size >= changes.base.size:
        indexstore.catch_up(connection, changes, head.size)
        changes = indexstore.StoredNodes(connection, changes).flush()
        store.put_head(connection, head)
    return changes


def require_batch(count: int) -> None:
    """Raises RegistryError where so many envelopes are not taken at once."""
    if count > BATCH:
        raise RegistryError(
            N_("a batch of {got} envelopes is too large; at most {limit} are taken at once"),
            remedy=N_("send it in parts"),
            got=count,
            limit=BATCH,
        )
