"""The files of `science/data/refusals`."""

from typing import Any

from aloi.science import shipped

LANGUAGES = ("en", "fr", "es", "de", "ar", "zh")


def content(name: str) -> bytes:
    """The bytes of a file by its name without ending."""
    return shipped.content(f"refusals/{name}")


def table(name: str) -> Any:
    """A file as YAML says it."""
    return shipped.shipped(f"refusals/{name}")
