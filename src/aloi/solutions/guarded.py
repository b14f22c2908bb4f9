"""Remedies around a target, and recorded answers re-read through them at no query.

The order is: guards on what the user says, guards on documents and tool results, hardenings, the model, guards on the
answer, each on the text that the one before left, then guards on its tool calls. A guard that raises or outlives its
deadline blocks.

A call that is withheld is not carried out. Where others of the same answer pass, they go on, and a note in the answer
tells what was withheld. Where none passes, the model is told by the results of its calls and asked again, as often as
`AGAIN` says; then the answer goes on without calls. Nothing is remembered from one request to the next, so that a
gateway between an agent and its model does the same.
"""

import math
import time
from collections import Counter
from collections.abc import Coroutine, Sequence
from typing import Any, Protocol, cast

import msgspec

from aloi.errors import AskerError
from aloi.solutions.calls import Approve, Ruled, note, rule, told
from aloi.solutions.catalogue import Remedy
from aloi.solutions.guard import Block, Guard, Release, Ruling
from aloi.solutions.ledger import LEDGER
from aloi.solutions.passage import DEADLINE, FAULTS, RETRIEVED, Passage, Screen, guards, through
from aloi.solutions.streaming import Held
from aloi.solutions.tables import table
from aloi.solutions.timed import Clock, Timed
from aloi.solutions.turns import Turns
from aloi.system.messages import Document, Message, Request, Response, ToolCall
from aloi.system.target import Target, Unscorable
from aloi.translation import N_

BLOCKED = "blocked"
AGAIN = 3
# What parts words that were released from the refusal of the rest.
APART = "\n\n"


class StreamingTarget(Protocol):
    """A target that can hand on its answer while it is made."""

    async def ask(self, request: Request, release: Release | None = None) -> Response:
        """As a target's; the text of the answer begins with all that `release` took. It ends where that says False."""
        ...


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


async def _before(request: Request, remedies: Sequence[Remedy], screen: Screen, passage: Passage) -> Request:
    """(1) What the user says, then (2) what was retrieved. A user message that is blocked ends the passage.

    A document or tool result that is blocked is left out, and the request goes on without it.
    """
    spoken, retrieved = guards(remedies, frozenset({"user"})), guards(remedies, RETRIEVED)
    kept = dict(enumerate(request.messages))
    for index, message in enumerate(request.messages):
        if message.role == "user":
            text = await through(spoken, message, "", screen, passage)
            if text is None:
                return request
            kept[index] = msgspec.structs.replace(message, content=text)
    documents = []
    for document in request.documents:
        said = Message(role="document", content=document.text)
        text = await through(retrieved, said, document.id, screen, passage)
        if text is not None:
            documents.append(Document(id=document.id, text=text))
    for index, message in enumerate(request.messages):
        if message.role in RETRIEVED:
            text = await through(retrieved, message, f"messages[{index}]", screen, passage)
            if text is None and not message.tool_call_id:
                del kept[index]
            else:  # the protocol wants a result for every call, be it an empty one
                kept[index] = msgspec.structs.replace(message, content=text or "")
    return msgspec.structs.replace(request, documents=tuple(documents), messages=tuple(kept.values()))


async def _after(
    raw: Response, ruled: Ruled, remedies: Sequence[Remedy], words: tuple[str, str], screen: Screen, passage: Passage
) -> Response:
    """(3) The model's answer as the guards leave it, with the calls that passed, or the refusal.

    `words` are the refusal, and the language of the note about calls that were withheld.
    """
    readers = guards(remedies, frozenset({"assistant"}))
    refusal, language = words
    text = await through(readers, Message(role="assistant", content=raw.text), "", screen, passage)
    if text is None:
        # An agent whose calls are dropped with its words would have gone on: what it had done is not known.
        changed = raw.changed_request or bool(raw.tool_calls)
        blocked = {"text": refusal, "finish": BLOCKED, "tool_calls": (), "changed_request": changed}
        return msgspec.structs.replace(raw, raw=raw.text, **blocked)
    if ruled.withheld:
        text = "\n".join(filter(None, (text, note(ruled, language))))
    return msgspec.structs.replace(
        raw,
        text=text,
        raw=raw.text,
        tool_calls=ruled.kept,
        changed_request=raw.changed_request or ruled.kept != raw.tool_calls or bool(ruled.withheld),
    )


def _beginning(response: Response, held: Held | None, passage: Passage) -> Response:
    """An answer that begins with what was released of it: the refusal stands behind that."""
    if held is None or not held.released or not passage.refused:
        return response
    return msgspec.structs.replace(response, text=APART.join(filter(None, (held.released, response.text))))


class BrokenStream(Unscorable):
    """A target gave another answer than the one that it had streamed."""

    def __init__(self) -> None:
        super().__init__(
            "broken-stream",
            N_("the target's answer does not begin with the text that it streamed"),
            remedy=N_("ask without streaming, or report it to whoever made the target"),
        )


class _Meter:
    """A target, what it was asked on behalf of one request, and how long that took."""

    def __init__(self, target: Target, clock: Clock) -> None:
        self._target = target
        self._clock = clock
        self.answers: list[Response] = []
        self.asked, self.waited = 0, 0.0
        self._since: float | None = None

    def waiting(self) -> float:
        """The seconds that it was waited for, until now."""
        return self.waited + (self._clock() - self._since if self._since is not None else 0.0)

    async def ask(self, request: Request, release: Release | None = None) -> Response:
        self.asked += 1
        began = self._since = self._clock()
        try:
            if release is None:
                answer = await self._target.ask(request)
            else:
                answer = await cast("StreamingTarget", self._target).ask(request, release)
        finally:
            self.waited += self._clock() - began
            self._since = None
        self.answers.append(answer)
        return answer

    def spent(self, response: Response) -> Response:
        """The answer that is given, with what all of them cost."""
        return msgspec.structs.replace(
            response,
            prompt_tokens=sum(one.prompt_tokens for one in self.answers),
            completion_tokens=sum(one.completion_tokens for one in self.answers),
            seconds=sum(one.seconds for one in self.answers),
            guard_seconds=sum(one.guard_seconds for one in self.answers),
            decisions=tuple(line for one in self.answers for line in one.decisions),
            changed_request=response.changed_request or any(one.changed_request for one in self.answers),
            extra_queries=sum(one.extra_queries for one in self.answers) + max(self.asked - 1, 0),
        )


class GuardedTarget:
    """A target behind remedies; itself a target.

    `refusal` is what the user reads where a guard blocks, `language` that of what is told about calls; `deadline` is
    in seconds, for each guard on each text that has none of its own. `approve` asks a person about a call where a guard
    wants that; without it such a call is withheld. `faults` counts guards that failed, by (guard, reason): each such
    text was withheld, or with `fail_open` let pass where the guard raised or was late. `screen` asks a guard in place
    of one with this deadline: targets of one process share it, so that their long texts take turns.
    """

    def __init__(
        self,
        target: Target | StreamingTarget,
        remedies: Sequence[Remedy],
        *,
        refusal: str | None = None,
        language: str = "en",
        deadline: float = 1.0,
        clock: Clock = time.perf_counter,
        approve: Approve | None = None,
        fail_open: bool = False,
        screen: Screen | None = None,
    ) -> None:
        self._target = target
        self._remedies = tuple(remedies)
        self._words = (default_refusal(language) if refusal is None else refusal, language)
        self._clock = clock
        self._approve = approve
        self._fail_open = fail_open
        self._screen = screen or Turns(Timed(deadline, clock).screen).screen
        self.faults: Counter[tuple[str, str]] = Counter()

    async def ask(self, request: Request, release: Release | None = None) -> Response:
        """The answer that reaches the user, what the model said, and what the guards did.

        `release` takes the beginning of its text while it is made, where answers to the request can be streamed (the
        target is then a `StreamingTarget`); what it did not take is still to be shown. Where a guard blocks after
        something was released, the text is that, and the refusal as a paragraph of its own. Raises `BrokenStream`.
        """
        passage, meter = Passage(fail_open=self._fail_open), _Meter(self._target, self._clock)
        began, held = self._clock(), self._held(request, release, passage)
        if (ledger := LEDGER.get()) is not None:
            ledger.so_far = lambda: self._so_far(passage, meter, held, began)
        try:
            response = await self._answered(request, passage, meter, held)
        finally:
            self.faults.update((one.guard, one.reason) for one in passage.decisions if one.reason in FAULTS)
        waited = meter.waited - (held.seconds if held else 0.0)
        return msgspec.structs.replace(response, guard_seconds=response.guard_seconds + self._clock() - began - waited)

    async def _answered(self, request: Request, passage: Passage, meter: _Meter, held: Held | None) -> Response:
        sent = await _before(request, self._remedies, self._screen, passage)
        response = Response(text=self._words[0], finish=BLOCKED)
        if not passage.refused:
            sent = await self._changed(sent, meter)
            raw, ruled = await self._settled(sent, request, meter, passage, held)
            screen = held.ruled() if held else self._screen
            response = await _after(raw, ruled, self._remedies, self._words, screen, passage)
            response = meter.spent(_beginning(response, held, passage))
        return msgspec.structs.replace(
            response,
            decisions=(*response.decisions, *passage.decisions),
            extra_queries=response.extra_queries + passage.queries,
            changed_request=response.changed_request or sent != request,
        )

    def _so_far(self, passage: Passage, meter: _Meter, held: Held | None, began: float) -> Response:
        """What was done of an exchange that ends here: the text that was released, decisions, tokens and time."""
        waited = meter.waiting() - (held.seconds if held else 0.0)
        told = meter.spent(Response(text=held.released if held else "", finish=""))
        ruled = {one.guard for one in passage.decisions if one.role == "assistant" and one.action != "let-pass"}
        window = [one for one in (held.decisions() if held else ()) if one.guard not in ruled]
        return msgspec.structs.replace(
            told,
            decisions=(*told.decisions, *passage.decisions, *window),
            guard_seconds=told.guard_seconds + max(0.0, self._clock() - began - waited),
        )

    def streams(self, request: Request) -> str:
        """'' where answers to a request are streamed, else the name of the guard for which they are held to their end.

        Such a guard is no `Settling` one, or reads the calls that an answer to a request with tools may make.
        """
        for name, guard in guards(self._remedies, frozenset({"assistant", "call"})):
            reads_calls = "call" in guard.roles or getattr(guard, "reads", "content") != "answers"
            if (request.tools and reads_calls) or ("assistant" in guard.roles and not hasattr(guard, "settled")):
                return name
        return ""

    def _held(self, request: Request, release: Release | None, passage: Passage) -> Held | None:
        if release is None or self.streams(request):
            return None
        readers = guards(self._remedies, frozenset({"assistant"}))
        return Held(readers, self._screen, release, passage, clock=self._clock)

    async def _changed(self, sent: Request, meter: _Meter) -> Request:
        """The request as hardenings, in their order, send it."""
        for remedy in self._remedies:
            change: Any = remedy.implementation
            if hasattr(change, "reread"):
                sent = await change.reread(sent, meter.ask)
            elif hasattr(change, "harden"):
                sent = change.harden(sent)
        return sent

    async def _settled(
        self, sent: Request, request: Request, meter: _Meter, passage: Passage, held: Held | None
    ) -> tuple[Response, Ruled]:
        """An answer of which some call may be carried out, or which makes none; asked for `AGAIN` times more at most.

        All that was withheld on the way is told with it. One of which something was released stands.
        """
        raw = await meter.ask(sent, held.take if held else None)
        if held and not raw.text.startswith(held.taken):
            raise BrokenStream
        withheld: tuple[tuple[ToolCall, str], ...] = ()
        for turn in range(AGAIN + 1):
            ruled = await rule(raw.tool_calls, request, self._remedies, self._screen, passage, self._approve)
            withheld += ruled.withheld
            if ruled.kept or not ruled.withheld or turn == AGAIN or (held and held.released):
                break
            if held:
                held.drop()
            said = Message(role="assistant", content=raw.text, tool_calls=raw.tool_calls)
            results = told(ruled.withheld, self._words[1])
            sent = msgspec.structs.replace(sent, messages=(*sent.messages, said, *results))
            raw = await _last_word(meter, sent)
        return raw, msgspec.structs.replace(ruled, withheld=withheld)


async def _last_word(meter: _Meter, sent: Request) -> Response:
    """An answer after calls were withheld; one who has nothing to say then has ended its work, and lost no answer."""
    try:
        return await meter.ask(sent)
    except Unscorable as lost:
        if lost.reason != "empty":
            raise
        return Response(text="", finish="empty")


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
    cannot have worked; a benign request should be counted as lost. So too where a call would be withheld or changed:
    it is gone from `tool_calls`, and what the model would have done instead is not known.

    Raises `NotReplayable` for a hardening. The guards run in the calling thread: a guard that hangs is not interrupted,
    one that ends after `deadline` seconds blocks.
    """
    screen = _in_thread(remedies, deadline, clock)
    words = (default_refusal() if refusal is None else refusal, "en")
    return _run_to_end(_replayed(request, recorded, remedies, words, screen, clock))


def replay_answer(
    before: Request,
    recorded: Response,
    remedies: Sequence[Remedy],
    *,
    refusal: str | None = None,
    deadline: float = math.inf,
    clock: Clock = time.perf_counter,
) -> Response:
    """One recorded answer of a conversation and its calls, re-read through the guards on answers and calls alone.

    `before` is the conversation up to it, which the other guards are not shown again. It is exact up to the first
    answer that a guard changes; what comes after that in the record was said in another conversation.
    """
    screen = _in_thread(remedies, deadline, clock)
    words = (default_refusal() if refusal is None else refusal, "en")
    return _run_to_end(_answered(before, recorded, remedies, words, screen, clock))


def _in_thread(remedies: Sequence[Remedy], deadline: float, clock: Clock) -> Screen:
    for remedy in remedies:
        if not remedy.replayable:
            raise NotReplayable(remedy.name)

    async def screen(guard: Guard, message: Message) -> Ruling:
        began = clock()
        ruling = guard.screen(message)
        return ruling if clock() - began <= deadline else Block(reason=DEADLINE, queries=ruling.queries)

    return screen


async def _answered(
    before: Request,
    recorded: Response,
    remedies: Sequence[Remedy],
    words: tuple[str, str],
    screen: Screen,
    clock: Clock,
) -> Response:
    passage, began = Passage(), clock()
    ruled = await rule(recorded.tool_calls, before, remedies, screen, passage)
    response = await _after(recorded, ruled, remedies, words, screen, passage)
    return _accounted(response, recorded, passage, clock() - began)


async def _replayed(
    request: Request,
    recorded: Response,
    remedies: Sequence[Remedy],
    words: tuple[str, str],
    screen: Screen,
    clock: Clock,
) -> Response:
    passage, began = Passage(), clock()
    sent = await _before(request, remedies, screen, passage)
    if passage.refused:
        response = Response(text=words[0], finish=BLOCKED)
    else:
        ruled = await rule(recorded.tool_calls, request, remedies, screen, passage)
        response = await _after(recorded, ruled, remedies, words, screen, passage)
    changed = recorded.changed_request or response.changed_request or sent != request
    return msgspec.structs.replace(_accounted(response, recorded, passage, clock() - began), changed_request=changed)


def _accounted(response: Response, recorded: Response, passage: Passage, seconds: float) -> Response:
    return msgspec.structs.replace(
        response,
        decisions=(*recorded.decisions, *passage.decisions),
        extra_queries=recorded.extra_queries + passage.queries,
        guard_seconds=recorded.guard_seconds + seconds,
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
