"""What can carry a text in a request beside its messages: every string that no dialect reads as one, by default.

A place is written as its path in the body, with `[]` for every index. What is known to hold no text of anybody
(numbers, and the words of the protocols themselves) is not read; what nobody here knows is.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from aloi.solutions.gateway.dialects.dialect import Beside, Body, Path
from aloi.solutions.tables import table
from aloi.system.messages import Role

# Tools and forms of answers: whoever described them may be a stranger, as behind MCP.
DESCRIBED = frozenset(
    {"tools", "tool_choice", "response_format", "text", "output_config", "output_format", "functions", "function_call"}
)
# So many of them are read each by itself, the rest together.
APART = 128
# Keys and values that say nothing by themselves.
WORDS = frozenset(table("protocol-words")["words"])


PARAMETERS = frozenset(table("protocol-words")["parameters"])

Kinds = frozenset[str] | None
"""Of which types an object must be for something in it to count; None is any."""


class Places(Struct, frozen=True):
    """Of one dialect, by places: what it reads as a message or binds to words of the protocol (`read`) or leaves out
    whole (`skipped`), each within objects of some types; of which types the parts are that it reads (`parts`); what
    its owner may want unread (`unread`); what names calls and cannot be changed (`fixed`). `names` are the keys that it
    knows, `kind` the type of an object that tells none."""

    read: Mapping[str, Kinds]
    skipped: Mapping[str, Kinds] = {}
    parts: Mapping[str, frozenset[str]] = {}
    unread: frozenset[str] = frozenset()
    fixed: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    kind: str = ""


class _Found(Struct):
    role: Role
    leaves: list[tuple[Path, str]]
    names: list[str]


def surroundings(body: Body, places: Places, *, passes: bool) -> list[Beside]:
    """The texts beside the messages, those of one part of the request together. `passes`: unread parts may pass."""
    found: dict[str, _Found] = {}
    for path, where, text in _strings(body, places, passes=passes):
        group, role = _group(path, where, places)
        one = found.get(group)
        if one is None:
            one = found[group] = _Found(role, [], [])
        if path and path[-1] is None:
            one.names.append(text)
        else:
            one.leaves.append((path, text))  # type: ignore[arg-type]  # None stands for a key alone
    return [
        Beside(
            place=place,
            role=one.role,
            leaves=tuple(one.leaves),
            names=tuple(dict.fromkeys(one.names)),
            fixed=place in places.fixed,
        )
        for place, one in found.items()
    ]


_Step = str | int | None


def _strings(body: Body, places: Places, *, passes: bool) -> Iterator[tuple[tuple[_Step, ...], str, str]]:
    """Every string with its path and place; a key has None behind its path."""
    level: list[tuple[tuple[_Step, ...], str, Any, str]] = [((), "", body, "")]
    while level:
        path, where, value, kind = level.pop()
        if (passes and _unread(where, value, places)) or _is_of(places.skipped, where, kind):
            continue
        if isinstance(value, str):
            if value and value.strip() not in WORDS and not value.isspace() and not _is_of(places.read, where, kind):
                yield path, where, value
            continue
        if where in places.read and not _is_of(places.read, where, kind):
            where += "?"  # what is no message is none below either, whatever types it tells there
        if isinstance(value, list):
            level += [((*path, index), f"{where}[]", one, kind) for index, one in reversed(list(enumerate(value)))]
        elif isinstance(value, dict):
            told = value.get("type", places.kind)
            kind = told if isinstance(told, str) else ""
            for key in value:
                if key and key not in WORDS and key not in places.names:
                    yield (*path, key, None), where, key
            inner = [((*path, key), _within(where, key), one, kind) for key, one in value.items()]
            level += reversed(inner)


def _within(where: str, key: str) -> str:
    """The place of a key; one that is written like a place passes for none."""
    if "." in key or "[" in key:
        key = "?"
    return f"{where}.{key}" if where else key


def _is_of(known: Mapping[str, Kinds], where: str, kind: object) -> bool:
    if where not in known:
        return False
    kinds = known[where]
    return kinds is None or kind in kinds


def _unread(where: str, value: Any, places: Places) -> bool:
    """What the owner wants to pass unread."""
    if where in places.unread:
        return True
    kinds = places.parts.get(where)
    return kinds is not None and isinstance(value, dict) and value.get("type", places.kind) not in kinds


def _group(path: tuple[_Step, ...], where: str, places: Places) -> tuple[str, Role]:
    """Which texts are read together, and as whose."""
    top = str(path[0])
    if where in places.fixed:
        return where, "user"
    if top in DESCRIBED:
        index = path[1] if len(path) > 1 and isinstance(path[1], int) and path[1] < APART else None
        return (top if index is None else f"{top}[{index}]"), "document"
    if top in places.names:
        return where if top in {"messages", "input", "system"} else top, "user"
    return "$", "user"


def replaced(body: Body, changes: Mapping[Path, str]) -> Body:
    """The body with other strings at these paths; what is the same is shared."""
    changed: Any = body
    for path, text in changes.items():
        changed = _with(changed, path, text)
    return dict(changed)


def _with(value: Any, path: Path, text: str) -> Any:
    if not path:
        return text
    copied: Any = list(value) if isinstance(value, list) else dict(value)
    copied[path[0]] = _with(copied[path[0]], path[1:], text)
    return copied
