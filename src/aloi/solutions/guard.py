"""The port of a remedy: a guard screens one message; a hardening changes what the model is shown."""

from typing import Protocol

from msgspec import Struct

from aloi.system.messages import Message, Request, Role


class Allow(Struct, frozen=True, kw_only=True, tag="allow"):
    """The message passes unchanged. `score` lies in [0, 1]: how near a guard that scores came to its threshold."""

    score: float = 0.0


class Block(Struct, frozen=True, kw_only=True, tag="block"):
    """The message is withheld. `reason` is a stable code; `score` lies in [0, 1]."""

    reason: str
    score: float = 1.0


class Rewrite(Struct, frozen=True, kw_only=True, tag="rewrite"):
    """The message passes with `content` in place of its own."""

    content: str
    reason: str
    score: float = 1.0


Ruling = Allow | Block | Rewrite


class Guard(Protocol):
    """A runtime check. `roles` names the messages it reads: user, document, assistant or tool."""

    roles: frozenset[Role]

    def screen(self, message: Message) -> Ruling:
        """Rule on one message. Must be pure, and linear in the length of the message."""
        ...


class Hardening(Protocol):
    """A change of what the model is shown; measured by asking, never by replay."""

    def harden(self, request: Request) -> Request:
        """The request as the hardened system would send it."""
        ...
