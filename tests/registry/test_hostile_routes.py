"""Every address of every server of ours has its hostile rows, in each of the ways that it can be attacked in.

What is asked and what is answered stands in tables; the ways that a table must hold follow from the routes of the
application itself, so that a new address fails here until it has its rows.
"""

import gzip
import json
import re
from pathlib import Path
from typing import NamedTuple

import pytest
import test_server
import test_witness_server
from log_room import envelope_of, envelopes
from server_room import serving, settle
from test_witness_server import LOG, ask, raw
from witness_room import body, running

from aloi.evidence.encoding import to_base64
from aloi.registry.heads import MemoryHeads
from aloi.registry.log import Log
from aloi.registry.server.app import Registry
from aloi.registry.server.configuration import load_configuration
from aloi.registry.server.witness import BODY, Served
from aloi.registry.witness import Witness

SOURCES = Path(__file__).parents[2] / "src" / "aloi"


class Row(NamedTuple):
    """What is sent, and the exact status and reason of the answer; 'page' where people are told."""

    method: str
    path: str
    status: int
    reason: str
    body: bytes | None = None
    kind: str | None = None


# The ways in which each kind of address is attacked.
READ = {"method", "way out", "more path", "noise"}
NAMED = READ - {"noise"} | {"malformed", "unicode", "huge", "nul"}
WRITTEN = READ - {"noise"} | {
    *("nothing", "oversized", "wrong type", "malformed", "twice", "deep", "not unicode", "huge", "packed", "slow"),
}


def ways(route) -> set[str]:
    """The ways in which a route must be attacked."""
    if route.methods and "POST" in route.methods:
        return WRITTEN
    return NAMED if "{" in route.path else READ


def read(path: str, told: str = "address") -> dict[str, Row]:
    """The rows of an address at which there is one thing to read."""
    return {
        "method": Row("DELETE", path, 405, "address"),
        "way out": Row("GET", f"{path.rstrip('/')}/../../etc/passwd", 404, told),
        "more path": Row("GET", f"{path.rstrip('/')}/x", 404, told),
        "noise": Row("GET", f"{path}?a=%00&a=%ff&{'b=1&' * 500}", 200, ""),
    }


def named(stem: str, reason: str, status: int, unknown: tuple[str, int, str], told: str = "address") -> dict[str, Row]:
    """The rows of an address that names what is asked."""
    huge, missing, why = unknown
    return {
        "method": Row("PUT", f"{stem}0", 405, "address", b"x"),
        "way out": Row("GET", f"{stem}..%2f..%2fetc%2fpasswd", 404, told),
        "more path": Row("GET", f"{stem}0/x", 404, told),
        "malformed": Row("GET", f"{stem}0x1", status, reason),
        "unicode": Row("GET", f"{stem}%D9%A1", status, reason),
        "huge": Row("GET", f"{stem}{huge}", missing, why),
        "nul": Row("GET", f"{stem}0%00", status, reason),
    }


INDEX, SUBJECT = ("9" * 16, 404, "not-found"), ("sha256:" + "9" * 4_000, 400, "subject")
MANY = "application/jsonl"
GOOD = envelope_of(20)
ENTRIES = {
    "method": Row("PATCH", "/entries", 405, "address", b"x"),
    "way out": Row("POST", "/entries/../../etc/passwd", 404, "address", GOOD, MANY),
    "more path": Row("POST", "/entries/0", 404, "address", GOOD, MANY),
    "nothing": Row("POST", "/entries", 400, "nothing", b"", MANY),
    "oversized": Row("POST", "/entries", 413, "too-large", b"x" * 1_000_001, MANY),
    "wrong type": Row("POST", "/entries", 415, "media-type", GOOD, "multipart/form-data"),
    "malformed": Row("POST", "/entries", 422, "not-json", GOOD[:-9], MANY),
    "twice": Row("POST", "/entries", 422, "duplicate-key", b'{"payload":"",' + GOOD[1:], MANY),
    "deep": Row("POST", "/entries", 422, "too-deep", b'{"a":' * 3_000 + b"1" + b"}" * 3_000, MANY),
    "not unicode": Row("POST", "/entries", 422, "not-utf8", b'{"payload":"\xff\xfe"}', MANY),
    "huge": Row("POST", "/entries", 422, "not-json", b'{"payload":' + b"9" * 5_000 + b"}", MANY),
    "packed": Row("POST", "/entries", 422, "not-utf8", gzip.compress(GOOD), MANY),
}
REGISTRY = {
    **{path: read(path) for path in ("/", "/checkpoint", "/health", "/metrics", "/openapi.json")},
    **{path: read(path, "page") for path in ("/pages/style.css",)},
    "/pages": read("/pages", "page"),
    "/pages/subject": {
        **read("/pages/subject", "page"),
        "noise": Row("GET", "/pages/subject?digest=%00%ff&digest=../..", 400, "page"),
        "more path": Row("GET", "/pages/subject/x/y", 404, "page"),
    },
    "/tile/{path:path}": {
        **named("/tile/", "tile-path", 422, ("0/" + "x999/" * 2_000 + "000", 422, "tile-path")),
        "way out": Row("GET", "/tile/..%2f..%2fetc%2fpasswd", 422, "tile-path"),
        "more path": Row("GET", "/tile/0/000/x", 422, "tile-path"),
    },
    "/entry/{index}": named("/entry/", "index", 400, INDEX),
    "/envelope/{index}": named("/envelope/", "index", 400, INDEX),
    "/proof/{index}": named("/proof/", "index", 400, INDEX),
    "/lookup/{subject}": named("/lookup/", "subject", 400, SUBJECT),
    "/pages/subject/{subject}": named("/pages/subject/", "page", 400, (SUBJECT[0], 400, "page"), "page"),
    "/pages/entry/{index}": named("/pages/entry/", "page", 400, (INDEX[0], 404, "page"), "page"),
    "/entries": ENTRIES,
}


def head(old: bytes, proof: bytes = b"") -> bytes:
    return b"old " + old + b"\n" + proof + b"\n" + LOG.signed(9)


HASH = to_base64(b"x" * 32).encode() + b"\n"
ASK = body(LOG, 0, 9)


def sent(data: bytes, status: int, reason: str) -> Row:
    return Row("POST", "/add-checkpoint", status, reason, data)


ADD_CHECKPOINT = {
    "method": Row("PUT", "/add-checkpoint", 405, "address", ASK),
    "way out": Row("POST", "/add-checkpoint/../../etc/passwd", 404, "address", ASK),
    "more path": Row("POST", "/add-checkpoint/x", 404, "address", ASK),
    "nothing": sent(b"", 400, "request-form"),
    "oversized": sent(b"x" * (BODY + 1), 413, "too-large"),
    "wrong type": sent(b"old=0&checkpoint=x", 400, "request-form"),
    "malformed": sent(ASK.replace(b"\n", b"\r\n"), 400, "request-form"),
    "twice": sent(ASK.replace(b"old 0\n", b"old 0\nold 0\n"), 400, "bad-base64"),
    "deep": sent(b"[" * 60_000, 400, "request-form"),
    "not unicode": sent(head(b"\xed\xa0\x80"), 400, "not-utf8"),
    "huge": sent(head(b"9" * 4_000), 400, "old-size"),
    "packed": sent(gzip.compress(ASK), 400, "not-utf8"),
}
# Further ways into the same address, each with its answer.
MORE = {
    "the largest size": sent(head(b"9223372036854775807"), 400, "old-size"),
    "one beyond it": sent(head(b"9223372036854775808"), 400, "old-size"),
    "a negative size": sent(head(b"-1"), 400, "old-size"),
    "a size with a plus": sent(head(b"+0"), 400, "old-size"),
    "other digits": sent(head("\N{ARABIC-INDIC DIGIT ZERO}".encode()), 400, "old-size"),
    "no number": sent(head(b"NaN"), 400, "old-size"),
    "an old size beyond the head": sent(head(b"10"), 400, "old-size"),
    "a hash too many": sent(head(b"1", HASH * 64), 400, "proof-path"),
    "half a hash": sent(head(b"1", b"AAAA\n"), 400, "proof-path"),
    "no base64": sent(head(b"1", b"!!!!\n"), 400, "bad-base64"),
    "a proof of nothing": sent(head(b"0", HASH), 422, "not-consistent"),
    "no signature": sent(ASK.rpartition("\N{EM DASH}".encode())[0], 400, "note-form"),
    "a way out as an origin": sent(ASK.replace(b"log.example/one", b"../../etc/passwd"), 404, "unknown-origin"),
    "a look-alike": sent(ASK.replace(b"log.", "l\N{CYRILLIC SMALL LETTER O}g.".encode()), 404, "unknown-origin"),
    "a NUL in the origin": sent(ASK.replace(b"log.", b"log\0."), 400, "control-character"),
    "a size of 30 digits": sent(ASK.replace(b"\n9\n", b"\n" + b"9" * 30 + b"\n"), 400, "checkpoint-size"),
    "another size": sent(ASK.replace(b"\n9\n", b"\n99\n"), 403, "bad-signature"),
    "signatures without end": sent(ASK + ASK.splitlines(keepends=True)[-1] * 200, 400, "too-many-signatures"),
}
WITNESS = {"/add-checkpoint": ADD_CHECKPOINT, "/health": read("/health"), "/": read("/")}
# A body that does not come takes its time, and has a test of its own.
SLOW = {
    "/entries": test_server.test_a_body_that_claims_to_be_longer_is_not_waited_for_for_ever,
    "/add-checkpoint": test_witness_server.test_a_body_that_does_not_arrive_is_not_waited_for,
}


def rows(table):
    return [pytest.param(row, id=f"{path} {way}") for path, found in table.items() for way, row in found.items()]


def require_complete(routes, table) -> None:
    assert {route.path for route in routes} == set(table)
    for route in routes:
        held = set(table[route.path]) | ({"slow"} if route.path in SLOW else set())
        assert held == ways(route), route.path


def test_no_address_of_a_registry_is_without_its_rows(tmp_path):
    configuration = load_configuration(settle(tmp_path))
    log = Log.open(configuration.database, configuration.key, configuration.name)
    routes = Registry(log, configuration).app().routes
    log.close()
    require_complete(routes, REGISTRY)


def test_no_address_of_a_witness_is_without_its_rows():
    witness = Witness("witness.example/1", [], {}, MemoryHeads())
    require_complete(Served(witness, int, print, 1).app().routes, WITNESS)


def test_no_server_is_without_its_tables():
    """A mirror and a monitor are commands, and serve nothing. The gateway's tables stand in tests/gateway."""
    serve = re.compile(r"^\s*from aloi\.serving\.listening import run", re.MULTILINE)
    found = {str(path.relative_to(SOURCES)) for path in SOURCES.rglob("*.py") if serve.search(path.read_text())}
    assert found == {"cli/registry/keeping.py", "cli/registry/witness.py", "cli/gateway.py"}
    assert not [path for path in SOURCES.rglob("*.py") if "http.server" in path.read_text()]


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    with serving(settle(tmp_path_factory.mktemp("hostile"))) as served:
        assert served.publish(*envelopes(0, 3)).status == 200
        yield served


@pytest.mark.parametrize("row", rows(REGISTRY))
def test_a_registry_answers_exactly_so_and_changes_nothing(registry, row):
    before = registry.get("/checkpoint").body
    headers = {"Content_Type": row.kind} if row.kind else {}
    answer = registry.ask(row.method, row.path, row.body, **headers)
    if row.reason == "page":
        assert answer.headers["content-type"].startswith("text/html")
    elif row.reason:
        assert answer.json()["reason"] == row.reason
    assert answer.status == row.status
    assert ("allow" in answer.headers) == (row.status == 405)
    for told in (b"root:", b"Traceback", str(registry.folder).encode()):
        assert told not in answer.body
    assert registry.get("/checkpoint").body == before


@pytest.mark.parametrize("row", [*rows(WITNESS), *rows({"/add-checkpoint": MORE})])
async def test_a_witness_answers_exactly_so_and_signs_nothing(row):
    async with running(LOG) as one:
        if ".." in row.path:  # a client would tidy the path up before it asks
            sent = row.body or b""
            lines = (
                f"{row.method} {row.path} HTTP/1.1",
                "Host: x",
                "Connection: close",
                f"Content-Length: {len(sent)}",
            )
            answer = await raw(one.host, "\r\n".join([*lines, "", ""]).encode() + sent)
            assert answer.startswith(f"HTTP/1.1 {row.status} ".encode())
            assert f'"reason":"{row.reason}"'.encode() in answer
        else:
            status, headers, told = await ask(one.url, row.body or b"", row.method, row.path)
            assert status == row.status
            plain = headers["content-type"].startswith("text/plain")
            reason = told.partition(b":")[0].decode() if plain else json.loads(told).get("reason", "")
            assert reason == row.reason
            assert ("allow" in headers) == (status == 405)
        assert one.witness.known(LOG.origin) is None
        assert (await ask(one.url, ASK))[0] == 200
