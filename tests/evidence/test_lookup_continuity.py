import lookup_world as world
import pytest
from log_world import refused
from lookup_world import ENTRIES, LISTS, A, B, about, answer, spelt

from aloi.evidence import logproof
from aloi.evidence.continuity import verify_continued, verify_listed
from aloi.evidence.logproof import LogProof
from aloi.evidence.lookup import verify_lookup
from aloi.evidence.merkle import consistency, inclusion, leaf_hash
from aloi.evidence.naming import names
from aloi.evidence.trustpolicy import verify_logged

FIRST = world.statement_of(ENTRIES[1])


def told(entries, lists=None, subject=A):
    return verify_lookup(spelt(answer(subject, entries, lists)), subject, world.POLICY)


def between(first, second):
    """The honest log's consistency proof between two sizes of one history."""
    return consistency([leaf_hash(entry) for entry in second], first)


def hiding(entries, subject, *hidden):
    lists = world.lists_of(entries)
    kept = [index for index in lists[subject] if index not in hidden]
    return {each: indices for each, indices in (lists | {subject: kept}).items() if indices}


EARLIER = told(ENTRIES[:5])
LATER = told(ENTRIES)


@pytest.mark.parametrize("size", range(len(ENTRIES) + 1))
def test_an_honest_log_is_continued(size):
    proof = between(size, ENTRIES) if size else []
    verify_continued(told(ENTRIES[:size]), LATER, proof)


def test_an_answer_continues_itself_and_one_about_another_system():
    verify_continued(LATER, LATER, [])
    verify_continued(told(ENTRIES[:5], subject=B), LATER, between(5, ENTRIES))


def test_what_was_listed_cannot_leave_the_list():
    later = told(ENTRIES, hiding(ENTRIES, A, 1))
    refused("unlisted", verify_continued, EARLIER, later, between(5, ENTRIES))
    later = told(ENTRIES, hiding(ENTRIES, FIRST, 4))  # the dispute of a result, not the result
    refused("unlisted", verify_continued, EARLIER, later, between(5, ENTRIES))


def test_what_was_hidden_cannot_come_back():
    earlier = told(ENTRIES[:5], hiding(ENTRIES[:5], A, 1))
    refused("late-filing", verify_continued, earlier, LATER, between(5, ENTRIES))
    earlier = told(ENTRIES[:5], hiding(ENTRIES[:5], FIRST, 4))
    refused("late-filing", verify_continued, earlier, LATER, between(5, ENTRIES))


def test_a_log_does_not_go_back():
    refused("went-back", verify_continued, LATER, EARLIER, between(5, ENTRIES))


def test_a_log_that_was_written_anew_is_seen():
    anew = [ENTRIES[0], about(A, word="better"), *ENTRIES[2:]]
    for proof in (between(5, ENTRIES), between(5, anew), []):
        refused("not-consistent", verify_continued, EARLIER, told(anew), proof)
    refused("not-consistent", verify_continued, LATER, told(anew), [])
    swapped = [ENTRIES[1], ENTRIES[0], *ENTRIES[2:]]
    refused("not-consistent", verify_continued, EARLIER, told(swapped), between(5, swapped))


def test_two_indexes_of_the_same_entries_are_seen():
    other = told(ENTRIES, hiding(ENTRIES, B, 2))  # nothing of A is touched
    refused("other-index", verify_continued, LATER, other, [])


def test_the_answer_of_another_log_continues_nothing():
    other = type(LATER)(
        **{name: getattr(LATER, name) for name in LATER.__struct_fields__} | {"origin": "other.example"}
    )
    refused("other-log", verify_continued, EARLIER, other, between(5, ENTRIES))


def proved(index, entries=ENTRIES):
    """That an entry was logged, as its author was told it at the time."""
    head = world.checkpoint(entries)
    path = tuple(inclusion([leaf_hash(entry) for entry in entries], index))
    data = logproof.write(LogProof(index=index, path=path, note=world.signed(head)))
    return entries[index], verify_logged(entries[index], data, world.POLICY)


def test_an_author_sees_that_a_result_is_left_out():
    entry, logged = proved(1, ENTRIES[:3])
    verify_listed(LATER, entry, logged, between(3, ENTRIES))
    hidden = told(ENTRIES, hiding(ENTRIES, A, 1))
    refused("omitted", verify_listed, hidden, entry, logged, between(3, ENTRIES))
    refused("not-consistent", verify_listed, hidden, entry, logged, between(4, ENTRIES))
    dispute, logged = proved(4)
    verify_listed(LATER, dispute, logged)
    refused("omitted", verify_listed, told(ENTRIES, hiding(ENTRIES, FIRST, 4)), dispute, logged)


def test_what_was_logged_later_or_is_about_another_is_not_owed():
    entry, logged = proved(10)
    verify_listed(EARLIER, entry, logged, between(5, ENTRIES))
    entry, logged = proved(2)
    verify_listed(LATER, entry, logged)


def test_an_author_sees_a_log_that_was_written_anew_without_the_result():
    entry, logged = proved(1, ENTRIES[:3])
    anew = [ENTRIES[0], *ENTRIES[2:]]
    refused("not-consistent", verify_listed, told(anew), entry, logged, between(3, anew))


def test_digests_are_owed_like_envelopes():
    entries = [world.digests(each) if names(each).statement else each for each in ENTRIES]
    entry, logged = proved(1, entries)
    verify_listed(told(entries), entry, logged)
    refused("omitted", verify_listed, told(entries, hiding(entries, A, 1)), entry, logged)
    assert world.lists_of(entries) == LISTS
