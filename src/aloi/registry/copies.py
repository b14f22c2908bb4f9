"""Where a mirror keeps its copy: in memory, or in a folder as bundles of 256 entries."""

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from aloi.errors import EvidenceError
from aloi.evidence.decoding import decode
from aloi.registry import durable, evidencefolder
from aloi.registry.mirror import Heads
from aloi.registry.misbehaviour import Misbehaviour
from aloi.registry.tiles import WIDTH, pack, unpack
from aloi.translation import N_

MARK = "mirror.lock"
_HEADS = "heads.json"
_ENTRIES = "entries"
_EVIDENCE = "evidence"


class MemoryCopy:
    """A copy that ends with the process: for tests and trials."""

    def __init__(self) -> None:
        self.entries: list[bytes] = []
        self.evidence: list[Misbehaviour] = []
        self._heads = Heads()

    def heads(self) -> Heads:
        """The heads that were given last."""
        return self._heads

    def set_heads(self, heads: Heads) -> None:
        """Keep both heads."""
        self._heads = heads

    def count(self) -> int:
        """How many entries are kept."""
        return len(self.entries)

    def append(self, entries: Sequence[bytes]) -> None:
        """Keep entries after those that are kept."""
        self.entries.extend(entries)

    def keep(self, found: Misbehaviour) -> None:
        """Keep evidence against the log."""
        self.evidence.append(found)


class _Written(msgspec.Struct, frozen=True, kw_only=True):
    seen: str
    complete: str


class FolderCopy:
    """A copy in a folder that one process has to itself; every file is whole at any time."""

    def __init__(self, folder: Path) -> None:
        """Open a folder that `create` made. Raises AskerError, EvidenceError ('damaged-copy', 'entry-bundle')."""
        self.folder = folder
        self._held = durable.hold(folder, MARK)
        names = sorted(path.name for path in (folder / _ENTRIES).iterdir() if not path.suffix)
        if names != [_name(index) for index in range(len(names))]:
            raise EvidenceError(
                N_("a bundle of entries is missing in {folder}"),
                reason="damaged-copy",
                remedy=N_("pull the log into a new folder"),
                folder=folder,
            )
        self._last = unpack(self._bundle(len(names) - 1).read_bytes()) if names else []
        self._before = max(len(names) - 1, 0) * WIDTH

    @classmethod
    def create(cls, folder: Path) -> "FolderCopy":
        """Make the folder. Raises AskerError, OSError."""
        durable.create(folder, MARK, _ENTRIES, _EVIDENCE)
        return cls(folder)

    def close(self) -> None:
        """Let another process open the folder."""
        os.close(self._held)

    def heads(self) -> Heads:
        """The heads that were given last. Raises EvidenceError as `decode`, OSError."""
        try:
            written = decode((self.folder / _HEADS).read_bytes(), _Written)
        except FileNotFoundError:
            return Heads()
        return Heads(written.seen.encode(), written.complete.encode())

    def set_heads(self, heads: Heads) -> None:
        """Keep both heads, or neither. Raises OSError."""
        written = _Written(seen=heads.seen.decode(), complete=heads.complete.decode())
        durable.replace(self.folder / _HEADS, msgspec.json.encode(written))

    def count(self) -> int:
        """How many entries are kept."""
        return self._before + len(self._last)

    def append(self, entries: Sequence[bytes]) -> None:
        """Keep entries after those that are kept. Raises OSError."""
        full = len(self._last) == WIDTH
        last = [*([] if full else self._last), *entries]
        before = self._before + (WIDTH if full else 0)
        durable.replace(self._bundle(before // WIDTH), pack(last))
        self._last, self._before = last, before

    def entries(self, index: int) -> list[bytes]:
        """The entries of bundle `index`. Raises EvidenceError ('entry-bundle'), OSError."""
        return unpack(self._bundle(index).read_bytes())

    def keep(self, found: Misbehaviour) -> None:
        """Keep evidence against the log. Raises OSError."""
        evidencefolder.keep(self.folder / _EVIDENCE, found)

    def evidence(self) -> list[bytes]:
        """The files that were kept."""
        return evidencefolder.files(self.folder / _EVIDENCE)

    def _bundle(self, index: int) -> Path:
        return self.folder / _ENTRIES / _name(index)


def _name(index: int) -> str:
    return f"{index:012}"
