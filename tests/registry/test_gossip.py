import contextlib
import itertools

import msgspec
import pytest
from benchmarks.registry.logs import Log, fixed_key
from cryptography.hazmat.primitives.asymmetric import mldsa
from hypothesis import given, settings
from hypothesis import strategies as st

from aloi.errors import EvidenceError
from aloi.evidence import cosignatures, notes
from aloi.evidence.canonical import canonical
from aloi.evidence.encoding import to_base64
from aloi.evidence.keys import PrivateKey
from aloi.evidence.notes import Note
from aloi.registry import misbehaviour
from aloi.registry.gossip import Verdict, View, compare
from aloi.registry.misbehaviour import Kind

ORIGIN = "log.example/one"
LOG = Log(ORIGIN, fixed_key(11), [b"entry %d" % number for number in range(20)])
FORK = LOG.fork(3)
WITNESS = ("witness.example/1", fixed_key(21))
POST_QUANTUM = ("witness.example/2", PrivateKey(mldsa.MLDSA44PrivateKey.from_seed_bytes(b"\x18" * 32)))
KEYS = [cosignatures.witness_key(*each) for each in (WITNESS, POST_QUANTUM)]


def seen(*views, proofs=None, witnesses=()):
    named = [View(f"party {number}", head) for number, head in enumerate(views)]
    return compare(named, [LOG.public], ORIGIN, witnesses=witnesses, proofs=proofs or {})


def cosigned(log, size, time, witness=WITNESS):
    return notes.write(cosignatures.cosign(notes.read(log.signed(size)), *witness, time))


def refused(reason, function, *arguments):
    with pytest.raises(EvidenceError) as caught:
        function(*arguments)
    assert caught.value.reason == reason
    assert caught.value.remedy


def file_of(one, other, proof=None, key=LOG.public):
    return misbehaviour.write(misbehaviour.find(notes.read(one), notes.read(other), key, proof))


def test_one_head_seen_by_all_is_consistent():
    shown = seen(LOG.signed(9), LOG.signed(9), LOG.signed(0))
    assert shown.verdict == Verdict.CONSISTENT
    assert [(head.size, parties) for head, parties in shown.heads] == [(0, ("party 2",)), (9, ("party 0", "party 1"))]


def test_heads_of_different_sizes_need_proofs_between_neighbours():
    shown = seen(LOG.signed(12), LOG.signed(5), LOG.signed(9))
    assert (shown.verdict, shown.needed) == (Verdict.PROOF_NEEDED, ((5, 9), (9, 12)))
    shown = seen(LOG.signed(12), LOG.signed(5), LOG.signed(9), proofs={(5, 9): LOG.proof(5, 9)})
    assert (shown.verdict, shown.needed) == (Verdict.PROOF_NEEDED, ((9, 12),))
    proofs = {(5, 9): LOG.proof(5, 9), (9, 12): LOG.proof(9, 12)}
    assert seen(LOG.signed(12), LOG.signed(5), LOG.signed(9), proofs=proofs).verdict == Verdict.CONSISTENT


def test_two_heads_of_one_size_are_a_split_view():
    shown = seen(LOG.signed(9), FORK.signed(9), LOG.signed(9))
    assert shown.verdict == Verdict.SPLIT_VIEW
    (found,) = shown.misbehaviours
    assert (found.kind, found.proven, found.key) == (Kind.SPLIT_VIEW, True, LOG.public)
    assert misbehaviour.verify(misbehaviour.write(found), [LOG.public]) == found


def test_a_proof_that_was_asked_for_in_vain_is_a_split_view_that_the_log_may_answer():
    shown = seen(LOG.signed(9), FORK.signed(12), proofs={(9, 12): ()})
    assert (shown.verdict, shown.needed) == (Verdict.SPLIT_VIEW, ())
    (found,) = shown.misbehaviours
    assert (found.kind, found.proven) == (Kind.NO_PROOF, False)
    assert not misbehaviour.answered(found, FORK.proof(9, 12))
    assert not misbehaviour.answered(found, ())


def test_the_proof_of_another_tree_proves_the_fork():
    (found,) = seen(LOG.signed(9), FORK.signed(12), proofs={(9, 12): FORK.proof(9, 12)}).misbehaviours
    assert (found.kind, found.proven) == (Kind.OTHER_PREFIX, True)
    assert not misbehaviour.answered(found, LOG.proof(9, 12))


def test_views_that_do_not_verify_count_for_nothing():
    stranger = Log(ORIGIN, fixed_key(12), FORK.entries)
    line = cosignatures.cosign(Note(LOG.signed(8).decode().partition("\n\n")[0] + "\n", ()), *WITNESS, 1000)
    note = notes.read(LOG.signed(9))
    forged = notes.write(note._replace(signatures=(*note.signatures, *line.signatures)))
    shown = seen(LOG.signed(9), stranger.signed(9), b"x", forged, witnesses=KEYS)
    assert shown.verdict == Verdict.CONSISTENT
    assert [(party, error.reason) for party, error in shown.refused] == [
        ("party 1", "no-known-signature"),
        ("party 2", "note-form"),
        ("party 3", "bad-signature"),
    ]


@pytest.mark.parametrize("witness", [WITNESS, POST_QUANTUM], ids=["Ed25519", "ML-DSA-44"])
def test_a_witness_that_cosigned_both_histories_is_shown_too(witness):
    key = cosignatures.witness_key(*witness)
    shown = seen(cosigned(LOG, 9, 1000, witness), cosigned(FORK, 9, 1001, witness), witnesses=KEYS)
    assert {found.key for found in shown.misbehaviours} == {LOG.public, key}
    for found in shown.misbehaviours:
        assert misbehaviour.verify(misbehaviour.write(found), [LOG.public, *KEYS]) == found


def test_a_witness_that_went_back():
    shown = seen(cosigned(LOG, 9, 1001), cosigned(LOG, 12, 1000), witnesses=KEYS, proofs={(9, 12): LOG.proof(9, 12)})
    (found,) = shown.misbehaviours
    assert (found.kind, found.key, found.proven) == (Kind.WENT_BACK, KEYS[0], True)
    assert misbehaviour.verify(misbehaviour.write(found), KEYS) == found
    for times in ((1000, 1000), (1000, 1001)):
        heads = (cosigned(LOG, 9, times[0]), cosigned(LOG, 12, times[1]))
        assert not seen(*heads, witnesses=KEYS, proofs={(9, 12): LOG.proof(9, 12)}).misbehaviours


def test_a_witness_is_not_accused_of_a_proof_that_the_log_owes():
    shown = seen(cosigned(LOG, 9, 1000), cosigned(LOG, 12, 1001), witnesses=KEYS, proofs={(9, 12): ()})
    assert [found.key for found in shown.misbehaviours] == [LOG.public]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 20), st.integers(0, 20), st.booleans(), st.sampled_from(["none", "own", "other", "spoilt"]))
def test_honest_heads_are_never_proven_guilty_and_forks_never_innocent(one, other, forked, which):
    second = FORK if forked else LOG
    small, large = sorted((one, other))
    proof = {
        "none": None,
        "own": second.proof(small, large) if small < large else [],
        "other": (LOG if forked else FORK).proof(small, large) if small < large else [],
        "spoilt": [bytes(32)] * 3,
    }[which]
    heads = notes.read(LOG.signed(small)), notes.read(second.signed(large))
    found = misbehaviour.find(*heads, LOG.public, proof)
    differ = LOG.root(small) != second.root(small)
    if found and found.proven:
        assert differ
    if differ and (which == "own" or small == large) and small & (small - 1):
        assert found.proven
    if found:
        data = misbehaviour.write(found)
        assert misbehaviour.verify(data, [LOG.public]) == found
        assert misbehaviour.find(*reversed(heads), LOG.public, proof) == found


def test_every_byte_of_a_file_counts():
    whole = file_of(LOG.signed(9), FORK.signed(12), FORK.proof(9, 12))
    for place in range(len(whole)):
        changed = whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
        with pytest.raises(EvidenceError):
            misbehaviour.verify(changed, [LOG.public])


def test_files_that_show_nothing_are_refused():
    split, prefix = file_of(LOG.signed(9), FORK.signed(9)), file_of(LOG.signed(9), FORK.signed(12), FORK.proof(9, 12))
    accusation = file_of(LOG.signed(9), LOG.signed(12), ())
    parts = {name: msgspec.json.decode(data) for name, data in (("s", split), ("p", prefix), ("a", accusation))}

    def changed(name, **fields):
        return canonical({**parts[name], **fields})

    other = Log("log.example/two", fixed_key(11), LOG.entries)
    foreign = notes.sign(notes.read(other.signed(12)).text, ORIGIN, LOG.key)
    table = [
        (changed("s", first=parts["s"]["second"]), "unfounded"),
        (changed("s", first=parts["s"]["second"], second=parts["s"]["first"]), "unfounded"),
        (changed("s", path=["A" * 43 + "="]), "unfounded"),
        (changed("s", second=FORK.signed(12).decode()), "unfounded"),
        (changed("s", second=LOG.signed(8).decode()), "unfounded"),
        (changed("p", path=[]), "unfounded"),
        (changed("p", second=LOG.signed(12).decode()), "unfounded"),
        (changed("p", kind="went-back", path=[]), "unfounded"),
        (changed("p", kind="split-view", path=[]), "unfounded"),
        (changed("a", path=[to_base64(each) for each in LOG.proof(9, 12)]), "unfounded"),
        (changed("a", first=LOG.signed(0).decode()), "unfounded"),
        (changed("a", second=LOG.signed(9).decode()), "unfounded"),
        (changed("a", second=cosigned(LOG, 12, 1000).decode()), "unfounded"),
        (changed("a", second=notes.write(foreign).decode()), "other-log"),
        (changed("a", second=Log(ORIGIN, fixed_key(12), LOG.entries).signed(12).decode()), "no-known-signature"),
        (changed("a", path=["A" * 43 + "="] * 65), "misbehaviour-path"),
        (changed("a", path=["A"]), "bad-base64"),
        (changed("a", kind="rude"), "wrong-type"),
        (changed("a", more=1), "wrong-type"),
        (changed("a", format="https://aloi.dev/misbehaviour/v2"), "wrong-type"),
        (accusation + b" ", "not-canonical"),
    ]
    for data, reason in table:
        with pytest.raises(EvidenceError) as caught:
            misbehaviour.verify(data, [LOG.public])
        assert caught.value.reason == reason, data
    refused("unknown-key", misbehaviour.verify, split, [Log(ORIGIN, fixed_key(12), []).public])


def test_a_witness_that_did_not_sign_is_not_accused():
    for one, other in itertools.permutations([cosigned(LOG, 9, 1000), FORK.signed(9)]):
        refused("no-known-signature", misbehaviour.find, notes.read(one), notes.read(other), KEYS[0])


@settings(max_examples=200, deadline=None)
@given(st.recursive(st.text() | st.integers() | st.binary().map(to_base64), lambda inner: st.lists(inner, max_size=3)))
def test_whatever_stands_in_a_field_is_refused_with_a_reason(value):
    parts = msgspec.json.decode(file_of(LOG.signed(9), FORK.signed(12), FORK.proof(9, 12)))
    for field in parts:
        with contextlib.suppress(UnicodeEncodeError):  # a lone surrogate is no JSON that we could write
            data = msgspec.json.encode({**parts, field: value})
            with pytest.raises(EvidenceError):
                misbehaviour.verify(data, [LOG.public])


def test_half_a_character_is_refused():
    whole = file_of(LOG.signed(9), FORK.signed(9))
    for field in (b'"first":"', b'"second":"', b'"key":"'):
        with pytest.raises(EvidenceError):
            misbehaviour.verify(whole.replace(field, field + b"\\ud800"), [LOG.public])
