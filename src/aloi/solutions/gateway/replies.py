"""Answers on their way to a client: whole ones, and streams that may be held back for long."""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import msgspec

from aloi.errors import AloiError, told
from aloi.solutions.gateway.dialects.dialect import Malformed, Writing
from aloi.solutions.gateway.failures import Failed
from aloi.translation import LANGUAGES

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

# A client that takes nothing for so long is not waited for; one that is given nothing for so long is told to wait on.
TAKEN, BEAT = 60.0, 10.0
_COMMENT = b": held back until it is cleared\n\n"


_LONGEST = 86_400.0  # seconds that a client is told to wait
# A request that is refused with these may not have been read to its end.
_UNREAD = frozenset({401, 408, 413, 415, 503})


class Gone(Exception):
    """The client left, or does not take its answer."""


@asynccontextmanager
async def watched(receive: Receive) -> AsyncIterator[None]:
    """What is done here ends when the client leaves. Raises Gone."""
    doing = asyncio.current_task()
    assert doing is not None
    left = False

    async def watch() -> None:
        nonlocal left
        while (await receive())["type"] != "http.disconnect":
            pass
        left = True
        doing.cancel()

    watching = asyncio.create_task(watch())
    try:
        yield
    except asyncio.CancelledError:
        if not left:
            raise
        doing.uncancel()
        raise Gone from None
    finally:
        watching.cancel()


async def whole(send: Send, status: int, body: bytes, headers: Headers, content_type: bytes) -> None:
    """An answer at once."""
    length = (b"content-length", b"%d" % len(body))
    start = [(b"content-type", content_type), length, *headers]
    await send({"type": "http.response.start", "status": status, "headers": start})
    await send({"type": "http.response.body", "body": body})


async def document(send: Send, status: int, body: object, headers: Headers) -> None:
    """A JSON document."""
    await whole(send, status, msgspec.json.encode(body), headers, b"application/json")


def kind_of(headers: Mapping[str, str]) -> tuple[bytes, bytes]:
    """The content type of what is handed on as it is."""
    return b"content-type", headers.get("Content-Type", "application/json").encode("ascii", "replace")


def spoken(headers: Mapping[bytes, bytes]) -> str:
    """The first language of ours that a client accepts; English where there is none."""
    for part in headers.get(b"accept-language", b"").split(b",")[:20]:
        named = part.partition(b";")[0].strip()[:2].lower().decode("latin-1")
        if named in LANGUAGES:
            return named
    return "en"


class Fault(msgspec.Struct, frozen=True):
    """An error as a client is told it; `field` is the place in its body that it is about, where there is one."""

    status: int
    kind: str
    message: str
    headers: Headers
    field: str = ""


def fault(error: AloiError, language: str) -> Fault:
    """What a client is told of an error of ours."""
    headers: Headers = []
    field = ""
    match error:
        case Failed():
            status, kind = error.status, error.kind
            if error.retry_after:
                headers.append((b"retry-after", b"%d" % math.ceil(min(error.retry_after, _LONGEST))))
            if status in _UNREAD:
                headers.append((b"connection", b"close"))
        case Malformed():
            status, kind, field = 400, "malformed", error.field
        case _:
            status, kind = 502, "target"
    return Fault(status, kind, "\n".join(told(error, language)), headers, field)


class Stream:
    """Server-sent events to one client. Nothing is sent before the first text, the end, or a long wait."""

    def __init__(self, send: Send, writing: Writing, headers: Headers) -> None:
        self._send = send
        self._writing = writing
        self._headers = headers
        self.begun = False
        self.released: list[str] = []
        self._sent_at = 0.0

    async def release(self, text: str) -> bool:
        """Send more of the answer's text."""
        self.released.append(text)
        await self._write(self._writing.text(text))
        return True

    async def end(self, closing: bytes) -> None:
        """Send the last events."""
        await self._write(closing, more=False)

    async def break_off(self, kind: str, message: str) -> None:
        """Tell in the protocol's way that no more comes."""
        await self._write(self._writing.error(kind, message), more=False)

    @asynccontextmanager
    async def beating(self) -> AsyncIterator[None]:
        """While this lasts, a client that gets nothing for `BEAT` seconds is sent a comment: nobody hangs up."""
        loop = asyncio.get_running_loop()
        self._sent_at = loop.time()
        task = loop.create_task(self._beat(loop))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError, Gone):
                await task

    async def _beat(self, loop: asyncio.AbstractEventLoop) -> None:
        while True:
            await asyncio.sleep(self._sent_at + BEAT - loop.time())
            if loop.time() - self._sent_at >= BEAT:
                await self._write(_COMMENT)

    async def _write(self, data: bytes, *, more: bool = True) -> None:
        self._sent_at = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(TAKEN):
                if not self.begun:
                    self.begun = True
                    headers = [(b"content-type", b"text/event-stream; charset=utf-8"), *self._headers]
                    await self._send({"type": "http.response.start", "status": 200, "headers": headers})
                await self._send({"type": "http.response.body", "body": data, "more_body": more})
        except TimeoutError:
            raise Gone from None
