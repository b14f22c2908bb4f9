import pytest
from evidence_world import fixed_key
from hypothesis import given
from hypothesis import strategies as st
from log_world import (
    ARCHE,
    ARCHE_WITNESSES,
    ENTRIES,
    ENTRY,
    INDEX,
    LOG,
    LOG_KEY,
    ORIGIN,
    OTHER_LOG,
    POLICY,
    TIMES,
    VECTORS,
    WITNESSES,
    checkpoint,
    forged,
    path,
    proof,
    refused,
    signed,
    with_line,
    witness_key,
)

from aloi.errors import InvalidFile
from aloi.evidence import checkpoints, cosignatures, notes
from aloi.evidence.notes import COSIGNATURE, ED25519, NoteKey
from aloi.evidence.policyfile import read
from aloi.evidence.trustpolicy import Logged, Witnessed, verify_logged

OTHER_KEY = NoteKey("log.example/two", ED25519, OTHER_LOG.public)


def policy(text=POLICY):
    return read(text.encode(), "trust.policy")


def told(*names):
    operators = {"north": "University", "annex": "University", "south": "Notary", "post": "Post"}
    return tuple(Witnessed(name, operators[name], TIMES[name]) for name in names)


def test_what_is_logged_is_told_with_who_saw_it():
    logged = verify_logged(ENTRY, proof(signed("south", "annex", "post", "north")), policy())
    assert logged == Logged(
        origin=ORIGIN,
        index=INDEX,
        size=len(ENTRIES),
        root=checkpoint().root,
        witnesses=told("south", "annex", "post", "north"),
    )


@given(st.sets(st.sampled_from(sorted(WITNESSES))))
def test_operators_are_counted_not_witnesses(names):
    note = signed(*sorted(names))
    operators = {each.operator for each in told(*names)}
    if len(operators) < 2:
        refused("too-few-witnesses", verify_logged, ENTRY, proof(note), policy())
    else:
        assert verify_logged(ENTRY, proof(note), policy()).witnesses == told(*sorted(names))


def test_groups_of_groups_and_single_operators():
    text = POLICY.replace(
        "group two 2 University Notary Post", "group far any Notary Post\ngroup two all University far"
    )
    assert verify_logged(ENTRY, proof(signed("annex", "post")), policy(text)).witnesses == told("annex", "post")
    refused("too-few-witnesses", verify_logged, ENTRY, proof(signed("south", "post")), policy(text))
    alone = POLICY.replace("quorum two", "quorum Post")
    logged = verify_logged(ENTRY, proof(signed("south", "post")), policy(alone))
    assert logged.witnesses == told("post")  # the quorum does not depend on the other
    nobody = policy(POLICY.replace("quorum two", "quorum none"))
    assert verify_logged(ENTRY, proof(signed("south")), nobody).witnesses == ()
    assert verify_logged(ENTRY, proof(signed()), policy(f"log {LOG_KEY}\nquorum none\n")).witnesses == ()


def test_a_long_chain_of_groups_is_counted():
    chain = "".join(f"group g{number + 1} any g{number}\n" for number in range(3_000))
    text = POLICY.replace("group two 2 University Notary Post", f"group g0 any Post\n{chain}").replace("two", "g3000")
    assert verify_logged(ENTRY, proof(signed("post")), policy(text)).witnesses == told("post")
    refused("too-few-witnesses", verify_logged, ENTRY, proof(signed("north")), policy(text))


def test_several_logs_and_several_keys_of_one_log():
    new = fixed_key(13)
    text = f"log {NoteKey(ORIGIN, ED25519, new.public)} https://log.example/\nlog {OTHER_KEY}\n{POLICY}"
    for key in (LOG, new):
        assert verify_logged(ENTRY, proof(signed("north", "south", key=key)), policy(text)).origin == ORIGIN
    other = checkpoint(origin=OTHER_KEY.name)
    note = signed("north", "south", head=other, name=OTHER_KEY.name, key=OTHER_LOG)
    assert verify_logged(ENTRY, proof(note), policy(text)).origin == OTHER_KEY.name
    refused("no-known-signature", verify_logged, ENTRY, proof(note), policy())
    usurped = signed("north", "south", name=OTHER_KEY.name, key=OTHER_LOG)
    refused("wrong-origin", verify_logged, ENTRY, proof(usurped), policy(text))


def cosigned_elsewhere():
    """A witness's line taken from the head of another log."""
    line = signed("south", head=checkpoint(origin="log.example/two")).signatures[1]
    note = signed("north")
    return note._replace(signatures=(*note.signatures, line))


def stranger():
    return cosignatures.cosign(signed("north"), "stranger.example/w", fixed_key(40), 5)


def plain_signature_of_a_witness():
    note = signed("north")
    return notes.add(note, witness_key("south"), WITNESSES["south"][1].sign(note.text.encode()))


def out_of(note, *kept):
    return note._replace(signatures=tuple(note.signatures[each] for each in kept))


BOTH = signed("north", "south")
ATTACKS = {
    "no witness": (signed(), "too-few-witnesses"),
    "one witness of two": (signed("north"), "too-few-witnesses"),
    "two witnesses of one operator": (signed("north", "annex"), "too-few-witnesses"),
    "a witness that nobody named": (stranger(), "too-few-witnesses"),
    "a known witness's key under another name": (
        cosignatures.cosign(signed("north"), "x", WITNESSES["south"][1], 5),
        "too-few-witnesses",
    ),
    "a known witness's name over another key": (
        cosignatures.cosign(signed("north"), "south.example/w", fixed_key(40), 5),
        "too-few-witnesses",
    ),
    "the same witness twice": (out_of(BOTH, 0, 1, 1), "repeated-signer"),
    "the log's line twice": (out_of(BOTH, 0, 0, 1, 2), "repeated-signer"),
    "no line of the log": (out_of(BOTH, 1, 2), "no-known-signature"),
    "another log's key": (signed("north", "south", key=OTHER_LOG), "no-known-signature"),
    "another key name": (with_line(BOTH, 0, name="log.example/0ne"), "no-known-signature"),
    "another key id": (with_line(BOTH, 0, id=bytes(4)), "no-known-signature"),
    "another origin": (signed("north", "south", head=checkpoint(origin="log.example/two")), "wrong-origin"),
    "a broken signature of the log": (with_line(BOTH, 0, data=bytes(64)), "bad-signature"),
    "a truncated signature of the log": (with_line(BOTH, 0, data=BOTH.signatures[0].data[:-1]), "bad-signature"),
    "a broken cosignature beside good ones": (
        with_line(signed("north", "south", "post"), 2, data=(5).to_bytes(8, "big") + bytes(64)),
        "bad-signature",
    ),
    "a cosignature of another log's head": (cosigned_elsewhere(), "bad-signature"),
    "a cosignature of no time": (with_line(BOTH, 2, data=forged("south", 0, BOTH.text).data), "cosignature-time"),
    "a cosignature of 2^63": (with_line(BOTH, 2, data=forged("south", 2**63, BOTH.text).data), "cosignature-time"),
    "a cosignature of another second": (with_line(BOTH, 2, data=forged("south", 5, BOTH.text).data), "bad-signature"),
    "a witness's plain signature": (plain_signature_of_a_witness(), "cosignature-form"),
    "a text changed after signing": (BOTH._replace(text=BOTH.text + "an extension\n"), "bad-signature"),
    "a size changed after signing": (BOTH._replace(text=BOTH.text.replace("\n7\n", "\n8\n")), "bad-signature"),
    "an empty extension line that the log signed": (
        notes.sign(BOTH.text + "\n", ORIGIN, LOG),
        "extension-line",
    ),
    "a leading zero that the log signed": (
        notes.sign(BOTH.text.replace("\n7\n", "\n07\n"), ORIGIN, LOG),
        "checkpoint-size",
    ),
    "an empty log with a root": (
        notes.sign(BOTH.text.replace("\n7\n", "\n0\n"), ORIGIN, LOG),
        "empty-tree",
    ),
    "a text that is no checkpoint": (notes.sign("a text\n", ORIGIN, LOG), "checkpoint-form"),
    "a fork of the log with one entry changed": (
        signed("north", "south", head=checkpoint()._replace(root=bytes(32))),
        "not-included",
    ),
}


@pytest.mark.parametrize(("note", "reason"), ATTACKS.values(), ids=ATTACKS)
def test_attacks_on_what_was_signed(note, reason):
    refused(reason, verify_logged, ENTRY, proof(note), policy())


@pytest.mark.parametrize("entry", [b"", ENTRIES[3], ENTRY + b"\n"])
def test_other_entries_are_not_logged(entry):
    refused("not-included", verify_logged, entry, proof(), policy())


def test_another_index_is_not_logged():
    refused("not-included", verify_logged, ENTRY, proof(index=3), policy())
    refused("not-included", verify_logged, ENTRY, proof(path=path(index=3)), policy())


def faults(text):
    """Lines and sentences of every fault."""
    with pytest.raises(InvalidFile) as caught:
        read(text if isinstance(text, bytes) else text.encode(), "trust.policy")
    assert str(caught.value).startswith("trust.policy")
    return [(fault.line, str(fault)) for fault in caught.value.faults]


def changed(old, new):
    assert old in POLICY
    return POLICY.replace(old, new, 1)


NORTH, SOUTH = witness_key("north"), witness_key("south")
RENAMED = NoteKey("renamed", COSIGNATURE, NORTH.public)
FAULTS = {
    "more than it names": (changed("two 2", "two 4"), 9, "asks for “4” of 3"),
    "none of them": (changed("two 2", "two 0"), 9, "asks for “0” of 3"),
    "fewer than none": (changed("two 2", "two -1"), 9, "asks for “-1” of 3"),
    "a leading zero": (changed("two 2", "two 02"), 9, "asks for “02” of 3"),
    "two witnesses of one operator as two": (changed("University Notary Post", "north annex"), 9, "as “witness”"),
    "a witness as quorum": (changed("quorum two", "quorum north"), 10, "as “witness”"),
    "an operator that runs an operator": (changed("Notary south", "Notary University"), 7, "as “operator”"),
    "an unknown operator": (changed("Notary Post", "Notary Nobody"), 9, "Nobody is not named above"),
    "an unknown witness": (changed("Post post", "Post nobody"), 8, "nobody is not named above"),
    "a group of itself": (changed("University Notary", "two Notary"), 9, "two is not named above"),
    "a group named below": (changed("quorum two\n", "") + "group up any later\nquorum up\n", 10, "not named above"),
    "an operator counted twice": (changed("University Notary", "Notary Notary"), 9, "counted already"),
    "an operator counted in two groups": (changed("quorum", "group more any Post\nquorum"), 10, "counted already"),
    "a witness of two operators": (changed("Notary south", "Notary south north"), 7, "counted already"),
    "a witness that nobody runs": (changed("north annex", "north"), 3, "no operator line"),
    "none as a member": (changed("Notary Post", "Notary none"), 9, "none is not named above"),
    "none as a name": (changed("operator Post", "operator none"), 8, "the name is taken"),
    "a name twice": (changed("witness annex", "witness north"), 3, "the name is taken"),
    "an operator with a witness's name": (changed("operator Post", "operator north"), 8, "the name is taken"),
    "no quorum": (changed("quorum two\n", ""), None, "quorum: missing"),
    "two quorums": (POLICY + "quorum none\n", 11, "stands twice"),
    "a quorum of two words": (changed("quorum two", "quorum two three"), 10, "expected: quorum"),
    "no log": (changed(f"log {LOG_KEY}\n", ""), None, "log: missing"),
    "one log twice": (f"log {LOG_KEY}\n{POLICY}", 2, "this key stands in the line “log” already"),
    "one witness under two names": (changed(str(SOUTH), str(RENAMED)), 4, "“witness north” already"),
    "a log that witnesses itself": (
        changed(str(SOUTH), str(NoteKey("w", COSIGNATURE, LOG.public))),
        4,
        "“log” already",
    ),
    "a log's key for a witness": (
        changed(str(SOUTH), str(OTHER_KEY)),
        4,
        "type 01 cannot stand here; expected: 04, 06",
    ),
    "a witness's key for a log": (changed(str(LOG_KEY), str(NORTH)), 1, "type 04 cannot stand here; expected: 01"),
    "a key with another id": (changed(SOUTH.id.hex(), "00000000"), 4, "`key-id`"),
    "a key that is none": (changed(str(SOUTH), "garbage"), 4, "`verifier-key`"),
    "a short key": (changed(str(SOUTH), str(SOUTH)[:-4]), 4, "`key-size`"),
    "a log of no words": (changed(f"log {LOG_KEY}", "log"), 1, "expected: log <key>"),
    "a comment at the end of a line": (changed(str(LOG_KEY), f"{LOG_KEY} https://x # why"), 1, "expected: log <key>"),
    "a witness without a key": (changed(f"south {SOUTH}", "south"), 4, "expected: witness"),
    "an operator without witnesses": (changed("Post post", "Post"), 8, "expected: operator"),
    "a group without members": (changed(" University Notary Post", ""), 9, "expected: group"),
    "a word of no meaning": (POLICY + "witnes x\n", 11, "no line of a policy begins so"),
    "a keyword in capitals": (changed("quorum", "QUORUM"), 10, "no line of a policy begins so"),
    "carriage returns": (changed("quorum two\n", "quorum two\r\n"), 10, "control character"),
    "a control character in a comment": (POLICY + "# \x07\n", 11, "control character"),
    "a no-break space between words": (changed("quorum two", "quorum\u00a0two"), 10, "no line of a policy begins so"),
    "a last line that does not end": (POLICY[:-1], None, "does not end"),
    "an empty file": ("", None, "log: missing"),
    "not UTF-8": (POLICY.encode() + b"# \xff\n", 11, "not UTF-8"),
    "too long": (POLICY + "#" * (1 << 20), None, "longer than"),
}


@pytest.mark.parametrize(("text", "line", "sentence"), FAULTS.values(), ids=FAULTS)
def test_a_policy_with_a_fault_is_refused(text, line, sentence):
    found = faults(text)
    assert any(place == line and sentence in said for place, said in found), found


def test_every_fault_is_told_and_none_twice():
    text = changed(str(SOUTH), "garbage").replace("two 2", "two 9").replace("quorum two", "quorum three") + "what\n"
    assert [line for line, _ in faults(text)] == [4, 9, 10, 11]
    assert [said for _, said in faults("")] == ["log: missing", "quorum: missing"]


def test_spaces_comments_and_urls():
    spaced = "\n \t# a comment\n" + POLICY.replace(" ", "\t  ").replace("\nquorum", " \t\nquorum")
    with_urls = spaced.replace(str(NORTH), f"{NORTH} https://north.example/")
    assert policy(with_urls) == policy()
    named = POLICY.replace("University", "Université").replace("Notary", "all").replace("Post", "operator")
    assert verify_logged(ENTRY, proof(), policy(named)).witnesses[0].operator == "Université"


def test_published_keys_make_a_policy():
    """Real logs and witnesses: the head of a log of certificates, cosigned for four operators."""
    names = [f"w{number}" for number in range(4)]
    lines = [
        f"witness {name} {key}\noperator of-{name} {name}\n" for name, key in zip(names, ARCHE_WITNESSES, strict=True)
    ]
    whole = policy(f"log {ARCHE}\n{''.join(lines)}group g all {' '.join(f'of-{name}' for name in names)}\nquorum g\n")
    note = notes.read((VECTORS / "arche2025h1.checkpoint").read_bytes())
    assert checkpoints.verify(note, whole.logs).size == 1_432_088_532
    by_key = {each.key: each.operator for each in whole.witnesses}
    operators = {by_key[each.key] for each in cosignatures.verify(note, by_key)}
    assert whole.holds(operators)
    assert not whole.holds(operators - {"of-w2"})
