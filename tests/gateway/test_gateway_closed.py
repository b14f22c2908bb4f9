"""Whatever a guard does wrong, and however slowly a request comes: told in every protocol, and nothing goes out."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2 as httpx
import pytest
from answering import answering
from bad_guards import BAD, FORBIDDEN, REFUSAL, policy_of
from benchmarks.gateway.scripted import Scripted

from aloi.solutions.gateway import asking
from aloi.solutions.gateway.app import Gateway
from aloi.solutions.gateway.endpoints import endpoints
from aloi.solutions.gateway.keeping import Unkept
from aloi.solutions.gateway.keys import Keys
from aloi.solutions.gateway.policy import Policy

SAID = [{"role": "user", "content": "When do you open?"}]
BODIES: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": SAID},
    "/v1/responses": {"input": "When do you open?"},
    "/v1/messages": {"max_tokens": 99, "messages": SAID},
    "/v1/completions": {"prompt": "When do you open?"},
}
WITHHELD = {"/v1/messages": '"stop_reason":"refusal"', "/v1/responses": '"reason":"content_filter"'}
EVERY = pytest.mark.parametrize("path", BODIES)


@pytest.fixture(scope="module")
def model() -> Iterator[Scripted]:
    with Scripted({}, otherwise=answering) as served:
        yield served


@asynccontextmanager
async def before(port: int, policy: Policy) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a gateway that lives in this process."""

    class Opened:
        async def __aenter__(self) -> tuple[str, str]:
            return f"http://127.0.0.1:{port}/v1", ""

        async def __aexit__(self, *_: object) -> None: ...

    gateway = Gateway(policy, Keys({}), Opened, endpoints, Unkept(), load=lambda: policy, told=lambda _: None)
    asked_to: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    answers: asyncio.Queue[object] = asyncio.Queue()
    asked_to.put_nowait({"type": "lifespan.startup"})
    living = asyncio.create_task(gateway({"type": "lifespan"}, asked_to.get, answers.put))
    assert await answers.get() == {"type": "lifespan.startup.complete"}
    transport = httpx.ASGITransport(gateway)  # type: ignore[arg-type]  # it is one
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway", timeout=30) as client:
        yield client
    asked_to.put_nowait({"type": "lifespan.shutdown"})
    await living


@EVERY
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("name", BAD)
async def test_whatever_a_guard_does_wrong_withholds(model: Scripted, name: str, path: str, *, stream: bool) -> None:
    guard, wanted = BAD[name]
    model.requests.clear()
    async with before(model.port, policy_of(guard)) as client:
        reply = await client.post(path, json={"model": "m", "stream": stream, **BODIES[path]})
    assert reply.status_code == 200
    assert FORBIDDEN not in reply.text
    if wanted == REFUSAL:
        assert REFUSAL in reply.text
        assert WITHHELD.get(path, '"finish_reason":"content_filter"') in reply.text
    assert bool(model.requests) is not name.endswith("asked")


@EVERY
async def test_a_request_that_comes_too_slowly_is_told_so(
    model: Scripted, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "ARRIVES", 0.2)

    async def drops() -> AsyncIterator[bytes]:
        for byte in json.dumps({"model": "m", **BODIES[path]}).encode():
            yield bytes([byte])
            await asyncio.sleep(0.05)

    model.requests.clear()
    async with before(model.port, policy_of()) as client:
        reply = await client.post(path, content=drops())
    told = reply.json()
    assert (reply.status_code, told["error"]["code"]) == (408, "too-slow")
    assert told["error"]["message"]
    assert ("type" in told) is (path == "/v1/messages")
    assert not model.requests


@EVERY
async def test_another_method_and_another_model_are_told_in_the_protocol(model: Scripted, path: str) -> None:
    async with before(model.port, policy_of(BAD["blocks"][0])) as client:
        replies = [await client.get(path), await client.post(path, json={**BODIES[path], "model": "other"})]
    assert [reply.status_code for reply in replies] == [405, 404]
    assert [reply.json()["error"]["code"] for reply in replies] == ["method", "model_not_found"]
    assert [reply.json().get("type") for reply in replies] == ["error" if path == "/v1/messages" else None] * 2
