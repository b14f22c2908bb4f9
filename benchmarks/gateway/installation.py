"""What an installation of `aloi[gateway]` takes on disk: a real one, in an environment of its own, from the lock.

Counted are the bytes of every file that pip installed, by the lists that it keeps, compiled modules included; pip and
setuptools, which the environment begins with, are left out. `python -m benchmarks.gateway.installation` prints it.
"""

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from benchmarks.bars import bar

ROOT = Path(__file__).parents[2]
MEGABYTE, WANTED, SHOWN = 1_000_000, 150, 4
SIZES = """
import importlib.metadata, json
sizes = {}
for package in importlib.metadata.distributions():
    files = [file.locate() for file in package.files or ()]
    sizes[package.metadata["Name"]] = sum(file.stat().st_size for file in files if file.is_file())
print(json.dumps(sizes))
"""
LEFT_OUT = {"pip", "setuptools"}


def installed(folder: Path) -> dict[str, int]:
    """Bytes by package of an installation made below `folder`. Raises CalledProcessError where no index is reached."""
    python = folder / "environment" / "bin" / "python"
    venv.create(folder / "environment", with_pip=True)
    pip = ("-m", "pip", "--disable-pip-version-check", "--quiet")
    lock = ROOT / "requirements" / "gateway.txt"
    subprocess.run([python, *pip, "install", "--require-hashes", "-r", lock], check=True)
    build = (*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", folder, ROOT)
    subprocess.run([sys.executable, *build], check=True)
    subprocess.run([python, *pip, "install", "--no-deps", *folder.glob("aloi-*.whl")], check=True)
    sizes: dict[str, int] = json.loads(subprocess.check_output([python, "-c", SIZES], text=True))
    return {name: size for name, size in sizes.items() if name not in LEFT_OUT}


def measured() -> dict[str, int]:
    """Bytes by package; empty, and said, where no index is reached."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            return installed(Path(folder))
        except subprocess.CalledProcessError as error:
            print(f"the installation was not measured: {error}")
            return {}


def told(sizes: dict[str, int]) -> None:
    """Print the total beside its bar, and the largest packages."""
    if not sizes:
        return
    total = sum(sizes.values()) / MEGABYTE
    bar(f"aloi[gateway], {len(sizes)} packages", f"{total:.1f} MB", f"<= {WANTED} MB", met=total <= WANTED)
    largest = sorted(sizes, key=lambda name: -sizes[name])[:SHOWN]
    print("largest: " + ", ".join(f"{name} {sizes[name] / MEGABYTE:.1f} MB" for name in largest))


if __name__ == "__main__":
    told(measured())
