"""The gate before every answer: so many requests a minute from one address, all of them counted and timed."""

import time

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aloi.registry.server.metrics import Metrics
from aloi.registry.server.rates import Rate
from aloi.registry.server.requests import Refused, refusal
from aloi.translation import N_

MINUTE = 60


class Gate:
    """Holds every address to so many requests a minute, and counts and times what is answered."""

    def __init__(self, app: ASGIApp, per_minute: int, metrics: Metrics) -> None:
        self._app = app
        self._rate = Rate(per_minute, MINUTE)
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 429 beyond the rate."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = time.monotonic()
        status = 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        request = Request(scope)
        wait = self._rate.wait(request.client.host if request.client else "-", 1, start)
        try:
            if wait:
                await refusal(request, _too_often(wait))(scope, receive, watched)
            else:
                await self._app(scope, receive, watched)
        finally:
            route = getattr(scope.get("route"), "path", "-")
            self._metrics.requests.labels(route, str(status)).inc()
            self._metrics.seconds.labels(route).observe(time.monotonic() - start)


def _too_often(wait: float) -> Refused:
    return Refused(
        429,
        "too-often",
        N_("too many requests come from this address"),
        remedy=N_("wait as the answer's Retry-After says; mirror the tiles if you need all of it"),
        retry_after=wait,
    )
