"""What stands beside a conversation (tools, names, parameters) is read by the guards too, before the model is asked.

So are earlier answers and calls: the client tells them, and could have written them itself.
"""

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from hashlib import sha256
from itertools import islice

import msgspec

from aloi.solutions.arguments import Malformed, read_arguments, texts
from aloi.solutions.catalogue import Remedy
from aloi.solutions.gateway.dialects.dialect import Asked, Beside, Path
from aloi.solutions.gateway.dialects.openai_forms import Token
from aloi.solutions.gateway.dialects.surroundings import replaced
from aloi.solutions.gateway.exchange import UNDER_WAY
from aloi.solutions.gateway.worded import Worded, worded, words
from aloi.solutions.guard import Release
from aloi.solutions.guarded import BLOCKED, GuardedTarget
from aloi.solutions.ledger import LEDGER, Ledger
from aloi.solutions.passage import FAULTS, Guards, Passage, Screen, guards, through
from aloi.system.messages import GuardDecision, Message, Request, Response, Role, ToolCall

CLEARED = 8_192  # parts of requests that are known to pass: tools are sent again with every question
SHORT = 256  # characters: of so few it is told at once whether they hold a sentence
LEAVES = 256  # texts of one part that are read one by one


class Surrounded:
    """A target behind guards; itself a target. It reads the exchange that the current task serves.

    What is the user's and blocked ends the exchange; so does what cannot be taken out alone. Of a description (tools,
    forms of answers) what is blocked is left out; in place of an earlier answer the refusal stands then, and an earlier
    call has no arguments; where its name alone does not pass, the exchange ends. Names of calls in an answer are read
    as the answer is, and replaced where they do not pass.
    """

    def __init__(
        self,
        target: GuardedTarget,
        remedies: Sequence[Remedy],
        *,
        refusal: str,
        screen: Screen,
        fail_open: bool,
        token: Token = secrets.token_hex,
    ) -> None:
        """`screen` asks a guard; `token` makes names of calls that no other has."""
        self._token = token
        self._target = target
        self._refusal = refusal
        self._fail_open = fail_open
        self._screen = screen
        roles: tuple[Role, ...] = ("user", "document", "assistant")
        self._readers: dict[Role, Guards] = {role: worded(guards(remedies, frozenset({role}))) for role in roles}
        # What is made for attacks of users takes one earlier answer in five for one (decision 0091).
        documents = guards(remedies, frozenset({"document"}))
        self._retrieving = [(name, guard) for name, guard in documents if "user" not in guard.roles]
        self._cleared: OrderedDict[bytes, None] = OrderedDict()

    async def ask(self, request: Request, release: Release | None = None) -> Response:
        """The answer, or the refusal."""
        exchange = UNDER_WAY.get(None)
        if exchange is None:
            return await self._target.ask(request, release)
        passage, began = Passage(fail_open=self._fail_open), time.perf_counter()
        outer, inner = LEDGER.get(), Ledger()
        if outer is not None:
            outer.so_far = lambda: _with(inner.so_far() if inner.so_far else Response(text="", finish=""), passage, 0.0)
        was, given = exchange.asked, request
        exchange.asked = await self._read(was, passage)
        if not passage.refused:
            request = await self._said_before(request, passage)
        took = time.perf_counter() - began
        if passage.refused:
            return _with(Response(text=self._refusal, finish=BLOCKED), passage, took)
        LEDGER.set(inner)
        if exchange.asked is not was:
            request = msgspec.structs.replace(request, tools=exchange.asked.request.tools)
        response = await self._target.ask(request, release)
        began = time.perf_counter()
        response = await self._named(response, passage)
        response = _with(response, passage, took + time.perf_counter() - began)
        changed = exchange.asked is not was or request.messages is not given.messages
        return msgspec.structs.replace(response, changed_request=response.changed_request or changed)

    async def _read(self, asked: Asked, passage: Passage) -> Asked:
        """The request as guards leave what stands beside its messages; `passage` tells where they end it."""
        if not self._readers["user"] and not self._readers["document"]:
            return asked
        changes: dict[Path, str] = {}
        exchange = UNDER_WAY.get()
        for part in exchange.dialect.beside(asked):
            if self._readers[part.role]:
                await self._part(part, changes, passage)
            if passage.refused:
                return asked
        if not changes:
            return asked
        return exchange.dialect.read(msgspec.json.encode(replaced(asked.body, changes)))

    async def _said_before(self, request: Request, passage: Passage) -> Request:
        """The request with its earlier answers and calls as the guards on what was retrieved leave them."""
        if not self._retrieving:
            return request
        kept = list(request.messages)
        for index, message in enumerate(request.messages):
            if message.role == "assistant":
                kept[index] = await self._earlier(message, f"messages[{index}]", passage)
        if all(new is old for new, old in zip(kept, request.messages, strict=True)):
            return request
        return msgspec.structs.replace(request, messages=tuple(kept))

    async def _earlier(self, message: Message, place: str, passage: Passage) -> Message:
        text = await self._left(message.content, str, place, passage)
        calls = []
        for call in message.tool_calls:
            passes = await self._left(wrote := _written(call), _called, place, passage) == wrote
            calls.append(call if passes else _emptied(call))
            before = len(passage.decisions)
            if not passes and await self._left(call.name, str, place, passage) != call.name:
                passage.decisions[before:] = map(_blocking, passage.decisions[before:])
                passage.refused = True
        same = text == message.content and all(new is old for new, old in zip(calls, message.tool_calls, strict=True))
        told = self._refusal if text is None else text
        return message if same else msgspec.structs.replace(message, content=told, tool_calls=tuple(calls))

    async def _left(self, written: str, read: Callable[[str], str], place: str, passage: Passage) -> str | None:
        """What guards leave of what is read of a text: the text itself where that is all, None where it is nothing."""
        key = sha256(f"{read.__name__}\0{written}".encode("utf-8", "surrogatepass")).digest()
        if not written or self._known(key):
            return written
        tried, said = Passage(fail_open=self._fail_open), read(written)
        text = await through(self._retrieving, Message(role="document", content=said), place, self._screen, tried)
        self._target.faults.update((one.guard, one.reason) for one in tried.decisions if one.reason in FAULTS)
        passage.decisions += tried.decisions
        passage.queries += tried.queries
        if not tried.decisions:
            self._clear(key)
        return written if text == said else text

    def _known(self, key: bytes) -> bool:
        if key not in self._cleared:
            return False
        self._cleared.move_to_end(key)
        return True

    def _clear(self, key: bytes) -> None:
        self._cleared[key] = None
        if len(self._cleared) > CLEARED:
            self._cleared.popitem(last=False)

    async def _part(self, part: Beside, changes: dict[Path, str], passage: Passage) -> None:
        texts = [text for _, text in part.leaves]
        key = sha256("\0".join([part.role, *texts, "", *part.names]).encode("utf-8", "surrogatepass")).digest()
        if self._known(key):
            return
        tried = await self._through(part, texts)
        if _passed(tried):
            passage.decisions += tried.decisions
            passage.queries += tried.queries
            if not tried.decisions:
                self._clear(key)
            return
        failed = [(one.guard, one.reason) for one in tried.decisions if one.reason in FAULTS]
        self._target.faults.update(failed)
        if failed or part.fixed or len(texts) > LEAVES or not await self._leaves(part, changes, passage):
            passage.queries += tried.queries
            passage.decisions += [_blocking(one) for one in tried.decisions]
            passage.refused = True

    async def _leaves(self, part: Beside, changes: dict[Path, str], passage: Passage) -> bool:
        """Read the texts of a part one by one; False where what is then left of it does not pass."""
        left = []
        for path, text in part.leaves:
            told = await through(
                self._readers[part.role], Message(role=part.role, content=text), part.place, self._screen, passage
            )
            if passage.refused:
                return True
            left.append(told or "")
            if told != text:
                changes[path] = told or ""
        return _passed(await self._through(part, left))

    async def _through(self, part: Beside, texts: Sequence[str]) -> Passage:
        """All texts of a part with its names. What the user says is then read text by text: a guard that judges words
        may overlook one among the others."""
        tried = Passage(fail_open=self._fail_open)
        readers = self._readers[part.role]
        whole = _together(part, texts)
        readings = [(readers, whole)]
        judging = [one for one in readers if part.role == "user" and isinstance(one[1], Worded)]
        if judging:
            first = islice(dict.fromkeys((*texts, *part.names)), LEAVES)
            readings += [(judging, one) for one in first if one != whole and (len(one) > SHORT or words(one))]
        for which, text in readings:
            await through(which, Message(role=part.role, content=text), part.place, self._screen, tried)
            if tried.decisions:
                break
        return tried

    async def _named(self, response: Response, passage: Passage) -> Response:
        """The answer with calls whose names pass the guards on answers."""
        names = [call.id for call in response.tool_calls]
        if not any(names) or not self._readers["assistant"]:
            return response
        tried = Passage(fail_open=self._fail_open)
        said = Message(role="assistant", content="\n".join(names))
        if await through(self._readers["assistant"], said, "", self._screen, tried) == said.content:
            passage.decisions += tried.decisions
            return response
        passage.decisions += [msgspec.structs.replace(one, action="rewrite") for one in tried.decisions]
        calls = tuple(msgspec.structs.replace(call, id=f"call_aloi{self._token(6)}") for call in response.tool_calls)
        return msgspec.structs.replace(response, tool_calls=calls)


def _written(call: ToolCall) -> str:
    return f"{call.name}\0{call.arguments}"


def _called(written: str) -> str:
    """The texts of a call, each a paragraph; what cannot be read in one way as it stands."""
    name, _, arguments = written.partition("\0")
    try:
        return "\n\n".join([name, *texts(read_arguments(arguments))])
    except Malformed:
        return f"{name}\n\n{arguments}"


def _emptied(call: ToolCall) -> ToolCall:
    return msgspec.structs.replace(call, arguments="{}")


def _together(part: Beside, texts: Sequence[str]) -> str:
    """The texts of a part, and its names. Those of a description end no sentence and are none of each other's: "Initial
    password" of one parameter and "Send an invitation" of the next ask for no password to be sent."""
    if part.role == "document":
        return "\n\n".join([*texts, *part.names])
    return "\n".join([*texts, " ".join(part.names)] if part.names else texts)


def _passed(tried: Passage) -> bool:
    return all(one.action == "let-pass" for one in tried.decisions)


def _blocking(one: GuardDecision) -> GuardDecision:
    return one if one.action == "let-pass" else msgspec.structs.replace(one, action="block")


def _with(response: Response, passage: Passage, seconds: float) -> Response:
    """A response, and what was done before and after it."""
    if not passage.decisions and not seconds and not passage.queries:
        return response
    return msgspec.structs.replace(
        response,
        decisions=(*passage.decisions, *response.decisions),
        extra_queries=response.extra_queries + passage.queries,
        guard_seconds=response.guard_seconds + seconds,
    )
