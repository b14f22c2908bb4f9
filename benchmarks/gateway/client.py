"""A client that costs next to nothing: keep-alive connections, requests one after another, times as they are seen."""

import asyncio
import json
import re
import time
from collections.abc import Sequence

QUESTION = (
    "Good morning. I moved to your town last week and would like to open a current account. Which documents do I have "
    "to bring with me, at what hours is the branch open on Saturdays, how long does it take, and when can I expect to "
    "receive my card? Thank you in advance."
)

TEXT = re.compile(rb'"content": ?"[^"]')


def request(port: int, *, stream: bool, system: str = "You are the assistant of a bank.") -> bytes:
    """One chat request of 50 words, as it goes over the wire."""
    body = json.dumps(
        {
            "model": "mock",
            "messages": [{"role": "system", "content": system}, {"role": "user", "content": QUESTION}],
            "max_tokens": 100,
            "temperature": 0.7,
            **({"stream": True} if stream else {}),
        }
    ).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Connection:
    """One connection to a port of this machine."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> "Connection":
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self, wire: bytes) -> tuple[float, float]:
        """Seconds to the first byte of text, and to the end of the answer. Fails unless it is 200."""
        began = time.perf_counter()
        self._writer.write(wire)
        head = await self._reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise AssertionError(head + await self._reader.read(2_000))
        lower = head.lower()
        if b"chunked" in lower:
            first = await self._chunks(began)
        else:
            await self._reader.readexactly(int(lower.partition(b"content-length:")[2].partition(b"\r\n")[0]))
            first = time.perf_counter() - began
        return first, time.perf_counter() - began

    async def _chunks(self, began: float) -> float:
        first = 0.0
        while True:
            size = int(await self._reader.readuntil(b"\r\n"), 16)
            data = await self._reader.readexactly(size + 2)
            if not first and TEXT.search(data):
                first = time.perf_counter() - began
            if not size:
                return first

    def close(self) -> None:
        self._writer.close()


async def times(port: int, wire: bytes, count: int) -> list[tuple[float, float]]:
    """Requests one after another on one connection."""
    connection = await Connection.open(port)
    try:
        return [await connection.ask(wire) for _ in range(count)]
    finally:
        connection.close()


async def rate(port: int, wire: bytes, count: int, workers: int) -> float:
    """Requests a second, `workers` at once."""
    left = iter(range(count))

    async def work() -> None:
        connection = await Connection.open(port)
        try:
            for _ in left:
                await connection.ask(wire)
        finally:
            connection.close()

    began = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(workers)))
    return count / (time.perf_counter() - began)


def quantile(values: Sequence[float], share: float) -> float:
    """The value that this share of them does not exceed."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]
