"""How a gateway lives: with nothing between, with a policy that is read again, and to its end."""

import asyncio
import signal
import socket
import time
from pathlib import Path
from threading import Event, Thread

import httpx2 as httpx
import pytest
import yaml
from benchmarks.gateway.scripted import Scripted
from gateway_room import described, running
from msgspec.structs import replace

from aloi.assurance.gatekeeping import read_policy
from aloi.errors import AloiError
from aloi.solutions.gateway.app import Gateway
from aloi.solutions.gateway.endpoints import endpoints
from aloi.solutions.gateway.journal import read
from aloi.solutions.gateway.keeping import Unkept
from aloi.solutions.gateway.kept import Counted, Decided, Kept
from aloi.solutions.gateway.keys import Keys
from aloi.solutions.gateway.policy import Policy

LIMITS = {"answer_bytes": 1_000_000, "seconds": 60, "silence": 60}


def asked(script: str, **more: object) -> dict[str, object]:
    return {"model": "m", "messages": [{"role": "user", "content": f"When do you open? {script}"}], **more}


def test_an_answer_that_breaks_off_with_nothing_between_is_cut_and_told_by_its_code(
    upstream: Scripted, tmp_path: Path
) -> None:
    description = described(upstream.port, (), limits=LIMITS, prompt="leave", record={"folder": "traffic"})
    with running(tmp_path, description) as gateway:
        for script in ("endless", "cut"):
            with pytest.raises(httpx.RemoteProtocolError):
                httpx.post(f"{gateway.url}/v1/chat/completions", json=asked(script, stream=True), timeout=20)
        assert "Traceback" not in gateway.said()
    kept: list[Kept] = []
    read(tmp_path / "traffic", kept.append)
    assert [one.error for one in kept if isinstance(one, Decided)] == ["upstream-too-large", "upstream-cut"]


def test_what_is_under_way_when_it_must_end_is_told_so_and_kept(upstream: Scripted, tmp_path: Path) -> None:
    said: dict[str, bytes] = {}

    def ask(port: int, name: str, script: str, *, stream: bool) -> None:
        body = httpx.Request("POST", "http://x", json=asked(script, stream=stream)).read()
        with socket.create_connection(("127.0.0.1", port), timeout=40) as connection:
            head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
            connection.sendall(head % len(body) + body)
            while more := connection.recv(65_536):
                said[name] = said.get(name, b"") + more

    description = described(upstream.port, limits=LIMITS, record={"folder": "traffic"})
    with running(tmp_path, description) as gateway:
        whole = Thread(target=ask, args=(gateway.port, "whole", "hung"), kwargs={"stream": False})
        streamed = Thread(target=ask, args=(gateway.port, "streamed", "hung_midway"), kwargs={"stream": True})
        whole.start()
        streamed.start()
        while httpx.get(f"{gateway.url}/aloi/status").json()["under_way"] < 2 or "streamed" not in said:
            time.sleep(0.05)
        began = time.monotonic()
        gateway.process.send_signal(signal.SIGTERM)
        assert gateway.process.wait(30) == 0
        assert time.monotonic() - began < 15
        whole.join(5)
        streamed.join(5)
        assert "Traceback" not in gateway.said()
    assert said["whole"].startswith(b"HTTP/1.1 503 ")
    assert b'"code":"ending"' in said["whole"]
    assert b"We open at nine" in said["streamed"]
    assert said["streamed"].endswith(b'"code":"ending"}}\n\n\r\n0\r\n\r\n')
    kept: list[Kept] = []
    read(tmp_path / "traffic", kept.append)
    assert [one.error for one in kept if isinstance(one, Decided)] == ["ending", "ending"]
    assert [one.counts for one in kept if isinstance(one, Counted)] == [{"error": 2}]


def test_a_choice_to_fail_open_is_said_again_when_the_policy_is_read_again(upstream: Scripted, tmp_path: Path) -> None:
    with running(tmp_path, described(upstream.port)) as gateway:
        assert "fail_open" not in gateway.said()
        gateway.file.write_text(yaml.safe_dump(described(upstream.port, fail_open=True)))
        gateway.process.send_signal(signal.SIGHUP)
        for _ in range(200):
            if "fail_open is set" in gateway.said():
                return
            time.sleep(0.05)
        pytest.fail(gateway.said())


async def test_of_two_policies_the_one_that_was_read_last_runs(tmp_path: Path) -> None:
    file = tmp_path / "system.yaml"
    file.write_text(yaml.safe_dump(described(9)))
    policy, told, second = read_policy(file), list[Policy | AloiError](), Event()
    said = iter(["read first", "read last"])

    def load() -> Policy:
        words = next(said)
        if words == "read first":
            second.wait(0.3)
        else:
            second.set()
        return replace(policy, refusal=words)

    class Opened:
        async def __aenter__(self) -> tuple[str, str]:
            return "http://127.0.0.1:9/v1", ""

        async def __aexit__(self, *_: object) -> None: ...

    gateway = Gateway(policy, Keys({}), Opened, endpoints, Unkept(), load=load, told=told.append)
    asked_to: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    answers: asyncio.Queue[object] = asyncio.Queue()
    asked_to.put_nowait({"type": "lifespan.startup"})
    living = asyncio.create_task(gateway({"type": "lifespan"}, asked_to.get, answers.put))
    assert await answers.get() == {"type": "lifespan.startup.complete"}
    await asyncio.gather(gateway.reload(), gateway.reload())
    asked_to.put_nowait({"type": "lifespan.shutdown"})
    await living
    assert [one.refusal for one in told if isinstance(one, Policy)] == ["read first", "read last"]
