"""How an upstream is reached: what every connection to one offers, so that one set of bounds holds for all of them."""

import re
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import msgspec

from aloi.solutions.gateway.failures import Failed, refused
from aloi.system.openai import retry_after

ERROR_BYTES = 65_536
_CODE = re.compile("[a-z][a-z0-9_.-]{0,63}")


class Reply(Protocol):
    """An upstream's answer of status 200, its body still to be read."""

    @property
    def content_type(self) -> str:
        """The media type, without its parameters; empty where none was told."""
        ...

    @property
    def content_length(self) -> int | None:
        """The bytes of the body, where they were told."""
        ...

    def pieces(self) -> AsyncIterator[bytes]:
        """The body as it comes. Raises Failed."""
        ...


def media_type(reply: Reply) -> bytes:
    """The media type as a header of ours has it."""
    return (reply.content_type or "application/json").encode("latin-1", "replace")


class Wire(Protocol):
    """Carries one request to the upstream, and its answer back."""

    def post(
        self, path: str, body: bytes, headers: Mapping[str, str], method: str = "POST"
    ) -> AbstractAsyncContextManager[Reply]:
        """An answer of status 200; `path` is the endpoint's as clients have it. Raises Failed."""
        ...


class _Said(msgspec.Struct):
    code: object = None
    type: object = None


class _Error(msgspec.Struct):
    error: _Said


def refusal(status: int, body: bytes, header: str | None, *, ours: bool) -> Failed:
    """What an upstream's status comes to, with its code where its words have one. `header` is its `Retry-After`, `ours`
    whether it was asked by a key that is not the client's."""
    code = ""
    try:
        said = msgspec.json.decode(body, type=_Error).error
        code = next((one for one in (said.code, said.type) if isinstance(one, str) and _CODE.fullmatch(one)), "")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    return refused(status, code, retry_after(header, time.time()), ours=ours)
