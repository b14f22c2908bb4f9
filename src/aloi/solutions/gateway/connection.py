"""A client's connection: what is slow to ask is cut off, what is too long in its head is refused."""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

SECONDS = 30.0
HEAD = 32_768  # bytes of a request before its body

_TOO_LONG = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\n"
    b"content-type: application/json\r\ncontent-length: 84\r\n\r\n"
    b'{"error":{"message":"the head of the request is too long","type":"head-too-large"}}\n'
)


class Connection(HttpToolsProtocol):
    """uvicorn's own, which waits for ever for a request to be whole, and reads a head of any length.

    From the first byte of a connection or of a request, the request must be whole after `SECONDS`; the answer may take
    longer. A head of more than `HEAD` bytes is answered 431.
    """

    _deadline: asyncio.TimerHandle | None = None
    _head = 0
    _in_head = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn declares it
        """Wait for a request."""
        super().connection_made(transport)
        self._hurry()

    def data_received(self, data: bytes) -> None:
        """Count what comes before a body."""
        if self._in_head:
            self._hurry()
            self._head += len(data)
        super().data_received(data)
        if self._in_head and self._head > HEAD and not self.transport.is_closing():
            self.transport.write(_TOO_LONG)
            self.transport.close()

    def on_message_begin(self) -> None:
        """Another request: its head begins."""
        super().on_message_begin()
        self._in_head = True

    def on_headers_complete(self) -> None:
        """The body begins. Whatever is raised here is answered 400."""
        self._in_head, self._head = False, 0
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > HEAD:
            raise ValueError
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._relax()
        self._in_head = True
        super().on_message_complete()

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
