"""Traces: by OpenTelemetry's conventions, to a collector that the environment names, and without a word of text."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from benchmarks.gateway.faults import SCRIPTS
from benchmarks.gateway.scripted import SECRET, Scripted
from gateway_room import described, running

from aloi.solutions.catalogue import build

collector = pytest.importorskip("opentelemetry.proto.collector.trace.v1.trace_service_pb2")

FAILED = 2  # STATUS_CODE_ERROR of OTLP
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
QUESTION = "Is the horse Bucephalus in the stable? telling"


class Collector:
    """What an OTLP collector was sent."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(handler) -> None:  # noqa: N805 - as http.server calls it; `self` is the collector
                self.bodies.append(handler.rfile.read(int(handler.headers["content-length"])))
                handler.send_response(200)
                handler.end_headers()

            def log_message(handler, *_: object) -> None:  # noqa: N805 - as above
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def spans(self) -> list[Any]:
        sent = [collector.ExportTraceServiceRequest.FromString(body) for body in self.bodies]
        return [
            span
            for one in sent
            for resource in one.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


@pytest.fixture(scope="module")
def collected(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Collector, list[tuple[bytes, dict[str, Any]]]]]:
    it = Collector()
    endpoint = f"http://127.0.0.1:{it.server.server_address[1]}"
    folder: Path = tmp_path_factory.mktemp("traced")
    with Scripted(SCRIPTS) as upstream:
        environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}
        with running(folder, described(upstream.port), environment=environment) as gateway:
            body = {"model": "m", "messages": [{"role": "user", "content": QUESTION}]}
            for more in ({"temperature": 0.5, "max_tokens": 40}, {"stream": True}):
                httpx.post(
                    f"{gateway.url}/v1/chat/completions",
                    json={**body, **more},
                    headers={"traceparent": PARENT},
                    timeout=20,
                )
            error = {"model": "m", "messages": [{"role": "user", "content": "When do you open? broken"}]}
            httpx.post(f"{gateway.url}/v1/chat/completions", json=error, timeout=20)
            httpx.post(f"{gateway.url}/v1/messages/count_tokens", json=body, timeout=20)
            httpx.post(f"{gateway.url}/v1/chat/completions", json={"model": "m"}, timeout=20)
        yield it, upstream.requests
    it.server.shutdown()
    it.server.server_close()


def attributes(span: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in span.attributes}


def test_an_exchange_is_two_spans_in_the_trace_of_the_client(collected: tuple[Collector, Any]) -> None:
    spans = collected[0].spans()
    ours = [span for span in spans if span.trace_id.hex() == PARENT.split("-")[1]]
    assert sorted(span.name for span in ours) == ["POST /v1/chat/completions"] * 2 + ["chat m"] * 2
    servers = {span.span_id: span for span in ours if span.name.startswith("POST")}
    assert {span.parent_span_id.hex() for span in servers.values()} == {PARENT.split("-")[2]}
    assert {span.parent_span_id for span in ours if span.name == "chat m"} == set(servers)


def test_the_conventions_for_generative_ai_are_kept(collected: tuple[Collector, Any]) -> None:
    (question, *_) = [span for span in collected[0].spans() if span.name == "chat m"]
    told = attributes(question)
    assert told["gen_ai.operation.name"] == "chat"
    assert told["gen_ai.provider.name"] == "openai"
    assert told["gen_ai.request.model"] == "m"
    assert told["gen_ai.usage.input_tokens"] == 11
    assert told["gen_ai.usage.output_tokens"] == 7
    assert [one.string_value for one in told["gen_ai.response.finish_reasons"].values] == ["stop"]


def test_a_count_is_no_chat(collected: tuple[Collector, Any]) -> None:
    (counting,) = [span for span in collected[0].spans() if span.name == "count_tokens m"]
    told = attributes(counting)
    assert told["gen_ai.operation.name"] == "count_tokens"
    assert told["gen_ai.provider.name"] == "anthropic"


def test_what_is_asked_for_is_told_and_nothing_that_is_left_to_the_model(collected: tuple[Collector, Any]) -> None:
    questions = [attributes(span) for span in collected[0].spans() if span.name == "chat m"]
    names = ("gen_ai.request.temperature", "gen_ai.request.max_tokens")
    assert [[one.get(name) for name in names] for one in questions] == [[0.5, 40], [None, None], [None, None]]


def test_what_the_guards_decided_is_told_and_no_text(collected: tuple[Collector, Any]) -> None:
    spans = collected[0].spans()
    decided = [event for span in spans for event in span.events]
    version = build("secret-filter").identity.version
    told = [attributes(event) for event in decided]
    assert {(one["aloi.guard"], one["aloi.version"], one["aloi.reason"]) for one in told} == {
        ("secret-filter", version, "own-secret-copied")
    }
    assert not any(word in body for body in collected[0].bodies for word in (b"Bucephalus", SECRET.encode(), b"vault"))


def test_an_error_is_told_by_its_code(collected: tuple[Collector, Any]) -> None:
    told = [attributes(span) for span in collected[0].spans() if span.name == "POST /v1/chat/completions"]
    failed = [one for one in told if one["aloi.outcome"] == "error"]
    assert [one["error.type"] for one in failed] == ["upstream-http", "malformed"]
    assert [one["http.response.status_code"] for one in told] == [200, 200, 500, 400]


def test_a_span_has_failed_where_the_model_or_the_gateway_has(collected: tuple[Collector, Any]) -> None:
    """By the conventions, what a client asks wrongly is no failure of the server's span (HTTP, status of spans)."""
    spans = collected[0].spans()
    failed = [(span.name, attributes(span)["error.type"]) for span in spans if span.status.code == FAILED]
    assert sorted(failed) == [
        ("POST /v1/chat/completions", "upstream-http"),
        ("POST /v1/messages/count_tokens", "upstream-malformed"),  # the upstream answers it with a chat
        ("chat m", "upstream-http"),
        ("count_tokens m", "upstream-malformed"),
    ]
    assert not any(span.status.message for span in spans)


def test_the_trace_goes_on_in_the_upstream(collected: tuple[Collector, Any]) -> None:
    heads = [head.lower() for head, _ in collected[1]]
    assert b"traceparent: 00-" + PARENT.split("-")[1].encode() in heads[0]
    assert PARENT.encode() not in heads[0]


def test_without_the_variable_no_header_is_added(gateway: Any, upstream: Scripted) -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": "When do you open on Mondays? plain"}]}
    httpx.post(f"{gateway.url}/v1/chat/completions", json=body, headers={"traceparent": PARENT}, timeout=20)
    assert b"traceparent" not in upstream.requests[-1][0].lower()
