"""A chat endpoint on 127.0.0.1 that misbehaves as it is told, and remembers what it was asked."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from aloi.system.description import TargetDescription
from aloi.system.messages import Message, Request
from aloi.system.openai import OpenAITarget, open_endpoint

KEY = "sk-very-secret-7b1f"
QUESTION = Request(prompt="Answer.", messages=(Message(role="user", content="When do you open?"),))

Reply = Callable[[web.Request, int], Awaitable[web.StreamResponse]]


def completion(content: object = "At nine.", **fields: object) -> dict[str, object]:
    """A well-formed chat completion; `fields` replace parts of the whole."""
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
    return {"id": "x", "object": "chat.completion", "choices": [choice], "usage": usage} | fields


def says(value: object, status: int = 200, **headers: str) -> Reply:
    """The same JSON value every time."""
    return says_bytes(json.dumps(value).encode(), status, **headers)


def says_bytes(data: bytes, status: int = 200, **headers: str) -> Reply:
    """The same bytes every time."""

    async def reply(_: web.Request, __: int) -> web.Response:
        return web.Response(body=data, status=status, headers={"Content-Type": "application/json"} | headers)

    return reply


def in_turn(*replies: Reply) -> Reply:
    """One reply after another; the last one for ever."""

    async def reply(request: web.Request, times: int) -> web.StreamResponse:
        return await replies[min(times, len(replies) - 1)](request, times)

    return reply


async def hangs(_: web.Request, __: int) -> web.StreamResponse:
    """Nothing, for longer than anyone waits."""
    await asyncio.sleep(60)
    raise AssertionError


async def hangs_in_the_body(request: web.Request, _: int) -> web.StreamResponse:
    """Headers and one byte, then nothing."""
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"{")
    await asyncio.sleep(60)
    return response


async def resets(request: web.Request, _: int) -> web.StreamResponse:
    """Half an answer, then the connection is reset."""
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"choices": [')
    assert request.transport is not None
    request.transport.abort()
    return response


async def endless(request: web.Request, _: int) -> web.StreamResponse:
    """An answer that goes on as long as somebody reads."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b" " * 65_536)


async def gzip_bomb(_: web.Request, __: int) -> web.StreamResponse:
    """Some 60 kB that unpack to 64 MB."""
    data = gzip.compress(b" " * (64 << 20), 6)
    return web.Response(body=data, headers={"Content-Encoding": "gzip", "Content-Type": "application/json"})


class Endpoint:
    """What the server was asked: `keys` are Authorization headers, `bodies` the requests; `paths` all paths."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        self.keys: list[str] = []
        self.bodies: list[dict[str, object]] = []
        self.paths: list[str] = []
        self.at: list[float] = []
        self.port = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.at.append(asyncio.get_running_loop().time())
        self.paths.append(request.path)
        self.keys.append(request.headers.get("Authorization", ""))
        if request.can_read_body:
            self.bodies.append(json.loads(await request.read()))
        return await self.reply(request, len(self.paths) - 1)


@asynccontextmanager
async def serving(reply: Reply) -> AsyncIterator[Endpoint]:
    """A server on a free port for the length of the block."""
    endpoint = Endpoint(reply)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", endpoint.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handle_signals=False)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    endpoint.port = runner.addresses[0][1]
    try:
        yield endpoint
    finally:
        await runner.cleanup()


def describe(port: int, **fields: object) -> TargetDescription:
    """The endpoint as `system.yaml` would describe it, impatient."""
    url = f"http://127.0.0.1:{port}/v1"
    return TargetDescription(
        **({"kind": "openai", "base_url": url, "model": "m", "retries": 1, "timeout": 1.0} | fields)
    )


@asynccontextmanager
async def asked(reply: Reply, **fields: object) -> AsyncIterator[tuple[OpenAITarget, Endpoint]]:
    """A misbehaving endpoint and a target that asks it."""
    async with serving(reply) as endpoint, open_endpoint(describe(endpoint.port, **fields), KEY) as target:
        yield target, endpoint
