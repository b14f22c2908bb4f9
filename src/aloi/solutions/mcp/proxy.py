"""Stand between a client and a server of the Model Context Protocol, over pipes.

Calls of tools are ruled, and their results screened; every other message passes byte for byte. What cannot be read in
one way only is passed on in neither direction. A message goes on before the next of its direction is read.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from msgspec import Struct

from aloi.solutions.gateway.policy import Policy
from aloi.solutions.mcp.lines import GONE, INVALID, Incoming, Line, Unreadable, failure, read, tool_error, written
from aloi.solutions.mcp.session import ToolSession, Withheld
from aloi.system.messages import GuardDecision
from aloi.translation import N_, translate

CALL, CANCEL = "tools/call", "notifications/cancelled"
# Results of tools come by these: a call may be a task, whose result is asked for later.
SCREENED = frozenset({CALL, "tasks/result"})
MOST_WAITING = 1_000
_BUSY = N_("{limit} requests wait for an answer: no more are taken")
_TWICE = N_("a request of this id waits for its answer")
_LATE = N_("The tool {tool} gave no answer within {seconds} s.")
_LARGE = N_("An answer of the server was larger than {limit} bytes.")
_ENDED = N_("The server of the tools has ended.")
_MALFORMED = N_("The server's answer about {tool} was malformed.")
_DROPPED = N_("a message was not passed on: {problem}")
_LONG = N_("a message of more than {limit} bytes was not passed on")


class Reader(Protocol):
    """Bytes as they come."""

    async def read(self, n: int, /) -> bytes:
        """Some bytes; none at the end."""
        ...


Write = Callable[[bytes], Awaitable[None]]
Told = Callable[[str, str, tuple[GuardDecision, ...]], None]
"""Is told of what was withheld, changed or dropped: a stable code, the tool's name or a sentence, the decisions."""


class _Waiting(Struct):
    """A request that waits for its answer; `tool` and `deadline` are those of a call."""

    identity: str | int
    method: str
    tool: str = ""
    deadline: asyncio.TimerHandle | None = None


class TooLarge(Exception):
    """A line went on for too long; the rest of it was skipped."""


class Lines:
    """Lines of a stream, each within a size."""

    def __init__(self, reader: Reader, limit: int) -> None:
        self._reader = reader
        self._limit = limit
        self._buffer = bytearray()

    async def next(self) -> bytes | None:
        """The next line with its end; None at the end of the stream. Raises TooLarge, the line then being over."""
        skipped, looked = False, 0
        while True:
            end = self._buffer.find(b"\n", looked)
            if end >= 0:
                line = bytes(self._buffer[: end + 1])
                del self._buffer[: end + 1]
                if skipped or len(line) > self._limit:
                    raise TooLarge
                return line
            if len(self._buffer) > self._limit:
                skipped = True
                self._buffer.clear()
            looked = len(self._buffer)
            part = await self._reader.read(65_536)
            if not part:  # a line without its end was never sent
                return None
            self._buffer += part


class Proxy:
    """One session. `to_client` and `to_server` write whole lines."""

    def __init__(self, policy: Policy, to_client: Write, to_server: Write, told: Told) -> None:
        self._policy = policy
        self._session = ToolSession(policy)
        self._limits = policy.serving.limits
        self._to_client = to_client
        self._to_server = to_server
        self._told = told
        self._waiting: dict[str, _Waiting] = {}
        self._late: set[asyncio.Task[None]] = set()

    async def from_client(self, reader: Reader) -> None:
        """Carry what the client says, until it says no more."""
        lines = Lines(reader, self._limits.request_bytes)
        while True:
            try:
                line = await lines.next()
            except TooLarge:
                await self._refuse(None, INVALID, self._say(_LONG, limit=self._limits.request_bytes))
                continue
            if line is None:
                return
            if not line.strip():
                continue
            try:
                await self._asked(read(line), line)
            except Unreadable as fault:
                await self._refuse(fault.identity, fault.code, self._say(_DROPPED, problem=str(fault)))

    async def from_server(self, reader: Reader) -> None:
        """Carry what the server says, until it says no more."""
        lines = Lines(reader, self._limits.answer_bytes)
        while True:
            try:
                line = await lines.next()
            except TooLarge:
                # Whose answer it was cannot be told: none that is waited for is waited for any longer.
                await self._give_up("too-large", self._say(_LARGE, limit=self._limits.answer_bytes), calls_only=True)
                continue
            if line is None:
                return
            if not line.strip():
                continue
            try:
                await self._answered(read(line), line)
            except Unreadable as fault:
                self._told("dropped", self._say(_DROPPED, problem=str(fault)), ())

    async def ended(self) -> None:
        """The server is gone: whoever waits for it is told."""
        await self._give_up("server-ended", self._say(_ENDED), calls_only=False)
        for task in tuple(self._late):
            task.cancel()

    async def _asked(self, message: Incoming, line: bytes) -> None:
        if message.method and message.key:
            identity = message.body["id"]
            if message.key in self._waiting:
                await self._refuse(identity, INVALID, self._say(_TWICE))
                return
            if len(self._waiting) >= MOST_WAITING:
                await self._refuse(identity, INVALID, self._say(_BUSY, limit=MOST_WAITING))
                return
            if message.method == CALL:
                await self._called(message, line)
                return
            self._waiting[message.key] = _Waiting(identity, message.method)
        elif message.method == CALL:  # a call that wants no answer: nobody could be told what became of it
            self._told("dropped", self._say(_DROPPED, problem=CALL), ())
            return
        await self._to_server(line)

    async def _called(self, message: Incoming, line: bytes) -> None:
        identity, params = message.body["id"], message.body.get("params")
        if not isinstance(params, dict) or not isinstance(params.get("name"), str):
            await self._refuse(identity, INVALID, self._say(_DROPPED, problem="params.name"))
            return
        tool = params["name"]
        try:
            left = await self._session.called(message.key, params)
        except Withheld as withheld:
            self._told(withheld.reason, tool, self._session.decisions)
            await self._to_client(tool_error(identity, withheld.text))
            return
        loop = asyncio.get_running_loop()
        deadline = loop.call_later(self._limits.seconds, self._expire, message.key)
        self._waiting[message.key] = _Waiting(identity, CALL, tool, deadline)
        if left is not params:
            self._told("rewritten", tool, self._session.decisions)
            line = written({**message.body, "params": left})
        await self._to_server(line)

    async def _answered(self, message: Incoming, line: bytes) -> None:
        if message.method:
            await self._to_client(line)
            return
        waiting = self._waiting.pop(message.key, None)
        if waiting is None:  # too late, twice, or never asked for: nobody waits for it, and nobody read it
            self._told("dropped", self._say(_DROPPED, problem=f"id {message.key[:40]}"), ())
            return
        if waiting.deadline:
            waiting.deadline.cancel()
        await self._to_client(await self._screened(message, waiting, line) if waiting.method in SCREENED else line)

    async def _screened(self, message: Incoming, waiting: _Waiting, line: bytes) -> bytes:
        part = "result" if "result" in message.body else "error"
        result: Line | Any = message.body[part]
        if not isinstance(result, dict):
            self._session.unanswered(message.key)
            self._told("malformed", waiting.tool, ())
            return tool_error(waiting.identity, self._say(_MALFORMED, tool=waiting.tool))
        try:
            left = await self._session.answered(message.key, result)
        except Withheld as withheld:
            self._told(withheld.reason, waiting.tool, self._session.decisions)
            return tool_error(waiting.identity, withheld.text)
        if left is result:
            return line
        self._told("rewritten", waiting.tool, self._session.decisions)
        return written({**message.body, part: left})

    def _expire(self, key: str) -> None:
        task = asyncio.get_running_loop().create_task(self._expired(key))
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    async def _expired(self, key: str) -> None:
        waiting = self._waiting.pop(key, None)
        if waiting is None:
            return
        self._session.unanswered(key)
        self._told("late", waiting.tool, ())
        cancel = {"requestId": waiting.identity, "reason": "timeout"}
        await self._to_client(
            tool_error(waiting.identity, self._say(_LATE, tool=waiting.tool, seconds=self._limits.seconds))
        )
        await self._to_server(written({"jsonrpc": "2.0", "method": CANCEL, "params": cancel}))

    async def _give_up(self, code: str, sentence: str, *, calls_only: bool) -> None:
        for key, waiting in tuple(self._waiting.items()):
            if calls_only and waiting.method not in SCREENED:
                continue
            del self._waiting[key]
            if waiting.deadline:
                waiting.deadline.cancel()
            self._session.unanswered(key)
            screened = waiting.method in SCREENED
            answer = tool_error(waiting.identity, sentence) if screened else failure(waiting.identity, GONE, sentence)
            await self._to_client(answer)
        self._told(code, sentence, ())

    async def _refuse(self, identity: str | int | None, code: int, sentence: str) -> None:
        self._told("refused", sentence, ())
        await self._to_client(failure(identity, code, sentence))

    def _say(self, sentence: str, **facts: object) -> str:
        language = self._policy.language
        if "problem" in facts:
            facts["problem"] = translate(str(facts["problem"]), language)
        return translate(sentence, language).format(**facts)
