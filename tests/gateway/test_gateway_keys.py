"""Who may ask: keys from the environment, each with a budget of its own, shown nowhere."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest
import yaml
from benchmarks.gateway.faults import SCRIPTS
from benchmarks.gateway.scripted import Scripted
from gateway_room import Gateway, described, running

KEYS = {"APP_KEY": "a" * 12 + "MANDOLIN", "JOB_KEY": "b" * 12 + "BASSOON"}
UPSTREAM_KEY = "upstream-OBOE-key"
NAMED = [{"name": "app", "env": "APP_KEY"}, {"name": "job", "env": "JOB_KEY"}]
BODY = {"model": "m", "messages": [{"role": "user", "content": "When do you open on Mondays? plain"}]}


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gateway, Scripted]]:
    folder = tmp_path_factory.mktemp("keyed")
    with Scripted(SCRIPTS) as upstream:
        description = described(upstream.port, ("request-limits",), keys=NAMED, record={"folder": "traffic"})
        description["target"]["api_key_env"] = "MODEL_KEY"
        description["remedy_options"] = {"request-limits": {"requests_per_minute": 5}}
        with running(folder, description, environment={**KEYS, "MODEL_KEY": UPSTREAM_KEY}) as gateway:
            yield gateway, upstream


def asked(gateway: Gateway, **headers: str) -> httpx.Response:
    return httpx.post(f"{gateway.url}/v1/chat/completions", json=BODY, headers=headers, timeout=30)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer"},
        {"authorization": "Bearer wrong-key-of-enough-length"},
        {"authorization": f"Basic {KEYS['APP_KEY']}"},
        {"authorization": f"Bearer {KEYS['APP_KEY'][:-1]}"},
        {"authorization": f"Bearer {KEYS['APP_KEY'].lower()}"},
        {"x-api-key": UPSTREAM_KEY},
    ],
)
def test_without_a_key_nobody_is_answered(keyed: tuple[Gateway, Scripted], headers: dict[str, str]) -> None:
    gateway, upstream = keyed
    before = len(upstream.requests)
    told = asked(gateway, **headers)
    assert told.status_code == 401
    assert told.json()["error"]["code"] == "unknown-key"
    assert len(upstream.requests) == before


@pytest.mark.parametrize("path", ["/aloi/status", "/aloi/metrics", "/v1/models"])
def test_what_the_gateway_tells_of_itself_needs_a_key_too(keyed: tuple[Gateway, Scripted], path: str) -> None:
    gateway, _ = keyed
    assert httpx.get(gateway.url + path).status_code == 401
    assert httpx.get(gateway.url + path, headers={"x-api-key": KEYS["APP_KEY"]}).status_code == 200
    assert httpx.get(f"{gateway.url}/aloi/health").status_code == 200


def test_each_key_has_a_budget_of_its_own(keyed: tuple[Gateway, Scripted]) -> None:
    gateway, upstream = keyed
    before = len(upstream.requests)
    finishes = [
        asked(gateway, authorization=f"Bearer {KEYS['APP_KEY']}").json()["choices"][0]["finish_reason"]
        for _ in range(8)
    ]
    assert finishes[:5] == ["stop"] * 5
    assert "content_filter" in finishes[5:]
    assert len(upstream.requests) - before < 8
    other = asked(gateway, **{"x-api-key": KEYS["JOB_KEY"]})
    assert other.json()["choices"][0]["finish_reason"] == "stop"


def test_the_upstream_sees_its_own_key_and_nothing_shows_any(keyed: tuple[Gateway, Scripted]) -> None:
    gateway, upstream = keyed
    asked(gateway, **{"x-api-key": KEYS["JOB_KEY"]})
    assert f"Bearer {UPSTREAM_KEY}".encode() in upstream.requests[-1][0]
    shown = gateway.said()
    for path in ("/aloi/status", "/aloi/metrics"):
        shown += httpx.get(gateway.url + path, headers={"x-api-key": KEYS["APP_KEY"]}).text
    for file in (gateway.file.parent / "traffic").iterdir():
        shown += file.read_text()
    sent = b"".join(head for head, _ in upstream.requests).decode()
    for key in KEYS.values():
        assert key not in shown
        assert key not in sent
    assert UPSTREAM_KEY not in shown


FAULTS = {
    "not set": ({}, "APP_KEY"),
    "short": ({"APP_KEY": "short", "JOB_KEY": KEYS["JOB_KEY"]}, "APP_KEY"),
    "of two lines": ({"APP_KEY": "a" * 20 + "\n" + "b" * 20, "JOB_KEY": KEYS["JOB_KEY"]}, "APP_KEY"),
    "twice": ({"APP_KEY": KEYS["APP_KEY"], "JOB_KEY": KEYS["APP_KEY"]}, "JOB_KEY"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_key_that_cannot_be_is_told_by_its_variable(tmp_path: Path, name: str) -> None:
    environment, variable = FAULTS[name]
    file = tmp_path / "system.yaml"
    file.write_text(yaml.safe_dump(described(1, keys=NAMED)))
    command = [sys.executable, "-m", "aloi.cli.main", "gateway", str(file), "--listen", "127.0.0.1:0", "--json"]
    clean = {key: value for key, value in os.environ.items() if key not in KEYS}
    ended = subprocess.run(
        command, capture_output=True, text=True, env={**clean, **environment}, timeout=60, check=False
    )
    assert ended.returncode == 2
    told = json.loads(ended.stdout)["message"]
    assert variable in told[0]
    assert not any(value in ended.stdout + ended.stderr for value in environment.values())


def test_without_keys_it_listens_at_this_machine_only(tmp_path: Path) -> None:
    file = tmp_path / "system.yaml"
    file.write_text(yaml.safe_dump(described(1)))
    command = [sys.executable, "-m", "aloi.cli.main", "gateway", str(file), "--listen", "0.0.0.0:0"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert "gateway.keys" in ended.stderr
