"""What the server is made of: quotas, its file, its one writer, copies of the whole log."""

import asyncio
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from log_room import KEYS, ORIGIN, WRITER, admitted, envelope_of, envelopes
from server_room import SETTINGS, settle
from sqlalchemy import insert

from aloi.errors import AskerError, EvidenceError, InvalidFile, RegistryError
from aloi.evidence import cosignatures, notes
from aloi.evidence.keys import PrivateKey, save
from aloi.registry import schema
from aloi.registry.backup import backup, restore
from aloi.registry.check import check
from aloi.registry.database import Database, upgrade
from aloi.registry.log import BATCH, Log
from aloi.registry.server.configuration import load_configuration
from aloi.registry.server.rates import Rate
from aloi.registry.server.sequencer import QUEUE, Sequencer


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(1, 12)), max_size=60))
def test_no_more_than_the_rate_passes_in_any_stretch_of_time(asked):
    rate, now, passed = Rate(10, 60.0), 0.0, []
    for gap, many in asked:
        now += gap
        wait = rate.wait("one", many, now)
        assert (wait == float("inf")) == (many > 10)
        if not wait:
            passed.append((now, many))
        elif many <= 10:
            later = rate.wait("one", many, now + wait + 1e-6)
            assert not later
            now += wait + 1e-6
            passed.append((now, many))
    for start, _ in passed:
        within = sum(many for at, many in passed if start <= at <= start + 60)
        assert within <= 20.001  # what was saved up, and what the minute gave


def test_parties_do_not_spend_what_others_have():
    rate = Rate(1, 60.0)
    assert [rate.wait(party, 1, 0.0) for party in "abc"] == [0.0] * 3
    assert rate.wait("a", 1, 30.0) == pytest.approx(30.0)
    assert rate.wait("a", 1, 60.0) == 0.0
    assert rate.wait("a", 1, 10.0) > 0  # a clock that goes back gives nothing


FAULTS = {
    "no name": (SETTINGS.replace("name: registry.example.org/log\n", "", 1), ["name"]),
    "an unknown key": (SETTINGS + "color: red\n", ["color: unknown key"]),
    "another key file": (SETTINGS.replace("key: log.pem", "key: none.pem"), ["none.pem cannot be read"]),
    "a submitter without keys": (SETTINGS.replace("keys: [other.pub.pem]", "keys: []"), ["submitters[1].keys"]),
    "a private key to publish with": (SETTINGS.replace("other.pub.pem", "log.pem"), ["public key"]),
    "one key for two": (SETTINGS.replace("other.pub.pem", "submitter.pub.pem"), ["stands under “Institute” too"]),
    "a port beyond the last": (SETTINGS.replace("127.0.0.1:0", "127.0.0.1:70000"), ["there is no port 70000"]),
    "no such port": (SETTINGS.replace("127.0.0.1:0", "127.0.0.1"), ["listen"]),
    "a witness of no key": (SETTINGS + "witnesses: [{key: w, url: 'http://x'}]\n", ["is not a verifier key"]),
    "a witness at a file": (SETTINGS + "witnesses: [{key: w, url: 'file:///etc/passwd'}]\n", ["witnesses[0].url"]),
    "a password": (
        SETTINGS.replace("sqlite:///registry.db", "postgresql+psycopg://me:hush@host/db"),
        ["a password stands in the database's address"],
    ),
    "a password among its parameters": (
        SETTINGS.replace("sqlite:///registry.db", "postgresql+psycopg://me@host/db?sslpassword=hush"),
        ["a password stands in the database's address"],
    ),
    "the key among its tiles": (
        SETTINGS.replace("key: log.pem", "key: public/log.pem") + "tiles: public\n",
        ["log.pem stands in public"],
    ),
    "its database among its tiles": (
        SETTINGS.replace("registry.db", "tiles/registry.db") + "tiles: tiles\n",
        ["registry.db stands in tiles"],
    ),
    "a key that is named there": (
        SETTINGS.replace("key: log.pem", "key: public/link.pem") + "tiles: public\n",
        ["link.pem stands in public"],
    ),
    "its tiles beside all else": (
        SETTINGS + "tiles: .\n",
        ["registry.yaml stands in .", "log.pem stands in .", "registry.db stands in ."],
    ),
    "its tiles around all else": (
        SETTINGS + "tiles: around/..\n",
        ["registry.yaml stands in", "log.pem stands in", "registry.db stands in"],
    ),
    "its tiles under a name of all else": (
        SETTINGS + "tiles: around\n",
        ["registry.yaml stands in", "log.pem stands in", "registry.db stands in"],
    ),
    "two at once": (
        SETTINGS.replace("other.pub.pem", "gone.pem").replace("key: log.pem", "key: none.pem"),
        ["none.pem cannot be read", "gone.pem cannot be read"],
    ),
}


@pytest.mark.parametrize("case", FAULTS)
def test_every_fault_of_registry_yaml_is_told_with_its_line(tmp_path, case):
    settings, wanted = FAULTS[case]
    (tmp_path / "public").mkdir()
    save(WRITER, tmp_path / "public/log.pem")
    (tmp_path / "public/link.pem").symlink_to(tmp_path / "log.pem")
    (tmp_path / "around").symlink_to(".")
    with pytest.raises(InvalidFile) as caught:
        load_configuration(settle(tmp_path, settings))
    told = [str(fault) for fault in caught.value.faults]
    assert len(told) == len(wanted), told
    for fault, text, sentence in zip(caught.value.faults, told, wanted, strict=True):
        assert sentence in text
        assert fault.line or case == "no name"
    assert "hush" not in "".join(told)


def test_a_file_that_is_whole_is_read(tmp_path):
    found = load_configuration(settle(tmp_path))
    assert found.database == f"sqlite:///{tmp_path}/registry.db"
    assert (found.host, found.port) == ("127.0.0.1", 0)
    assert [each.name for each in found.submitters] == ["Institute", "Company"]


class Witnesses:
    """Cosigns, or says that the log has gone back."""

    def __init__(self):
        self.seen, self.went_back = [], False
        self.key = PrivateKey.generate()

    async def __call__(self, note):
        if self.went_back:
            raise RegistryError("a witness has seen a larger log of this name")
        self.seen.append(note)
        return cosignatures.cosign(note, "witness.example/1", self.key, 1_800_000_000 + len(self.seen))


async def begun(sequencer):
    task = asyncio.create_task(sequencer.run())
    await asyncio.sleep(0)
    return task


async def test_batches_are_witnessed_before_they_are_answered(log):
    witnesses = Witnesses()
    sequencer = Sequencer(log, witnesses)
    task = await begun(sequencer)
    found = await asyncio.gather(*(sequencer.submit(admitted(each, each + 3)) for each in range(0, 60, 3)))
    assert sorted(index for indices in found for index in indices) == list(range(60))
    assert len(witnesses.seen) < 20  # those that came meanwhile share a checkpoint
    (cosigner,) = [cosignatures.witness_key("witness.example/1", witnesses.key)]
    assert cosignatures.verify(notes.read(log.published()), [cosigner])
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_log_that_has_gone_back_takes_nothing_more_in(log):
    log.append(envelopes(0, 2), KEYS)
    witnesses = Witnesses()
    witnesses.went_back = True
    sequencer = Sequencer(log, witnesses)
    waiting = asyncio.create_task(sequencer.submit(admitted(2, 3)))
    task = await begun(sequencer)
    for each in (waiting, task):
        with pytest.raises(RegistryError, match="a larger log of this name"):
            await each
    with pytest.raises(RegistryError, match="a larger log of this name"):
        await sequencer.submit(admitted(3, 4))
    assert log.published().splitlines()[1] == b"2"


async def test_what_was_logged_and_not_published_is_published_at_the_next_start(log):
    log.sequence(admitted(0, 5), publish=False)
    assert log.published().splitlines()[1] == b"0"
    task = await begun(Sequencer(log))
    for _ in range(200):
        if log.published().splitlines()[1] == b"5":
            break
        await asyncio.sleep(0.02)
    assert log.published().splitlines()[1] == b"5"
    task.cancel()


async def test_a_queue_that_is_full_refuses(log):
    sequencer = Sequencer(log)
    part = admitted(0, 1) * BATCH
    waiting = [asyncio.create_task(sequencer.submit(part)) for _ in range(QUEUE // BATCH)]
    await asyncio.sleep(0)
    assert sequencer.waiting == QUEUE
    with pytest.raises(RegistryError, match="statements wait to be logged; no more"):
        await sequencer.submit(admitted(0, 1))
    with pytest.raises(RegistryError, match="a batch of 1001 envelopes is too large"):
        await sequencer.submit(admitted(0, 1) * (BATCH + 1))
    for each in waiting:
        each.cancel()


async def test_a_batch_that_fails_is_told_to_all_of_it_and_the_next_one_is_logged(log, monkeypatch):
    sequencer = Sequencer(log)
    task = await begun(sequencer)
    await sequencer.submit(admitted(0, 1))
    with monkeypatch.context() as full:

        def fails(*_, **__):
            raise RegistryError("the registry's disk is full")

        full.setattr(log, "sequence", fails)
        for outcome in await asyncio.gather(
            *(sequencer.submit(admitted(each, each + 1)) for each in (1, 2)), return_exceptions=True
        ):
            assert str(outcome) == "the registry's disk is full"
    assert await sequencer.submit(admitted(3, 4)) == [1]
    task.cancel()


async def test_a_checkpoint_that_cannot_be_published_does_not_end_the_registry(log, monkeypatch):
    """The database fails after the batch is durable: who sent it is told, and sends it again."""
    sequencer = Sequencer(log)
    task = await begun(sequencer)
    await sequencer.submit(admitted(0, 1))
    with monkeypatch.context() as gone:

        def fails(*_):
            raise RegistryError("the database is gone")

        gone.setattr(log, "publish", fails)
        with pytest.raises(RegistryError, match="the database is gone"):
            await sequencer.submit(admitted(1, 2))
    assert sequencer.stopped is None
    assert await sequencer.submit(admitted(1, 2)) == [1]
    assert log.published().splitlines()[1] == b"2"
    task.cancel()


async def test_who_waits_when_the_registry_ends_is_told(log, monkeypatch):
    at_work, goes_on = threading.Event(), threading.Event()
    sequence = log.sequence

    def slowly(*batch, **more):
        at_work.set()
        goes_on.wait(10)
        return sequence(*batch, **more)

    monkeypatch.setattr(log, "sequence", slowly)
    sequencer = Sequencer(log)
    task = await begun(sequencer)
    waiting = asyncio.create_task(sequencer.submit(admitted(0, 1)))
    await asyncio.to_thread(at_work.wait, 10)
    task.cancel()
    goes_on.set()
    with pytest.raises(RegistryError, match="takes no statements in"):
        await waiting
    with pytest.raises(asyncio.CancelledError):
        await task


def test_a_backup_is_the_whole_log_and_restores_into_either_database(log, url, tmp_path, request):
    log.append(envelopes(0, 300), KEYS)
    log.erase(5, "asked")
    log.append(envelopes(300, 310), KEYS)
    proof, answer = log.proof(7), log.look_up("sha256:" + "a1" * 32)
    copied = backup(url, tmp_path / "copy.db", log.key)
    assert copied == check(url, log.key)
    assert [each.name for each in tmp_path.glob("copy.db*")] == ["copy.db"]
    targets = [f"sqlite:///{tmp_path}/restored.db"]
    if url.startswith("postgresql"):
        targets.append(request.getfixturevalue("cluster").database("restored"))
    for target in targets:
        assert restore(tmp_path / "copy.db", target, log.key) == copied
        again = Log.open(target, WRITER, ORIGIN)
        assert (again.proof(7), again.look_up("sha256:" + "a1" * 32)) == (proof, answer)
        assert again.append(envelopes(309, 320), KEYS) == list(range(309, 320))
        stranger = PrivateKey.generate()
        assert again.append([envelope_of(1, stranger)], [stranger.public]) == [320]  # a signer nobody knew
        assert check(target, log.key).entries == 321
        again.close()


def test_a_backup_refuses_what_it_should_not_copy(log, url, tmp_path):
    log.append(envelopes(0, 3), KEYS)
    file = tmp_path / "copy.db"
    backup(url, file, log.key)
    with pytest.raises(AskerError, match="never overwritten"):
        backup(url, file, log.key)
    with pytest.raises(AskerError, match="there is a log already"):
        restore(file, url, log.key)
    with pytest.raises(AskerError, match="there is no backup"):
        restore(tmp_path / "none.db", f"sqlite:///{tmp_path}/new.db", log.key)
    other = Log.open(f"sqlite:///{tmp_path}/other.db", PrivateKey.generate(), "other.example/log")
    with pytest.raises(AskerError, match="this is not the log"):
        backup(url, tmp_path / "second.db", other.key)
    assert not (tmp_path / "second.db").exists()
    other.close()
    old = Database(f"sqlite:///{tmp_path}/old.db")
    with old.writing() as connection:
        upgrade(connection, "0002")
        connection.execute(insert(schema.log), [{"id": 1, "origin": ORIGIN, "key": WRITER.public.der}])
    old.close()
    with pytest.raises(RegistryError, match=f"keeps no log of the revision {schema.REVISION}: 0002"):
        backup(f"sqlite:///{tmp_path}/old.db", tmp_path / "third.db", log.key)


def test_a_backup_that_was_changed_is_not_taken_for_the_log(log, url, tmp_path):
    log.append(envelopes(0, 30), KEYS)
    backup(url, tmp_path / "copy.db", log.key)
    changed = Database(f"sqlite:///{tmp_path}/copy.db")
    with changed.writing() as connection:
        connection.exec_driver_sql("DELETE FROM payloads WHERE idx = 3")
    changed.close()
    with pytest.raises(EvidenceError) as caught:
        restore(tmp_path / "copy.db", f"sqlite:///{tmp_path}/new.db", log.key)
    assert caught.value.reason == "entry-missing"
