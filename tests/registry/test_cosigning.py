"""A log and its witnesses over HTTP: what is published is cosigned, whoever is down; a log that went back stops."""

import asyncio
import shutil

import pytest
from log_room import KEYS, ORIGIN, WRITER, envelopes
from witness_room import pretending, reply, running

from aloi.errors import RegistryError
from aloi.evidence import checkpoints, cosignatures, notes
from aloi.evidence.checkpoints import Checkpoint
from aloi.registry.heads import Known, MemoryHeads
from aloi.registry.log import Log
from aloi.registry.server.cosigning import open_cosigning


@pytest.fixture
def log(tmp_path):
    with_log = Log.open(f"sqlite:///{tmp_path}/log.db", WRITER, ORIGIN)
    yield with_log
    with_log.close()


class Watched(list):
    def __call__(self, url, reason):
        self.append((url, reason))


async def published(log, cosigning, first, last):
    """Log more, and publish the checkpoint that witnesses signed; how many did."""
    log.append(envelopes(first, last), KEYS)
    note = await cosigning(notes.read(log.checkpoint()))
    await asyncio.to_thread(log.publish, note)
    return len(notes.read(log.published()).signatures) - 1


class Origin:
    """What a witness is told of a real log."""

    def __init__(self, log):
        self.origin, self.public = log.key.name, log.key


async def test_each_checkpoint_is_cosigned_by_those_who_answer(log):
    told = Watched()
    async with running(Origin(log)) as one, running(Origin(log), name="other.example/w", key=22) as two:
        witnesses = {one.witness.keys[0]: one.url, two.witness.keys[0]: two.url}
        async with open_cosigning(witnesses, log.consistency, told) as cosigning:
            assert [await published(log, cosigning, at, at + 3) for at in range(0, 30, 3)] == [2] * 10
    assert told == []


async def test_who_does_not_answer_is_told_once_and_again_when_it_does(log):
    told, answers = Watched(), [reply("500 Internal Server Error")]

    async def failing(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answers[0])

    async with running(Origin(log)) as one, pretending(failing) as down:
        key = cosignatures.witness_key("down.example/w", WRITER)
        witnesses = {one.witness.keys[0]: one.url, key: down}
        async with open_cosigning(witnesses, log.consistency, told) as cosigning:
            assert [await published(log, cosigning, at, at + 1) for at in range(3)] == [1, 1, 1]
            assert told == [(down, "refused")]


async def test_a_log_that_was_put_back_to_an_older_copy_stops_before_it_signs_another_history(tmp_path, log):
    store = MemoryHeads()
    log.append(envelopes(0, 5), KEYS)
    log.close()
    shutil.copy(tmp_path / "log.db", tmp_path / "older.db")
    log = Log.open(f"sqlite:///{tmp_path}/log.db", WRITER, ORIGIN)
    async with running(Origin(log), store=store) as one:
        witnesses = {one.witness.keys[0]: one.url}
        async with open_cosigning(witnesses, log.consistency, Watched()) as cosigning:
            assert await published(log, cosigning, 5, 9) == 1
        log.close()
        older = Log.open(f"sqlite:///{tmp_path}/older.db", WRITER, ORIGIN)
        async with open_cosigning(witnesses, older.consistency, Watched()) as cosigning:
            with pytest.raises(RegistryError, match="9 entries that this log does not have"):
                await cosigning(notes.read(older.checkpoint()))
        older.append(envelopes(20, 24), KEYS)  # as many entries again, and other ones
        async with open_cosigning(witnesses, older.consistency, Watched()) as cosigning:
            with pytest.raises(RegistryError, match="this log does not have"):
                await cosigning(notes.read(older.checkpoint()))
        older.close()


async def test_a_witness_that_says_so_later_does_not_stop_a_log(log):
    told, store = Watched(), MemoryHeads()
    async with (
        running(Origin(log), store=store) as one,
        open_cosigning({one.witness.keys[0]: one.url}, log.consistency, told) as cosigning,
    ):
        assert await published(log, cosigning, 0, 3) == 1
        other = checkpoints.sign(Checkpoint(ORIGIN, 99, bytes(32)), ORIGIN, WRITER)
        store.write(ORIGIN, Known(notes.write(other), 1_700_000_000))
        assert await published(log, cosigning, 3, 4) == 0
        assert told == [(one.url, "ahead")]
