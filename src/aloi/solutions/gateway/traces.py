"""Traces by OpenTelemetry's conventions for generative AI (semantic conventions 1.4x, read on 2026-11-27). No text.

Two spans an exchange: the server's, with what the guards decided as events, and below it one for each question that the
model was put. The trace goes on in the upstream, by the header `traceparent`.
"""

import os
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from aloi.errors import MissingExtra
from aloi.solutions.gateway.dialects.dialect import Body
from aloi.solutions.gateway.failures import Failed
from aloi.solutions.gateway.kept import code_or_nothing
from aloi.solutions.gateway.record import Entry
from aloi.solutions.limits.tokens import MOST
from aloi.system.messages import Request, Response
from aloi.translation import N_

if TYPE_CHECKING:
    from opentelemetry import trace
    from opentelemetry.trace import Tracer

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
SERVICE = "aloi-gateway"
_OPERATIONS = {
    "/v1/completions": "text_completion",
    "/v1/embeddings": "embeddings",
    "/v1/messages/count_tokens": "count_tokens",
    "/v1/responses/input_tokens": "count_tokens",
}


Versions = Callable[[], Mapping[str, str]]
"""Of remedies, by their names."""


class Span(Protocol):
    """One that is open."""

    def exchanged(self, entry: Entry, status: int, versions: Versions) -> None:
        """Say what came of the exchange, and the HTTP status of its answer, 0 where none was begun."""
        ...

    def answered(self, response: Response) -> None:
        """Say what the model answered."""
        ...


class Unwritten:
    """No trace."""

    @contextmanager
    def exchange(self, endpoint: str, headers: Mapping[bytes, bytes]) -> Iterator[Span]:  # noqa: ARG002 - as traced
        """A span for the whole exchange."""
        yield self

    @contextmanager
    def question(
        self,
        endpoint: str,  # noqa: ARG002 - as traced
        body: Body,  # noqa: ARG002 - as traced
        request: Request,  # noqa: ARG002 - as traced
        headers: MutableMapping[str, str],  # noqa: ARG002 - as traced
    ) -> Iterator[Span]:
        """A span for one question to the model; `headers` are those that the upstream will be sent."""
        yield self

    def exchanged(self, entry: Entry, status: int, versions: Versions) -> None:
        """Nothing is told."""

    def answered(self, response: Response) -> None:
        """Nothing is told."""


class Traces(Unwritten):
    """Traces through a tracer of OpenTelemetry."""

    def __init__(self, tracer: "Tracer") -> None:
        self._tracer = tracer

    @contextmanager
    def exchange(self, endpoint: str, headers: Mapping[bytes, bytes]) -> Iterator[Span]:
        """A server's span, below that of the client where it names one."""
        from opentelemetry import propagate  # noqa: PLC0415 - an extra
        from opentelemetry.trace import SpanKind  # noqa: PLC0415 - as above

        carried = {name: headers[name.encode()].decode("latin-1") for name in _CARRIED if name.encode() in headers}
        attributes = {"http.request.method": "POST", "http.route": endpoint}
        with self._tracer.start_as_current_span(
            f"POST {endpoint}",
            context=propagate.extract(carried),
            kind=SpanKind.SERVER,
            attributes=attributes,
            record_exception=False,  # its words may hold a text
            set_status_on_exception=False,
        ) as span:
            yield _Open(span)

    @contextmanager
    def question(
        self, endpoint: str, body: Body, request: Request, headers: MutableMapping[str, str]
    ) -> Iterator[Span]:
        """A client's span, told to the upstream: what `body` asks for, and nothing that it leaves to the model."""
        from opentelemetry import propagate  # noqa: PLC0415 - an extra
        from opentelemetry.trace import SpanKind  # noqa: PLC0415 - as above

        operation, model = _OPERATIONS.get(endpoint, "chat"), str(body.get("model", ""))
        attributes: dict[str, Any] = {
            "gen_ai.operation.name": operation,
            "gen_ai.provider.name": "anthropic" if endpoint.startswith("/v1/messages") else "openai",
            "gen_ai.request.model": model,
        }
        if body.get("temperature") is not None:
            attributes["gen_ai.request.temperature"] = request.temperature
        if request.max_tokens < MOST:
            attributes["gen_ai.request.max_tokens"] = request.max_tokens
        with self._tracer.start_as_current_span(
            f"{operation} {model}".strip(),
            kind=SpanKind.CLIENT,
            attributes=attributes,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            propagate.inject(headers)
            try:
                yield _Open(span)
            except Exception as error:
                _failed(span, error.kind if isinstance(error, Failed) else type(error).__name__)
                raise


_CARRIED = ("traceparent", "tracestate")


class _Open:
    """A span of OpenTelemetry, told in our words."""

    def __init__(self, span: "trace.Span") -> None:
        self._span = span

    def exchanged(self, entry: Entry, status: int, versions: Versions) -> None:
        span = self._span
        told: dict[str, Any] = {
            "aloi.request": entry.id,
            "aloi.outcome": entry.outcome,
            "aloi.guard_set": entry.guard_set,
            "aloi.guard_seconds": entry.guard_seconds,
        }
        if status:
            told["http.response.status_code"] = status
        span.set_attributes({**told, **({"error.type": entry.error} if entry.error else {})})
        if entry.error and not 400 <= status < 500:  # these are the client's own
            _failed(span, entry.error)
        ran = versions() if entry.decisions else {}
        for one in entry.decisions:
            reason = code_or_nothing(one.reason)
            decided = {"guard": one.guard, "version": ran.get(one.guard, ""), "role": one.role}
            decided |= {"action": one.action, "reason": reason}
            span.add_event("aloi.decision", {f"aloi.{name}": value for name, value in decided.items()})

    def answered(self, response: Response) -> None:
        self._span.set_attributes(
            {
                "gen_ai.response.finish_reasons": [code_or_nothing(response.finish)],
                "gen_ai.usage.input_tokens": response.prompt_tokens,
                "gen_ai.usage.output_tokens": response.completion_tokens,
            }
        )


def _failed(span: "trace.Span", kind: str) -> None:
    from opentelemetry.trace import StatusCode  # noqa: PLC0415 - an extra

    span.set_attribute("error.type", kind)
    span.set_status(StatusCode.ERROR)


@contextmanager
def opened(environment: Mapping[str, str] = os.environ) -> Iterator[Unwritten]:
    """Traces to where the environment says, in OpenTelemetry's own variables; none where it says nothing.

    Nothing is sent anywhere unless one of `ENDPOINTS` is set. Raises MissingExtra where it is and the packages are not.
    """
    if not any(environment.get(name) for name in ENDPOINTS) or environment.get("OTEL_SDK_DISABLED") == "true":
        yield Unwritten()
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - an extra
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - as above
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - as above
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - as above
    except ModuleNotFoundError as error:
        raise MissingExtra(N_("traces"), "otel", "pip install 'aloi[otel]'") from error
    provider = TracerProvider(resource=Resource.create({"service.name": SERVICE}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    try:
        yield Traces(provider.get_tracer("aloi.gateway"))
    finally:
        provider.shutdown()
