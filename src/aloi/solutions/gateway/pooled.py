"""The gateway's connections to its upstream, kept in one pool."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp

from aloi.solutions.gateway.failures import Failed, late, unreachable, unusable
from aloi.solutions.gateway.wire import ERROR_BYTES, refusal
from aloi.system.description import GatewayLimits

_CONNECT = 10.0


class _Reply:
    def __init__(self, reply: aiohttp.ClientResponse) -> None:
        self._reply = reply
        self.content_type = reply.content_type
        self.content_length = reply.content_length

    def pieces(self) -> AsyncIterator[bytes]:
        return self._reply.content.iter_any()


class Pooled:
    """One endpoint over one session."""

    def __init__(self, session: aiohttp.ClientSession, base_url: str, limits: GatewayLimits) -> None:
        self._session = session
        self._base_url = base_url.rstrip("/")
        self._limits = limits

    def url(self, path: str) -> str:
        """The address of one of its endpoints, `path` as clients have it."""
        return self._base_url + path.removeprefix("/v1")

    @asynccontextmanager
    async def post(
        self, path: str, body: bytes, headers: Mapping[str, str], method: str = "POST"
    ) -> AsyncIterator[_Reply]:
        """An answer of status 200, its body still to be read. Raises Failed, also while it is read."""
        limits = self._limits
        timeout = aiohttp.ClientTimeout(total=limits.seconds, sock_connect=_CONNECT)
        try:
            async with self._session.request(
                method, self.url(path), data=body, headers=headers, allow_redirects=False, timeout=timeout
            ) as reply:
                if reply.status != 200:
                    raise await _refusal(reply)
                if reply.headers.get("Content-Encoding", "identity").lower() != "identity":
                    raise unusable("encoded")
                yield _Reply(reply)
        except TimeoutError:
            raise late(limits.seconds) from None
        except aiohttp.ClientConnectorError as error:
            raise unreachable(error.strerror or type(error).__name__) from None
        except aiohttp.ClientPayloadError:
            raise unusable("cut") from None
        except aiohttp.ClientError as error:
            raise unreachable(type(error).__name__) from None


async def _refusal(reply: aiohttp.ClientResponse) -> Failed:
    try:
        body = await reply.content.read(ERROR_BYTES)
    except aiohttp.ClientError:
        body = b""
    return refusal(reply.status, body, reply.headers.get("Retry-After"), ours=True)


@asynccontextmanager
async def open_session() -> AsyncIterator[aiohttp.ClientSession]:
    """A session that keeps connections, and no cookie: one client's exchange says nothing of another's."""
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=30)
    cookies = aiohttp.DummyCookieJar()
    headers = {"Accept-Encoding": "identity", "User-Agent": "aloi-gateway"}
    async with aiohttp.ClientSession(
        connector=connector, cookie_jar=cookies, headers=headers, auto_decompress=False
    ) as session:
        yield session
