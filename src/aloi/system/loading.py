"""Read a file that a person wrote and tell all its faults at once, each with its line and its path."""

import difflib
import math
import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, TypeVar

import msgspec
import yaml

from aloi.errors import Fault, InvalidFile, Said
from aloi.translation import N_

T = TypeVar("T")
Place = tuple[str | int, ...]
Lines = Mapping[Place, int]

LIMIT = 1024 * 1024
# Aliases let a few lines stand for billions of values.
VALUES = 20_000
SHOWN = 60


class _Writing:
    """The plain value of a node tree; on the way, the line of every path, and faults of writing."""

    def __init__(self, loader: yaml.SafeLoader) -> None:
        self._loader = loader
        self._count = 0
        self.lines: dict[Place, int] = {}
        self.faults: list[Fault] = []

    def value(self, node: yaml.Node | None, at: Place) -> Any:
        if node is None:
            return None
        self._count += 1
        if self._count > VALUES:
            raise yaml.MarkedYAMLError(problem=f"more than {VALUES} values", problem_mark=node.start_mark)
        self.lines.setdefault(at, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, at)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(child, (*at, i)) for i, child in enumerate(node.value)]
        return self._scalar(node, at)

    def _mapping(self, node: yaml.MappingNode, at: Place) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value) if isinstance(key_node, yaml.ScalarNode) else "?"
            line = key_node.start_mark.line + 1
            if key in result:
                sentence, remedy = N_("{path}: the key stands twice"), N_("keep one of the two")
                self.faults.append(Fault(sentence, path=dotted((*at, key)), line=line, remedy=remedy))
            self.lines[(*at, key)] = line
            result[key] = self.value(value_node, (*at, key))
        return result

    def _scalar(self, node: yaml.Node, at: Place) -> Any:
        try:
            value = self._loader.construct_object(node)
        except ValueError as error:  # a day that is in no calendar, for instance
            sentence = N_("{path}: got {got}: {problem}")
            line = node.start_mark.line + 1
            self.faults.append(Fault(sentence, path=dotted(at), line=line, got=_shown(str(node.value)), problem=error))
            return None
        line = node.start_mark.line + 1
        if isinstance(value, float) and not math.isfinite(value):
            self.faults.append(Fault(N_("{path}: got {got}, expected a number"), path=dotted(at), line=line, got=value))
        elif isinstance(value, str) and _UNWRITABLE.search(value):
            sentence = N_("{path}: holds a character that no text may hold (half a surrogate pair, or NUL)")
            remedy = N_("write it without control characters")
            self.faults.append(Fault(sentence, path=dotted(at), line=line, remedy=remedy))
        return value


# No UTF-8 file, request or file name can carry them; YAML can, as an escape.
_UNWRITABLE = re.compile("[\x00\ud800-\udfff]")


def dotted(path: Place) -> str:
    """A path as people write it: `assurance.hazards.jailbreak` or `context.documents[2].id`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{_shown(step)}" for step in path)
    return text.removeprefix(".") or "$"


def _shown(text: str) -> str:
    """Text of the file made fit for a sentence: printable, and not long."""
    plain = "".join(c if c.isprintable() else "?" for c in text[: SHOWN + 1])
    return plain if len(plain) <= SHOWN else plain[: SHOWN - 3] + "..."


_ALIAS = re.compile("found undefined alias (.+)")
_EXPECTED = re.compile(r"(?:did not find )?expected (?P<part>.+?)(?:,? but (?:found|got) (?P<got>.+))?")


def _problem(text: str) -> object:
    """What PyYAML found, so that it can be said in another language: the other sentences stand in `tools`."""
    if alias := _ALIAS.fullmatch(text):
        return Said(N_("found undefined alias {got}"), got=alias[1])
    found = _EXPECTED.fullmatch(text)
    if found is None or found["got"] is None:
        return text
    return Said(N_("expected {part}, but found {got}"), part=found["part"], got=found["got"])


def read_yaml(data: bytes, file: str) -> tuple[Any, Lines, list[Fault]]:
    """Value, line of every path, and faults of writing. Raises InvalidFile where it is not YAML at all."""
    if len(data) > LIMIT:
        sentence, remedy = N_("{path}: {got} bytes, at most {limit}"), N_("put long texts into files of their own")
        fault = Fault(sentence, path="$", remedy=remedy, got=len(data), limit=LIMIT)
        raise InvalidFile(file, [fault])
    try:
        loader = yaml.SafeLoader(data.decode())
        node = loader.get_single_node()
        writing = _Writing(loader)
        return writing.value(node, ()), writing.lines, writing.faults
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else None
        problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
        if isinstance(error, RecursionError):
            problem = N_("it nests too deeply")
        remedy = N_("quote texts that hold a colon or a sign of YAML, and see that lines are indented alike")
        sentence = N_("{path}: this is not YAML: {problem}")
        fault = Fault(sentence, path="$", line=line, remedy=remedy, problem=_problem(str(problem)))
        raise InvalidFile(file, [fault]) from error


# What a person is told for each rule of JSON Schema that our structs can state.
SENTENCES = {
    "type": N_("{path}: got {got}, expected {kind}"),
    "format": N_("{path}: got {got}, expected a day, written YYYY-MM-DD"),
    "enum": N_("{path}: got {got}, expected one of {expected}"),
    "pattern": N_("{path}: got {got}, expected the form {expected}"),
    "minLength": N_("{path}: got {got}, expected at least {expected} characters"),
    "maxLength": N_("{path}: got {got}, expected at most {expected} characters"),
    "minItems": N_("{path}: got {got}, expected at least {expected} entries"),
    "minProperties": N_("{path}: got {got}, expected at least {expected} entries"),
    "minimum": N_("{path}: got {got}, expected at least {expected}"),
    "maximum": N_("{path}: got {got}, expected at most {expected}"),
    "exclusiveMinimum": N_("{path}: got {got}, expected more than {expected}"),
    "exclusiveMaximum": N_("{path}: got {got}, expected less than {expected}"),
}
KINDS = {
    "array": N_("array"),
    "boolean": N_("boolean"),
    "integer": N_("integer"),
    "number": N_("number"),
    "object": N_("object"),
    "string": N_("string"),
}
# The same where one is expected.
OF_ONE = {
    "minLength": N_("{path}: got {got}, expected at least one character"),
    "maxLength": N_("{path}: got {got}, expected at most one character"),
    "minItems": N_("{path}: got {got}, expected at least one entry"),
    "minProperties": N_("{path}: got {got}, expected at least one entry"),
}


def line_of(lines: Lines, place: Place) -> int | None:
    """The line of a place, or of the nearest place around it; None where no line is known."""
    while place and place not in lines:
        place = place[:-1]
    return lines.get(place)


def _unknown_keys(error: Any, place: Place, lines: Lines) -> Iterator[Fault]:
    known = sorted(error.schema.get("properties", {}))
    for key in error.instance:
        if key not in known:
            nearest = difflib.get_close_matches(key, known, n=2) or known
            yield Fault(
                N_("{path}: unknown key"),
                path=dotted((*place, key)),
                line=line_of(lines, (*place, key)),
                remedy=N_("nearest known: {nearest}"),
                nearest=", ".join(nearest),
            )


def _faults(error: Any, lines: Lines) -> Iterator[Fault]:
    place = tuple(error.absolute_path)
    if "propertyNames" in error.schema_path:  # the instance is a key, and the path ends before it
        place = (*place, error.instance)
    if error.validator == "anyOf":  # a value that may also be left out: what is wrong with the value
        for inner in error.context:
            if inner.validator_value != "null":
                yield from _faults(inner, lines)
    elif isinstance(error.instance, date) and error.schema.get("format") == "date":
        return  # YAML reads a day by itself
    elif error.validator == "additionalProperties":
        yield from _unknown_keys(error, place, lines)
    elif error.validator == "required":
        for key in error.validator_value:
            if key not in error.instance:
                sentence, at = N_("{path}: missing"), dotted((*place, key))
                yield Fault(sentence, path=at, line=line_of(lines, place), remedy=N_("add it"))
    else:
        yield _refused(error, dotted(place), line_of(lines, place))


def _refused(error: Any, path: str, line: int | None) -> Fault:
    """A value that breaks one of the rules that have a sentence of their own."""
    of_one = OF_ONE if error.validator_value == 1 else {}
    other = N_("{path}: got {got}, which is refused: {expected}")
    sentence = of_one.get(error.validator) or SENTENCES.get(error.validator, other)
    got, expected = _shown(repr(error.instance)), error.validator_value
    kind = KINDS.get(str(expected), expected)
    return Fault(sentence, path=path, line=line, got=got, expected=expected, kind=kind)


def read(data: bytes, file: str, type_: type[T]) -> tuple[T, Lines]:
    """Decode YAML into a struct that forbids unknown keys, with the line of every path.

    Raises InvalidFile, which holds every fault of writing and of shape, in the order of the lines.
    """
    value, lines, faults = read_yaml(data, file)
    try:
        decoded = msgspec.convert(value, type_)
    except msgspec.ValidationError as error:
        faults += _misshapen(value, type_, lines) or ([] if faults else [_unstated(error, lines)])
    if faults:
        unique = {str(fault): fault for fault in faults}.values()  # a schema may say one fault twice
        raise InvalidFile(file, sorted(unique, key=lambda fault: fault.line or 0))
    return decoded, lines


def _misshapen(value: Any, type_: type, lines: Lines) -> list[Fault]:
    """Every fault of shape, where the conversion tells of the first alone."""
    from jsonschema import Draft202012Validator, FormatChecker  # noqa: PLC0415 - slow to load, needed for faults alone

    days = FormatChecker(["date"])  # the one form that our structs ask for
    found = Draft202012Validator(msgspec.json.schema(type_), format_checker=days).iter_errors(value)
    return [fault for error in found for fault in _faults(error, lines)]


def _unstated(error: msgspec.ValidationError, lines: Lines) -> Fault:
    """What a schema cannot state."""
    problem, _, path = str(error).partition(" - at `$")
    path = path.removesuffix("`").removeprefix(".") or "$"
    line = next((line for place, line in lines.items() if dotted(place) == path), None)
    return Fault(N_("{path}: {problem}"), path=path, line=line, problem=problem)
