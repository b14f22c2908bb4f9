"""What guards did in an exchange that has not come to its end, for whoever has to account for it all the same."""

from collections.abc import Callable
from contextvars import ContextVar

from msgspec import Struct

from aloi.system.messages import Response


class Ledger(Struct):
    """Filled by whoever answers. `so_far` tells what was done up to now, and is None before a guard was asked."""

    so_far: Callable[[], Response] | None = None


LEDGER: ContextVar[Ledger | None] = ContextVar("aloi-ledger", default=None)
"""The ledger of the exchange that the current task serves, where somebody keeps one."""
