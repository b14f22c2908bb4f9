"""Whose appraisal of certainty counts, in histories of a log."""

import pytest
from evidence_world import HAZARDS, SYSTEM
from federation_world import AT, History, listed

from aloi.evidence.vouching import Appraisal

A, B = "institute.example.org", "builder.example.com"


def appraise(history, by=(60,), step="bias", change=-1, hazard=HAZARDS[0], reason="The judge knows the maker."):
    record = Appraisal(organisation="x", at=AT, hazard=hazard, step=step, change=change, reason=reason)
    return history.log(record, SYSTEM, by=by)


def counted(history):
    return history.statuses().appraisals


def test_an_organisations_counts():
    history = History()
    history.founded(A, 60)
    word = appraise(history)
    assert counted(history) == (word,)
    assert history.nothing() == []


def test_a_key_of_no_organisation_appraises_nothing():
    history = History()
    appraise(history)
    assert counted(history) == ()
    assert history.nothing() == [(0, "no-organisation")]


def test_a_revoked_key_appraises_nothing():
    history = History()
    first = history.founded(A, 60, 61)
    gone = listed(60, revoked_at=AT, revocation="compromised")
    history.organisation(A, gone, listed(61), by=[61], previous=first, sequence=1)
    appraise(history)
    assert counted(history) == ()
    assert history.nothing() == [(2, "no-standing-key")]


def test_an_organisation_speaks_once_of_a_step_through_whichever_key():
    history = History()
    history.founded(A, 60, 61)
    first = appraise(history)
    appraise(history, by=(61,), change=1)
    other = appraise(history, by=(61,), step="imprecision")
    assert counted(history) == (first, other)
    assert history.nothing() == [(2, "repeated")]


def test_what_is_taken_back_makes_room():
    history = History()
    history.founded(A, 60)
    first = appraise(history)
    history.withdraw(first, by=[60])
    second = appraise(history, change=0)
    assert counted(history) == (second,)


def test_what_others_dispute_still_counts_and_is_disputed():
    history = History()
    history.founded(A, 60)
    history.founded(B, 61)
    first = appraise(history)
    history.dispute(first, by=[61])
    assert counted(history) == (first,)
    assert history.status(first).state == "disputed"


@pytest.mark.parametrize("by", [(60,), (61,), (60, 61)])
def test_two_organisations_each_have_their_say(by):
    history = History()
    history.founded(A, 60)
    history.founded(B, 61)
    first = appraise(history, by=by)
    assert counted(history) == (first,)
    both = appraise(history, by=(60, 61), change=0)
    assert (both in counted(history)) == (len(by) == 1)
