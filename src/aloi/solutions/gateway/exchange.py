"""One exchange: who asks, in which protocol, and what the upstream said."""

from collections.abc import Mapping
from contextvars import ContextVar

from msgspec import Struct

from aloi.solutions.gateway.dialects.dialect import Answered, Asked, Dialect


class Exchange(Struct, kw_only=True):
    """What the parts of the gateway share about one request. `answered` is the upstream's last whole answer."""

    key: str
    dialect: Dialect
    asked: Asked
    headers: Mapping[str, str]
    answered: Answered | None = None


UNDER_WAY: ContextVar[Exchange] = ContextVar("aloi-exchange")
"""The exchange that the current task serves: remedies stand between, and know nothing of protocols."""
