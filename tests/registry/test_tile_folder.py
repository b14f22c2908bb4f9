"""A log as static files: what a stranger reads there, what a kill leaves, and what stands in the way."""

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from log_room import KEYS, ORIGIN, SUBMITTER, WRITER, envelopes, key_of, unsigned
from static_stranger import fetch, file_server, whole_log

from aloi.errors import AskerError, EvidenceError, RegistryError
from aloi.evidence import checkpoints, merkle, notes
from aloi.evidence.checkpoints import Checkpoint
from aloi.evidence.notes import ED25519, NoteKey
from aloi.evidence.trustpolicy import Policy
from aloi.registry import durable, paths, tilefolder, tilekeeper
from aloi.registry.check import check
from aloi.registry.filecheck import FileCheck
from aloi.registry.log import Log
from aloi.registry.mirroring import Mirrored, mirror
from aloi.registry.tilefolder import TileFolder
from aloi.registry.tilekeeper import TileKeeper
from aloi.registry.tiles import ENTRIES, Tile, parse, tiles, unpack

KEY = NoteKey(ORIGIN, ED25519, WRITER.public)
PUBLIC = Ed25519PublicKey.from_public_bytes(WRITER.public.der[-32:])
HERE = Path(__file__).parent


def grow(log, first, last):
    for start in range(first, last, 1000):
        log.sequence([unsigned(number) for number in range(start, min(last, start + 1000))])


def texts(count):
    return [f"{number}".encode() for number in range(count)]


def files(folder):
    return {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def log(tmp_path):
    log = Log.open(f"sqlite:///{tmp_path}/log.db", WRITER, ORIGIN)
    yield log
    log.close()


@pytest.fixture
def folder(log, tmp_path):
    """The folder of tiles, opened; where it stands is `tmp_path / "tiles"`."""
    folder = TileFolder.open(tmp_path / "tiles", log)
    yield folder
    folder.close()


def url_of(tmp_path):
    return f"sqlite:///{tmp_path}/log.db"


def test_a_stranger_reads_the_log_as_files_at_every_step(log, folder, tmp_path):
    at, base = 0, (tmp_path / "tiles").as_uri()
    folder.follow()
    assert whole_log(base, ORIGIN, PUBLIC) == []
    for size in (1, 2, 255, 256, 257, 700, 701, 1024, 3000):
        grow(log, at, size)
        folder.follow()
        at = size
        assert whole_log(base, ORIGIN, PUBLIC) == texts(size)
        assert folder.size == size
        owed = {each.path for each in tiles(size)} | {"checkpoint"}
        assert owed <= set(files(tmp_path / "tiles"))


def test_every_name_is_one_of_the_specification_and_no_full_tile_is_written_twice(log, folder, tmp_path):
    base, before = tmp_path / "tiles", {}
    for size in range(40, 1200, 40):
        grow(log, size - 40, size)
        folder.follow()
        found = {name: (path.stat().st_ino, path.stat().st_mtime_ns) for name, path in files(base).items()}
        assert all(name == "checkpoint" or parse(name).path == name for name in found)
        kept = [name for name in before if name != "checkpoint" and name in found]
        assert {name: found[name] for name in kept} == {name: before[name] for name in kept}
        before = found
    partial = [parse(name) for name in before if ".p/" in name]
    assert {(each.level, each.index) for each in partial} == {(ENTRIES, 4), (0, 4), (1, 0)}  # of whole ones, none


def test_what_did_not_change_is_not_written(log, folder, tmp_path, monkeypatch):
    grow(log, 0, 1000)
    folder.follow()
    written = []
    put = durable.put
    monkeypatch.setattr(durable, "put", lambda path, *more: written.append(path.name) or put(path, *more))
    folder.follow()
    assert written == []
    grow(log, 1000, 1001)
    folder.follow()
    assert written == ["233", "233", "checkpoint"]  # one tile, one bundle


def test_an_entry_is_proved_with_our_client_through_a_server_of_files(tmp_path, log, folder):
    log.append(envelopes(0, 300), KEYS)
    folder.follow()
    with file_server(tmp_path / "tiles") as url:
        assert len(whole_log(url, ORIGIN, PUBLIC)) == 300
        policy = Policy((KEY,), (), (), "none")
        assert mirror(url, tmp_path / "copy", policy) == Mirrored(ORIGIN, 300, 300, 1)
        said = checkpoints.verify(notes.read((tmp_path / "tiles" / "checkpoint").read_bytes()), [KEY], origin=ORIGIN)
        ranges = paths.inclusion(270, said.size)
        held = {place: _fetched(url, place, said.size) for place in paths.places(ranges)}
        (entry,) = unpack(_get(url, Tile(ENTRIES, 1, 44)))[14:15]
        proof = [paths.hash_of(span, held) for span in ranges]
        merkle.verify_inclusion(merkle.leaf_hash(entry), 270, said.size, proof, said.root)
        assert entry == log.entry(270).body


def _fetched(url, place, size):
    level, index = place
    return _get(url, Tile(level, index, min(256, (size >> (8 * level)) - 256 * index)))


def _get(url, tile):
    return fetch(f"{url}/{tile.path}")


def test_a_mirror_that_read_an_old_head_gets_the_whole_tile_in_place_of_the_partial_one(log, folder, tmp_path):
    grow(log, 0, 200)
    folder.follow()
    old = (tmp_path / "tiles" / "checkpoint").read_bytes()
    grow(log, 200, 600)
    folder.follow()
    assert not (tmp_path / "tiles/tile/0/000.p").exists()
    (tmp_path / "tiles" / "checkpoint").write_bytes(old)
    with file_server(tmp_path / "tiles") as url:
        assert whole_log(url, ORIGIN, PUBLIC) == texts(200)
        assert mirror(url, tmp_path / "copy", Policy((KEY,), (), (), "none")).entries == 200


def test_what_a_killed_process_left_is_swept_away(log, folder, tmp_path):
    grow(log, 0, 300)
    folder.follow()
    folder.close()
    base = tmp_path / "tiles"
    before = set(files(base))
    (base / "tile/0/000.p").mkdir()
    (base / "tile/0/000.p/17").write_bytes(b"x")
    (base / ".tmp").write_bytes(b"half")
    folder._held = TileFolder.open(base, log)._held
    assert set(files(base)) == before


def test_an_erased_envelope_was_never_in_a_file(log, folder, tmp_path):
    given = envelopes(0, 20)
    log.append(given, KEYS)
    folder.follow()
    before = {name: path.read_bytes() for name, path in files(tmp_path / "tiles").items()}
    log.erase(3, "asked")
    folder.follow()
    assert {name: path.read_bytes() for name, path in files(tmp_path / "tiles").items()} == before
    assert b"organisation 3" not in b"".join(before.values())
    assert check(url_of(tmp_path), KEY, tmp_path / "tiles").files == 3


@pytest.mark.parametrize(("mask", "file_mode", "folder_mode"), [(0o022, 0o644, 0o755), (0o077, 0o600, 0o700)])
def test_files_are_for_anybody_unless_the_mask_says_no(log, tmp_path, mask, file_mode, folder_mode):
    grow(log, 0, 300)
    before = os.umask(mask)
    try:
        folder = TileFolder.open(tmp_path / "tiles", log)
        folder.follow()
        folder.close()
    finally:
        os.umask(before)
    for path in (tmp_path / "tiles", *(tmp_path / "tiles").rglob("*")):
        assert path.stat().st_mode & 0o777 == (folder_mode if path.is_dir() else file_mode), path


def child(url, folder, first):
    return subprocess.Popen(
        [sys.executable, HERE / "following_child.py", url, folder, str(first)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(HERE), *sys.path]))},
    )


def test_a_process_killed_five_times_shows_only_what_is_whole(tmp_path):
    draw = random.Random(89)
    base = tmp_path / "tiles"
    shown = 0
    for turn in range(5):
        process = child(url_of(tmp_path), base, turn * 100_000)
        process.stdout.readline()
        time.sleep(draw.uniform(0.1, 0.6))
        process.send_signal(signal.SIGKILL)
        process.stdout.readlines()
        assert process.wait(30) == -signal.SIGKILL
        process.stdout.close()
        log = Log.open(url_of(tmp_path), WRITER, ORIGIN)
        newest, _ = _newest(log)
        if (base / "checkpoint").exists():
            entries = whole_log(base.as_uri(), ORIGIN, PUBLIC)  # before anybody puts anything right
            assert shown <= len(entries) <= newest
        folder = TileFolder.open(base, log)
        folder.follow()
        folder.close()
        shown = newest
        assert len(whole_log(base.as_uri(), ORIGIN, PUBLIC)) == newest
        assert not (base / ".tmp").exists()
        log.close()


def _newest(log):
    said = checkpoints.parse(notes.read(log.checkpoint()).text)
    return said.size, said.root


class Cut(BaseException):
    """A fall at one step."""


@pytest.mark.parametrize("step", range(12))
def test_a_fall_at_any_step_leaves_what_was_shown_and_is_made_good(log, tmp_path, monkeypatch, step):
    """Also a fall of the machine: nothing is shown before what it counts has been put on the disk."""
    base = tmp_path / "tiles"
    grow(log, 0, 250)
    first = TileFolder.open(base, log)
    first.follow()
    grow(log, 250, 800)
    left, unsynced = step, set()
    put, sync = durable.put, durable.sync

    def cut(path, *more):
        nonlocal left
        if not left:
            raise Cut
        left -= 1
        if path == base / "checkpoint":
            assert not unsynced
        put(path, *more)
        unsynced.update(each for each in path.parents if each == base or base in each.parents)

    with monkeypatch.context() as broken:
        broken.setattr(durable, "put", cut)
        broken.setattr(durable, "sync", lambda folder: (sync(folder), unsynced.discard(folder)))
        try:
            first.follow()
        except Cut:
            assert whole_log(base.as_uri(), ORIGIN, PUBLIC) == texts(250)
    first.close()
    again = TileFolder.open(base, log)
    again.follow()
    again.close()
    assert whole_log(base.as_uri(), ORIGIN, PUBLIC) == texts(800)
    assert not (base / "tile/0/000.p").exists()


def until(holds, seconds=30):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_full_disk_is_told_once_and_made_good_and_the_log_goes_on(log, tmp_path, monkeypatch):
    monkeypatch.setattr(tilekeeper, "RETRY", 0.05)
    monkeypatch.setattr(tilekeeper, "PAUSE", 0.0)
    told, base = [], tmp_path / "tiles"
    folder = TileFolder.open(base, log)
    folder.follow()
    with monkeypatch.context() as full:
        full.setattr(durable.os, "write", _no_room)
        with TileKeeper(folder, told.append) as keeper:
            grow(log, 0, 300)
            keeper.published()
            until(lambda: told)
            time.sleep(0.2)  # it was tried again meanwhile
            assert told == ["No space left on device"]
            assert folder.size == 0
            assert set(files(base)) == {"checkpoint"}  # nothing half written stays
            grow(log, 300, 310)
            keeper.published()
            full.undo()
            until(lambda: folder.size == 310)
    assert told == ["No space left on device", ""]
    assert whole_log(base.as_uri(), ORIGIN, PUBLIC) == texts(310)


def _no_room(*_):
    raise OSError(28, "No space left on device")


def test_the_folder_is_brought_up_to_date_when_its_keeper_ends(log, tmp_path):
    with TileKeeper(TileFolder.open(tmp_path / "tiles", log)):
        grow(log, 0, 300)  # nobody says so
    assert whole_log((tmp_path / "tiles").as_uri(), ORIGIN, PUBLIC) == texts(300)
    assert "tiles" not in {each.name for each in threading.enumerate()}


def note_of(key, size=5, origin=ORIGIN):
    return notes.write(checkpoints.sign(Checkpoint(origin, size, b"\x07" * 32, ()), origin, key))


def _put(data):
    return lambda base: (base.mkdir(), (base / "checkpoint").write_bytes(data))


HELD = {
    "a file in its place": (lambda base: base.write_bytes(b""), AskerError, "tiles cannot be kept in"),
    "a checkpoint that is none": (_put(b"hello\n"), AskerError, "did not sign"),
    "bytes that are no text": (_put(b"\xff\x00" * 99), AskerError, "did not sign"),
    "another log's": (_put(note_of(key_of(7), origin="other.example.org/log")), AskerError, "did not sign"),
    "another key's": (_put(note_of(key_of(7))), AskerError, "did not sign"),
    "another history": (_put(note_of(WRITER)), RegistryError, "shows 5 entries of this log that its database does not"),
    "a larger log": (_put(note_of(WRITER, 10_000)), RegistryError, "shows 10000 entries of this log"),
    "a folder as its checkpoint": (
        lambda base: (base / "checkpoint").mkdir(parents=True),
        AskerError,
        "tiles cannot be",
    ),
    "a link as its checkpoint": (
        lambda base: (base.mkdir(), (base / "checkpoint").symlink_to("/etc/passwd")),
        AskerError,
        "tiles cannot be kept in",
    ),
}


@pytest.mark.parametrize("case", HELD)
def test_a_folder_that_shows_what_the_log_does_not_is_refused_and_left_alone(log, tmp_path, case):
    make, kind, sentence = HELD[case]
    grow(log, 0, 10)
    make(tmp_path / "tiles")
    before = {name: path.read_bytes() for name, path in files(tmp_path).items() if name.startswith("tiles")}
    with pytest.raises(kind, match=sentence) as caught:
        TileFolder.open(tmp_path / "tiles", log)
    assert caught.value.remedy
    assert before == {name: path.read_bytes() for name, path in files(tmp_path).items() if name.startswith("tiles")}


def test_a_database_that_was_put_back_is_known_by_its_tiles(log, tmp_path):
    grow(log, 0, 100)
    log._database.scrub()
    shutil.copy(tmp_path / "log.db", tmp_path / "older.db")
    grow(log, 100, 200)
    folder = TileFolder.open(tmp_path / "tiles", log)
    folder.follow()
    folder.close()
    older = Log.open(f"sqlite:///{tmp_path}/older.db", WRITER, ORIGIN)
    grow(older, 300, 350)
    with pytest.raises(RegistryError, match="shows 200 entries of this log that its database does not have"):
        TileFolder.open(tmp_path / "tiles", older)
    assert whole_log((tmp_path / "tiles").as_uri(), ORIGIN, PUBLIC) == texts(200)
    older.close()


def test_two_processes_do_not_write_to_one_folder(log, folder, tmp_path):
    with pytest.raises(AskerError, match="another process works in"):
        TileFolder.open(tmp_path / "tiles", log)


def _outside(base):
    secret = base.parent / "secret"
    secret.mkdir(exist_ok=True)
    (secret / "kept").write_bytes(b"kept")
    return secret


WAY = {
    "a link in place of a tile": lambda base: (base / "tile/0/000").symlink_to(_outside(base) / "kept"),
    "a link in place of what is written first": lambda base: (base / ".tmp").symlink_to(_outside(base) / "kept"),
    "a link in place of partial tiles": lambda base: (
        shutil.rmtree(base / "tile/entries/000.p"),
        (base / "tile/entries/000.p").symlink_to(_outside(base)),
    ),
    "a folder in place of a tile": lambda base: (base / "tile/0/000").mkdir(),
    "a file in place of a folder": lambda base: (base / "tile/1").write_bytes(b"x"),
    "other bytes in place of a tile": lambda base: (base / "tile/0/000").write_bytes(b"x" * 8192),
    "nothing in place of what was there": lambda base: shutil.rmtree(base / "tile"),
}
TOLD = {"a folder in place of a tile", "a file in place of a folder", "a link in place of what is written first"}


@pytest.mark.parametrize("case", WAY)
def test_what_stands_in_the_way_is_told_or_replaced_and_nothing_outside_is_touched(log, folder, tmp_path, case):
    base = tmp_path / "tiles"
    grow(log, 0, 100)
    folder.follow()
    _outside(base)
    WAY[case](base)
    grow(log, 100, 300)
    if case in TOLD:
        with pytest.raises(OSError, match=str(base)):
            folder.follow()
        assert folder.size == 100
    else:
        folder.follow()
        assert whole_log(base.as_uri(), ORIGIN, PUBLIC) == texts(300)
    assert (tmp_path / "secret" / "kept").read_bytes() == b"kept"
    assert log.tile(Tile(0, 0)) == b"".join(merkle.leaf_hash(text) for text in texts(256))  # whatever the files say


def _flip(path):
    def change(base):
        data = bytearray((base / path).read_bytes())
        data[len(data) // 2] ^= 1
        (base / path).write_bytes(data)

    return change


ALTERED = {
    "a byte of a tile": (_flip("tile/0/000"), "file-differs"),
    "a byte of a partial tile": (_flip("tile/0/002.p/88"), "file-differs"),
    "a byte of an earlier partial tile": (_flip("tile/0/002.p/38"), "file-differs"),
    "a byte of a bundle": (_flip("tile/entries/001"), "file-differs"),
    "a byte of a partial bundle": (_flip("tile/entries/002.p/88"), "file-differs"),
    "a byte of a high tile": (_flip("tile/1/000.p/2"), "file-differs"),
    "a byte of the checkpoint": (_flip("checkpoint"), "file-differs"),
    "another history": (lambda base: (base / "checkpoint").write_bytes(note_of(WRITER, 500)), "file-differs"),
    "a larger log": (lambda base: (base / "checkpoint").write_bytes(note_of(WRITER, 9_999)), "file-differs"),
    "a tile cut short": (lambda base: (base / "tile/0/001").write_bytes(b"x" * 32), "file-differs"),
    "a tile too long": (lambda base: (base / "tile/0/001").write_bytes(b"x" * 8193), "file-differs"),
    "a folder for a tile": (
        lambda base: ((base / "tile/0/001").unlink(), (base / "tile/0/001").mkdir()),
        "file-differs",
    ),
    "a link to nothing but itself for partial tiles": (
        lambda base: (shutil.rmtree(base / "tile/0/002.p"), (base / "tile/0/002.p").symlink_to("002.p")),
        "file-differs",
    ),
    "no tile": (lambda base: (base / "tile/0/000").unlink(), "file-missing"),
    "no bundle": (lambda base: (base / "tile/entries/000").unlink(), "file-missing"),
    "no partial tile": (lambda base: (base / "tile/0/002.p/88").unlink(), "file-missing"),
    "no partial bundle": (lambda base: (base / "tile/entries/002.p/88").unlink(), "file-missing"),
    "no earlier partial tile": (lambda base: (base / "tile/0/002.p/38").unlink(), None),
    "a name of nobody's": (lambda base: (base / "tile/0/002.p/zero").write_bytes(b"x"), None),
    "no checkpoint": (lambda base: (base / "checkpoint").unlink(), None),
    "no folder": (shutil.rmtree, None),
}


@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    """A log of 600 statements, the last 50 published after the others were written."""
    home = tmp_path_factory.mktemp("checked")
    log = Log.open(f"sqlite:///{home}/log.db", WRITER, ORIGIN)
    folder = TileFolder.open(home / "tiles", log)
    log.append(envelopes(0, 550), KEYS)
    folder.follow()
    log.append(envelopes(550, 600), KEYS)
    folder.follow()
    folder.close()
    log.close()
    return home


def test_files_that_hold_the_log_are_counted(checked):
    assert check(f"sqlite:///{checked}/log.db", KEY, checked / "tiles").files == len(files(checked / "tiles")) == 10


@pytest.mark.parametrize("case", ALTERED)
def test_one_file_that_was_changed_is_named(checked, tmp_path, case):
    change, reason = ALTERED[case]
    shutil.copytree(checked / "tiles", tmp_path / "tiles")
    change(tmp_path / "tiles")
    if reason is None:
        assert check(f"sqlite:///{checked}/log.db", KEY, tmp_path / "tiles").entries == 600
        return
    with pytest.raises(EvidenceError) as caught:
        check(f"sqlite:///{checked}/log.db", KEY, tmp_path / "tiles")
    assert caught.value.reason == reason
    assert caught.value.remedy


def test_a_folder_that_goes_while_it_is_checked_has_its_whole_tile(checked, tmp_path):
    """A server lets go of partial tiles at any time: their folder may be gone once it was seen."""
    base = tmp_path / "tiles"
    shutil.copytree(checked / "tiles", base)
    partial, done = base / "tile/0/000.p", threading.Event()

    def come_and_go():
        while not done.is_set():
            partial.mkdir()
            partial.rmdir()

    thread = threading.Thread(target=come_and_go)
    thread.start()
    try:
        for _ in range(4_000):
            FileCheck(base, KEY)._partial(base / "tile/0/000")
    finally:
        done.set()
        thread.join()


def test_files_behind_the_log_and_before_it_are_whole(log, folder, tmp_path):
    """A server writes while the log is checked: files may be of an earlier state, or go beyond what was read of it."""
    log.append(envelopes(0, 300), KEYS)
    folder.follow()
    old = (tmp_path / "tiles" / "checkpoint").read_bytes()
    log._database.scrub()
    shutil.copy(tmp_path / "log.db", tmp_path / "older.db")
    log.append(envelopes(300, 520), KEYS)
    assert check(url_of(tmp_path), KEY, tmp_path / "tiles").files == 6
    folder.follow()
    (tmp_path / "tiles" / "checkpoint").write_bytes(old)
    assert check(f"sqlite:///{tmp_path}/older.db", KEY, tmp_path / "tiles").entries == 300


def test_a_checkpoint_of_the_same_size_with_more_cosignatures_is_shown(log, folder, tmp_path):
    log.append(envelopes(0, 3), KEYS)
    folder.follow()
    note = notes.read(log.published())
    more = note._replace(
        signatures=(
            *note.signatures,
            *checkpoints.sign(checkpoints.parse(note.text), "else.example.org", SUBMITTER).signatures,
        )
    )
    log.publish(more)
    folder.follow()
    assert (tmp_path / "tiles" / "checkpoint").read_bytes() == notes.write(more)
    assert tilefolder.size_of(notes.write(more)) == 3
