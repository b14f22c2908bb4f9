"""What a package and all that it needs take on disk: `python -m benchmarks.gateway.packages 'NAME[EXTRA]'`, as JSON."""

import importlib.metadata
import json
import sys
from pathlib import Path

from packaging.requirements import Requirement


def installed(wanted: str) -> tuple[int, int]:
    """Bytes by the files that each package lists, and how many packages there are, in the environment of this Python.

    Raises PackageNotFoundError where something is missing.
    """
    names: dict[str, int] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    open_: list[tuple[Requirement, set[str]]] = [(Requirement(wanted), set())]
    while open_:
        need, extras = open_.pop()
        key = (need.name.lower().replace("_", "-"), frozenset(need.extras))
        marker = need.marker
        if key in seen or (marker and not any(marker.evaluate({"extra": one}) for one in ("", *extras))):
            continue
        seen.add(key)
        package = importlib.metadata.distribution(need.name)
        paths = [Path(str(file.locate())) for file in package.files or ()]
        names[key[0]] = sum(path.stat().st_size for path in paths if path.is_file())
        open_ += [(Requirement(one), need.extras) for one in package.requires or ()]
    return sum(names.values()), len(names)


if __name__ == "__main__":
    print(json.dumps(installed(sys.argv[1])))
