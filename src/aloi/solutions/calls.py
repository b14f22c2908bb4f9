"""Tool calls on their way through guards: which of an answer's calls may be carried out.

A call passes when every guard lets it pass, in the order of the remedies. Guards of the role `call` are handed the call
with what came before it. Guards on answers read what the call says, all its texts at once: where they would have
changed a text, the call is withheld, since nobody edits an action behind the back of the one who takes it.
"""

import json
from collections.abc import Awaitable, Callable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from aloi.solutions.arguments import Malformed, read_arguments, texts
from aloi.solutions.catalogue import Remedy
from aloi.solutions.guard import Allow, Ask, Block, Guard, Rewrite, Ruling, about_call
from aloi.solutions.passage import Passage, Screen, decision, guards, ruling
from aloi.solutions.tables import table
from aloi.solutions.tools import DESTINATIONS, kind_of
from aloi.system.messages import Message, Request, Role, ToolCall

# Whether a person approves a call. The reason is the guard's.
Approve = Callable[[ToolCall, str], Awaitable[bool]]
_READERS: frozenset[Role] = frozenset({"call", "assistant"})


class Ruled(Struct, frozen=True, kw_only=True):
    """The calls of one answer: those that pass, as they pass, and those that do not, each with the reason.

    `offered` are the names of the tools that the model was offered.
    """

    kept: tuple[ToolCall, ...] = ()
    withheld: tuple[tuple[ToolCall, str], ...] = ()
    offered: frozenset[str] = frozenset()


async def rule(
    calls: Sequence[ToolCall],
    before: Request,
    remedies: Sequence[Remedy],
    screen: Screen,
    passage: Passage,
    approve: Approve | None = None,
) -> Ruled:
    """Rule on every call of one answer to `before`, in order."""
    readers = guards(remedies, _READERS)
    kept: list[ToolCall] = []
    withheld: list[tuple[ToolCall, str]] = []
    for call in calls:
        left: ToolCall | None = call
        for name, guard in readers:
            assert left is not None
            ruled = await _one((name, guard), left, (before, tuple(kept)), screen, passage)
            left = await _acted(name, left, ruled, passage, approve)
            if left is None:
                withheld.append((call, passage.decisions[-1].reason))
                break
        if left is not None:
            kept.append(left)
    offered = frozenset(tool.name for tool in before.tools)
    return Ruled(kept=tuple(kept), withheld=tuple(withheld), offered=offered)


async def _one(
    reader: tuple[str, Guard],
    call: ToolCall,
    around: tuple[Request, tuple[ToolCall, ...]],
    screen: Screen,
    passage: Passage,
) -> Ruling:
    """A guard's ruling on a call; `around` is the request that it answers, and the calls that were let pass before."""
    name, guard = reader
    if "call" in guard.roles:
        return await ruling(name, guard, about_call(call, *around), screen, passage, tool=call.name)
    said = Message(role="assistant", content=spoken(call, getattr(guard, "reads", "content")))
    ruled = await ruling(name, guard, said, screen, passage, tool=call.name) if said.content else Allow()
    return Block(reason=ruled.reason, score=ruled.score) if isinstance(ruled, Rewrite) else ruled


async def _acted(
    guard: str, call: ToolCall, ruled: Ruling, passage: Passage, approve: Approve | None
) -> ToolCall | None:
    """The call as a ruling leaves it, or None; what was done is written down."""
    match ruled:
        case Allow():
            return call
        case Rewrite(content=content, reason=reason, score=score):
            passage.decisions.append(decision(guard, "call", "rewrite", reason, score, tool=call.name))
            return replace(call, arguments=content)
        case Ask(reason=reason, score=score) if approve is not None and await _approves(approve, call, reason):
            passage.decisions.append(decision(guard, "call", "approve", reason, score, tool=call.name))
            return call
        case Block(reason=reason, score=score) | Ask(reason=reason, score=score):
            passage.decisions.append(decision(guard, "call", "withhold", reason, score, tool=call.name))
            return None


async def _approves(approve: Approve, call: ToolCall, reason: str) -> bool:
    try:
        return await approve(call, reason) is True
    except Exception:  # noqa: BLE001 - who could not be asked has not approved
        return False


def spoken(call: ToolCall, reads: str) -> str:
    """What a guard on answers reads of a call: all of it that is text, or (`content`) not where it goes to.

    Arguments that are no JSON are read as they stand.
    """
    if reads == "answers":
        return ""
    try:
        given = read_arguments(call.arguments)
    except Malformed:
        return call.arguments
    chosen = [value for name, value in given.items() if reads == "all" or kind_of(call.name, name) not in DESTINATIONS]
    return "\n".join(texts([call.name, *given, *chosen] if reads == "all" else chosen))


def told(withheld: Sequence[tuple[ToolCall, str]], language: str) -> list[Message]:
    """The results by which the model learns which of its calls were withheld, one for each call."""
    sentence = _words("withheld", language)
    return [
        Message(role="tool", content=sentence.format(tool=_short(call.name), reason=reason), tool_call_id=call.id)
        for call, reason in withheld
    ]


def note(ruled: Ruled, language: str) -> str:
    """One line for the answer itself, so that later turns and the user know what was not done.

    A tool that was not offered is not named: its name is a text of the model's, and may be the one that was withheld.
    """
    listed = dict.fromkeys(
        f"{_short(call.name)} ({reason})" if call.name in ruled.offered else reason for call, reason in ruled.withheld
    )
    return _words("note", language).format(calls=", ".join(listed))


def _short(name: str) -> str:
    """A tool's name as the model wrote it: it may be anything."""
    return name if name.isidentifier() and len(name) <= 64 else json.dumps(name[:64])


def _words(name: str, language: str) -> str:
    said: dict[str, str] = table("remedies")[name]
    return said.get(language, said["en"])
