"""Server-sent events out of bytes in any cuts (WHATWG HTML, section 9.2.6, read on 2026-11-27).

The bytes of an event are kept as they came: whoever reads them decides whether they are text.
"""

from aloi.solutions.gateway.dialects.dialect import Broken, Event
from aloi.system.openai import ANSWER_LIMIT

_BOM = b"\xef\xbb\xbf"


class Events:
    """One stream. An event that was not closed by an empty line when the stream ends was never sent."""

    def __init__(self, limit: int = ANSWER_LIMIT) -> None:
        self._limit = limit
        self._line = bytearray()
        self._data: list[bytes] = []
        self._size = 0
        self._name = b""
        self._after_return = False
        self._begun = False

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that these bytes complete. Raises Broken('too-large') for a line or event above the limit."""
        if not chunk:
            return []
        if self._after_return and chunk[0] == 0x0A:  # the second half of a line's end
            chunk = chunk[1:]
        self._after_return = chunk.endswith(b"\r") if chunk else False
        first, *others = _lines(chunk)
        self._line += first
        events: list[Event] = []
        if others:
            self._complete(bytes(self._line), events)
            for line in others[:-1]:
                self._complete(line, events)
            self._line = bytearray(others[-1])
        self._bound(len(self._line))
        return events

    def _complete(self, line: bytes, events: list[Event]) -> None:
        if not self._begun:
            self._begun = True
            line = line.removeprefix(_BOM)
        if not line:
            if self._data:
                events.append(Event(self._name.decode("utf-8", "replace"), b"\n".join(self._data)))
            self._data, self._size, self._name = [], 0, b""
            return
        self._bound(len(line))
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._size += len(line)
            self._bound(self._size)
            self._data.append(value)
        elif name == b"event":
            self._name = value

    def _bound(self, size: int) -> None:
        if size > self._limit:
            raise Broken("too-large")


def _lines(chunk: bytes) -> list[bytes]:
    if b"\r" in chunk:
        chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return chunk.split(b"\n")
