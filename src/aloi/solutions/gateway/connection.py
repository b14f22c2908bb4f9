"""A client's connection: what is slow to ask, or slow to take its answer, is cut off; what is too long is refused."""

import asyncio

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

SECONDS = 30.0
HEAD = 32_768  # bytes of a request before its body, or between and behind the parts of one
_FRAMING = 5  # bytes around each chunk of a body, which a client may cut as small as it likes
_OFFER = frozenset({b"http2-settings", b"upgrade"})

_TOO_LONG = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\n"
    b"content-type: application/json\r\ncontent-length: 84\r\n\r\n"
    b'{"error":{"message":"the head of the request is too long","type":"head-too-large"}}\n'
)


class Connection(HttpToolsProtocol):
    """uvicorn's own, which waits for ever for a request to be whole and for an answer to be taken, reads a head of any
    length, and loses the body of a request that offers another protocol.

    From the first byte of a connection or of a request, the request must be whole after `arrives` seconds. The answer
    may take longer, as long as the client takes something of what was sent every `taken` seconds. A head of more than
    `HEAD` bytes is answered 431. Offers of other protocols are overlooked (RFC 9110, 7.8).
    """

    arrives = SECONDS
    taken = 60.0

    _deadline: asyncio.TimerHandle | None = None
    _taking: asyncio.TimerHandle | None = None
    _beside = 0  # bytes that came and are no body
    _in_head = True
    _offered = False
    _left = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn declares it
        """Wait for a request."""
        super().connection_made(transport)
        self._hurry()

    def data_received(self, data: bytes) -> None:
        """Count what is no body."""
        if self._in_head:
            self._hurry()
        self._beside += len(data)
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            self._overlook(data[offer.args[0] :])
        except httptools.HttpParserError:
            self.send_400_response("Invalid HTTP request received.")
        if self._beside <= HEAD or self.transport.is_closing():
            return
        if self._in_head:
            self.transport.write(_TOO_LONG)
            self.transport.close()
        else:
            self.transport.abort()

    def on_message_begin(self) -> None:
        """Another request: its head begins."""
        super().on_message_begin()
        self._in_head = True

    def on_headers_complete(self) -> None:
        """The body begins. Whatever is raised here is answered 400."""
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > HEAD:
            raise ValueError
        self._offered = self.parser.should_upgrade()
        if not self._offered:
            self._in_head, self._beside = False, 0
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """More of the body, with what frames it."""
        self._beside = max(0, self._beside - (1 + _FRAMING) * len(body))
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        if self._offered:
            return
        self._relax()
        self._in_head, self._beside = True, 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Where the connection ends with this answer, what is left of it must still be taken."""
        super().on_response_complete()
        if self.transport.is_closing() and self.transport.get_write_buffer_size():
            self._watch()

    def timeout_keep_alive_handler(self) -> None:
        """An idle connection is cut; one that still takes its answer ends with that."""
        if self._taking is None:
            self.transport.abort()
        else:
            self.transport.close()

    def pause_writing(self) -> None:
        """More was sent than was taken."""
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        """It was taken."""
        super().resume_writing()
        self._unwatch()

    def connection_lost(self, exc: Exception | None) -> None:
        """There is nobody to hurry."""
        self._relax()
        self._unwatch()
        super().connection_lost(exc)

    def _overlook(self, rest: bytes) -> None:
        """Read the request again as if it had offered no other protocol: its parser would take no body."""
        method = self.parser.get_method()
        if method == b"CONNECT":
            self.send_400_response("This is no proxy.")
            return
        head = [b"%b %b HTTP/%b" % (method, self.url, self.parser.get_http_version().encode())]
        for name, value in self.headers:
            if name == b"connection":
                kept = [one.strip() for one in value.split(b",") if one.strip().lower() not in _OFFER]
                head.append(b"connection: " + b", ".join(kept))
            elif name not in _OFFER:
                head.append(name + b": " + value)
        self.parser = httptools.HttpRequestParser(self)
        self._offered = False
        self.data_received(b"\r\n".join([*head, b"", rest]))

    def _hurry(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(self.arrives, self._cut)

    def _relax(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _cut(self) -> None:
        self._deadline = None
        answering = self.cycle is not None and not self.cycle.response_complete and not self.cycle.more_body
        if answering:  # what came early, be it an empty line, waits for its turn
            self._hurry()
        else:
            self.transport.abort()

    def _watch(self) -> None:
        if self._taking is None:
            self._left = self.transport.get_write_buffer_size()
            self._taking = self.loop.call_later(self.taken, self._look)

    def _unwatch(self) -> None:
        if self._taking is not None:
            self._taking.cancel()
            self._taking = None

    def _look(self) -> None:
        """Go on where something was taken since."""
        before, self._taking = self._left, None
        self._watch()
        if self._left >= before:
            self.transport.abort()
