"""The files of `science/data/refusals`."""

from importlib.resources import files
from typing import Any

import yaml

LANGUAGES = ("en", "fr", "es", "de", "ar", "zh")


def content(name: str) -> bytes:
    """The bytes of a file by its name without ending."""
    return files("aloi.science").joinpath(f"data/refusals/{name}.yaml").read_bytes()


def table(name: str) -> Any:
    """A file as YAML says it."""
    return yaml.safe_load(content(name))
