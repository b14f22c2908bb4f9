"""The files of a record: lines in a chain, on disk before anybody is told so, the oldest file going first.

A folder belongs to one process; a torn last line, as a process leaves it that is ended in the middle, is cut away.
"""

import fcntl
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path

import msgspec
from msgspec import Struct

from aloi.errors import AskerError
from aloi.solutions.gateway.kept import Guards, Kept
from aloi.system.lines import Advice, LineFile
from aloi.translation import N_

PARTS = 8  # of the bytes that a folder may hold, at least so many files
BEGINNING = "0" * 64  # what the first line of all names as the one before it
RECORD = Advice(
    busy=N_("{file} is in use by another gateway"),
    wait=N_("end the other one, or give each a folder of its own: `gateway.record.folder`"),
    damaged=N_("keep the folder for whoever has to explain it, and name another one: `gateway.record.folder`"),
    full=N_("free some space or make the folder writable: until then, what guards decide is refused"),
)
_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Kept)


class Range(Struct, frozen=True, kw_only=True):
    """Lines in a chain: how many, the digest that the first of them names, and that of the last."""

    lines: int
    first: str
    last: str


class Chain:
    """What follows from what: every line names the digest of the one before it."""

    def __init__(self, last: str = "") -> None:
        """`last` is the digest of the line that comes next before; any where none is given."""
        self.last = last
        self.first = last
        self.lines = 0

    def take(self, line: bytes) -> Kept:
        """The next line. Raises ValueError where it is none, or not the next."""
        kept: Kept = _DECODER.decode(line)
        if not self.lines and not self.last:
            self.first = self.last = kept.before
        if kept.before != self.last:
            raise ValueError(N_("it does not follow from the line before it"))
        self._on(line.rstrip(b"\n"))
        return kept

    def link(self, kept: Kept) -> bytes:
        """A line as it is written, with its end."""
        body = b'{"before":"%s",%s' % (self.last.encode(), _ENCODER.encode(kept)[1:])
        self._on(body)
        return body + b"\n"

    def _on(self, body: bytes) -> None:
        self.last = sha256(body).hexdigest()
        self.lines += 1


class Journal:
    """A folder that lines are added to."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        self._folder = folder
        self._limit = megabytes * 1024**2
        self._descriptor = -1
        self._file = LineFile(folder, write=False)
        self._last = BEGINNING
        self._guards: dict[str, Guards] = {}
        self._told: set[str] = set()

    def open(self) -> None:
        """Go on where the last line ended. Raises AskerError, and EvidenceError where the last file was changed."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise self.unwritable(error) from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self.close()
            raise AskerError(RECORD.busy, remedy=RECORD.wait, file=self._folder) from error
        try:
            self._resume()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Another may write."""
        self._file.close()
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def runs_by(self, guards: Guards) -> None:
        """Lines to come may name these guards' digest; it is told before the first that does.

        The same guards before a system of another fingerprint are told again: what follows is of that system.
        """
        if self._guards.get(guards.guard_set) != guards:
            self._told.discard(guards.guard_set)
        self._guards[guards.guard_set] = guards

    def write(self, lines: Sequence[Kept]) -> None:
        """Add lines, all of them or none; they are on disk afterwards. Raises AskerError."""
        if self._file.size >= self._limit // PARTS:
            self._roll()
        chain, told = Chain(self._last), set(self._told)
        self._file.commit(b"".join(chain.link(one) for one in self._explained(lines, told)))
        self._last, self._told = chain.last, told

    def unwritable(self, problem: object) -> AskerError:
        """The error for a folder that cannot be written."""
        return AskerError(
            N_("cannot write {file}: {problem}"),
            remedy=RECORD.full,
            file=self._folder,
            problem=getattr(problem, "strerror", None) or problem,
        )

    def _explained(self, lines: Iterable[Kept], told: set[str]) -> Iterator[Kept]:
        for line in lines:
            if line.guard_set in self._guards and line.guard_set not in told:
                yield self._guards[line.guard_set]
                told.add(line.guard_set)
            yield line

    def _resume(self) -> None:
        files = files_of(self._folder)
        for path in reversed(files):
            chain = Chain()
            file = LineFile(path, write=True, advice=RECORD)
            file.open(lambda line, _, chain=chain: chain.take(line))  # type: ignore[misc] # mypy knows no such default
            if path == files[-1]:
                self._file = file
            else:
                file.close()
            if chain.lines:  # a file is begun before its first line is written
                self._last = chain.last
                break
        if not files:
            self._begin(self._folder / _name(1))

    def _roll(self) -> None:
        files = files_of(self._folder)
        self._begin(self._folder / _name(1 + _number(files[-1])))
        try:
            sizes = {path: path.stat().st_size for path in files}
            for path in files:
                if sum(sizes.values()) <= self._limit - self._limit // PARTS:
                    break
                path.unlink()
                del sizes[path]
        except OSError as error:
            raise self.unwritable(error) from error

    def _begin(self, path: Path) -> None:
        file = LineFile(path, write=True, advice=RECORD)
        file.open(lambda _line, _place: None)
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            file.close()
            raise self.unwritable(error) from error
        self._file.close()
        self._file, self._told = file, set()


def read(folder: Path, take: Callable[[Kept], None]) -> Range:
    """Give every line of a record to `take`, also while a gateway writes it, and hold each to the one before.

    Raises AskerError where nothing is kept there or it cannot be read, EvidenceError ('damaged-log') with file and line
    where it was changed.
    """
    files = files_of(folder)
    chain = Chain()
    for path in files:
        if not chain.lines and not path.exists():
            continue  # the oldest goes while it is read
        file = LineFile(path, write=False, advice=RECORD)
        file.open(lambda line, _: take(chain.take(line)))
        file.close()
    if not chain.lines:
        raise AskerError(
            N_("{folder} holds no record of traffic"),
            remedy=N_("name the folder that `gateway.record.folder` names"),
            folder=folder,
        )
    return Range(lines=chain.lines, first=chain.first, last=chain.last)


def files_of(folder: Path) -> list[Path]:
    """The files of a record, the oldest first. Raises AskerError where the folder cannot be read."""
    try:
        return sorted((path for path in folder.glob("record-*.jsonl")), key=_number)
    except OSError as error:
        raise AskerError(
            N_("cannot read {file}: {problem}"),
            remedy=N_("check the name of the file"),
            file=folder,
            problem=error.strerror or error,
        ) from error


def _name(number: int) -> str:
    return f"record-{number:08d}.jsonl"


def _number(path: Path) -> int:
    digits = path.stem.removeprefix("record-")
    return int(digits) if digits.isdecimal() else 0
