"""One exchange from its first byte to its last: read, put through the remedies, answered, counted and kept."""

import asyncio
import os
import time
from contextlib import suppress
from typing import Any

import msgspec

from aloi.errors import AloiError, TargetError
from aloi.solutions.gateway.asking import described, named_model, read_body, require_model
from aloi.solutions.gateway.dialects.dialect import Asked, Dialect
from aloi.solutions.gateway.exchange import UNDER_WAY, Exchange
from aloi.solutions.gateway.failures import Failed, busy, ending, internal, took_back
from aloi.solutions.gateway.hosting import Host
from aloi.solutions.gateway.record import Entry, Outcome
from aloi.solutions.gateway.replies import (
    Fault,
    Gone,
    Headers,
    Message,
    Receive,
    Send,
    Stream,
    document,
    fault,
    spoken,
    watched,
)
from aloi.solutions.gateway.wire import media_type
from aloi.solutions.ledger import LEDGER, Ledger
from aloi.system.messages import Request, Response


class Conversation:
    """One client's request to one endpoint. Errors are told in `language`, else in the one that the client accepts."""

    def __init__(
        self,
        host: Host,
        dialect: Dialect,
        headers: dict[bytes, bytes],
        receive: Receive,
        send: Send,
        *,
        language: str = "",
    ) -> None:
        self._host = host
        self._behind = host.behind
        self._policy = host.behind.policy
        self._dialect = dialect
        self.endpoint = dialect.path
        self.status = 0  # of the answer, once it is begun
        self.headers = headers
        self._language = language or spoken(headers)
        self._receive = receive
        self._sent = send
        self._id = os.urandom(12).hex()
        self._told: Headers = [(b"x-aloi-request", self._id.encode())]
        self._began = time.perf_counter()
        self._stream: Stream | None = None
        self._handing_on = False
        self._ledger = Ledger()
        self._request: Request | None = None
        self._counted = False
        self.entry = Entry(
            at=host.clock(),
            id=self._id,
            key="",
            endpoint=dialect.path,
            guard_set=self._policy.guard_set,
            outcome="gone",
        )

    async def answer(self) -> None:
        """Answer it, whatever comes of it: an error is told in the client's own protocol."""
        try:
            await self._answered()
        except Gone:
            if self.entry.outcome == "gone":  # else it is kept already
                with suppress(Failed):  # nobody is left who could be told
                    await self._broken_off("gone")
        except AloiError as error:
            await self._fail(fault(error, self._language))
        except asyncio.CancelledError:  # nobody else ends it from without: the server does, when it must end itself
            await self._fail(fault(ending(), self._language))
        except Exception:
            await self._fail(fault(internal(), self._language))
            raise

    def versions(self) -> dict[str, str]:
        """The versions of the remedies that read it, by their names."""
        return {one.name: one.version for one in self._policy.identities}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        await self._sent(message)

    async def _answered(self) -> None:
        host, policy = self._host, self._policy
        limits = policy.serving.limits
        key = host.holder(self.headers)
        self.entry = msgspec.structs.replace(self.entry, key=key)
        if host.under_way > limits.at_once:
            raise busy(limits.at_once)
        body = await read_body(self._receive, self.headers, limits.request_bytes)
        async with watched(self._receive):
            if policy.stands_between:
                await self._guarded(self._dialect.read(body))
            else:
                await self._handed_on(body)

    async def _handed_on(self, body: bytes) -> None:
        """Nothing stands between: the bytes go through as they are."""
        if self._dialect.asks:
            require_model(self._policy, named_model(body))
        upstream, sent = self._host.upstream, self._host.sent_headers(self.headers)
        async with upstream.post(self._dialect.path, body, sent) as reply:
            upstream.bound(reply)
            start = [(b"content-type", media_type(reply)), *self._told]
            if reply.content_length is not None:
                start.append((b"content-length", b"%d" % reply.content_length))
            await self._send({"type": "http.response.start", "status": 200, "headers": start})
            self._handing_on = True
            async for part in upstream.parts(reply):
                await self._send({"type": "http.response.body", "body": part, "more_body": True})
        await self._keep("answered")
        await self._send({"type": "http.response.body", "body": b""})

    async def _guarded(self, asked: Asked) -> None:
        request = asked.request
        if self._dialect.asks:
            asked, request = self._addressed(asked)
        exchange = Exchange(
            key=self.entry.key,
            dialect=self._dialect,
            asked=asked,
            headers=self._host.sent_headers(self.headers),
        )
        UNDER_WAY.set(exchange)
        LEDGER.set(self._ledger)
        self._request = request
        if asked.stream and self._dialect.speaks:
            await self._streamed(asked, request)
            return
        response = await self._ask(request)
        await self._keep(_outcome(response), response, request)
        if response.blocked and not self._dialect.speaks:
            told = self._dialect.error(400, "content_filter", response.text)
            await document(self._send, 400, told, [*self._told, (b"x-aloi-outcome", b"blocked")])
            return
        written = self._dialect.written(asked, exchange.answered, response)
        await document(self._send, 200, written, [*self._told, (b"x-aloi-outcome", self.entry.outcome.encode())])

    def _addressed(self, asked: Asked) -> tuple[Asked, Request]:
        """What is asked of the model that was measured, with the system's prompt. Raises Failed."""
        policy, model = self._policy, asked.body.get("model")
        require_model(policy, model if isinstance(model, str) else "")
        if policy.model and model == policy.system:
            asked = msgspec.structs.replace(asked, body={**asked.body, "model": policy.model})
        request, whose = described(policy, asked)
        if self._dialect.speaks:
            self._host.counts.prompted(whose)
        return asked, request

    async def _streamed(self, asked: Asked, request: Request) -> None:
        writing = self._dialect.writing(asked)
        self._stream = stream = Stream(self._send, writing, self._told)
        async with stream.beating():
            response = await self._ask(request, stream)
        released = "".join(stream.released)
        if not response.text.startswith(released):
            raise took_back()
        await self._keep(_outcome(response), response, request)
        rest = response.text[len(released) :]
        await stream.end((writing.text(rest) if rest else b"") + writing.end(response))

    async def _ask(self, request: Request, stream: Stream | None = None) -> Response:
        try:
            response = await self._behind.of(self._dialect).ask(request, stream.release if stream else None)
        except TargetError as error:  # what a remedy tells of a request that it will not put
            kind = getattr(error, "reason", "refused")
            facts: dict[str, Any] = error.facts
            raise Failed(422, kind, error.message, remedy=error.remedy, **facts) from error
        self._ledger.so_far = lambda: response
        return response

    async def _keep(self, outcome: Outcome, response: Response | None = None, request: Request | None = None) -> None:
        """Count and keep what came of it. A decision is kept before the client is told."""
        entry = msgspec.structs.replace(self.entry, outcome=outcome, seconds=time.perf_counter() - self._began)
        if response is not None and request is not None and not self._counted:
            self._counted = True
            self._host.counts.answered(response)
            entry = msgspec.structs.replace(
                entry,
                decisions=response.decisions,
                guard_seconds=response.guard_seconds,
                prompt_tokens=response.prompt_tokens,
                completion_tokens=response.completion_tokens,
                asked="\n".join(one.content for one in request.messages[-1:]),
                answer=response.text,
            )
        self.entry = entry
        await self._host.keeper.keep(entry)

    async def _broken_off(self, outcome: Outcome) -> None:
        """Count and keep an exchange without an end, with what guards had done by then."""
        done = self._ledger.so_far() if self._ledger.so_far else None
        await self._keep(outcome, done, self._request)

    async def _fail(self, told: Fault) -> None:
        self.entry = msgspec.structs.replace(self.entry, error=told.kind)
        try:
            await self._broken_off("error")
        except Failed as unwritten:
            told = fault(unwritten, self._language)
        with suppress(Gone):
            if self._handing_on:
                return  # the server cuts an answer that was not brought to its end
            if self._stream is not None and self._stream.begun:
                await self._stream.break_off(told.kind, told.message)
            else:
                body = self._dialect.error(told.status, told.kind, told.message, told.field)
                await document(self._send, told.status, body, [*self._told, *told.headers])


def _outcome(response: Response) -> Outcome:
    if response.blocked:
        return "blocked"
    return "changed" if response.decisions else "answered"
