"""Every place of a protocol that can hold a text, as its own client library types it, each with a body that has one."""

import types
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin

import pydantic
import typing_extensions

MARK = "The horse Bucephalus is in the stable"
DEPTH = 9
UNIONS, TABLES = {Union, types.UnionType}, {dict, Mapping}
SIMPLE: dict[Any, Any] = {str: "w", bool: False, int: 0, float: 0}


class Case(NamedTuple):
    """A place, such as `.messages[].content`, and a value of the type that holds `MARK` there."""

    place: str
    value: Any


def hints(of: Any) -> dict[str, Any]:
    if is_model(of):
        return {name: field.annotation for name, field in of.model_fields.items()}
    return typing_extensions.get_type_hints(of, include_extras=True)


def required(of: Any) -> dict[str, Any]:
    """The fields that must be there. Where annotations are strings, the class itself does not know."""
    if is_model(of):
        return {name: field.annotation for name, field in of.model_fields.items() if field.is_required()}
    return {name: one for name, one in hints(of).items() if _wants(one, of)}


def _wants(one: Any, of: Any) -> bool:
    while get_origin(one) is typing.Annotated:
        one = get_args(one)[0]
    if get_origin(one) in {typing.Required, typing.NotRequired}:
        return get_origin(one) is typing.Required
    return bool(of.__total__)


def is_object(of: Any) -> bool:
    return typing_extensions.is_typeddict(of) or is_model(of)


def is_model(of: Any) -> bool:
    return isinstance(of, type) and issubclass(of, pydantic.BaseModel)


def bare(of: Any) -> Any:
    """A type without what says how it is sent."""
    while get_origin(of) in {typing.Annotated, typing_extensions.Required, typing_extensions.NotRequired}:
        of = get_args(of)[0]
    if isinstance(of, typing_extensions.TypeAliasType):
        return bare(of.__value__)
    return of


def minimal(of: Any) -> Any:
    """A value with nothing that need not be there."""
    of = bare(of)
    if is_object(of):
        return {name: minimal(inner) for name, inner in required(of).items()}
    origin = get_origin(of)
    if origin is Literal:
        return get_args(of)[0]
    if origin in UNIONS:
        return minimal(get_args(of)[0])
    if is_list(of):
        return []
    return {} if origin in TABLES else SIMPLE.get(of)


def is_list(of: Any) -> bool:
    origin = get_origin(of) or of
    if origin in {list, Iterable, Sequence}:
        return True
    return isinstance(origin, type) and origin.__name__ == "SequenceNotStr"


def cases(of: Any, within: tuple[Any, ...] = ()) -> Iterator[Case]:
    """Every place within a type."""
    of = bare(of)
    origin, inner = get_origin(of), get_args(of)
    if of is str:
        yield Case("", MARK)
    elif of in {object, Any}:
        yield Case(".**", {"deep": [MARK]})
        yield Case(".**", {"deep": {MARK: 1}})
    elif origin in UNIONS:
        for one in inner:
            yield from cases(one, within)
    elif is_object(of) and of not in within:
        yield from _fields(of, (*within, of))
    elif len(within) <= DEPTH and is_list(of):
        yield from (Case(f"[]{place}", [value]) for place, value in cases(inner[0] if inner else object, within))
    elif origin in TABLES:
        yield Case(".{}", {MARK: minimal(inner[1])})
        yield from (Case(f".*{place}", {"key": value}) for place, value in cases(inner[1], within))


def _fields(of: Any, within: tuple[Any, ...]) -> Iterator[Case]:
    least, known = minimal(of), hints(of)
    if "call_id" in known:  # of some results it need not be there by its type, and must by its protocol
        least |= {"call_id": "w"}
    for name, one in known.items():
        yield from (Case(f".{name}{place}", least | {name: value}) for place, value in cases(one, within))
