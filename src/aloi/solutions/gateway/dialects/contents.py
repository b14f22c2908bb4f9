"""What a message holds: texts, which guards read, and parts that are none, which nobody can read."""

import re
from collections.abc import Collection, Sequence
from typing import Any, Literal, NoReturn

from msgspec import Struct

from aloi.solutions.gateway.dialects.bodies import refused
from aloi.solutions.gateway.dialects.dialect import Body
from aloi.translation import N_

# What is done with what guards cannot read: the request is refused, or it passes on as it is.
Unread = Literal["refuse", "pass"]

_REMEDY = N_("send text alone, or let the gateway's owner set unread to pass")
_CODED = re.compile(r"[A-Za-z0-9+/_.-]+={0,2}")
REASONING = frozenset({"reasoning", "reasoning_content", "reasoning_details", "thinking"})


class Part(Struct):
    """One part of a content, as far as it is read."""

    type: str
    text: str | None = None
    refusal: str | None = None


def spoken(content: str | Sequence[Part] | None, field: str, kinds: Collection[str], unread: Unread) -> str:
    """The text of a content: its parts of these kinds, joined by a newline. Raises Malformed."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    texts = []
    for index, part in enumerate(content):
        where = f"{field}[{index}]"
        if part.type in kinds:
            if part.text is not None and part.refusal is not None:
                refused(
                    where,
                    N_("{field} is a text and a refusal at once"),
                    N_("send two parts, each of its type"),
                )
            texts.append(text_of(part.refusal if part.type == "refusal" else part.text, where))
        elif unread == "refuse":
            unreadable(where, part.type)
    return "\n".join(texts)


def sealed(data: object) -> bool:
    """Whether it is of the form in which a model's maker hands out what only it can read."""
    return isinstance(data, str) and bool(_CODED.fullmatch(data))


def text_of(text: str | None, field: str) -> str:
    """The text of a part of text. Raises Malformed where it has none."""
    if text is None:
        refused(field, N_("{field} is a part of text without a text"), N_("give it a text, or leave the part out"))
    return text


def refuse_unread(body: Body, names: Collection[str]) -> None:
    """Raise Malformed for the first field of these that is set: what it stands for is read by no guard."""
    for name in sorted(body.keys() & names):
        if body[name] not in (None, [], ""):  # an empty object asks for what is usual
            refused(name, N_("{field} stands for what no guard can read"), _REMEDY)


def unreadable(field: str, what: str) -> NoReturn:
    """Raise Malformed for what no guard can read."""
    refused(
        field,
        N_("{field} holds what no guard can read: {what}"),
        _REMEDY,
        what=what[:60],
    )


def retold(content: Any, text: str, kinds: Collection[str], kind: str = "text") -> Any:
    """The content of a result with another text. Where that was withheld, nothing of the result is left: what stands
    beside it comes from the same stranger."""
    return respoken(content, text, kinds, kind) if text else ""


def respoken(content: Any, text: str, kinds: Collection[str], kind: str = "text") -> Any:
    """A content as written, with another text: in its first part of these kinds, the others gone. Parts that are no
    text stay. `kind` is that of a part of text where there was none."""
    if not isinstance(content, list):
        return text
    first = next((part for part in content if part["type"] in kinds), {"type": kind})
    told = first | {"refusal" if first["type"] == "refusal" else "text": text}
    others = [part for part in content if part["type"] not in kinds]
    if not others:
        return [told] if text else ""
    if not text:
        return others
    place = sum(part["type"] not in kinds for part in content[: content.index(first)]) if first in content else 0
    return [*others[:place], told, *others[place:]]
