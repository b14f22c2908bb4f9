"""Carry one item to its end: the first answer, then tool calls, further turns and later conversations."""

from collections.abc import Iterator, Sequence

import msgspec

from aloi.science.attacker import Attempt
from aloi.science.egress import sealed
from aloi.science.environment import environment_for
from aloi.science.items import Item
from aloi.system.messages import GuardDecision, Message, Request, Response
from aloi.system.target import Target, Unscorable


async def carry_out(item: Item, target: Target, attempt: Attempt | None = None) -> Response:
    """The last answer to an item, with all that was said before it. An item with a goal needs an `attempt` at it.

    Raises what `target.ask` raises: an exchange of which one answer is lost is lost as a whole. An agent that has
    nothing to say once its tools have run is no lost answer: its last word is empty.
    """
    if item.goal:
        assert attempt is not None, "an attacker is opened for every plan that needs one"
        return await _contend(item, target, attempt)
    response = await target.ask(item.request)
    if not item.converses:
        return response
    exchange = _Exchange(item)
    while exchange.goes_on(response):
        response = await _answer(target, exchange.request, silent=bool(item.environment))
    return exchange.whole()


async def _contend(item: Item, target: Target, attempt: Attempt) -> Response:
    """All turns of an attacker. It reads every answer, and does not know whether one of them gave way."""
    messages = item.request.messages
    answers: list[Response] = []
    while len(answers) < attempt.turns:
        said = await attempt.turn(messages[len(item.request.messages) :])
        messages = (*messages, Message(role="user", content=said))
        response = await target.ask(msgspec.structs.replace(item.request, messages=messages))
        answers.append(response)
        messages = (*messages, Message(role="assistant", content=response.text))
    return _whole(messages[len(item.request.messages) : -1], answers)


async def _answer(target: Target, request: Request, *, silent: bool) -> Response:
    try:
        return await target.ask(request)
    except Unscorable as lost:
        if silent and lost.reason == "empty":
            return Response(text="", finish="empty")
        raise


class _Exchange:
    """What was said so far. `request` is what the model is shown next."""

    def __init__(self, item: Item) -> None:
        self._item = item
        self._session = environment_for(item.environment).open(item.state) if item.environment else None
        self._script, self._sequel = list(item.script), list(item.sequel)
        self._earlier: list[Message] = []
        self._answers: list[Response] = []
        self.request = item.request

    def goes_on(self, response: Response) -> bool:
        """Take in an answer; whether the model is asked again."""
        self._answers.append(response)
        if len(self._answers) >= self._item.max_answers:
            return False
        calls = response.tool_calls if self._session else ()
        turn = [Message(role="assistant", content=response.text, tool_calls=calls)]
        if self._session and calls:
            with sealed(self._item.environment):
                turn += [Message(role="tool", content=self._session.call(call), tool_call_id=call.id) for call in calls]
        interrupts = 0 < self._item.interrupt <= len(self._answers)
        if self._script and (interrupts or not calls):
            turn.append(Message(role="user", content=self._script.pop(0)))
        elif not calls and self._sequel:
            self._begin_again(turn)
            return True
        elif not calls:
            return False
        self._earlier += turn
        self.request = msgspec.structs.replace(self.request, messages=(*self.request.messages, *turn))
        return True

    def _begin_again(self, turn: list[Message]) -> None:
        first = Message(role="user", content=self._sequel.pop(0))
        self._earlier += [*turn, first]
        self.request = msgspec.structs.replace(self._item.request, messages=(first,))

    def whole(self) -> Response:
        """One response for all of it."""
        return _whole(self._earlier, self._answers)


def conversation(item: Item, recorded: Response) -> Iterator[tuple[Request, Response]]:
    """Each answer of a recorded exchange, in order, with what the model had been shown when it gave it."""
    said = 0
    messages = item.request.messages
    for message in recorded.earlier:
        if message.role == "assistant":
            before = msgspec.structs.replace(item.request, messages=messages)
            yield before, Response(text=message.content, tool_calls=message.tool_calls)
        if message.role == "user":
            said += 1
            if item.sequel and said > len(item.script):  # a new conversation, with an empty memory
                messages = ()
        messages = (*messages, message)
    last = Response(text=recorded.text, tool_calls=recorded.tool_calls)
    yield msgspec.structs.replace(item.request, messages=messages), last


def _whole(earlier: Sequence[Message], answers: Sequence[Response]) -> Response:
    """One response for the whole exchange. What a guard did to an early answer changed every later request."""
    touched = any(answer.raw is not None and answer.raw != answer.text for answer in answers[:-1])
    blocked = any(answer.raw is None and answer.decisions for answer in answers[:-1])
    # Guards read the whole conversation at each turn: a decision on an early message is told again and again.
    decisions: dict[GuardDecision, None] = dict.fromkeys(d for answer in answers for d in answer.decisions)
    return msgspec.structs.replace(
        answers[-1],
        earlier=tuple(earlier),
        prompt_tokens=sum(answer.prompt_tokens for answer in answers),
        completion_tokens=sum(answer.completion_tokens for answer in answers),
        seconds=sum(answer.seconds for answer in answers),
        decisions=tuple(decisions),
        guard_seconds=sum(answer.guard_seconds for answer in answers),
        extra_queries=sum(answer.extra_queries for answer in answers),
        changed_request=touched or blocked or any(answer.changed_request for answer in answers),
    )
