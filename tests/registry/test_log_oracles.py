"""A log that is served, read by programs of others that share no code with ours: tiles, roots, proofs, cosignatures.

tlog-scales reads the tiles over HTTP and computes what they give; proofbundle verifies signed notes, the lines of
witnesses of both kinds, and `.tlog-proof` files.
"""

import json

import pytest
from log_room import envelope_of, envelopes
from proofbundle.checkpoint import verify_checkpoint, verify_witnessed_checkpoint
from proofbundle.tlogproof import verify_tlog_proof
from server_room import SETTINGS, serving, settle
from tlog_scales.backend import make_backend
from tlog_scales.reader import TilesReader
from tlog_scales.signing import Vkey
from tlog_scales.tiles import leaf_hash
from tlog_scales.tlog import ConsistencyProof, ConsistencyProofInvalid, InclusionProof, InclusionProofInvalid
from witness_room import command

from aloi.evidence import checkpoints, logentry, logproof, notes
from aloi.evidence import envelope as dsse
from aloi.evidence.keys import load
from aloi.registry.log import Log

NAME = "registry.example.org/log"
COUNT = 600  # two full tiles, one at the edge, and a second level
WITNESSES = {"ed25519": "cosignature/v1", "ml-dsa-44": "ml-dsa-44"}


def witness(home, algorithm, log):
    """A witness of the log, serving: its process, its key and its address."""
    begun = command("init", "w", "--name", f"{algorithm}.example/1", "--algorithm", algorithm, "--json", home=home)
    out, err = begun.communicate(timeout=60)
    assert begun.returncode == 0, err
    file = home / "w" / "witness.yaml"
    text = file.read_text().replace(":8421", ":0").replace("logs: []", f"logs: ['{log}']")
    file.write_text(text)
    process = command("serve", file, "--json", home=home)
    return process, json.loads(out)["key"], json.loads(process.stdout.readline())["url"]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A registry of 600 entries, each head cosigned by an Ed25519 and an ML-DSA-44 witness."""
    folder = tmp_path_factory.mktemp("oracle")
    file = settle(folder / "registry")
    log = str(notes.NoteKey(NAME, notes.ED25519, load(folder / "registry" / "log.pem").public))
    running = []
    try:
        for algorithm in WITNESSES:
            (folder / algorithm).mkdir()
            running.append(witness(folder / algorithm, algorithm, log))
        listed = "".join(f"  - {{key: '{key}', url: '{url}'}}\n" for _, key, url in running)
        file.write_text(f"{SETTINGS}witnesses:\n{listed}")
        with serving(file) as registry:
            for first in range(0, COUNT, 200):
                assert registry.publish(*envelopes(first, first + 200)).status == 200
            yield registry, log, [key for _, key, _ in running]
    finally:
        for process, _, _ in running:
            process.terminate()
            process.communicate(timeout=30)


@pytest.fixture
def registry(served):
    return served[0]


@pytest.fixture
def reader(registry):
    """The reader of others, told the size of the published head: it reads no checkpoint with a line of extension."""
    found = TilesReader(make_backend(registry.url))
    found.set_size(COUNT)
    return found


def head(registry):
    return checkpoints.parse(notes.read(registry.get("/checkpoint").body).text)


def entry_of(number):
    return logentry.of(dsse.read(envelope_of(number)))


def test_the_root_that_others_compute_from_the_tiles_is_the_signed_one(registry, reader):
    assert reader.calculate_root_hash() == head(registry).root
    assert [reader.get_entry(index) for index in (0, 255, 256, 599)] == [entry_of(n) for n in (0, 255, 256, 599)]


@pytest.mark.parametrize("index", [0, 1, 254, 255, 256, 511, 512, 599])
def test_proofs_are_what_others_compute_and_hold_for_them(registry, reader, index):
    ours = logproof.read(registry.get(f"/proof/{index}").body)
    assert list(ours.path) == reader.get_inclusion_proof(index, COUNT).node_hashes
    root = head(registry).root
    InclusionProof(index, COUNT, list(ours.path)).check(leaf_hash(entry_of(index)), root)
    with pytest.raises(InclusionProofInvalid):
        InclusionProof(index, COUNT, list(ours.path)).check(leaf_hash(entry_of((index + 1) % COUNT)), root)


@pytest.mark.parametrize("old", [1, 2, 200, 255, 256, 257, 400, 512, 599])
def test_consistency_is_what_others_compute_and_holds_for_them(registry, reader, old):
    log = Log.open(f"sqlite:///{registry.folder}/registry.db", load(registry.folder / "log.pem"), NAME)
    ours = list(log.consistency(old, COUNT))
    log.close()
    assert ours == reader.get_consistency_proof(old, COUNT).node_hashes
    earlier = TilesReader(make_backend(registry.url))
    earlier.set_size(old)
    before, now = reader.mth(0, old), head(registry).root
    ConsistencyProof(old, COUNT, ours).check(before, now)
    with pytest.raises(ConsistencyProofInvalid):
        ConsistencyProof(old, COUNT, ours).check(now, before)


def test_others_verify_the_head_and_both_kinds_of_witnesses(served):
    registry, log, witnesses = served
    note = registry.get("/checkpoint").body.decode()
    assert verify_checkpoint(note, log)["ok"]
    told = verify_witnessed_checkpoint(note, log, witnesses, threshold=2, expected_origin=NAME)
    assert told["ok"], told
    assert [each["ok"] for each in told["witnesses"].values()] == [True, True]
    assert (told["tree_size"], told["root"]) == (COUNT, head(registry).root)
    changed = note.replace(f"\n{COUNT}\n", f"\n{COUNT - 1}\n")
    assert not verify_witnessed_checkpoint(changed, log, witnesses, threshold=1, expected_origin=NAME)["ok"]


@pytest.mark.parametrize("index", [0, 255, 256, 599])
def test_others_verify_a_proof_with_its_witnesses_and_nothing_else(served, index):
    registry, log, witnesses = served
    proof = registry.get(f"/proof/{index}").body.decode()
    told = verify_tlog_proof(proof, entry_of(index), log, witnesses, threshold=2, expected_origin=NAME)
    assert told["ok"], told
    for wrong in (
        verify_tlog_proof(proof, entry_of(index) + b" ", log, witnesses, threshold=2, expected_origin=NAME),
        verify_tlog_proof(proof, entry_of(index), log, witnesses[:1], threshold=2, expected_origin=NAME),
        verify_tlog_proof(proof, entry_of(index), log, witnesses, threshold=2, expected_origin="other.example/log"),
        verify_tlog_proof(proof.replace(f"index {index}", "index 7"), entry_of(index), log, witnesses, threshold=2),
    ):
        assert not wrong["ok"]


def test_keys_have_one_spelling_for_all(served):
    _, log, witnesses = served
    for each in (log, *witnesses):
        assert Vkey.from_string(each).serialize() == each
        again = Vkey.from_string(each)
        assert Vkey(again.name, None, again.sig_type, again.pubkey).serialize() == each  # the id is computed alike
