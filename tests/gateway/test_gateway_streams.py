"""An answer reaches the client while it is made, as far as it is cleared."""

import asyncio
import json
import threading

import httpx2 as httpx
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
