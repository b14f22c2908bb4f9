"""Ask an OpenAI-compatible chat endpoint, over one keep-alive session."""

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import msgspec

from aloi.errors import AskerError, TargetError
from aloi.system.description import TargetDescription
from aloi.system.messages import Request, Response, ToolCall
from aloi.system.rendering import chat_messages, chat_tools, written
from aloi.system.target import Unscorable
from aloi.translation import N_

ANSWER_LIMIT = 4 * 1024 * 1024
LONGEST_WAIT = 30.0


class _Function(msgspec.Struct):
    name: str
    arguments: str | dict[str, Any] | None = None


class _Call(msgspec.Struct):
    function: _Function
    id: str | None = None


class _Answer(msgspec.Struct):
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[_Call] | None = None


class _Choice(msgspec.Struct):
    message: _Answer
    finish_reason: str | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Completion(msgspec.Struct):
    choices: list[_Choice]
    usage: _Usage | None = None


class _Retry(Exception):
    """Asking again may help. `wait` is what the endpoint asked for, in seconds; `failure` is raised when tries end."""

    def __init__(self, failure: TargetError, wait: float = 0.0) -> None:
        self.failure = failure
        self.wait = wait


def retry_after(header: str | None, now: float) -> float:
    """Seconds that a Retry-After header asks for (RFC 9110, 10.2.3: seconds or a date); 0 where it says nothing."""
    if not header:
        return 0.0
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - now)
    except (ValueError, OverflowError):
        return 0.0


class OpenAITarget:
    """One endpoint. Refusals that a retry cannot mend are TargetError; a single lost answer is Unscorable."""

    def __init__(self, session: aiohttp.ClientSession, description: TargetDescription, headers: dict[str, str]) -> None:
        self._session = session
        self._url = description.base_url.rstrip("/") + "/chat/completions"
        self._description = description
        self._headers = headers
        # Waiting for a turn is our own queue: it must not spend the time that the endpoint is given.
        self._turns = asyncio.Semaphore(description.concurrency)
        self._decoder = msgspec.json.Decoder(_Completion)

    async def ask(self, request: Request) -> Response:
        """Ask, and ask again with backoff where that is right: 429, 5xx, a lost connection, a hung or broken answer."""
        wanted = {
            "model": self._description.model,
            "messages": chat_messages(request),
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
        }
        body = msgspec.json.encode(wanted | ({"tools": chat_tools(request.tools)} if request.tools else {}))
        for attempt in range(self._description.retries + 1):
            try:
                async with self._turns:
                    return await self._once(body)
            except _Retry as retry:
                if attempt == self._description.retries:
                    raise retry.failure from None
                backoff = random.uniform(0.5, 1.0) * min(0.25 * 2**attempt, 8.0)
                await asyncio.sleep(min(max(backoff, retry.wait), LONGEST_WAIT))
        raise AssertionError("the last attempt returns or raises")

    async def _once(self, body: bytes) -> Response:
        start = time.perf_counter()
        try:
            async with self._session.post(self._url, data=body, headers=self._headers, allow_redirects=False) as reply:
                data = await self._read(reply)
        except TimeoutError:
            seconds = self._description.timeout
            raise _Retry(Unscorable("timeout", N_("no answer within {seconds} s"), seconds=seconds)) from None
        except aiohttp.ClientConnectorError as error:
            raise _Retry(
                TargetError(
                    N_("the endpoint {url} cannot be reached: {problem}"),
                    remedy=N_("start it, or correct target.base_url in system.yaml; then resume the run"),
                    url=self._url,
                    problem=error.strerror or type(error).__name__,
                )
            ) from None
        except aiohttp.ClientError as error:
            problem = type(error).__name__
            raise _Retry(
                Unscorable("connection-lost", N_("the connection was lost: {problem}"), problem=problem)
            ) from None
        return self._response(data, time.perf_counter() - start)

    async def _read(self, reply: aiohttp.ClientResponse) -> bytes:
        if reply.status == 200:
            data = await reply.content.read(ANSWER_LIMIT)
            while not reply.content.at_eof() and len(data) < ANSWER_LIMIT:
                data += await reply.content.read(ANSWER_LIMIT - len(data))
            if len(data) >= ANSWER_LIMIT:
                raise Unscorable("too-large", N_("the answer is larger than {limit} bytes"), limit=ANSWER_LIMIT)
            return data
        if reply.status in {401, 403}:
            raise TargetError(
                N_("the endpoint {url} refused the key (HTTP {status})"),
                remedy=N_("set the environment variable named by target.api_key_env to a valid key"),
                url=self._url,
                status=reply.status,
            )
        if reply.status in {404, 405} or 300 <= reply.status < 400:
            raise TargetError(
                N_("{url} is not a chat endpoint of the model {model} (HTTP {status})"),
                remedy=N_("correct target.base_url (it usually ends in /v1) and target.model in system.yaml"),
                url=self._url,
                model=self._description.model,
                status=reply.status,
            )
        failure = Unscorable(f"http-{reply.status}", N_("the endpoint answered HTTP {status}"), status=reply.status)
        if reply.status in {408, 409, 425, 429} or reply.status >= 500:
            raise _Retry(failure, retry_after(reply.headers.get("Retry-After"), time.time()))
        raise failure

    def _response(self, data: bytes, seconds: float) -> Response:
        try:
            completion = self._decoder.decode(data)
            choice = completion.choices[0]
        except (msgspec.DecodeError, UnicodeDecodeError, IndexError, RecursionError) as error:
            problem = str(error)[:120]
            raise _Retry(
                Unscorable("malformed", N_("the answer is not a chat completion: {problem}"), problem=problem)
            ) from None
        text = choice.message.content or choice.message.refusal or ""
        calls = tuple(
            # Some endpoints leave the id out, and the protocol needs one to tie a result to its call.
            ToolCall(id=call.id or f"call-{i}", name=call.function.name, arguments=written(call.function.arguments))
            for i, call in enumerate(choice.message.tool_calls or ())
        )
        if not text.strip() and not calls:
            raise Unscorable("empty", N_("the answer is empty"))
        usage = completion.usage or _Usage()
        return Response(
            text=text,
            tool_calls=calls,
            finish=choice.finish_reason or "",
            prompt_tokens=usage.prompt_tokens or 0,
            completion_tokens=usage.completion_tokens or 0,
            seconds=seconds,
        )


@asynccontextmanager
async def open_endpoint(description: TargetDescription, key: str = "") -> AsyncIterator[OpenAITarget]:
    """A session to `description.base_url`; the key stands in a header and in no message."""
    headers = {"Content-Type": "application/json"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    timeout = aiohttp.ClientTimeout(total=description.timeout)
    connector = aiohttp.TCPConnector(limit=description.concurrency)
    # A cookie would tie one trial to the next, and draws must be independent.
    cookies = aiohttp.DummyCookieJar()
    async with aiohttp.ClientSession(timeout=timeout, connector=connector, cookie_jar=cookies) as session:
        yield OpenAITarget(session, description, headers)


def endpoint_key(description: TargetDescription) -> str:
    """An endpoint's key, from the environment; empty where none is named. Raises AskerError where it is not set."""
    key = os.environ.get(description.api_key_env, "").strip() if description.api_key_env else ""
    if description.api_key_env and not key:
        raise AskerError(
            N_("the environment variable {name} is not set"),
            remedy=N_("set it to the key of {url}, or remove target.api_key_env"),
            name=description.api_key_env,
            url=description.base_url,
        )
    if not (key.isascii() and key.isprintable()):
        raise AskerError(
            N_("the environment variable {name} holds characters that no key has"),
            remedy=N_("set it to the key of {url}, on one line, without accents"),
            name=description.api_key_env,
            url=description.base_url,
        )
    return key


class OpenAIKind:
    """`target: {kind: openai, base_url: …, model: …, api_key_env: …}`."""

    def identity(self, description: TargetDescription) -> str:
        """The name that the endpoint is asked for: what really answers behind it cannot be told from outside."""
        return f"openai:{description.model}"

    @asynccontextmanager
    async def open(self, description: TargetDescription) -> AsyncIterator[OpenAITarget]:
        """A session to the endpoint, with the key from the environment. Raises AskerError where it is not set."""
        key = endpoint_key(description)
        async with open_endpoint(description, key) as target:
            yield target
