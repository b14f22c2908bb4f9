"""A witness that reads a log before it cosigns: what it lets through, and what it refuses for which reason."""

import pytest
from log_room import KEYS, ORIGIN, WRITER, admitted, envelope_of, envelopes, key_of
from server_room import serving, settle

from aloi.evidence import envelope as dsse
from aloi.evidence import logentry
from aloi.evidence.naming import NOTHING, names
from aloi.evidence.notes import ED25519, NoteKey
from aloi.registry import indexstore
from aloi.registry.copies import FolderCopy
from aloi.registry.following import Follower
from aloi.registry.heads import MemoryHeads
from aloi.registry.log import Log
from aloi.registry.witness import Cosigned, Status, Witness

KEY = NoteKey(ORIGIN, ED25519, WRITER.public)
NOW = 1_800_000_000


@pytest.fixture
def registry(tmp_path):
    """A served log, to whose database the test writes too."""
    file = settle(tmp_path / "log", key=WRITER)
    with serving(file) as served:
        yield served


@pytest.fixture
def log(registry):
    log = Log.open(f"sqlite:///{registry.folder}/registry.db", WRITER, ORIGIN)
    yield log
    log.close()


@pytest.fixture
def begun(tmp_path, registry):
    """Makes a witness that follows the log from where it is served, its copy kept between."""
    copies = []

    def begin(url=registry.url):
        folder = tmp_path / "copy"
        for each in copies:
            each.close()
        copies.append(FolderCopy(folder) if folder.exists() else FolderCopy.create(folder))
        follower = Follower([KEY], url, copies[-1])
        return Witness("witness.example/1", [key_of(9)], {ORIGIN: [KEY]}, MemoryHeads(), {ORIGIN: follower.judge})

    yield begin
    copies[-1].close()


def shown(log, witness, old):
    note = log.checkpoint()
    size = int(note.splitlines()[1])
    return witness.add_checkpoint(old, log.consistency(old, size) if old else [], note, NOW)


def test_heads_of_an_honest_log_are_cosigned_before_they_are_published(log, begun):
    witness = begun()
    log.sequence(admitted(0, 300), publish=False)
    assert isinstance(shown(log, witness, 0), Cosigned)
    assert log.published().splitlines()[1] == b"0"
    log.append(envelopes(300, 310), KEYS)
    assert isinstance(shown(log, witness, 300), Cosigned)


def test_a_witness_that_starts_again_goes_on_from_its_copy(log, begun):
    log.append(envelopes(0, 20), KEYS)
    assert isinstance(shown(log, begun(), 0), Cosigned)
    log.append(envelopes(20, 25), KEYS)
    assert isinstance(shown(log, begun(), 0), Cosigned)


def test_a_head_that_hides_an_entry_from_look_ups_is_not_cosigned(log, begun, monkeypatch):
    witness = begun()
    log.append(envelopes(0, 3), KEYS)
    assert isinstance(shown(log, witness, 0), Cosigned)
    hidden = logentry.of(dsse.read(envelope_of(3)))
    with monkeypatch.context() as lying:
        lying.setattr(indexstore, "names", lambda entry: NOTHING if entry == hidden else names(entry))
        log.append(envelopes(3, 5), KEYS)
    answer = shown(log, witness, 3)
    assert (answer.status, answer.reason) == (Status.UNPROCESSABLE, "false-index")
    assert witness.known(ORIGIN).note.splitlines()[1] == b"3"  # it remembers no head that it did not cosign
    log.append(envelopes(5, 6), KEYS)
    assert shown(log, witness, 3).reason == "false-index"  # what was left out stays out


def test_a_log_that_cannot_be_read_is_not_cosigned_for_now(log, begun, registry):
    log.append(envelopes(0, 3), KEYS)
    answer = shown(log, begun("http://127.0.0.1:9"), 0)
    assert (answer.status, answer.reason) == (Status.UNAVAILABLE, "not-followed")
    assert isinstance(shown(log, begun(registry.url), 0), Cosigned)
