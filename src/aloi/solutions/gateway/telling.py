"""Errors that belong to no exchange, each in the protocol that its client seems to speak."""

from collections.abc import Mapping
from http import HTTPStatus

import msgspec

from aloi.errors import AloiError
from aloi.solutions.gateway.dialects.chat import Chat
from aloi.solutions.gateway.dialects.dialect import Body, Dialect
from aloi.solutions.gateway.dialects.messages import Messages
from aloi.solutions.gateway.replies import Fault, Send, document, fault, spoken

_OPENAI, _ANTHROPIC = Chat(), Messages()
_OPENAIS = ("/v1/chat/", "/v1/completions", "/v1/responses", "/v1/embeddings")
TELLING = (b"anthropic-version", b"x-api-key")
"""Headers that clients of Anthropic's protocol send."""


def protocol(path: str, headers: Mapping[bytes, bytes]) -> Dialect:
    """The protocol of an address, or of who asks there; OpenAI's where nothing tells."""
    if path == _ANTHROPIC.path or path.startswith(f"{_ANTHROPIC.path}/"):
        return _ANTHROPIC
    if path.startswith(_OPENAIS) or not any(name in headers for name in TELLING):
        return _OPENAI
    return _ANTHROPIC


async def tell(send: Send, error: AloiError, path: str, headers: Mapping[bytes, bytes]) -> None:
    """Answer with an error."""
    told, body = _told(error, path, headers)
    await document(send, told.status, body, told.headers)


def written(error: AloiError, path: str, headers: Mapping[bytes, bytes]) -> bytes:
    """The whole answer that tells an error, behind which the connection ends."""
    told, body = _told(error, path, headers)
    content = msgspec.json.encode(body)
    head = [
        b"HTTP/1.1 %d %b" % (told.status, HTTPStatus(told.status).phrase.encode()),
        b"content-type: application/json",
        b"content-length: %d" % len(content),
        b"connection: close",
    ]
    return b"\r\n".join([*head, b"", content])


def _told(error: AloiError, path: str, headers: Mapping[bytes, bytes]) -> tuple[Fault, Body]:
    told = fault(error, spoken(headers))
    return told, protocol(path, headers).error(told.status, told.kind, told.message, told.field)
