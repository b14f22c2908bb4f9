"""From a request at the gateway to a signed statement: what a real process decided is what is counted."""

import json
import signal
import time

import httpx2 as httpx
import pytest
from benchmarks.gateway.scripted import SECRET, Playing, Scripted
from gateway_room import described, not_started, running

from aloi.solutions.gateway.journal import read
from aloi.solutions.gateway.kept import Counted, Decided, Guards, Sampled
from cli.command import aloi

LEAK = f"The code is {SECRET}."


async def leaking(it: Playing) -> None:
    asked = str(it.body["messages"][-1]["content"])
    await it.say(LEAK if "code" in asked else "We open at nine.")


@pytest.fixture(scope="module")
def upstream():
    with Scripted({}, otherwise=leaking) as served:
        yield served


def ask(gateway, text):
    asked = {"model": "m", "messages": [{"role": "user", "content": text}]}
    answered = httpx.post(f"{gateway.url}/v1/chat/completions", json=asked, timeout=30)
    assert answered.status_code == 200, answered.text
    assert SECRET not in answered.text
    return answered.headers["x-aloi-request"], answered.headers["x-aloi-outcome"]


def lines(folder):
    found = []
    read(folder, found.append)
    return found


def test_two_processes_of_which_one_is_killed_give_one_statement(upstream, tmp_path):
    system = described(upstream.port, ("secret-filter", "link-policy"), record={"folder": "kept", "benign": 1.0})
    with running(tmp_path, system) as gateway:
        told = dict(ask(gateway, text) for text in ["the code?", "hours?", "the code, please", "hours?", "hours?"])
    assert sorted(told.values()) == ["answered", "answered", "answered", "changed", "changed"]
    with running(tmp_path, system) as gateway:
        lost, _ = ask(gateway, "the code?")
        gateway.process.send_signal(signal.SIGKILL)
        gateway.process.wait(30)
    kept = lines(tmp_path / "kept")
    assert {one.id for one in kept if isinstance(one, Decided)} == {
        lost,
        *(i for i, was in told.items() if was != "answered"),
    }
    assert {one.id for one in kept if isinstance(one, Sampled)} >= {i for i, was in told.items() if was == "answered"}
    assert sum(isinstance(one, Guards) for one in kept) == 2
    text = b"".join(path.read_bytes() for path in (tmp_path / "kept").iterdir()).decode()
    assert SECRET not in text
    assert "hours" not in text

    said = aloi("measure", "system.yaml", "--traffic", "kept", "--json", home=tmp_path)
    assert said.code == 0, said.err
    (one,) = json.loads(said.out)["monitoring"]
    seen = one["finding"]
    assert seen["exchanges"] == {"answered": 3, "changed": 2}
    assert seen["uncounted"] == 1
    assert [remedy["name"] for remedy in seen["remedies"]] == ["secret-filter", "link-policy"]
    assert [(act["guard"], act["action"], act["rate"]["failures"]) for act in seen["acts"]] == [
        ("secret-filter", "rewrite", 2)
    ]
    assert sum(count for line in kept if isinstance(line, Counted) for count in line.took.values()) == 5
    bundle = json.loads(said.out)["bundle"]
    checked = aloi("verify", bundle, home=tmp_path)
    assert checked.code == 0, checked.err
    assert "watched   banque" in checked.out


def test_a_gateway_that_is_killed_within_its_first_minute_is_measured(upstream, tmp_path):
    with running(tmp_path, described(upstream.port, ("secret-filter",), record={"folder": "kept"})) as gateway:
        ask(gateway, "the code?")
        for _ in range(400):
            if any(isinstance(one, Counted) for one in lines(tmp_path / "kept")):
                break
            time.sleep(0.05)
        ask(gateway, "the code, please")
        gateway.process.send_signal(signal.SIGKILL)
        gateway.process.wait(30)
    said = aloi("measure", "system.yaml", "--traffic", "kept", "--json", home=tmp_path)
    assert said.code == 0, said.err
    (one,) = json.loads(said.out)["monitoring"]
    assert one["finding"]["exchanges"] == {"changed": 1}
    assert one["finding"]["uncounted"] == 1
    assert "uncounted" in one["finding"]["unsaid"]


def test_one_folder_is_of_one_gateway(upstream, tmp_path):
    system = described(upstream.port, ("secret-filter",), record={"folder": "kept"})
    with running(tmp_path, system) as gateway:
        ask(gateway, "hours?")
        other = tmp_path / "other"
        other.mkdir()
        elsewhere = described(upstream.port, ("secret-filter",), record={"folder": "../kept"})
        code, said = not_started(other, elsewhere)
        assert code == 2
        assert "in use by another gateway" in said
        assert "Traceback" not in said
        ask(gateway, "the code?")
