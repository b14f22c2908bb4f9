"""What must not happen when things break: an answered entry lost, a tree in halves, two stories of one log."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from benchmarks.registry import postgres
from log_room import KEYS, ORIGIN, WRITER, envelope_of, envelopes
from server_room import SETTINGS, serving, settle
from sqlalchemy import create_engine, text

from aloi.errors import RegistryError
from aloi.evidence import checkpoints, merkle, notes
from aloi.registry import store
from aloi.registry.check import check
from aloi.registry.log import Log

HERE = Path(__file__).parent


def writer(url, first, count, size):
    return subprocess.Popen(
        [sys.executable, HERE / "writer.py", url, str(first), str(count), str(size)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(HERE), *sys.path]))},
    )


def pairs(lines):
    """What a writer said was answered; a line that was cut off says nothing."""
    return {
        int(number): int(index)
        for line in lines
        if line.endswith("\n")
        for number, index in (pair.split(":") for pair in line.split())
    }


def size_of(log):
    return checkpoints.parse(notes.read(log.checkpoint()).text).size


def test_a_writer_killed_ten_times_loses_nothing_that_it_answered(url):
    draw = random.Random(11)
    answered, heads = {}, []
    for turn in range(10):
        process = writer(url, turn * 100_000, 100_000, 40)
        lines = [process.stdout.readline()]  # it has begun
        time.sleep(draw.uniform(0, 0.15))
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()
        assert process.wait(30) == -signal.SIGKILL
        process.stdout.close()
        answered |= pairs(lines)
        log = Log.open(url, WRITER, ORIGIN)
        assert check(url, log.key).entries == size_of(log) >= len(answered) > 0
        heads.append(checkpoints.parse(notes.read(log.checkpoint()).text))
        log.close()
    log = Log.open(url, WRITER, ORIGIN)
    for number, index in answered.items():
        assert log.entry(index).envelope == envelope_of(number)
    for head in heads:
        proof = log.consistency(head.size, heads[-1].size)
        merkle.verify_consistency(head.size, heads[-1].size, head.root, heads[-1].root, proof)
    log.close()


def test_two_processes_that_write_at_once_make_one_story(url):
    processes = [writer(url, first, 400, 16) for first in (0, 200)]  # numbers 200 to 399 come from both
    said = []
    for process in processes:
        out, _ = process.communicate(timeout=120)
        assert process.returncode == 0
        said.append(pairs(out.splitlines(keepends=True)))
    first, second = said
    assert all(first[number] == second[number] for number in range(200, 400))
    assert sorted((first | second).values()) == list(range(600))
    log = Log.open(url, WRITER, ORIGIN)
    assert check(url, log.key).entries == 600
    log.close()


def test_threads_with_one_log_make_one_story(log, url):
    found, failed = {}, []

    def write(first):
        try:
            for number in range(first, first + 20):
                found[number, first] = log.append([envelope_of(number)], KEYS)[0]
        except RegistryError as error:
            failed.append(error)

    threads = [threading.Thread(target=write, args=(first,)) for first in (0, 10, 20, 30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert len({(number, index) for (number, _), index in found.items()}) == 50
    assert check(url, log.key).entries == 50


def test_a_writer_that_does_not_end_is_told_and_the_other_keeps_its_place(tmp_path, monkeypatch):
    monkeypatch.setattr("aloi.registry.database.WAIT", 0.2)
    one, two = (Log.open(f"sqlite:///{tmp_path}/log.db", WRITER, ORIGIN) for _ in range(2))
    with one._database.writing():
        with pytest.raises(RegistryError, match="another writer has held the registry"):
            two.append([envelope_of(0)], KEYS)
        assert size_of(two) == 0  # readers do not wait
    assert two.append([envelope_of(0)], KEYS) == [0]
    one.close()
    two.close()


def test_a_slow_writer_is_told_of_on_postgresql(cluster, monkeypatch):
    monkeypatch.setattr("aloi.registry.database.WAIT", 1)
    url = cluster.database("slow")
    one, two = (Log.open(url, WRITER, ORIGIN) for _ in range(2))
    with one._database.writing(), pytest.raises(RegistryError, match="another writer has held the registry"):
        two.append([envelope_of(0)], KEYS)
    assert two.append([envelope_of(0)], KEYS) == [0]
    one.close()
    two.close()


def test_a_writer_cut_off_in_the_middle_of_a_batch_leaves_nothing_of_it(log, url, monkeypatch):
    log.append(envelopes(0, 300), KEYS)
    before = log.checkpoint()
    for step in ("put_entries", "tiles", "put_tiles", "put_head"):
        with monkeypatch.context() as broken:
            broken.setattr(f"aloi.registry.store.{step}", _cut_off)
            with pytest.raises(KeyboardInterrupt):
                log.append(envelopes(300, 310), KEYS)
        assert log.checkpoint() == before
        assert check(url, log.key).entries == 300
    assert log.append(envelopes(300, 310), KEYS) == list(range(300, 310))


def _cut_off(*_arguments):
    raise KeyboardInterrupt


def limit_pages(log, pages):
    with log._database._engine.connect() as connection:
        driver = connection.connection.driver_connection
        return driver.execute(f"PRAGMA max_page_count={pages}").fetchone()[0]


def test_a_full_disk_refuses_and_loses_nothing(tmp_path):
    url = f"sqlite:///{tmp_path}/log.db"
    log = Log.open(url, WRITER, ORIGIN)
    log.append(envelopes(0, 50), KEYS)
    held = limit_pages(log, 1)  # SQLite answers with the pages that there are
    limit_pages(log, held + 10)
    batch, refusal = 50, ""
    while not refusal and batch < 10_000:
        try:
            log.append(envelopes(batch, batch + 50), KEYS)
            batch += 50
        except RegistryError as error:
            refusal = str(error)
    assert "the registry's disk is full; nothing of this request was kept" in refusal
    assert size_of(log) == batch
    assert check(url, log.key).entries == batch
    assert log.append(envelopes(0, 50), KEYS) == list(range(50))  # what is known needs no room
    limit_pages(log, 1_000_000)
    assert log.append(envelopes(batch, batch + 50), KEYS) == list(range(batch, batch + 50))
    assert check(url, log.key).entries == batch + 50
    log.close()


FULL = """
CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$
"""


@pytest.mark.parametrize("table", ["entries", "payloads", "submission_keys", "tiles", "checkpoints"])
def test_a_full_disk_refuses_and_loses_nothing_on_postgresql(cluster, table):
    url = cluster.database(f"no_room_{table}")
    log = Log.open(url, WRITER, ORIGIN)
    log.append(envelopes(0, 50), KEYS)
    before = log.checkpoint()
    with log._database.writing() as connection:
        connection.execute(text(FULL))
        connection.execute(
            text(f"CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON {table} EXECUTE FUNCTION no_room()")
        )
    with pytest.raises(RegistryError, match="the registry's disk is full; nothing of this request was kept"):
        log.append(envelopes(50, 100), KEYS)
    assert log.checkpoint() == before
    assert check(url, log.key).entries == 50
    with log._database.writing() as connection:
        connection.execute(text(f"DROP TRIGGER full_disk ON {table}"))
    assert log.append(envelopes(50, 100), KEYS) == list(range(50, 100))
    assert check(url, log.key).entries == 100
    log.close()


def test_a_full_disk_is_told_once_in_words_and_nothing_else_is_said(cluster, tmp_path):
    url = cluster.database("no_room_served")
    file = settle(tmp_path, SETTINGS.replace("sqlite:///registry.db", url))
    told = []
    with serving(file, told) as registry:
        database = create_engine(url)
        assert registry.publish(*envelopes(0, 20)).status == 200
        with database.begin() as connection:
            connection.execute(text(FULL))
            connection.execute(text("CREATE TRIGGER full_disk BEFORE INSERT ON payloads EXECUTE FUNCTION no_room()"))
        # from some 50 on, psycopg has more under way when the server refuses, and would say so itself
        refused = [registry.publish(*envelopes(first, first + 100)) for first in (20, 120)]
        with database.begin() as connection:
            connection.execute(text("DROP TRIGGER full_disk ON payloads"))
        database.dispose()
        assert registry.publish(*envelopes(20, 220)).status == 200
    for answer in refused:
        assert (answer.status, answer.json()["reason"]) == (503, "unavailable")
        assert "the registry's disk is full" in answer.json()["message"][0]
    assert told == [
        "the registry's disk is full; nothing of this request was kept, and nothing older was lost",
        "Next: make room, then send the same again",
        "Statements are logged again.",
    ]


def test_a_fault_that_cannot_be_told_is_answered_and_the_log_goes_on(tmp_path):
    """The disk that is full may be that of standard error too."""
    with serving(settle(tmp_path)) as registry:
        registry.process.stderr.close()
        database = create_engine(f"sqlite:///{tmp_path}/registry.db")
        with database.begin() as connection:
            connection.execute(text("CREATE TRIGGER no BEFORE INSERT ON entries BEGIN SELECT RAISE(ABORT, 'no'); END"))
        assert registry.publish(*envelopes(0, 3)).status == 503
        with database.begin() as connection:
            connection.execute(text("DROP TRIGGER no"))
        database.dispose()
        assert registry.publish(*envelopes(0, 3)).status == 200
        assert registry.get("/health").json()["published"] == 3


@pytest.mark.parametrize("fault", ["moved away", "deleted", "replaced"])
def test_nothing_is_taken_into_a_file_that_is_gone(tmp_path, fault):
    """SQLite would write on into a file that has no name any more."""
    file, away = tmp_path / "log.db", tmp_path / "away.db"
    log = Log.open(f"sqlite:///{file}", WRITER, ORIGIN)
    log.append(envelopes(0, 50), KEYS)
    file.rename(away)
    if fault == "deleted":
        away.unlink()
    if fault == "replaced":
        file.write_bytes(away.read_bytes())
    gone = "moved, deleted or replaced while it was open; nothing is taken in"
    for ask in (
        lambda: log.append(envelopes(50, 60), KEYS),
        log.checkpoint,
        lambda: log.append(envelopes(50, 60), KEYS),
    ):
        with pytest.raises(RegistryError, match=gone):
            ask()
    assert file.exists() == (fault == "replaced")  # nobody made an empty one
    if fault != "deleted":
        away.rename(file)
        assert size_of(log) == 50
        assert log.append(envelopes(50, 60), KEYS) == list(range(50, 60))
        assert check(f"sqlite:///{file}", log.key).entries == 60
    log.close()


def test_a_file_that_goes_in_the_middle_of_a_batch_takes_it_along(tmp_path, monkeypatch):
    file = tmp_path / "log.db"
    log = Log.open(f"sqlite:///{file}", WRITER, ORIGIN)
    put_head = store.put_head

    def late(*arguments):
        put_head(*arguments)
        file.rename(tmp_path / "away.db")

    monkeypatch.setattr(store, "put_head", late)
    with pytest.raises(RegistryError, match="moved, deleted or replaced"):
        log.append(envelopes(0, 10), KEYS)
    (tmp_path / "away.db").rename(file)
    assert size_of(log) == 0
    log.close()


def test_a_database_that_crashes_comes_back_with_all_that_was_answered():
    if postgres.programs() is None:
        pytest.skip("PostgreSQL is not installed on this machine")
    with postgres.cluster() as server:
        url = server.database("crash")
        log = Log.open(url, WRITER, ORIGIN)
        log.append(envelopes(0, 100), KEYS)
        server.stop(signal.SIGQUIT)
        with pytest.raises(RegistryError, match="the registry's database failed"):
            log.append(envelopes(100, 110), KEYS)
        with pytest.raises(RegistryError, match="the registry's database failed"):
            log.checkpoint()
        server.start()
        assert size_of(log) == 100
        assert log.append(envelopes(95, 110), KEYS) == list(range(95, 110))
        assert check(url, log.key).entries == 110
        log.close()
