"""An answer reaches the client while it is made, as far as it is cleared."""

import asyncio
import json
import threading

import httpx2 as httpx
import pytest
from benchmarks.gateway.scripted import Playing, Scripted, delta
from gateway_room import described, running

FIRST = "We open at nine on weekdays, at ten on Saturdays, not at all on Sundays, and "


def test_text_comes_before_the_answer_ends(tmp_path):
    seen = threading.Event()

    async def halting(it: Playing) -> None:
        """The rest comes when the client has seen the beginning."""
        await it.begin()
        await it.chunk(delta({"content": FIRST}))
        await asyncio.to_thread(seen.wait, 60)
        await it.chunk(delta({"content": "close at five."}))
        await it.chunk(delta({}, "stop") + b"data: [DONE]\n\n")
        await it.chunk(b"")

    body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "When do you open?"}]}
    said = ""
    with Scripted({}, otherwise=halting) as upstream, running(tmp_path, described(upstream.port)) as gateway:
        url = f"{gateway.url}/v1/chat/completions"
        with httpx.Client(timeout=60) as client, client.stream("POST", url, json=body) as reply:
            for line in reply.iter_lines():
                if line.startswith("data: {"):
                    said += json.loads(line.removeprefix("data: "))["choices"][0]["delta"].get("content") or ""
                if "We open at nine" in said:
                    seen.set()
    assert said == f"{FIRST}close at five."


WORDS = "word " * 1_200_000  # 6 MB: more than was once allowed whatever the policy said
ARGUMENTS = '{"text": "' + "x" * 2_000_000 + '"}'


async def long_in_pieces(it: Playing) -> None:
    await it.say(*[WORDS[i : i + 60_000] for i in range(0, len(WORDS), 60_000)])


async def long_in_one(it: Playing) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "write", "arguments": ARGUMENTS}}
    await it.say("", finish="tool_calls", calls=[call])


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("allowed", "status"), [(12_000_000, 200), (5_000_000, 502)])
def test_the_limit_of_the_policy_is_the_only_one(tmp_path, allowed, status, stream):
    limits = {"answer_bytes": allowed, "seconds": 120, "silence": 60}
    with Scripted({"pieces": long_in_pieces, "one": long_in_one}) as upstream:
        description = described(upstream.port, ("injection-screen",), limits=limits)
        with running(tmp_path, description) as gateway, httpx.Client(base_url=gateway.url, timeout=120) as client:
            body = {"model": "m", "stream": stream, "messages": [{"role": "user", "content": "Hello, pieces"}]}
            reply = client.post("/v1/chat/completions", json=body)
            if status == 200:
                assert reply.text.count("word ") == 1_200_000
            else:
                assert '"code":"upstream-too-large"' in reply.text
            assert reply.status_code == (200 if stream else status)
            body["messages"] = [{"role": "user", "content": "Hello, one"}]
            assert ARGUMENTS[:50].replace('"', '\\"') in client.post("/v1/chat/completions", json=body).text
            assert "Traceback" not in gateway.said()
