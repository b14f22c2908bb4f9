"""Who may ask, and how often: keys come from the environment, are counted by their names, and are told to nobody."""

import signal
import time
from pathlib import Path

import httpx2 as httpx
from benchmarks.gateway.scripted import Scripted
from gateway_room import described, running

KEYS = {"ALOI_KEY_SHOP": "key-of-the-shop-000001", "ALOI_KEY_BANK": "key-of-the-bank-000002"}
NAMED = [{"name": "shop", "env": "ALOI_KEY_SHOP"}, {"name": "bank", "env": "ALOI_KEY_BANK"}]
STRANGE = "key-of-a-stranger-00003"


def asked(url: str, key: str) -> httpx.Response:
    body = {"model": "m", "messages": [{"role": "user", "content": "When do you open? plain"}]}
    return httpx.post(f"{url}/v1/chat/completions", json=body, headers={"Authorization": f"Bearer {key}"}, timeout=20)


def finish(url: str, key: str) -> str:
    return str(asked(url, key).json()["choices"][0]["finish_reason"])


def test_each_key_has_a_budget_of_its_own_that_outlives_a_reload(upstream: Scripted, tmp_path: Path) -> None:
    shop, bank = KEYS.values()
    description = described(upstream.port, ("request-limits",), keys=NAMED, record={"folder": "traffic"})
    description["remedy_options"] = {"request-limits": {"requests_per_minute": 2}}
    with running(tmp_path, description, environment=KEYS) as gateway:
        assert [finish(gateway.url, shop) for _ in range(3)] == ["stop", "stop", "content_filter"]
        assert finish(gateway.url, bank) == "stop"
        gateway.file.write_text(gateway.file.read_text() + "\n")
        gateway.process.send_signal(signal.SIGHUP)
        for _ in range(200):
            if "was read again" in gateway.said():
                break
            time.sleep(0.05)
        assert finish(gateway.url, shop) == "content_filter"
        assert finish(gateway.url, bank) == "stop"
        refused = asked(gateway.url, STRANGE)
        assert (refused.status_code, refused.json()["error"]["code"]) == (401, "unknown-key")
        headers = {"x-api-key": bank}
        told = refused.text + "".join(
            httpx.get(gateway.url + path, headers=headers).text for path in ("/aloi/status", "/aloi/metrics")
        )
        assert httpx.get(f"{gateway.url}/aloi/status").status_code == 401
        assert httpx.get(f"{gateway.url}/aloi/health").status_code == 200
    kept = "".join(file.read_text() for file in (tmp_path / "traffic").iterdir())
    assert '"key":"shop"' in kept
    sent = b"".join(head for head, _ in upstream.requests).decode("latin-1")
    for key in (shop, bank, STRANGE):
        assert key not in told + kept + sent + gateway.said()
