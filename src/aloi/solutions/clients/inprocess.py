"""A conversation of the gateway's, held inside the process of the client that asks."""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Mapping

from aloi.solutions.gateway.conversation import Conversation
from aloi.solutions.gateway.dialects.dialect import Dialect
from aloi.solutions.gateway.endpoints import endpoints
from aloi.solutions.gateway.hosting import Keeps, Uncounted
from aloi.solutions.gateway.keeping import Unkept
from aloi.solutions.gateway.keys import ANYBODY
from aloi.solutions.gateway.policy import Behind, Policy
from aloi.solutions.gateway.replies import Message
from aloi.solutions.gateway.sealing import Seal
from aloi.solutions.gateway.traces import Unwritten
from aloi.solutions.gateway.upstream import Upstream
from aloi.solutions.gateway.wire import Wire
from aloi.solutions.limits.target import Memory
from aloi.translation import language_of

# What belongs to one connection, or is told anew of a body that guards may change.
_OWN = frozenset({b"accept-encoding", b"connection", b"content-length", b"expect", b"host", b"transfer-encoding"})
_LOG = logging.getLogger("aloi")

Put = Callable[[Message], None]
"""Takes what the client is sent."""


class InProcess:
    """The state that the conversations of one client share."""

    def __init__(self, policy: Policy, wire: Wire, keeper: Keeps | None = None) -> None:
        self.upstream = Upstream(wire, policy.serving.limits, Unwritten())
        self.behind = Behind(policy, self.upstream, defaultdict(Memory))
        self.keeper: Keeps = keeper or Unkept()
        self.counts = Uncounted()
        self.dialects = endpoints(policy, Seal())
        # The application itself decides how much it asks at once.
        self.under_way = 0

    def clock(self) -> float:
        """Seconds since 1970."""
        return time.time()

    def holder(self, _headers: Mapping[bytes, bytes]) -> str:
        """The application is one caller."""
        return ANYBODY

    def sent_headers(self, headers: Mapping[bytes, bytes]) -> dict[str, str]:
        """The client's own, its key with them; the answer must come as it is."""
        sent = {n.decode("latin-1"): v.decode("latin-1") for n, v in headers.items() if n not in _OWN}
        return sent | {"accept-encoding": "identity"}

    async def converse(
        self, dialect: Dialect, headers: Mapping[bytes, bytes], body: bytes, put: Put, left: asyncio.Event
    ) -> None:
        """Hold one conversation to its end; it breaks off once the client has `left`."""
        arriving: list[Message] = [{"type": "http.request", "body": body}]

        async def receive() -> Message:
            if arriving:
                return arriving.pop()
            await left.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            put(message)

        try:
            await Conversation(self, dialect, dict(headers), receive, send, language=language_of()).answer()
        except Exception:  # noqa: BLE001 - the client was told; a log tells the rest
            _LOG.exception("an exchange failed inside the guards; the client was told an error")
