"""Files that are whole after a fall of the machine, and folders that one process has to itself."""

import fcntl
import os
from pathlib import Path

from aloi.errors import AskerError
from aloi.translation import N_


def replace(path: Path, data: bytes) -> None:
    """Put `data` in the file, whole or not at all, and on the disk when this returns. Raises OSError.

    One writer for a path at a time: what a killed one left beside it is written over.
    """
    put(path, data, path.with_name(path.name + ".tmp"), 0o600)
    sync(path.parent)


def put(path: Path, data: bytes, temporary: Path, mode: int) -> None:
    """Put `data` in the file, whole or not at all; its name is on the disk once its folder is synced. Raises OSError.

    `temporary` is written first, with `mode` as the process's mask lets it, and nothing of it stays.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(temporary, flags, mode)
    try:
        left = memoryview(data)
        while left:
            left = left[os.write(descriptor, left) :]
        os.fsync(descriptor)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)


def sync(folder: Path) -> None:
    """Put the names in a folder on the disk. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def create(folder: Path, mark: str, *parts: str) -> None:
    """Make a folder with its parts and its mark, without which `hold` refuses it. Raises AskerError, OSError."""
    if (folder / mark).exists():
        raise AskerError(
            N_("{folder} is in use already"), remedy=N_("open it, or name a folder that is new"), folder=folder
        )
    for part in ("", *parts):
        (folder / part).mkdir(mode=0o700, parents=True, exist_ok=True)
    replace(folder / mark, b"")
    sync(folder.parent)


def hold(folder: Path, mark: str) -> int:
    """The folder for this process alone, until the descriptor is closed. Raises AskerError."""
    try:
        descriptor = os.open(folder / mark, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        raise AskerError(
            N_("{folder} does not hold what was kept there: {mark} is missing"),
            remedy=N_("never begin anew under an old key: restore the folder, or make a new one with a new key"),
            folder=folder,
            mark=mark,
        ) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise AskerError(
            N_("another process works in {folder}"), remedy=N_("end it first: two of them could fork"), folder=folder
        ) from None
    return descriptor
