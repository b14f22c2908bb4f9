"""What a witness remembers: of each log the last head that it cosigned and when, and the misbehaviour that it saw."""

import hashlib
import os
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Protocol, Self

from aloi.errors import EvidenceError
from aloi.evidence import notes
from aloi.evidence.canonical import digest
from aloi.evidence.checkpoints import decimal, parse
from aloi.registry import durable, evidencefolder
from aloi.registry.misbehaviour import Misbehaviour
from aloi.translation import N_

MARK = "witness.lock"
_HEADS = "heads"
_EVIDENCE = "evidence"


class Known(NamedTuple):
    """A head as its log signed it, and the POSIX second at which it was last cosigned."""

    note: bytes
    time: int


class HeadStore(Protocol):
    """Where a witness keeps its memory. Calls for one origin come one after the other."""

    def read(self, origin: str) -> Known | None:
        """What is known of the log; None where nothing ever was. Raises EvidenceError ('damaged-state'), OSError."""
        ...

    def write(self, origin: str, known: Known) -> None:
        """Keep it; when this returns, it outlives a fall of the machine. Raises OSError."""
        ...

    def keep(self, found: Misbehaviour) -> None:
        """Keep evidence: what is proven for good, an accusation until the next one of its log. Raises OSError."""
        ...


class MemoryHeads:
    """A memory that ends with the process: for tests and trials."""

    def __init__(self) -> None:
        self.known: dict[str, Known] = {}
        self.evidence: list[Misbehaviour] = []

    def read(self, origin: str) -> Known | None:
        """What is known of the log."""
        return self.known.get(origin)

    def write(self, origin: str, known: Known) -> None:
        """Keep it."""
        self.known[origin] = known

    def keep(self, found: Misbehaviour) -> None:
        """Keep evidence."""
        self.evidence.append(found)


class FolderHeads:
    """A memory in a folder that one process has to itself; every file is whole at any time.

    A folder whose mark is missing is refused: a witness that forgot what it signed could sign a fork.
    """

    def __init__(self, folder: Path) -> None:
        """Open a folder that `create` made. Raises AskerError."""
        self.folder = folder
        self._held = durable.hold(folder, MARK)

    @classmethod
    def create(cls, folder: Path) -> "FolderHeads":
        """Make the folder, for a key that has never cosigned. Raises AskerError, OSError."""
        durable.create(folder, MARK, _HEADS, _EVIDENCE)
        return cls(folder)

    def close(self) -> None:
        """Let another process open the folder."""
        os.close(self._held)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def read(self, origin: str) -> Known | None:
        """What is known of the log. Raises EvidenceError ('damaged-state'), OSError."""
        try:
            data = self._head(origin).read_bytes()
        except FileNotFoundError:
            return None
        known = _parse(data, origin)
        if known is None:
            raise EvidenceError(
                N_("what is kept of the log {origin} was damaged"),
                reason="damaged-state",
                remedy=N_("restore it from a copy that is not older, or retire the witness's key"),
                origin=origin,
            )
        return known

    def write(self, origin: str, known: Known) -> None:
        """Keep it. Raises OSError."""
        body = b"time %d\n\n%b" % (known.time, known.note)
        durable.replace(self._head(origin), digest(body).encode() + b"\n" + body)

    def keep(self, found: Misbehaviour) -> None:
        """Keep evidence as a file. Raises OSError."""
        evidencefolder.keep(self.folder / _EVIDENCE, found)

    def evidence(self) -> list[bytes]:
        """The files that were kept."""
        return evidencefolder.files(self.folder / _EVIDENCE)

    def _head(self, origin: str) -> Path:
        return self.folder / _HEADS / hashlib.sha256(origin.encode()).hexdigest()


def _parse(data: bytes, origin: str) -> Known | None:
    written, _, body = data.partition(b"\n")
    head, blank, note = body.partition(b"\n\n")
    if written != digest(body).encode() or not blank or not head.startswith(b"time "):
        return None
    time = decimal(head.removeprefix(b"time ").decode(errors="replace"))
    try:
        kept = parse(notes.read(note).text).origin
    except EvidenceError:
        return None
    return None if time is None or kept != origin else Known(note, time)
