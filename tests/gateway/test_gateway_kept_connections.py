"""A connection that the upstream closes just when it is used again is nobody's fault."""

from pathlib import Path

import httpx2 as httpx
from benchmarks.gateway.scripted import ANSWER, Playing, Scripted
from gateway_room import described, running


class Closing:
    """Closes the connection on so many questions before it answers."""

    def __init__(self, times: int) -> None:
        self.left = times

    async def __call__(self, it: Playing) -> None:
        self.left -= 1
        if self.left >= 0:
            raise ConnectionResetError
        await it.say(ANSWER)


async def plain(it: Playing) -> None:
    await it.say(ANSWER)


def asked(url: str, script: str, *, stream: bool = False) -> httpx.Response:
    messages = [{"role": "user", "content": f"When do you open? {script}"}]
    body = {"model": "m", "messages": messages, "stream": stream}
    return httpx.post(f"{url}/v1/chat/completions", json=body, timeout=20)


def test_it_is_asked_again_on_a_new_one(tmp_path: Path) -> None:
    scripts = {"plain": plain, "whole": Closing(1), "streamed": Closing(1)}
    with Scripted(scripts) as upstream, running(tmp_path, described(upstream.port)) as gateway:
        for script, stream in (("whole", False), ("streamed", True)):
            assert asked(gateway.url, "plain").status_code == 200
            assert asked(gateway.url, script, stream=stream).status_code == 200


def test_it_is_asked_again_once(tmp_path: Path) -> None:
    with (
        Scripted({"plain": plain, "closed": Closing(9)}) as upstream,
        running(tmp_path, described(upstream.port)) as gateway,
    ):
        asked(gateway.url, "plain")
        assert asked(gateway.url, "closed").json()["error"]["code"] == "upstream-unreachable"
        assert len(upstream.requests) == 3


def test_a_new_connection_that_is_closed_is_an_answer(tmp_path: Path) -> None:
    with (
        Scripted({"closed": Closing(9)}) as upstream,
        running(tmp_path, described(upstream.port)) as gateway,
    ):
        assert asked(gateway.url, "closed").json()["error"]["code"] == "upstream-unreachable"
        assert len(upstream.requests) == 1
