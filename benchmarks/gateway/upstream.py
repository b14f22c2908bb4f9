"""A chat endpoint that costs next to nothing: `python -m benchmarks.gateway.upstream PACE_MS` prints its port.

It answers 50 words, whole at once, or as a stream of a word every PACE_MS. It speaks HTTP/1.1 by hand, so that what is
measured is the gateway.
"""

import asyncio
import json
import sys

ANSWER = (
    "We open at nine on weekdays and at ten on Saturdays. Bring an identity document and a proof of address that is "
    "younger than three months. A colleague opens the account with you in some twenty minutes, and your card comes by "
    "post within five working days."
)
HEAD = {"id": "chatcmpl-mock", "created": 1_700_000_000, "model": "mock"}
USAGE = {"prompt_tokens": 60, "completion_tokens": 55, "total_tokens": 115}


def _whole() -> bytes:
    message = {"role": "assistant", "content": ANSWER}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    body = json.dumps({**HEAD, "object": "chat.completion", "choices": [choice], "usage": USAGE}).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


def _events() -> list[bytes]:
    words = ANSWER.split(" ")
    deltas: list[tuple[dict[str, str], str | None]] = [({"role": "assistant", "content": words[0]}, None)]
    deltas += [({"content": f" {word}"}, None) for word in words[1:]]
    chunks = []
    for delta, finish in [*deltas, ({}, "stop")]:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        event = {**HEAD, "object": "chat.completion.chunk", "choices": [choice]}
        chunks.append(b"data: " + json.dumps(event).encode() + b"\n\n")
    return [*chunks, b"data: [DONE]\n\n"]


WHOLE, EVENTS = _whole(), _events()
OPENING = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


class Endpoint(asyncio.Protocol):
    """One connection; requests come one after another."""

    def __init__(self, pace: float) -> None:
        self._pace = pace
        self._data = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._data += data
        head, found, body = self._data.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(body) < length:
            return
        asked, self._data = body[:length], body[length:]
        if b'"stream":true' in asked.replace(b" ", b""):
            self._transport.write(OPENING)
            self._write(0)
        else:
            self._transport.write(WHOLE)

    def _write(self, place: int) -> None:
        if self._transport.is_closing():
            return
        event = EVENTS[place]
        self._transport.write(b"%x\r\n%s\r\n" % (len(event), event))
        if place + 1 == len(EVENTS):
            self._transport.write(b"0\r\n\r\n")
        elif self._pace:
            asyncio.get_running_loop().call_later(self._pace, self._write, place + 1)
        else:
            self._write(place + 1)


async def main() -> None:
    """Serve until standard input closes."""
    pace = float(sys.argv[1]) / 1000
    server = await asyncio.get_running_loop().create_server(lambda: Endpoint(pace), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(main())
