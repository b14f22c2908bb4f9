"""Files that lie in the folder of `system.yaml`, and no others, so that an example cannot read the disk."""

from pathlib import Path

from aloi.errors import Fault
from aloi.translation import N_


def read_beside(path: Path, folder: Path, limit: int, at: str, line: int | None) -> bytes | Fault:
    """The bytes of a file in `folder`, at most `limit` of them, or the fault at the place that names it."""
    if fault := unfit_beside(path, folder, limit, at, line):
        return fault
    try:
        return path.read_bytes()
    except OSError as error:
        return unreadable(path, error, at, line)


def unfit_beside(path: Path, folder: Path, limit: int, at: str, line: int | None) -> Fault | None:
    """Why a file is not read, as a fault at the place that names it; None where it is a file in `folder`."""
    try:
        path = path.resolve()
        if refusal := _refusal(path, folder.resolve(), limit):
            remedy = N_("put a smaller file into that folder, and name it")
            return Fault(refusal, path=at, line=line, remedy=remedy, file=path, limit=limit)
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: links that lead in a circle
        return unreadable(path, error, at, line)
    return None


def unreadable(path: Path, error: Exception, at: str, line: int | None) -> Fault:
    """The fault of a file that cannot be read."""
    problem = getattr(error, "strerror", None) or error
    sentence, remedy = N_("{path}: cannot read {file}: {problem}"), N_("check the name of the file")
    return Fault(sentence, path=at, line=line, remedy=remedy, file=path, problem=problem)


def _refusal(path: Path, folder: Path, limit: int) -> str:
    """Why a file is not read; empty where it is."""
    if not path.is_relative_to(folder):
        return N_("{path}: {file} lies outside the folder of system.yaml")
    size = path.stat().st_size
    if not path.is_file():  # a pipe would be waited for
        return N_("{path}: {file} is not a file")
    return N_("{path}: {file} is larger than {limit} bytes") if size > limit else ""
