"""Budgets outlive the process, whatever ends it, and where they cannot be kept nobody spends."""

import asyncio
import json
import os
import resource
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import httpx2 as httpx
import pytest
import yaml
from benchmarks.gateway.faults import SCRIPTS
from benchmarks.gateway.scripted import Scripted
from gateway_room import LIMITS, Gateway, described, not_started, running

from aloi.errors import AloiError, AskerError, EvidenceError
from aloi.solutions.gateway.budgets import FILE, Budgets
from aloi.solutions.gateway.failures import Failed
from aloi.solutions.limits.machine import DAY, RequestLimits
from aloi.solutions.limits.options import RequestLimitsOptions
from aloi.solutions.limits.target import LimitedTarget
from aloi.system.messages import Message, Request, Response

KEYS = {"KEY_A": "a" * 20, "KEY_B": "b" * 20}
NOON = 20_000 * DAY + DAY / 2


def budgeted(port: int, folder: str = "traffic", **limits: Any) -> dict[str, Any]:
    keys = [{"name": "a", "env": "KEY_A"}, {"name": "b", "env": "KEY_B"}]
    description = described(port, ("request-limits",), limits=LIMITS, keys=keys, record={"folder": folder})
    options = {"day_tokens": 100, "answer_tokens": 20, **limits}
    return description | {"remedy_options": {"request-limits": options}}


def ask(gateway: Gateway, key: str = "KEY_A", script: str = "plain") -> httpx.Response:
    body = {"model": "m", "messages": [{"role": "user", "content": script}]}
    headers = {"Authorization": f"Bearer {KEYS[key]}"}
    return httpx.post(f"{gateway.url}/v1/chat/completions", json=body, headers=headers, timeout=20)


def left_alone(gateway: Gateway) -> None:
    """Ask what is never answered."""
    with pytest.raises(httpx.HTTPError):
        ask(gateway, script="hung")


def spend(gateway: Gateway, key: str = "KEY_A") -> int:
    """How many requests are answered until the budget is spent."""
    for answered in range(20):
        reply = ask(gateway, key)
        assert reply.status_code == 200
        if reply.headers["x-aloi-outcome"] == "blocked":
            return answered
    pytest.fail("the budget has no end")


@pytest.fixture(scope="module")
def scripted() -> Iterator[Scripted]:
    with Scripted(SCRIPTS) as served:
        yield served


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_a_budget_that_is_spent_stays_spent(scripted: Scripted, tmp_path: Path, end: signal.Signals) -> None:
    description = budgeted(scripted.port)
    with running(tmp_path, description, environment=KEYS) as gateway:
        assert spend(gateway) > 0
        status = httpx.get(f"{gateway.url}/aloi/status", headers={"x-api-key": KEYS["KEY_A"]}).json()
        assert status["budgets"] == "kept"
        gateway.process.send_signal(end)
        gateway.process.wait(30)
    asked = len(scripted.requests)
    with running(tmp_path, description, environment=KEYS) as gateway:
        assert spend(gateway) == 0
        assert len(scripted.requests) == asked  # nothing was put to the model
        assert spend(gateway, "KEY_B") > 0
        gateway.file.write_text(yaml.safe_dump(description | {"title": "The same bank"}))
        gateway.process.send_signal(signal.SIGHUP)
        while "read again" not in gateway.said():
            time.sleep(0.05)
        assert spend(gateway) == 0
        assert "Traceback" not in gateway.said()
    written = (tmp_path / "traffic" / FILE).read_text()
    assert not any(key in written for key in KEYS.values())


def test_what_is_under_way_at_a_kill_stays_charged_with_all_that_it_might_take(
    scripted: Scripted, tmp_path: Path
) -> None:
    description = budgeted(scripted.port, day_tokens=1_000, answer_tokens=900)
    with running(tmp_path, description, environment=KEYS) as gateway:
        before = len(scripted.requests)
        hanging = Thread(target=left_alone, args=(gateway,))
        hanging.start()
        while len(scripted.requests) == before:
            time.sleep(0.02)
        gateway.process.send_signal(signal.SIGKILL)
        gateway.process.wait(30)
        hanging.join(20)
    with running(tmp_path, description, environment=KEYS) as gateway:
        reply = ask(gateway)
        assert scripted.requests[-1][1]["max_tokens"] < 100  # what is left of the day
        assert reply.headers["x-aloi-outcome"] == "answered"


def test_a_torn_last_line_is_cut_and_a_changed_one_stops_the_start(scripted: Scripted, tmp_path: Path) -> None:
    description = budgeted(scripted.port)
    file = tmp_path / "traffic" / FILE
    with running(tmp_path, description, environment=KEYS) as gateway:
        spend(gateway)
    whole = file.read_bytes()
    file.write_bytes(whole + b'{"limits":"sha256:0","cal')
    with running(tmp_path, description, environment=KEYS) as gateway:
        assert spend(gateway) == 0
    file.write_bytes(b'{"limits":5}\n' + whole)
    code, said = not_started(tmp_path, description, environment=KEYS)
    assert code == 4
    assert f"{FILE}, line 1" in said
    assert "Traceback" not in said
    file.unlink()
    file.mkdir()
    code, said = not_started(tmp_path, description, environment=KEYS)
    assert code == 2
    assert "Traceback" not in said


def test_what_cannot_be_charged_is_not_asked(scripted: Scripted, tmp_path: Path) -> None:
    description = budgeted(scripted.port, day_tokens=100_000)
    with running(tmp_path, description, environment=KEYS) as gateway:
        ask(gateway)
        size = (tmp_path / "traffic" / FILE).stat().st_size
        resource.prlimit(gateway.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        asked = len(scripted.requests)
        for _ in range(3):
            reply = ask(gateway)
            assert (reply.status_code, reply.json()["error"]["code"]) in {(503, "budget"), (503, "record")}
        assert len(scripted.requests) == asked
        assert "cannot be written" in gateway.said()
        resource.prlimit(gateway.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        assert ask(gateway).status_code == 200
        assert "Traceback" not in gateway.said()


def test_without_a_folder_it_is_said_that_budgets_begin_anew(scripted: Scripted, tmp_path: Path) -> None:
    with running(tmp_path, budgeted(scripted.port, ""), environment=KEYS) as gateway:
        assert spend(gateway) > 0
        assert "begin anew with the process" in gateway.said()
    with running(tmp_path, budgeted(scripted.port, ""), environment=KEYS) as gateway:
        assert spend(gateway) > 0


class Says:
    async def ask(self, _: Request) -> Response:
        return Response(text="yes", prompt_tokens=3, completion_tokens=2)


def limited(budgets: Budgets, caller: str, now: float = NOON, limits: str = "sha256:1") -> LimitedTarget:
    options = RequestLimitsOptions(day_tokens=1_000, requests_per_minute=600)
    return LimitedTarget(
        Says(),
        RequestLimits(options),
        caller=lambda _: caller,
        clock=lambda: now,
        memory=budgets[limits],
    )


QUESTION = Request(prompt="", messages=(Message(role="user", content="well?"),), max_tokens=4)


def accounts(folder: Path, limits: str = "sha256:1", now: float = NOON) -> dict[str, int]:
    """What stands in the file, as another process would read it."""

    async def opened() -> dict[str, int]:
        budgets = Budgets(folder, _told, clock=lambda: now)
        await budgets.open()
        found = {caller: account.today.total for caller, account in budgets[limits].accounts.items()}
        await budgets.close()
        return found

    return asyncio.run(opened())


def _told(error: AloiError) -> None:
    raise error


def test_the_file_is_written_anew_while_it_is_written_and_loses_nothing(tmp_path: Path) -> None:
    async def spending() -> int:
        budgets = Budgets(tmp_path, _told, clock=lambda: NOON, growth=20_000, every=0.01)
        await budgets.open()
        targets = [limited(budgets, f"caller-{i % 7}", limits=f"sha256:{i % 2}") for i in range(14)]
        inodes, asked = set(), 0
        for _ in range(30):
            for target in targets:
                await target.ask(QUESTION)
                asked += 1
                await asyncio.sleep(0)
            await asyncio.sleep(0.02)
            inodes.add((tmp_path / FILE).stat().st_ino)
        assert len(inodes) > 1
        assert (tmp_path / FILE).stat().st_size < 60_000
        # The process ends here, without a word.
        return asked

    async def killed() -> int:
        try:
            return await spending()
        finally:
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()

    asked = asyncio.run(killed())
    after = tmp_path / "after"
    after.mkdir()
    shutil.copy(tmp_path / FILE, after)
    found = [accounts(after, f"sha256:{i}") for i in range(2)]
    assert sum(sum(one.values()) for one in found) == 5 * asked
    assert {len(one) for one in found} == {7}


def test_a_file_that_was_moved_away_is_written_anew_with_all_that_was_spent(tmp_path: Path) -> None:
    async def spending() -> None:
        budgets = Budgets(tmp_path, _told, clock=lambda: NOON, every=0.01)
        await budgets.open()
        await limited(budgets, "a").ask(QUESTION)
        (tmp_path / FILE).rename(tmp_path / "old")
        for _ in range(1_000):
            if (tmp_path / FILE).exists():
                break
            await asyncio.sleep(0.01)
        await limited(budgets, "a").ask(QUESTION)
        await budgets.close()

    asyncio.run(spending())
    assert accounts(tmp_path) == {"a": 10}


@pytest.mark.parametrize("what", ["a pipe", "a device"])
def test_what_is_no_file_is_not_waited_for(tmp_path: Path, what: str) -> None:
    if what == "a pipe":
        os.mkfifo(tmp_path / FILE)
    else:
        (tmp_path / FILE).symlink_to("/dev/zero")
    with pytest.raises(AskerError, match=FILE):
        accounts(tmp_path)


def test_accounts_of_days_that_are_over_are_forgotten_and_debts_are_not(tmp_path: Path) -> None:
    async def spending() -> None:
        budgets = Budgets(tmp_path, _told, clock=lambda: NOON)
        await budgets.open()
        await limited(budgets, "paid").ask(QUESTION)
        debtor = RequestLimits(RequestLimitsOptions(tokens_per_minute=1))
        memory = budgets["sha256:1"]
        await LimitedTarget(Says(), debtor, caller=lambda _: "owes", clock=lambda: NOON, memory=memory).ask(QUESTION)
        await budgets.close()

    asyncio.run(spending())
    assert set(accounts(tmp_path)) == {"paid", "owes"}
    assert set(accounts(tmp_path, now=NOON + DAY)) == {"paid", "owes"}
    assert set(accounts(tmp_path, now=NOON + 2 * DAY)) == {"owes"}
    lines = [json.loads(line) for line in (tmp_path / FILE).read_text().splitlines()]
    assert {line["caller"] for line in lines} == {"paid", "owes"}


BAD = {
    "another type": b'{"limits":"x","caller":"y","account":{"at":"now","requests":0,"tokens":0,"day":1}}\n',
    "more fields": b'{"limits":"x","caller":"y","account":{"at":1,"requests":0,"tokens":0,"day":1},"z":1}\n',
    "no JSON": b"\x00\x00\n",
    "an empty line": b"\n",
    "deep": b"[" * 100_000 + b"\n",
}


@pytest.mark.parametrize("name", BAD)
def test_a_line_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / FILE).write_bytes(BAD[name])
    with pytest.raises(EvidenceError):
        accounts(tmp_path)


def test_what_fails_once_is_told_once_and_tried_again(tmp_path: Path) -> None:
    told: list[AloiError] = []

    async def spending() -> None:
        budgets = Budgets(tmp_path, told.append, clock=lambda: NOON)
        await budgets.open()
        target = limited(budgets, "a")
        await target.ask(QUESTION)
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, ((tmp_path / FILE).stat().st_size, hard))
        try:
            for _ in range(3):
                with pytest.raises(Failed):
                    await target.ask(QUESTION)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        await target.ask(QUESTION)
        await budgets.close()

    asyncio.run(spending())
    assert len(told) == 1
    assert accounts(tmp_path) == {"a": 10}
