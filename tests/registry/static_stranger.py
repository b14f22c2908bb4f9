"""Whoever reads a log's static files with code of their own: the standard library, an Ed25519 verifier, and the text of
C2SP tlog-tiles, tlog-checkpoint and signed-note. Nothing of ours is imported, so that it can be an oracle."""

import base64
import hashlib
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


@contextmanager
def file_server(folder: Path) -> Iterator[str]:
    """Python's own server of static files, on a free port of 127.0.0.1."""
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            port = process.stdout.readline().partition(" port ")[2].split()[0]
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.communicate(timeout=30)


def fetch(url: str) -> bytes | None:
    try:
        with urllib.request.urlopen(url, timeout=30) as reply:
            return reply.read()
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return None
        raise
    except urllib.error.URLError as error:
        if isinstance(error.reason, FileNotFoundError):
            return None
        raise


def resource(base: str, level: str, index: int, width: int) -> bytes:
    """A tile or a bundle; the full one where a partial one is no longer there, as the specification allows."""
    digits = f"{index:0{-(-len(str(index)) // 3) * 3}d}"
    groups = [digits[start : start + 3] for start in range(0, len(digits), 3)]
    address = f"{base}/tile/{level}/" + "/".join([f"x{group}" for group in groups[:-1]] + groups[-1:])
    found = fetch(f"{address}.p/{width}") if width < 256 else None
    found = found if found is not None else fetch(address)
    assert found is not None, f"{address} of {width} is missing"
    return found


def head(base: str, name: str, key: Ed25519PublicKey) -> tuple[int, bytes]:
    """Size and root of the checkpoint, signed by the key under the name."""
    text, _, lines = fetch(f"{base}/checkpoint").decode().partition("\n\n")
    known = hashlib.sha256(name.encode() + b"\n\x01" + key.public_bytes_raw()).digest()[:4]
    signed = False
    for line in lines.splitlines():
        dash, signer, told = line.split(" ")
        assert dash == "\N{EM DASH}"
        told = base64.b64decode(told, validate=True)
        if signer == name and told[:4] == known:
            key.verify(told[4:], text.encode() + b"\n")
            signed = True
    assert signed
    origin, size, root, *_ = text.split("\n")
    assert origin == name
    return int(size), base64.b64decode(root, validate=True)


def leaf(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def tree(hashes: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, from the leaves' hashes."""
    if len(hashes) < 2:
        return hashes[0] if hashes else hashlib.sha256().digest()
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return hashlib.sha256(b"\x01" + tree(hashes[:split]) + tree(hashes[split:])).digest()


def bundle(data: bytes) -> list[bytes]:
    entries = []
    while data:
        length = int.from_bytes(data[:2])
        assert len(data) >= 2 + length
        entries.append(data[2 : 2 + length])
        data = data[2 + length :]
    return entries


def whole_log(base: str, name: str, key: Ed25519PublicKey) -> list[bytes]:
    """Every entry under the checkpoint, each tile on the way being what its definition says."""
    size, root = head(base, name, key)
    entries: list[bytes] = []
    for index in range(-(-size // 256)):
        width = min(256, size - 256 * index)
        entries += bundle(resource(base, "entries", index, width))[:width]
    hashes = [leaf(entry) for entry in entries]
    assert len(entries) == size
    assert tree(hashes) == root
    level = 0
    while hashes:
        for index in range(-(-len(hashes) // 256)):
            row = hashes[256 * index : 256 * (index + 1)]
            assert resource(base, str(level), index, len(row))[: 32 * len(row)] == b"".join(row)
        hashes = [tree(hashes[start : start + 256]) for start in range(0, len(hashes) // 256 * 256, 256)]
        level += 1
    return entries
