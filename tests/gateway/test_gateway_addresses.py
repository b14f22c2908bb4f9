"""No address of the gateway is without its hostile rows: what each answers to what no client should send."""

import gzip

import httpx2 as httpx
import pytest
from gateway_room import Gateway

from aloi.solutions.gateway import endpoints
from aloi.solutions.gateway.app import OWN
from aloi.solutions.gateway.endpoints import PASSED

SPOKEN = (
    "/v1/chat/completions",
    "/v1/completions",
    "/v1/embeddings",
    "/v1/messages",
    "/v1/messages/count_tokens",
    "/v1/responses",
    "/v1/responses/input_tokens",
)
READ = ("/aloi/health", "/aloi/metrics", "/aloi/status", "/v1/models")
BODIES = {
    "nothing": (b"", 400),
    "no JSON": (b'{"model":', 400),
    "another kind": (b'["model"]', 400),
    "deep": (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, 400),
    "not unicode": (b'{"model":"\xff\xfe"}', 400),
    "half a pair": (b'{"model":"m","input":"\\ud800","prompt":"\\ud800","messages":[]}', 400),
    "a name twice": (b'{"model":"m","model":"other"}', 400),
    "a huge number": (b'{"model":' + b"9" * 5_000 + b"}", 400),
    "oversized": (b'{"model":"' + b"m" * 300_000 + b'"}', 413),
}


def test_no_address_is_without_its_rows() -> None:
    assert set(READ) == {*OWN, *PASSED}
    classes = (each for each in vars(endpoints).values() if isinstance(each, type) and hasattr(each, "path"))
    assert {each.path for each in classes} == set(SPOKEN)


@pytest.mark.parametrize("path", [*SPOKEN, *READ])
def test_another_method_or_place_is_refused(gateway: Gateway, path: str) -> None:
    method = "PUT" if path in SPOKEN else "DELETE"
    asked = {
        (method, path): (405, "method"),
        (method, f"{path}/x/y/z"): (404, "not-found"),
        ("GET", f"{path}/%2e%2e/%2e%2e/etc/passwd"): (404, "not-found"),
        ("GET", f"{path}%00"): (404, "not-found"),
        ("GET", f"{path}\N{LATIN SMALL LETTER E WITH ACUTE}"): (404, "not-found"),
        ("GET", path + "/" + "9" * 4_000): (404, "not-found"),
    }
    for (verb, at), (status, code) in asked.items():
        answer = httpx.request(verb, gateway.url + at, timeout=20)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), (verb, at)


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("path", SPOKEN)
def test_a_body_that_no_client_sends_is_refused(gateway: Gateway, path: str, name: str) -> None:
    body, status = BODIES[name]
    answer = httpx.post(gateway.url + path, content=body, headers={"Content-Type": "application/json"}, timeout=20)
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]


@pytest.mark.parametrize("path", SPOKEN)
def test_a_packed_body_is_refused(gateway: Gateway, path: str) -> None:
    answer = httpx.post(gateway.url + path, content=gzip.compress(b"{}"), headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 415
