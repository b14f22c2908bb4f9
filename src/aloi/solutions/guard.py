"""The port of a remedy: a guard screens one message; a hardening changes what the model is shown.

A guard that reads the role `call` rules on tool calls: it is handed a `CallMessage`, which says what came before.
"""

from collections.abc import Awaitable, Callable
from typing import Protocol

from msgspec import Struct

from aloi.solutions.ahead import Ahead
from aloi.system.messages import Message, Request, Response, Role, ToolCall


class Allow(Struct, frozen=True, kw_only=True, tag="allow"):
    """The message passes unchanged. `score` lies in [0, 1]: how near a guard that scores came to its threshold.

    `queries`, here and in the other rulings, counts the questions that the guard put to a model.
    """

    score: float = 0.0
    queries: int = 0


class Block(Struct, frozen=True, kw_only=True, tag="block"):
    """The message is withheld. `reason` is a stable code; `score` lies in [0, 1]."""

    reason: str
    score: float = 1.0
    queries: int = 0


class Rewrite(Struct, frozen=True, kw_only=True, tag="rewrite"):
    """The message passes with `content` in place of its own; of a tool call that is its arguments."""

    content: str
    reason: str
    score: float = 1.0
    queries: int = 0


class Ask(Struct, frozen=True, kw_only=True, tag="ask"):
    """A tool call passes if a person approves it. Where nobody can be asked it is withheld, as anything else is."""

    reason: str
    score: float = 1.0
    queries: int = 0


Ruling = Allow | Block | Rewrite | Ask


class CallMessage(Message, frozen=True, kw_only=True):
    """One tool call to rule on, of the role `call`. `content` is its arguments as the model wrote them.

    `before` is the request that the call answers, as it was made and before any remedy: prompt, documents, the user's
    messages, earlier calls and their results. `alongside` are the calls of the same answer that were let pass already.
    """

    call: ToolCall
    before: Request
    alongside: tuple[ToolCall, ...] = ()


def about_call(call: ToolCall, before: Request, alongside: tuple[ToolCall, ...] = ()) -> CallMessage:
    """The message by which a guard is asked about a call."""
    return CallMessage(role="call", content=call.arguments, call=call, before=before, alongside=alongside)


class Guard(Protocol):
    """A runtime check. `roles` names the messages it reads: user, document, assistant, tool or call.

    A guard of the role `assistant` reads the string arguments of tool calls as well. It may have an attribute `reads`:
    `content` (the default) leaves out where a call goes to, such as recipients and addresses; `all` leaves out nothing;
    `answers` reads no calls. One that asks a model may have attributes `deadline`, the seconds it needs for a text, and
    `asks`, the most questions that it puts for one: those are counted where it ends without a ruling. Long texts wait
    for each other (`turns`) but at one that has `asks`. With `judges_words` set, a gateway shows it codes that stand
    beside a conversation by their words alone: it would take what is drawn by chance for words.
    """

    roles: frozenset[Role]

    def screen(self, message: Message) -> Ruling:
        """Rule on one message. Must be pure, and linear in the length of the message.

        One that asks a model is as pure as that model: what is replayed through it is one draw of its rulings.
        """
        ...


def patience(guard: Guard, deadline: float) -> float:
    """The seconds that a guard is given for one text: its own `deadline`, else this one."""
    own: float = getattr(guard, "deadline", deadline)
    return own


class Around:
    """A guard around another: given as long, and asked as little, as that one is."""

    def __init__(self, guard: Guard) -> None:
        self.guard = guard
        self.roles = guard.roles
        for name in ("deadline", "asks"):
            if hasattr(guard, name):
                setattr(self, name, getattr(guard, name))

    def screen(self, message: Message) -> Ruling:
        """What the other one rules."""
        return self.guard.screen(message)


class Hardening(Protocol):
    """A change of what the model is shown; measured by asking, never by replay."""

    def harden(self, request: Request) -> Request:
        """The request as the hardened system would send it."""
        ...


Put = Callable[[Request], Awaitable[Response]]


class Rereading(Protocol):
    """A change of what the model is shown that takes queries of its own; measured by asking, never by replay."""

    async def reread(self, request: Request, ask: Put) -> Request:
        """The request as it is sent; `ask` puts a question of its own to the same model, and is paid for."""
        ...


Release = Callable[[str], Awaitable[bool]]
"""Takes more of an answer's text on its way to the reader; False tells that nothing more is wanted."""


class Settling(Protocol):
    """What a guard on answers offers so that they can be streamed through it; without it they are held to their end."""

    def settled(self, text: str) -> int:
        """How many leading characters of an answer no continuation can change the ruling on.

        Of `n = settled(text)`: for every continuation, what the guard leaves of the whole answer begins with what it
        leaves of `text[:n]`; and where it blocks the whole, nothing of what it blocks for lies in `text[:n]`. Linear in
        the length of the text, as `screen` is. Never less for a longer text that begins with this one.
        """
        ...


class Foreseeing(Settling, Protocol):
    """What a settling guard may offer, so that the word before the last need not be kept back by each guard in a row.

    It promises as well that it keeps to `leaves`: where a word begins at the end of what it has settled, one blank
    behind another, what it leaves of the whole goes on behind what it leaves of that as `leaves` tells.
    """

    def settled_before(self, text: str, ahead: Ahead) -> int:
        """As `settled`, for the continuations alone of which `ahead` tells."""
        ...

    def leaves(self, ahead: Ahead) -> Ahead | None:
        """What is known behind this guard of what `ahead` tells before it; None where nothing is."""
        ...


class Ending(Protocol):
    """What a settling guard may offer, so that a model is not asked for the rest of an answer that is lost."""

    def ends(self, text: str) -> bool:
        """Whether the guard blocks this beginning of an answer, and every continuation of it."""
        ...
