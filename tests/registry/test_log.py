import importlib
import random
import sys

import pytest
from log_room import (
    KEYS,
    ORIGIN,
    OTHER,
    SUBMITTER,
    WRITER,
    batches,
    envelope_of,
    envelopes,
    key_of,
    payload_of,
    unsigned,
)

from aloi.errors import AskerError, EvidenceError, MissingExtra, RegistryError
from aloi.evidence import checkpoints, logentry, logproof, merkle, notes, prefixtree
from aloi.evidence import envelope as dsse
from aloi.evidence.canonical import digest
from aloi.evidence.keys import PrivateKey
from aloi.evidence.lookup import IndexHead
from aloi.evidence.merkle import Tree, leaf_hash
from aloi.registry.check import check
from aloi.registry.log import BATCH, Log


def head_of(log):
    return checkpoints.verify(notes.read(log.checkpoint()), [log.key], origin=ORIGIN)


def test_an_empty_log_has_a_checkpoint(log):
    assert head_of(log) == checkpoints.Checkpoint(ORIGIN, 0, merkle.EMPTY, (IndexHead(0, prefixtree.EMPTY).line,))
    assert log.consistency(0, 0) == []
    assert log.append([], KEYS) == []


def test_an_envelope_is_logged_and_a_stranger_can_prove_it(log, opened):
    given = envelope_of(1)
    assert log.append([given], KEYS) == [0]
    entry = log.entry(0)
    assert (entry.envelope, entry.kind, entry.signers) == (given, "endorsement", SUBMITTER.public.id)
    assert (entry.erased_at, entry.erased_for) == (None, None)
    # the stranger has the envelope, the proof and the log's key; the log is not asked
    said = logproof.verify(logproof.read(log.proof(0)), logentry.of(dsse.read(given)), [log.key], origin=ORIGIN)
    assert said == head_of(opened())


def test_what_the_log_holds_of_an_envelope_is_digests_and_names(log):
    log.append([envelope_of(1, OTHER, SUBMITTER)], KEYS)
    held = logentry.read(log.entry(0).body)
    assert held.envelope == digest(envelope_of(1, OTHER, SUBMITTER))
    assert held.signers == (OTHER.public.id, SUBMITTER.public.id)
    assert held.subjects == ("sha256:" + "a1" * 32,)
    assert held.predicate_type == "https://aloi.dev/predicate/endorsement/v1"
    assert b"organisation 1" not in log.entry(0).body


def test_other_spacing_and_foreign_fields_are_the_same_envelope(log):
    given = envelope_of(1)
    spaced = b' {"note": "mine",' + given[1:]
    assert log.append([spaced], KEYS) == [0]
    assert log.entry(0).envelope == given


@pytest.fixture(scope="module")
def hashes():
    return [leaf_hash(str(number).encode()) for number in range(1101)]


def test_every_size_to_1100_has_the_proofs_of_the_definition(log, hashes):
    sizes = random.Random(6)
    at = 0
    while at < 1100:
        step = min(1100 - at, sizes.choice([1, 1, 2, 7, 100, 256]))
        assert log.sequence([unsigned(number) for number in range(at, at + step)]) == list(range(at, at + step))
        at += step
    tree, roots = Tree(), [merkle.EMPTY]
    for each in hashes[:1100]:
        tree.append(each)
        roots.append(tree.root())
    assert head_of(log).root == roots[1100]
    for size in range(1, 1101):
        for index in {0, size - 1, sizes.randrange(size)}:
            proof = log.inclusion(index, size)
            merkle.verify_inclusion(hashes[index], index, size, proof, roots[size])
            if size % 5 == 0:
                assert proof == merkle.inclusion(hashes[:size], index)
        old = sizes.randrange(1, size + 1)
        proof = log.consistency(old, size)
        merkle.verify_consistency(old, size, roots[old], roots[size], proof)
        if size % 5 == 0:
            assert proof == merkle.consistency(hashes[:size], old)


def test_a_larger_log_with_a_third_level_of_tiles(log):
    size = 66_000 if "sqlite" in str(log._database._engine.url) else 3_000
    for part in batches(map(unsigned, range(size)), BATCH):
        log.sequence(part)
    hashes = [leaf_hash(str(number).encode()) for number in range(size)]
    root = head_of(log).root
    draw = random.Random(7)
    for _ in range(20):
        index, old = draw.randrange(size), draw.randrange(1, size)
        merkle.verify_inclusion(hashes[index], index, size, log.inclusion(index, size), root)
        tree = Tree()
        for each in hashes[:old]:
            tree.append(each)
        merkle.verify_consistency(old, size, tree.root(), root, log.consistency(old, size))


def test_the_same_statement_by_the_same_has_the_same_index(log, opened):
    assert log.append(envelopes(0, 3), KEYS) == [0, 1, 2]
    before = log.checkpoint()
    assert log.append([envelope_of(1)], KEYS) == [1]
    assert opened().append(envelopes(0, 3), KEYS) == [0, 1, 2]
    assert log.checkpoint() == before
    assert log.append([envelope_of(3), envelope_of(1), envelope_of(3), envelope_of(4)], KEYS) == [3, 1, 3, 4]
    assert head_of(log).size == 5


def test_another_signer_or_one_more_is_another_entry(log):
    assert log.append([envelope_of(0)], KEYS) == [0]
    assert log.append([envelope_of(0, OTHER)], KEYS) == [1]
    assert log.append([envelope_of(0, SUBMITTER, OTHER)], KEYS) == [2]
    assert log.append([envelope_of(0, OTHER, SUBMITTER)], KEYS) == [2]  # the order of signatures says nothing


def test_a_signature_made_anew_is_no_new_entry(log):
    key = PrivateKey.generate("p256")
    first, second = envelope_of(0, key), envelope_of(0, key)
    assert first != second
    assert log.append([first], [key.public]) == [0]
    assert log.append([second], [key.public]) == [0]
    assert log.entry(0).envelope == first


def test_erased_envelopes_are_gone_and_their_proofs_stay(log, url, tmp_path):
    log.append(envelopes(0, 5), KEYS)
    body, proof = log.entry(2).body, log.proof(2)
    log.erase(2, "asked by the person named")
    entry = log.entry(2)
    assert (entry.envelope, entry.body) == (None, body)
    assert entry.erased_for == "asked by the person named"
    assert entry.erased_at >= entry.received
    assert log.proof(2) == proof
    assert logproof.verify(logproof.read(proof), body, [log.key]).size == 5
    assert log.append([envelope_of(2)], KEYS) == [2]  # known, and not put back
    assert log.entry(2).envelope is None
    again = log.entry(2)
    log.erase(2, "another reason")
    assert log.entry(2) == again
    assert check(url, log.key).erased == 1


def test_no_byte_of_an_erased_envelope_stays_in_the_files_of_sqlite(tmp_path):
    log = Log.open(f"sqlite:///{tmp_path}/log.db", WRITER, ORIGIN)
    log.append(envelopes(0, 300), KEYS)

    def stands(number):
        needle = dsse.read(envelope_of(number)).payload.encode()
        return any(needle in file.read_bytes() for file in tmp_path.iterdir())

    assert stands(7)
    assert stands(8)
    log.erase(7, "asked")
    assert not stands(7)
    assert stands(8)
    log.close()


def test_an_erasure_under_the_eyes_of_a_reader_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("aloi.registry.database.WAIT", 0.2)
    log = Log.open(f"sqlite:///{tmp_path}/log.db", WRITER, ORIGIN)
    log.append(envelopes(0, 3), KEYS)
    with log._database.reading() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM entries").scalar()
        with pytest.raises(RegistryError, match="entry 1 is erased, but a long read"):
            log.erase(1, "asked")
    log.erase(1, "asked")
    assert log.entry(1).envelope is None
    log.close()


def test_a_clock_that_goes_back_takes_no_checkpoint_and_no_entry_with_it(url, opened):
    now = [1_000_000.0]
    log = opened(clock=lambda: now[0])
    times = []
    for step, clock in enumerate([1_000_000, 1_000_100, 999_000, 0, -5, 1_000_050, 1_000_200]):
        now[0] = clock
        log.append([envelope_of(step)], KEYS)
        times.append(log.entry(step).received)
    assert times == [1_000_000, 1_000_100, 1_000_100, 1_000_100, 1_000_100, 1_000_100, 1_000_200]
    now[0] = 5
    log.erase(0, "asked")
    assert log.entry(0).erased_at == 1_000_200
    assert check(url, log.key).entries == 7


def test_a_log_is_not_opened_by_another_name_or_key(log, url):
    log.append(envelopes(0, 2), KEYS)
    for key, origin in ((key_of(9), ORIGIN), (WRITER, "registry.example.org/other")):
        with pytest.raises(AskerError, match=f"this is the log “{ORIGIN}”"):
            Log.open(url, key, origin)
    assert head_of(log).size == 2


@pytest.mark.parametrize("algorithm", ["p256", "ml-dsa-44"])
def test_a_log_signs_with_ed25519(tmp_path, algorithm):
    with pytest.raises(EvidenceError) as caught:
        Log.open(f"sqlite:///{tmp_path}/log.db", PrivateKey.generate(algorithm), ORIGIN)
    assert caught.value.reason == "key-kind"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "log.db",
        "sqlite://",
        "sqlite:///:memory:",
        "mysql://a@b/c",
        "postgresql://a:secret@b/c",
        "sqlite+aiosqlite:///f",
    ],
)
def test_an_address_that_is_none_of_ours_is_refused_and_not_repeated(url):
    with pytest.raises(AskerError, match="a registry cannot be kept at this address") as caught:
        Log.open(url, WRITER, ORIGIN)
    assert "secret" not in str(caught.value)


def test_a_database_that_is_gone_is_told_without_its_password():
    with pytest.raises(RegistryError, match="the registry's database failed") as caught:
        Log.open("postgresql+psycopg://aloi:secret@127.0.0.1:1/none", WRITER, ORIGIN)
    assert "secret" not in str(caught.value)


def test_without_the_extras_they_are_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtra, match=r"aloi\[postgres\]"):
        Log.open("postgresql+psycopg://aloi@/none", WRITER, ORIGIN)
    monkeypatch.delitem(sys.modules, "aloi.registry.log")
    for name in ("sqlalchemy", "aloi.registry.database"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtra, match=r"aloi\[registry\]"):
        importlib.import_module("aloi.registry.log")


def test_what_is_not_there_is_told(log):
    log.append(envelopes(0, 3), KEYS)
    for call in (log.entry, log.proof, lambda index: log.erase(index, "asked"), lambda index: log.inclusion(index, 3)):
        for index in (3, -1):
            with pytest.raises(RegistryError, match=f"the log has no entry {index}"):
                call(index)
    for call in (lambda: log.inclusion(0, 4), lambda: log.consistency(1, 4), lambda: log.consistency(3, 2)):
        with pytest.raises(RegistryError, match="there is no tree of size"):
            call()
    with pytest.raises(RegistryError, match="a batch of 1001 envelopes is too large"):
        log.append([b""] * (BATCH + 1), KEYS)


def test_payloads_are_known_by_their_digest_alone_within_a_batch_of_the_largest_size(log):
    assert log.sequence([unsigned(number % 10) for number in range(BATCH)]) == [number % 10 for number in range(BATCH)]
    assert head_of(log).size == 10
    assert payload_of(1) != payload_of(2)
