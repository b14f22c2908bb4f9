"""A witness over HTTP: what it answers, to whom, and what it does not let others do to it."""

import asyncio
import json
import threading

import aiohttp
import pytest
from benchmarks.registry.logs import Log, fixed_key
from witness_room import KEY, NAME, NOW, ORIGIN, body, log_of, running

from aloi.evidence import cosignatures, notes
from aloi.registry.heads import FolderHeads, MemoryHeads
from aloi.registry.server import requests, witness
from aloi.registry.witness import Conflict, Cosigned
from aloi.registry.witnesswire import cosigned, read_size
from aloi.serving import hurried

LOG = log_of(20)
PUBLIC = cosignatures.witness_key(NAME, KEY)


async def ask(url, data=b"", method="POST", path="/add-checkpoint", **headers):
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url + path, data=data, headers=headers) as reply,
    ):
        return reply.status, reply.headers, await reply.read()


async def test_a_head_is_cosigned_then_the_next():
    async with running(LOG) as one:
        for old, size in ((0, 0), (0, 5), (5, 5), (5, 20)):
            status, headers, answer = await ask(one.url, body(LOG, old, size))
            assert (status, headers["content-type"]) == (200, "text/plain; charset=utf-8")
            note = cosigned(LOG.signed(size), answer, [PUBLIC])
            assert [each.time for each in cosignatures.verify(note, [PUBLIC])] == [NOW]
        assert [origin for origin, _ in one.watched] == [ORIGIN] * 4


async def test_what_a_witness_refuses_it_refuses_over_http_with_its_reason():
    stranger, other = Log(ORIGIN, fixed_key(12), LOG.entries), Log("log.example/two", fixed_key(13), LOG.entries)
    async with running(LOG) as one:
        await ask(one.url, body(LOG, 0, 9))
        refused = {
            b"not a request": (400, "request-form"),
            body(LOG, 9, 12).replace(b"old 9", b"old 09"): (400, "old-size"),
            b"old 0\n\nno note\n": (400, "note-form"),
            body(stranger, 0, 9): (403, "no-known-signature"),
            body(other, 0, 9): (404, "unknown-origin"),
            body(LOG.fork(3), 9, 20): (422, "not-consistent"),
        }
        for data, (status, reason) in refused.items():
            told = await ask(one.url, data)
            assert (told[0], told[2].partition(b":")[0].decode()) == (status, reason)
        for data in (body(LOG, 0, 12), body(LOG, 0, 3), body(LOG.fork(3), 9, 9)):
            status, headers, answer = await ask(one.url, data)
            assert (status, headers["content-type"], read_size(answer)) == (409, "text/x.tlog.size", 9)
        told = [getattr(answer, "reason", "") for _, answer in one.watched]
        # of what no watched log signed, nobody is told; what a stranger sent under its name is told without harm
        assert told == ["", "no-known-signature", "not-consistent", "old-size", "rollback", "fork"]


async def test_what_it_is_and_whether_it_stands():
    store = MemoryHeads()
    async with running(LOG, store=store) as one:
        status, _, told = await ask(one.url, method="GET", path="/")
        assert (status, json.loads(told)["name"], json.loads(told)["logs"]) == (200, NAME, [ORIGIN])
        assert [notes.NoteKey.parse(key) for key in json.loads(told)["keys"]] == [PUBLIC]
        assert (await ask(one.url, method="GET", path="/health"))[0] == 200

        def unreadable(_):
            raise OSError(5, "Input/output error", "/home/secret/path")

        store.read = unreadable
        status, _, told = await ask(one.url, method="GET", path="/health")
        assert (status, json.loads(told)) == (503, {"reason": "state-not-read"})
        status, _, told = await ask(one.url, body(LOG, 0, 9))
        assert status == 503
        assert told.startswith(b"state-not-read: ")
        assert b"secret" not in told


async def test_a_damaged_memory_is_seen_by_whoever_watches_its_health(tmp_path):
    with FolderHeads.create(tmp_path / "w") as store:
        async with running(LOG, store=store) as one:
            await ask(one.url, body(LOG, 0, 9))
            path = next((tmp_path / "w" / "heads").iterdir())
            path.write_bytes(path.read_bytes()[:-1])
            status, _, told = await ask(one.url, method="GET", path="/health")
            assert (status, json.loads(told)) == (503, {"reason": "damaged-state"})


ADDRESSES = [
    ("GET", "/add-checkpoint", 405),
    ("PUT", "/add-checkpoint", 405),
    ("POST", "/add-checkpoint/", 404),
    ("POST", "/", 405),
    ("POST", "/health", 405),
    ("GET", "/heads", 404),
    ("GET", "/state/witness.lock", 404),
    ("GET", "/../../etc/passwd", 404),
    ("GET", "/%2e%2e/%2e%2e/etc/passwd", 404),
    ("GET", "//etc/passwd", 404),
    ("GET", "/add-checkpoint%00", 404),
    ("GET", "/" + "a" * 8_000, 404),
    ("TRACE", "/", 405),
    ("DELETE", "/add-checkpoint", 405),
]


async def raw(host, data, seconds=5.0):
    """What comes back on one connection, until it is closed."""
    reader, writer = await asyncio.open_connection(*host)
    try:
        writer.write(data)
        return await asyncio.wait_for(reader.read(), seconds)
    finally:
        writer.close()


async def cut_off(reader, seconds=2.0):
    """Whether the connection ends without an answer."""
    try:
        return await asyncio.wait_for(reader.read(), seconds) == b""
    except ConnectionError:
        return True


@pytest.mark.parametrize(("method", "path", "status"), ADDRESSES)
async def test_nothing_else_is_there(method, path, status):
    async with running(LOG) as one:
        request = f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        answer = await raw(one.host, request.encode())
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"root:" not in answer
    assert b"Traceback" not in answer


async def test_a_body_that_is_too_large_is_not_read_to_its_end():
    async with running(LOG) as one:
        status, _, told = await ask(one.url, b"x" * (witness.BODY + 1))
        assert (status, json.loads(told)["reason"]) == (413, "too-large")

        async def endless():
            for _ in range(10_000):
                yield b"x" * 10_000
                await asyncio.sleep(0)

        try:
            status, _, told = await ask(one.url, endless())
            assert status == 413
        except aiohttp.ClientError:
            pass  # the connection is closed while we still send
        assert (await ask(one.url, body(LOG, 0, 9)))[0] == 200


async def test_who_asks_too_often_waits():
    async with running(LOG, per_minute=3) as one:
        told = [await ask(one.url, body(LOG, 0, 0)) for _ in range(4)]
        assert [status for status, _, _ in told] == [200, 200, 200, 429]
        assert 0 < int(told[3][1]["retry-after"]) <= 20
        assert json.loads(told[3][2])["reason"] == "too-often"
        assert (await ask(one.url, method="GET", path="/health"))[0] == 200


BROKEN = [
    b"",
    b"\r\n\r\n",
    b"GET\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"POST /add-checkpoint HTTP/1.1\r\n\r\n",
    b"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nold 0",
    b"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nold 0",
    b"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
    b"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
    b"POST /add-checkpoint HTTP/9.9\r\nHost: x\r\n\r\n",
]


@pytest.mark.parametrize("data", BROKEN)
async def test_broken_requests_do_no_harm(data, capfd):
    async with running(LOG) as one:
        reader, writer = await asyncio.open_connection(*one.host)
        writer.write(data)
        writer.write_eof()
        answer = await asyncio.wait_for(reader.read(), 5)
        writer.close()
        assert answer == b"" or answer.startswith(b"HTTP/1.1 4")
        assert (await ask(one.url, body(LOG, 0, 9)))[0] == 200
    assert "Traceback" not in "".join(capfd.readouterr())


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(hurried, "SECONDS", 0.5)
    monkeypatch.setattr(requests, "SECONDS", 0.2)


async def test_a_body_that_does_not_arrive_is_not_waited_for(impatient):
    async with running(LOG) as one:
        head = b"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\nold 0"
        answer = await raw(one.host, head)
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b'"reason":"too-slow"' in answer


@pytest.mark.parametrize(
    "sent", [b"", b"POST /add-ch", b"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nX-Slow: "], ids=["", "line", "headers"]
)
async def test_a_request_that_never_becomes_whole_is_cut_off(impatient, sent):
    async with running(LOG) as one:
        reader, writer = await asyncio.open_connection(*one.host)
        writer.write(sent)
        assert await cut_off(reader)
        writer.close()


async def test_a_connection_that_asks_drop_by_drop_is_cut_off(impatient):
    async with running(LOG) as one:
        reader, writer = await asyncio.open_connection(*one.host)
        ended = asyncio.create_task(cut_off(reader))
        for byte in b"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 10:
            if not ended.done():
                writer.write(bytes([byte]))
                await asyncio.sleep(0.02)
        assert await ended
        writer.close()


async def test_a_second_request_on_the_same_connection_has_its_time_too(impatient):
    async with running(LOG) as one:
        reader, writer = await asyncio.open_connection(*one.host)
        for _ in range(2):
            writer.write(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
            await reader.readuntil(b'{"logs":1}')
            await asyncio.sleep(0.3)
        writer.write(b"GET /hea")
        assert await cut_off(reader)
        writer.close()


async def test_who_goes_away_in_the_middle_leaves_no_trace(capfd):
    async with running(LOG) as one:
        for _ in range(5):
            _, writer = await asyncio.open_connection(*one.host)
            writer.write(b"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\nold 0")
            await writer.drain()
            writer.close()
        await asyncio.sleep(0.1)
        assert (await ask(one.url, body(LOG, 0, 9)))[0] == 200
    assert "Traceback" not in "".join(capfd.readouterr())


async def test_forks_that_arrive_at_once_get_one_cosignature():
    async with running(LOG) as one:
        told = await asyncio.gather(*(ask(one.url, body(LOG.fork(number), 0, 20)) for number in range(20)))
        statuses = [status for status, _, _ in told]
        assert sorted(statuses) == [200] + [409] * 19
        assert sum(isinstance(answer, Cosigned) for _, answer in one.watched) == 1
        assert sum(isinstance(answer, Conflict) and answer.reason == "fork" for _, answer in one.watched) == 19


async def test_requests_at_the_turn_of_a_second_do_not_see_the_clock_go_back():
    """The clock is read when a head's turn has come, not when it arrived."""
    seconds = iter(range(NOW, NOW + 1000))
    lock = threading.Lock()

    def clock():
        with lock:
            return next(seconds)

    async with running(LOG, clock=clock) as one:
        told = await asyncio.gather(*(ask(one.url, body(LOG, 0, 0)) for _ in range(30)))
        assert [status for status, _, _ in told] == [200] * 30
