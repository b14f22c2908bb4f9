import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from log_world import (
    ENTRIES,
    ENTRY,
    INDEX,
    LOG_KEY,
    ORIGIN,
    POLICY,
    VECTORS,
    checkpoint,
    path,
    proof,
    refused,
    signed,
    with_line,
)

from aloi.errors import EvidenceError
from aloi.evidence import cosignatures, policyfile
from aloi.evidence.encoding import to_base64
from aloi.evidence.logproof import HEADER, LogProof, read, verify, write
from aloi.evidence.merkle import inclusion, leaf_hash, root
from aloi.evidence.notes import LIMIT, NoteKey
from aloi.evidence.trustpolicy import verify_logged

# Public vector: an entry of Go's checksum database (transparency-dev/incubator, cmd/tlog-verify).
SUMDB = NoteKey.parse("sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8")
SUMDB_ENTRY = (
    b"github.com/transparency-dev/tessera v1.0.0 h1:4OT1V9xJLa5NnYlFWWlCdZkCm18/o12rdd+bCTje7XE=\n"
    b"github.com/transparency-dev/tessera v1.0.0/go.mod h1:TLvfjlkbmsmKVEJUtzO2eb9Q2IBnK3EJ0dI4G0oxEOU=\n"
)
PROOF = proof().decode()
FIRST = to_base64(path()[0])


def test_a_published_proof_verifies():
    data = (VECTORS / "sumdb-43930254.tlog-proof").read_bytes()
    published = read(data)
    assert write(published) == data
    head = verify(published, SUMDB_ENTRY, [SUMDB], origin="go.sum database tree")
    assert (published.index, head.size, len(published.path)) == (43_930_254, 58_253_265, 26)
    refused("not-included", verify, published, SUMDB_ENTRY[:-1], [SUMDB], origin="go.sum database tree")
    refused("wrong-origin", verify, published, SUMDB_ENTRY, [SUMDB])


def test_a_proof_of_another_program_verifies():
    """Written by proofbundle 6.3.1 (PyPI) with fixed keys: a log, an Ed25519 and an ML-DSA-44 witness."""
    data = (VECTORS / "proofbundle.tlog-proof").read_bytes()
    log, *witnesses = (NoteKey.parse(line) for line in (VECTORS / "proofbundle.keys").read_text().splitlines())
    foreign = read(data)
    assert write(foreign) == data
    assert verify(foreign, b"entry 2", [log]).size == 5
    found = cosignatures.verify(foreign.note, witnesses)
    assert [(each.key.kind, each.time) for each in found] == [(4, 1_700_000_001), (6, 1_700_000_002)]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=9), min_size=1, max_size=20), st.data(), st.binary(max_size=40))
def test_proofs_come_back_and_hold_for_their_entry_alone(entries, data, extra):
    index = data.draw(st.integers(0, len(entries) - 1))
    head = checkpoint()._replace(size=len(entries), root=root(entries))
    way = tuple(inclusion([leaf_hash(entry) for entry in entries], index))
    made = LogProof(index=index, path=way, note=signed("north", head=head), extra=extra)
    assert read(write(made)) == made
    assert verify(made, entries[index], [LOG_KEY]) == head
    refused("not-included", verify, made, entries[index] + b"!", [LOG_KEY])


def replaced(old, new):
    assert old in PROOF
    return PROOF.replace(old, new, 1)


MALFORMED = {
    "another version": (replaced("@v1", "@v2"), "proof-form"),
    "an empty first line": ("\n" + PROOF, "proof-form"),
    "a byte order mark": ("\ufeff" + PROOF, "proof-form"),
    "carriage returns": (PROOF.replace("\n", "\r\n"), "proof-form"),
    "no empty line before the checkpoint": (f"{HEADER}\nindex 4\n", "proof-form"),
    "no index": (replaced("index 4\n", ""), "proof-form"),
    "the index in capitals": (replaced("index", "INDEX"), "proof-form"),
    "nothing but the first line": (f"{HEADER}\n\n" + PROOF.split("\n\n", 1)[1], "proof-form"),
    "extra data after the index": (replaced("index 4\n", "index 4\nextra AAAA\n"), "bad-base64"),
    "extra data twice": (replaced("index", "extra AAAA\nextra AAAA\nindex"), "proof-form"),
    "extra data without data": (replaced("index", "extra \nindex"), "proof-form"),
    "extra data that is no base64": (replaced("index", "extra ?\nindex"), "bad-base64"),
    "an index with a leading zero": (replaced("index 4", "index 04"), "proof-index"),
    "an index below zero": (replaced("index 4", "index -4"), "proof-index"),
    "an empty index": (replaced("index 4", "index "), "proof-index"),
    "two spaces": (replaced("index 4", "index  4"), "proof-index"),
    "an index of 64 bits": (replaced("index 4", f"index {2**63}"), "proof-index"),
    "an index with a carriage return": (replaced("index 4\n", "index 4\r\n"), "proof-index"),
    "a truncated hash": (replaced(FIRST, to_base64(path()[0][:31])), "proof-path"),
    "a longer hash": (replaced(FIRST, to_base64(path()[0] + b"\0")), "proof-path"),
    "a path without end": (replaced(FIRST, "\n".join([FIRST] * 64)), "proof-path"),
    "a hash without padding": (replaced(FIRST, FIRST[:-1]), "bad-base64"),
    "a hash with trailing bits": (replaced(FIRST, FIRST[:-2] + chr(ord(FIRST[-2]) + 1) + "="), "bad-base64"),
    "a space after a hash": (replaced(FIRST, FIRST + " "), "bad-base64"),
    "two empty lines": (replaced("\n\n", "\n\n\n"), "bad-signature"),
    "a checkpoint without signatures": (PROOF.split("\n\n—", 1)[0] + "\n", "note-form"),
    "no last line feed": (PROOF[:-1], "note-form"),
    "a checkpoint that is too long": (replaced("\n\n", "\n\n" + "x" * (LIMIT - 100)), "too-large"),
    "a file that is too long": (replaced("index", f"extra {'A' * (1 << 20)}\nindex"), "too-large"),
}


@pytest.mark.parametrize(("text", "reason"), MALFORMED.values(), ids=MALFORMED)
def test_malformed_proofs_are_refused(text, reason):
    refused(reason, verify_logged, ENTRY, text.encode(), policyfile.read(POLICY.encode(), "policy"))


def test_what_is_not_utf8_is_refused():
    refused("not-utf8", read, b"\xff" + PROOF.encode())


def test_no_malformed_proof_is_written():
    note = signed()
    for reason, changed in {
        "proof-index": {"index": -1},
        "proof-path": {"path": (bytes(31),)},
        "note-form": {"note": note._replace(signatures=())},
        "proof-form": {"note": note._replace(text="a text")},
    }.items():
        with pytest.raises(EvidenceError) as caught:
            proof(**{"note": note, **changed})
        assert caught.value.reason in (reason, "note-form"), reason


SWAPPED = {
    "another index": {"index": INDEX + 1},
    "an index beyond the log": {"index": len(ENTRIES)},
    "the path of another entry": {"path": path(index=INDEX - 1)},
    "the path of another size": {"path": path(size=5)},
    "a path cut short": {"path": path()[:-1]},
    "a path made longer": {"path": (*path(), bytes(32))},
    "a path turned round": {"path": path()[::-1]},
    "no path": {"path": ()},
    "the head of a smaller log": {"note": signed(head=checkpoint(size=6))},
    "the root of another size": {"note": signed(head=checkpoint()._replace(root=root(ENTRIES[:6])))},
    "the size of another root": {"note": signed(head=checkpoint()._replace(size=6))},
    "the head of an empty log": {"note": signed(head=checkpoint(size=0))},
}


@pytest.mark.parametrize("changed", SWAPPED.values(), ids=SWAPPED)
def test_parts_of_other_proofs_are_refused(changed):
    refused("not-included", verify, read(proof(**changed)), ENTRY, [LOG_KEY])


def test_other_entries_are_refused():
    whole = read(proof())
    for entry in (b"", ENTRY + b"\n", ENTRIES[3], leaf_hash(ENTRY), b"\0" + ENTRY):
        refused("not-included", verify, whole, entry, [LOG_KEY])
    # a node of the tree is no entry
    inner = leaf_hash(ENTRIES[4]) + leaf_hash(ENTRIES[5])
    shorter = LogProof(index=2, path=path()[1:], note=whole.note)
    refused("not-included", verify, shorter, inner, [LOG_KEY])


def test_of_all_changes_of_one_byte_none_proves_anything_else():
    """What a change may touch: extra data, which nobody signs, and the line of a witness that is not needed."""
    policy = policyfile.read(POLICY.encode(), "policy")
    data = proof(signed("north", "south", "annex"), extra=b"nobody signs this")
    told = verify_logged(ENTRY, data, policy)
    chance, accepted = random.Random(6962), []
    for _ in range(2_000):
        place = chance.randrange(len(data))
        other = chance.choice([data[place] ^ 1 << chance.randrange(8), chance.randrange(256)])
        changed = data[:place] + bytes([other]) + data[place + 1 :]
        try:
            found = verify_logged(ENTRY, changed, policy)
        except EvidenceError:
            assert changed != data
            continue
        assert (found.origin, found.index, found.size, found.root) == (told.origin, told.index, told.size, told.root)
        assert set(found.witnesses) <= set(told.witnesses)
        assert {"University", "Notary"} == {each.operator for each in found.witnesses}
        accepted.append((place, changed))
    extra = range(data.index(b"extra "), data.index(b"\nindex"))
    names = [data.index(name) for name in (b"witness.example/north", b"witness.example/annex")]
    lines = [range(start, data.index(b"\n", start)) for start in names]
    assert all(changed == data or any(place in part for part in (extra, *lines)) for place, changed in accepted)
    assert any(changed != data for _, changed in accepted)


def test_with_every_witness_needed_no_changed_byte_of_a_proof_is_accepted():
    policy = policyfile.read(POLICY.replace("2 University", "3 University").encode(), "policy")
    data = proof(signed("north", "south", "post"))
    assert len(verify_logged(ENTRY, data, policy).witnesses) == 3
    chance = random.Random(9162)
    for _ in range(500):
        place = chance.randrange(len(data))
        changed = data[:place] + bytes([data[place] ^ 1 << chance.randrange(8)]) + data[place + 1 :]
        with pytest.raises(EvidenceError):
            verify_logged(ENTRY, changed, policy)


def test_the_name_of_the_log_in_its_line_is_needed():
    refused("no-known-signature", verify, read(proof(with_line(signed(), 0, name=ORIGIN + "x"))), ENTRY, [LOG_KEY])
