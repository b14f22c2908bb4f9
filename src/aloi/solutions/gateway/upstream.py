"""The model behind the guards, asked in the protocol that the client speaks."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import msgspec

from aloi.solutions.gateway.dialects.dialect import Body, Broken
from aloi.solutions.gateway.events import Events
from aloi.solutions.gateway.exchange import UNDER_WAY, Exchange
from aloi.solutions.gateway.failures import late, oversized, unusable
from aloi.solutions.gateway.traces import Unwritten
from aloi.solutions.gateway.wire import Reply, Wire
from aloi.solutions.guard import Release
from aloi.solutions.limits.tokens import MOST
from aloi.system.description import GatewayLimits
from aloi.system.messages import Request, Response


class Upstream:
    """An endpoint; a target whose requests are the client's own bodies with what remedies changed in them.

    It asks once: whether to ask again is the client's decision, who may have others to ask. A kept connection that its
    other end closes just then has asked nothing.
    """

    def __init__(self, wire: Wire, limits: GatewayLimits, traces: Unwritten) -> None:
        self._wire = wire
        self._limits = limits
        self._traces = traces

    async def ask(self, request: Request, release: Release | None = None) -> Response:
        """The answer to the exchange under way; its text goes to `release` as it comes, where that is given.

        Raises Failed.
        """
        exchange = UNDER_WAY.get()
        body = _streaming(exchange.dialect.sent(exchange.asked, request), streams=release is not None)
        headers, began = dict(exchange.headers), time.perf_counter()
        with self._traces.question(exchange.dialect.path, body, request, headers) as span:
            async with self.post(exchange.dialect.path, msgspec.json.encode(body), headers) as reply:
                answered = await self._answered(reply, exchange, release)
            response = msgspec.structs.replace(
                answered,
                seconds=time.perf_counter() - began,
                prompt_tokens=_counted(answered.prompt_tokens),
                completion_tokens=_counted(answered.completion_tokens),
            )
            span.answered(response)
        return response

    async def _answered(self, reply: Reply, exchange: Exchange, release: Release | None) -> Response:
        if release is not None:
            return await self._streamed(reply, release)
        exchange.answered = exchange.dialect.answer(
            await self._whole(reply, "application/json"), self._limits.answer_bytes
        )
        return exchange.answered.response

    @asynccontextmanager
    async def post(
        self, path: str, body: bytes, headers: Mapping[str, str], method: str = "POST"
    ) -> AsyncIterator[Reply]:
        """An answer of status 200, its body still to be read. Raises Failed, also while it is read."""
        try:
            async with self._wire.post(path, body, headers, method) as reply:
                yield reply
        except Broken as broken:
            if broken.reason == "too-large":
                raise oversized(self._limits.answer_bytes) from broken
            raise unusable(broken.reason) from broken

    def bound(self, reply: Reply) -> None:
        """Raises Broken for an answer that tells itself of more bytes than it may have."""
        if (reply.content_length or 0) > self._limits.answer_bytes:
            raise Broken("too-large")

    async def parts(self, reply: Reply) -> AsyncIterator[bytes]:
        """The body as it comes, held to its size and to the silence between two parts."""
        size, content = 0, reply.pieces()
        while True:
            try:
                async with asyncio.timeout(self._limits.silence):
                    part = await anext(content)
            except StopAsyncIteration:
                return
            except TimeoutError:
                raise late(self._limits.silence) from None
            size += len(part)
            if size > self._limits.answer_bytes:
                raise Broken("too-large")
            yield part

    async def _whole(self, reply: Reply, content_type: str) -> bytes:
        if reply.content_type != content_type:
            raise Broken("content-type")
        self.bound(reply)
        body = bytearray()
        async for part in reply.pieces():
            body += part
            if len(body) > self._limits.answer_bytes:
                raise Broken("too-large")
        return bytes(body)

    async def _streamed(self, reply: Reply, release: Release) -> Response:
        if reply.content_type != "text/event-stream":
            raise Broken("content-type")
        limit = self._limits.answer_bytes
        reading, events = UNDER_WAY.get().dialect.reading(limit), Events(limit)
        async for part in self.parts(reply):
            text = "".join([reading.feed(event) for event in events.feed(part)])
            if text and not await release(text):
                return reading.response()
            if reading.ended:
                return reading.response()
        raise Broken("cut")


def _counted(tokens: int) -> int:
    """Some endpoints write -1 where they did not count, and JSON has integers that no counter holds."""
    return min(max(0, tokens), MOST)


def _streaming(body: Body, *, streams: bool) -> Body:
    """A body that wants its answer as events, or whole."""
    if not streams:
        body = {name: value for name, value in body.items() if name != "stream_options"}
    return body | {"stream": True} if streams else body | {"stream": False} if "stream" in body else body
