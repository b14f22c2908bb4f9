"""A client's request, read within its limits."""

import asyncio
from collections.abc import Mapping

import msgspec

from aloi.solutions.gateway.dialects.dialect import Asked, Malformed
from aloi.solutions.gateway.failures import Failed
from aloi.solutions.gateway.policy import Policy
from aloi.solutions.gateway.replies import Gone, Receive
from aloi.system.messages import Request
from aloi.translation import N_

ARRIVES = 25.0  # seconds: it is told before the connection is cut


async def read_body(receive: Receive, headers: Mapping[bytes, bytes], limit: int) -> bytes:
    """The body. Raises Failed where it is too large, too slow or encoded, Gone where the client leaves."""
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise Failed(415, "encoded", N_("the request is compressed"), remedy=N_("send it as it is"))
    length = headers.get(b"content-length", b"0")
    if length.isdigit() and int(length) > limit:
        raise too_large(limit)
    parts, size = [], 0
    try:
        async with asyncio.timeout(ARRIVES):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Gone
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > limit:
                    raise too_large(limit)
                if not message.get("more_body", False):
                    return b"".join(parts)
    except TimeoutError:
        raise Failed(
            408,
            "too-slow",
            N_("the request did not arrive within {seconds} s"),
            remedy=N_("send it again"),
            seconds=ARRIVES,
        ) from None


def too_large(limit: int) -> Failed:
    """413: more bytes than `gateway.limits.request_bytes`."""
    return Failed(
        413,
        "too-large",
        N_("the request has more than {limit} bytes"),
        remedy=N_("shorten it; whoever runs the gateway sets `gateway.limits.request_bytes`"),
        limit=limit,
    )


class _Named(msgspec.Struct):
    model: str = ""


def named_model(body: bytes) -> str:
    """The model that a body names, which is otherwise handed on as it is. Raises Malformed."""
    try:
        return msgspec.json.decode(body, type=_Named).model
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Malformed("$", N_("the body is no JSON object"), remedy=N_("send one that names a model")) from None


def require_model(policy: Policy, model: str) -> None:
    """Raises Failed, 404, for another model than the one that was measured."""
    if policy.serving.models == "described" and policy.model and model not in {policy.model, policy.system}:
        raise Failed(
            404,
            "model_not_found",
            N_("this gateway serves the model {model}"),
            remedy=N_("name it in the request; whoever runs the gateway may set `gateway.models: any`"),
            model=policy.model,
        )


def described(policy: Policy, asked: Asked) -> tuple[Request, str]:
    """The request with the system's prompt where it brings none, and whose prompt it then has.

    Raises Failed, 400, for another prompt than the system's where that is the only one.
    """
    request = asked.request
    if policy.serving.prompt == "only" and not _brings_only(policy.prompt, request):
        raise Failed(
            400,
            "other-prompt",
            N_("this gateway serves the system with its own prompt alone, and the request brings another"),
            remedy=N_("leave out the system's messages; whoever runs the gateway may set `gateway.prompt: add`"),
        )
    if request.prompt:
        return request, "described" if request.prompt == policy.prompt else "other"
    if policy.added_prompt:
        return msgspec.structs.replace(request, prompt=policy.added_prompt), "added"
    return request, "none"


def _brings_only(prompt: str, request: Request) -> bool:
    later = any(message.role == "system" for message in request.messages)
    return request.prompt in {"", prompt} and not later
