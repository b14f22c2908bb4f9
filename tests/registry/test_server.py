"""The log's HTTP interface, served by a process of its own: what it answers, and a hostile table for each endpoint."""

import json
import socket
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files

import pytest
from jsonschema import Draft202012Validator
from log_room import OTHER, SUBMITTER, SYSTEM, envelope_of, envelopes, key_of
from server_room import SETTINGS, serving, settle

from aloi.evidence import checkpoints, logentry, logproof, notes
from aloi.evidence import envelope as dsse
from aloi.evidence.canonical import digest
from aloi.evidence.keys import load
from aloi.evidence.lookup import verify_lookup
from aloi.evidence.merkle import leaf_hash
from aloi.evidence.notes import ED25519, NoteKey
from aloi.evidence.trustpolicy import Policy
from aloi.registry import tiles
from aloi.registry.check import check
from aloi.registry.log import Log
from aloi.registry.server.app import Registry
from aloi.registry.server.configuration import load_configuration

DESCRIPTION = json.loads((files("aloi.registry.server") / "openapi.json").read_text())
NAME = "registry.example.org/log"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A registry with three statements."""
    with serving(settle(tmp_path_factory.mktemp("registry"))) as registry:
        assert registry.publish(*envelopes(0, 3)).status == 200
        yield registry


@pytest.fixture(scope="module")
def key(served):
    return NoteKey(NAME, ED25519, load(served.folder / "log.pem").public)


def test_what_is_published_is_proved_and_looked_up_by_a_stranger(served, key):
    given = envelope_of(10)
    (receipt,) = served.ask("POST", "/entries", given, Content_Type="application/json").json()["entries"]
    assert receipt["envelope"] == digest(given)
    entry = logentry.of(dsse.read(given))
    for proof in (receipt["proof"].encode(), served.get(f"/proof/{receipt['index']}").body):
        logproof.verify(logproof.read(proof), entry, [key], origin=NAME)
    assert served.get(f"/envelope/{receipt['index']}").body == given
    assert served.get(f"/entry/{receipt['index']}").json()["entry"].encode() == entry
    answer = served.get(f"/lookup/{SYSTEM.fingerprint}").body
    told = verify_lookup(answer, SYSTEM.fingerprint, Policy((key,), (), (), "none"))
    assert told.entries[receipt["index"]] == entry
    again = served.publish(given).json()["entries"]
    assert [each["index"] for each in again] == [receipt["index"]]


def test_tiles_lead_to_the_checkpoint(served, key):
    said = checkpoints.verify(notes.read(served.get("/checkpoint").body), [key], origin=NAME)
    width = said.size
    bundle = served.get(f"/tile/entries/000.p/{width}")
    tile = served.get(f"/tile/0/000.p/{width}")
    hashes = [leaf_hash(entry) for entry in tiles.unpack(bundle.body)]
    assert b"".join(hashes) == tile.body
    assert served.get("/tile/0/000.p/2").body == tile.body[:64]
    assert "immutable" in tile.headers["cache-control"]


def test_many_publish_at_once_and_each_has_an_index_of_its_own(served, key):
    def publish(number):
        (receipt,) = served.publish(envelope_of(number)).json()["entries"]
        return number, receipt

    with ThreadPoolExecutor(8) as pool:
        receipts = list(pool.map(publish, range(100, 160)))
    assert len({receipt["index"] for _, receipt in receipts}) == 60
    for number, receipt in receipts:
        proof = logproof.read(receipt["proof"].encode())
        logproof.verify(proof, logentry.of(dsse.read(envelope_of(number))), [key])
    assert check(f"sqlite:///{served.folder}/registry.db", key).entries >= 60


def schema_of(path, method, status):
    media = DESCRIPTION["paths"][path][method]["responses"][status]["content"]
    kind, told = next(iter(media.items()))  # what programs get
    return kind, {**told["schema"], "components": DESCRIPTION["components"]}


ANSWERS = {
    "/": "/",
    "/checkpoint": "/checkpoint",
    "/tile/{path}": "/tile/0/000.p/1",
    "/entry/{index}": "/entry/0",
    "/envelope/{index}": "/envelope/0",
    "/proof/{index}": "/proof/0",
    "/lookup/{subject}": f"/lookup/{SYSTEM.fingerprint}",
    "/health": "/health",
    "/metrics": "/metrics",
    "/openapi.json": "/openapi.json",
    "/pages": "/pages",
    "/pages/style.css": "/pages/style.css",
    "/pages/subject": f"/pages/subject?digest={SYSTEM.fingerprint}",
    "/pages/subject/{subject}": f"/pages/subject/{SYSTEM.fingerprint}",
    "/pages/entry/{index}": "/pages/entry/0",
}


@pytest.mark.parametrize("path", ANSWERS)
def test_every_answer_is_as_described(served, path):
    answer = served.get(ANSWERS[path])
    kind, schema = schema_of(path, "get", "200")
    assert answer.status == 200
    assert answer.headers["content-type"].split(";")[0] == kind
    if kind == "application/json":
        Draft202012Validator(schema).validate(answer.json())
    assert "server" not in answer.headers


def test_every_endpoint_is_described_and_every_description_is_an_endpoint(tmp_path):
    configuration = load_configuration(settle(tmp_path))
    log = Log.open(configuration.database, configuration.key, configuration.name)
    routes = Registry(log, configuration).app().routes
    log.close()
    paths = {route.path.replace(":path", "") for route in routes}
    assert paths == set(DESCRIPTION["paths"]) == {*ANSWERS, "/entries"}


def lines(*parts):
    return {"body": b"\n".join(parts), "Content_Type": "application/jsonl"}


UNSIGNED = dsse.write(dsse.read(envelope_of(20)))[:-40]
HOSTILE = {
    "a tile beyond the end": ("GET", "/tile/0/x001/000", {}, 404, "not-found"),
    "a tile wider than there is": ("GET", "/tile/0/000.p/255", {}, 404, "not-found"),
    "a bundle beyond the end": ("GET", "/tile/entries/x999/x999/x999/999", {}, 404, "not-found"),
    "a tile of no level": ("GET", "/tile/64/000", {}, 422, "tile-path"),
    "a way out of the tiles": ("GET", "/tile/../../../../etc/passwd", {}, 422, "tile-path"),
    "an escaped way out": ("GET", "/tile/%2e%2e/%2e%2e/etc/passwd", {}, 422, "tile-path"),
    "a tile of zeroes": ("GET", "/tile/0/000.p/0", {}, 422, "tile-path"),
    "a NUL in a tile": ("GET", "/tile/0/000%00", {}, 422, "tile-path"),
    "an entry that is not there": ("GET", "/entry/999999", {}, 404, "not-found"),
    "a negative entry": ("GET", "/entry/-1", {}, 400, "index"),
    "an entry of many digits": ("GET", "/entry/" + "9" * 400, {}, 400, "index"),
    "an entry in other digits": ("GET", "/entry/%D9%A1", {}, 400, "index"),
    "an entry with a leading zero": ("GET", "/entry/00", {}, 400, "index"),
    "an entry as large as can be": ("GET", "/entry/9999999999999999", {}, 404, "not-found"),
    "an envelope that is not there": ("GET", "/envelope/999999", {}, 404, "not-found"),
    "a file as an envelope": ("GET", "/envelope/..%2f..%2fetc%2fpasswd", {}, 404, "address"),
    "a proof that is not there": ("GET", "/proof/999999", {}, 404, "not-found"),
    "a proof of a word": ("GET", "/proof/one", {}, 400, "index"),
    "a subject that is no digest": ("GET", "/lookup/banque", {}, 400, "subject"),
    "a subject in capitals": ("GET", f"/lookup/sha256:{'A' * 64}", {}, 400, "subject"),
    "a subject of SQL": ("GET", "/lookup/sha256:'%20OR%201=1--", {}, 400, "subject"),
    "nothing there": ("GET", "/admin", {}, 404, "address"),
    "the root of the disk": ("GET", "/../../etc/passwd", {}, 404, "address"),
    "to write a checkpoint": ("PUT", "/checkpoint", {"body": b"mine"}, 405, "address"),
    "to read what is written": ("GET", "/entries", {}, 405, "address"),
    "to delete an entry": ("DELETE", "/entry/0", {}, 405, "address"),
    "to post to the metrics": ("POST", "/metrics", {"body": b""}, 405, "address"),
    "to post to health": ("POST", "/health", {"body": b""}, 405, "address"),
    "to post to the root": ("POST", "/", {"body": b""}, 405, "address"),
    "to post to the description": ("POST", "/openapi.json", {"body": b""}, 405, "address"),
    "to post to the front page": ("POST", "/pages", {"body": b""}, 405, "address"),
    "to write the style sheet": ("PUT", "/pages/style.css", {"body": b"*{}"}, 405, "address"),
    "to post to the form's page": ("POST", "/pages/subject", {"body": b"digest=x"}, 405, "address"),
    "to post to a subject's page": ("POST", "/pages/subject/sha256:00", {"body": b""}, 405, "address"),
    "to delete an entry's page": ("DELETE", "/pages/entry/0", {}, 405, "address"),
    "no type": ("POST", "/entries", {"body": envelope_of(20)}, 415, "media-type"),
    "another type": ("POST", "/entries", {"body": b"x", "Content_Type": "text/html"}, 415, "media-type"),
    "nothing": ("POST", "/entries", lines(b""), 400, "nothing"),
    "no JSON": ("POST", "/entries", lines(b"{"), 422, "not-json"),
    "JSON of another kind": ("POST", "/entries", lines(b"[]"), 422, "wrong-type"),
    "deep JSON": ("POST", "/entries", lines(b"[" * 5000 + b"]" * 5000), 422, "too-deep"),
    "a key twice": ("POST", "/entries", lines(b'{"payload":"",' + envelope_of(20)[1:]), 422, "duplicate-key"),
    "an envelope cut short": ("POST", "/entries", lines(UNSIGNED), 422, "not-json"),
    "no signature that holds": (
        "POST",
        "/entries",
        lines(envelope_of(20).replace(b'"sig":"', b'"sig":"AAAA', 1)),
        422,
        "bad-signature",
    ),
    "a stranger's": ("POST", "/entries", lines(envelope_of(20, key_of(7))), 403, "unknown-signer"),
    "a stranger's among others": (
        "POST",
        "/entries",
        lines(envelope_of(20), envelope_of(21, key_of(7))),
        403,
        "unknown-signer",
    ),
    "cosigned by a stranger": ("POST", "/entries", lines(envelope_of(20, SUBMITTER, key_of(7))), 403, "unknown-signer"),
    "one statement too large": ("POST", "/entries", lines(b"x" * 20_001), 413, "too-large"),
    "a request too large": ("POST", "/entries", lines(b"x" * 1_000_001), 413, "too-large"),
    "a thousand and one": ("POST", "/entries", lines(*[b"{}"] * 1001), 413, "too-many"),
    "more than a quota": (
        "POST",
        "/entries",
        lines(*[envelope_of(number, OTHER) for number in range(30, 37)]),
        429,
        "quota",
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_is_hostile_is_refused_and_changes_nothing(served, case):
    method, path, request, status, reason = HOSTILE[case]
    before = served.get("/checkpoint").body
    answer = served.ask(method, path, **request)
    told = answer.json()
    assert (answer.status, told["reason"]) == (status, reason), told
    assert told["message"][0]
    Draft202012Validator({"$ref": "#/components/schemas/Refusal", **DESCRIPTION}).validate(told)
    assert str(served.folder) not in answer.body.decode()
    assert served.get("/checkpoint").body == before


def test_every_endpoint_has_its_hostile_table():
    asked = [path for _, path, *_ in HOSTILE.values()]
    for path in DESCRIPTION["paths"]:
        stem = path.partition("{")[0]
        assert any(each == path or (stem != path and each.startswith(stem)) for each in asked), path


def test_a_refusal_is_told_in_the_readers_language(served):
    french = served.get("/entry/999999", Accept_Language="de, fr-CA;q=0.9, en;q=0.5")
    assert (
        french.json()["message"][0]
        == "le journal n\N{RIGHT SINGLE QUOTATION MARK}a pas d\N{RIGHT SINGLE QUOTATION MARK}entrée 999999"
    )
    assert french.headers["content-language"] == "fr"
    assert served.get("/entry/999999").json()["message"][0] == "the log has no entry 999999"


def test_a_quota_says_when_to_come_back(served):
    assert served.publish(*[envelope_of(number, OTHER) for number in range(40, 46)]).status == 200
    answer = served.publish(envelope_of(46, OTHER))
    assert answer.status == 429
    assert 1 <= int(answer.headers["retry-after"]) <= 3_600


def test_a_body_that_claims_to_be_longer_is_not_waited_for_for_ever(served):
    """A request that never ends costs a connection for a while, and nobody else anything."""
    host, port = served.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=40) as slow:
        slow.sendall(
            b"POST /entries HTTP/1.1\r\nHost: x\r\nContent-Type: application/jsonl\r\nContent-Length: 90\r\n\r\n{"
        )
        assert served.get("/health").status == 200
        assert b"408" in slow.recv(200).split(b"\r\n")[0]


def test_headers_without_end_are_refused(served):
    host, port = served.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as endless:
        endless.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 40_000)
        assert b"400" in endless.recv(200).split(b"\r\n")[0]


def test_too_many_requests_from_one_address_wait(tmp_path):
    settings = SETTINGS.replace("requests_per_minute: 100000", "requests_per_minute: 5")
    with serving(settle(tmp_path, settings)) as registry:
        answers = [registry.get("/checkpoint") for _ in range(6)]
    assert [each.status for each in answers] == [200] * 5 + [429]
    assert answers[-1].json()["reason"] == "too-often"
    assert int(answers[-1].headers["retry-after"]) <= 12


def test_what_was_answered_is_there_after_the_server_was_killed(tmp_path):
    file = settle(tmp_path)
    with serving(file) as registry:
        (receipt,) = registry.publish(envelope_of(1)).json()["entries"]
        registry.process.kill()
    with serving(file) as registry:
        assert registry.get(f"/envelope/{receipt['index']}").body == envelope_of(1)
        (later,) = registry.publish(envelope_of(2)).json()["entries"]
    assert later["index"] == receipt["index"] + 1


def test_a_database_that_goes_while_it_is_served_is_told_and_takes_nothing_in(tmp_path):
    with serving(settle(tmp_path)) as registry:
        assert registry.publish(envelope_of(1)).status == 200
        file = tmp_path / "registry.db"
        file.rename(tmp_path / "away.db")
        answers = [registry.publish(envelope_of(2)), registry.get("/health"), registry.publish(envelope_of(3))]
        assert [(each.status, each.json()["reason"]) for each in answers] == [(503, "unavailable")] * 3
        (tmp_path / "away.db").rename(file)
        assert registry.get("/health").status == 200
        (receipt,) = registry.publish(envelope_of(2)).json()["entries"]
        assert receipt["index"] == 1


def test_what_was_erased_is_gone_and_says_why(tmp_path):
    file = settle(tmp_path)
    with serving(file) as registry:
        registry.publish(envelope_of(1))
        log = Log.open(f"sqlite:///{tmp_path}/registry.db", load(tmp_path / "log.pem"), NAME)
        log.erase(0, "asked by the person named")
        log.close()
        answer = registry.get("/envelope/0")
        assert (answer.status, answer.json()["reason"]) == (410, "erased")
        assert "asked by the person named" in answer.json()["message"][0]
        assert registry.get("/entry/0").json()["erased"]["reason"] == "asked by the person named"
        assert registry.get("/proof/0").status == 200
