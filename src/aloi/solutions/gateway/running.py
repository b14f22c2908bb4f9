"""What a running gateway is at this moment: its policy, its upstream and what it counts."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Protocol

from aloi.solutions.gateway.dialects.dialect import Dialect
from aloi.solutions.gateway.keeping import Keeper
from aloi.solutions.gateway.kept import Guards
from aloi.solutions.gateway.keys import Keys
from aloi.solutions.gateway.metrics import Metrics
from aloi.solutions.gateway.policy import Behind, Policy
from aloi.solutions.gateway.record import Entry
from aloi.solutions.gateway.sealing import Seal
from aloi.solutions.gateway.traces import Unwritten
from aloi.solutions.gateway.upstream import Upstream

Clock = Callable[[], float]


class Conversing(Protocol):
    """One exchange, whole."""

    endpoint: str
    headers: dict[bytes, bytes]
    entry: Entry
    status: int

    def versions(self) -> Mapping[str, str]: ...

    async def answer(self) -> None: ...


# What an Anthropic client says of its protocol, handed on to an upstream that speaks it.
_CARRIED = {b"anthropic-version": "anthropic-version", b"anthropic-beta": "anthropic-beta"}
_CREDENTIALS = {b"authorization": "Authorization", b"x-api-key": "x-api-key"}


class Running:
    """The state of one process. A policy is replaced as a whole; an exchange keeps the one it began with."""

    def __init__(
        self,
        policy: Policy,
        keys: Keys,
        upstream: Upstream,
        upstream_key: str,
        dialects: Callable[[Policy, Seal], Sequence[Dialect]],
        keeper: Keeper,
        traces: Unwritten,
        clock: Clock = time.time,
    ) -> None:
        """`clock` gives seconds since 1970."""
        self.keys = keys
        self.upstream = upstream
        self.keeper = keeper
        self._traces = traces
        self.clock = clock
        self.metrics = Metrics()
        self.under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self.edition = 0
        self.since = clock()
        self._upstream_key = upstream_key
        self._make = dialects
        self._seal = Seal(upstream_key.encode())
        self.behind: Behind
        self.dialects: dict[str, Dialect]
        self.take(policy)

    def take(self, policy: Policy) -> None:
        """Run by this policy from the next exchange on; what callers have spent they have spent."""
        behind, dialects = Behind(policy, self.upstream, self.keeper.spent), self._make(policy, self._seal)
        self.behind, self.dialects = behind, {one.path: one for one in dialects}
        self.keeper.runs_by(
            Guards(
                at=round(self.clock(), 3),
                system=policy.system,
                fingerprint=policy.fingerprint,
                guard_set=policy.guard_set,
                remedies=policy.identities,
            )
        )
        self.edition += 1
        self.metrics.policy(policy.guard_set, proven=policy.proven is not None)

    def begun(self) -> None:
        """One more exchange is under way."""
        self.under_way += 1
        self._idle.clear()
        self.metrics.under_way.inc()

    def done(self) -> None:
        """It is no longer."""
        self.under_way -= 1
        if not self.under_way:
            self._idle.set()
        self.metrics.under_way.dec()

    async def counted(self, conversation: Conversing) -> None:
        """Have one exchange answered, counted and timed."""
        endpoint, began = conversation.endpoint, time.perf_counter()
        self.begun()
        try:
            with self._traces.exchange(endpoint, conversation.headers) as span:
                await conversation.answer()
                span.exchanged(conversation.entry, conversation.status, conversation.versions)
        finally:
            self.done()
            self.metrics.exchanges.labels(endpoint, conversation.entry.outcome).inc()
            self.metrics.seconds.labels(endpoint).observe(time.perf_counter() - began)

    async def ended(self, seconds: float) -> None:
        """Wait for the exchanges that are under way, so many seconds at most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._idle.wait()

    @property
    def counts(self) -> Metrics:
        """What counts the exchanges."""
        return self.metrics

    def holder(self, headers: Mapping[bytes, bytes]) -> str:
        """The name of who asks. Raises Failed: 401."""
        return self.keys.holder(headers)

    @property
    def policy(self) -> Policy:
        """The one that new exchanges begin with."""
        return self.behind.policy

    def sent_headers(self, headers: Mapping[bytes, bytes]) -> dict[str, str]:
        """What the upstream is sent: our key; without one, and where nobody needs a key of ours, the client's."""
        sent = {"Content-Type": "application/json"}
        carried = dict(_CARRIED)
        if self._upstream_key:
            sent["Authorization"] = f"Bearer {self._upstream_key}"
            if b"anthropic-version" in headers:
                sent["x-api-key"] = self._upstream_key
        elif not self.keys:
            carried |= _CREDENTIALS
        return sent | {ours: headers[theirs].decode("latin-1") for theirs, ours in carried.items() if theirs in headers}
