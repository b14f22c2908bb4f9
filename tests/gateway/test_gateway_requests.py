"""What clients may send, and what they are told of what they may not."""

import contextlib
import json
import socket
import time

import httpx2 as httpx
import pytest
from benchmarks.gateway.scripted import Scripted
from gateway_room import PROMPT, Gateway

from aloi.solutions.gateway.asking import ARRIVES
from aloi.solutions.gateway.connection import SECONDS

PLAIN = {"model": "m", "messages": [{"role": "user", "content": "When do you open on Mondays? plain"}]}
BODY = json.dumps(PLAIN).encode()
LARGE = json.dumps({**PLAIN, "user": "x" * 300_000}).encode()

HOSTILE: dict[str, tuple[str, str, dict[str, str], bytes, int, str]] = {
    "not there": ("POST", "/v1/images", {}, BODY, 404, "not-found"),
    "up the tree": ("GET", "/v1/%2e%2e/aloi/status", {}, b"", 404, "not-found"),
    "another method": ("GET", "/v1/chat/completions", {}, b"", 405, "method"),
    "another method of ours": ("POST", "/aloi/status", {}, BODY, 405, "method"),
    "another method of what is handed on": ("GET", "/v1/embeddings", {}, b"", 405, "method"),
    "nothing": ("POST", "/v1/chat/completions", {}, b"", 400, "malformed"),
    "no JSON": ("POST", "/v1/chat/completions", {}, b"{", 400, "malformed"),
    "a list": ("POST", "/v1/chat/completions", {}, b"[]", 400, "malformed"),
    "too large": ("POST", "/v1/chat/completions", {}, LARGE, 413, "too-large"),
    "packed": ("POST", "/v1/chat/completions", {"Content-Encoding": "gzip"}, BODY, 415, "encoded"),
    "another model": (
        "POST",
        "/v1/chat/completions",
        {},
        json.dumps({**PLAIN, "model": "other"}).encode(),
        404,
        "model_not_found",
    ),
    "deep": ("POST", "/v1/chat/completions", {}, b'{"a":' * 5_000 + b"1" + b"}" * 5_000, 400, "malformed"),
    "two answers": ("POST", "/v1/chat/completions", {}, json.dumps({**PLAIN, "n": 2}).encode(), 400, "malformed"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_bad_request_is_told_in_the_protocol(gateway: Gateway, name: str) -> None:
    method, path, headers, body, status, code = HOSTILE[name]
    reply = httpx.request(method, gateway.url + path, headers=headers, content=body, timeout=20)
    assert reply.status_code == status
    assert reply.json()["error"]["code"] == code


def test_who_asks_for_a_head_alone_is_answered(gateway: Gateway) -> None:
    reply = httpx.head(f"{gateway.url}/aloi/health")
    assert (reply.status_code, reply.content) == (200, b"")


def test_a_slow_body_is_told_of_before_its_connection_is_cut() -> None:
    assert ARRIVES < SECONDS


def test_a_bad_request_is_told_in_french(gateway: Gateway) -> None:
    reply = httpx.post(f"{gateway.url}/v1/chat/completions", content=LARGE, headers={"Accept-Language": "fr-FR, en"})
    assert reply.json()["error"]["message"].startswith("la requête")


def test_a_request_without_a_prompt_is_given_the_systems(gateway: Gateway, upstream: Scripted) -> None:
    httpx.post(f"{gateway.url}/v1/chat/completions", json=PLAIN)
    assert upstream.requests[-1][1]["messages"][0] == {"role": "system", "content": PROMPT}


def test_a_request_is_handed_on_as_it_was_written(gateway: Gateway, upstream: Scripted) -> None:
    sent = {
        **PLAIN,
        "messages": [{"role": "system", "content": "Be brief."}, *PLAIN["messages"]],
        "top_p": 0.25,
        "seed": 7,
        "response_format": {"type": "text"},
        "metadata": {"a": "b"},
    }
    httpx.post(f"{gateway.url}/v1/chat/completions", json=sent)
    assert upstream.requests[-1][1] == sent


RAW: dict[str, tuple[bytes, bytes]] = {
    "a head without an end": (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-A: b\r\n" * 10_000, b"431"),
    "one header of 100 kB": (b"GET / HTTP/1.1\r\nHost: x\r\nX-A: " + b"b" * 100_000, b"431"),
    "a whole head of 50 kB": (b"GET / HTTP/1.1\r\nHost: x\r\nX-A: " + b"b" * 50_000 + b"\r\n\r\n", b"431"),
    "both lengths": (
        (
            b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"0\r\n\r\nGET /aloi/status HTTP/1.1\r\nHost: x\r\n\r\n"
        ),
        b"400",
    ),
    "two lengths": (
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd",
        b"400",
    ),
    "a length that is none": (
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: +4\r\n\r\nabcd",
        b"400",
    ),
    "a chunked body that lies": (
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n",
        b"400",
    ),
    "blank before the colon": (b"GET /aloi/health HTTP/1.1\r\nHost : x\r\n\r\n", b"400"),
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 200, b"400"),
}


@pytest.mark.parametrize("name", RAW)
def test_bytes_that_no_client_sends(gateway: Gateway, name: str) -> None:
    data, status = RAW[name]
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(data)
        answer = b""
        while more := connection.recv(65_536):
            answer += more
    assert answer.count(b"HTTP/1.1 ") == 1
    assert answer.startswith(b"HTTP/1.1 %s " % status)
    assert set(json.loads(answer.partition(b"\r\n\r\n")[2])["error"]) == {"message", "type", "param", "code"}
    assert httpx.get(f"{gateway.url}/aloi/health").status_code == 200


def test_a_body_that_is_too_large_is_refused_before_it_is_sent(gateway: Gateway) -> None:
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n"
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as connection:
        connection.sendall(head)
        assert connection.recv(65_536).startswith(b"HTTP/1.1 413 ")


def test_who_leaves_ends_the_work(gateway: Gateway, upstream: Scripted) -> None:
    with (
        httpx.Client(timeout=20) as client,
        client.stream("POST", f"{gateway.url}/v1/chat/completions", json={**PLAIN, "stream": True}) as reply,
    ):
        next(reply.iter_bytes())
    for _ in range(100):
        if httpx.get(f"{gateway.url}/aloi/status").json()["under_way"] == 0:
            return
        time.sleep(0.05)
    pytest.fail("an exchange goes on though its client has left")
