"""What the result of a tool says: its texts, which guards read, and what nobody can read."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

# A part of these types holds what is no text under this name.
_UNREAD = {"image": "data", "audio": "data"}
# Words of the protocol, which stand for themselves.
_FIXED = frozenset({"type", "mimeType", "resultType"})


def unread(result: Mapping[str, Any]) -> str:
    """The first kind of part that no guard can read; empty where there is none."""
    content = result.get("content")
    for part in content if isinstance(content, list) else ():
        if isinstance(part, dict) and (part.get("type") in _UNREAD or "blob" in _resource(part)):
            return str(part.get("type"))[:40]
    return ""


def texts(result: Mapping[str, Any]) -> Iterator[str]:
    """Every text of a result, names and numbers included; of parts that cannot be read all but their data."""
    yield from _texts(result, ())


def _texts(value: Any, path: tuple[str, ...]) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for name, inner in value.items():
                if _is_data(value, name, path) or (name in _FIXED and path in {(), ("content",)}):
                    continue
                if "structuredContent" in path[:1]:
                    yield name
                yield from _texts(inner, (*path, name))
        case list():
            for inner in value:
                yield from _texts(inner, path)
        case bool() | None:
            pass
        case number:
            yield str(number)


def _is_data(part: Mapping[str, Any], name: str, path: tuple[str, ...]) -> bool:
    if path == ("content",):
        return isinstance(part.get("type"), str) and _UNREAD.get(part["type"]) == name
    return path == ("content", "resource") and name == "blob"


def _resource(part: Mapping[str, Any]) -> Mapping[str, Any]:
    inner = part.get("resource")
    return inner if isinstance(inner, dict) else {}


async def rewritten(value: Any, rewrite: Callable[[str], Awaitable[str]], path: tuple[str, ...] = ()) -> Any:
    """A result with each of its texts as `rewrite` leaves it; names, numbers and data stay."""
    match value:
        case str():
            return await rewrite(value)
        case dict():
            return {
                name: inner
                if _is_data(value, name, path) or (name in _FIXED and path in {(), ("content",)})
                else await rewritten(inner, rewrite, (*path, name))
                for name, inner in value.items()
            }
        case list():
            return [await rewritten(inner, rewrite, path) for inner in value]
    return value
