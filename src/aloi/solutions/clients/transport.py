"""Transports of HTTPX (and of httpx2, its continuation) through which chat is asked behind remedies.

    httpx2.Client(transport=GuardedTransport(policy, httpx2.HTTPTransport()))

What the client asks of a chat endpoint, or has embedded, goes through the guards in this process, streams with the
gateway's hold-back. The list of models passes. Every other address is refused, or with `unknown="pass"` carried unread.
"""

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from functools import cache
from queue import SimpleQueue
from typing import Any, Literal, Self

import msgspec

from aloi.solutions.clients.inprocess import InProcess, Put
from aloi.solutions.gateway.dialects.dialect import Dialect
from aloi.solutions.gateway.endpoints import dialect_for, passes
from aloi.solutions.gateway.failures import late, unreachable, unusable
from aloi.solutions.gateway.hosting import Keeps
from aloi.solutions.gateway.policy import Policy
from aloi.solutions.gateway.replies import Message
from aloi.solutions.gateway.wire import ERROR_BYTES, refusal
from aloi.solutions.loopthread import LoopHere
from aloi.solutions.workers import Workers
from aloi.system.description import GatewayLimits
from aloi.translation import N_, language_of, translate

Unknown = Literal["refuse", "pass"]
_NAME, _BROKEN, _LATE = "unguarded-endpoint", "the answer broke off", "no answer within `gateway.limits.seconds`"
_UNGUARDED = N_(
    "{path} is no endpoint that guards can read, so nothing was sent; `unknown='pass'` would carry it unread"
)


class _Asked(msgspec.Struct):
    """The client's request, how a request is carried, and what the carrying failed for at last."""

    request: Any
    carry: Callable[[Any], Awaitable["_Carried"]]
    failure: Exception | None = None


class _Carried(msgspec.Struct):
    """An answer that is being read. `pieces` gives its body as it comes, `close` ends it."""

    response: Any
    pieces: Callable[[], AsyncIterator[bytes]]
    close: Callable[[], Awaitable[None]]


_ASKED: ContextVar[_Asked] = ContextVar("aloi-asked")


class _Reply:
    def __init__(self, carried: _Carried) -> None:
        headers = carried.response.headers
        self.content_type: str = headers.get("content-type", "").partition(";")[0].strip().lower()
        length = headers.get("content-length", "")
        self.content_length = int(length) if length.isdigit() else None
        self.pieces = carried.pieces


class _Wire:
    """To wherever the client's own request goes."""

    def __init__(self, limits: GatewayLimits) -> None:
        self._limits = limits

    @asynccontextmanager
    async def post(
        self, _path: str, body: bytes, headers: Mapping[str, str], _method: str = "POST"
    ) -> AsyncIterator[_Reply]:
        asked = _ASKED.get()
        asked.failure = None
        library, was = _library(asked.request), asked.request
        request = library.Request(was.method, was.url, headers=headers, content=body, extensions=was.extensions)
        try:
            async with asyncio.timeout(self._limits.seconds):
                carried = await _carried(asked, request)
                try:
                    yield await _accepted(carried)
                finally:
                    await carried.close()
        except (TimeoutError, library.TimeoutException) as error:
            asked.failure = library.ReadTimeout(_LATE) if isinstance(error, TimeoutError) else error
            raise late(self._limits.seconds) from None
        except library.RemoteProtocolError as error:
            asked.failure = error
            raise unusable("cut") from None
        except library.TransportError as error:
            asked.failure = error
            raise unreachable(type(error).__name__) from None


async def _carried(asked: _Asked, request: Any) -> _Carried:
    try:
        return await asked.carry(request)
    except Exception as error:
        asked.failure = error
        raise


async def _accepted(carried: _Carried) -> _Reply:
    """An answer of status 200 whose bytes are the body itself. Raises Failed."""
    response = carried.response
    if response.status_code != 200:
        body = b""
        async for piece in carried.pieces():
            body += piece
            if len(body) > ERROR_BYTES:
                break
        raise refusal(response.status_code, body, response.headers.get("retry-after"), ours=False)
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise unusable("encoded")
    return _Reply(carried)


def _library(request: Any) -> Any:
    """HTTPX or httpx2, whichever a request is of."""
    return sys.modules[type(request).__module__.partition(".")[0]]


def _unguarded(host: InProcess, request: Any) -> Any:
    message = translate(_UNGUARDED, language_of()).format(path=request.url.path)
    body = host.dialects[0].error(403, _NAME, message)
    return _library(request).Response(403, json=body, request=request)


class GuardedAsyncTransport:
    """Remedies before an asynchronous transport, which carries what they leave. asyncio only."""

    def __init__(
        self, policy: Policy, transport: Any, *, unknown: Unknown = "refuse", keeper: Keeps | None = None
    ) -> None:
        self._transport = transport
        self._unknown = unknown
        self._host = InProcess(policy, _Wire(policy.serving.limits), keeper)
        self._tasks: set[asyncio.Task[None]] = set()

    async def handle_async_request(self, request: Any) -> Any:
        """The answer as the guards leave it. Raises what the transport raises."""
        dialect = dialect_for(request.url.path, self._host.dialects) if request.method == "POST" else None
        if dialect is None:
            if self._unknown == "pass" or passes(request.method, request.url.path):
                return await self._transport.handle_async_request(request)
            return _unguarded(self._host, request)
        body = await request.aread()
        asked, sent, left = _Asked(request, self._carry), asyncio.Queue[Message | None](), asyncio.Event()
        task = asyncio.create_task(_conversing(self._host, asked, dialect, body, sent.put_nowait, left))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: sent.put_nowait(None))
        try:
            start = _begun(request, await sent.get())
            if start["status"] >= 500:
                await task
                _raise_failure(asked)
        except BaseException:
            left.set()
            raise
        return _response(request, start, _streams(_library(request))[1](sent, left))

    async def _carry(self, request: Any) -> _Carried:
        response = await self._transport.handle_async_request(request)

        async def pieces() -> AsyncIterator[bytes]:
            async for piece in response.stream:
                yield piece

        return _Carried(response, pieces, response.stream.aclose)

    async def aclose(self) -> None:
        """Close the transport that carries."""
        await self._transport.aclose()

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self._transport.__aexit__(*raised)


class GuardedTransport:
    """Remedies before a transport that is not async, which carries what they leave; guards run in a thread's loop."""

    def __init__(
        self, policy: Policy, transport: Any, *, unknown: Unknown = "refuse", keeper: Keeps | None = None
    ) -> None:
        self._transport = transport
        self._unknown = unknown
        self._seconds = policy.serving.limits.seconds
        self._host = InProcess(policy, _Wire(policy.serving.limits), keeper)
        self._workers = Workers()
        self._loop = LoopHere("aloi-client")

    def handle_request(self, request: Any) -> Any:
        """The answer as the guards leave it. Raises what the transport raises."""
        dialect = dialect_for(request.url.path, self._host.dialects) if request.method == "POST" else None
        if dialect is None:
            if self._unknown == "pass" or passes(request.method, request.url.path):
                return self._transport.handle_request(request)
            return _unguarded(self._host, request)
        body, loop, left = request.read(), self._loop.loop(), asyncio.Event()
        asked, sent, leave = _Asked(request, self._carry), SimpleQueue[Message | None](), _leaving(loop, left)
        under_way = asyncio.run_coroutine_threadsafe(
            _conversing(self._host, asked, dialect, body, sent.put, left), loop
        )
        under_way.add_done_callback(lambda _: sent.put(None))
        try:
            start = _begun(request, sent.get())
            if start["status"] >= 500:
                under_way.result()
                _raise_failure(asked)
        except BaseException:
            leave()
            raise
        return _response(request, start, _streams(_library(request))[0](sent, leave))

    async def _carry(self, request: Any) -> _Carried:
        left = threading.Event()

        def handle() -> Any:
            response = self._transport.handle_request(request)
            if left.is_set():  # nobody waits for it any more
                response.stream.close()
            return response

        try:
            response = await self._workers.within(self._seconds, handle)
        except BaseException:
            left.set()
            raise

        async def pieces() -> AsyncIterator[bytes]:
            stream = iter(response.stream)
            while (piece := await self._workers.within(self._seconds, lambda: next(stream, None))) is not None:
                yield piece

        async def close() -> None:
            await self._workers.within(self._seconds, response.stream.close)

        return _Carried(response, pieces, close)

    def close(self) -> None:
        """Close the transport that carries, and end the thread."""
        self._loop.end()
        self._transport.close()

    def __enter__(self) -> Self:
        self._transport.__enter__()
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()


def _leaving(loop: asyncio.AbstractEventLoop, left: asyncio.Event) -> Callable[[], None]:
    def leave() -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(left.set)

    return leave


async def _conversing(
    host: InProcess, asked: _Asked, dialect: Dialect, body: bytes, put: Put, left: asyncio.Event
) -> None:
    _ASKED.set(asked)
    headers = {name.lower(): value for name, value in asked.request.headers.raw}
    await host.converse(dialect, headers, body, put, left)


def _begun(request: Any, start: Message | None) -> Message:
    if start is None:
        raise _library(request).RemoteProtocolError(_BROKEN)
    return start


def _raise_failure(asked: _Asked) -> None:
    """The application is told what its own transport told; guards stand in the way of answers, not of errors."""
    if asked.failure is not None:
        raise asked.failure


def _response(request: Any, start: Message, stream: Any) -> Any:
    return _library(request).Response(start["status"], headers=start["headers"], stream=stream, request=request)


def _piece(library: Any, message: Message | None) -> tuple[bytes, bool]:
    """The next bytes, and whether they are the last."""
    if message is None:
        raise library.RemoteProtocolError(_BROKEN)
    return message.get("body", b""), not message.get("more_body", False)


@cache
def _streams(library: Any) -> tuple[Any, Any]:
    """What a library's clients read bodies from: of what is sent, until it ends; one that breaks off is an error."""

    class Stream(library.SyncByteStream):  # type: ignore[misc]  # either library's
        def __init__(self, sent: SimpleQueue[Message | None], leave: Callable[[], None]) -> None:
            self._sent = sent
            self._leave = leave

        def __iter__(self) -> Iterator[bytes]:
            ended = False
            while not ended:
                data, ended = _piece(library, self._sent.get())
                yield data

        def close(self) -> None:
            self._leave()

    class AsyncStream(library.AsyncByteStream):  # type: ignore[misc]  # either library's
        def __init__(self, sent: "asyncio.Queue[Message | None]", left: asyncio.Event) -> None:
            self._sent = sent
            self._left = left

        async def __aiter__(self) -> AsyncIterator[bytes]:
            ended = False
            while not ended:
                data, ended = _piece(library, await self._sent.get())
                yield data

        async def aclose(self) -> None:
            self._left.set()

    return Stream, AsyncStream
