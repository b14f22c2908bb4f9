"""The tools by name, and the door at which the arguments of a call are read."""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

import msgspec
from jsonschema import Draft202012Validator

from aloi.science.shipped import shipped
from aloi.science.workplace.office import Office, Trouble
from aloi.system.messages import Tool

SHOWN = 160


class _Row(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    do: str
    description: str
    required: dict[str, dict[str, Any]] = {}
    optional: dict[str, dict[str, Any]] = {}


class Known(msgspec.Struct, frozen=True):
    """A tool as the model sees it, and what carries it out."""

    tool: Tool
    act: Callable[[Office, dict[str, Any]], str]
    validator: Draft202012Validator


@cache
def toolbox() -> dict[str, Known]:
    """Every tool of the workplace by name."""
    rows = msgspec.convert(shipped("tools", "aloi.science.workplace")["tools"], list[_Row])
    return {row.name: _known(row) for row in rows}


def _known(row: _Row) -> Known:
    parameters = {
        "type": "object",
        "properties": row.required | row.optional,
        "required": list(row.required),
        "additionalProperties": False,
    }
    act = getattr(import_module(f"aloi.science.workplace.{row.do}"), row.name)
    tool = Tool(name=row.name, description=row.description, parameters=parameters)
    return Known(tool=tool, act=act, validator=Draft202012Validator(parameters))


def arguments(known: Known, written: str) -> dict[str, Any]:
    """The arguments as the model wrote them, read and checked. Raises Trouble, which says what is wrong with them."""
    try:
        given = msgspec.json.decode(written.strip() or "{}")
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise Trouble(f"the arguments are not JSON: {str(error)[:SHOWN]}") from None
    if not isinstance(given, dict):
        raise Trouble("the arguments are not a JSON object")
    faults = sorted(known.validator.iter_errors(given), key=lambda fault: str(fault.absolute_path))
    if faults:
        raise Trouble("; ".join(_told(fault) for fault in faults[:3]))
    return given


def _told(fault: Any) -> str:
    place = f"`{fault.absolute_path[0]}`: " if fault.absolute_path else ""
    return f"{place}{fault.message}"[:SHOWN]
