"""The model behind the gateway, asked in the protocol that the client speaks, over one pooled session."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace

import aiohttp
import msgspec

from aloi.solutions.gateway.dialects.dialect import Body, Broken
from aloi.solutions.gateway.events import Events
from aloi.solutions.gateway.exchange import UNDER_WAY, Exchange
from aloi.solutions.gateway.failures import late, refused, unreachable, unusable
from aloi.solutions.gateway.traces import Unwritten
from aloi.solutions.guard import Release
from aloi.system.description import GatewayLimits
from aloi.system.messages import Request, Response
from aloi.system.openai import retry_after

_CODE = re.compile("[a-z][a-z0-9_.-]{0,63}")
_ERROR_BYTES = 65_536
_CONNECT = 10.0


class _Said(msgspec.Struct):
    code: object = None
    type: object = None


class _Error(msgspec.Struct):
    error: _Said


@dataclass(slots=True)
class _Kept:
    """Whether a question was put on a connection that was kept from an earlier one."""

    used: bool = False


async def _tell_reuse(_session: aiohttp.ClientSession, context: SimpleNamespace, _: object) -> None:
    context.trace_request_ctx.used = True


class Upstream:
    """An endpoint; a target whose requests are the client's own bodies with what remedies changed in them.

    It asks once: whether to ask again is the client's decision, who may have others to ask. A kept connection that its
    other end closes just then has asked nothing.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        base_url: str,
        limits: GatewayLimits,
        traces: Unwritten,
        *,
        our_key: bool = True,
    ) -> None:
        """Without `our_key` clients hand on their own: that it is refused is then theirs to know."""
        self._session = session
        self._base_url = base_url.rstrip("/")
        self._limits = limits
        self._traces = traces
        self._our_key = our_key

    def url(self, path: str) -> str:
        """The address of one of its endpoints, `path` as clients have it."""
        return self._base_url + path.removeprefix("/v1")

    async def ask(self, request: Request, release: Release | None = None) -> Response:
        """The answer to the exchange under way; its text goes to `release` as it comes, where that is given.

        Raises Failed.
        """
        exchange = UNDER_WAY.get()
        body = _streaming(exchange.dialect.sent(exchange.asked, request), streams=release is not None)
        headers, began = dict(exchange.headers), time.perf_counter()
        with self._traces.question(exchange.dialect.path, str(body.get("model", "")), request, headers) as span:
            async with self.post(exchange.dialect.path, msgspec.json.encode(body), headers) as reply:
                response = await self._answered(reply, exchange, release)
            span.answered(response)
        return msgspec.structs.replace(
            response,
            seconds=time.perf_counter() - began,
            prompt_tokens=max(0, response.prompt_tokens),  # some endpoints write -1 where they did not count
            completion_tokens=max(0, response.completion_tokens),
        )

    async def _answered(self, reply: aiohttp.ClientResponse, exchange: Exchange, release: Release | None) -> Response:
        if release is not None:
            return await self._streamed(reply, release)
        exchange.answered = exchange.dialect.answer(await self._whole(reply, "application/json"))
        return exchange.answered.response

    @asynccontextmanager
    async def post(
        self, path: str, body: bytes, headers: Mapping[str, str], method: str = "POST"
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """An answer of status 200, its body still to be read. Raises Failed, also while it is read."""
        try:
            async with await self._begun(method, path, body, headers) as reply:
                if reply.status != 200:
                    raise await _refusal(reply, our_key=self._our_key)
                if reply.headers.get("Content-Encoding", "identity").lower() != "identity":
                    raise unusable("encoded")
                yield reply
        except Broken as broken:
            raise unusable(broken.reason) from broken
        except TimeoutError:
            raise late(self._limits.seconds) from None
        except aiohttp.ClientConnectorError as error:
            raise unreachable(error.strerror or type(error).__name__) from None
        except aiohttp.ClientPayloadError:
            raise unusable("cut") from None
        except aiohttp.ClientError as error:
            raise unreachable(type(error).__name__) from None

    async def _begun(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> aiohttp.ClientResponse:
        """An answer's head. It is asked for again where a connection that was kept is closed before the head came."""
        connection = _Kept()
        asked = partial(
            self._session.request,
            method,
            self.url(path),
            data=body,
            headers=headers,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=self._limits.seconds, sock_connect=_CONNECT),
            trace_request_ctx=connection,
        )
        try:
            return await asked()
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            if not connection.used:
                raise
        return await asked()

    async def parts(self, reply: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        """The body as it comes, held to its size and to the silence between two parts."""
        size, content = 0, reply.content.iter_any()
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

    async def _whole(self, reply: aiohttp.ClientResponse, content_type: str) -> bytes:
        if reply.content_type != content_type:
            raise Broken("content-type")
        if (reply.content_length or 0) > self._limits.answer_bytes:
            raise Broken("too-large")
        body = bytearray()
        async for part in reply.content.iter_any():
            body += part
            if len(body) > self._limits.answer_bytes:
                raise Broken("too-large")
        return bytes(body)

    async def _streamed(self, reply: aiohttp.ClientResponse, release: Release) -> Response:
        if reply.content_type != "text/event-stream":
            raise Broken("content-type")
        reading, events = UNDER_WAY.get().dialect.reading(), Events()
        async for part in self.parts(reply):
            text = "".join([reading.feed(event) for event in events.feed(part)])
            if text and not await release(text):
                return reading.response()
            if reading.ended:
                return reading.response()
        raise Broken("cut")


def _streaming(body: Body, *, streams: bool) -> Body:
    """A body that wants its answer as events, or whole."""
    if not streams:
        body = {name: value for name, value in body.items() if name != "stream_options"}
    return body | {"stream": True} if streams else body | {"stream": False} if "stream" in body else body


async def _refusal(reply: aiohttp.ClientResponse, *, our_key: bool) -> Exception:
    """An error of the upstream, with its code where it has one."""
    code = ""
    try:
        said = msgspec.json.decode(await reply.content.read(_ERROR_BYTES), type=_Error).error
        code = next((one for one in (said.code, said.type) if isinstance(one, str) and _CODE.fullmatch(one)), "")
    except (msgspec.DecodeError, UnicodeDecodeError, aiohttp.ClientError):
        pass
    wait = retry_after(reply.headers.get("Retry-After"), time.time())
    return refused(reply.status, code, wait, our_key=our_key)


@asynccontextmanager
async def open_session() -> AsyncIterator[aiohttp.ClientSession]:
    """A session that keeps connections, and no cookie: one client's exchange says nothing of another's."""
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=30)
    cookies = aiohttp.DummyCookieJar()
    headers = {"Accept-Encoding": "identity", "User-Agent": "aloi-gateway"}
    tracing = aiohttp.TraceConfig()
    tracing.on_connection_reuseconn.append(_tell_reuse)
    async with aiohttp.ClientSession(
        connector=connector,
        cookie_jar=cookies,
        headers=headers,
        auto_decompress=False,
        trace_configs=[tracing],
    ) as session:
        yield session
