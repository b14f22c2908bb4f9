"""A copy of a log that another process serves: pulled, pulled on, and what a log that lies leaves in it."""

import shutil
import socket
import threading

import pytest
from log_room import KEYS, ORIGIN, SUBMITTER, SYSTEM, WRITER, envelope_of, envelopes
from server_room import serving, settle

from aloi.errors import AskerError, EvidenceError, RegistryError
from aloi.evidence import envelope as dsse
from aloi.evidence import logentry
from aloi.evidence.naming import NOTHING, names
from aloi.evidence.notes import ED25519, NoteKey
from aloi.evidence.trustpolicy import Policy
from aloi.registry import indexstore, misbehaviour
from aloi.registry.copies import FolderCopy
from aloi.registry.log import Log
from aloi.registry.mirroring import Mirrored, mirror

KEY = NoteKey(ORIGIN, ED25519, WRITER.public)
POLICY = Policy((KEY,), (), (), "none")


@pytest.fixture
def begun(tmp_path):
    """Makes a registry in a folder of that name, with these envelopes in its log; gives its registry.yaml."""

    def begin(name, given):
        file = settle(tmp_path / name, key=WRITER)
        log = Log.open(f"sqlite:///{tmp_path / name}/registry.db", WRITER, ORIGIN)
        for first in range(0, len(given), 400):
            log.append(given[first : first + 400], KEYS)
        log.close()
        return file

    return begin


def refused(url, folder):
    with pytest.raises(EvidenceError) as caught:
        mirror(url, folder, POLICY)
    assert caught.value.remedy
    return caught.value.reason


def test_a_copy_goes_on_where_it_was(begun, tmp_path):
    with serving(begun("one", envelopes(0, 600))) as registry:
        assert mirror(registry.url, tmp_path / "copy", POLICY) == Mirrored(ORIGIN, 600, 600, 1)
        registry.publish(*envelopes(600, 610))
        assert mirror(registry.url, tmp_path / "copy", POLICY) == Mirrored(ORIGIN, 610, 10, 1)
        assert mirror(registry.url, tmp_path / "copy", POLICY).fresh == 0
    copy = FolderCopy(tmp_path / "copy")
    assert names(copy.entries(2)[97]).subjects == (SYSTEM.fingerprint,)
    copy.close()


def test_another_history_of_the_same_size_is_kept_as_proof(begun, tmp_path):
    with serving(begun("one", envelopes(0, 5))) as registry:
        mirror(registry.url, tmp_path / "copy", POLICY)
    with serving(begun("two", [*envelopes(0, 4), envelope_of(9)])) as registry:
        assert refused(registry.url, tmp_path / "copy") == "fork"
    copy = FolderCopy(tmp_path / "copy")
    (evidence,) = copy.evidence()
    copy.close()
    assert misbehaviour.verify(evidence, [KEY]).proven


def test_a_longer_log_that_left_one_entry_out_is_kept_as_proof(begun, tmp_path):
    with serving(begun("one", envelopes(0, 300))) as registry:
        mirror(registry.url, tmp_path / "copy", POLICY)
    with serving(begun("two", [*envelopes(0, 100), *envelopes(101, 400)])) as registry:
        assert refused(registry.url, tmp_path / "copy") == "fork"


def test_a_log_put_back_to_an_older_state_is_a_rollback(begun, tmp_path):
    file = begun("one", envelopes(0, 5))
    shutil.copytree(file.parent, tmp_path / "older")
    with serving(file) as registry:
        registry.publish(*envelopes(5, 9))
        mirror(registry.url, tmp_path / "copy", POLICY)
    with serving(tmp_path / "older" / "registry.yaml") as registry:
        assert refused(registry.url, tmp_path / "copy") == "rollback"


def test_a_log_that_hides_an_entry_from_look_ups_is_seen(begun, tmp_path, monkeypatch):
    body = logentry.of(dsse.read(envelope_of(3)))
    with monkeypatch.context() as lying:
        lying.setattr(indexstore, "names", lambda entry: NOTHING if entry == body else names(entry))
        file = begun("one", envelopes(0, 5))
    with serving(file) as registry:
        assert refused(registry.url, tmp_path / "copy") == "false-index"


def test_a_log_that_the_policy_does_not_name_is_not_copied(begun, tmp_path):
    other = NoteKey("other.example/log", ED25519, SUBMITTER.public)
    with serving(begun("one", envelopes(0, 2))) as registry, pytest.raises(EvidenceError) as caught:
        mirror(registry.url, tmp_path / "copy", Policy((other,), (), (), "none"))
    assert caught.value.reason == "unknown-log"
    assert not (tmp_path / "copy").exists()


def test_a_copy_of_one_log_is_none_of_another(begun, tmp_path):
    with serving(begun("one", envelopes(0, 2))) as registry:
        mirror(registry.url, tmp_path / "copy", POLICY)
        copy = FolderCopy(tmp_path / "copy")
        with pytest.raises(AskerError, match="another process works in"):
            mirror(registry.url, tmp_path / "copy", POLICY)
        copy.close()


STRANGE = {
    "no HTTP": b"SSH-2.0-OpenSSH\r\n",
    "a page": b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>",
    "a way elsewhere": b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
    "without end": b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 3_000_000,
    "nothing": b"",
    "an error of nobody": b"HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\n{}",
}


@pytest.mark.parametrize("case", STRANGE)
def test_what_is_no_registry_is_told_and_not_followed(tmp_path, case):
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer():
            connection, _ = listening.accept()
            with connection:
                connection.recv(4096)
                try:
                    connection.sendall(STRANGE[case])
                except OSError:
                    return

        answering = threading.Thread(target=answer)
        answering.start()
        with pytest.raises(RegistryError) as caught:
            mirror(f"http://127.0.0.1:{listening.getsockname()[1]}", tmp_path / "copy", POLICY)
        answering.join()
    assert caught.value.remedy
