"""Messages of JSON-RPC 2.0 as the Model Context Protocol has them over pipes: one JSON object a line.

Read in one way or not at all: a key that stands twice, NaN, a batch, and an identity that two readers may take for
different ones are no messages here, for what is behind us might read them otherwise.
"""

import json
import math
from collections.abc import Mapping
from typing import Any, NoReturn

from msgspec import Struct

from aloi.translation import N_

PARSE, INVALID, GONE = -32700, -32600, -32000  # JSON-RPC 2.0, section 5.1; the last is a server's own

Line = dict[str, Any]


class Unreadable(Exception):
    """No message, with what is wrong as a sentence of the catalogue where it is ours.

    `code` is JSON-RPC's; `identity` is the message's own where it could be read.
    """

    def __init__(self, code: int, problem: str, identity: "str | int | None" = None) -> None:
        super().__init__(problem)
        self.code = code
        self.identity = identity


class Incoming(Struct, frozen=True):
    """A message: a request (`method` and `key`), a notification (`method` alone) or a response (`key` alone).

    `key` is its identity as JSON writes it, so that 1, 1.0, "1" and true are four.
    """

    body: Line
    method: str = ""
    key: str = ""


def _object(pairs: list[tuple[str, Any]]) -> Line:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError(N_("a key stands twice"))
    return found


def _constant(_: str) -> NoReturn:
    raise ValueError(N_("NaN and Infinity are no JSON"))


def _number(written: str) -> float:
    value = float(written)
    if not math.isfinite(value):
        raise ValueError(N_("a number is too large"))
    return value


def read(line: bytes) -> Incoming:
    """The message of one line. Raises Unreadable."""
    try:
        body = json.loads(
            line.decode("utf-8"), object_pairs_hook=_object, parse_constant=_constant, parse_float=_number
        )
    except (ValueError, RecursionError) as error:
        raise Unreadable(PARSE, " ".join(str(error).split())[:120]) from None
    if not isinstance(body, dict):
        raise Unreadable(INVALID, N_("not one object"))
    identity, method = body.get("id"), body.get("method")
    if "id" in body and (isinstance(identity, bool) or not isinstance(identity, str | int)):
        raise Unreadable(INVALID, N_("its id is neither a text nor a whole number"))
    if body.get("jsonrpc") != "2.0":
        raise Unreadable(INVALID, N_("not JSON-RPC 2.0"), identity)
    if "method" in body and not isinstance(method, str):
        raise Unreadable(INVALID, N_("its method is no text"), identity)
    if method is None and ("id" not in body or ("result" in body) == ("error" in body)):
        raise Unreadable(INVALID, N_("neither request nor response"), identity)
    return Incoming(body, method or "", json.dumps(identity) if "id" in body else "")


def written(body: Mapping[str, Any]) -> bytes:
    """A message of ours as a line."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), default=float).encode("utf-8", "replace") + b"\n"


def failure(identity: "str | int | None", code: int, message: str) -> bytes:
    """An error of the protocol."""
    return written({"jsonrpc": "2.0", "id": identity, "error": {"code": code, "message": message}})


def tool_error(identity: "str | int | None", text: str) -> bytes:
    """The result of a call that was not made, or whose result is withheld: models read such errors, and go on."""
    result = {"content": [{"type": "text", "text": text}], "isError": True, "resultType": "complete"}
    return written({"jsonrpc": "2.0", "id": identity, "result": result})
