"""A target within limits: it keeps what the machine must know of callers and conversations, and reads the clock."""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any, Literal, cast

import msgspec
from msgspec import Struct, field

from aloi.solutions.guard import Release
from aloi.solutions.guarded import BLOCKED, StreamingTarget
from aloi.solutions.limits.loops import Tally, tally
from aloi.solutions.limits.machine import Account, Admitted, Asked, Refused, RequestLimits
from aloi.solutions.limits.tokens import Tokens, sent, spent_before, used
from aloi.solutions.tables import table
from aloi.solutions.timed import Clock
from aloi.system.messages import GuardDecision, Message, Request, Response, Role
from aloi.system.target import Target

CONVERSATIONS = 10_000
OTHERS = "\0others"
Caller = Callable[[Request], str]


class _Talk(Struct, frozen=True):
    """A conversation up to an answer: what it took, and whose it is."""

    spent: Tokens
    caller: str


class Memory(Struct):
    """What is known of callers and conversations, the longest unseen first.

    `kept` is given every account that changes, before anything follows from it; what it raises ends the request.
    """

    talks: OrderedDict[bytes, _Talk] = field(default_factory=OrderedDict)
    accounts: OrderedDict[str, Account] = field(default_factory=OrderedDict)
    kept: Callable[[str, Account], None] | None = None


class LimitedTarget:
    """A target within limits; itself a target.

    `caller` tells who asks, where that is known: an authenticated name, never one that the caller makes up. Where it is
    not given all are one caller; with `shared=False` each conversation is a caller of its own, as in a run, whose
    requests all come from one asker. `clock` gives seconds since 1970. `name` is the remedy's, in decisions. `memory`
    is that of a target whose place this one takes.

    A conversation is known again by its own words: the answer that this target gave, with all before it. One that was
    forgotten or changed is counted anew from its messages, as far as tokens can be estimated.
    """

    def __init__(
        self,
        target: Target | StreamingTarget,
        limits: RequestLimits,
        *,
        name: str = "request-limits",
        caller: Caller | None = None,
        shared: bool = True,
        clock: Clock = time.time,
        timer: Clock = time.perf_counter,
        memory: Memory | None = None,
    ) -> None:
        self._target = target
        self._limits = limits
        self._name = name
        self._caller = caller
        self._shared = shared
        self._clock = clock
        self._timer = timer
        self._alone = 0
        self._memory = memory or Memory()

    async def ask(self, request: Request, release: Release | None = None) -> Response:
        """The answer, without the calls that go too far; or why the request was not put.

        `release` is handed to the target, which must then be a `StreamingTarget`.
        """
        began = self._timer()
        seen = tally(request.messages)
        talk = self._memory.talks.get(_until_answer(request)) or _Talk(spent_before(request), "")
        caller = self._key(request, talk)
        ruling: Admitted | Refused | None = self._limits.too_long(seen)
        if ruling is None:
            asked = Asked(sent=sent(request), answer=request.max_tokens, before=talk.spent)
            now = self._clock()
            caller = self._room_for(caller, now)
            account, ruling = self._limits.admit(self._account(caller, now), asked, now)
            self._keep(caller, account)
        if isinstance(ruling, Refused):
            return self._refusal(ruling, self._timer() - began)
        put = msgspec.structs.replace(request, max_tokens=ruling.answer)
        asking = self._timer()
        response = await self._put(put, release)
        began += self._timer() - asking
        took = used(request, response)
        now = self._clock()
        self._keep(caller, self._limits.settle(self._account(caller, now), ruling, took, now))
        response = self._without_loops(seen, response)
        self._remember(request, response, _Talk(talk.spent.plus(took), caller))
        return msgspec.structs.replace(
            response,
            guard_seconds=response.guard_seconds + self._timer() - began,
            changed_request=response.changed_request or put != request,
        )

    async def _put(self, request: Request, release: Release | None) -> Response:
        if release is None:
            return await self._target.ask(request)
        return await cast("StreamingTarget", self._target).ask(request, release)

    def _key(self, request: Request, talk: _Talk) -> str:
        if self._caller:
            return self._caller(request)
        if self._shared or talk.caller:
            return talk.caller
        self._alone += 1
        return f"#{self._alone}"

    def _room_for(self, caller: str, now: float) -> str:
        """By which name an account is kept. Where no more can be, callers whose account could not be forgotten without
        forgetting what they owe share one."""
        accounts = self._memory.accounts
        if caller in accounts or len(accounts) < self._limits.options.callers:
            return caller
        oldest = next(iter(accounts))
        if self._shared and not self._limits.rested(accounts[oldest], now):
            return OTHERS
        del accounts[oldest]
        return caller

    def _account(self, caller: str, now: float) -> Account:
        return self._memory.accounts.get(caller) or self._limits.opened(now)

    def _keep(self, caller: str, account: Account) -> None:
        if self._limits.options.by_caller:
            if self._memory.kept is not None:
                self._memory.kept(caller, account)
            self._memory.accounts[caller] = account
            self._memory.accounts.move_to_end(caller)

    def _remember(self, request: Request, response: Response, talk: _Talk) -> None:
        answer = Message(role="assistant", content=response.text, tool_calls=response.tool_calls)
        digest = _digest(request.prompt, (*request.messages, answer))
        self._memory.talks[digest] = talk
        self._memory.talks.move_to_end(digest)
        if len(self._memory.talks) > CONVERSATIONS:
            self._memory.talks.popitem(last=False)

    def _without_loops(self, seen: Tally, response: Response) -> Response:
        """The answer with the calls that may be carried out; where none is left of several, it ends the work."""
        ruled = self._limits.withheld(seen, response.tool_calls)
        reasons = [reason for _, reason in ruled if reason]
        told = tuple(self._decision(reason, "call", call.name) for call, reason in ruled if reason)
        if not reasons:
            return response
        kept = tuple(call for call, reason in ruled if not reason)
        ended = (
            {}
            if kept
            else {"finish": BLOCKED, "text": "\n".join(filter(None, (response.text, self._words(reasons[0]))))}
        )
        return msgspec.structs.replace(
            response,
            tool_calls=kept,
            raw=response.text if response.raw is None else response.raw,
            decisions=(*response.decisions, *told),
            changed_request=True,
            **ended,
        )

    def _refusal(self, ruling: Refused, seconds: float) -> Response:
        text = self._words(ruling.reason, seconds=ruling.seconds)
        decisions = (self._decision(ruling.reason, "user"),)
        return Response(text=text, finish=BLOCKED, decisions=decisions, guard_seconds=seconds)

    def _decision(self, reason: str, role: Role, tool: str = "") -> GuardDecision:
        action: Literal["block", "withhold"] = "withhold" if tool else "block"
        return GuardDecision(guard=self._name, role=role, action=action, reason=reason, tool=tool)

    def _words(self, reason: str, seconds: float = 0.0) -> str:
        texts: dict[str, Any] = table("limits")["words"][reason]
        whole = str(max(1, round(seconds + 0.5))) if seconds < float("inf") else "-"
        return str(texts[self._limits.options.language]).format(seconds=whole)


def _until_answer(request: Request) -> bytes:
    """The conversation up to its last answer; nothing where there was none."""
    places = [i for i, message in enumerate(request.messages) if message.role == "assistant"]
    return _digest(request.prompt, request.messages[: places[-1] + 1]) if places else b""


def _digest(prompt: str, messages: Sequence[Message]) -> bytes:
    hashed = sha256()
    texts = [prompt]
    for message in messages:
        texts += [message.role, message.content, message.tool_call_id, str(len(message.tool_calls))]
        texts += [text for call in message.tool_calls for text in (call.id, call.name, call.arguments)]
    for text in texts:
        raw = text.encode("utf-8", "surrogatepass")
        hashed.update(b"%d:" % len(raw) + raw)
    return hashed.digest()
