"""Ask a registry over HTTP: publish, look up, fetch. Nothing that it answers is believed here: its reader verifies.

async with open_registry("https://registry.example.org") as registry:
    receipts = await registry.publish(envelopes)
    answer = await registry.look_up("sha256:…")
"""

import os
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

import aiohttp
import msgspec
from msgspec import Struct

from aloi.errors import AskerError, RegistryError
from aloi.evidence import lookup, notes
from aloi.evidence.decoding import shown
from aloi.registry.tiles import Tile
from aloi.translation import N_

T = TypeVar("T")
SECONDS = 60
_ADDRESS = re.compile(r"https?://[^/?#@\s]+(/[^?#\s]*)?")
_CREDENTIALS = re.compile(r"https?://[^/?#\s]*@")
_SMALL = 1 << 20
_RECEIPTS = 1 << 25
_PROBLEMS: dict[type[Exception], str] = {
    TimeoutError: N_("no answer came in time"),
    aiohttp.ClientConnectorDNSError: N_("no machine of this name is known"),
    aiohttp.ClientSSLError: N_("its certificate does not hold"),
    aiohttp.InvalidURL: N_("it is no address"),
}


class Receipt(Struct, frozen=True):
    """Where the registry says that it logged a statement, and its `.tlog-proof`."""

    index: int
    envelope: str
    proof: str


class Erasure(Struct, frozen=True):
    """When (POSIX seconds) and why an envelope was erased."""

    at: int
    reason: str


class Entry(Struct, frozen=True):
    """An entry as the registry tells it; `received` is the second at which it says that it took it in."""

    index: int
    entry: str
    received: int
    erased: Erasure | None = None


class Submitter(Struct, frozen=True):
    """Who may publish, by the registry's word; `keys` are SubjectPublicKeyInfo DER in base64.

    `former_keys` may no more. `organisation` is the domain whose logged roster says so, '' where there is none.
    """

    name: str
    keys: tuple[str, ...] = ()
    organisation: str = ""
    former_keys: tuple[str, ...] = ()


class About(Struct, frozen=True):
    """What a registry says of itself: its log's name and verifier key, and who may publish."""

    name: str
    key: str
    submitters: tuple[Submitter, ...] = ()


class _Receipts(Struct, frozen=True):
    entries: tuple[Receipt, ...]


class Refusal(RegistryError):
    """A registry answered, and refused: with the HTTP status."""

    def __init__(self, url: str, status: int, reason: str, message: str) -> None:
        self.status = status
        super().__init__(
            N_("the registry {url} refused (HTTP {status}, {reason}): {message}"),
            remedy=N_("do what it asks, then do the same again: nothing is published twice"),
            url=url,
            status=status,
            reason=reason,
            message=message,
        )


class _Refused(Struct, frozen=True):
    reason: str = ""
    message: tuple[str, ...] = ()


class Registry:
    """One registry. Every call raises RegistryError where it refuses or cannot be reached."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url.rstrip("/")

    async def about(self) -> About:
        """What it says of itself."""
        return self._decoded(await self._get("/", _SMALL), About)

    async def checkpoint(self) -> bytes:
        """Its published checkpoint."""
        return await self._get("/checkpoint", notes.LIMIT)

    async def tile(self, tile: Tile) -> bytes:
        """A tile or a bundle of entries."""
        return await self._get(f"/{tile.path}", _RECEIPTS)

    async def look_up(self, subject: str) -> bytes:
        """Its answer about `sha256:<64 hex>`."""
        return await self._get(f"/lookup/{subject}", lookup.LIMIT)

    async def entry(self, index: int) -> Entry:
        """An entry, and whether its envelope was erased."""
        return self._decoded(await self._get(f"/entry/{index}", _SMALL), Entry)

    async def envelope(self, index: int) -> bytes:
        """The envelope of an entry."""
        return await self._get(f"/envelope/{index}", 2 * _SMALL)

    async def publish(self, envelopes: Sequence[bytes]) -> tuple[Receipt, ...]:
        """Publish envelopes, each in one line of JSON, all or none; their receipts, in their order."""
        body = b"\n".join(envelopes)
        headers = {"Content-Type": "application/jsonl"}
        data = await self._asked("POST", "/entries", _RECEIPTS, data=body, headers=headers)
        receipts = self._decoded(data, _Receipts).entries
        if len(receipts) != len(envelopes):
            raise self.strange(f"{len(envelopes)} != {len(receipts)}")
        return receipts

    async def _get(self, path: str, limit: int) -> bytes:
        return await self._asked("GET", path, limit)

    async def _asked(
        self, method: str, path: str, limit: int, *, data: bytes | None = None, headers: dict[str, str] | None = None
    ) -> bytes:
        try:
            async with self._session.request(
                method, self._url + path, data=data, headers=headers, allow_redirects=False
            ) as reply:
                content = await _read(reply, limit)
                if reply.status == 200:
                    return content
        except (TimeoutError, aiohttp.ClientError, ValueError) as error:
            raise RegistryError(
                N_("the registry {url} cannot be reached: {problem}"),
                remedy=N_("check the address and the network, then do the same again: nothing is published twice"),
                url=self._url,
                problem=_problem(error),
            ) from error
        raise self._refused(reply.status, content)

    def _refused(self, status: int, content: bytes) -> Refusal:
        try:
            said = msgspec.json.decode(content, type=_Refused)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            said = _Refused()
        message = " ".join(shown(line, 300) for line in said.message[:3])
        return Refusal(self._url, status, shown(said.reason) or "-", message or "-")

    def _decoded(self, data: bytes, kind: type[T]) -> T:
        try:
            return msgspec.json.decode(data, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise self.strange(str(error)[:200]) from error

    def strange(self, problem: str) -> RegistryError:
        """The error of an answer that is none of a registry's."""
        return RegistryError(
            N_("{url} does not answer as a registry does: {problem}"),
            remedy=N_("check the address"),
            url=self._url,
            problem=problem,
        )


def _problem(error: Exception) -> str:
    """Why nothing came, in the words of the system or ours: what a library says is in one language."""
    for kind, sentence in _PROBLEMS.items():
        if isinstance(error, kind):
            return sentence
    if isinstance(error, aiohttp.ClientOSError) and error.errno and error.errno > 0:
        return os.strerror(error.errno)
    return N_("the connection broke off") if isinstance(error, aiohttp.ClientError) else str(error)


async def _read(reply: aiohttp.ClientResponse, limit: int) -> bytes:
    content = bytearray()
    async for part in reply.content.iter_any():
        content += part
        if len(content) > limit:
            raise ValueError(f"> {limit} bytes")
    return bytes(content)


def require_address(url: str) -> str:
    """The address of a registry or a witness. Raises AskerError where it has credentials, or is none of HTTP."""
    if _CREDENTIALS.match(url):
        raise AskerError(
            N_("credentials stand in the address {got}"),
            remedy=N_("leave them out: registries and witnesses are asked without a password"),
            got=url,
        )
    if not _ADDRESS.fullmatch(url):
        raise AskerError(
            N_("“{got}” is no address of a registry"), remedy=N_("give it as https://HOST or http://HOST:PORT"), got=url
        )
    return url


@asynccontextmanager
async def open_registry(url: str) -> AsyncIterator[Registry]:
    """A session with the registry at `url`. Raises AskerError as `require_address`."""
    require_address(url)
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    async with aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield Registry(session, url)
