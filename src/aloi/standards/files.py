"""Read a file that somebody named: what is no file, or is too large, is refused before it is read."""

import stat
from pathlib import Path
from typing import Protocol

from aloi.errors import AskerError
from aloi.standards.reading import LIMIT
from aloi.translation import N_


class File(Protocol):
    """What a path and a package resource have in common."""

    @property
    def name(self) -> str:
        """The last part of the path."""
        ...

    def read_bytes(self) -> bytes:
        """The file's bytes."""
        ...


SMALLER = N_("name a smaller file, or split this one")


def contents(file: File, limit: int = LIMIT, *, smaller: str = SMALLER) -> bytes:
    """The bytes of a file. Raises AskerError: not there, a folder, a pipe, a device, or larger than `limit`.

    `smaller` is the remedy where it is too large.
    """
    try:
        if not isinstance(file, Path):
            return file.read_bytes()
        told = file.stat()
        if not stat.S_ISREG(told.st_mode):  # a pipe would be waited for
            remedy = N_("name a file, not a folder, a pipe or a device")
            raise AskerError(N_("{file} is no file"), remedy=remedy, file=file)
        with file.open("rb") as opened:
            data = opened.read(limit + 1) if told.st_size <= limit else b""
    except OSError as error:
        remedy = N_("see that the file is there and may be read")
        message = N_("cannot read {file}: {problem}")
        raise AskerError(message, remedy=remedy, file=file, problem=error.strerror or str(error)) from error
    if (size := max(told.st_size, len(data))) > limit:
        message = N_("{file} has {got} bytes, at most {limit} are read")
        raise AskerError(message, remedy=smaller, file=file, got=size, limit=limit)
    return data
