"""A registry that keeps its tiles as files while it serves: what is in the files, and what is answered from them."""

import os
import signal
import time

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from log_room import ORIGIN, WRITER, envelopes
from server_room import SETTINGS, serving, settle
from static_stranger import file_server, whole_log

from aloi.registry import tiles
from aloi.registry.tiles import pack

PUBLIC = Ed25519PublicKey.from_public_bytes(WRITER.public.der[-32:])
TILES = SETTINGS + "tiles: tiles\n"


def until_written(registry, entries):
    end = time.monotonic() + 60
    while registry.get("/health").json()["tiles"] != entries:
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A registry with 300 statements, in its files too."""
    with serving(settle(tmp_path_factory.mktemp("registry"), TILES, WRITER)) as registry:
        assert registry.publish(*envelopes(0, 300)).status == 200
        until_written(registry, 300)
        yield registry


@pytest.fixture
def changed(served):
    """Lets a test change a file of the folder, and puts it back."""
    before = {}

    def change(name):
        path = served.folder / "tiles" / name
        before[path] = path.read_bytes()
        return path

    yield change
    for path, data in before.items():
        path.unlink(missing_ok=True)
        path.write_bytes(data)


def test_a_server_of_files_and_the_registry_answer_the_same(served):
    with file_server(served.folder / "tiles") as url:
        entries = whole_log(url, ORIGIN, PUBLIC)
    assert entries == whole_log(served.url, ORIGIN, PUBLIC)
    assert len(entries) == 300
    assert served.get("/checkpoint").body == (served.folder / "tiles" / "checkpoint").read_bytes()
    assert b"\naloi_registry_tiles 300.0\n" in served.get("/metrics").body


@pytest.mark.parametrize("name", ["tile/0/000", "tile/1/000.p/1"])
def test_a_tile_is_answered_from_its_file_while_it_is_whole(served, changed, name):
    given = served.get(f"/{name}")
    assert "immutable" in given.headers["cache-control"]
    path = changed(name)
    path.write_bytes(b"x" * len(given.body))
    assert served.get(f"/{name}").body == b"x" * len(given.body)  # readers hold it to the checkpoint
    path.write_bytes(given.body[:-1])
    assert served.get(f"/{name}").body == given.body
    path.unlink()
    assert served.get(f"/{name}").body == given.body


def test_a_bundle_is_answered_from_its_file_while_it_is_whole(served, changed):
    given = served.get("/tile/entries/001.p/44").body
    path = changed("tile/entries/001.p/44")
    other = pack([b"another"] * 44)
    path.write_bytes(other)
    assert served.get("/tile/entries/001.p/44").body == other
    for torn in (given[:-1], given + b"\x00", pack(tiles.unpack(given)[:43]), b""):
        path.write_bytes(torn)
        assert served.get("/tile/entries/001.p/44").body == given


HOSTILE = {
    "the checkpoint as a tile": "/tile/../checkpoint",
    "the key, by a way out": "/tile/../../log.pem",
    "the key, by an escaped way out": "/tile/%2e%2e%2f%2e%2e%2flog.pem",
    "what is half written": "/tile/../.tmp",
    "a folder of tiles": "/tile/0",
    "a folder of partial tiles": "/tile/0/001.p",
    "a folder, with a slash": "/tile/0/",
    "a NUL behind a tile": "/tile/0/000%00.p/1",
    "a tile from the root": "/tile//0/000",
    "a tile with a way within": "/tile/0/../0/000",
    "a width with a sign": "/tile/0/001.p/+44",
    "a wide digit": "/tile/0/00%EF%BC%90",
}


@pytest.mark.parametrize("case", HOSTILE)
def test_no_request_names_another_file(served, case):
    answer = served.get(HOSTILE[case])
    assert (answer.status, answer.json()["reason"]) in {(422, "tile-path"), (404, "address")}


def test_a_link_among_the_tiles_is_not_followed(served, changed):
    given = served.get("/tile/0/000").body
    path = changed("tile/0/000")
    (served.folder / "outside").write_bytes(b"k" * len(given))
    path.unlink()
    path.symlink_to(served.folder / "outside")
    assert served.get("/tile/0/000").body == given


def test_a_pipe_among_the_tiles_holds_nobody_up(served, changed):
    given = served.get("/tile/0/000").body
    path = changed("tile/0/000")
    path.unlink()
    os.mkfifo(path)
    assert served.get("/tile/0/000").body == given


def test_who_publishes_does_not_learn_that_the_folder_fails(tmp_path):
    with serving(settle(tmp_path, TILES, WRITER)) as registry:
        assert registry.publish(*envelopes(0, 3)).status == 200
        until_written(registry, 3)
        (tmp_path / "tiles/tile").rename(tmp_path / "away")
        (tmp_path / "tiles/tile").write_bytes(b"")
        assert registry.publish(*envelopes(3, 6)).status == 200
        assert "Tiles cannot be written to" in registry.process.stderr.readline()
        assert registry.get("/tile/entries/000.p/6").status == 200
        assert registry.get("/health").json() == {"entries": 6, "published": 6, "waiting": 0, "tiles": 3}
        (tmp_path / "tiles/tile").unlink()
        (tmp_path / "away").rename(tmp_path / "tiles/tile")
        assert "Tiles are written to" in registry.process.stderr.readline()
        until_written(registry, 6)
    assert len(whole_log((tmp_path / "tiles").as_uri(), ORIGIN, PUBLIC)) == 6


def test_tiles_are_tried_again_where_nobody_reads_that_they_failed(tmp_path):
    """The disk that is full may be that of standard error too."""
    with serving(settle(tmp_path, TILES, WRITER)) as registry:
        until_written(registry, 0)
        registry.process.stderr.close()
        (tmp_path / "tiles/tile").write_bytes(b"")
        assert registry.publish(*envelopes(0, 3)).status == 200
        time.sleep(1.5)  # the fault is told to nobody
        (tmp_path / "tiles/tile").unlink()
        until_written(registry, 3)


def test_a_server_killed_after_its_answer_catches_up_when_it_starts(tmp_path):
    file = settle(tmp_path, TILES, WRITER)
    base = (tmp_path / "tiles").as_uri()
    with serving(file) as registry:
        assert registry.publish(*envelopes(0, 40)).status == 200
        until_written(registry, 40)
        assert registry.publish(*envelopes(40, 80)).status == 200
        registry.process.send_signal(signal.SIGKILL)
        registry.process.wait(30)
    assert len(whole_log(base, ORIGIN, PUBLIC)) in {40, 80}
    with serving(file) as registry:
        until_written(registry, 80)
        assert len(whole_log(base, ORIGIN, PUBLIC)) == 80


def test_a_folder_that_is_named_later_is_filled_from_the_database(tmp_path):
    with serving(settle(tmp_path, SETTINGS, WRITER)) as registry:
        assert registry.publish(*envelopes(0, 300)).status == 200
        assert "tiles" not in registry.get("/health").json()
    with serving(settle(tmp_path, TILES, WRITER)) as registry:
        until_written(registry, 300)
    assert len(whole_log((tmp_path / "tiles").as_uri(), ORIGIN, PUBLIC)) == 300


@pytest.mark.parametrize("name", ["x" * 300, "log.pem/tiles", "away"])
def test_nothing_is_begun_where_it_cannot_be_seen_whether_there_was_a_log(tmp_path, name):
    (tmp_path / "away").symlink_to("away")
    file = settle(tmp_path, SETTINGS + f"tiles: {name}\n", WRITER)
    with pytest.raises(AssertionError, match="tiles cannot be kept in"), serving(file):
        pass
    assert not (tmp_path / "registry.db").exists()
