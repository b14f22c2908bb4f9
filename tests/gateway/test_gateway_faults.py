"""Whatever the upstream does, the client is told in its own protocol, and nothing that was not cleared reaches it."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest
from benchmarks.gateway.scripted import SECRET, Scripted
from gateway_room import Gateway, described, running

from aloi.solutions.limits.tokens import MOST

# Script: HTTP status and code of the error, for a whole answer and for a stream; None where it is answered. A stream
# that has begun tells its error as an event: 200 and the code.
TABLE: dict[str, tuple[tuple[int, str] | None, tuple[int, str] | None]] = {
    "plain": (None, None),
    "slow": (None, None),
    "split_letters": (None, None),
    "empty": (None, None),
    "telling": (None, None),
    "telling_slowly": (None, None),
    "hung": ((504, "upstream-timeout"), (504, "upstream-timeout")),
    "hung_midway": ((504, "upstream-timeout"), (200, "upstream-timeout")),
    "closed": ((502, "upstream-unreachable"), (502, "upstream-unreachable")),
    "cut": ((502, "upstream-cut"), (200, "upstream-cut")),
    "unfinished": ((502, "upstream-content-type"), (200, "upstream-cut")),
    "not_json": ((502, "upstream-malformed"), (502, "upstream-malformed")),
    "nothing": ((502, "upstream-malformed"), (502, "upstream-content-type")),
    "a_page": ((502, "upstream-content-type"), (502, "upstream-content-type")),
    "wrong_kind": ((502, "upstream-content-type"), (502, "upstream-content-type")),
    "packed": ((502, "upstream-encoded"), (502, "upstream-encoded")),
    "busy": ((429, "rate_limit_exceeded"), (429, "rate_limit_exceeded")),
    "broken": ((500, "upstream-http"), (500, "upstream-http")),
    "too_long": ((400, "context_length_exceeded"), (400, "context_length_exceeded")),
    "no_key": ((401, "upstream-http"), (401, "upstream-http")),  # it was the client's own
    "no_status": ((502, "upstream-http"), (502, "upstream-http")),
    "for_ever": ((429, "upstream-http"), (429, "upstream-http")),
    "uncounted": (None, None),
    "overcounted": (None, None),
    "odd_kind": ((502, "upstream-malformed"), (502, "upstream-content-type")),
    "elsewhere": ((502, "upstream-http"), (502, "upstream-http")),
    "gigantic": ((502, "upstream-too-large"), (200, "upstream-too-large")),
    "endless": ((502, "upstream-content-type"), (200, "upstream-too-large")),
    "a_long_event": ((502, "upstream-content-type"), (502, "upstream-too-large")),
    "an_error_within": ((502, "upstream-content-type"), (200, "upstream-error")),
    "headers": ((502, "upstream-malformed"), (502, "upstream-content-type")),
}
PATIENCE = 20.0


def asked(script: str, **more: object) -> dict[str, object]:
    return {"model": "m", "messages": [{"role": "user", "content": f"When do you open on Mondays? {script}"}], **more}


@pytest.fixture(scope="module")
def client(gateway: Gateway) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{gateway.url}/v1", timeout=PATIENCE) as it:
        yield it


def events(text: str) -> list[dict[str, object]]:
    datas = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]
    return [json.loads(data) for data in datas if data != "[DONE]"]


def code_of(told: dict[str, object]) -> str:
    error = told["error"]
    assert isinstance(error, dict)
    assert set(error) == {"message", "type", "param", "code"}
    assert error["message"]
    return str(error["code"])


@pytest.mark.parametrize("script", TABLE)
def test_a_whole_answer(client: httpx.Client, script: str) -> None:
    wanted = TABLE[script][0]
    began = time.monotonic()
    reply = client.post("/chat/completions", json=asked(script))
    assert time.monotonic() - began < PATIENCE / 2
    assert SECRET not in reply.text
    if wanted is None:
        assert reply.status_code == 200
        assert reply.json()["choices"][0]["finish_reason"] in {"stop", "content_filter"}
    else:
        assert (reply.status_code, code_of(reply.json())) == wanted


@pytest.mark.parametrize("script", TABLE)
def test_a_stream(client: httpx.Client, script: str) -> None:
    wanted = TABLE[script][1]
    reply = client.post("/chat/completions", json=asked(script, stream=True))
    assert SECRET not in reply.text
    if wanted is None:
        assert reply.status_code == 200
        assert reply.text.endswith("data: [DONE]\n\n")
        assert events(reply.text)[-1]["choices"][0]["finish_reason"] in {"stop", "content_filter"}  # type: ignore[index]
    elif wanted[0] == 200:
        assert reply.status_code == 200
        assert code_of(events(reply.text)[-1]) == wanted[1]
        assert "[DONE]" not in reply.text
    else:
        assert (reply.status_code, code_of(reply.json())) == wanted


def test_every_script_is_in_the_table() -> None:
    from benchmarks.gateway.faults import SCRIPTS

    assert set(SCRIPTS) == {*TABLE, "calling", "calling_by_secret"}


def test_who_is_told_to_wait_is_told_how_long(client: httpx.Client) -> None:
    assert client.post("/chat/completions", json=asked("busy")).headers["retry-after"] == "7"


def test_tokens_that_nobody_counted_are_none(client: httpx.Client) -> None:
    usage = client.post("/chat/completions", json=asked("uncounted")).json()["usage"]
    assert usage == {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


def test_tokens_that_no_counter_holds_are_as_many_as_one_can(client: httpx.Client) -> None:
    usage = client.post("/chat/completions", json=asked("overcounted")).json()["usage"]
    assert usage == {"prompt_tokens": MOST, "completion_tokens": MOST, "total_tokens": 2 * MOST}


# Vectors come whole, or their error does.
VECTORS = {
    "closed": (502, "upstream-unreachable"),
    "busy": (429, "rate_limit_exceeded"),
    "no_status": (502, "upstream-http"),
    "packed": (502, "upstream-encoded"),
    "odd_kind": (502, "upstream-malformed"),
    "cut": (502, "upstream-cut"),
    "hung_midway": (504, "upstream-timeout"),
    "gigantic": (502, "upstream-too-large"),
    "plain": (502, "upstream-malformed"),
    "telling": (502, "upstream-malformed"),
}


@pytest.mark.parametrize("script", VECTORS)
def test_an_answer_that_is_no_vector(client: httpx.Client, gateway: Gateway, script: str) -> None:
    reply = client.post("/embeddings", json={"model": "m", "input": script})
    assert (reply.status_code, code_of(reply.json())) == VECTORS[script]
    assert SECRET not in reply.text
    assert "Traceback" not in gateway.said()


# So do counts.
COUNTS = VECTORS | {"broken": (500, "upstream-http"), "nothing": (502, "upstream-malformed")}


@pytest.mark.parametrize("script", COUNTS)
@pytest.mark.parametrize("path", ["/messages/count_tokens", "/responses/input_tokens"])
def test_an_answer_that_is_no_count(client: httpx.Client, gateway: Gateway, path: str, script: str) -> None:
    asks = {"input": f"When do you open? {script}"} if path.startswith("/resp") else asked(script)
    reply = client.post(path, json={"model": "m", **asks})
    assert (reply.status_code, reply.json()["error"]["code"]) == COUNTS[script]
    assert SECRET not in reply.text
    assert "Traceback" not in gateway.said()


def test_a_key_of_ours_that_is_refused_is_no_fault_of_the_clients(upstream: Scripted, tmp_path: Path) -> None:
    description = described(upstream.port)
    description["target"]["api_key_env"] = "MODEL_KEY"
    with running(tmp_path, description, environment={"MODEL_KEY": "sk-of-the-gateway"}) as gateway:
        reply = httpx.post(f"{gateway.url}/v1/chat/completions", json=asked("no_key"))
    assert (reply.status_code, code_of(reply.json())) == (502, "upstream-http")


def test_letters_that_were_cut_come_whole(client: httpx.Client) -> None:
    reply = client.post("/chat/completions", json=asked("split_letters", stream=True))
    said = "".join(one["choices"][0]["delta"].get("content") or "" for one in events(reply.text))  # type: ignore[index]
    assert said == "Déjà vu, à bientôt — 日本."


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("tools", [[], [{"type": "function", "function": {"name": "hours"}}]])
def test_no_name_of_a_call_tells_what_was_withheld(
    client: httpx.Client, tools: list[dict[str, object]], *, stream: bool
) -> None:
    offered = {"tools": tools} if tools else {}
    reply = client.post("/chat/completions", json=asked("calling_by_secret", stream=stream, **offered))
    assert reply.status_code == 200
    assert "own-secret-" in reply.text
    assert SECRET not in reply.text


@pytest.mark.parametrize("script", ["telling", "telling_slowly"])
def test_not_a_letter_of_a_secret_is_streamed(client: httpx.Client, script: str) -> None:
    reply = client.post("/chat/completions", json=asked(script, stream=True))
    said = "".join(one["choices"][0]["delta"].get("content") or "" for one in events(reply.text))  # type: ignore[index]
    assert said.startswith("The code of the vault is ")
    assert SECRET[:3] not in said
    assert "but tell nobody" in said


def test_no_request_follows_a_redirection(client: httpx.Client, upstream: Scripted) -> None:
    before = len(upstream.requests)
    client.post("/chat/completions", json=asked("elsewhere"))
    assert len(upstream.requests) == before + 1
