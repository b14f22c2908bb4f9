"""What every adapter needs: the library or a clear word that it is not there, and which version of it runs."""

import importlib
import importlib.metadata
from types import ModuleType

from aloi.errors import MissingExtra


def needed(module: str, what: str, extra: str) -> ModuleType:
    """A library, imported now. Raises MissingExtra with the command that installs it."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        # What the library itself lacks is its own fault, not a missing extra.
        if (error.name or "").split(".")[0] != module.split(".", maxsplit=1)[0]:
            raise
        raise MissingExtra(what, extra, f"pip install 'aloi[{extra}]'") from error


def edition(own: str, distribution: str) -> str:
    """The version of an adapter: its own, and that of the library, whose behaviour it has."""
    try:
        return f"{own}+{distribution}-{importlib.metadata.version(distribution)}"
    except importlib.metadata.PackageNotFoundError:
        return own
