"""Ask an OpenAI-compatible endpoint, or the local model, for the embeddings of texts, as vectors of length 1."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from math import hypot

import aiohttp
import msgspec

from aloi.errors import TargetError
from aloi.system.description import TargetDescription
from aloi.system.local import local_model, serving_embeddings
from aloi.system.openai import ANSWER_LIMIT, endpoint_key
from aloi.system.target import Unscorable
from aloi.translation import N_

Vector = tuple[float, ...]
BATCH = 32


class _Embedding(msgspec.Struct):
    embedding: tuple[float, ...]
    index: int = 0


class _Embeddings(msgspec.Struct):
    data: tuple[_Embedding, ...]


class Embedder:
    """One endpoint. What it cannot embed after as many retries as its description allows stays without a vector."""

    def __init__(self, session: aiohttp.ClientSession, base_url: str, model: str, key: str, retries: int = 0) -> None:
        self._session = session
        self._retries = retries
        self._url = base_url.rstrip("/") + "/embeddings"
        self._model = model
        self._headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """A vector of length 1 for each text. Raises Unscorable where there is none, TargetError where none will be."""
        vectors: list[Vector] = []
        for start in range(0, len(texts), BATCH):
            vectors += await self._batch(texts[start : start + BATCH])
        return vectors

    async def _batch(self, texts: Sequence[str]) -> list[Vector]:
        for attempt in range(self._retries):
            try:
                return await self._once(texts)
            except Unscorable:
                await asyncio.sleep(random.uniform(0.5, 1.0) * min(0.25 * 2**attempt, 8.0))
        return await self._once(texts)

    async def _once(self, texts: Sequence[str]) -> list[Vector]:
        body = msgspec.json.encode({"model": self._model, "input": list(texts)})
        try:
            async with self._session.post(self._url, data=body, headers=self._headers, allow_redirects=False) as reply:
                data, status = await reply.content.read(ANSWER_LIMIT), reply.status
                while not reply.content.at_eof() and len(data) < ANSWER_LIMIT:
                    data += await reply.content.read(ANSWER_LIMIT - len(data))
        except TimeoutError:
            raise Unscorable("timeout", N_("no embedding in time")) from None
        except aiohttp.ClientError as error:
            raise TargetError(
                N_("the endpoint {url} cannot be reached: {problem}"),
                remedy=N_("start it, or correct the judge's target.base_url in system.yaml; then resume the run"),
                url=self._url,
                problem=type(error).__name__,
            ) from None
        if status in {401, 403, 404, 405} or 300 <= status < 400:
            raise TargetError(
                N_("{url} gives no embeddings of the model {model} (HTTP {status})"),
                remedy=N_("correct the judge's target in system.yaml; the endpoint must serve /v1/embeddings"),
                url=self._url,
                model=self._model,
                status=status,
            )
        if status != 200:
            raise Unscorable(f"http-{status}", N_("the endpoint answered HTTP {status}"), status=status)
        return _vectors(data, len(texts))


def _vectors(data: bytes, wanted: int) -> list[Vector]:
    try:
        found = sorted(msgspec.json.decode(data, type=_Embeddings).data, key=lambda one: one.index)
    except (msgspec.DecodeError, RecursionError) as error:
        problem = str(error)[:120]
        raise Unscorable("malformed", N_("the answer holds no embeddings: {problem}"), problem=problem) from None
    lengths = [hypot(*one.embedding) for one in found]
    if len(found) != wanted or not all(lengths) or len({len(one.embedding) for one in found}) != 1:
        raise Unscorable("malformed", N_("the answer holds other embeddings than were asked for"))
    return [tuple(x / length for x in one.embedding) for one, length in zip(found, lengths, strict=True)]


@asynccontextmanager
async def open_embedder(description: TargetDescription) -> AsyncIterator[Embedder]:
    """A session to the endpoint of a target of kind openai, or to an engine of our own for kind local."""
    timeout = aiohttp.ClientTimeout(total=description.timeout)
    connector = aiohttp.TCPConnector(limit=description.concurrency)
    async with AsyncExitStack() as stack:
        base_url, key, model = description.base_url, "", description.model
        if description.kind == "local":
            base_url, key = await stack.enter_async_context(serving_embeddings(description))
            model = local_model().name
        else:
            key = endpoint_key(description)
        session = await stack.enter_async_context(
            aiohttp.ClientSession(timeout=timeout, connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        )
        yield Embedder(session, base_url, model, key, description.retries)
