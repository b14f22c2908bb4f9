"""What a conversation does again and again: read from its messages alone, so that nothing need be remembered."""

import json
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256

from msgspec import Struct

from aloi.system.messages import Message, ToolCall


class Tally(Struct, frozen=True, kw_only=True):
    """A conversation so far: turns of the user, tool calls, how often each was made, and gave its commonest result."""

    turns: int
    calls: int
    made: Counter[bytes]
    results: dict[bytes, int]


def call_digest(call: ToolCall) -> bytes:
    """Which call this is: the tool and its arguments, in whatever order its keys. What is no JSON counts as written."""
    try:
        written = json.dumps(json.loads(call.arguments), sort_keys=True)
    except (ValueError, RecursionError):
        written = call.arguments.strip()
    return _digest(call.name, written)


def _digest(*texts: str) -> bytes:
    hashed = sha256()
    for text in texts:
        raw = text.encode("utf-8", "surrogatepass")
        hashed.update(b"%d:" % len(raw) + raw)
    return hashed.digest()


def tally(messages: Sequence[Message]) -> Tally:
    """Count a conversation. A result belongs to the call of its id in the answer before, or to the next in order."""
    made: Counter[bytes] = Counter()
    given: Counter[tuple[bytes, bytes]] = Counter()
    open_calls: list[tuple[str, bytes]] = []
    for message in messages:
        if message.role == "assistant":
            open_calls = [(call.id, call_digest(call)) for call in message.tool_calls]
            made.update(digest for _, digest in open_calls)
        elif message.role == "tool" and open_calls:
            place = next((i for i, (of, _) in enumerate(open_calls) if of == message.tool_call_id), 0)
            _, call = open_calls.pop(place)
            given[call, _digest(message.content)] += 1
    results: dict[bytes, int] = {}
    for (call, _), times in given.items():
        results[call] = max(results.get(call, 0), times)
    turns = sum(message.role == "user" for message in messages)
    return Tally(turns=turns, calls=made.total(), made=made, results=results)
