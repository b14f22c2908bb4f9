"""A witness behind HTTP (C2SP tlog-witness): `POST /add-checkpoint`, and beside it what it is and whether it stands.

    app = Served(witness, clock, watch).app()

Whatever is sent is held to a size and to a time. Only what a watched log signed comes near the disk.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from itertools import cycle

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from aloi.errors import EvidenceError
from aloi.evidence import checkpoints, notes
from aloi.registry import witnesswire
from aloi.registry.server.rates import Rate
from aloi.registry.server.requests import Refused, read_body, refusal, unrouted
from aloi.registry.witness import Answer, Status, Witness
from aloi.registry.witnesswire import PATH, Reply
from aloi.translation import N_

BODY = 1 << 16
FRESH: Mapping[str, str] = {"cache-control": "no-store"}

Watch = Callable[[str, Answer], None]


class Served:
    """A witness and its door. Heads of one log are taken one after the other."""

    def __init__(self, witness: Witness, clock: Callable[[], int], watch: Watch, per_minute: int) -> None:
        """`clock` gives POSIX seconds; `watch` is told what was answered to each request about a log, by its origin.

        From one address so many are taken `per_minute`.
        """
        self._witness = witness
        self._clock = clock
        self._watch = watch
        self._turns = {origin: asyncio.Lock() for origin in witness.origins}
        self._in_turn = cycle(witness.origins)
        self._rate = Rate(per_minute, 60)

    def app(self) -> Starlette:
        """The application."""
        app = Starlette(
            routes=[
                Route(f"/{PATH}", self._add_checkpoint, methods=["POST"]),
                Route("/health", self._health),
                Route("/", self._about),
            ],
            exception_handlers={Refused: _refuse, HTTPException: _no_such, ClientDisconnect: _gone},
        )
        app.router.redirect_slashes = False  # it would send a client to whatever host it names
        return app

    async def _add_checkpoint(self, request: Request) -> Response:
        self._require_rate(request)
        body = await read_body(request, BODY)
        try:
            asked = witnesswire.read_request(body)
        except EvidenceError as error:
            return _response(witnesswire.refusal(error))
        origin = _origin(asked.checkpoint)
        turn = self._turns.get(origin)
        if turn is None:  # nothing here is written for it
            return _response(witnesswire.reply_to(self._witness.add_checkpoint(*asked, self._clock())))
        async with turn:
            answer = await asyncio.to_thread(self._witness.add_checkpoint, *asked, self._clock())
        self._watch(origin, answer)
        return _response(witnesswire.reply_to(answer))

    def _require_rate(self, request: Request) -> None:
        wait = self._rate.wait(request.client.host if request.client else "-", 1, time.monotonic())
        if wait:
            raise Refused(
                429,
                "too-often",
                N_("too many requests come from this address"),
                remedy=N_("wait as the answer's Retry-After says"),
                retry_after=wait,
            )

    async def _health(self, _: Request) -> Response:
        """503 where what is kept of a log cannot be read; each request looks at the next log."""
        origin = next(self._in_turn, None)
        try:
            if origin is not None:
                await asyncio.to_thread(self._witness.known, origin)
        except (EvidenceError, OSError) as error:
            reason = error.reason if isinstance(error, EvidenceError) else "state-not-read"
            return JSONResponse({"reason": reason}, Status.UNAVAILABLE, FRESH)
        return JSONResponse({"logs": len(self._turns)}, headers=FRESH)

    async def _about(self, _: Request) -> Response:
        told = {
            "name": self._witness.name,
            "keys": [str(key) for key in self._witness.keys],
            "logs": self._witness.origins,
            "follows": self._witness.followed,
            "protocol": "https://c2sp.org/tlog-witness",
        }
        return JSONResponse(told, headers=FRESH)


def _origin(checkpoint: bytes) -> str:
    try:
        return checkpoints.parse(notes.read(checkpoint).text).origin
    except EvidenceError:
        return ""


def _response(reply: Reply) -> Response:
    # as a header: given as a media type, Starlette would add a charset to it
    return Response(reply.body, reply.status, {**FRESH, "content-type": reply.content_type})


async def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    answer = refusal(request, error)
    answer.headers["connection"] = "close"  # what is left of the body is not read
    return answer


async def _no_such(request: Request, error: Exception) -> Response:
    return refusal(request, unrouted(error, N_("a witness is asked at /add-checkpoint")))


async def _gone(_: Request, __: Exception) -> Response:
    return Response(status_code=400)
