import json
import random

import lookup_world as world
import naive_index
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from log_world import LOG, LOG_KEY, ORIGIN, OTHER_LOG, refused
from lookup_world import ENTRIES, LISTS, NOBODY, OF_A, A, B, about, answer, logged, look_up, signed, spelt

from aloi.errors import EvidenceError
from aloi.evidence import checkpoints, envelope, logentry, notes
from aloi.evidence.canonical import canonical, digest
from aloi.evidence.encoding import to_base64
from aloi.evidence.lookup import LIMIT, LINE, IndexHead, LoggedEntry, Lookup, Neighbour, read, verify_lookup, write
from aloi.evidence.naming import NOTHING, names
from aloi.evidence.prefixtree import EMPTY
from aloi.evidence.trustpolicy import Policy

HONEST = answer()
DATA = spelt(HONEST)
TRUE = world.checkpoint()
ALONE = Policy((LOG_KEY,), (), (), "none")
FIRST = world.statement_of(ENTRIES[1])


def test_all_that_is_about_a_system_is_told_down_to_the_dispute_of_a_dispute():
    told = verify_lookup(DATA, A, world.POLICY)
    assert told.lists[A] == OF_A
    assert told.lists[FIRST] == (4, 6)  # disputed and endorsed
    assert told.lists[world.statement_of(ENTRIES[4])] == (5,)  # the dispute is disputed
    assert told.indices == (0, 1, 3, 4, 5, 6, 9, 10)
    assert {index: ENTRIES[index] for index in told.indices} == told.entries
    assert (told.origin, told.size, told.root, told.index) == (ORIGIN, 11, TRUE.root, world.head_of(LISTS))
    assert [each.operator for each in told.witnesses] == ["University", "Notary"]
    assert write(read(DATA)) == DATA


def test_that_nothing_is_known_of_a_system_is_proved():
    told = verify_lookup(spelt(answer(NOBODY)), NOBODY, world.POLICY)
    assert (told.lists, told.indices) == ({NOBODY: ()}, ())


@pytest.mark.parametrize("entries", [[], [b"no statement"], [about(A)], [about(A), about(B)]])
@pytest.mark.parametrize("subject", [A, B])
def test_small_logs(entries, subject):
    told = verify_lookup(spelt(answer(subject, entries)), subject, world.POLICY)
    assert told.lists[subject] == tuple(world.lists_of(entries).get(subject, ()))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("sdx"), st.integers(0, 9)), max_size=9), st.integers(0, 4))
def test_whatever_the_history_the_answer_is_what_a_reader_of_the_whole_log_finds(steps, asked):
    entries: list[bytes] = []
    for kind, number in steps:
        if kind == "d" and entries:
            before = entries[number % len(entries)]
            entries.append(world.disputed(before) if before != b"no statement" else before)
        else:
            systems = (world.MANY[number % 5], world.MANY[number % 3])
            entries.append(about(*systems, word=str(len(entries))) if kind == "s" else b"no statement")
    subject = world.MANY[asked]
    told = verify_lookup(spelt(answer(subject, entries)), subject, world.POLICY)
    wanted, found = {subject}, set()
    for index, entry in enumerate(entries):  # a statement is logged before what is said of it, here
        if wanted & set(names(entry).subjects):
            found.add(index)
            wanted.add(names(entry).statement)
    assert set(told.indices) == found
    assert set(told.lists) == wanted


def alter(**changed):
    return spelt(type(HONEST)(**{name: getattr(HONEST, name) for name in HONEST.__struct_fields__} | changed))


def swap(position, **changed):
    """The honest answer with one look-up changed."""
    told = list(HONEST.lookups)
    old = told[position]
    told[position] = Lookup(**{name: getattr(old, name) for name in old.__struct_fields__} | changed)
    return alter(lookups=tuple(told))


def entry(position, **changed):
    """The honest answer with one entry changed."""
    told = list(HONEST.entries)
    old = told[position]
    told[position] = LoggedEntry(**{name: getattr(old, name) for name in old.__struct_fields__} | changed)
    return alter(entries=tuple(told))


def under(*extensions, head=TRUE):
    """The honest answer under another line of the index, signed by the log and its witnesses."""
    return alter(checkpoint=notes.write(signed(head._replace(extensions=extensions))).decode())


def without(subject, *hidden):
    """The best answer of a log that leaves entries out of a list, under the true checkpoint."""
    cut = LISTS | {subject: [index for index in LISTS[subject] if index not in hidden]}
    cut = {each: indices for each, indices in cut.items() if indices}
    return spelt(answer(lists=cut, note=signed(TRUE)))


def committed(subject, indices, entries=ENTRIES):
    """The answer of a log that signs an index with another list."""
    return spelt(answer(entries=entries, lists=world.lists_of(entries) | {subject: indices}))


def in_another_domain(domain):
    before, naive_index.DOMAIN = naive_index.DOMAIN, domain
    try:
        return under(world.checkpoint().extensions[0])
    finally:
        naive_index.DOMAIN = before


def neighbour_of(subject):
    at = naive_index.place(subject)
    return Neighbour(place=at, size=len(LISTS[subject]), head=naive_index.list_head(LISTS[subject]))


def note_with(text):
    """The log's signature over any text."""
    return alter(checkpoint=notes.write(notes.sign(text, ORIGIN, LOG)).decode())


def signed_by(key, name, head=TRUE):
    return alter(checkpoint=notes.write(checkpoints.sign(head, name, key)).decode())


TOP = HONEST.lookups[0]
NOTE = HONEST.checkpoint
LEFT_OUT = tuple(told for told in HONEST.lookups if told.subject != world.statement_of(ENTRIES[10]))
OLDER = world.checkpoint(ENTRIES[:9])
ATTACKS = {
    # what is left out, under the index that the witnesses saw
    "the last result is hidden": (without(A, 10), "not-indexed"),
    "the first result is hidden": (without(A, 0), "not-indexed"),
    "all results are hidden": (without(A, *OF_A), "not-indexed"),
    "a dispute is hidden": (without(FIRST, 4), "not-indexed"),
    "a dispute of a dispute is hidden": (without(world.statement_of(ENTRIES[4]), 5), "not-indexed"),
    "a list cut short, its entries still there": (swap(0, indices=OF_A[:-1]), "lookup-subject"),
    "a list cut short, with its look-up": (
        alter(lookups=(Lookup(subject=A, siblings=TOP.siblings, indices=OF_A[:-1]), *LEFT_OUT[1:])),
        "entry-stray",
    ),
    # lists that are no lists
    "a list turned round": (swap(0, indices=(10, *OF_A[1:-1], 0)), "lookup-subject"),
    "two entries of one statement exchanged": (swap(0, indices=(0, 1, 9, 3, 10)), "list-order"),
    "an entry listed twice": (swap(0, indices=(*OF_A, 10)), "list-order"),
    "an entry listed twice in the signed index": (committed(A, [*OF_A, 10]), "list-order"),
    "the order of the signed index": (committed(A, [0, 1, 9, 3, 10]), "list-order"),
    "an entry about another in the list": (
        alter(
            lookups=(Lookup(subject=A, siblings=TOP.siblings, indices=(0, 1, 2, 3, 9, 10)), *HONEST.lookups[1:]),
            entries=tuple(sorted((*HONEST.entries, logged(2)), key=lambda each: each.index)),
        ),
        "not-named",
    ),
    "an entry about another in the signed index": (committed(A, [0, 1, 2, 3, 9, 10]), "not-named"),
    "an entry without statement in the signed index": (committed(A, [0, 1, 3, 7, 9, 10]), "not-named"),
    "an entry that the log does not have yet": (committed(A, [*OF_A, 11]), "entry-missing"),
    "an index beyond every log": (swap(0, indices=(*OF_A, 2**53 - 1)), "entry-missing"),
    # leaves and paths of others
    "the list of another subject": (swap(0, subject=B), "lookup-subject"),
    "the path of another subject": (swap(0, siblings=look_up(B).siblings), "not-indexed"),
    "a sibling changed": (swap(0, siblings=(*TOP.siblings[:-1], EMPTY)), "not-indexed"),
    "siblings turned round": (swap(0, siblings=TOP.siblings[::-1]), "not-indexed"),
    "a leaf one level higher": (swap(0, siblings=TOP.siblings[:-1]), "not-indexed"),
    "a leaf one level lower": (swap(0, siblings=(*TOP.siblings, EMPTY)), "not-indexed"),
    "a leaf at the root": (swap(0, siblings=()), "not-indexed"),
    "a leaf at the lowest level": (
        swap(0, siblings=(*TOP.siblings, *[EMPTY] * (256 - len(TOP.siblings)))),
        "not-indexed",
    ),
    # absence that is none
    "the own leaf as proof of absence": (spelt(answer(NOBODY)).replace(NOBODY.encode(), A.encode()), "not-indexed"),
    "absence beside its own leaf": (
        canonical(
            {
                "type": HONEST.type,
                "checkpoint": NOTE,
                "entries": [],
                "lookups": [Lookup(subject=A, siblings=TOP.siblings, neighbour=neighbour_of(A))],
            }
        ),
        "false-absence",
    ),
    "absence beside a leaf of elsewhere": (
        canonical(
            {
                "type": HONEST.type,
                "checkpoint": NOTE,
                "entries": [],
                "lookups": [Lookup(subject=A, siblings=look_up(B).siblings, neighbour=neighbour_of(B))],
            }
        ),
        "foreign-leaf",
    ),
    "absence in an empty branch that is full": (
        canonical(
            {
                "type": HONEST.type,
                "checkpoint": NOTE,
                "entries": [],
                "lookups": [Lookup(subject=A, siblings=TOP.siblings)],
            }
        ),
        "not-indexed",
    ),
    "absence under an empty root": (
        canonical(
            {"type": HONEST.type, "checkpoint": NOTE, "entries": [], "lookups": [Lookup(subject=A, siblings=())]}
        ),
        "not-indexed",
    ),
    "absence beside a leaf that does not exist": (
        canonical(
            {
                "type": HONEST.type,
                "checkpoint": NOTE,
                "entries": [],
                "lookups": [Lookup(subject=A, siblings=(), neighbour=neighbour_of(B))],
            }
        ),
        "not-indexed",
    ),
    "the size of the neighbour's list changed": (
        swap(
            4,
            neighbour=Neighbour(
                place=HONEST.lookups[4].neighbour.place, size=99, head=HONEST.lookups[4].neighbour.head
            ),
        ),
        "not-indexed",
    ),
    "a list and its absence at once": (swap(0, neighbour=neighbour_of(B)), "lookup-form"),
    # the line of the index
    "no line": (under(), "no-index"),
    "only lines of others": (under("example.com/other 1 2"), "no-index"),
    "the line of another version": (under(TRUE.extensions[0].replace("/v1", "/v2")), "no-index"),
    "the line in capitals": (under(TRUE.extensions[0].replace("aloi", "Aloi")), "no-index"),
    "the line twice": (under(*TRUE.extensions * 2), "index-line"),
    "two lines that differ": (under(*TRUE.extensions, *OLDER.extensions), "index-line"),
    "one word more": (under(TRUE.extensions[0] + " 1"), "index-line"),
    "one word less": (under(LINE), "index-line"),
    "two spaces": (under(TRUE.extensions[0].replace(" ", "  ")), "index-line"),
    "a count with a leading zero": (under(TRUE.extensions[0].replace(" 16 ", " 016 ")), "index-line"),
    "a count below zero": (under(TRUE.extensions[0].replace(" 16 ", " -16 ")), "index-line"),
    "a root of 31 bytes": (under(f"{LINE} 16 {to_base64(bytes(31))}"), "index-line"),
    "a root without padding": (under(TRUE.extensions[0][:-1]), "bad-base64"),
    "a count too small for the path": (
        under(TRUE.extensions[0].replace(" 16 ", f" {sum(each != EMPTY for each in TOP.siblings)} ")),
        "index-count",
    ),
    "a count of nothing": (under(TRUE.extensions[0].replace(" 16 ", " 0 ")), "index-count"),
    "an empty index of some subjects": (under(IndexHead(16, EMPTY).line), "index-count"),
    "an empty index of a log with entries": (under(IndexHead(0, EMPTY).line), "not-indexed"),
    "an older index under a newer checkpoint": (under(*OLDER.extensions), "not-indexed"),
    "the index of another log": (under(world.head_of({B: [0], A: [1]}).line), "not-indexed"),
    "the log's own root as index": (under(IndexHead(16, TRUE.root).line), "not-indexed"),
    "an index of another domain": (in_another_domain(b"aloi.dev/lookup/v2\n"), "not-indexed"),
    "an index of no domain": (in_another_domain(b""), "not-indexed"),
    # look-ups owed
    "a look-up that nobody asked for": (alter(lookups=(*HONEST.lookups, look_up(NOBODY))), "lookup-stray"),
    "a statement not followed": (alter(lookups=HONEST.lookups[:-1]), "lookup-missing"),
    "the system alone": (alter(lookups=HONEST.lookups[:1]), "lookup-missing"),
    "look-ups exchanged": (
        alter(lookups=(TOP, HONEST.lookups[2], HONEST.lookups[1], *HONEST.lookups[3:])),
        "lookup-subject",
    ),
    "a look-up twice": (alter(lookups=(TOP, *HONEST.lookups)), "lookup-subject"),
    "another system's answer": (spelt(answer(B)), "lookup-subject"),
    "the answer of a statement": (spelt(answer(FIRST)), "lookup-subject"),
    # entries
    "an entry is missing": (alter(entries=HONEST.entries[:-1]), "entry-missing"),
    "an entry too many": (
        alter(entries=tuple(sorted((*HONEST.entries, logged(2)), key=lambda each: each.index))),
        "entry-stray",
    ),
    "entries exchanged": (alter(entries=HONEST.entries[::-1]), "entry-order"),
    "an entry twice": (alter(entries=(HONEST.entries[0], *HONEST.entries)), "entry-order"),
    "the words of an entry changed": (entry(1, entry=about(A, word="better")), "not-included"),
    "an entry in the place of another": (entry(1, entry=ENTRIES[0]), "not-included"),
    "an entry at another index": (entry(6, index=8), "not-included"),
    "an entry behind the log": (entry(7, index=11), "not-included"),
    "no path": (entry(1, path=()), "not-included"),
    "its digests in the place of an envelope": (entry(1, entry=world.digests(ENTRIES[1])), "not-included"),
    "entries of an older tree": (
        alter(entries=tuple(logged(each.index, size=9) if each.index < 9 else each for each in HONEST.entries)),
        "not-included",
    ),
    # the head
    "a newer answer under an older checkpoint": (alter(checkpoint=notes.write(signed(OLDER)).decode()), "not-included"),
    "a smaller size, the same root": (under(*TRUE.extensions, head=TRUE._replace(size=10)), "not-included"),
    "the line changed after signing": (alter(checkpoint=NOTE.replace(" 16 ", " 17 ")), "bad-signature"),
    "the size changed after signing": (alter(checkpoint=NOTE.replace("\n11\n", "\n12\n")), "bad-signature"),
    "signed by another log": (signed_by(OTHER_LOG, ORIGIN), "no-known-signature"),
    "of another origin": (signed_by(LOG, ORIGIN, TRUE._replace(origin="log.example/two")), "wrong-origin"),
    "not signed": (alter(checkpoint=notes.write(signed(TRUE)).decode().split("\n\n")[0]), "note-form"),
    "cosigned by nobody": (signed_by(LOG, ORIGIN), "too-few-witnesses"),
    "cosigned by two of one house": (
        alter(checkpoint=notes.write(signed(TRUE, "north", "annex")).decode()),
        "too-few-witnesses",
    ),
    "a cosignature that leaves out the index": (
        alter(checkpoint=notes.write(signed(TRUE, "north", "post")).decode()),
        "too-few-witnesses",
    ),
    "no checkpoint": (note_with("a note\n"), "checkpoint-form"),
    # the form
    "spaces": (DATA.replace(b":", b": ", 1), "lookup-form"),
    "a last line feed": (DATA + b"\n", "lookup-form"),
    "an unknown field": (DATA.replace(b'"lookups"', b'"logs":[],"lookups"'), "lookup-form"),
    "a neighbour that is null": (DATA.replace(b'"siblings"', b'"neighbour":null,"siblings"', 1), "lookup-form"),
    "a field twice": (DATA[:-1] + b',"type":"x"}', "duplicate-key"),
    "another type": (DATA.replace(b"lookup-answer/v1", b"lookup-answer/v2"), "wrong-type"),
    "no look-ups": (alter(lookups=()), "wrong-type"),
    "more siblings than bits": (swap(0, siblings=(EMPTY,) * 257), "wrong-type"),
    "a sibling of 31 bytes": (swap(0, siblings=(bytes(31),)), "wrong-type"),
    "an index below zero": (swap(0, indices=(-1, *OF_A)), "wrong-type"),
    "an index that is no integer": (DATA.replace(b'"indices":[0,', b'"indices":[0.5,'), "float"),
    "a fingerprint in capitals": (DATA.replace(A.encode(), A.upper().encode()), "wrong-type"),
    "not UTF-8": (b"\xff" + DATA, "not-utf8"),
    "half of it": (DATA[: len(DATA) // 2], "not-json"),
    "too much of it": (DATA + b" " * LIMIT, "too-large"),
}


@pytest.mark.parametrize(("data", "reason"), ATTACKS.values(), ids=ATTACKS)
def test_attacks_are_refused_each_for_its_reason(data, reason):
    refused(reason, verify_lookup, data, A, world.POLICY)


def test_an_answer_is_of_the_subject_that_was_asked():
    refused("lookup-subject", verify_lookup, DATA, B, world.POLICY)
    refused("lookup-subject", verify_lookup, DATA, A.upper(), world.POLICY)


def test_a_reader_who_asks_for_no_witness_believes_the_log_alone():
    data = spelt(answer(note=checkpoints.sign(TRUE, ORIGIN, LOG)))
    assert verify_lookup(data, A, ALONE).indices == (0, 1, 3, 4, 5, 6, 9, 10)
    # what a dishonest log leaves out of its own index is for those to see who replay it
    cut = LISTS | {A: [0, 1, 3, 9]}
    hidden = spelt(answer(lists=cut, note=checkpoints.sign(world.checkpoint(lists=cut), ORIGIN, LOG)))
    assert verify_lookup(hidden, A, ALONE).lists[A] == (0, 1, 3, 9)


def test_of_five_thousand_changes_of_bytes_none_says_anything_else():
    """What a change may do: add a line by a key that nobody knows under the checkpoint, which signed notes ignore."""
    honest, accepted = verify_lookup(DATA, A, world.POLICY), 0
    chance = random.Random(65)
    for _ in range(5_000):
        place, span = chance.randrange(len(DATA)), chance.choice([1, 1, 1, 2, 44])
        start = chance.randrange(len(DATA))
        flipped = bytes([DATA[place] ^ 1 << chance.randrange(8)])
        other = chance.choice([flipped, b"", DATA[place : place + span] * 2, DATA[start : start + span]])
        changed = DATA[:place] + other + DATA[place + span :]
        try:
            told = verify_lookup(changed, A, world.POLICY)
        except EvidenceError:
            assert changed != DATA
            continue
        assert told == honest
        if changed != DATA:
            accepted += 1
            assert json.loads(changed) | {"checkpoint": NOTE} == json.loads(DATA)
    assert accepted < 10


def parts(value, found):
    """Every list and object of a JSON value."""
    if isinstance(value, list | dict):
        found.append(value)
        for each in value.values() if isinstance(value, dict) else value:
            parts(each, found)
    return found


def test_of_two_thousand_well_formed_changes_none_is_accepted():
    """Values moved, left out, doubled and exchanged, spelt as they should be: what a dishonest log would try."""
    chance, changed_in = random.Random(66), set()
    for _ in range(2_000):
        told = json.loads(DATA)
        within = chance.choice([each for each in parts(told, []) if each])
        keys = list(within) if isinstance(within, dict) else list(range(len(within)))
        one, two = chance.choice(keys), chance.choice(keys)
        match chance.choice(["exchange", "leave out", "double", "from elsewhere"]):
            case "exchange":
                within[one], within[two] = within[two], within[one]
            case "leave out":
                del within[one]
            case "double" if isinstance(within, list):
                within.insert(two, within[one])
            case _:
                donor = chance.choice(
                    [each for each in parts(json.loads(DATA), []) if type(each) is type(within) and each]
                )
                within[one] = chance.choice(list(donor.values() if isinstance(donor, dict) else donor))
        data = canonical(told)
        if data == DATA:
            continue
        with pytest.raises(EvidenceError) as caught:
            verify_lookup(data, A, world.POLICY)
        changed_in.add(caught.value.reason)
    assert len(changed_in) > 8


def test_an_envelope_and_its_digests_name_the_same():
    for each in ENTRIES:
        if names(each) is not NOTHING:
            assert names(world.digests(each)) == names(each)
    entries = [world.digests(each) if names(each) is not NOTHING else each for each in ENTRIES]
    assert (
        verify_lookup(spelt(answer(entries=entries)), A, world.POLICY).lists
        == verify_lookup(DATA, A, world.POLICY).lists
    )


def test_what_a_verifier_would_take_for_a_statement_names_its_subjects_however_it_is_spelt():
    told = json.loads(ENTRIES[1])
    for other in (
        json.dumps(told, indent=1).encode(),
        json.dumps({"envelope": "x", **told}).encode(),
        json.dumps({**json.loads(world.digests(ENTRIES[2])), **told}).encode(),
    ):
        assert names(other) == names(ENTRIES[1])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"{" * 100,
        b'{"payload":"","payloadType":"application/vnd.in-toto+json","signatures":[{"keyid":"","sig":""}]}',
        ENTRIES[1].replace(b"vnd.in-toto", b"vnd.other"),
        ENTRIES[1][:-1],
        world.digests(ENTRIES[1]) + b" ",
        world.digests(ENTRIES[1]).replace(b'"subjects":[', b'"subjects":["sha256:' + b"a1" * 32 + b'",'),
        world.digests(ENTRIES[1]).replace(b'"signers"', b'"more":1,"signers"'),
        world.digests(ENTRIES[1]).replace(b'"subjects"', b'"Subjects"'),
        b"\xff",
    ],
)
def test_what_is_no_statement_names_nothing(data):
    assert names(data) == NOTHING


def test_digests_without_that_of_the_statement_are_known_by_the_envelope():
    assert names(logentry.of(envelope.read(ENTRIES[1]))) == (digest(ENTRIES[1]), (A,))
    assert world.digests(json.dumps(json.loads(ENTRIES[1]), indent=1).encode()) == world.digests(ENTRIES[1])


def test_of_what_is_no_statement_there_are_no_digests():
    refused("payload-type", world.digests, ENTRIES[1].replace(b"vnd.in-toto", b"vnd.other"))
    refused("not-json", world.digests, b"no statement")
