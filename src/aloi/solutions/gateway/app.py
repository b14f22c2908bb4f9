"""The gateway's ASGI application: the protocols of clients before, the remedies between, the upstream behind.

Raw ASGI: what every request passes through is in this package and nowhere else.
"""

import asyncio
import logging
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any

from aloi.errors import AloiError
from aloi.solutions.gateway.asking import read_body
from aloi.solutions.gateway.conversation import Conversation
from aloi.solutions.gateway.dialects.dialect import Dialect
from aloi.solutions.gateway.endpoints import method_of
from aloi.solutions.gateway.failures import Failed, busy, internal
from aloi.solutions.gateway.keeping import Keeper
from aloi.solutions.gateway.keys import Keys
from aloi.solutions.gateway.listing import listed
from aloi.solutions.gateway.policy import Load, Policy
from aloi.solutions.gateway.pooled import Pooled, open_session
from aloi.solutions.gateway.replies import Gone, Receive, Send, document, watched, whole
from aloi.solutions.gateway.running import Running
from aloi.solutions.gateway.sealing import Seal
from aloi.solutions.gateway.status import status
from aloi.solutions.gateway.telling import tell
from aloi.solutions.gateway.traces import opened as traced
from aloi.solutions.gateway.upstream import Upstream
from aloi.solutions.gateway.wire import media_type
from aloi.translation import N_

Scope = Mapping[str, Any]
Opened = Callable[[], AbstractAsyncContextManager[tuple[str, str]]]
"""Opens the upstream for the life of the gateway: its address, and the key by which it is asked."""
Told = Callable[[Policy | AloiError], None]
"""Is told of every policy that is read again, or what stood in its way."""

# Seconds in which clients are told that the gateway ends.
_TOLD = 1.0
_LOG = logging.getLogger("aloi")
OWN = {"/aloi/health": "GET", "/aloi/status": "GET", "/aloi/metrics": "GET"}


class Gateway:
    """One process of the gateway. SIGHUP has it read its policy again. `failure` is why it did not begin to live."""

    def __init__(
        self,
        policy: Policy,
        keys: Keys,
        opened: Opened,
        dialects: Callable[[Policy, Seal], Sequence[Dialect]],
        keeper: Keeper,
        *,
        load: Load,
        told: Told,
    ) -> None:
        self._policy = policy
        self._keys = keys
        self._opened = opened
        self._make = dialects
        self._keeper = keeper
        self._load = load
        self._told = told
        self._running: Running
        self._reloading: set[asyncio.Task[None]] = set()
        self._reading = asyncio.Lock()
        self._hung_up_early = False
        self.failure: Exception | None = None

    def await_reloads(self) -> None:
        """From now on a SIGHUP waits until the gateway lives, where it would have ended the process."""

        def early(*_: object) -> None:
            self._hung_up_early = True

        signal.signal(signal.SIGHUP, early)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or live."""
        if scope["type"] == "lifespan":
            await self._life(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)

    async def _life(self, receive: Receive, send: Send) -> None:
        await receive()
        async with AsyncExitStack() as stack:
            try:
                traces = stack.enter_context(traced())
                session = await stack.enter_async_context(open_session())
                address, key = await stack.enter_async_context(self._opened())
                await stack.enter_async_context(self._keeper)
            except Exception as error:  # noqa: BLE001 - whoever started the gateway raises it again
                self.failure = error
                await send({"type": "lifespan.startup.failed", "message": ""})
                return
            limits, ours = self._policy.serving.limits, bool(key or self._keys)
            upstream = Upstream(Pooled(session, address, limits, ours=ours), limits, traces)
            self._running = Running(self._policy, self._keys, upstream, key, self._make, self._keeper, traces)
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._hung_up)
            if self._hung_up_early:
                self._hung_up()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await self._running.ended(_TOLD)
        await send({"type": "lifespan.shutdown.complete"})

    def _hung_up(self) -> None:
        task = asyncio.create_task(self.reload())
        self._reloading.add(task)
        task.add_done_callback(self._reloading.discard)

    async def reload(self) -> None:
        """Read the policy again. One that cannot be had changes nothing; what is under way ends as it began."""
        reloads = self._running.metrics.reloads
        async with self._reading:  # one after the other: what was read last runs
            read = await asyncio.to_thread(self._loaded)
            if isinstance(read, Policy):
                read = self._taken(read)
            reloads.labels("taken" if isinstance(read, Policy) else "refused").inc()
            self._told(read)

    def _loaded(self) -> Policy | AloiError:
        try:
            return self._load()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a guard of others may end as it likes: we go on
            return _fault(error)

    def _taken(self, policy: Policy) -> Policy | AloiError:
        try:
            self._running.take(policy)
        except Exception as error:  # noqa: BLE001 - as above
            return _fault(error)
        return policy

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        running, path, headers = self._running, scope["path"], dict(scope["headers"])
        dialect = running.dialects.get(path)
        if dialect is not None and scope["method"] == "POST":
            await running.counted(Conversation(running, dialect, headers, receive, send))
            return
        try:
            await self._told_of_itself(scope["method"], path, headers, receive, send)
        except AloiError as error:
            await tell(send, error, path, headers)
        except Gone:
            pass
        except Exception:
            await tell(send, internal(), path, headers)
            raise

    async def _told_of_itself(
        self, method: str, path: str, headers: Mapping[bytes, bytes], receive: Receive, send: Send
    ) -> None:
        running = self._running
        method = "GET" if method == "HEAD" else method  # the server leaves the body out
        if (method, path) == ("GET", "/aloi/health"):
            await document(send, 200, {"answers": True}, [])
            return
        running.keys.holder(headers)
        match method, path:
            case "GET", "/aloi/status":
                await document(send, 200, status(running), [])
            case "GET", "/aloi/metrics":
                await whole(send, 200, running.metrics.text(), [], b"text/plain; version=0.0.4; charset=utf-8")
            case _ if method_of(path) == method:
                await self._passed(method, path, headers, receive, send)
            case _:
                raise _nowhere(path, "POST" if path in running.dialects else OWN.get(path) or method_of(path))

    async def _passed(
        self, method: str, path: str, headers: Mapping[bytes, bytes], receive: Receive, send: Send
    ) -> None:
        """The list of models: our own, or the upstream's, which is an exchange as any other."""
        running, policy = self._running, self._running.policy
        if policy.serving.models == "described" and policy.model:
            await document(send, 200, listed(policy, path), [])
            return
        limits = policy.serving.limits
        running.begun()
        try:
            if running.under_way > limits.at_once:
                raise busy(limits.at_once)
            body = await read_body(receive, headers, limits.request_bytes)
            async with watched(receive):
                await self._handed_on(method, path, body, headers, send)
        finally:
            running.done()

    async def _handed_on(self, method: str, path: str, body: bytes, headers: Mapping[bytes, bytes], send: Send) -> None:
        running, begun = self._running, False
        try:
            async with running.upstream.post(path, body, running.sent_headers(headers), method) as reply:
                await send(
                    {"type": "http.response.start", "status": 200, "headers": [(b"content-type", media_type(reply))]}
                )
                begun = True
                async for part in running.upstream.parts(reply):
                    await send({"type": "http.response.body", "body": part, "more_body": True})
        except Failed:
            if not begun:
                raise
            return  # the server cuts an answer that was not brought to its end
        await send({"type": "http.response.body", "body": b""})


def _fault(error: BaseException) -> AloiError:
    """What is told of an error; of one that nobody foresaw the rest stands in the log."""
    if isinstance(error, AloiError):
        return error
    _LOG.error("the policy could not be read again", exc_info=error)
    return internal()


def _nowhere(path: str, method: str | None) -> Failed:
    if method:
        return Failed(
            405,
            "method",
            N_("{path} is asked by {method}"),
            remedy=N_("send the request as {method}"),
            path=path,
            method=method,
        )
    return Failed(
        404,
        "not-found",
        N_("the gateway has no such endpoint"),
        remedy=N_("its endpoints are listed by `GET /aloi/status`; a client's base URL ends in /v1"),
    )
