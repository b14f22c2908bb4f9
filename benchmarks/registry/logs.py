"""Small logs with keys, which can be told to cheat: what histories and tests are made of."""

from cryptography.hazmat.primitives.asymmetric import ed25519

from aloi.evidence import checkpoints, notes
from aloi.evidence.checkpoints import Checkpoint
from aloi.evidence.keys import PrivateKey
from aloi.evidence.merkle import Tree, consistency, leaf_hash
from aloi.evidence.notes import ED25519, NoteKey
from aloi.registry.tiles import pack


def fixed_key(number: int) -> PrivateKey:
    """A key that is the same in every run."""
    return PrivateKey(ed25519.Ed25519PrivateKey.from_private_bytes(number.to_bytes(32, "big")))


class Log:
    """A log with one key, served as tiles. `fork` makes another history under the same name and key."""

    def __init__(self, origin: str, key: PrivateKey, entries: list[bytes]) -> None:
        self.origin = origin
        self.key = key
        self.entries = list(entries)
        self.hashes = [leaf_hash(entry) for entry in entries]
        self.shown = -1  # the size of the head that is served; the last one where negative

    @property
    def public(self) -> NoteKey:
        """The key under which its heads verify."""
        return NoteKey(self.origin, ED25519, self.key.public)

    def append(self, *entries: bytes) -> None:
        """Log more entries."""
        self.entries += entries
        self.hashes += [leaf_hash(entry) for entry in entries]

    def fork(self, changed: int) -> "Log":
        """The same log with another entry in one place."""
        entries = list(self.entries)
        entries[changed] = b"another " + entries[changed]
        return Log(self.origin, self.key, entries)

    def root(self, size: int) -> bytes:
        """The root of the first entries."""
        return self._subtree(0, size)

    def head(self, size: int = -1) -> Checkpoint:
        """The head of the first entries, or of all."""
        size = len(self.entries) if size < 0 else size
        return Checkpoint(self.origin, size, self.root(size))

    def signed(self, size: int = -1) -> bytes:
        """The head as the log signs it."""
        return notes.write(checkpoints.sign(self.head(size), self.origin, self.key))

    def proof(self, old: int, size: int = -1) -> list[bytes]:
        """The consistency proof between two heads."""
        size = len(self.entries) if size < 0 else size
        return consistency(self.hashes[:size], old) if old else []

    def fetch_checkpoint(self) -> bytes:
        """As `Source`."""
        return self.signed(self.shown)

    def fetch_tile(self, level: int, index: int, width: int) -> bytes:
        """As `Source`."""
        step = 256**level
        starts = range(index * 256 * step, (index * 256 + width) * step, step)
        return b"".join(self._subtree(start, start + step) for start in starts)

    def fetch_entries(self, index: int, width: int) -> bytes:
        """As `Source`."""
        return pack(self.entries[index * 256 : index * 256 + width])

    def _subtree(self, low: int, high: int) -> bytes:
        tree = Tree()
        for each in self.hashes[low:high]:
            tree.append(each)
        return tree.root()
