"""A hundred megabytes, whatever frames them: told in the client's protocol, the connection closed, nothing kept."""

import asyncio
import contextlib
import json
import re
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import anthropic
import httpx2 as httpx
import openai
import pytest
from gateway_room import LIMITS, Gateway

from aloi.solutions.gateway.connection import DROPPED

PATHS = ["/v1/chat/completions", "/v1/responses", "/v1/completions", "/v1/embeddings", "/v1/messages"]
EVERY = pytest.mark.parametrize("path", PATHS)
PIECE, PIECES = b"x" * 65_536, 1_600
SIZE = len(PIECE) * PIECES
assert SIZE > 100_000_000
MEGABYTES = 16  # that the gateway may grow by, whatever it is sent


def head(path: str, framing: str) -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: x\r\n{framing}\r\n\r\n".encode()


CHUNKED, LENGTH = "Transfer-Encoding: chunked", f"Content-Length: {SIZE}"


def pieces() -> Iterator[bytes]:
    for _ in range(PIECES):
        yield PIECE


async def later_pieces() -> AsyncIterator[bytes]:
    for piece in pieces():
        yield piece
        await asyncio.sleep(0)


def peak(gateway: Gateway) -> int:
    """The most memory that it ever had, in bytes."""
    status = Path(f"/proc/{gateway.process.pid}/status").read_text()
    return 1_024 * int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0])


def require_told(document: Any, path: str) -> None:
    """That it is the error of the protocol, and tells what to do."""
    assert document["error"]["code"] == "too-large"
    assert f"{LIMITS['request_bytes']} bytes" in document["error"]["message"]
    assert "`gateway.limits.request_bytes`" in document["error"]["message"]
    if path == "/v1/messages":
        assert (document["type"], document["error"]["type"]) == ("error", "request_too_large")
    else:
        assert document["error"]["type"] == "invalid_request_error"
        assert "type" not in document


@EVERY
@pytest.mark.parametrize("framing", [CHUNKED, LENGTH], ids=["chunked", "length"])
def test_who_writes_all_before_reading_is_told(gateway: Gateway, path: str, framing: str) -> None:
    before = peak(gateway)
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=30) as connection:
        connection.sendall(head(path, framing))
        for piece in pieces():
            connection.sendall(b"%x\r\n%b\r\n" % (len(piece), piece) if framing == CHUNKED else piece)
        if framing == CHUNKED:
            connection.sendall(b"0\r\n\r\n")
        answer = b""
        while more := connection.recv(65_536):  # to the end of the connection
            answer += more
    top, _, body = answer.partition(b"\r\n\r\n")
    assert top.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in top
    assert answer.count(b"HTTP/1.1") == 1
    require_told(json.loads(body), path)
    assert peak(gateway) - before < MEGABYTES * 1024**2


def test_many_at_once_take_no_memory(gateway: Gateway) -> None:
    before = peak(gateway)

    async def post(path: str) -> httpx.Response:
        async with httpx.AsyncClient(timeout=60) as client:
            return await client.post(gateway.url + path, content=later_pieces())

    async def all_of_them() -> list[httpx.Response]:
        return await asyncio.gather(*map(post, PATHS))

    for path, reply in zip(PATHS, asyncio.run(all_of_them()), strict=True):
        assert reply.status_code == 413
        require_told(reply.json(), path)
    assert peak(gateway) - before < MEGABYTES * 1024**2


@EVERY
def test_httpx_is_told(gateway: Gateway, path: str) -> None:
    with httpx.Client(timeout=60) as client:
        for _ in range(2):  # the connection is closed behind it; the client opens another
            reply = client.post(gateway.url + path, content=pieces())
            assert reply.status_code == 413
            assert reply.headers["connection"] == "close"
            require_told(reply.json(), path)
        assert client.get(f"{gateway.url}/aloi/health").status_code == 200


@EVERY
async def test_aiohttp_is_told(gateway: Gateway, path: str) -> None:
    async with aiohttp.ClientSession() as client, client.post(gateway.url + path, data=later_pieces()) as reply:
        assert reply.status == 413
        require_told(await reply.json(), path)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@EVERY
@pytest.mark.parametrize("expects", ["100-continue", ""])
def test_curl_is_told(gateway: Gateway, tmp_path: Path, path: str, expects: str) -> None:
    body = tmp_path / "body"
    with body.open("wb") as file:
        file.truncate(SIZE)
    options = ["-H", CHUNKED, "-H", f"Expect: {expects}", "-X", "POST", "-T", str(body)]
    command = ["curl", "-sS", "--max-time", "60", *options, gateway.url + path]
    told = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    assert told.returncode == 0, told.stderr
    require_told(json.loads(told.stdout), path)


SAID = [{"role": "user", "content": "x" * 20_000_000}]


def test_the_packages_of_both_protocols_are_told(gateway: Gateway) -> None:
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="k", max_retries=0, timeout=60) as gpt:
        with pytest.raises(openai.APIStatusError) as raised:
            gpt.chat.completions.create(model="m", messages=SAID)
        assert raised.value.status_code == 413
        require_told(raised.value.response.json(), "/v1/chat/completions")
    with anthropic.Anthropic(base_url=gateway.url, api_key="k", max_retries=0, timeout=60) as claude:
        with pytest.raises(anthropic.APIStatusError) as theirs:
            claude.messages.create(model="m", max_tokens=9, messages=SAID)
        assert theirs.value.status_code == 413
        require_told(theirs.value.response.json(), "/v1/messages")


def test_who_writes_for_ever_is_cut_off(gateway: Gateway) -> None:
    sent, before = 0, peak(gateway)
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=30) as connection:
        connection.sendall(head("/v1/messages", CHUNKED))
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            while sent < 4 * DROPPED:
                connection.sendall(b"%x\r\n%b\r\n" % (len(PIECE), PIECE))
                sent += len(PIECE)
    assert DROPPED / 2 < sent < 2 * DROPPED
    assert peak(gateway) - before < MEGABYTES * 1024**2
    assert httpx.get(f"{gateway.url}/aloi/health").status_code == 200


def test_what_follows_such_a_body_is_not_heard(gateway: Gateway) -> None:
    """A second request behind it would be answered to somebody else, where a proxy shares its connection."""
    body = b"%x\r\n%b\r\n" % (300_000, b"x" * 300_000) + b"0\r\n\r\n"
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=30) as connection:
        connection.sendall(head("/v1/messages", CHUNKED) + body + b"GET /aloi/health HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = b""
        while more := connection.recv(65_536):
            answer += more
    assert answer.count(b"HTTP/1.1 ") == 1
    assert answer.startswith(b"HTTP/1.1 413 ")
