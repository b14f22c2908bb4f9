"""Read a table that a person wrote: strict, small YAML, and every fault at once with its row and its remedy.

Scalars stay texts until a field's type reads them, so that `no`, `1.10` and `2026-11-22` mean what they say.
Aliases are refused (they can grow without end), and so are a key that stands twice and a second document.
"""

import difflib
import re
import types
from collections.abc import Iterator
from typing import Annotated, Any, NamedTuple, NoReturn, TypeVar, Union, get_args, get_origin

import msgspec
import yaml
from yaml.reader import ReaderError

from aloi.errors import Fault, InvalidFile
from aloi.translation import N_, typeset

LIMIT = 4 * 1024 * 1024
DEPTH = 12
# A value costs far more memory than its bytes: the largest pack that ships has under 5,000.
NODES = 200_000
FILLED = r"\S"
# Control characters, and those that turn the direction of a line: neither is seen, and a terminal obeys them.
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")

T = TypeVar("T", bound=msgspec.Struct)


Words = Annotated[str, msgspec.Meta(pattern=FILLED, max_length=600)]


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """The same thing said in English and in French."""

    en: Words
    fr: Words

    def said(self, language: str) -> str:
        """The text in 'fr', or else in English."""
        return typeset(self.fr if language == "fr" else self.en, language)


class Node(NamedTuple):
    """A value as it was written, and the line where it stands."""

    value: "str | list[Node] | dict[str, Node]"
    line: int


class Table:
    """What was read from one file: its faults so far, and the line of every path."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.faults: list[Fault] = []
        self.lines: dict[str, int] = {}

    def fault(self, message: str, path: str, /, *, remedy: str = "", **facts: object) -> None:
        """Note one fault at `path`, for instance `requirements[3].title`."""
        line = self.lines.get(path) or self.lines.get(path.rpartition(".")[0]) or self.lines.get("$")
        self.faults.append(Fault(message, path=path, line=line, remedy=remedy, **{"at": path, **facts}))

    def close(self) -> None:
        """Raise InvalidFile where anything is wrong."""
        if self.faults:
            raise InvalidFile(self.file, self.faults)


def read_table(data: bytes, type_: type[T], table: Table) -> T:
    """The record written in `data`. Raises InvalidFile with every fault of form."""
    root = read_tree(data, table)
    record = _build(root, type_, "", table)
    table.close()
    assert isinstance(record, type_)
    return record


def read_tree(
    data: bytes, table: Table, *, limit: int = LIMIT, most: int = NODES, passed: frozenset[str] = frozenset()
) -> Node:
    """The values written in `data`, whatever they mean. Raises InvalidFile with every fault.

    `most` limits the values, and so the memory, whatever the bytes; what stands under a key in `passed` is not kept.
    """
    if len(data) > limit:
        table.fault(
            N_("{at}: {got} bytes, at most {limit}"), "$", remedy=N_("split the file"), got=len(data), limit=limit
        )
        table.close()
    return _Tree(data, table, most, passed).read()


class _Tree:
    """YAML events folded into nodes as they come, without aliases and with limits of depth and number."""

    def __init__(self, data: bytes, table: Table, most: int, passed: frozenset[str]) -> None:
        self._data = data
        self._table = table
        self._most = most
        self._passed = passed
        self._seen = 0
        loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
        self._events: Iterator[Any] = iter(yaml.parse(data, Loader=loader))

    def read(self) -> Node:
        self._next()
        if not isinstance(self._next(), yaml.DocumentStartEvent):
            self._table.fault(N_("{at}: the file is empty"), "$", remedy=N_("start from a file that ships with Aloi"))
            self._table.close()
        root = self._node(self._next(), "", 0)
        self._next()
        if not isinstance(self._next(), yaml.StreamEndEvent):
            self._table.fault(
                N_("{at}: more than one document in the file"), "$", remedy=N_("keep one document a file")
            )
        self._table.close()
        return root

    def _next(self) -> Any:
        try:
            event = next(self._events)
        except (yaml.YAMLError, ValueError) as error:
            self._refuse(error)
        self._seen += 1
        if self._seen > self._most:
            self._table.lines["$"] = event.start_mark.line + 1
            message = N_("{at}: more than {limit} values")
            self._table.fault(message, "$", remedy=N_("split the file"), limit=self._most)
            self._table.close()
        return event

    def _refuse(self, error: Exception) -> NoReturn:
        mark, place = getattr(error, "problem_mark", None), getattr(error, "position", None)
        line = mark.line if mark else self._data.count(b"\n", 0, place) if isinstance(place, int) else 0
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        self._table.lines["$"] = line + 1
        message = N_("{at}: this is not YAML: {problem}")
        remedy = N_("quote texts that hold a colon or a sign of YAML, and see that lines are indented alike")
        if isinstance(error, ReaderError):
            message, remedy = N_("{at}: this is not UTF-8"), N_("save the file as UTF-8")
        self._table.fault(message, "$", remedy=remedy, problem=problem)
        self._table.close()
        raise AssertionError from error

    def _node(self, event: Any, path: str, depth: int) -> Node:
        line = event.start_mark.line + 1
        self._table.lines.setdefault(path or "$", line)
        if depth > DEPTH:
            self._table.fault(N_("{at}: nested deeper than {limit}"), path, remedy=N_("write it flatter"), limit=DEPTH)
            self._table.close()
        if isinstance(event, yaml.AliasEvent):
            self._table.fault(N_("{at}: aliases are not read"), path, remedy=N_("write the value out"))
            return Node("", line)
        if isinstance(event, yaml.SequenceStartEvent):
            return Node(self._items(path, depth), line)
        if isinstance(event, yaml.MappingStartEvent):
            return Node(self._entries(path, depth), line)
        if UNSEEN.search(event.value):
            message = N_("{at}: holds a sign that is not shown or that moves others")
            self._table.fault(message, path, remedy=N_("write it without control characters"))
        return Node(event.value, line)

    def _items(self, path: str, depth: int) -> list[Node]:
        items: list[Node] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            items.append(self._node(event, f"{path}[{len(items)}]", depth + 1))
        return items

    def _entries(self, path: str, depth: int) -> dict[str, Node]:
        entries: dict[str, Node] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            written = self._node(event, f"{path}.?", depth + 1)
            key = written.value if isinstance(written.value, str) else "?"
            at = f"{path}.{key}" if path else key
            self._table.lines.setdefault(at, written.line)
            if key in entries:
                self._table.lines[at] = written.line
                self._table.fault(N_("{at}: the key stands twice"), at, remedy=N_("keep one of the two"))
            if key in self._passed:
                self._pass(self._next())
            else:
                entries[key] = self._node(self._next(), at, depth + 1)
        return entries

    def _pass(self, event: Any) -> None:
        """Go on to the end of a value."""
        depth = 0
        while True:
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth == 0:
                return
            event = self._next()


def _build(node: Node, type_: Any, path: str, table: Table) -> Any:
    """The value of `type_` that a node holds; None where a fault was noted."""
    type_, least = _container(_without_none(type_))
    origin = get_origin(type_)
    if isinstance(type_, type) and issubclass(type_, msgspec.Struct):
        return _struct(node, type_, path, table)
    if origin is tuple and isinstance(node.value, list):
        item = get_args(type_)[0]
        if len(node.value) < least:
            table.fault(N_("{at}: the list is empty"), path, remedy=N_("add at least {least}"), least=least)
        return tuple(_build(child, item, f"{path}[{i}]", table) for i, child in enumerate(node.value))
    if isinstance(node.value, str) and origin is not tuple:
        return _leaf(node.value, type_, path, table)
    remedy = N_("expected {expected}")
    table.fault(N_("{at}: this has another shape"), path or "$", remedy=remedy, expected=_named(type_))
    return None


def _struct(node: Node, type_: type[msgspec.Struct], path: str, table: Table) -> Any:
    if not isinstance(node.value, dict):
        known = ", ".join(field.encode_name for field in msgspec.structs.fields(type_))
        remedy = N_("write a table with the keys {known}")
        table.fault(N_("{at}: this has another shape"), path or "$", remedy=remedy, known=known)
        return None
    fields = {field.encode_name: field for field in msgspec.structs.fields(type_)}
    values: dict[str, Any] = {}
    before = len(table.faults)
    for key, child in node.value.items():
        at = f"{path}.{key}" if path else key
        if key in fields:
            values[fields[key].name] = _build(child, fields[key].type, at, table)
        else:
            nearest = difflib.get_close_matches(key, fields, n=2) or sorted(fields)
            table.fault(N_("{at}: unknown key"), at, remedy=N_("nearest known: {nearest}"), nearest=", ".join(nearest))
    for key, field in fields.items():
        if field.required and key not in node.value:
            at = f"{path}.{key}" if path else key
            table.lines.setdefault(at, node.line)
            table.fault(N_("{at}: missing"), at, remedy=N_("add it: {expected}"), expected=_named(field.type))
    return type_(**values) if len(table.faults) == before else None


def _leaf(text: str, type_: Any, path: str, table: Table) -> Any:
    try:
        return msgspec.convert(text, type_, strict=False)
    except msgspec.ValidationError:
        shown = text if len(text) <= 60 else text[:57] + "..."
        table.fault(
            N_("{at}: got {got}"), path, remedy=N_("expected {expected}"), got=repr(shown), expected=_named(type_)
        )
        return None


def _without_none(type_: Any) -> Any:
    if get_origin(type_) in {Union, types.UnionType}:
        return next(option for option in get_args(type_) if option is not types.NoneType)
    return type_


def _container(type_: Any) -> tuple[Any, int]:
    """A tuple type and the least number of its items; any other type as it is."""
    if get_origin(type_) is Annotated and get_origin(get_args(type_)[0]) is tuple:
        inner, meta = get_args(type_)
        return inner, meta.min_length or 0
    return type_, 0


def _named(type_: Any) -> str:
    """A type in words for the one who writes the file."""
    type_, _ = _container(_without_none(type_))
    info = msgspec.inspect.type_info(type_)
    if isinstance(info, msgspec.inspect.LiteralType):
        return " | ".join(str(value) for value in info.values)
    if isinstance(info, msgspec.inspect.StructType):
        return "{" + ", ".join(field.encode_name for field in info.fields if field.required) + "}"
    if isinstance(info, msgspec.inspect.VarTupleType):
        return f"[{_named(get_args(type_)[0])}, ...]"
    if isinstance(info, msgspec.inspect.DateType):
        return "YYYY-MM-DD"
    if isinstance(info, msgspec.inspect.StrType) and info.pattern:
        return "str" if info.pattern == FILLED else info.pattern
    return type(info).__name__.removesuffix("Type").lower()
