"""The data files of this room's packages, as YAML says them."""

from importlib.resources import files
from typing import Any

import yaml


def content(name: str, package: str = "aloi.science") -> bytes:
    """The bytes of `data/<name>.yaml` of a package."""
    return files(package).joinpath(f"data/{name}.yaml").read_bytes()


def shipped(name: str, package: str = "aloi.science") -> Any:
    """What `data/<name>.yaml` of a package says."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's, where it is there, is ten times faster
    return yaml.load(content(name, package), loader)  # noqa: S506 - both loaders are the safe ones
