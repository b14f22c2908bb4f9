"""What a guard of somebody else gives as its reason may be words of the user: no metric and no trace tells them."""

import pytest
from msgspec.structs import replace

from aloi.solutions.gateway.metrics import Metrics
from aloi.solutions.gateway.record import Entry
from aloi.system.messages import GuardDecision, Response

WORDS = "the user said: AZUR-4711"
DECIDED = GuardDecision(guard="theirs", role="user", action="block", reason=WORDS)
ENTRY = Entry(at=0.0, id="a", key="", endpoint="/", guard_set="", outcome="blocked", decisions=(DECIDED,))


def test_no_metric_counts_words() -> None:
    metrics = Metrics()
    metrics.answered(Response(text="", decisions=(DECIDED, replace(DECIDED, reason="own-secret-plain"))))
    told = metrics.text().decode()
    assert "AZUR" not in told
    assert 'aloi_gateway_decisions_total{action="block",guard="theirs",reason="",role="user"} 1.0' in told
    assert 'aloi_gateway_decisions_total{action="block",guard="theirs",reason="own-secret-plain",role="user"} 1' in told


def test_no_trace_tells_words() -> None:
    sdk = pytest.importorskip("opentelemetry.sdk.trace")
    export = pytest.importorskip("opentelemetry.sdk.trace.export")
    memory = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter").InMemorySpanExporter()
    from aloi.solutions.gateway.traces import Traces

    provider = sdk.TracerProvider()
    provider.add_span_processor(export.SimpleSpanProcessor(memory))
    with Traces(provider.get_tracer("test")).exchange("/v1/chat/completions", {}) as span:
        span.exchanged(ENTRY, 200, dict)
        span.answered(Response(text="", finish=WORDS))
    (told,) = memory.get_finished_spans()
    assert "AZUR" not in told.to_json()
    assert told.events[0].attributes["aloi.guard"] == "theirs"
