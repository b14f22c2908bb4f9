"""The port through which a system is asked."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from aloi import plugins
from aloi.errors import TargetError
from aloi.system.description import TargetDescription
from aloi.system.messages import Request, Response


class Target(Protocol):
    """Answer one request; any number may be under way at once."""

    async def ask(self, request: Request) -> Response:
        """Raises `Unscorable` for an answer that cannot be used, `TargetError` where asking further is useless."""
        ...


class TargetKind(Protocol):
    """What a plug-in under the entry-point group `aloi.targets` is: it names the model, and opens a target."""

    def identity(self, description: TargetDescription) -> str:
        """What answers, as exactly as can be told without asking; it goes into the system's fingerprint."""
        ...

    def open(self, description: TargetDescription) -> AbstractAsyncContextManager[Target]:
        """A target for the length of a run. Raises TargetError or AskerError before the first request where it can."""
        ...


class Unscorable(TargetError):
    """This request has no usable answer; `reason` is a stable code such as 'timeout' or 'empty'."""

    def __init__(self, reason: str, message: str, /, *, remedy: str = "", **facts: object) -> None:
        self.reason = reason
        super().__init__(message, remedy=remedy, **facts)


def target_kind(description: TargetDescription) -> TargetKind:
    """The plug-in that `target.kind` names. Raises UnknownName with the nearest kinds."""
    kind: TargetKind = plugins.load("aloi.targets", description.kind)()
    return kind
