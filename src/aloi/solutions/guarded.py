"""Remedies around a target, and recorded answers re-read through them at no query.

The order is: guards on what the user says, guards on documents and tool results, hardenings, the model, guards on the
answer, each on the text that the one before left. A guard that raises or outlives its deadline blocks.
"""

import math
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Literal, TypeGuard

import msgspec
from msgspec import Struct

from aloi.errors import AskerError
from aloi.solutions.catalogue import Remedy
from aloi.solutions.guard import Allow, Block, Guard, Hardening, Rewrite, Ruling
from aloi.solutions.tables import table
from aloi.solutions.workers import Workers
from aloi.system.messages import Document, GuardDecision, Message, Request, Response, Role
from aloi.system.target import Target
from aloi.translation import N_

Action = Literal["block", "rewrite", "withhold"]
Clock = Callable[[], float]
BLOCKED = "blocked"
ERROR, DEADLINE = "guard-error", "guard-deadline"
_RETRIEVED: frozenset[Role] = frozenset({"document", "tool"})


def default_refusal(language: str = "en") -> str:
    """What the user reads where a guard blocks and the system's owner chose no words of their own."""
    texts: dict[str, str] = table("remedies")["refusal"]
    return texts.get(language, texts["en"])


class NotReplayable(AskerError):
    """A hardening changes what the model is shown, so recorded answers say nothing about it."""

    def __init__(self, name: str) -> None:
        super().__init__(
            N_("{name} changes what the model is shown: its effect cannot be read from recorded answers"),
            remedy=N_("measure it by asking both arms afresh"),
            name=name,
        )


Screen = Callable[[Guard, Message], Awaitable[Ruling]]


class _Passage(Struct):
    """What the guards did to one exchange so far. `refused` ends it."""

    decisions: list[GuardDecision] = []
    refused: bool = False


def _is_guard(implementation: Guard | Hardening) -> TypeGuard[Guard]:
    return hasattr(implementation, "screen")


def _is_hardening(implementation: Guard | Hardening) -> TypeGuard[Hardening]:
    return not _is_guard(implementation)


def _guards(remedies: Sequence[Remedy], roles: frozenset[Role]) -> list[tuple[str, Guard]]:
    """The guards that read any of these roles, in the order given."""
    return [
        (remedy.name, remedy.implementation)
        for remedy in remedies
        if _is_guard(remedy.implementation) and remedy.implementation.roles & roles
    ]


async def _pass(
    guards: list[tuple[str, Guard]], message: Message, document: str, screen: Screen, passage: _Passage
) -> str | None:
    """The text that the guards leave, or None where one blocks."""
    for name, guard in guards:
        if message.role not in guard.roles:
            continue
        match await _ruling(guard, message, screen):
            case Allow():
                continue
            case Rewrite(content=content, reason=reason, score=score):
                passage.decisions.append(_decision(name, message.role, "rewrite", reason, score, document))
                message = msgspec.structs.replace(message, content=content)
            case Block(reason=reason, score=score):
                action: Action = "withhold" if message.role in _RETRIEVED else "block"
                passage.decisions.append(_decision(name, message.role, action, reason, score, document))
                passage.refused = action == "block"
                return None
    return message.content


async def _ruling(guard: Guard, message: Message, screen: Screen) -> Ruling:
    try:
        return await screen(guard, message)
    except TimeoutError:
        return Block(reason=DEADLINE)
    except Exception:  # noqa: BLE001 - whatever a guard raises, the text it could not judge is withheld
        return Block(reason=ERROR)


def _decision(guard: str, role: Role, action: Action, reason: str, score: float, document: str) -> GuardDecision:
    return GuardDecision(guard=guard, role=role, action=action, reason=reason, score=score, document=document)


async def _before(request: Request, remedies: Sequence[Remedy], screen: Screen, passage: _Passage) -> Request:
    """(1) What the user says, then (2) what was retrieved. A user message that is blocked ends the passage.

    A document or tool result that is blocked is left out, and the request goes on without it.
    """
    spoken, retrieved = _guards(remedies, frozenset({"user"})), _guards(remedies, _RETRIEVED)
    kept = dict(enumerate(request.messages))
    for index, message in enumerate(request.messages):
        if message.role == "user":
            text = await _pass(spoken, message, "", screen, passage)
            if text is None:
                return request
            kept[index] = msgspec.structs.replace(message, content=text)
    documents = []
    for document in request.documents:
        said = Message(role="document", content=document.text)
        text = await _pass(retrieved, said, document.id, screen, passage)
        if text is not None:
            documents.append(Document(id=document.id, text=text))
    for index, message in enumerate(request.messages):
        if message.role in _RETRIEVED:
            text = await _pass(retrieved, message, f"messages[{index}]", screen, passage)
            if text is None and not message.tool_call_id:
                del kept[index]
            else:  # the protocol wants a result for every call, be it an empty one
                kept[index] = msgspec.structs.replace(message, content=text or "")
    return msgspec.structs.replace(request, documents=tuple(documents), messages=tuple(kept.values()))


async def _after(
    raw: Response, remedies: Sequence[Remedy], refusal: str, screen: Screen, passage: _Passage
) -> Response:
    """(3) The model's answer as the guards leave it, or the refusal."""
    guards = _guards(remedies, frozenset({"assistant"}))
    text = await _pass(guards, Message(role="assistant", content=raw.text), "", screen, passage)
    if text is None:
        return msgspec.structs.replace(raw, text=refusal, finish=BLOCKED, raw=raw.text, tool_calls=())
    return msgspec.structs.replace(raw, text=text, raw=raw.text)


class GuardedTarget:
    """A target behind remedies; itself a target.

    `refusal` is what the user reads where a guard blocks; `deadline` is in seconds, for each guard on each text.
    `faults` counts guards that failed, by (guard, reason): each such text was withheld.
    """

    def __init__(
        self,
        target: Target,
        remedies: Sequence[Remedy],
        *,
        refusal: str | None = None,
        deadline: float = 1.0,
        clock: Clock = time.perf_counter,
    ) -> None:
        self._target = target
        self._remedies = tuple(remedies)
        self._hardenings = [one.implementation for one in remedies if _is_hardening(one.implementation)]
        self._refusal = default_refusal() if refusal is None else refusal
        self._deadline = deadline
        self._clock = clock
        self._workers = Workers()
        self.faults: Counter[tuple[str, str]] = Counter()

    async def ask(self, request: Request) -> Response:
        """The answer that reaches the user, what the model said, and what the guards did."""
        passage, began = _Passage(), self._clock()
        sent = await _before(request, self._remedies, self._screen, passage)
        response = Response(text=self._refusal, finish=BLOCKED)
        if not passage.refused:
            for hardening in self._hardenings:
                sent = hardening.harden(sent)
            asked = self._clock()
            raw = await self._target.ask(sent)
            began += self._clock() - asked
            response = await _after(raw, self._remedies, self._refusal, self._screen, passage)
        self.faults.update((one.guard, one.reason) for one in passage.decisions if one.reason in {ERROR, DEADLINE})
        return msgspec.structs.replace(
            response,
            decisions=(*response.decisions, *passage.decisions),
            guard_seconds=response.guard_seconds + self._clock() - began,
            changed_request=response.changed_request or sent != request,
        )

    async def _screen(self, guard: Guard, message: Message) -> Ruling:
        began = self._clock()
        ruling = await self._workers.within(self._deadline, lambda: guard.screen(message))
        # A guard that kept the interpreter to itself could not be interrupted; it still was too late.
        return ruling if self._clock() - began <= self._deadline else Block(reason=DEADLINE)


def replay(
    request: Request,
    recorded: Response,
    remedies: Sequence[Remedy],
    *,
    refusal: str | None = None,
    deadline: float = math.inf,
    clock: Clock = time.perf_counter,
) -> Response:
    """A recorded question and answer, re-read through guards at no query.

    A user message that is blocked becomes the refusal, with `raw` None. Where a document would be withheld or
    rewritten, `decisions` say so, `changed_request` is set, and the text is still the recorded answer, which was made
    from the whole request: what the model would have said without is not known. An attack carried by that document
    cannot have worked; a benign request should be counted as lost.

    Raises `NotReplayable` for a hardening. The guards run in the calling thread: a guard that hangs is not interrupted,
    one that ends after `deadline` seconds blocks.
    """
    for remedy in remedies:
        if not remedy.replayable:
            raise NotReplayable(remedy.name)

    async def screen(guard: Guard, message: Message) -> Ruling:
        began = clock()
        ruling = guard.screen(message)
        return ruling if clock() - began <= deadline else Block(reason=DEADLINE)

    words = default_refusal() if refusal is None else refusal
    return _run_to_end(_replayed(request, recorded, remedies, words, screen, clock))


async def _replayed(
    request: Request, recorded: Response, remedies: Sequence[Remedy], refusal: str, screen: Screen, clock: Clock
) -> Response:
    passage, began = _Passage(), clock()
    sent = await _before(request, remedies, screen, passage)
    if passage.refused:
        response = Response(text=refusal, finish=BLOCKED)
    else:
        response = await _after(recorded, remedies, refusal, screen, passage)
    return msgspec.structs.replace(
        response,
        decisions=(*recorded.decisions, *passage.decisions),
        guard_seconds=recorded.guard_seconds + clock() - began,
        changed_request=recorded.changed_request or sent != request,
    )


def _run_to_end(passage: Coroutine[Any, Any, Response]) -> Response:
    """Run a passage in which nothing waits, with no event loop, so that replay works inside one as well."""
    try:
        passage.send(None)
    except StopIteration as end:
        response: Response = end.value
        return response
    passage.close()
    raise AssertionError("a replay never waits")
