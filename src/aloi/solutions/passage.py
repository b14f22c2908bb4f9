"""One exchange on its way through guards: what each of them ruled, and what is left."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Literal, TypeGuard

import msgspec
from msgspec import Struct

from aloi.solutions.catalogue import Remedy
from aloi.solutions.guard import Allow, Ask, Block, Guard, Hardening, Rereading, Rewrite, Ruling
from aloi.system.messages import GuardDecision, Message, Role

Action = Literal["block", "rewrite", "withhold", "approve", "let-pass"]
ERROR, DEADLINE, CONTRACT = "guard-error", "guard-deadline", "guard-contract"
# Reasons that tell of the guard and not of the text.
FAULTS = frozenset({ERROR, DEADLINE, CONTRACT})
RETRIEVED: frozenset[Role] = frozenset({"document", "tool"})

Implementation = Guard | Hardening | Rereading
Screen = Callable[[Guard, Message], Awaitable[Ruling]]
Guards = list[tuple[str, Guard]]


class Passage(Struct):
    """What the guards did to one exchange so far. `refused` ends it; `queries` counts what they asked models.

    `fail_open` lets pass what a guard could not judge in time, or at all.
    """

    decisions: list[GuardDecision] = []
    refused: bool = False
    queries: int = 0
    fail_open: bool = False


def is_guard(implementation: Implementation) -> TypeGuard[Guard]:
    """Whether it screens messages."""
    return hasattr(implementation, "screen")


def guards(remedies: Sequence[Remedy], roles: frozenset[Role]) -> Guards:
    """The guards that read any of these roles, in the order given."""
    return [
        (remedy.name, remedy.implementation)
        for remedy in remedies
        if is_guard(remedy.implementation) and remedy.implementation.roles & roles
    ]


async def through(readers: Guards, message: Message, document: str, screen: Screen, passage: Passage) -> str | None:
    """The text that the guards leave, or None where one blocks."""
    for name, guard in readers:
        if message.role not in guard.roles:
            continue
        match await ruling(name, guard, message, screen, passage, document=document):
            case Allow():
                continue
            case Rewrite(content=content, reason=reason, score=score):
                passage.decisions.append(decision(name, message.role, "rewrite", reason, score, document=document))
                message = msgspec.structs.replace(message, content=content)
            case Block(reason=reason, score=score) | Ask(reason=reason, score=score):
                action: Action = "withhold" if message.role in RETRIEVED else "block"
                passage.decisions.append(decision(name, message.role, action, reason, score, document=document))
                passage.refused = action == "block"
                return None
    return message.content


async def ruling(
    name: str, guard: Guard, message: Message, screen: Screen, passage: Passage, *, document: str = "", tool: str = ""
) -> Ruling:
    """What a guard rules; one that raises or is late blocks, or lets pass where the passage fails open."""
    try:
        found = _ruled(await screen(guard, message))
    except Exception as error:  # noqa: BLE001 - whatever a guard raises, the text it could not judge is withheld
        reason = DEADLINE if isinstance(error, TimeoutError) else ERROR
        found = Block(reason=reason, queries=getattr(guard, "asks", 0))
    passage.queries += found.queries
    if passage.fail_open and isinstance(found, Block) and found.reason in {ERROR, DEADLINE}:
        told = decision(name, message.role, "let-pass", found.reason, found.score, document=document, tool=tool)
        passage.decisions.append(told)
        return Allow(queries=found.queries)
    return found


def _ruled(found: object) -> Ruling:
    """What a guard returned, where it is a ruling. Raises TypeError: guards of others may return anything."""
    match found:
        case Rewrite(content=str(), reason=str()) | Block(reason=str()) | Ask(reason=str()) | Allow():
            return found
    raise TypeError(type(found).__name__)


def decision(
    guard: str, role: Role, action: Action, reason: str, score: float, *, document: str = "", tool: str = ""
) -> GuardDecision:
    """One line of what the guards did."""
    return GuardDecision(
        guard=guard, role=role, action=action, reason=reason, score=score, document=document, tool=tool
    )
