"""What is no exchange (unknown paths, other methods, no HTTP at all) is told in the client's protocol too."""

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import anthropic
import httpx2 as httpx
import openai
import pytest
from benchmarks.gateway.scripted import Scripted
from gateway_room import LIMITS, Gateway, described, running

VERSION, KEY = {"anthropic-version": "2023-06-01"}, {"x-api-key": "k"}
OPENAI, ANTHROPIC = "openai", "anthropic"


def form_of(document: Any) -> str:
    """Of which protocol an error is."""
    error = document["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["message"]
    if set(document) == {"error"}:
        return OPENAI
    assert document == {"type": "error", "error": error}
    return ANTHROPIC


ELSEWHERE: dict[str, tuple[str, str, dict[str, str], int, str, str]] = {
    "tokens of messages, asked otherwise": ("GET", "/v1/messages/count_tokens", {}, 405, "method", ANTHROPIC),
    "batches of messages": ("GET", "/v1/messages/batches/b1/results", {}, 404, "not-found", ANTHROPIC),
    "nothing behind messages": ("POST", "/v1/messages/", {}, 404, "not-found", ANTHROPIC),
    "messages, asked otherwise": ("GET", "/v1/messages", {}, 405, "method", ANTHROPIC),
    "messages, deleted": ("DELETE", "/v1/messages", {}, 405, "method", ANTHROPIC),
    "messages of somebody else": ("POST", "/v1/messagesboard", {}, 404, "not-found", OPENAI),
    "a version, somewhere": ("POST", "/v1/files", VERSION, 404, "not-found", ANTHROPIC),
    "a key, somewhere": ("POST", "/v1/v1/messages", KEY, 404, "not-found", ANTHROPIC),
    "a key at OpenAI's address": ("GET", "/v1/chat/completions", KEY, 405, "method", OPENAI),
    "a version at OpenAI's address": ("GET", "/v1/responses", VERSION, 405, "method", OPENAI),
    "a response that is kept": ("GET", "/v1/responses/resp_1", {}, 404, "not-found", OPENAI),
    "chat without its version": ("POST", "/chat/completions", {}, 404, "not-found", OPENAI),
    "the root": ("GET", "/", {}, 404, "not-found", OPENAI),
    "our own, asked otherwise": ("POST", "/aloi/status", {}, 405, "method", OPENAI),
    "models, asked otherwise": ("POST", "/v1/models", VERSION, 405, "method", ANTHROPIC),
    "an unknown method": ("PATCH", "/v1/messages", {}, 405, "method", ANTHROPIC),
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_an_address_that_is_none(gateway: Gateway, name: str) -> None:
    method, path, headers, status, code, form = ELSEWHERE[name]
    reply = httpx.request(method, gateway.url + path, headers=headers, content=b"{}", timeout=20)
    assert (reply.status_code, reply.json()["error"]["code"], form_of(reply.json())) == (status, code, form)
    again = httpx.request(method, gateway.url + path, headers=headers | {"Accept-Language": "fr"}, content=b"{}")
    assert again.json()["error"]["message"] != reply.json()["error"]["message"]


def test_the_packages_raise_their_own(gateway: Gateway) -> None:
    with anthropic.Anthropic(base_url=gateway.url, api_key="k", max_retries=0) as claude:
        with pytest.raises(anthropic.NotFoundError) as raised:
            claude.messages.batches.list()
        assert raised.value.body["error"]["type"] == "not_found_error"  # type: ignore[index]
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="k", max_retries=0) as gpt:
        with pytest.raises(openai.NotFoundError) as theirs:
            gpt.files.list()
        assert theirs.value.code == "not-found"


CLAUDES = b"Host: x\r\nanthropic-version: 2023-06-01\r\n"
LONG = b"X-A: b\r\n" * 10_000
# What came, the status, the code, and the form.
BYTES: dict[str, tuple[bytes, int, str, str]] = {
    "no method": (b"G(T /v1/messages HTTP/1.1\r\nHost: x\r\n\r\n", 400, "no-http", ANTHROPIC),
    "no method, elsewhere": (b"G(T /v1/embeddings HTTP/1.1\r\nHost: x\r\n\r\n", 400, "no-http", OPENAI),
    "no method, with a version": (b"G(T / HTTP/1.1\r\n" + CLAUDES + b"\r\n", 400, "no-http", ANTHROPIC),
    "no version": (b"POST /v1/messages HTTQ/1.1\r\nHost: x\r\n\r\n", 400, "no-http", ANTHROPIC),
    "words": (b"Hello, is anybody there?\r\n\r\n", 400, "no-http", OPENAI),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 200, 400, "no-http", OPENAI),
    "a blank in a name": (b"GET /v1/x HTTP/1.1\r\n" + CLAUDES + b"a b: c\r\n\r\n", 400, "no-http", ANTHROPIC),
    "a blank in a name, for the path": (b"POST /v1/messages HTTP/1.1\r\na b: c\r\n\r\n", 400, "no-http", ANTHROPIC),
    "two lengths": (
        b"POST /v1/messages HTTP/1.1\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd",
        400,
        "no-http",
        ANTHROPIC,
    ),
    "a chunk that lies": (
        b"POST /v1/messages HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n",
        400,
        "no-http",
        ANTHROPIC,
    ),
    "no host": (b"GET /aloi/health HTTP/1.1\r\nx-api-key: k\r\n\r\n", 400, "no-http", ANTHROPIC),
    "no host, with a body": (b"POST /v1/messages HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", 400, "no-http", ANTHROPIC),
    "two hosts": (b"GET /aloi/health HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", 400, "no-http", OPENAI),
    "two other hosts": (b"GET /aloi/health HTTP/1.1\r\nhost: y\r\nX-A: b\r\nHost: x\r\n\r\n", 400, "no-http", OPENAI),
    "a user at a host": (b"GET /aloi/health HTTP/1.1\r\nHost: x@y\r\n\r\n", 400, "no-http", OPENAI),
    "a host with a path": (b"GET /aloi/health HTTP/1.1\r\nHost: x/y\r\n\r\n", 400, "no-http", OPENAI),
    "two hosts in one": (b"GET /aloi/health HTTP/1.0\r\nHost: x y\r\n\r\n", 400, "no-http", OPENAI),
    "two hosts of old": (b"GET /aloi/health HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n", 400, "no-http", OPENAI),
    "an offer without a host": (
        b"GET /aloi/health HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
        400,
        "no-http",
        OPENAI,
    ),
    "an address of other letters": (b"GET /v1/\xc3\xa9 HTTP/1.1\r\nx-api-key: k\r\n\r\n", 400, "no-", ANTHROPIC),
    "no path": (b"GET http:// HTTP/1.1\r\nHost: x\r\n\r\n", 400, "no-", OPENAI),
    "a tunnel": (b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 400, "no-proxy", OPENAI),
    "much in a tunnel": (b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n" + b"x" * 60_000, 400, "no-proxy", OPENAI),
    "a head without an end": (b"POST /v1/messages HTTP/1.1\r\nHost: x\r\n" + LONG, 431, "head-too-large", ANTHROPIC),
    "the same elsewhere": (b"POST /v1/responses HTTP/1.1\r\nHost: x\r\n" + LONG, 431, "head-too-large", OPENAI),
    "the same, by a key": (b"GET /v1/files HTTP/1.1\r\nX-Api-Key: k\r\n" + LONG, 431, "head-too-large", ANTHROPIC),
    "a head that is whole": (
        b"POST /v1/messages HTTP/1.1\r\nX-A: " + b"b" * 40_000 + b"\r\n\r\n",
        431,
        "head-too-large",
        ANTHROPIC,
    ),
    "a long address": (b"GET /v1/messages?" + b"a" * 50_000, 431, "head-too-large", ANTHROPIC),
}


def answers(connection: socket.socket) -> list[tuple[int, bytes, bytes]]:
    """All that comes until the connection ends: status, head and body of each."""
    said = b""
    while more := connection.recv(65_536):
        said += more
    found = []
    while said:
        head, _, rest = said.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        found.append((int(head.split(b" ")[1]), head, rest[:length]))
        said = rest[length:]
    return found


@pytest.mark.parametrize(
    "host", [b"", b"127.0.0.1:8400", b"[::1]:80", b"[fe80::1]", b"a_b.example:", b" x \t", b"caf%C3%A9"]
)
def test_hosts_that_are_some(gateway: Gateway, host: bytes) -> None:
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as connection:
        connection.sendall(b"GET /aloi/health HTTP/1.1\r\nConnection: close\r\nHost:" + host + b"\r\n\r\n")
        assert answers(connection)[0][0] == 200


@pytest.mark.parametrize("name", BYTES)
@pytest.mark.parametrize("language", ["", "fr"])
def test_bytes_that_are_no_request(gateway: Gateway, name: str, language: str) -> None:
    data, status, code, form = BYTES[name]
    if language and b"Host: x\r\n" not in data:
        pytest.skip("nothing tells a language")
    spoken = b"Host: x\r\nAccept-Language: fr\r\n" if language else b"Host: x\r\n"
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as connection:
        connection.sendall(data.replace(b"Host: x\r\n", spoken, 1))
        ((told, head, body),) = answers(connection)
    assert told == status
    assert b"connection: close" in head
    assert b"content-type: application/json" in head
    document = json.loads(body)
    assert document["error"]["code"].startswith(code)
    assert form_of(document) == form
    assert ("Ensuite" in document["error"]["message"] or "la " in document["error"]["message"]) is bool(language)
    assert httpx.get(f"{gateway.url}/aloi/health").status_code == 200


HOSTS = {
    "old, without one": b"GET /aloi/health HTTP/1.0\r\n\r\n",
    "old, with one": b"GET /aloi/health HTTP/1.0\r\nHost: x\r\n\r\n",
    "one that is empty": b"GET /aloi/health HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n",
    "one in other letters": b"GET /aloi/health HTTP/1.1\r\nhOST: x\r\nConnection: close\r\n\r\n",
}


@pytest.mark.parametrize("name", HOSTS)
def test_a_head_that_names_its_host_as_it_must_is_answered(gateway: Gateway, name: str) -> None:
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as connection:
        connection.sendall(HOSTS[name])
        ((status, _, _),) = answers(connection)
    assert status == 200


ASKED = json.dumps({"model": "m", "messages": [{"role": "user", "content": "When do you open? slow"}]}).encode()


def test_noise_behind_a_request_does_not_disturb_its_answer(gateway: Gateway) -> None:
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(ASKED)
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as connection:
        connection.sendall(head + ASKED + b"\x00\x01 noise\r\n\r\n" + b"GET /aloi/health HTTP/1.1\r\nHost: x\r\n\r\n")
        (status, _, body), (refused, _, _) = answers(connection)
    assert (status, refused) == (200, 400)
    assert json.loads(body)["choices"]


def test_noise_behind_an_answer_is_told(gateway: Gateway) -> None:
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as connection:
        connection.sendall(b"POST /v1/messages/x HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        first = connection.recv(65_536)
        while not first.endswith(b"}"):  # the body may come behind its head
            first += connection.recv(65_536)
        assert first.startswith(b"HTTP/1.1 404 ")
        connection.sendall(b"\x00\x01 noise\r\n\r\n")
        ((status, _, body),) = answers(connection)
    assert (status, form_of(json.loads(body))) == (400, ANTHROPIC)


CONNECTIONS = 380  # of 700 files, less what the gateway itself opens


@pytest.fixture(scope="module")
def crowded(upstream: Scripted, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("crowded")
    with running(folder, described(upstream.port, ("secret-filter",), limits=LIMITS), files=700) as it:
        yield it
        assert "Traceback" not in it.said(), it.said()


def test_one_connection_too_many_is_told(crowded: Gateway, tmp_path: Path) -> None:
    with ExitStack() as stack:
        for _ in range(CONNECTIONS):
            stack.enter_context(socket.create_connection(("127.0.0.1", crowded.port), timeout=20))
        claude = stack.enter_context(anthropic.Anthropic(base_url=crowded.url, api_key="k", max_retries=0))
        gpt = stack.enter_context(openai.OpenAI(base_url=f"{crowded.url}/v1", api_key="k", max_retries=0))
        said: Any = [{"role": "user", "content": "When do you open? plain"}]
        with pytest.raises(anthropic.InternalServerError) as raised:
            claude.messages.create(model="m", max_tokens=9, messages=said)
        assert form_of(raised.value.body) == ANTHROPIC
        with pytest.raises(openai.InternalServerError) as theirs:
            gpt.chat.completions.create(model="m", messages=said)
        assert (theirs.value.status_code, theirs.value.code) == (503, "busy")
        assert f"{CONNECTIONS} connections" in theirs.value.message
        assert raised.value.response.headers["retry-after"] == "1"
    for _ in range(200):
        if httpx.get(f"{crowded.url}/aloi/health").status_code == 200:
            return
    pytest.fail("it takes no more connections")
