"""A PostgreSQL of one's own for as long as it is needed: in a temporary folder, on a socket, as nobody."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FOLDERS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True)


def programs() -> Path | None:
    """Where PostgreSQL's programs are on this machine, if they are."""
    found = shutil.which("pg_ctl")
    return next(iter(FOLDERS), Path(found).resolve().parent if found else None)


class Cluster:
    """A server that can be started and stopped; `database` makes an empty one and gives its address."""

    def __init__(self, binaries: Path, folder: Path, settings: tuple[str, ...]) -> None:
        """Prepare the files of a server in an empty folder."""
        self._binaries, self._folder = binaries, folder
        self._settings = [part for each in settings for part in ("-c", each)]
        self._server: subprocess.Popen[bytes] | None = None
        self._how: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
        if os.geteuid() == 0:  # PostgreSQL does not run as root
            shutil.chown(folder, "nobody")
            self._how |= {"user": "nobody", "extra_groups": []}
        make = ["initdb", "-D", folder / "data", "-U", "aloi", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        subprocess.run([binaries / make[0], *make[1:]], check=True, **self._how)

    def start(self) -> None:
        """Start it and wait until it answers."""
        where = ["-D", self._folder / "data", "-k", self._folder, "-h", ""]
        self._server = subprocess.Popen([self._binaries / "postgres", *where, *self._settings], **self._how)
        for _ in range(300):
            asked = subprocess.run([self._binaries / "pg_isready", "-q", "-h", self._folder], check=False)
            if asked.returncode == 0:
                return
            time.sleep(0.1)
        raise TimeoutError("PostgreSQL did not start")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it; by SIGQUIT as in a crash."""
        if self._server is not None:
            self._server.send_signal(how)
            self._server.wait(60)
            self._server = None

    def database(self, name: str) -> str:
        """The address of a new, empty schema: whole databases are thousands of files to make and to remove."""
        import psycopg  # noqa: PLC0415 - an extra

        with psycopg.connect(host=str(self._folder), user="aloi", dbname="postgres", autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {name}".encode())
        return f"postgresql+psycopg://aloi@/postgres?host={self._folder}&options=-csearch_path%3D{name}"


@contextmanager
def cluster(*settings: str) -> Iterator[Cluster]:
    """A server that runs. Raises FileNotFoundError where PostgreSQL is not installed."""
    binaries = programs()
    if binaries is None:
        raise FileNotFoundError("PostgreSQL")
    folder = Path(tempfile.mkdtemp(prefix="aloi-pg-"))
    try:
        made = Cluster(binaries, folder, settings)
        try:
            made.start()
            yield made
        finally:
            made.stop(signal.SIGQUIT)  # its files are removed
    finally:
        shutil.rmtree(folder, ignore_errors=True)
