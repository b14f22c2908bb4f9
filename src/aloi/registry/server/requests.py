"""What every request is held to: so many bytes, so much time, so often; and how a refusal is told."""

import asyncio
import math
import re
from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from aloi.errors import AloiError, EvidenceError, told
from aloi.evidence.decoding import shown
from aloi.registry.answers import TooLong
from aloi.registry.reading import NotThere
from aloi.translation import LANGUAGES, N_

SECONDS = 20  # for a body to arrive
_INDEX = re.compile("0|[1-9][0-9]{0,15}")
_SUBJECT = re.compile("sha256:[0-9a-f]{64}")


class Refused(AloiError):
    """A request that is not answered, with its HTTP status and a stable reason code."""

    def __init__(
        self,
        status: int,
        reason: str,
        message: str,
        /,
        *,
        remedy: str = "",
        retry_after: float = 0,
        headers: Mapping[str, str] | None = None,
        **facts: object,
    ) -> None:
        self.status = status
        self.reason = reason
        self.retry_after = retry_after
        self.headers = headers or {}
        super().__init__(message, remedy=remedy, **facts)


def unrouted(error: Exception, remedy: str) -> Refused:
    """What no route answers: 404, or 405 with the methods that are allowed there."""
    met = error if isinstance(error, HTTPException) else HTTPException(404)
    message = (
        N_("there is no such address here") if met.status_code == 404 else N_("this address is not asked that way")
    )
    return Refused(met.status_code, "address", message, remedy=remedy, headers=met.headers)


async def read_body(request: Request, limit: int) -> bytes:
    """The body, held to `limit` bytes and to `SECONDS`. Raises Refused: 'too-large', 'too-slow'."""
    body = bytearray()
    try:
        async with asyncio.timeout(SECONDS):
            async for part in request.stream():
                body += part
                if len(body) > limit:
                    raise Refused(
                        413,
                        "too-large",
                        N_("the request has more than {limit} bytes"),
                        remedy=N_("send it in parts"),
                        limit=limit,
                    )
    except TimeoutError as error:
        raise Refused(
            408,
            "too-slow",
            N_("the request did not arrive within {seconds} seconds"),
            remedy=N_("send it again"),
            seconds=SECONDS,
        ) from error
    return bytes(body)


def index_of(text: str) -> int:
    """The index of an entry, as an address has it. Raises Refused: 'index'."""
    if not _INDEX.fullmatch(text):
        raise Refused(
            400, "index", N_("“{got}” is no index of an entry"), remedy=N_("ask for a whole number"), got=shown(text)
        )
    return int(text)


def subject_of(text: str) -> str:
    """The digest of a subject, as an address has it. Raises Refused: 'subject'."""
    if not _SUBJECT.fullmatch(text):
        raise Refused(
            400,
            "subject",
            N_("“{got}” is no digest to look up"),
            remedy=N_("ask for `sha256:` and 64 hexadecimal digits, as `aloi verify` shows them"),
            got=shown(text),
        )
    return text


def language(request: Request) -> str:
    """The first language of ours that the reader accepts; English where there is none."""
    for part in request.headers.get("accept-language", "").split(",")[:20]:
        named = part.split(";")[0].strip()[:2].lower()
        if named in LANGUAGES:
            return named
    return "en"


def refusal(request: Request, error: AloiError) -> Response:
    """An error as JSON: its reason code, and what is wrong and what to do in the reader's language."""
    spoken = language(request)
    headers = {"content-language": spoken, "vary": "accept-language"}
    if isinstance(error, Refused):
        headers.update(error.headers)
        if error.retry_after:
            headers["retry-after"] = str(math.ceil(error.retry_after))
    status, reason = _told(error)
    return JSONResponse({"reason": reason, "message": told(error, spoken)}, status, headers)


def status_of(error: AloiError) -> int:
    """The HTTP status of an error."""
    return _told(error)[0]


def wants_html(request: Request) -> bool:
    """Whether a browser asks: one that says that it reads HTML. Programs do not say so."""
    return "text/html" in request.headers.get("accept", "")


def _told(error: AloiError) -> tuple[int, str]:
    """The status of an error, and its reason code."""
    match error:
        case Refused():
            return error.status, error.reason
        case EvidenceError():
            return (403 if error.reason == "unknown-signer" else 422), error.reason
        case NotThere():
            return 404, "not-found"
        case TooLong():
            return 413, "answer-too-large"
        case _:
            return 503, "unavailable"
