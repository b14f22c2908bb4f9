"""Resolve the locked requirements: every package with its hashes, no index address, for all platforms.

The schemas that a package of npm carries are locked beside them, where npm is installed.
"""

import shutil
import subprocess
import sys

LOCKS = {
    "core": ["pyproject.toml"],
    "local": ["--extra", "local", "pyproject.toml"],
    "fast": ["--extra", "fast", "pyproject.toml"],
    "gateway": ["--extra", "gateway", "pyproject.toml"],
    "measure": ["--extra", "measure", "pyproject.toml"],
    "demo": ["--extra", "measure", "--extra", "local", "--extra", "fast", "--group", "build", "pyproject.toml"],
    "dev": [
        "--extra",
        "measure",
        "--extra",
        "local",
        "--extra",
        "fast",
        "--extra",
        "gateway",
        "--extra",
        "otel",
        "--extra",
        "registry",
        "--extra",
        "postgres",
        "--group",
        "build",
        "--group",
        "test",
        "--group",
        "check",
        "pyproject.toml",
    ],
    "train": ["--extra", "measure", "--group", "train", "pyproject.toml"],
    "model": ["--no-deps", "requirements/model.in"],
    "oscal": ["--no-deps", "requirements/oscal.in"],
}
COMMON = [
    "--quiet",
    "--universal",
    "--python-version",
    "3.11",
    "--generate-hashes",
    "--no-emit-index-url",
    "--no-header",
    "--no-annotate",
]
SCHEMAS = ["--prefix", "requirements/schemas", "install", "--package-lock-only", "--omit-lockfile-registry-resolved"]


def main() -> None:
    for name, what in LOCKS.items():
        command = [sys.executable, "-m", "uv", "pip", "compile", *COMMON, *what, "-o", f"requirements/{name}.txt"]
        subprocess.run(command, check=True)  # noqa: S603 - our own arguments
    npm = shutil.which("npm")
    if npm is None:
        sys.exit("npm is not installed: requirements/schemas keeps the lock that it has")
    subprocess.run([npm, *SCHEMAS], check=True)  # noqa: S603 - as above


if __name__ == "__main__":
    main()
