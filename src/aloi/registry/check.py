"""A whole log computed again from its entries, and compared with every tile and every checkpoint that it keeps.

It reads in order and keeps the right edge of the tree only, so that its memory does not grow with the log. Signatures
of envelopes are not verified again: the log does not keep the keys that it verified them with.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection

from aloi.errors import AloiError, EvidenceError
from aloi.evidence import checkpoints, logentry, notes
from aloi.evidence import envelope as dsse
from aloi.evidence.encoding import from_base64
from aloi.evidence.lookup import index_head
from aloi.evidence.merkle import Tree, leaf_hash
from aloi.evidence.notes import NoteKey
from aloi.evidence.predicates import claim_type
from aloi.registry import indexcheck, indexstore, recall, store
from aloi.registry.database import kept
from aloi.registry.filecheck import FileCheck
from aloi.registry.index import Taken
from aloi.registry.store import Head, Stored
from aloi.registry.tiles import WIDTH, edge, grow, tiles
from aloi.translation import N_

PAGE = 4 * WIDTH


class Checked(NamedTuple):
    """What was found whole: entries, how many of them are erased, checkpoints, tiles, subjects, static files."""

    entries: int
    erased: int
    checkpoints: int
    tiles: int
    subjects: int
    files: int = 0


def check(url: str, key: NoteKey, folder: Path | None = None) -> Checked:
    """Compute the log again; `key` is the key that its checkpoints must be signed by, `folder` its static files.

    Raises EvidenceError for the first difference: 'entry-missing', 'entry-altered', 'entry-unnamed', 'entry-time',
    'tile-differs', 'tile-unknown', 'checkpoint-differs', 'checkpoint-time', 'checkpoint-missing', 'index-differs'. The
    index is that of the published checkpoint; `monitor` judges those of earlier ones. Raises as `kept`, and as
    `FileCheck`.
    """
    files = FileCheck(folder, key) if folder else None  # before the log is read: a server may go on writing
    database = kept(url)
    try:
        with database.reading() as connection:
            return _Check(connection, key, files).run()
    finally:
        database.close()


class _Check:
    def __init__(self, connection: Connection, key: NoteKey, files: FileCheck | None) -> None:
        self._connection = connection
        self._key = key
        self._files = files
        self._tree = Tree()
        self._edge: dict[store.Place, bytes] = {}
        self._time = 0
        self._last = Head(-1, 0, b"")
        self._erased = self._checkpoints = self._filed = 0
        self._published = indexstore.published(connection) or Taken()

    def run(self) -> Checked:
        if self._files:
            self._files.begin(self._connection)
        self._compare_heads(-1, 0)
        while page := store.page(self._connection, self._tree.size, PAGE):
            self._take(page)
        size = self._tree.size
        if beyond := store.heads(self._connection, size, checkpoints.LARGEST):
            raise _different(
                N_("a checkpoint counts {expected} entries; the log has {got}: entries were lost"),
                "entry-missing",
                expected=beyond[0].size,
                got=size,
            )
        if self._last.size != size:
            raise _different(
                N_("no checkpoint covers the last of {expected} entries; the newest counts {got}"),
                "checkpoint-missing",
                expected=size,
                got=self._last.size,
            )
        files = self._files.end(self._edge) if self._files else 0
        return Checked(size, self._erased, self._checkpoints, self._count_tiles(), self._count_subjects(), files)

    def _take(self, page: Sequence[Stored]) -> None:
        before = self._tree.size
        for place, entry in enumerate(page, start=before):
            self._compare_entry(entry, place)
        self._compare_submissions(page)
        self._compare_lists(page)
        leaves = [leaf_hash(entry.body) for entry in page]
        changed = grow(before, self._edge, leaves)
        self._compare_tiles(changed)
        if self._files:
            self._files.take([entry.body for entry in page], changed)
        whole = self._edge | changed
        self._edge = {at: whole[at] for at in edge(before + len(page))}
        for head in store.heads(self._connection, before, before + len(page)):
            while self._tree.size < head.size:
                self._tree.append(leaves[self._tree.size - before])
            self._compare_head(head)
        while self._tree.size < before + len(page):
            self._tree.append(leaves[self._tree.size - before])

    def _compare_entry(self, entry: Stored, place: int) -> None:
        if entry.index != place:
            raise _different(N_("entry {place} is missing"), "entry-missing", place=place)
        if entry.received < self._time:
            raise _different(N_("entry {place} came earlier than the one before it"), "entry-time", place=place)
        self._time = entry.received
        if (entry.envelope is None) != (entry.erased_at is not None):
            raise _different(
                N_("the envelope of entry {place} is missing, and nobody erased it"), "entry-missing", place=place
            )
        if entry.envelope is None:
            self._erased += 1
        if not _holds(entry):
            raise _different(N_("entry {place} is not what its envelope makes of it"), "entry-altered", place=place)

    def _compare_submissions(self, page: Sequence[Stored]) -> None:
        digests = {entry.index: _payload(entry) for entry in page if entry.envelope is not None}
        found = recall.known(self._connection, set(digests.values()))
        named = {(digest, index) for (digest, _), index in found.items()}
        for index, digest in digests.items():
            if (digest, index) not in named:
                raise _different(
                    N_("entry {place} would not be known again: it could be logged twice"),
                    "entry-unnamed",
                    place=index,
                )

    def _compare_tiles(self, changed: dict[store.Place, bytes]) -> None:
        kept = store.tiles(self._connection, changed)
        for (level, index), hashes in changed.items():
            if not kept.get((level, index), b"").startswith(hashes):
                raise _different(
                    N_("tile {level}/{place} does not have the hashes of its entries"),
                    "tile-differs",
                    level=level,
                    place=index,
                )

    def _count_tiles(self) -> int:
        size = self._tree.size
        wanted: dict[int, int] = {}
        for each in tiles(size):
            wanted[each.level] = wanted.get(each.level, 0) + 1
        kept = store.count_tiles(self._connection)
        partial = store.tiles(self._connection, edge(size))
        if kept != wanted or partial != self._edge:
            raise _different(N_("the log keeps tiles that no entry of it is under"), "tile-unknown")
        return sum(wanted.values())

    def _compare_lists(self, page: Sequence[Stored]) -> None:
        counted, lacking = indexcheck.unfiled(self._connection, [e for e in page if e.index < self._published.size])
        self._filed += counted
        if lacking is not None:
            raise _different(
                N_("entry {place} is not under every subject that it names"), "index-differs", place=lacking
            )

    def _count_subjects(self) -> int:
        published = self._published
        head = store.head(self._connection, published.size)
        if head is None:
            raise _different(
                N_("the published checkpoint of size {size} is missing"), "checkpoint-missing", size=published.size
            )
        if indexcheck.filed(self._connection) != self._filed:
            raise _different(N_("the index lists entries that do not name its subjects"), "index-differs")
        said = index_head(checkpoints.parse(notes.read(head.note).text))
        given, wrong = indexcheck.recomputed(self._connection)
        if wrong is not None or given != said or published.subjects != given.subjects:
            raise _different(
                N_("the index of the checkpoint of size {size} is not that of its entries"),
                "index-differs",
                size=published.size,
            )
        return given.subjects

    def _compare_heads(self, above: int, up_to: int) -> None:
        for head in store.heads(self._connection, above, up_to):
            self._compare_head(head)

    def _compare_head(self, head: Head) -> None:
        if head.time < self._last.time:
            raise _different(
                N_("the checkpoint of size {size} is older than the one before it"), "checkpoint-time", size=head.size
            )
        self._last = head
        self._checkpoints += 1
        try:
            said = checkpoints.verify(notes.read(head.note), [self._key], origin=self._key.name)
        except EvidenceError as error:
            raise _different(
                N_("the checkpoint of size {size} is not signed by the log: {problem}"),
                "checkpoint-differs",
                size=head.size,
                problem=str(error),
            ) from error
        if (said.size, said.root) != (head.size, self._tree.root()):
            raise _different(
                N_("the checkpoint of size {size} does not have the root of its entries"),
                "checkpoint-differs",
                size=head.size,
            )


def _holds(entry: Stored) -> bool:
    """Whether row, body and envelope say the same."""
    try:
        body = logentry.read(entry.body)
        if entry.envelope is not None and logentry.of(dsse.read(entry.envelope)) != entry.body:
            return False
    except AloiError:
        return False
    kind = claim_type(body.predicate_type)
    return kind is not None and kind[0] == entry.kind and " ".join(sorted(body.signers)) == entry.signers


def _payload(entry: Stored) -> bytes:
    envelope = dsse.read(entry.envelope or b"")
    return hashlib.sha256(from_base64(envelope.payload, "payload")).digest()


def _different(message: str, reason: str, **facts: object) -> EvidenceError:
    return EvidenceError(
        message,
        reason=reason,
        remedy=N_("stop writing to this log, keep its database as it is, and restore it from a backup"),
        **facts,
    )
