"""The input of OpenAI's responses: a text, or items, each a message, a call, a result, or something else."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from aloi.solutions.gateway.dialects.bodies import fitted, missing, refused
from aloi.solutions.gateway.dialects.contents import Part, Unread, respoken, retold, sealed, spoken, unreadable
from aloi.solutions.gateway.dialects.dialect import Body
from aloi.system.messages import Message, Role, ToolCall
from aloi.system.rendering import ChatMessage
from aloi.translation import N_

TEXTS = frozenset({"input_text", "output_text", "refusal"})
_HEAD = frozenset({"system", "developer"})
_ROLES: dict[str, Role] = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
_CONTENT: Any = str | list[Part]


class Item(Struct):
    """One item, as far as it is read."""

    type: str = "message"
    role: str | None = None
    content: Any = None
    call_id: str | None = None
    name: str | None = None
    arguments: Any = None
    output: Any = None
    summary: Any = None
    encrypted_content: Any = None


class Said(Struct, frozen=True):
    """What guards read of the item at `place`."""

    place: int
    message: Message


def said(items: Sequence[Item], unread: Unread) -> list[Said]:
    """The messages of all items that hold one, in order. Raises Malformed."""
    found = []
    for place, item in enumerate(items):
        message = _of_item(f"input[{place}]", item, unread)
        if message is not None:
            found.append(Said(place, message))
    return found


def head(items: Sequence[Item]) -> int:
    """How many messages of the system stand before all others."""
    return next(
        (i for i, item in enumerate(items) if item.type != "message" or item.role not in _HEAD),
        len(items),
    )


def _of_item(field: str, item: Item, unread: Unread) -> Message | None:
    match item.type:
        case "message":
            if item.role is None:
                missing(f"{field}.role")
            role = _ROLES.get(item.role)
            if role is None:
                refused(
                    f"{field}.role",
                    N_("{field} is none of the protocol's: {role}"),
                    N_("use system, developer, user or assistant"),
                    role=item.role[:60],
                )
            where = f"{field}.content"
            return Message(role=role, content=spoken(fitted(item.content, _CONTENT, where), where, TEXTS, unread))
        case "function_call":
            if not item.call_id or not item.name or item.arguments is None:
                missing(f"{field}.{'call_id' if not item.call_id else 'name' if not item.name else 'arguments'}")
            arguments = fitted(item.arguments, str, f"{field}.arguments")
            return Message(
                role="assistant",
                content="",
                tool_calls=(ToolCall(id=item.call_id, name=item.name, arguments=arguments),),
            )
        case "function_call_output":
            if not item.call_id:
                refused(
                    f"{field}.call_id",
                    N_("{field} is missing: a result belongs to a call"),
                    N_("name the call that it is the result of"),
                )
            where = f"{field}.output"
            content = spoken(fitted(item.output, _CONTENT, where), where, TEXTS, unread)
            return Message(role="tool", content=content, tool_call_id=item.call_id)
    if unread == "refuse" and not _sealed(item):
        unreadable(field, item.type)
    return None


def _sealed(item: Item) -> bool:
    """Whether an item is reasoning that nobody but its maker can write or read."""
    return item.type == "reasoning" and sealed(item.encrypted_content) and not item.summary and not item.content


def rewritten(items: list[Body], was: Sequence[Said], now: Sequence[Message]) -> list[Body]:
    """The items of a body with other texts and arguments of calls; what is the same stands as written."""
    changes = {
        one.place: new
        for one, new in zip(was, now, strict=True)
        if (new.content, new.tool_calls) != (one.message.content, one.message.tool_calls)
    }
    return [one for i, item in enumerate(items) for one in (_respoken(item, changes[i]) if i in changes else [item])]


def _respoken(item: Body, now: Message) -> list[Body]:
    if item.get("type") == "function_call":  # a call has no place for a text: it stands before
        said = [{"role": "assistant", "content": now.content}] if now.content else []
        return [*said, item | {"arguments": now.tool_calls[0].arguments}]
    text = now.content
    if item.get("type") == "function_call_output":
        return [item | {"output": retold(item["output"], text, TEXTS, "input_text")}]
    kind = "output_text" if item.get("role") == "assistant" else "input_text"
    return [item | {"content": respoken(item["content"], text, TEXTS, kind)}]


def of_chat(messages: Sequence[ChatMessage]) -> list[Body]:
    """Messages of our own as items."""
    items: list[Body] = []
    for message in messages:
        if message["role"] == "tool":
            output = {"call_id": message["tool_call_id"], "output": message["content"]}
            items.append({"type": "function_call_output"} | output)
            continue
        if message["content"] or "tool_calls" not in message:
            items.append({"role": message["role"], "content": message["content"]})
        items += (
            {"type": "function_call", "call_id": call["id"]} | call["function"]
            for call in message.get("tool_calls", ())
        )
    return items
