"""The turns of Anthropic's messages: a text, uses of tools and results of tools, which guards read apart."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from aloi.solutions.gateway.dialects.bodies import fitted, missing, refused
from aloi.solutions.gateway.dialects.contents import Part, Unread, respoken, retold, sealed, spoken, text_of, unreadable
from aloi.solutions.gateway.dialects.dialect import Body
from aloi.solutions.gateway.dialects.messages_answers import content_of
from aloi.solutions.gateway.dialects.messages_thoughts import SEALED
from aloi.system.messages import Message, Role, ToolCall
from aloi.system.rendering import ChatMessage
from aloi.translation import N_

TEXTS = frozenset({"text"})
_CONTENT: Any = str | list[Part] | None
_ROLES: dict[str, Role] = {"user": "user", "assistant": "assistant", "system": "system"}


class Block(Struct):
    """One block of a content, as far as it is read."""

    type: str
    text: str | None = None
    id: str | None = None
    name: str | None = None
    input: dict[str, Any] | None = None
    tool_use_id: str | None = None
    content: Any = None
    data: Any = None


class Turn(Struct):
    """One message as the client wrote it."""

    role: str
    content: str | list[Block]


class Said(Struct, frozen=True):
    """What guards read of one turn at `place`: its text (`block` is -1), or the result that is one of its blocks."""

    place: int
    block: int
    message: Message


def said(turns: Sequence[Turn], unread: Unread) -> list[Said]:
    """The messages of all turns, in order. Raises Malformed."""
    return [one for place, turn in enumerate(turns) for one in _of_turn(place, turn, unread)]


def _of_turn(place: int, turn: Turn, unread: Unread) -> list[Said]:
    field = f"messages[{place}]"
    role = _ROLES.get(turn.role)
    if role is None:
        refused(
            f"{field}.role",
            N_("{field} is none of the protocol's: {role}"),
            N_("use user or assistant"),
            role=turn.role[:60],
        )
    if isinstance(turn.content, str):
        return [Said(place, -1, Message(role=role, content=turn.content))]
    found: list[Said] = []
    texts: list[str] = []
    calls: list[ToolCall] = []
    at = None  # the text of a turn stands where its first text, or its first use of a tool, does
    for index, block in enumerate(turn.content):
        where = f"{field}.content[{index}]"
        if block.type == "tool_result" and role == "user":
            found.append(Said(place, index, _result(block, where, unread)))
            continue
        if block.type == "text":
            texts.append(text_of(block.text, where))
        elif block.type == "tool_use" and role == "assistant":
            calls.append(_use(block, where))
        elif unread == "refuse" and not (block.type == SEALED and role == "assistant" and sealed(block.data)):
            unreadable(where, block.type)
        at = len(found) if at is None else at
    if texts or calls or not found:
        message = Message(role=role, content="\n".join(texts), tool_calls=tuple(calls))
        found.insert(at or 0, Said(place, -1, message))
    return found


def _use(block: Block, field: str) -> ToolCall:
    if not block.id or not block.name or block.input is None:
        missing(f"{field}.{'id' if not block.id else 'name' if not block.name else 'input'}")
    return ToolCall(id=block.id, name=block.name, arguments=msgspec.json.encode(block.input).decode())


def _result(block: Block, field: str, unread: Unread) -> Message:
    if not block.tool_use_id:
        refused(
            f"{field}.tool_use_id",
            N_("{field} is missing: a result belongs to a call"),
            N_("name the call that it is the result of"),
        )
    where = f"{field}.content"
    content = fitted(block.content, _CONTENT, where)
    return Message(role="tool", content=spoken(content, where, TEXTS, unread), tool_call_id=block.tool_use_id)


def rewritten(turns: list[Body], was: Sequence[Said], now: Sequence[Message]) -> list[Body]:
    """The turns of a body with other texts and arguments of calls; what is the same stands as written."""
    texts: dict[int, dict[int, str]] = {}
    calls: dict[int, Sequence[ToolCall]] = {}
    for one, new in zip(was, now, strict=True):
        if new.content != one.message.content:
            texts.setdefault(one.place, {})[one.block] = new.content
        if new.tool_calls != one.message.tool_calls:
            calls[one.place] = new.tool_calls
    turns = [_recalled(turn, calls[place]) if place in calls else turn for place, turn in enumerate(turns)]
    return [_rewritten(turn, texts[place]) if place in texts else turn for place, turn in enumerate(turns)]


def _recalled(turn: Body, calls: Sequence[ToolCall]) -> Body:
    """A turn with other arguments of its calls."""
    left = iter(calls)
    content = [
        block | {"input": msgspec.json.decode(next(left).arguments)} if block["type"] == "tool_use" else block
        for block in turn["content"]
    ]
    return turn | {"content": content}


def _rewritten(turn: Body, texts: dict[int, str]) -> Body:
    content = turn["content"]
    if isinstance(content, list):
        content = [
            block | {"content": retold(block.get("content"), texts[index], TEXTS)} if index in texts else block
            for index, block in enumerate(content)
        ]
    if -1 in texts:
        content = respoken(content, texts[-1], TEXTS)
    return turn | {"content": content}


def of_chat(messages: Sequence[ChatMessage], calls: Mapping[str, ToolCall]) -> list[Body]:
    """Messages of our own as turns; results that follow one another are one turn, as the protocol wants them.

    `calls` are those of the messages by their ids: a chat tells nothing of the thinking behind them.
    """
    written: list[Body] = []
    results: list[Body] = []
    for message in messages:
        if message["role"] != "tool":
            results = []
            written.append({"role": message["role"], "content": _content(message, calls)})
            continue
        if not results:
            written.append({"role": "user", "content": results})
        results.append({"type": "tool_result", "tool_use_id": message["tool_call_id"], "content": message["content"]})
    return written


def _content(message: ChatMessage, calls: Mapping[str, ToolCall]) -> str | list[Body]:
    made = tuple(calls[call["id"]] for call in message.get("tool_calls", ()))
    return content_of(message["content"], made) if made else str(message["content"])
