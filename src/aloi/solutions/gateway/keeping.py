"""Where what guards decide is kept, and no text unless the owner asks for it."""

from collections import defaultdict
from typing import Protocol, Self

from aloi.solutions.gateway.kept import Guards
from aloi.solutions.gateway.policy import Spending
from aloi.solutions.gateway.record import Entry
from aloi.solutions.limits.target import Memory


class Keeper(Protocol):
    """Where entries go, while it is open."""

    async def __aenter__(self) -> object: ...

    async def __aexit__(self, *_: object) -> None: ...

    def runs_by(self, guards: Guards) -> None:
        """Entries to come may be of these guards."""
        ...

    @property
    def spent(self) -> Spending:
        """What is known of callers, once it is open."""
        ...

    @property
    def remembers(self) -> bool:
        """Whether that outlives the process."""
        ...

    async def keep(self, entry: Entry) -> None:
        """Returns once an entry with decisions cannot be lost by the end of the process. Raises Failed: 'record'."""
        ...


class Unkept:
    """No record: nothing is written anywhere."""

    remembers = False

    def __init__(self) -> None:
        self.spent: Spending = defaultdict(Memory)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing is owed."""

    def runs_by(self, guards: Guards) -> None:
        """Forget it."""

    async def keep(self, entry: Entry) -> None:
        """Forget it."""
