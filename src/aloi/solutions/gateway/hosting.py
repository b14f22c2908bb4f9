"""What a conversation is held in: a gateway that listens, or a client that asks through the guards in its process."""

from collections.abc import Mapping
from typing import Protocol

from aloi.solutions.gateway.policy import Behind
from aloi.solutions.gateway.record import Entry
from aloi.solutions.gateway.upstream import Upstream
from aloi.system.messages import Response


class Counts(Protocol):
    """What is counted of exchanges."""

    def prompted(self, whose: str) -> None:
        """Whose prompt was sent: described, added, other, none."""
        ...

    def answered(self, response: Response) -> None:
        """What guards did in an exchange, what that took, and its tokens."""
        ...


class Uncounted:
    """Nothing is counted."""

    def prompted(self, whose: str) -> None:
        """Forget it."""

    def answered(self, response: Response) -> None:
        """Forget it."""


class Keeps(Protocol):
    """Where entries go."""

    async def keep(self, entry: Entry) -> None:
        """Returns once an entry with decisions cannot be lost by the end of the process. Raises Failed: 'record'."""
        ...


class Host(Protocol):
    """The state that conversations share. `under_way` is how many there are, `clock` gives seconds since 1970."""

    behind: Behind
    upstream: Upstream
    under_way: int

    @property
    def keeper(self) -> Keeps:
        """What keeps them."""
        ...

    @property
    def counts(self) -> Counts:
        """What counts them."""
        ...

    def clock(self) -> float:
        """The time."""
        ...

    def holder(self, headers: Mapping[bytes, bytes]) -> str:
        """The name of who asks. Raises Failed: 401."""
        ...

    def sent_headers(self, headers: Mapping[bytes, bytes]) -> dict[str, str]:
        """What the upstream is sent for a request with these headers."""
        ...
