import json
from binascii import a2b_base64

import pytest
from evidence_world import HARDENED, SYSTEM, World, fixed_key

from aloi.errors import AskerError, EvidenceError
from aloi.evidence.bundle import LIMIT, pack, read, unpack, write
from aloi.evidence.canonical import canonical, digest
from aloi.evidence.envelope import sign
from aloi.evidence.statement import claimed
from aloi.evidence.statement import read as read_statement
from aloi.evidence.verification import verify_bundle


def test_same_arguments_same_bytes(world):
    assert world.pack() == World().pack()
    assert (
        pack(world.envelopes(), [fixed_key(3).public, world.key.public, fixed_key(2).public], world.key) == world.pack()
    )


def test_a_bundle_is_one_canonical_json_object(bundle):
    assert canonical(json.loads(bundle)) == bundle
    assert set(json.loads(bundle)) == {"envelopes", "format", "keys", "manifest"}


def test_the_manifest_names_every_statement_in_order(world):
    parts, _ = unpack(world.pack())
    sealed = read_statement(a2b_base64(parts.manifest.payload))
    entries = claimed(sealed).record.entries
    assert [entry.digest for entry in entries] == [digest(each) for each in world.statements()]
    assert sealed.subject == (SYSTEM, HARDENED)
    assert all(entry.signers == (world.key.public.id,) for entry in entries)


def test_an_envelope_that_does_not_hold_is_not_packed(world):
    with pytest.raises(EvidenceError) as caught:
        pack([*world.envelopes(), sign(b"{}", fixed_key(9))], [world.key.public], world.key)
    assert caught.value.reason == "unknown-signer"
    with pytest.raises(EvidenceError) as caught:
        pack(world.envelopes()[1:], [world.key.public], world.key)
    assert caught.value.reason == "no-plan"
    with pytest.raises(EvidenceError) as caught:
        pack([*world.envelopes(), sign(b'{"_type":1}', world.key)], [world.key.public], world.key)
    assert caught.value.reason == "wrong-type"


def test_a_plan_alone_is_a_bundle(world):
    world.claims, world.coverage = [], ()
    assert verify_bundle(world.pack(), [world.key.public]).claims[0].name == "plan"


def test_written_whole(tmp_path, bundle):
    path = tmp_path / "bundle.json"
    path.write_bytes(b"older")
    write(bundle, path)
    assert read(path) == bundle
    assert [path.name for path in tmp_path.iterdir()] == ["bundle.json"]


def test_a_failed_write_leaves_the_older_file(tmp_path, bundle):
    with pytest.raises(AskerError, match="cannot be written"):
        write(bundle, tmp_path / "missing" / "bundle.json")
    folder = tmp_path / "bundle.json"
    folder.mkdir()
    with pytest.raises(AskerError, match="cannot be written"):
        write(bundle, folder)
    assert [path.name for path in tmp_path.iterdir()] == ["bundle.json"]


def test_reading_is_bounded(tmp_path):
    path = tmp_path / "huge"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    assert len(read(path)) == LIMIT + 1
    with pytest.raises(EvidenceError) as caught:
        unpack(read(path))
    assert caught.value.reason == "too-large"
    with pytest.raises(AskerError, match="cannot be read"):
        read(tmp_path / "missing")


def test_findings_of_the_hardened_system_need_its_effect(world):
    world.claims = [claim for claim in world.claims if claim[1] != (SYSTEM, HARDENED)]
    world.coverage = ()
    data = world.pack()
    with pytest.raises(EvidenceError) as caught:
        verify_bundle(data, [world.key.public])
    assert caught.value.reason == "foreign-subject"
