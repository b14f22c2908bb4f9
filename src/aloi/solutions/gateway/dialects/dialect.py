"""The port of a protocol: what a client wrote, read as guards read it, and written back.

A dialect does no I/O. Between client and upstream it changes only what guards changed. Of an upstream's answer it hands
on what it knows and nothing else, for a field that nobody reads could carry what a guard took out.
"""

from typing import Any, Protocol

from msgspec import Struct

from aloi.errors import AskerError
from aloi.system.messages import Request, Response, Role
from aloi.system.openai import ANSWER_LIMIT

Body = dict[str, Any]
Path = tuple[str | int, ...]
"""Where a value stands in a body: keys and indexes."""


class Malformed(AskerError):
    """A body that is not of its protocol, or that asks for what guards cannot read. Told as HTTP 400.

    `field` is the path of the fault in the body, such as `messages[2].content`.
    """

    def __init__(self, field: str, message: str, /, *, remedy: str, **facts: object) -> None:
        self.field = field
        super().__init__(message, remedy=remedy, field=field, **facts)


class Asked(Struct, frozen=True, kw_only=True):
    """A request as the client wrote it (`body`), and as guards read it.

    The system's own words at the head of a conversation are `request.prompt`; `stream` tells whether the client wants
    the answer as events.
    """

    body: Body
    request: Request
    stream: bool = False


class Beside(Struct, frozen=True, kw_only=True):
    """Texts of one part of a request that is no message. `role` is as whose guards read them.

    `leaves` are strings, each with its path; `names` are keys, which nobody can change, and neither can the strings
    where the part is `fixed`.
    """

    place: str
    role: Role
    leaves: tuple[tuple[Path, str], ...]
    names: tuple[str, ...] = ()
    fixed: bool = False


class Answered(Struct, frozen=True, kw_only=True):
    """An upstream's whole answer: the document, and as guards read it."""

    document: Body
    response: Response


class Event(Struct, frozen=True):
    """One server-sent event: its name, or an empty one, and its data."""

    name: str
    data: bytes


class Broken(Exception):
    """The upstream's answer is not of the protocol. `reason` is a stable code: 'malformed', 'too-large', 'cut', 'error'
    (the upstream told an error within a stream)."""

    def __init__(self, reason: str, said: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.said = said


class Reading(Protocol):
    """An upstream's stream on its way in. Each event is given once, in order."""

    def feed(self, event: Event) -> str:
        """What the event adds to the answer's text. Raises `Broken`."""
        ...

    @property
    def ended(self) -> bool:
        """Whether the protocol's own end was read; a stream that stops before is cut."""
        ...

    def response(self) -> Response:
        """All that was said so far, tool calls, finish and tokens included."""
        ...


class Writing(Protocol):
    """An answer on its way to the client as events. `text` may be called any number of times, `end` or `error` once."""

    def text(self, text: str) -> bytes:
        """Events that add to the answer's text, the opening ones before the first."""
        ...

    def end(self, response: Response) -> bytes:
        """The closing events: tool calls, why the answer ended, tokens. All of its text was given before."""
        ...

    def error(self, kind: str, message: str) -> bytes:
        """The event by which the protocol tells that the answer broke off."""
        ...


class Dialect(Protocol):
    """One endpoint of one protocol."""

    path: str
    asks: bool
    """Whether it puts a question: to the model that was measured, with the system's prompt."""
    speaks: bool
    """Whether its answers are words; else there is no stream, and no refusal but an error."""

    def read(self, body: bytes) -> Asked:
        """A client's request. Raises `Malformed`."""
        ...

    def beside(self, asked: Asked) -> list[Beside]:
        """What carries text in the body beside what `read` reads."""
        ...

    def sent(self, asked: Asked, request: Request) -> Body:
        """The body for the upstream: the client's own, with what differs between `asked.request` and `request`.

        A message that is the same stands as the client wrote it. A request of a remedy's own (other messages, no tools)
        is written anew with the client's model.
        """
        ...

    def answer(self, document: bytes, limit: int = ANSWER_LIMIT) -> Answered:
        """An upstream's whole answer, of `limit` bytes at most. Raises `Broken`."""
        ...

    def written(self, asked: Asked, answered: Answered | None, response: Response) -> Body:
        """The answer to the client: `answered` as guards left it in `response`; None where no upstream was asked."""
        ...

    def reading(self, limit: int = ANSWER_LIMIT) -> Reading:
        """A reader of one upstream stream that says `limit` bytes at most."""
        ...

    def writing(self, asked: Asked) -> Writing:
        """A writer of one stream to the client."""
        ...

    def error(self, status: int, kind: str, message: str, field: str = "") -> Body:
        """An error in the protocol's own form. `kind` is a stable code of ours, such as 'too-large'; `field` is the
        part of the request at fault, where there is one."""
        ...
