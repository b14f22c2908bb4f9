"""Where as much is under way as may be, every client is told so by its own package."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anthropic
import httpx2 as httpx
import openai
import pytest
from answering import answering
from asking_clients import ASK, Heard, told
from benchmarks.gateway.faults import hung
from benchmarks.gateway.scripted import Playing, Scripted
from gateway_room import LIMITS, Gateway, described, running, vectors

BUSY = {"limits": LIMITS | {"at_once": 1, "seconds": 600, "silence": 600}, "models": "any"}
WAYS = [(protocol, stream) for protocol in ASK for stream in (False, True)]


async def model(it: Playing) -> None:
    path = it.head.split(b" ")[1].decode()
    if path == "/v1/models":
        listed = {"object": "list", "data": [{"id": "theirs", "object": "model", "created": 0, "owned_by": "them"}]}
        await it.whole(json.dumps(listed).encode())
    elif path == "/v1/embeddings":
        await vectors(it)
    else:
        await answering(it)


@contextmanager
def under_way(gateway: Gateway, upstream: Scripted) -> Iterator[None]:
    """One exchange that lasts until the context ends."""
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "When do you open? hung"}]}).encode()
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
    before = len(upstream.requests)
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as connection:
        connection.sendall(head + body)
        wait(lambda: len(upstream.requests) > before)
        yield
    wait(lambda: httpx.get(f"{gateway.url}/aloi/status").json()["under_way"] == 0)


def wait(until: Callable[[], bool]) -> None:
    for _ in range(400):
        if until():
            return
        time.sleep(0.02)
    pytest.fail("it does not come to that")


@pytest.fixture(scope="module")
def upstream() -> Iterator[Scripted]:
    with Scripted({"hung": hung}, otherwise=model) as served:
        yield served


@pytest.fixture(scope="module")
def one(upstream: Scripted, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that takes one exchange at a time."""
    with running(tmp_path_factory.mktemp("busy"), described(upstream.port, **BUSY)) as it:
        yield it
        assert "Traceback" not in it.said(), it.said()


@pytest.fixture(scope="module")
def gpt(one: Gateway) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{one.url}/v1", api_key="k", max_retries=0, timeout=30) as client:
        yield client


@pytest.fixture(scope="module")
def claude(one: Gateway) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=one.url, api_key="k", max_retries=0, timeout=30) as client:
        yield client


@pytest.fixture(scope="class")
def full(one: Gateway, upstream: Scripted) -> Iterator[None]:
    with under_way(one, upstream):
        yield


@pytest.mark.usefixtures("full")
class TestOneIsUnderWay:
    @pytest.mark.parametrize(("protocol", "stream"), WAYS)
    def test_every_protocol_is_told(
        self, gpt: openai.OpenAI, claude: anthropic.Anthropic, protocol: str, *, stream: bool
    ) -> None:
        heard: Heard = []
        package: Any = anthropic if protocol == "messages" else openai
        with pytest.raises(package.InternalServerError) as raised:
            ASK[protocol](gpt, claude, "When do you open?", heard, stream=stream)
        assert told(raised.value) == (503, "busy")
        assert "1 exchanges under way" in raised.value.message
        assert "`gateway.limits.at_once`" in raised.value.message
        assert raised.value.response.headers["retry-after"] == "1"
        assert ("type" in raised.value.response.json()) is (protocol == "messages")
        assert not heard

    def test_embeddings_and_the_upstreams_models_are_told(
        self, gpt: openai.OpenAI, claude: anthropic.Anthropic
    ) -> None:
        for ask in (
            lambda: gpt.embeddings.create(model="e", input="Fine."),
            gpt.models.list,
        ):
            with pytest.raises(openai.InternalServerError) as raised:
                ask()
            assert told(raised.value) == (503, "busy")
        with pytest.raises(anthropic.InternalServerError) as theirs:
            claude.models.list()
        assert told(theirs.value) == (503, "busy")
        assert theirs.value.response.json()["type"] == "error"

    def test_what_the_gateway_knows_itself_is_told_meanwhile(self, one: Gateway) -> None:
        assert httpx.get(f"{one.url}/aloi/health").status_code == 200
        assert httpx.get(f"{one.url}/aloi/status").json()["under_way"] == 1


def test_its_own_list_of_models_is_told_meanwhile(upstream: Scripted, tmp_path: Path) -> None:
    description = described(upstream.port, ("secret-filter",), **BUSY | {"models": "described"})
    with running(tmp_path, description) as gateway, under_way(gateway, upstream):
        listed = httpx.get(f"{gateway.url}/v1/models")
        assert [one["id"] for one in listed.json()["data"]] == ["m"]


def test_a_list_of_models_that_is_under_way_takes_a_place(upstream: Scripted, tmp_path: Path) -> None:
    async def silent(it: Playing) -> None:
        await (hung(it) if it.head.startswith(b"GET") else answering(it))

    with Scripted({}, otherwise=silent) as slow, running(tmp_path, described(slow.port, **BUSY)) as gateway:
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as connection:
            connection.sendall(b"GET /v1/models HTTP/1.1\r\nHost: x\r\n\r\n")
            wait(lambda: bool(slow.requests))
            with (
                openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="k", max_retries=0) as client,
                pytest.raises(openai.InternalServerError, match="under way"),
            ):
                client.completions.create(model="m", prompt="When do you open?")
        wait(lambda: httpx.get(f"{gateway.url}/aloi/status").json()["under_way"] == 0)


def test_whoever_asks_again_is_answered(
    one: Gateway, upstream: Scripted, gpt: openai.OpenAI, claude: anthropic.Anthropic
) -> None:
    with under_way(one, upstream), pytest.raises(openai.InternalServerError):
        gpt.models.list()
    for protocol, stream in WAYS:
        assert ASK[protocol](gpt, claude, "When do you open?", [], stream=stream) == "We open at nine on weekdays."
    assert [listed.id for listed in gpt.models.list()] == ["theirs"]
