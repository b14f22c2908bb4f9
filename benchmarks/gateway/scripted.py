"""An upstream that misbehaves as it is told: the last word of the user names the script that it plays."""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Self

JSON = "application/json"
EVENTS = "text/event-stream"
USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
SECRET = "TANGERINE-4471"
ANSWER = "We open at nine on weekdays."

Script = Callable[["Playing"], Awaitable[None]]


class Playing:
    """One request, and the connection on which it is answered."""

    def __init__(self, head: bytes, body: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        self.head = head
        self.body = body
        self.streams = bool(body.get("stream"))
        self._writer = writer

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def whole(self, data: bytes, *, status: str = "200 OK", kind: str = JSON, more: str = "") -> None:
        head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(data)}\r\n{more}\r\n"
        await self.send(head.encode() + data)

    async def begin(self, kind: str = EVENTS) -> None:
        await self.send(f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())

    async def chunk(self, data: bytes) -> None:
        await self.send(b"%x\r\n%s\r\n" % (len(data), data))

    async def say(self, *texts: str, finish: str | None = "stop", calls: list[dict[str, Any]] | None = None) -> None:
        """An answer, as the request wants it; each text is a delta of a stream."""
        if not self.streams:
            message = {"role": "assistant", "content": "".join(texts), **({"tool_calls": calls} if calls else {})}
            await self.whole(json.dumps(completion(message, finish)).encode())
            return
        await self.begin()
        for text in texts:
            await self.chunk(delta({"content": text}))
        if calls:
            await self.chunk(delta({"tool_calls": [{**call, "index": i} for i, call in enumerate(calls)]}))
        await self.chunk(delta({}, finish))
        await self.chunk(b"data: [DONE]\n\n")
        await self.chunk(b"")


def completion(message: dict[str, Any], finish: str | None = "stop") -> dict[str, Any]:
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return {"id": "c1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": USAGE}


def delta(part: dict[str, Any], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": part, "finish_reason": finish}
    event = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    return b"data: " + json.dumps(event, ensure_ascii=False).encode() + b"\n\n"


class Scripted:
    """The server, in a thread of its own; `requests` are the bodies that it was sent, with the heads."""

    def __init__(
        self, scripts: Mapping[str, Script], otherwise: Script | None = None, *, remembers: bool = True
    ) -> None:
        """`otherwise` is played where no script is named; `requests` stays empty where it `remembers` nothing."""
        self._scripts = dict(scripts)
        self._remembers = remembers
        self._otherwise = otherwise
        self.requests: list[tuple[bytes, dict[str, Any]]] = []
        self._ready, self._stop = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live()), daemon=True)
        self._loop: asyncio.AbstractEventLoop
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    async def _live(self) -> None:
        self._loop = asyncio.get_running_loop()
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=1 << 26)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                lower = head.lower()
                length = int(lower.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
                body = json.loads(await reader.readexactly(length) or b"{}")
                if self._remembers:
                    self.requests.append((head, body))
                script = self._scripts.get(_named(body), self._otherwise)
                assert script is not None, body
                await script(Playing(head, body, writer))
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            writer.close()


def _named(body: dict[str, Any]) -> str:
    """The script that a request names: the last word of what its user said."""
    said = body.get("messages") or body.get("input") or body.get("prompt") or "models"
    if isinstance(said, list) and not all(isinstance(one, dict) for one in said):
        said = str(said[-1])  # texts to embed
    elif isinstance(said, list):
        said = next((one["content"] for one in reversed(said) if one.get("role") == "user"), "models")
    if isinstance(said, list):
        said = said[-1].get("text", "models")
    return str(said).split()[-1].strip(".?!")
