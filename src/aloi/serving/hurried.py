"""A connection of HTTP that nobody can hold open: what is slow to ask, or slow to take its answer, is cut off."""

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

SECONDS = 30.0


class Hurried(H11Protocol):
    """uvicorn's own, which waits for ever for a request to be whole, and for an answer to be taken.

    From the first byte of a connection or of a request, the answer must have been taken after `SECONDS`.
    """

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn declares it
        """Wait for a request."""
        super().connection_made(transport)
        self._hurry()

    def data_received(self, data: bytes) -> None:
        """The first bytes of a request on a connection that was idle start the clock anew."""
        if self._deadline is None:
            self._hurry()
        super().data_received(data)

    def on_response_complete(self) -> None:
        """Idle again, unless the next request is there already."""
        self._relax()
        super().on_response_complete()
        if self.cycle is not None and not self.cycle.response_complete:
            self._hurry()

    def timeout_keep_alive_handler(self) -> None:
        """An idle connection is cut, with what of its last answer was not taken."""
        self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """There is nobody to hurry."""
        self._relax()
        super().connection_lost(exc)

    def _hurry(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(SECONDS, self._cut)

    def _relax(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _cut(self) -> None:
        self._deadline = None
        self.transport.abort()
