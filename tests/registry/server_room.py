"""A registry that a process of its own serves, and requests to it as bytes."""

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from log_room import OTHER, SUBMITTER

from aloi.evidence import keys


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self):
        return json.loads(self.body)


class Served(NamedTuple):
    url: str
    folder: Path
    process: subprocess.Popen

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=30)
        try:
            connection.putrequest(method, path, skip_accept_encoding=True)
            for name, value in headers.items():
                connection.putheader(name.replace("_", "-"), value)
            if body is not None and "Content_Length" not in headers and "Transfer_Encoding" not in headers:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            reply = connection.getresponse()
            told = {name.lower(): value for name, value in reply.getheaders()}
            return Answer(reply.status, told, reply.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, **headers)

    def publish(self, *envelopes: bytes, **headers: str) -> Answer:
        return self.ask("POST", "/entries", b"\n".join(envelopes), **{"Content_Type": "application/jsonl"} | headers)


SETTINGS = """
name: registry.example.org/log
key: log.pem
database: sqlite:///registry.db
listen: 127.0.0.1:0
submitters:
  - name: Institute
    keys: [submitter.pub.pem]
  - name: Company
    keys: [other.pub.pem]
    per_hour: 6
limits:
  statement_bytes: 20000
  request_bytes: 1000000
  requests_per_minute: 100000
"""


def settle(folder: Path, settings: str = SETTINGS, key: keys.PrivateKey | None = None) -> Path:
    """A folder with registry.yaml, the log's key and the submitters' public keys."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "log.pem").exists():
        keys.save(key or keys.PrivateKey.generate(), folder / "log.pem")
    (folder / "submitter.pub.pem").write_bytes(SUBMITTER.public.pem())
    (folder / "other.pub.pem").write_bytes(OTHER.public.pem())
    file = folder / "registry.yaml"
    file.write_text(settings)
    return file


@contextmanager
def serving(file: Path, told: list[str] | None = None) -> Iterator[Served]:
    """`aloi registry serve FILE`, until the block ends; it must end by itself when it is asked to.

    What it says on standard error is added to `told`, line by line.
    """
    command = [sys.executable, "-m", "aloi.cli.main", "registry", "serve", str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline()
            url = line.rsplit(" ", 1)[-1].strip()
            if not url.startswith("http://"):
                raise AssertionError(line + process.stderr.read())
            yield Served(url, file.parent, process)
        finally:
            if process.poll() is None:
                process.terminate()
            _, said = process.communicate(timeout=30)
    if told is not None:
        told += said.splitlines()
    assert "Traceback" not in said, said
