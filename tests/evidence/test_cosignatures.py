import pytest
from evidence_world import fixed_key
from hypothesis import given, settings
from hypothesis import strategies as st
from log_world import (
    ARCHE_WITNESSES,
    LOG_KEY,
    ORIGIN,
    REMORA,
    TIMES,
    VECTORS,
    WITNESSES,
    checkpoint,
    forged,
    refused,
    signed,
    with_line,
    witness_key,
)

from aloi.evidence import checkpoints, notes
from aloi.evidence.checkpoints import LARGEST, Checkpoint
from aloi.evidence.cosignatures import Cosignature, cosign, verify
from aloi.evidence.keys import PrivateKey
from aloi.evidence.notes import COSIGNATURE, ED25519, Note, NoteKey

# Public vectors: two heads of logs of certificates, as their witnesses cosigned them; one of them also with ML-DSA-44.
NAVIGLI = [
    NoteKey.parse("witness.navigli.sunlight.geomys.org+a3e00fe2+BNy/co4C1Hn1p+INwJrfUlgz7W55dSZReusH/GhUhJ/G"),
    NoteKey.parse((VECTORS / "navigli-ml-dsa-44.key").read_text().strip()),
]


def vector(name):
    return notes.read((VECTORS / name).read_bytes())


def test_published_cosignatures_verify():
    arche = vector("arche2025h1.checkpoint")
    assert {each.time for each in verify(arche, ARCHE_WITNESSES)} == {1_779_573_024}
    assert [each.key for each in verify(arche, [REMORA])] == [REMORA]
    assert len(verify(arche, ARCHE_WITNESSES)) == 4
    head = vector("coachandhorses2026h1.checkpoint")
    assert verify(head, NAVIGLI) == tuple(Cosignature(key, 1_785_704_691) for key in NAVIGLI)
    assert [key.kind for key in NAVIGLI] == [4, 6]


@pytest.mark.parametrize("key", NAVIGLI, ids=["Ed25519", "ML-DSA-44"])
def test_a_published_cosignature_is_of_its_head_alone(key):
    head = vector("coachandhorses2026h1.checkpoint")
    for old, new in (("coach", "Coach"), ("185550722", "185550721"), ("YXAM", "YXAN")):
        refused("bad-signature", verify, head._replace(text=head.text.replace(old, new)), [key])


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(sorted(WITNESSES)), st.integers(1, LARGEST), st.integers(1, LARGEST))
def test_cosignatures_come_back(name, time, size):
    head = Checkpoint(ORIGIN, size, bytes(32), ("an extension",))
    note = notes.read(notes.write(cosign(signed(head=head), *WITNESSES[name], time)))
    assert verify(note, [witness_key(name)]) == (Cosignature(witness_key(name), time),)
    assert checkpoints.verify(note, [LOG_KEY]) == head


def test_lines_of_strangers_are_ignored():
    note = signed("south", "north", "post")
    assert verify(note, []) == ()
    assert verify(note, [witness_key("annex")]) == ()
    assert [each.time for each in verify(note, map(witness_key, WITNESSES))] == [
        TIMES[name] for name in ("south", "north", "post")
    ]
    broken = with_line(note, 1, data=b"?")
    assert len(verify(broken, [witness_key("north")])) == 1


@pytest.mark.parametrize("name", ["north", "post"])
def test_cosignatures_that_do_not_hold_are_refused(name):
    note, key = signed(name), witness_key(name)
    data = note.signatures[1].data
    later = (TIMES[name] + 1).to_bytes(8, "big")
    refused("bad-signature", verify, with_line(note, 1, data=later + data[8:]), [key])
    refused("bad-signature", verify, with_line(note, 1, data=data[:-1] + bytes([data[-1] ^ 1])), [key])
    for other in (b"", data[:8], data[:-1], data + b"\0", data[8:]):
        refused("cosignature-form", verify, with_line(note, 1, data=other), [key])
    for time in (0, 2**63, 2**64 - 1):
        line = forged(name, time, note.text)
        refused("cosignature-time", verify, Note(note.text, (line,)), [key])
    refused("repeated-signer", verify, note._replace(signatures=(*note.signatures, note.signatures[1])), [key])
    refused("repeated-signer", cosign, note, *WITNESSES[name], 5)
    for time in (0, -1, 2**63):
        refused("cosignature-time", cosign, signed(), *WITNESSES[name], time)


def test_a_cosignature_holds_under_its_own_name_only():
    """ML-DSA-44 signs the name; with Ed25519 the name is bound by the key's id alone."""
    note = signed("post")
    name, key = "post.example/x", WITNESSES["post"][1]
    renamed = NoteKey(name, 6, key.public)
    refused("bad-signature", verify, with_line(note, 1, name=name, id=renamed.id), [renamed])


def test_one_type_of_signature_is_not_another():
    """The log's signature is no cosignature, though one key could make both."""
    head = checkpoint()
    key = fixed_key(31)
    log, witness = NoteKey(ORIGIN, ED25519, key.public), NoteKey(ORIGIN, COSIGNATURE, key.public)
    assert log.id != witness.id
    note = checkpoints.sign(head, ORIGIN, key)
    data = note.signatures[0].data
    refused("key-kind", verify, note, [log])
    refused("cosignature-form", verify, with_line(note, 0, id=witness.id), [witness])
    both = cosign(note, ORIGIN, key, 9)
    cosigned = both.signatures[1].data
    refused("bad-signature", notes.verify, with_line(note, 0, data=cosigned[8:]), [log])
    refused("bad-signature", verify, with_line(both, 1, data=cosigned[:8] + data), [witness])


def test_extension_lines_are_signed_by_ed25519_and_left_out_by_ml_dsa_44():
    note = signed("north", "post", head=checkpoint(extensions=("extended",)))
    changed = note._replace(text=note.text.replace("extended\n", "changed\n"))
    assert changed != note
    refused("bad-signature", verify, changed, [witness_key("north")])
    assert len(verify(changed, [witness_key("post")])) == 1
    refused("bad-signature", checkpoints.verify, changed, [LOG_KEY])


def test_names_that_ml_dsa_44_has_no_room_for():
    key = WITNESSES["post"][1]
    assert verify(cosign(signed(), "w" * 255, key, 5), [NoteKey("w" * 255, 6, key.public)])
    refused("cosignature-form", cosign, signed(), "w" * 256, key, 5)
    refused("cosignature-form", cosign, signed(head=checkpoint(origin="é" * 128)), "w", key, 5)


def test_who_cannot_cosign_and_what_cannot_be_cosigned():
    refused("key-kind", cosign, signed(), "w", PrivateKey.generate("p256"), 5)
    refused("checkpoint-form", cosign, Note("a text\n", ()), *WITNESSES["north"], 5)
    refused("checkpoint-form", verify, Note("a text\n", ()), [witness_key("north")])
