"""The arguments of a tool call as the model wrote them, read in one way or not at all."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NoReturn

# Beyond, a text is not worth reading: no tool of ours takes as much.
LONGEST = 8 * 1024 * 1024


class Malformed(ValueError):
    """These arguments can be read in several ways or in none: no constraint on them can be shown to hold."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):  # readers of JSON differ on which of two values counts (RFC 8259, section 4)
        raise Malformed("a key stands twice")
    return found


def _constant(name: str) -> NoReturn:
    raise Malformed(f"{name} is no JSON")


def read_arguments(written: str) -> dict[str, Any]:
    """The arguments by name; none where nothing was written. Numbers with a fraction are Decimal, exactly as written.

    Raises Malformed for what is not one JSON object, for a key that stands twice at any depth, NaN and Infinity.
    """
    if not written.strip():
        return {}
    if len(written) > LONGEST:
        raise Malformed(f"longer than {LONGEST} characters")
    try:
        value = json.loads(written, object_pairs_hook=_object, parse_float=Decimal, parse_constant=_constant)
    except (ValueError, RecursionError) as error:
        raise Malformed(str(error)[:120]) from None
    if not isinstance(value, dict):
        raise Malformed("not an object")
    return value


def texts(value: object) -> Iterator[str]:
    """Every text in a value, keys of inner objects and numbers included, in order of writing."""
    waiting = [value]
    while waiting:
        match waiting.pop():
            case str() as text:
                yield text
            case dict() as inner:
                waiting.extend(reversed([part for pair in inner.items() for part in pair]))
            case list() as inner:
                waiting.extend(reversed(inner))
            case bool() | None:
                continue
            case number:
                yield str(number)
