"""Carry one item to its end: the first answer, then tool calls and further turns until nothing follows."""

from collections.abc import Sequence

import msgspec

from aloi.science.attacker import Attempt
from aloi.science.egress import sealed
from aloi.science.environment import Session, environment_for
from aloi.science.items import Item
from aloi.system.messages import GuardDecision, Message, Response
from aloi.system.target import Target


async def carry_out(item: Item, target: Target, attempt: Attempt | None = None) -> Response:
    """The last answer to an item, with all that was said before it. An item with a goal needs an `attempt` at it.

    Raises what `target.ask` raises: an exchange of which one answer is lost is lost as a whole.
    """
    if item.goal:
        assert attempt is not None, "an attacker is opened for every plan that needs one"
        return await _contend(item, target, attempt)
    response = await target.ask(item.request)
    if not item.converses:
        return response
    session = environment_for(item.environment).open(item.state) if item.environment else None
    request, script, answers = item.request, list(item.script), [response]
    while len(answers) < item.max_answers and (turn := _next_turn(response, session, item.environment, script)):
        request = msgspec.structs.replace(request, messages=(*request.messages, *turn))
        response = await target.ask(request)
        answers.append(response)
    return _whole(request.messages[len(item.request.messages) :], answers)


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


def _next_turn(response: Response, session: Session | None, environment: str, script: list[str]) -> tuple[Message, ...]:
    """The answer as it enters the conversation and what is said next; nothing where the exchange has ended."""
    said = Message(role="assistant", content=response.text, tool_calls=response.tool_calls if session else ())
    if session and response.tool_calls:
        with sealed(environment):
            results = [
                Message(role="tool", content=session.call(call), tool_call_id=call.id) for call in response.tool_calls
            ]
        return (said, *results)
    if script:
        return (said, Message(role="user", content=script.pop(0)))
    return ()


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
        changed_request=touched or blocked or any(answer.changed_request for answer in answers),
    )
