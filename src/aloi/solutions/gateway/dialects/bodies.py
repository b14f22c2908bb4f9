"""JSON on its way in: from a client as it is, from an upstream as far as the protocol is known.

Of a key that stands twice the last value counts, and it alone is passed on: nobody behind us can read another one.
"""

import re
from collections.abc import Collection
from typing import Any, NoReturn, TypeVar

import msgspec

from aloi.solutions.gateway.dialects.dialect import Body, Broken, Malformed
from aloi.system.openai import ANSWER_LIMIT
from aloi.translation import N_

T = TypeVar("T")
DEPTH = 64
SAID = 300
# Where what is said, and what calls it, stands below the top.
_WITHIN = ("content", "function", "output", "tool_calls")
_MISSING = re.compile(r"missing required field `([^`]*)`")


def names_of(*forms: type[msgspec.Struct]) -> frozenset[str]:
    """The keys that a dialect reads."""
    return frozenset(name for form in forms for name in form.__struct_fields__)


def body_of(data: bytes, names: Collection[str]) -> Body:
    """A client's body: at most `DEPTH` levels deep, and no key passes for one of `names`. Raises Malformed."""
    try:
        body = msgspec.json.decode(data)
    except RecursionError:
        _refuse_depth()
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed(
            "",
            N_("the body is not JSON: {problem}"),
            remedy=N_("send one JSON object in UTF-8"),
            problem=_one_line(error),
        ) from None
    if not isinstance(body, dict):
        raise Malformed("", N_("the body is not a JSON object"), remedy=N_("send one JSON object in UTF-8"))
    if _brackets(data) > DEPTH and too_deep(body):
        _refuse_depth()
    _refuse_lookalikes(body, names)
    return body


def _refuse_lookalikes(body: Body, names: Collection[str]) -> None:
    """Some endpoints read `Messages` as `messages` (Go's encoding/json does): of that no guard would know.

    What tools are described by and called with is the application's own, and is not looked into.
    """
    found = set(body)
    level = [one for value in body.values() if isinstance(value, list) for one in value if isinstance(one, dict)]
    while level:
        found.update(*level)
        inner = [outer[name] for outer in level for name in _WITHIN if name in outer]
        level = [one for one in inner if isinstance(one, dict)]
        level += [one for listed in inner if isinstance(listed, list) for one in listed if isinstance(one, dict)]
    for key in sorted(found):
        name = key.casefold()
        if name != key and name in names:
            refused(
                key,
                N_("{field} is a key that some endpoints would read as {name}"),
                N_("write {name}, or leave it out"),
                name=name,
            )


def fitted(value: Any, form: type[T], at: str = "") -> T:
    """The fields that a dialect reads, of their types; `at` is where the value stands. Raises Malformed at the path of
    the first fault."""
    try:
        return msgspec.convert(value, form)
    except msgspec.ValidationError as error:
        raise _misfit(str(error), at) from None


def understood(data: bytes, decoder: msgspec.json.Decoder[T], limit: int = ANSWER_LIMIT) -> T:
    """What an upstream wrote, with the fields that are known alone. Raises Broken, also where it tells an error, or in
    more than `limit` bytes."""
    if len(data) > limit:
        raise Broken("too-large")
    try:
        answer = decoder.decode(data)
        deep = _brackets(data) > DEPTH and too_deep(msgspec.json.decode(data))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        _tell_error(data)
        raise Broken("malformed", _one_line(error)) from None
    if deep:
        raise Broken("malformed", "nested too deep")
    return answer


def refused(field: str, message: str, remedy: str, **facts: object) -> NoReturn:
    """Raise Malformed."""
    raise Malformed(field, message, remedy=remedy, **facts)


def missing(field: str) -> NoReturn:
    """Raise Malformed for a field that the protocol wants."""
    raise _absent(field)


class _Told(msgspec.Struct):
    error: Any


def _tell_error(data: bytes) -> None:
    """Raise Broken where a document that is no answer is an error in the words of the protocol."""
    try:
        told = msgspec.json.decode(data, type=_Told).error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return
    raise Broken("error", said_by(told))


def said_by(error: Any) -> str:
    """The sentence of an upstream's error, cut to a line."""
    message = error.get("message") if isinstance(error, dict) else error
    return _one_line(message) if isinstance(message, str) else ""


def _one_line(text: object) -> str:
    return " ".join(str(text).split())[:SAID]


def _misfit(sentence: str, at: str) -> Malformed:
    problem, _, path = sentence.partition(" - at `")
    field = (at + path.removesuffix("`").removeprefix("$")).lstrip(".")
    if absent := _MISSING.search(problem):
        return _absent(".".join(filter(None, (field, absent[1]))))
    return Malformed(
        field,
        N_("{field} is not as the protocol has it: {problem}"),
        remedy=N_("correct it: the reference of the endpoint tells its form"),
        problem=problem,
    )


def _absent(field: str) -> Malformed:
    return Malformed(field, N_("{field} is missing"), remedy=N_("add it: the reference of the endpoint tells its form"))


def _refuse_depth() -> NoReturn:
    refused(
        "",
        N_("the body nests deeper than {depth} levels"),
        N_("send a flatter one: no conversation or schema needs so many"),
        depth=DEPTH,
    )


def _brackets(data: bytes) -> int:
    """A bound on how deep a document nests, found without a walk through it: every level takes a bracket."""
    return data.count(b"{") + data.count(b"[")


def too_deep(value: dict[str, Any]) -> bool:
    """Whether a value nests deeper than `DEPTH` levels, which writing it again might not survive."""
    level: list[Any] = [value]
    for _ in range(DEPTH):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True
