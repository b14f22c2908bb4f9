"""How a gateway lives: with nothing between, with a policy that is read again, and to its end."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from http.client import HTTPConnection
from pathlib import Path
from threading import Event, Thread

import httpx2 as httpx
import pytest
import yaml
from benchmarks.gateway.scripted import SECRET, Playing, Scripted, delta
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
    assert sum((Counter(one.counts) for one in kept if isinstance(one, Counted)), Counter()) == {"error": 2}


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


class Opened:
    """An upstream that nobody asks."""

    async def __aenter__(self) -> tuple[str, str]:
        return "http://127.0.0.1:9/v1", ""

    async def __aexit__(self, *_: object) -> None: ...


@asynccontextmanager
async def living(gateway: Gateway) -> AsyncIterator[None]:
    """It lives for so long."""
    asked_to: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    answers: asyncio.Queue[object] = asyncio.Queue()
    asked_to.put_nowait({"type": "lifespan.startup"})
    life = asyncio.create_task(gateway({"type": "lifespan"}, asked_to.get, answers.put))
    assert await answers.get() == {"type": "lifespan.startup.complete"}
    yield
    asked_to.put_nowait({"type": "lifespan.shutdown"})
    await life


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

    gateway = Gateway(policy, Keys({}), Opened, endpoints, Unkept(), load=load, told=told.append)
    async with living(gateway):
        await asyncio.gather(gateway.reload(), gateway.reload())
    assert [one.refusal for one in told if isinstance(one, Policy)] == ["read first", "read last"]


FAULTS = {
    "a bug": ZeroDivisionError("division by zero"),
    "too deep": RecursionError("maximum recursion depth exceeded"),
    "no memory": MemoryError(),
    "an end of nothing": StopIteration(),
    "a guard that ends the process": SystemExit(3),
    "a policy that cannot be run": None,
}


@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_in_reading_a_policy_again_changes_nothing_and_is_told(
    tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "system.yaml"
    file.write_text(yaml.safe_dump(described(9)))
    policy, told = read_policy(file), list[Policy | AloiError]()
    loads = iter([FAULTS[name], replace(policy, guard_set="sha256:next")])

    def load() -> Policy:
        if isinstance(one := next(loads), Policy):
            return one
        if one is None:
            return replace(policy, guard_set="sha256:other", serving=None)  # type: ignore[arg-type]  # on purpose
        raise one

    gateway = Gateway(policy, Keys({}), Opened, endpoints, Unkept(), load=load, told=told.append)
    async with living(gateway):
        before = (gateway._running.behind, gateway._running.dialects, gateway._running.edition)
        await asyncio.wait_for(gateway.reload(), 20)
        assert (gateway._running.behind, gateway._running.dialects, gateway._running.edition) == before
        counted = gateway._running.metrics.text().decode()
        assert 'aloi_gateway_reloads_total{outcome="refused"} 1.0' in counted
        assert policy.guard_set in counted
        assert [getattr(one, "kind", "") for one in told] == ["internal"]
        assert [one.exc_info is not None for one in caplog.records if one.name == "aloi"] == [True]
        await asyncio.wait_for(gateway.reload(), 20)
        assert gateway._running.policy.guard_set == "sha256:next"
        assert 'aloi_gateway_reloads_total{outcome="taken"} 1.0' in gateway._running.metrics.text().decode()
    assert told[1:] == [replace(policy, guard_set="sha256:next")]


def test_a_fault_that_nobody_foresaw_is_told_and_the_process_serves_on(upstream: Scripted, tmp_path: Path) -> None:
    hook = tmp_path / "hook"
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(BREAKS.format(flag=str(tmp_path / "breaks")))
    environment = {"PYTHONPATH": str(hook)}
    with running(tmp_path, described(upstream.port), environment=environment) as gateway:
        before = httpx.get(f"{gateway.url}/aloi/status").json()["guard_set"]
        (tmp_path / "breaks").touch()
        gateway.process.send_signal(signal.SIGHUP)
        wait_for(gateway.said, "the gateway has failed at this request")
        assert "the one that runs goes on" in gateway.said()
        assert "MemoryError: the file is too large" in gateway.said()
        assert "never retrieved" not in gateway.said()
        status = httpx.get(f"{gateway.url}/aloi/status").json()
        assert status["guard_set"] == before
        assert 'aloi_gateway_reloads_total{outcome="refused"} 1.0' in httpx.get(f"{gateway.url}/aloi/metrics").text
        (tmp_path / "breaks").unlink()
        gateway.file.write_text(yaml.safe_dump(described(upstream.port, ("output-budget",))))
        gateway.process.send_signal(signal.SIGHUP)
        wait_for(gateway.said, "was read again")
        assert httpx.get(f"{gateway.url}/aloi/status").json()["guard_set"] != before


# Reading YAML fails as long as the file is there.
BREAKS = """
import os, yaml
was = yaml.SafeLoader.get_single_node
def broken(self):
    if os.path.exists({flag!r}):
        raise MemoryError("the file is too large")
    return was(self)
yaml.SafeLoader.get_single_node = broken
"""


def wait_for(said: Callable[[], str], words: str) -> None:
    for _ in range(200):
        if words in said():
            return
        time.sleep(0.05)
    pytest.fail(said())


async def halting(it: Playing, seen: Event) -> None:
    """Tells the secret when it is let go on."""
    if not it.streams:
        await it.say(f"It is {SECRET}.")
        return
    await it.begin()
    await it.chunk(delta({"content": "We open at nine on weekdays, and the code is "}))
    await asyncio.to_thread(seen.wait, 60)
    await it.chunk(delta({"content": f"{SECRET}, as you know."}))
    await it.chunk(delta({}, "stop") + b"data: [DONE]\n\n")
    await it.chunk(b"")


def test_a_reload_drops_no_connection_and_what_is_under_way_ends_as_it_began(tmp_path: Path) -> None:
    seen, streamed = Event(), b""
    with (
        Scripted({}, otherwise=lambda it: halting(it, seen)) as served,
        running(tmp_path, described(served.port, ("secret-filter",))) as gateway,
        closing(HTTPConnection("127.0.0.1", gateway.port, timeout=60)) as kept,
        closing(HTTPConnection("127.0.0.1", gateway.port, timeout=60)) as under_way,
    ):

        def answer() -> str:
            kept.request("POST", "/v1/chat/completions", json.dumps(asked("now")))
            reply = kept.getresponse()
            assert reply.status == 200
            return reply.read().decode()

        assert SECRET not in answer()
        connections = [kept.sock]
        under_way.request("POST", "/v1/chat/completions", json.dumps(asked("now", stream=True)))
        reply = under_way.getresponse()
        while b"nine" not in streamed:
            streamed += reply.read1()
        gateway.file.write_text(yaml.safe_dump(described(served.port, ("output-budget",))))
        gateway.process.send_signal(signal.SIGHUP)
        while "was read again" not in gateway.said():
            time.sleep(0.05)
        assert SECRET in answer()  # the filter is gone from what begins now
        seen.set()
        streamed += reply.read()
        assert [kept.sock] == connections
    assert streamed.endswith(b"data: [DONE]\n\n")
    events = [json.loads(line[6:]) for line in streamed.decode().splitlines() if line.startswith("data: {")]
    said = "".join(one["choices"][0]["delta"].get("content") or "" for one in events)
    assert said.endswith(", as you know.")
    assert SECRET.encode() not in streamed


def test_a_guard_that_nobody_knows_starts_nothing_and_is_not_taken_in(upstream: Scripted, tmp_path: Path) -> None:
    unknown = described(upstream.port, ("secret-filter", "secret-filtre"))
    with running(tmp_path, described(upstream.port)) as gateway:
        before = httpx.get(f"{gateway.url}/aloi/status").json()["guard_set"]
        gateway.file.write_text(yaml.safe_dump(unknown))
        gateway.process.send_signal(signal.SIGHUP)
        while "the one that runs goes on" not in gateway.said():
            time.sleep(0.05)
        assert "secret-filtre" in gateway.said()
        assert httpx.get(f"{gateway.url}/aloi/status").json()["guard_set"] == before
    file = tmp_path / "unknown.yaml"
    file.write_text(yaml.safe_dump(unknown))
    command = [sys.executable, "-m", "aloi.cli.main", "gateway", str(file), "--listen", "127.0.0.1:0"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert "secret-filtre" in ended.stderr
    assert not ended.stdout
