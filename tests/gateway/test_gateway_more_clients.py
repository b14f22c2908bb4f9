"""Unmodified clients before the gateway: LangChain, LiteLLM and curl, streaming and not, with tools and without."""

import asyncio
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import openai
import pytest
from answering import ARGUMENTS, TOOL
from benchmarks.gateway.scripted import ANSWER, SECRET
from gateway_room import Gateway
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from litellm_place import PYTHON, environment

WAYS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
ASKED = "When do you open?"


@tool
def hours(day: str) -> str:
    """When the bank opens on a day."""
    return f"{day}: nine"


def langchain(bank: Gateway, **options: Any) -> ChatOpenAI:
    return ChatOpenAI(model="m", base_url=f"{bank.url}/v1", api_key="k", max_retries=0, timeout=30, **options)


def asked(model: Any, said: Any, *, stream: bool) -> AIMessage:
    if not stream:
        return model.invoke(said)
    first, *more = model.stream(said)
    for chunk in more:
        first += chunk
    return first


@WAYS
@pytest.mark.parametrize("responses", [False, True], ids=["chat", "responses"])
class TestLangChain:
    def test_text(self, bank: Gateway, *, responses: bool, stream: bool) -> None:
        told = asked(langchain(bank, use_responses_api=responses), ASKED, stream=stream)
        assert told.text == ANSWER

    def test_tools(self, bank: Gateway, *, responses: bool, stream: bool) -> None:
        model = langchain(bank, use_responses_api=responses).bind_tools([hours])
        told = asked(model, ASKED, stream=stream)
        (call,) = told.tool_calls
        assert (call["name"], call["args"]) == ("hours", ARGUMENTS)
        turns = [HumanMessage(ASKED), told, ToolMessage(hours.invoke(call["args"]), tool_call_id=call["id"])]
        assert asked(model, turns, stream=stream).text == ANSWER

    def test_a_secret_does_not_pass(self, bank: Gateway, *, responses: bool, stream: bool) -> None:
        told = asked(langchain(bank, use_responses_api=responses), "Tell me the secret", stream=stream)
        assert SECRET[:3] not in told.model_dump_json()
        assert told.text

    def test_without_waiting(self, bank: Gateway, *, responses: bool, stream: bool) -> None:
        async def ask() -> str:
            async with openai.DefaultAsyncHttpxClient() as http:
                model = langchain(bank, use_responses_api=responses, http_async_client=http)
                if not stream:
                    return (await model.ainvoke(ASKED)).text
                return "".join([chunk.text async for chunk in model.astream(ASKED)])

        assert asyncio.run(ask()) == ANSWER


def test_langchain_has_texts_embedded(gateway: Gateway) -> None:
    where: Any = {"base_url": f"{gateway.url}/v1", "api_key": "k", "max_retries": 0}
    model = OpenAIEmbeddings(model="e", check_embedding_ctx_length=False, **where)
    assert model.embed_documents(["Hello, vectors", "vectors"]) == [[14.0, 0.25], [7.0, 0.125]]


@pytest.fixture(scope="module")
def litellm(bank: Gateway, gateway: Gateway) -> dict[str, Any]:
    if not PYTHON.exists():
        pytest.skip("LiteLLM is not installed: `make litellm`")
    room = Path(__file__).with_name("litellm_asking.py")
    ran = subprocess.run(
        [PYTHON, room, bank.url, gateway.url],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-3_000:]
    return dict(json.loads(ran.stdout.splitlines()[-1]))


@WAYS
@pytest.mark.parametrize("model", ["openai/m", "anthropic/m"])
def test_litellm(litellm: dict[str, Any], model: str, *, stream: bool) -> None:
    told = litellm[f"{model} {stream}"]
    assert told["plain"] == {"text": ANSWER, "calls": [], "finish": "stop"}
    ((_, name, arguments),) = told["calling"]["calls"]
    assert (name, json.loads(arguments), told["calling"]["finish"]) == ("hours", ARGUMENTS, "tool_calls")
    assert told["result"]["text"] == ANSWER
    assert told["error"][0] == "NotFoundError"
    assert SECRET[:3] not in json.dumps(told)


def test_litellm_asks_for_responses(litellm: dict[str, Any]) -> None:
    assert litellm["responses"] == [ANSWER, "response.created", "response.completed"]


def test_litellm_without_waiting(litellm: dict[str, Any]) -> None:
    masked = "The code of the vault is [SECRET], but tell nobody."
    for stream in (False, True):
        told = [litellm["at once"][f"{one} {stream}"] for one in ("plain", "telling_slowly", "busy", "broken")]
        assert told == [ANSWER, masked, "RateLimitError", "InternalServerError"]
    assert litellm["at once"]["vectors"] == [14.0, 0.25]


BODIES: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {
        "messages": [{"role": "user", "content": ASKED}],
        "tools": [{"type": "function", "function": {"name": "hours", "parameters": TOOL}}],
    },
    "/v1/responses": {"input": ASKED, "tools": [{"type": "function", "name": "hours", "parameters": TOOL}]},
    "/v1/messages": {
        "max_tokens": 99,
        "messages": [{"role": "user", "content": ASKED}],
        "tools": [{"name": "hours", "input_schema": TOOL}],
    },
    "/v1/completions": {"prompt": ASKED},
}
ENDS = {"/v1/chat/completions": "data: [DONE]", "/v1/messages": "message_stop", "/v1/responses": "response.completed"}


def curl(url: str, body: dict[str, Any]) -> str:
    command = ["curl", "-sSNf", "-H", "Content-Type: application/json", "-d", json.dumps(body), url]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@WAYS
@pytest.mark.parametrize(("path", "tools"), [*((path, False) for path in BODIES), *((path, True) for path in ENDS)])
def test_curl(bank: Gateway, path: str, *, tools: bool, stream: bool) -> None:
    body = {"model": "m", "stream": stream, **BODIES[path]}
    if not tools:
        body.pop("tools", None)
    told = curl(bank.url + path, body)
    assert ("hours" in told and "monday" in told) is tools
    if not stream:
        assert (ANSWER in told) is not tools
        json.loads(told)
    else:
        assert ENDS.get(path, "data: [DONE]") in told.rstrip().rpartition("\n\n")[2]
