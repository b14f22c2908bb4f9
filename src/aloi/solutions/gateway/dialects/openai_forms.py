"""What the protocols of OpenAI share: how tokens are told, how an error is, and how an event is written."""

import re
from collections.abc import Callable
from typing import Any, TypedDict

import msgspec
from msgspec import Struct

from aloi.solutions.gateway.dialects.bodies import refused
from aloi.solutions.gateway.dialects.dialect import Body
from aloi.system.messages import Response
from aloi.translation import N_

# Seconds since 1970, and so many random bytes as hexadecimal digits.
Clock = Callable[[], float]
Token = Callable[[int], str]

_TIERS = frozenset({"auto", "batch", "default", "flex", "priority", "scale", "standard", "standard_only"})
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/@+-]{0,127}")
DONE = b"data: [DONE]\n\n"

_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    429: "rate_limit_error",
    504: "timeout_error",
}


class StreamOptions(Struct):
    """What a client wants of a stream."""

    include_usage: bool | None = None


class PromptDetails(TypedDict, total=False):
    """Of which kind the tokens of a request were."""

    audio_tokens: int | None
    cache_write_tokens: int | None
    cached_tokens: int | None
    image_tokens: int | None
    text_tokens: int | None


class CompletionDetails(TypedDict, total=False):
    """Of which kind the tokens of an answer were."""

    accepted_prediction_tokens: int | None
    audio_tokens: int | None
    reasoning_tokens: int | None
    rejected_prediction_tokens: int | None
    text_tokens: int | None


class Usage(TypedDict, total=False):
    """The tokens of an answer to chat and completions, as far as they are handed on."""

    prompt_tokens: int | None
    completion_tokens: int | None
    total_tokens: int | None
    prompt_tokens_details: PromptDetails | None
    completion_tokens_details: CompletionDetails | None


def used(response: Response) -> Body:
    """The tokens that a response took, what remedies asked included."""
    return {
        "prompt_tokens": response.prompt_tokens,
        "completion_tokens": response.completion_tokens,
        "total_tokens": response.prompt_tokens + response.completion_tokens,
    }


def coded(name: object) -> str:
    """A name that an upstream gave, where it is a plain one; else nothing."""
    return name if isinstance(name, str) and _CODE.fullmatch(name) else ""


def tier(name: object) -> str:
    """A service tier, where it is one that a protocol here has; else nothing."""
    return name if isinstance(name, str) and name in _TIERS else ""


def refuse_several(**counts: int | None) -> None:
    """Raise Malformed for the first field that asks for another number of answers than one."""
    for name, count in counts.items():
        if count not in {None, 1}:
            refused(name, N_("behind guards one answer is made at a time"), N_("leave out {field}, or set it to 1"))


def error_body(status: int, kind: str, message: str, field: str = "") -> Body:
    """An error as OpenAI tells one; `kind` is its code, `field` the parameter at fault."""
    told = _TYPES.get(status) or ("server_error" if status >= 500 else "invalid_request_error")
    return {"error": {"message": message, "type": told, "param": field or None, "code": kind}}


def data(document: Any) -> bytes:
    """An event without a name."""
    return b"data: " + msgspec.json.encode(document) + b"\n\n"
