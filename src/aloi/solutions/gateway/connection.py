"""A client's connection: what is slow to ask, or slow to take its answer, is cut off; what is too long is refused."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from aloi.solutions.gateway.failures import Failed, crowded, long_head, no_address, no_http, no_proxy
from aloi.solutions.gateway.replies import Receive, Send
from aloi.solutions.gateway.telling import TELLING, tell, written
from aloi.translation import N_

SECONDS = 30.0
HEAD = 32_768  # bytes of a request before its body, or between and behind the parts of one
DROPPED = 128 * 1024**2  # bytes of a request that are taken behind its answer, and dropped
_FRAMING = 5  # bytes around each chunk of a body, which a client may cut as small as it likes
_HOSTLESS = frozenset({"0.9", "1.0"})
# RFC 3986, 3.2.2: a name, which may be empty, or an address, with a port or without.
_HOST = re.compile(rb"(?:\[[0-9A-Za-z:.]+\]|[\w.~!$&'()*+,;=%-]*)(?::[0-9]*)?", re.ASCII)
_OFFER = frozenset({b"http2-settings", b"upgrade"})
_ADDRESS = re.compile(rb"\s*[!-~]+ +(/[!-~]*)")
_NAMED = re.compile(rb"^(%b|accept-language):[ \t]*([ -~]*)" % b"|".join(TELLING), re.IGNORECASE | re.MULTILINE)


class _LongHead(ValueError):
    """A head that is whole, and too long."""


class _OtherHosts(ValueError):
    """A head that names no host where it must, more than one, or what is none."""


class _Ending:
    """What an exchange writes its answer to, and ends the connection by."""

    __slots__ = ("close", "is_closing", "write")

    def __init__(self, connection: "Connection", transport: asyncio.Transport) -> None:
        self.write = transport.write
        self.is_closing = transport.is_closing
        self.close = connection.end


class Connection(HttpToolsProtocol):
    """uvicorn's own, which waits for ever for a request to be whole and for an answer to be taken, reads a head of any
    length, takes it without a host, loses the body of a request that offers another protocol, tells its own errors in
    words alone, and, where one request waits behind another, tells the first of them nothing of a client that left.

    From the first byte of a connection or of a request, the request must be whole after `arrives` seconds. The
    answer may take longer, as long as the client takes something of what was sent every `taken` seconds. A head of
    more than `HEAD` bytes is answered 431, one of HTTP/1.1 that names no host, and any that names several or what
    is none, 400 (RFC 9112, 3.2). Offers of other protocols are overlooked (RFC 9110, 7.8). Where an answer ends the
    connection before the request is whole, what is still on its way is taken and dropped (RFC 9112, 9.6), `DROPPED`
    bytes at most: a client that writes before it reads would lose the answer.
    """

    arrives = SECONDS
    taken = 60.0

    url = b""
    _before: tuple[bytes, Sequence[tuple[bytes, bytes]]] = (b"", ())
    _deadline: asyncio.TimerHandle | None = None
    _taking: asyncio.TimerHandle | None = None
    _ending: _Ending
    _answering: RequestResponseCycle | None = None
    _beside = 0  # bytes that came and are no body
    _in_head = True
    _offered = False
    _left = 0
    _refusal = b""  # what is told behind the answers that are still to come
    _spare: int | None = None  # bytes that are still dropped, once nothing is read any more

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._most, self.limit_concurrency = self.limit_concurrency, None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn declares it
        """Wait for a request."""
        super().connection_made(transport)
        self._ending = _Ending(self, transport)
        self._hurry()

    def data_received(self, data: bytes) -> None:
        """Count what is no body."""
        if self._spare is not None:
            self._drop(len(data))
            return
        if self._in_head:
            self._hurry()
        self._beside += len(data)
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            self._overlook(data[offer.args[0] :])
        except httptools.HttpParserError as error:
            self._refuse(_unread(error), data)
            return
        if self._beside <= HEAD or self._spare is not None or self.transport.is_closing():
            return
        if self._in_head:
            self._refuse(long_head(HEAD), data)
        else:
            self.transport.abort()

    def on_message_begin(self) -> None:
        """Another request: its head begins."""
        super().on_message_begin()
        self._in_head = True

    def on_headers_complete(self) -> None:
        """The body begins. Whatever is raised here is answered 400, or 431."""
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > HEAD:
            raise _LongHead
        hosts = [value for name, value in self.headers if name == b"host"]
        if len(hosts) > 1 or not (hosts or self.parser.get_http_version() in _HOSTLESS):
            raise _OtherHosts
        if hosts and not _HOST.fullmatch(hosts[0].strip()):
            raise _OtherHosts
        self._offered = self.parser.should_upgrade()
        if not self._offered:
            self._in_head, self._beside = False, 0
            self.app = self._crowded if self._full() else self.config.loaded_app
            super().on_headers_complete()
            self._before = self.url, self.headers
            self.cycle.transport = self._ending  # type: ignore[assignment]  # all of a transport that it uses

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
        if self._spare is None:
            super().on_response_complete()
            if self.transport.is_closing() and self.transport.get_write_buffer_size():
                self._watch()
            return
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self._refusal:
            self.transport.write(self._refusal)
            self.end()

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
        """There is nobody to hurry, and nobody to answer."""
        self._relax()
        self._unwatch()
        self.pipeline.clear()
        if self._answering is not None and not self._answering.response_complete:
            self._answering.disconnected = True
            self._answering.message_event.set()
        super().connection_lost(exc)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    def end(self) -> None:
        """End the connection behind what was written."""
        if self.transport.is_closing():
            return
        self.pipeline.clear()
        self._refusal = b""
        if self._spare is None and (self.cycle is None or not self.cycle.more_body):
            self.transport.close()
            return
        if self._spare is None:
            self._spare = DROPPED
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.flow.resume_reading()
        self._hurry()

    def _refuse(self, error: Failed, data: bytes) -> None:
        """Read no more, and answer what is no request behind all that was asked before it (RFC 9112, 9.3.2)."""
        self._spare, self._refusal, asked = DROPPED, written(error, *self._about(data)), self.cycle
        waits = asked is not None and not asked.response_complete
        if waits and asked.more_body:
            if asked.response_started:  # it has its answer
                asked.keep_alive, self._refusal = False, b""
            elif self.pipeline:
                assert self._answering is not None
                self.pipeline.popleft()
                self.cycle = self.pipeline[0][0] if self.pipeline else self._answering
            else:
                asked.disconnected, waits = True, False
                asked.message_event.set()
        if waits:
            self.flow.resume_reading()  # what comes is dropped
        else:
            self.transport.write(self._refusal)
            self.end()

    def _about(self, data: bytes) -> tuple[str, Mapping[bytes, bytes]]:
        """The path and the headers of what is no request, as far as they can be told; else those of the one before."""
        before, named = self._before
        address = self.url or (found[1] if (found := _ADDRESS.match(data[:HEAD])) else before)
        told = {name.lower(): value for name, value in _NAMED.findall(data[:HEAD])}
        return address.partition(b"?")[0].decode("latin-1"), dict(named) | told | dict(self.headers or ())

    def _drop(self, size: int) -> None:
        assert self._spare is not None
        self._spare -= size
        if self._spare < 0:
            self.transport.abort()

    def _full(self) -> bool:
        return self._most is not None and max(len(self.connections), len(self.tasks)) >= self._most

    async def _crowded(self, scope: Mapping[str, Any], _: Receive, send: Send) -> None:
        assert self._most is not None
        await tell(send, crowded(self._most), scope["path"], dict(scope["headers"]))

    def _overlook(self, rest: bytes) -> None:
        """Read the request again as if it had offered no other protocol: its parser would take no body."""
        method = self.parser.get_method()
        if method == b"CONNECT":
            self._refuse(no_proxy(), b"")
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


def _unread(error: httptools.HttpParserError) -> Failed:
    """Why no request could be read."""
    if isinstance(error.__context__, _LongHead):
        return long_head(HEAD)
    if isinstance(error.__context__, _OtherHosts):
        return no_http(N_("it needs one header Host, and one alone, with a name or an address"))
    return no_address() if isinstance(error, httptools.HttpParserCallbackError) else no_http(str(error))
