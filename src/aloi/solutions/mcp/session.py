"""The calls of one session and their results, as guards are shown them.

Of a conversation a server of tools sees the calls alone. Guards that ask what the user wanted are told nothing of it:
the provenance gate then refuses what no trusted result and no rule of the owner vouches for.
"""

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from aloi.solutions.arguments import Malformed, read_arguments
from aloi.solutions.calls import rule, told
from aloi.solutions.catalogue import Remedy
from aloi.solutions.gateway.policy import Policy
from aloi.solutions.limits.loops import tally
from aloi.solutions.limits.machine import RequestLimits
from aloi.solutions.mcp.results import rewritten, texts, unread
from aloi.solutions.passage import CONTRACT, Passage, decision, guards, through
from aloi.solutions.timed import Timed
from aloi.system.messages import GuardDecision, Message, Request, ToolCall
from aloi.translation import N_, translate

# What guards are shown of a session stays within these; then no further call is let pass, for what was forgotten could
# not be held against it.
MOST_CALLS, MOST_TEXT = 10_000, 8 * 1024**2
TOO_LONG, UNREAD = "session-too-long", "unreadable"
_WITHHELD = N_("The result of {tool} was withheld by policy ({reason}). The call itself was carried out.")


class Withheld(Exception):
    """A call or a result that does not pass. `text` is what the model reads in its place."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(reason)
        self.text = text
        self.reason = reason


class _Made(msgspec.Struct):
    call: ToolCall
    result: str | None = None


class ToolSession:
    """The guards of a policy around the tools of one session. `decisions` are those about the last call or result."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._screen = Timed(policy.serving.deadline).screen
        self._limits = [
            (one.name, one.implementation) for one in policy.remedies if isinstance(one.implementation, RequestLimits)
        ]
        self._made: dict[str, _Made] = {}
        self._texts = 0
        self.decisions: tuple[GuardDecision, ...] = ()

    @property
    def remedies(self) -> tuple[Remedy, ...]:
        """The remedies that have a say here."""
        return tuple(
            one
            for one in self._policy.remedies
            if isinstance(one.implementation, RequestLimits)
            or (getattr(one.implementation, "roles", frozenset()) & {"assistant", "call", "tool"})
        )

    async def called(self, key: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """The parameters of a call as the guards leave it. Raises Withheld."""
        name, arguments = params.get("name"), params.get("arguments", {})
        call = ToolCall(
            id=f"{len(self._made)}:{key}",
            name=name if isinstance(name, str) else "",
            arguments="{}" if arguments is None else json.dumps(arguments, ensure_ascii=False),
        )
        passage = Passage(fail_open=self._policy.serving.fail_open)
        before = self._before()
        reason = self._exceeded(call, before, passage)
        left: ToolCall | None = None
        if not reason:
            ruled = await rule([call], before, self._policy.remedies, self._screen, passage)
            left = next(iter(ruled.kept), None)
            reason = ruled.withheld[0][1] if ruled.withheld else ""
        changed = None
        if left is not None and left.arguments != call.arguments:
            changed = _arguments(left)
            reason = "" if changed is not None else CONTRACT
        self.decisions = tuple(passage.decisions)
        if left is None or reason:
            raise Withheld(told([(call, reason)], self._policy.language)[0].content, reason)
        self._made[key] = _Made(left)
        self._texts += len(left.arguments) + len(call.name)
        return params if changed is None else {**params, "arguments": changed}

    def unanswered(self, key: str) -> None:
        """A call has no result, and will have none."""
        made = self._made.get(key)
        if made is not None:
            self._close(key, made, "")

    async def answered(self, key: str, result: Mapping[str, Any]) -> Mapping[str, Any]:
        """The result of a call as the guards leave it; the very one where they change nothing. Raises Withheld."""
        made = self._made.get(key) or _Made(ToolCall(id=key, name=""))
        passage = Passage(fail_open=self._policy.serving.fail_open)
        try:
            left = await self._read(made.call, result, passage)
        except Withheld:
            self._close(key, made, "")
            raise
        finally:
            self.decisions = tuple(passage.decisions)
        self._close(key, made, "\n".join(texts(left)))
        return left

    async def _read(self, call: ToolCall, result: Mapping[str, Any], passage: Passage) -> Mapping[str, Any]:
        if self._policy.serving.unread == "refuse" and (what := unread(result)):
            raise self._withheld(call, f"{UNREAD}: {what}")
        said = "\n".join(texts(result))
        left = await self._through(call, said, passage)
        if left == said:
            return result

        async def one(text: str) -> str:
            return await self._through(call, text, passage)

        changed: Mapping[str, Any] = await rewritten(result, one)
        again = "\n".join(texts(changed))
        if await self._through(call, again, passage) != again:
            raise self._withheld(call, CONTRACT)
        return changed

    async def _through(self, call: ToolCall, text: str, passage: Passage) -> str:
        readers = guards(self._policy.remedies, frozenset({"tool"}))
        message = Message(role="tool", content=text, tool_call_id=call.id)
        left = await through(readers, message, call.id, self._screen, passage)
        if left is None:
            raise self._withheld(call, passage.decisions[-1].reason)
        return left

    def _withheld(self, call: ToolCall, reason: str) -> Withheld:
        shown = call.name if call.name.isidentifier() else json.dumps(call.name[:64])
        return Withheld(translate(_WITHHELD, self._policy.language).format(tool=shown, reason=reason), reason)

    def _exceeded(self, call: ToolCall, before: Request, passage: Passage) -> str:
        """Why a call is one too many; empty where it is not."""
        if len(self._made) >= MOST_CALLS or self._texts > MOST_TEXT:
            return TOO_LONG
        for name, limits in self._limits:
            ((_, reason),) = limits.withheld(tally(before.messages), (call,))
            if reason:
                passage.decisions.append(decision(name, "call", "withhold", reason, 1.0, tool=call.name))
                return reason
        return ""

    def _close(self, key: str, made: _Made, result: str) -> None:
        """Keep the call by a name of its own, for clients may use an identity again."""
        self._made.pop(key, None)
        made.result = result
        self._made[f"{len(self._made)}/{made.call.id}"] = made
        self._texts += len(result)

    def _before(self) -> Request:
        """The session so far: each call with its result, then those that are under way."""
        messages: list[Message] = []
        for made in self._made.values():
            if made.result is not None:
                messages.append(Message(role="assistant", content="", tool_calls=(made.call,)))
                messages.append(Message(role="tool", content=made.result, tool_call_id=made.call.id))
        under_way = tuple(made.call for made in self._made.values() if made.result is None)
        if under_way:
            messages.append(Message(role="assistant", content="", tool_calls=under_way))
        return Request(prompt=self._policy.prompt, messages=tuple(messages))


def _arguments(call: ToolCall) -> dict[str, Any] | None:
    """The arguments of a call that a guard has rewritten; None where it left none that can be read."""
    try:
        return read_arguments(call.arguments)
    except Malformed:
        return None
