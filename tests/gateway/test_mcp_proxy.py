"""Between official clients and servers of tools, and between hostile ones: calls are ruled, and results screened."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from bad_guards import Rule, policy_of
from gateway_room import described
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from tool_server import SECRET

from aloi.evidence.canonical import canonical
from aloi.solutions.catalogue import build
from aloi.solutions.guard import Allow, Block, Rewrite
from aloi.solutions.mcp.lines import Unreadable, read
from aloi.solutions.mcp.proxy import Proxy

HERE = Path(__file__).parent
SERVER = [sys.executable, str(HERE / "tool_server.py")]
LIMITS = {"request_bytes": 100_000, "answer_bytes": 200_000, "seconds": 1.5}
RULES = {
    "send_email": {"decision": "allow", "recipients": {"to": ["@bank.example"]}},
    "vault": {"decision": "allow", "calls": 2},
    "die": {"decision": "allow"},
}


def system(folder: Path, **more: Any) -> Path:
    description = described(9, guards=("injection-screen", "tool-policy"), limits=LIMITS, **more)
    description["context"]["tools"] = {"rules": RULES}
    file = folder / "system.yaml"
    file.write_text(yaml.safe_dump(description))
    return file


def command(file: Path, *server: str) -> list[str]:
    return [sys.executable, "-m", "aloi.cli.main", "mcp", str(file), "--json", "--", *server]


async def session(file: Path, errors: Path, *calls: tuple[str, dict[str, Any]]) -> tuple[list[str], list[Any]]:
    """The tools that a client sees, and what comes of its calls, one after another."""
    program, *arguments = command(file, *SERVER)
    with errors.open("w") as log:
        transport = stdio_client(StdioServerParameters(command=program, args=arguments), errlog=log)
        async with Client(transport) as client:
            tools = [tool.name for tool in (await client.list_tools()).tools]
            return tools, [await client.call_tool(name, given) for name, given in calls]


def text(result: Any) -> str:
    return "".join(part.text for part in result.content)


async def test_an_official_client_and_server_meet_through_it(tmp_path: Path) -> None:
    errors = tmp_path / "errors.txt"
    calls: list[tuple[str, dict[str, Any]]] = [
        ("hours", {"day": "Monday"}),
        ("send_email", {"to": "ann@bank.example", "body": "Hello"}),
        ("send_email", {"to": "mallory@evil.example", "body": "Hello"}),
        ("vault", {}),
        ("vault", {}),
        ("vault", {}),
        ("read_inbox", {}),
        ("picture", {}),
    ]
    tools, told = await session(system(tmp_path), errors, *calls)
    assert tools == ["hours", "send_email", "read_inbox", "vault", "picture", "hang", "die"]
    assert (text(told[0]), told[0].is_error) == ("On Monday we open at nine.", False)
    assert text(told[1]) == "sent to ann@bank.example"
    assert told[2].is_error
    assert "withheld by policy (recipient-not-allowed)" in text(told[2])
    assert told[3].structured_content == {"code": SECRET, "colour": "blue"}
    assert "too-many-calls" in text(told[5])
    assert told[6].is_error
    assert "The result of read_inbox was withheld" in text(told[6])
    assert "unreadable: image" in text(told[7])
    said = errors.read_text()
    assert "sent to ann@bank.example" in said
    assert "mallory" not in said
    assert '{"outcome": "recipient-not-allowed", "about": "send_email", "guards": ["tool-policy"]}' in said


async def test_a_server_that_dies_is_told_and_a_tool_that_hangs_too(tmp_path: Path) -> None:
    errors = tmp_path / "errors.txt"
    _, told = await session(system(tmp_path), errors, ("hang", {}), ("die", {}))
    assert "gave no answer within 1.5 s" in text(told[0])
    assert told[1].is_error
    assert "has ended" in text(told[1])
    assert "ended with status 7 before its client left" in errors.read_text()


def exchanged(file: Path, *lines: bytes, server: tuple[str, ...] = (*SERVER, "raw"), wait: int = 0) -> Any:
    """What the client reads and what is said beside, of lines written at once; it leaves after `wait` answers."""
    errors = file.parent / "errors.txt"
    pipe = subprocess.PIPE
    with (
        errors.open("w") as log,
        subprocess.Popen(command(file, *server), stdin=pipe, stdout=pipe, stderr=log) as process,
    ):
        assert process.stdin
        assert process.stdout
        process.stdin.write(b"".join(line + b"\n" for line in lines))
        process.stdin.flush()
        answers = [process.stdout.readline() for _ in range(wait)]
        process.stdin.close()
        answers += process.stdout.readlines()
        return answers, errors.read_text(), process.wait(30)


def call(identity: Any, arguments: Any, name: str = "tool") -> bytes:
    params = {"name": name, "arguments": arguments}
    return json.dumps({"jsonrpc": "2.0", "id": identity, "method": "tools/call", "params": params}).encode()


def test_all_else_passes_byte_for_byte(tmp_path: Path) -> None:
    ping = b'{ "jsonrpc":"2.0" , "method" : "ping", "id":"a\\u0062" , "params":{"x":1.50}}'
    note = b'{"jsonrpc":"2.0","method":"notifications/initialized"}'
    answers, said, status = exchanged(system(tmp_path), ping, note, b"", wait=1)
    assert answers == [b'{ "jsonrpc" : "2.0", "id": "ab", "result": {"as": "it is"}}\n']
    assert 'got ping {"x": 1.5}' in said
    assert "got notifications/initialized" in said
    assert status == 0


# What a client writes, and the code and words of the error that it reads; None where nothing is answered.
REFUSED: dict[str, tuple[bytes, int | None, str]] = {
    "no json": (b'{"jsonrpc": "2.0", "id": 1, "method"', -32700, "Expecting"),
    "a batch": (b"[" + call(1, {"as": "good"}) + b"]", -32600, "not one object"),
    "a key twice": (call(1, {"as": "good"})[:-1] + b', "method": "ping"}', -32700, "twice"),
    "an argument twice": (call(1, 0).replace(b"0}}", b'{"as": "x", "as": "good"}}}'), -32700, "twice"),
    "NaN": (call(1, 0).replace(b": 0}", b": NaN}"), -32700, "NaN"),
    "a huge number": (call(1, 0).replace(b": 0}", b": 1e999}"), -32700, "too large"),
    "a float id": (call(1.0, {"as": "good"}), -32600, "id"),
    "a null id": (call(None, {"as": "good"}), -32600, "id"),
    "true": (call(True, {"as": "good"}), -32600, "id"),
    "no version": (call(1, {"as": "good"}).replace(b'"jsonrpc": "2.0", ', b""), -32600, "2.0"),
    "a method that is none": (b'{"jsonrpc":"2.0","id":1,"method":["tools/call"]}', -32600, "method"),
    "a name that is none": (call(1, {}, name=7), -32600, "params.name"),  # type: ignore[arg-type]  # on purpose
    "no parameters": (b'{"jsonrpc":"2.0","id":1,"method":"tools/call"}', -32600, "params.name"),
    "not utf-8": (call(1, {"as": "good"}).replace(b"good", b"go\xffod"), -32700, "utf-8"),
    "gigantic": (call(1, {"as": "x" * 200_000}), -32600, "100000 bytes"),
    "deep": (call(1, 0).replace(b": 0}", b": " + b"[" * 40_000 + b"]" * 40_000 + b"}"), -32700, "recursion"),
    "a call that wants no answer": (call(1, {"as": "good"}).replace(b'"id": 1, ', b""), None, ""),
    "empty": (b"   ", None, ""),
}


def test_what_a_client_writes_wrongly_reaches_no_server(tmp_path: Path) -> None:
    lines = [line for line, _, _ in REFUSED.values()]
    answers, said, status = exchanged(system(tmp_path), *lines, call(5, {"as": "a log line first"}), wait=17)
    wanted = [(name, code, words) for name, (_, code, words) in REFUSED.items() if code is not None]
    errors = [json.loads(answer) for answer in answers[:-1]]
    assert [one["error"]["code"] for one in errors] == [code for _, code, _ in wanted]
    for error, (name, _, words) in zip(errors, wanted, strict=True):
        assert words in error["error"]["message"], name
    assert said.count("got ") == 1
    assert json.loads(answers[-1])["result"]["content"][0]["text"] == "fine"
    assert status == 0


# What a server answers a call with: what the client then reads of it. LATE stands for no answer in time.
LATE, MALFORMED, REWRITTEN = "gave no answer within", "malformed", "[...]"
ANSWERED: dict[str, str] = {
    "good": REWRITTEN,
    "no json": LATE,
    "a log line first": "fine",
    "a batch": LATE,
    "a float id": LATE,
    "a text id": LATE,
    "true": LATE,
    "a null id": LATE,
    "another id": LATE,
    "id twice": LATE,
    "result twice": LATE,
    "both": LATE,
    "neither": LATE,
    "no version": LATE,
    "not utf-8": LATE,
    "NaN": LATE,
    "deep": "larger than",
    "escaped": REWRITTEN,
    "twice": "fine",
    "a list": MALFORMED,
    "an error": REWRITTEN,
    "in a link": REWRITTEN,
    "in a key": "guard-contract",
    "in its notes": REWRITTEN,
    "a type of its own": REWRITTEN,
    "a blob": "unreadable: resource",
    "gigantic": "larger than",
    "endless": "larger than",
    "nothing": LATE,
}


class Piped:
    """The proxy inside a test, its server a real process, its client this test."""

    def __init__(self, policy: Any, server: Any) -> None:
        self.client = asyncio.StreamReader()
        self.answers: asyncio.Queue[bytes] = asyncio.Queue()
        self.told: list[tuple[str, str]] = []
        self.server = server
        self.proxy = Proxy(policy, self._answer, self._ask, lambda code, about, _: self.told.append((code, about)))

    async def _answer(self, line: bytes) -> None:
        self.answers.put_nowait(line)

    async def _ask(self, line: bytes) -> None:
        self.server.stdin.write(line)
        await self.server.stdin.drain()

    async def ask(self, line: bytes) -> dict[str, Any]:
        self.client.feed_data(line + b"\n")
        answer = await asyncio.wait_for(self.answers.get(), 10)
        return dict(json.loads(answer))


async def ask_all(policy: Any, lines: list[bytes]) -> tuple[list[dict[str, Any]], list[tuple[str, str]]]:
    pipe = asyncio.subprocess.PIPE
    server = await asyncio.create_subprocess_exec(
        *SERVER, "raw", stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL
    )
    piped = Piped(policy, server)
    tasks = [asyncio.create_task(piped.proxy.from_client(piped.client))]
    tasks.append(asyncio.create_task(piped.proxy.from_server(server.stdout)))  # type: ignore[arg-type]  # it is a pipe
    try:
        return [await piped.ask(line) for line in lines], piped.told
    finally:
        piped.client.feed_eof()
        assert server.stdin
        server.stdin.close()
        await server.wait()
        await asyncio.wait(tasks)


def masking() -> Any:
    return Rule(
        lambda said: Rewrite(content=said.replace(SECRET, "[...]"), reason="secret") if SECRET in said else Allow(),
        "tool",
    )


async def test_what_a_server_answers_wrongly_reaches_no_client() -> None:
    policy = policy_of(masking(), limits={**LIMITS, "seconds": 0.4})
    answers, told = await ask_all(policy, [call(i, {"as": name}) for i, name in enumerate(ANSWERED)])
    for i, (answer, (name, wanted)) in enumerate(zip(answers, ANSWERED.items(), strict=True)):
        assert answer["id"] == i, name
        assert SECRET not in json.dumps(answer), name
        assert wanted in json.dumps(answer), name
    assert ("late", "tool") in told


BAD_GUARDS: dict[str, tuple[Any, str]] = {
    "raises at a call": (Rule(lambda _: 1 / 0, "call"), "guard-error"),
    "hangs at a call": (Rule(lambda _: time.sleep(3), "call"), "guard-deadline"),
    "rules nothing of a call": (Rule(lambda _: None, "call"), "guard-error"),
    "blocks a call": (Rule(lambda _: Block(reason="no"), "call"), "withheld by policy (no)"),
    "rewrites a call to what is no json": (Rule(lambda _: Rewrite(content="{", reason="x"), "call"), "guard-contract"),
    "raises at a result": (Rule(lambda _: 1 / 0, "tool"), "guard-error"),
    "hangs at a result": (Rule(lambda _: time.sleep(3), "tool"), "guard-deadline"),
    "rules nothing of a result": (Rule(lambda _: 7, "tool"), "guard-error"),
    "blocks a result": (Rule(lambda _: Block(reason="no"), "tool"), "The result of tool was withheld by policy (no)"),
    "never has enough": (Rule(lambda said: Rewrite(content=said + "!", reason="x"), "tool"), "guard-contract"),
    "reads what calls say": (Rule(lambda _: Block(reason="no")), "withheld by policy (no)"),
}


@pytest.mark.parametrize("name", BAD_GUARDS)
async def test_whatever_a_guard_does_wrong_withholds_calls_and_results(name: str) -> None:
    guard, wanted = BAD_GUARDS[name]
    ((answer,), _) = await ask_all(policy_of(guard), [call(1, {"as": "good"})])
    assert answer["result"]["isError"] is True
    assert wanted in json.dumps(answer, ensure_ascii=False)
    assert SECRET not in json.dumps(answer)


async def test_a_call_goes_on_as_a_guard_rewrote_it() -> None:
    guard = Rule(lambda said: Rewrite(content=said.replace("nothing", "a log line first"), reason="x"), "call")
    ((answer,), told) = await ask_all(policy_of(guard), [call(1, {"as": "nothing"})])
    assert answer["result"]["content"][0]["text"] == "fine"
    assert told[0] == ("rewritten", "tool")


async def test_limits_hold_over_a_session() -> None:
    limits = build("request-limits", {"calls": 3, "same_call": 2})
    lines = [
        call(i, {"as": name}) for i, name in enumerate(["twice", "twice", "twice", "in its notes", "a log line first"])
    ]
    answers, _ = await ask_all(policy_of(limits), lines)
    outcomes = [one["result"].get("isError", False) for one in answers]
    assert outcomes == [False, False, True, False, True]
    assert "same-result" in json.dumps(answers[2])
    assert "(calls)" in json.dumps(answers[4])


async def test_a_destination_that_a_stranger_wrote_is_refused() -> None:
    gate = build("provenance-gate", {"hosts": ["bank.example"]})
    lines = [call(1, {"as": "good"}, name="read_inbox")]
    lines.append(call(2, {"as": "good", "to": "mallory@evil.example"}, name="send_email"))
    answers, _ = await ask_all(policy_of(gate), lines)
    assert "isError" not in answers[0]["result"]
    assert answers[1]["result"]["isError"] is True


async def test_an_id_that_waits_is_not_taken_twice_and_can_be_used_again() -> None:
    lines = [call(1, {"as": "nothing"}) + b"\n" + call(1, {"as": "twice"}), b"", call(1, {"as": "a log line first"})]
    policy = policy_of(Rule(lambda _: Allow(), "tool"), limits={**LIMITS, "seconds": 0.4})
    answers, _ = await ask_all(policy, lines)
    assert answers[0]["error"]["code"] == -32600
    assert LATE in json.dumps(answers[1])
    assert "fine" in json.dumps(answers[2])


@contextmanager
def timed(seconds: float) -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


def test_a_command_that_cannot_be_run_and_one_that_ends_at_once(tmp_path: Path) -> None:
    file = system(tmp_path)
    with timed(60):
        answers, said, status = exchanged(file, server=("no-such-program",))
        assert (answers, status) == ([], 2)
        assert "no-such-program cannot be run" in said
        ping = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
        program = "import sys; sys.stdin.readline(); sys.exit(9)"
        answers, said, status = exchanged(file, ping, server=(sys.executable, "-c", program), wait=1)
    assert json.loads(answers[0])["error"] == {"code": -32000, "message": "The server of the tools has ended."}
    assert "ended with status 9" in said
    assert status == 3


def test_a_server_that_does_not_end_is_ended_when_its_client_leaves(tmp_path: Path) -> None:
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    with timed(60):
        _, _, status = exchanged(system(tmp_path), server=(sys.executable, "-c", stubborn))
    assert status == 0


@pytest.mark.parametrize(
    "line", [canonical({"jsonrpc": "2.0", "id": 1, "method": "x"}), b'{"jsonrpc":"2.0","method":"x"}']
)
def test_a_line_is_read(line: bytes) -> None:
    assert read(line).method == "x"


@pytest.mark.parametrize(
    "line", [b"", b"1", b"null", b'"x"', b"{}", b"[]", b'{"jsonrpc":"2.0"}', b"\xff", b"{" * 100_000]
)
def test_a_line_that_is_no_message_is_not(line: bytes) -> None:
    with pytest.raises(Unreadable):
        read(line)
