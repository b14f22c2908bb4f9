"""A file of lines that grows: each written whole with one `write` and never changed.

A torn last line is cut away when the file is opened to write, a damaged line elsewhere is refused. Two that write one
file would lose each other's lines: the first holds a lock, which ends with its process.
"""

import errno
import fcntl
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec

from aloi.errors import AskerError, EvidenceError
from aloi.translation import N_

# Given one line, with its end, and its place in the file. Raises ValueError or a decoder's error where it is damaged.
Take = Callable[[bytes, int], None]


class Advice(NamedTuple):
    """What whoever owns a file is told: that another has it, and what to do then, once it is damaged, once it is
    full."""

    busy: str
    wait: str
    damaged: str
    full: str


RUN = Advice(
    busy=N_("{file} is in use by another run"),
    wait=N_("wait for it to end, or stop it, then resume"),
    damaged=N_("the folder was changed by hand, or by another version of Aloi: start a new run"),
    full=N_("free some space or make the folder writable, then resume the run: no trial is lost"),
)


class LineFile:
    """The lines of one file, open to be read, or with `write` to grow."""

    def __init__(self, path: Path, *, write: bool, advice: Advice = RUN) -> None:
        self.path = path
        self.write = write
        self._advice = advice
        self._descriptor = -1
        self._end = 0

    @property
    def size(self) -> int:
        """Bytes of whole lines."""
        return self._end

    def open(self, take: Take) -> None:
        """Give every whole line to `take`. Raises AskerError, or EvidenceError ('damaged-log') with a line's number."""
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND if self.write else os.O_RDONLY
        try:
            self._descriptor = os.open(self.path, flags | os.O_NONBLOCK, 0o600)
            mode = os.fstat(self._descriptor).st_mode
            if not stat.S_ISREG(mode):  # a pipe or a device might never end
                problem = errno.EISDIR if stat.S_ISDIR(mode) else errno.ENOTSUP
                raise OSError(problem, os.strerror(problem))  # noqa: TRY301 - told like every other, below
            if self.write:
                self._lock()
            self._load(take)
            if self.write:
                self._cut()
        except OSError as error:
            self.close()
            raise self.refused(error) from error
        except BaseException:
            self.close()
            raise

    @property
    def stands(self) -> bool:
        """Whether its name still leads to it: what was moved or taken away is not found again."""
        try:
            return os.path.samestat(self.path.stat(), os.fstat(self._descriptor))
        except OSError:
            return False

    def close(self) -> None:
        """Nothing more is read or written; where nothing was opened, nothing happens."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def sync(self) -> None:
        """Have what was written on disk; nothing is done for a file that is not open to write."""
        if self.write and self._descriptor >= 0:
            os.fsync(self._descriptor)

    def append(self, line: bytes) -> int:
        """Write one line, with its end; its place in the file. Raises AskerError: what was written before is kept."""
        place = self._end
        try:
            if os.write(self._descriptor, line) != len(line):  # a full disk may take a part
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # noqa: TRY301 - told like every other, below
        except OSError as error:
            self._cut()
            raise self.refused(error) from error
        self._end += len(line)
        return place

    def commit(self, lines: bytes) -> None:
        """Write whole lines, and have them on disk. Raises AskerError: then none of them is kept."""
        place = self.append(lines)
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            self._end = place
            self._cut()
            raise self.refused(error) from error

    def read(self, length: int, place: int) -> bytes:
        """One line, by its length and place."""
        return os.pread(self._descriptor, length, place)

    def _lock(self) -> None:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise AskerError(self._advice.busy, remedy=self._advice.wait, file=self.path) from error

    def _load(self, take: Take) -> None:
        with self.path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if not line.endswith(b"\n"):
                    break
                try:
                    take(line, self._end)
                except (msgspec.DecodeError, ValueError, RecursionError) as error:
                    raise EvidenceError(
                        N_("{file}, line {line}: this is not a line of this version: {problem}"),
                        reason="damaged-log",
                        remedy=self._advice.damaged,
                        file=self.path,
                        line=number,
                        problem=error,
                    ) from error
                self._end += len(line)

    def _cut(self) -> None:
        """Take away what is no whole line, so that the next one begins a line."""
        try:
            os.ftruncate(self._descriptor, self._end)
        except OSError as error:
            raise self.refused(error) from error

    def refused(self, error: OSError) -> AskerError:
        """What whoever owns the file is told of an error of the system's."""
        problem = error.strerror or error
        if not self.write:
            return AskerError(
                N_("cannot read {file}: {problem}"),
                remedy=N_("check the name of the file"),
                file=self.path,
                problem=problem,
            )
        return AskerError(
            N_("cannot write {file}: {problem}"),
            remedy=self._advice.full,
            file=self.path,
            problem=problem,
        )
