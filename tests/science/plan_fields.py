"""Every field of a record and of its parts, as a path: `hazards[].threshold`, `judges.*.audit`."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import msgspec
from msgspec import Struct, inspect

from aloi.system.loading import dotted


def paths(kind: type[Struct], before: str = "") -> Iterator[str]:
    """Every field, and then the fields of its parts."""
    described = inspect.type_info(kind)
    assert isinstance(described, inspect.StructType)
    for field in described.fields:
        path = f"{before}{field.encode_name}"
        yield path
        yield from _inside(field.type, path)


def _inside(kind: inspect.Type, path: str) -> Iterator[str]:
    match kind:
        case inspect.StructType(cls=part):
            yield from paths(part, f"{path}.")
        case inspect.UnionType(types=types):
            for one in types:
                yield from _inside(one, path)
        case inspect.ListType(item_type=item) | inspect.VarTupleType(item_type=item):
            yield from _inside(item, f"{path}[]")
        case inspect.DictType(value_type=value):
            yield from _inside(value, f"{path}.*")


def put(tree: Any, path: str, value: Any) -> str:
    """Put a value at a path and give the path as it was gone; `ABSENT` takes the key out.

    Of a list the first item is meant, of a table the first that has what follows.
    """
    gone: list[str | int] = []
    for step, after in pairwise(_steps(path)):
        gone.append(_key(tree, step, after))
        tree = tree[gone[-1]]
    last = _steps(path)[-1]
    if value is ABSENT:
        tree.pop(last, None)
    else:
        tree[last] = value
    return dotted((*gone, last))


def at(tree: Any, path: str) -> Any:
    """What stands at a path of JSON, or of a record."""
    steps = _steps(path)
    for step, after in zip(steps, [*steps[1:], ""], strict=True):
        tree = getattr(tree, str(step)) if isinstance(tree, Struct) else tree[_key(tree, step, after)]
    return tree


def _steps(path: str) -> list[str]:
    return path.replace("[]", ".*").split(".")


def _key(tree: Any, step: str, after: str) -> str | int:
    if step != "*":
        return step
    if isinstance(tree, list):
        return 0
    return next((name for name, one in tree.items() if _has(one, after)), next(iter(tree)))


def _has(one: Any, key: str) -> bool:
    return getattr(one, key, None) not in (None, "", {}) if isinstance(one, Struct) else key in one


ABSENT = msgspec.UNSET
