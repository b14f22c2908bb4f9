"""A copy of another registry's log, made from what it serves and held to what it signed.

    mirror = Mirror("log.example/one", [log_key], source, copy)
    while isinstance(pulled := mirror.pull(), Pulled) and not pulled.complete: ...

A new head must continue the highest one that was verified, which is kept before anything under it; entries are kept
once their hashes lead to its root. So a pull may stop anywhere and goes on where it was.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple, Protocol

from aloi.errors import EvidenceError
from aloi.evidence import checkpoints, notes
from aloi.evidence.checkpoints import Checkpoint
from aloi.evidence.merkle import leaf_hash
from aloi.evidence.notes import Note, NoteKey
from aloi.registry import misbehaviour
from aloi.registry.misbehaviour import Misbehaviour
from aloi.registry.tiles import WIDTH, unpack
from aloi.registry.treereading import Tree
from aloi.translation import N_


class Source(Protocol):
    """The log as it is served. What goes wrong on the way is raised (OSError, RegistryError) and ends the pull."""

    def fetch_checkpoint(self) -> bytes:
        """The signed head."""
        ...

    def fetch_tile(self, level: int, index: int, width: int) -> bytes:
        """The tile of this width, or the whole one."""
        ...

    def fetch_entries(self, index: int, width: int) -> bytes:
        """The bundle of this many entries, or the whole one."""
        ...


class Heads(NamedTuple):
    """The highest head that was verified, and the highest one all of whose entries are kept; b"" before the first."""

    seen: bytes = b""
    complete: bytes = b""


class Copy(Protocol):
    """Where the copy is kept. What was given outlives a fall of the machine when a call returns. All raise OSError."""

    def heads(self) -> Heads:
        """The heads that were given last."""
        ...

    def set_heads(self, heads: Heads) -> None:
        """Keep both heads, or neither."""
        ...

    def count(self) -> int:
        """How many entries are kept."""
        ...

    def append(self, entries: Sequence[bytes]) -> None:
        """Keep entries after those that are kept; they never cross a bundle of 256."""
        ...

    def keep(self, found: Misbehaviour) -> None:
        """Keep evidence against the log."""
        ...


class Pulled(NamedTuple):
    """How far the copy is: entries kept, and the size of the highest verified head."""

    entries: int
    size: int

    @property
    def complete(self) -> bool:
        """Whether every entry under the head is kept."""
        return self.entries == self.size


class Declined(NamedTuple):
    """What the source serves was not taken.

    `reason` is one of those of `notes.read` and `checkpoints.verify`; 'fork' (a head that contradicts the highest
    one), 'rollback' (an older head, consistent or beyond checking); 'tile-size', 'tile-mismatch'; 'entry-bundle',
    'entry-mismatch'.
    """

    reason: str
    why: EvidenceError
    misbehaviour: Misbehaviour | None = None


class Mirror:
    """Pulls one log into one copy."""

    def __init__(self, origin: str, keys: Collection[NoteKey], source: Source, copy: Copy) -> None:
        self._origin = origin
        self._keys = tuple(keys)
        self._source = source
        self._copy = copy

    def pull(self, bundles: int = 64) -> Pulled | Declined:
        """Take the log's head, then entries of at most so many bundles. Raises what source and copy raise."""
        try:
            note = notes.read(self._source.fetch_checkpoint())
            head = checkpoints.verify(note, self._keys, origin=self._origin)
        except EvidenceError as error:
            return Declined(error.reason, error)
        heads = self._copy.heads()
        seen = notes.read(heads.seen) if heads.seen else None
        last = checkpoints.parse(seen.text) if seen else None
        larger = last if last and head.size < last.size else head
        try:
            tree = Tree(self._source.fetch_tile, larger.size, larger.root)
            if seen and last:
                found = self._compare(seen, last, note, head, tree)
                if found or head.size < last.size:
                    return _declined(last, head, found)
        except EvidenceError as error:
            return self._unread(error, seen, last, note, head)
        if last is None or head.size > last.size:
            self._copy.set_heads(Heads(notes.write(self._by_log(note)), heads.complete))
        return self._entries(tree, head, bundles)

    def _compare(self, seen: Note, last: Checkpoint, note: Note, head: Checkpoint, larger: Tree) -> Misbehaviour | None:
        """What the tree under the larger of the two heads shows."""
        small = min(last, head, key=lambda each: each.size)
        if larger.prefix(small.size) == small.root:
            return None
        return self._found(seen, note, larger.path(small.size) if small.size < larger.size else ())

    def _unread(
        self, error: EvidenceError, seen: Note | None, last: Checkpoint | None, note: Note, head: Checkpoint
    ) -> Declined:
        """The tiles do not lead to the larger head: heads of one size still speak, others show that a proof is owed."""
        found = self._found(seen, note, ()) if seen else None
        if last and (head.size < last.size or (head.size == last.size and found)):
            return _declined(last, head, found)
        return Declined(error.reason, error, found)

    def _found(self, seen: Note, note: Note, path: Sequence[bytes]) -> Misbehaviour | None:
        signers = [{key for key, _ in notes.known(each, self._keys)} for each in (seen, note)]
        for key in sorted(set.intersection(*signers), key=str):
            found = misbehaviour.find(seen, note, key, path)
            if found:
                self._copy.keep(found)
                return found
        return None

    def _entries(self, tree: Tree, head: Checkpoint, bundles: int) -> Pulled | Declined:
        count = self._copy.count()
        while count < head.size and bundles > 0:
            index, start = divmod(count, WIDTH)
            width = min(WIDTH, head.size - index * WIDTH)
            try:
                hashes = tree.leaves(index)
                entries = unpack(self._source.fetch_entries(index, width))[:width]
                _check(entries, hashes[:width], index)
            except EvidenceError as error:
                return Declined(error.reason, error)
            self._copy.append(entries[start:])
            count, bundles = count + width - start, bundles - 1
        heads = self._copy.heads()
        if count == head.size and heads.complete != heads.seen:
            self._copy.set_heads(Heads(heads.seen, heads.seen))
        return Pulled(count, head.size)

    def _by_log(self, note: Note) -> Note:
        ids = {(key.name, key.id) for key in self._keys}
        return note._replace(signatures=tuple(line for line in note.signatures if (line.name, line.id) in ids))


def _check(entries: Sequence[bytes], hashes: Sequence[bytes], index: int) -> None:
    if [leaf_hash(entry) for entry in entries] != list(hashes):
        raise EvidenceError(
            N_("the entries of bundle {index} are not those under the signed head"),
            reason="entry-mismatch",
            remedy=N_("fetch them again, or from another mirror; the log owes the entries that it signed for"),
            index=index,
        )


def _declined(last: Checkpoint, head: Checkpoint, found: Misbehaviour | None) -> Declined:
    fork = found is not None and found.proven
    return Declined(
        "fork" if fork else "rollback",
        EvidenceError(
            N_("the head of {size} entries contradicts the verified one of {known}")
            if fork
            else N_("the log shows a head of {size} entries; one of {known} was verified before"),
            reason="fork" if fork else "rollback",
            remedy=N_("keep both heads, and show them to others who watch the log"),
            size=head.size,
            known=last.size,
        ),
        found,
    )
