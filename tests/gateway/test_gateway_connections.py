"""Connections that offer, hide or hold back what they should not."""

import asyncio
import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator

import httpx2 as httpx
import pytest
import uvicorn
from gateway_room import Gateway

from aloi.solutions.gateway.connection import HEAD, Connection

BODY = json.dumps({"model": "m", "messages": [{"role": "user", "content": "When do you open? plain"}]}).encode()
LINE = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
# What curl --http2 and Java's own client send before a plain address.
OFFER = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n"
WHOLE = b"Content-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
TINY = b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(b"1\r\n%c\r\n" % one for one in BODY) + b"0\r\n\r\n"


def connected(gateway: Gateway) -> socket.socket:
    return socket.create_connection(("127.0.0.1", gateway.port), timeout=20)


def answered(connection: socket.socket, request: bytes) -> bytes:
    connection.sendall(request)
    answer = connection.recv(65_536)
    while b"}" not in answer[-2:]:
        answer += connection.recv(65_536)
    return answer


@pytest.mark.parametrize("request_", [OFFER + WHOLE, OFFER + TINY, TINY], ids=["offer", "offer in chunks", "chunks"])
def test_an_offer_of_another_protocol_is_overlooked(gateway: Gateway, request_: bytes) -> None:
    with connected(gateway) as connection:
        for _ in range(2):
            assert answered(connection, LINE + request_).startswith(b"HTTP/1.1 200 ")


def test_an_offer_that_comes_byte_by_byte_is_overlooked(gateway: Gateway) -> None:
    with connected(gateway) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for one in LINE + OFFER + WHOLE[:-1]:
            connection.sendall(bytes([one]))
        assert answered(connection, WHOLE[-1:]).startswith(b"HTTP/1.1 200 ")


def test_an_offer_hides_no_second_request(gateway: Gateway) -> None:
    hidden = b"Content-Length: 0\r\n\r\nGET /aloi/health HTTP/1.1\r\nHost: x\r\n\r\n"
    with connected(gateway) as connection:
        connection.settimeout(2)
        answer = answered(connection, LINE + OFFER + hidden)
        assert answer.startswith(b"HTTP/1.1 400 ")


def test_it_is_no_proxy(gateway: Gateway) -> None:
    with connected(gateway) as connection:
        connection.sendall(b"CONNECT bank.example:443 HTTP/1.1\r\nHost: bank.example:443\r\n\r\n")
        assert connection.recv(65_536).startswith(b"HTTP/1.1 400 ")


CHUNKED = LINE + b"Transfer-Encoding: chunked\r\n\r\n"
BESIDE = {
    "behind a body": (CHUNKED + b"2\r\n{}\r\n0\r\n", b"X-A: %b\r\n" % (b"y" * 4_000)),
    "behind a chunk's size": (CHUNKED + b"2;", b"y" * 4_000),
}


@pytest.mark.parametrize("name", BESIDE)
def test_what_is_no_body_is_bounded_too(gateway: Gateway, name: str) -> None:
    begun, more = BESIDE[name]
    with connected(gateway) as connection:
        connection.sendall(begun)
        sent = 0
        try:
            while sent < 1_000 * HEAD:
                connection.sendall(more)
                sent += len(more)
            pytest.fail(f"{sent} bytes were taken")
        except (BrokenPipeError, ConnectionResetError):
            pass
    assert httpx.get(f"{gateway.url}/aloi/health").status_code == 200


class Hasty(Connection):
    """One that does not wait for a minute."""

    arrives = 0.4
    taken = 0.4


async def long_answer(scope, receive, send):  # type: ignore[no-untyped-def]
    """Eight megabytes, never brought to an end at `/cut`; at `/late` a word after a while."""
    while (await receive()).get("more_body"):
        pass
    if scope["path"] == "/late":
        await asyncio.sleep(3 * Hasty.arrives)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
        await send({"type": "http.response.body", "body": b"hello"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"x" * 8_000_000, "more_body": scope["path"] == "/cut"})


@pytest.fixture(scope="module")
def hasty() -> Iterator[uvicorn.Server]:
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(long_answer, http=Hasty, ws="none", lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server
    server.should_exit = True
    thread.join(10)


ASKED = {
    "kept open": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "closed behind it": b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    "never ended": b"GET /cut HTTP/1.1\r\nHost: x\r\n\r\n",
}


def asking(server: uvicorn.Server, request: bytes, room: int = 4_096) -> socket.socket:
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
    connection.connect(server.servers[0].sockets[0].getsockname())
    connection.sendall(request)
    while not server.server_state.connections:
        time.sleep(0.01)
    return connection


@pytest.mark.parametrize("name", ASKED)
def test_who_takes_nothing_of_an_answer_is_cut_off(hasty: uvicorn.Server, name: str) -> None:
    with asking(hasty, ASKED[name]):
        for _ in range(60):
            if not hasty.server_state.connections:
                return
            time.sleep(0.05)
        pytest.fail("the connection is held open")


def test_who_takes_an_answer_slowly_gets_it(hasty: uvicorn.Server) -> None:
    with asking(hasty, ASKED["closed behind it"], room=100_000) as connection:
        got, began = 0, time.monotonic()
        while more := connection.recv(50_000):
            got += len(more)
            time.sleep(0.008)
    assert got > 8_000_000
    assert time.monotonic() - began > 2 * Hasty.taken


SLOW = {
    "nothing": b"",
    "a head": b"GET / HTTP/1.1\r\nHost: x\r\n",
    "a body": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n",
    "a body in chunks": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
}


@pytest.mark.parametrize("name", SLOW)
def test_who_does_not_come_to_an_end_of_asking_is_cut_off(hasty: uvicorn.Server, name: str) -> None:
    with asking(hasty, SLOW[name]) as connection:
        connection.settimeout(5)
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(100) == b""


def test_who_sends_an_empty_line_too_many_gets_a_late_answer(hasty: uvicorn.Server) -> None:
    with asking(hasty, b"GET /late HTTP/1.1\r\nHost: x\r\n\r\n") as connection:
        connection.settimeout(5)
        time.sleep(0.1)
        connection.sendall(b"\r\n")
        assert connection.recv(1_000).startswith(b"HTTP/1.1 200 ")


BEHIND = {
    "a request": LINE + WHOLE,
    "two requests": (LINE + WHOLE) * 2,
    "a request and no request": LINE + WHOLE + b"none\r\n\r\n",
    "no chunk": LINE + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "half a request": LINE + WHOLE[:-1],
}


@pytest.mark.parametrize("name", BEHIND)
def test_who_leaves_with_a_request_behind_another_has_left_both(gateway: Gateway, name: str) -> None:
    """uvicorn tells the last of them alone: the model would go on, and its answer be written to nobody."""

    def told(what: str) -> float:
        lines = httpx.get(f"{gateway.url}/aloi/metrics").text.splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(what) and "_created" not in line)

    gone = 'aloi_gateway_exchanges_total{endpoint="/v1/chat/completions",outcome="gone"}'
    before = told(gone)
    body = BODY.replace(b"plain", b"hung")
    with connected(gateway) as connection:
        connection.sendall(LINE + b"Content-Length: %d\r\n\r\n%b" % (len(body), body) + BEHIND[name])
        time.sleep(0.2)
    ends = time.monotonic() + 2  # the model would be waited for twice as long
    while told(gone) == before and time.monotonic() < ends:
        time.sleep(0.05)
    assert told(gone) == before + 1
    assert told("aloi_gateway_under_way ") == 0
    assert "Traceback" not in gateway.said()


def heard(connection: socket.socket) -> list[tuple[int, bytes]]:
    """Every answer until the connection ends: its status and its body."""
    with connection.makefile("rb") as read:
        found = []
        while line := read.readline():
            length = 0
            while (header := read.readline()) != b"\r\n":
                name, _, value = header.lower().partition(b":")
                length = int(value) if name == b"content-length" else length
            found.append((int(line.split()[1]), read.read(length)))
        return found


def posted(script: str) -> bytes:
    body = BODY.replace(b"plain", script.encode())
    return LINE + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


HEALTH = b"GET /aloi/health HTTP/1.1\r\nHost: x\r\n\r\n"
NOISE = b"\x16\x03\x01 none\r\n\r\n"
# What is sent at once, and the status of each answer; the last is told to what is no request.
BEFORE_NOISE = {
    "a request": (posted("plain"), NOISE, [200, 400]),
    "two requests": (posted("slow") + HEALTH, NOISE, [200, 200, 400]),
    "five requests": (
        posted("slow") + HEALTH + posted("busy") + posted("slow") + HEALTH,
        NOISE,
        [200, 200, 429, 200, 200, 400],
    ),
    "two requests, and no chunk": (posted("slow") + HEALTH + CHUNKED, b"zz\r\n", [200, 200, 400]),
    "a request, and no chunk": (posted("slow") + CHUNKED, b"zz\r\n", [200, 400]),
    "no chunk": (CHUNKED, b"zz\r\n", [400]),
    "two requests, and a long head": (
        posted("slow") + HEALTH,
        LINE + b"X: %b\r\n\r\n" % (b"y" * HEAD),
        [200, 200, 431],
    ),
    "the last that is wanted": (
        posted("slow") + HEALTH.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"),
        NOISE,
        [200, 200],
    ),
    "a request without a host": (posted("slow") + HEALTH, HEALTH.replace(b"Host: x\r\n", b""), [200, 200, 400]),
    "a tunnel": (posted("slow") + HEALTH, b"CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n", [200, 200, 400]),
}


@pytest.mark.parametrize("apart", [False, True], ids=["at once", "while the first is answered"])
@pytest.mark.parametrize("name", BEFORE_NOISE)
def test_what_was_asked_before_noise_is_answered_in_its_order(gateway: Gateway, name: str, *, apart: bool) -> None:
    asked, noise, wanted = BEFORE_NOISE[name]
    with connected(gateway) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(asked if apart else asked + noise)
        if apart:
            time.sleep(0.05)
            connection.sendall(noise)
        told = heard(connection)
    assert [status for status, _ in told] == wanted
    for status, body in told[:-1]:
        assert status == 429 or b"weekdays" in body or body == b'{"answers":true}'
    if wanted[-1] >= 400:
        assert json.loads(told[-1][1])["error"]["code"] in {"no-http", "head-too-large", "no-proxy"}
    assert "Traceback" not in gateway.said()


def test_what_follows_noise_is_dropped_and_asks_nothing(gateway: Gateway) -> None:
    with connected(gateway) as connection:
        connection.sendall(posted("slow") + HEALTH + NOISE)
        for _ in range(3):
            time.sleep(0.05)
            connection.sendall(posted("plain"))
        assert [status for status, _ in heard(connection)] == [200, 200, 400]


def test_who_leaves_behind_noise_is_waited_for_by_nobody(gateway: Gateway) -> None:
    def under_way() -> list[str]:
        told = httpx.get(f"{gateway.url}/aloi/metrics").text.splitlines()
        return [line for line in told if line.startswith("aloi_gateway_under_way ")]

    with connected(gateway) as connection:
        connection.sendall(posted("hung") + HEALTH + NOISE)
        time.sleep(0.2)
        assert under_way() == ["aloi_gateway_under_way 1.0"]
    ends = time.monotonic() + 2  # the model would be waited for twice as long
    while under_way() != ["aloi_gateway_under_way 0.0"] and time.monotonic() < ends:
        time.sleep(0.05)
    assert under_way() == ["aloi_gateway_under_way 0.0"]
    assert "Traceback" not in gateway.said()
