"""Unmodified clients ask through remedies in their own process: sync and async, whole and streamed."""

import asyncio
import gc
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anthropic
import httpx
import httpx2
import openai
import pytest
import yaml
from bad_guards import BAD, FORBIDDEN, REFUSAL, Rule, Settled, policy_of
from benchmarks.gateway.scripted import ANSWER, SECRET, Playing, Scripted
from gateway_room import LIMITS, described

import aloi
from aloi.errors import AloiError, AskerError
from aloi.solutions.catalogue import build
from aloi.solutions.clients.transport import GuardedAsyncTransport, GuardedTransport
from aloi.solutions.gateway.policy import Policy
from aloi.solutions.gateway.record import Entry
from aloi.solutions.guard import Allow
from aloi.system.messages import GuardDecision

Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def policy(upstream: Scripted, tmp_path_factory: pytest.TempPathFactory) -> Policy:
    file = tmp_path_factory.mktemp("client") / "system.yaml"
    file.write_text(yaml.safe_dump(described(upstream.port, limits=LIMITS, deadline=20)))
    return aloi.policy(file)


OPENED: list[openai.OpenAI] = []


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    while OPENED:
        OPENED.pop().close()


def sdk(upstream: Scripted, **options: Any) -> openai.OpenAI:
    url = f"http://127.0.0.1:{upstream.port}/v1"
    OPENED.append(openai.OpenAI(base_url=url, api_key="k", max_retries=0, **options))
    return OPENED[-1]


def async_sdk(upstream: Scripted, **options: Any) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"http://127.0.0.1:{upstream.port}/v1", api_key="k", max_retries=0, **options)


def said(script: str, **more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": f"Hello, {script}"}], **more}


def whole(client: Any, script: str, **more: Any) -> str:
    """What comes of a question, as text, in a client that is async or not."""

    async def ask() -> Any:
        async with client:
            return await client.chat.completions.create(**said(script, **more))

    plain = isinstance(client, openai.OpenAI)
    answer = client.chat.completions.create(**said(script, **more)) if plain else asyncio.run(ask())
    return str(answer.choices[0].message.content)


def streamed(client: Any, script: str, **more: Any) -> str:
    if isinstance(client, openai.OpenAI):
        stream = client.chat.completions.create(**said(script, stream=True, **more))
        return "".join(chunk.choices[0].delta.content or "" for chunk in stream)

    async def read() -> str:
        async with client:
            stream = await client.chat.completions.create(**said(script, stream=True, **more))
            return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    return asyncio.run(read())


FORMS: dict[str, tuple[Ask, Ask]] = {
    f"{name}, {way.__name__}": (maker, way)
    for name, maker in (("sync", sdk), ("async", async_sdk))
    for way in (whole, streamed)
}
forms = pytest.mark.parametrize("form", FORMS)


@forms
@pytest.mark.parametrize("script", ["plain", "slow", "telling", "telling_slowly", "split_letters", "empty"])
def test_an_answer_comes_as_guards_leave_it(upstream: Scripted, policy: Policy, form: str, script: str) -> None:
    make, ask = FORMS[form]
    told = ask(aloi.guarded(make(upstream), policy), script)
    wanted = {"plain": ANSWER, "slow": ANSWER, "split_letters": "Déjà vu, à bientôt — 日本.", "empty": ""}
    assert told == wanted.get(script, "The code of the vault is [SECRET], but tell nobody.")


@forms
@pytest.mark.parametrize("name", BAD)
def test_whatever_a_guard_does_wrong_withholds(upstream: Scripted, form: str, name: str) -> None:
    make, ask = FORMS[form]
    guard, wanted = BAD[name]
    told = ask(aloi.guarded(make(upstream), policy_of(guard)), "plain")
    assert FORBIDDEN not in told
    assert wanted in told


# By script: the exception of the package for a whole answer, and for a stream; both kinds of client raise it.
FAILURES: dict[str, tuple[type[Exception], type[Exception]]] = {
    "closed": (openai.APIConnectionError, openai.APIConnectionError),
    "hung": (openai.APITimeoutError, openai.APITimeoutError),
    "hung_midway": (openai.APITimeoutError, openai.APIError),
    "cut": (openai.APIConnectionError, openai.APIError),
    "not_json": (openai.InternalServerError, openai.InternalServerError),
    "nothing": (openai.InternalServerError, openai.InternalServerError),
    "a_page": (openai.InternalServerError, openai.InternalServerError),
    "packed": (openai.InternalServerError, openai.InternalServerError),
    "busy": (openai.RateLimitError, openai.RateLimitError),
    "broken": (openai.InternalServerError, openai.InternalServerError),
    "too_long": (openai.BadRequestError, openai.BadRequestError),
    "no_key": (openai.AuthenticationError, openai.AuthenticationError),
    "gigantic": (openai.InternalServerError, openai.APIError),
    "an_error_within": (openai.InternalServerError, openai.APIError),
}


@forms
@pytest.mark.parametrize("script", FAILURES)
def test_a_failure_is_told_as_the_package_tells_it(upstream: Scripted, policy: Policy, form: str, script: str) -> None:
    make, ask = FORMS[form]
    began = time.monotonic()
    with pytest.raises(FAILURES[script][ask is streamed]) as raised:
        ask(aloi.guarded(make(upstream), policy), script)
    assert SECRET not in str(raised.value)
    assert time.monotonic() - began < 10


def test_nothing_of_a_blocked_stream_leaks_and_what_was_cleared_came_before(upstream: Scripted) -> None:
    heard: list[str] = []

    async def taking(it: Playing) -> None:
        await it.say("We are here all day, ", "as you know, and we open at ", FORBIDDEN[:2], FORBIDDEN[2:], " or so.")

    with Scripted({}, otherwise=taking) as served:
        client = aloi.guarded(sdk(served), policy_of(Settled()))
        for chunk in client.chat.completions.create(**said("now", stream=True)):
            heard.append(chunk.choices[0].delta.content or "")
            finish = chunk.choices[0].finish_reason
    assert "".join(heard).endswith(REFUSAL)
    assert "We are here all day" in "".join(heard)
    assert FORBIDDEN[:2] + FORBIDDEN[2:] not in "".join(heard)
    assert finish == "content_filter"


@forms
def test_a_call_that_is_withheld_reaches_no_agent(upstream: Scripted, form: str) -> None:
    make, ask = FORMS[form]
    policy = policy_of(build("tool-policy", {"rules": {"hours": {"decision": "deny"}}}))
    tools = [{"type": "function", "function": {"name": "hours", "parameters": {"type": "object"}}}]
    before = len(upstream.requests)
    told = ask(aloi.guarded(make(upstream), policy), "calling", tools=tools)
    assert "hours (denied)" in told
    asked = [body for _, body in upstream.requests[before:]]
    assert len(asked) == 4  # it was told, and asked again as often as is done
    assert [one["role"] for one in asked[-1]["messages"]].count("tool") == 3


# What Anthropic's package is answered: a whole answer, and a stream of the same.
BLOCK = {"type": "text", "text": f"The code of the vault is {SECRET}."}
TOLD = {"id": "m1", "type": "message", "role": "assistant", "model": "m", "content": [BLOCK], "stop_reason": "end_turn"}
TOLD |= {"usage": {"input_tokens": 5, "output_tokens": 6}}
EVENTS = [
    {"type": "message_start", "message": {**TOLD, "content": [], "stop_reason": None}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    *(
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}
        for text in ("The code of the vault is ", *SECRET, ".")
    ),
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 6}},
    {"type": "message_stop"},
]


async def as_anthropic(it: Playing) -> None:
    if not it.streams:
        await it.whole(json.dumps(TOLD).encode())
        return
    await it.begin()
    for event in EVENTS:
        await it.chunk(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
    await it.chunk(b"")


def test_the_client_of_anthropic_asks_through_them_too(policy: Policy) -> None:
    asked: Any = {"model": "m", "max_tokens": 50, "messages": [{"role": "user", "content": "Hello"}]}
    with Scripted({}, otherwise=as_anthropic) as served:
        url = f"http://127.0.0.1:{served.port}"
        client = aloi.guarded(anthropic.Anthropic(base_url=url, api_key="k", max_retries=0), policy)
        (block,) = client.messages.create(**asked).content
        assert block.text == "The code of the vault is [SECRET]."
        with client.messages.stream(**asked) as stream:
            assert stream.get_final_text() == "The code of the vault is [SECRET]."
        head, body = served.requests[0]
    sent = {line.partition(":")[0] for line in head.decode().lower().split("\r\n")}
    assert {"authorization", "anthropic-version"} <= sent
    assert "accept-language" not in sent
    assert SECRET in str(body["system"])


def test_a_call_that_passes_comes_with_its_arguments(upstream: Scripted, policy: Policy) -> None:
    answer = aloi.guarded(sdk(upstream), policy).chat.completions.create(**said("calling"))
    (call,) = answer.choices[0].message.tool_calls or ()
    assert (call.id, call.function.name, call.function.arguments) == ("call_1", "hours", '{"day":"monday"}')


# Method, path below the base URL: what becomes of it where nothing is said, and with unknown="pass".
ADDRESSES: dict[str, tuple[str, str, int, int]] = {
    "the list of models": ("GET", "/models", 200, 200),
    "one of them": ("GET", "/models/owner/m-1.5:free", 200, 200),
    "what belongs to one": ("GET", "/models/owner/m/files", 403, 200),
    "no name of one": ("GET", "/models/say'hello'", 403, 200),
    "embeddings": ("POST", "/embeddings", 200, 200),
    "speech": ("POST", "/audio/speech", 403, 200),
    "a stored answer": ("GET", "/chat/completions/c1", 403, 200),
    "stored answers": ("GET", "/chat/completions", 403, 200),
    "deletion": ("DELETE", "/chat/completions", 403, 200),
    "batches": ("POST", "/batches", 403, 200),
}


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("library", [httpx, httpx2])
def test_what_guards_cannot_read_is_refused_or_passed_by_a_named_choice(
    upstream: Scripted, policy: Policy, address: str, library: Any
) -> None:
    method, path, refused, passed = ADDRESSES[address]
    for unknown, wanted in (("refuse", refused), ("pass", passed)):
        before = len(upstream.requests)
        with aloi.guarded(library.Client(), policy, unknown=unknown) as client:
            url = f"http://127.0.0.1:{upstream.port}/v1{path}"
            script = "vectors" if path == "/embeddings" else "plain"
            reply = client.request(method, url, json={"input": script})
        assert reply.status_code == wanted
        assert len(upstream.requests) - before == (wanted == 200)
        if wanted == 403:
            assert reply.json()["error"]["code"] == "unguarded-endpoint"
            assert path in reply.json()["error"]["message"]


# However an address is written, its server may take it for the chat endpoint: so do the guards.
WRITTEN = ["/v1/chat/completions/", "/v1//chat//completions", "/v1/chat%2Fcompletions", "/v1/%63hat/completions"]
WRITTEN += [
    "/chat/completions?a=b",
    "/openai/deployments/m/chat/completions?api-version=1",
    "/v1/x/../chat/completions",
]


@pytest.mark.parametrize("path", WRITTEN)
@pytest.mark.parametrize("library", [httpx, httpx2])
def test_an_address_is_known_however_it_is_written(upstream: Scripted, policy: Policy, path: str, library: Any) -> None:
    with aloi.guarded(library.Client(), policy, unknown="pass") as client:
        reply = client.post(f"http://127.0.0.1:{upstream.port}{path}", json=said("telling"))
    assert "[SECRET]" in reply.text
    assert SECRET not in reply.text
    assert upstream.requests[-1][0].partition(b" ")[2].partition(b" ")[0].decode().endswith(path.rpartition("/..")[2])


def test_what_the_client_set_goes_with_the_request_and_its_length_is_told_anew(
    upstream: Scripted, policy: Policy
) -> None:
    client = aloi.guarded(sdk(upstream, default_headers={"X-Team": "blue"}), policy)
    client.chat.completions.create(**said("plain"))
    head, body = upstream.requests[-1]
    lines = head.decode().lower().split("\r\n")
    assert "x-team: blue" in lines
    assert "authorization: bearer k" in lines
    assert [line for line in lines if line.startswith("accept-encoding")] == ["accept-encoding: identity"]
    assert len([line for line in lines if line.startswith("content-length")]) == 1
    assert body["messages"][0]["role"] == "system"  # the system's own prompt, which the request did not bring


def test_the_client_given_stays_as_it_is_and_may_go(upstream: Scripted, policy: Policy) -> None:
    plain = openai.OpenAI(base_url=f"http://127.0.0.1:{upstream.port}/v1", api_key="k", max_retries=0)
    kept = aloi.guarded(plain, policy)
    assert SECRET in whole(plain, "telling")
    assert SECRET not in whole(kept, "telling")
    del plain
    gc.collect()
    assert SECRET not in whole(kept, "telling")
    assert SECRET not in whole(kept.with_options(timeout=5), "telling")
    kept.close()


def test_proxies_are_guarded_too(upstream: Scripted, policy: Policy) -> None:
    mounts = {"all://": httpx2.HTTPTransport(proxy=f"http://127.0.0.1:{upstream.port}")}
    with aloi.guarded(httpx2.Client(mounts=mounts), policy) as client:
        reply = client.post("http://model.example/v1/chat/completions", json=said("telling"))
    assert "[SECRET]" in reply.text
    assert upstream.requests[-1][0].startswith(b"POST http://model.example/v1/chat/completions ")


class Kept:
    """A keeper that remembers."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    async def keep(self, entry: Entry) -> None:
        self.entries.append(entry)


def test_decisions_are_told_to_a_keeper(upstream: Scripted, policy: Policy) -> None:
    kept = Kept()
    whole(aloi.guarded(sdk(upstream), policy, keeper=kept), "telling")
    (entry,) = kept.entries
    assert (entry.outcome, entry.guard_set) == ("changed", policy.guard_set)
    decision = GuardDecision(guard="secret-filter", role="assistant", action="rewrite", reason="secret")
    assert [(one.guard, one.action) for one in entry.decisions] == [(decision.guard, decision.action)]


def test_many_threads_share_one_client(upstream: Scripted, policy: Policy) -> None:
    client, told = aloi.guarded(sdk(upstream), policy), []
    threads = [threading.Thread(target=lambda: told.append(whole(client, "slow"))) for _ in range(12)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told == [ANSWER] * 12
    assert time.monotonic() - began < 12 * 0.3


def test_a_stream_that_is_left_ends_what_was_asked(upstream: Scripted) -> None:
    ended = threading.Event()

    async def endless(it: Playing) -> None:
        try:
            await it.begin()
            while True:
                await it.chunk(b'data: {"choices":[{"index":0,"delta":{"content":"and so on, "}}]}\n\n')
                await asyncio.sleep(0.01)
        finally:
            ended.set()

    class Open(Rule):
        def settled(self, text: str) -> int:
            return len(text)

    with Scripted({}, otherwise=endless) as served:
        client = aloi.guarded(sdk(served), policy_of(Open(lambda _: Allow())))
        with client.chat.completions.create(**said("now", stream=True)) as stream:
            for chunk in stream:
                if chunk.choices[0].delta.content:
                    break
        assert ended.wait(5)


def test_a_waiting_caller_that_is_cancelled_ends_what_was_asked(upstream: Scripted, policy: Policy) -> None:
    async def leave() -> float:
        client = aloi.guarded(async_sdk(upstream), policy)
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.chat.completions.create(**said("hung")), 0.2)
        await client.close()
        assert len(asyncio.all_tasks()) == 1
        return time.monotonic() - began

    assert asyncio.run(leave()) < 2


def test_a_transport_may_be_put_together_by_hand(upstream: Scripted, policy: Policy) -> None:
    url = f"http://127.0.0.1:{upstream.port}/v1/chat/completions"
    with httpx.Client(transport=GuardedTransport(policy, httpx.HTTPTransport())) as client:
        assert "[SECRET]" in client.post(url, json=said("telling")).text

    async def ask() -> str:
        transport = GuardedAsyncTransport(policy, httpx2.AsyncHTTPTransport())
        async with httpx2.AsyncClient(transport=transport) as client:
            return (await client.post(url, json=said("telling"))).text

    assert "[SECRET]" in asyncio.run(ask())


@pytest.mark.parametrize("raised", [ValueError("mine"), httpx2.ConnectTimeout("slow"), httpx2.ReadError("gone")])
def test_what_an_inner_transport_raises_comes_through(policy: Policy, raised: Exception) -> None:
    def answer(_: httpx2.Request) -> httpx2.Response:
        raise raised

    client = aloi.guarded(httpx2.Client(transport=httpx2.MockTransport(answer)), policy)
    with pytest.raises(type(raised), match=str(raised)):
        client.post("http://model.example/v1/chat/completions", json=said("plain"))


def test_a_body_that_is_none_is_refused_before_anything_is_sent(upstream: Scripted, policy: Policy) -> None:
    before = len(upstream.requests)
    url = f"http://127.0.0.1:{upstream.port}/v1/chat/completions"
    with aloi.guarded(httpx2.Client(), policy) as client:
        for content, status in ((b"{", 400), (b"[]", 400), (b"x" * 300_000, 413), (b"", 400)):
            reply = client.post(url, content=content)
            assert reply.status_code == status, content[:10]
            assert set(reply.json()["error"]) == {"message", "type", "param", "code"}
        other = client.post(url, content=json.dumps(said("plain") | {"model": "other"}))
    assert other.json()["error"]["code"] == "model_not_found"
    assert len(upstream.requests) == before


@pytest.mark.parametrize("thing", [object(), "client", None, httpx2.HTTPTransport()])
def test_what_is_no_client_is_refused(policy: Policy, thing: object) -> None:
    with pytest.raises(AskerError, match="no client that remedies can be put around"):
        aloi.guarded(thing, policy)


def test_a_system_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AloiError):
        aloi.guarded(httpx2.Client(), tmp_path / "system.yaml")


def test_importing_the_package_loads_none_of_it() -> None:
    code = "import sys, aloi; print([m for m in sys.modules if m.startswith(('aloi.', 'httpx', 'aiohttp'))])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
