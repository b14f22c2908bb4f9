"""The data files of this room, read once; their digests are part of a remedy's identity."""

from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent / "data"


@cache
def _bytes(name: str) -> bytes:
    return (HERE / (name if "." in name else f"{name}.yaml")).read_bytes()


@cache
def table(name: str) -> dict[str, Any]:
    """The content of `data/<name>.yaml`. Callers must not change it."""
    content: dict[str, Any] = yaml.load(_bytes(name), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both loaders are the safe ones; the C one is 10 times faster
    return content


@cache
def digest(name: str) -> str:
    """`sha256:<hex>` of the bytes of `data/<name>.yaml`, or of `data/<name>` where the name has its own ending."""
    return f"sha256:{sha256(_bytes(name)).hexdigest()}"
