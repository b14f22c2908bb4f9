"""The gateway's connections to its upstream, kept in one pool."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace

import aiohttp

from aloi.solutions.gateway.failures import Failed, late, unreachable, unusable
from aloi.solutions.gateway.wire import ERROR_BYTES, refusal
from aloi.system.description import GatewayLimits

_CONNECT = 10.0


@dataclass(slots=True)
class _Kept:
    """Whether a question was put on a connection that was kept from an earlier one."""

    used: bool = False


async def _tell_reuse(_session: aiohttp.ClientSession, context: SimpleNamespace, _: object) -> None:
    context.trace_request_ctx.used = True


class _Reply:
    def __init__(self, reply: aiohttp.ClientResponse) -> None:
        self._reply = reply
        self.content_type = reply.content_type
        self.content_length = reply.content_length

    def pieces(self) -> AsyncIterator[bytes]:
        return self._reply.content.iter_any()


class Pooled:
    """One endpoint over one session."""

    def __init__(
        self, session: aiohttp.ClientSession, base_url: str, limits: GatewayLimits, *, ours: bool = True
    ) -> None:
        """Without a key of `ours` clients hand on their own: that it is refused is then theirs to know."""
        self._session = session
        self._base_url = base_url.rstrip("/")
        self._limits = limits
        self._ours = ours

    def url(self, path: str) -> str:
        """The address of one of its endpoints, `path` as clients have it."""
        return self._base_url + path.removeprefix("/v1")

    @asynccontextmanager
    async def post(
        self, path: str, body: bytes, headers: Mapping[str, str], method: str = "POST"
    ) -> AsyncIterator[_Reply]:
        """An answer of status 200, its body still to be read. Raises Failed, also while it is read."""
        try:
            async with await self._begun(method, path, body, headers) as reply:
                if reply.status != 200:
                    raise await _refusal(reply, ours=self._ours)
                if reply.headers.get("Content-Encoding", "identity").lower() != "identity":
                    raise unusable("encoded")
                yield _Reply(reply)
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


async def _refusal(reply: aiohttp.ClientResponse, *, ours: bool) -> Failed:
    try:
        body = await reply.content.read(ERROR_BYTES)
    except aiohttp.ClientError:
        body = b""
    return refusal(reply.status, body, reply.headers.get("Retry-After"), ours=ours)


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
