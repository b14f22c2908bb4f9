"""For whom a key speaks, and when: keys that come and go, and rosters that claim too much."""

import msgspec
import pytest
from federation_world import AT, HOUR, KEYS, START, History, about, keyid, listed, newest
from vouching_world import organisation

from aloi.errors import EvidenceError
from aloi.evidence import envelope as dsse
from aloi.evidence.domainproof import check_domain_proof, domain_proof
from aloi.evidence.roster import Speaker
from aloi.evidence.statement import Subject, state

A, B = "institute.example.org", "university.example.net"
LATER = "2026-09-21T17:00:00Z"  # between the entries 2 and 3


def said(history, number, index, **proofs):
    return history.rosters(proofs).speaker(keyid(number), index, START + index * HOUR)


def test_a_key_speaks_for_its_organisation_from_the_statement_on_that_lists_it():
    history = History()
    history.result()
    history.founded(A, 60, 61)
    assert [said(history, 60, index) for index in (0, 1, 2)] == [
        Speaker("", "unlisted"),
        Speaker("", "unlisted"),
        Speaker(A, "standing"),
    ]
    assert said(history, 61, 2) == Speaker(A, "standing")
    assert said(history, 62, 2) == Speaker("", "unlisted")


def test_rotation():
    history = History()
    first = history.founded(A, 60)
    retired = listed(60, revoked_at=AT, revocation="superseded")
    second = history.organisation(A, retired, listed(61), by=(60, 61), previous=first, sequence=1)
    history.organisation(A, retired, listed(61), listed(62, valid_from=LATER), by=(61, 62), previous=second, sequence=2)
    assert history.rosters().told == ()
    assert said(history, 60, 1) == Speaker(A, "standing", disowned=True)  # AT lies before the entry 0
    assert said(history, 60, 2) == Speaker("", "revoked")
    assert said(history, 61, 1) == Speaker("", "unlisted")
    assert said(history, 61, 2) == Speaker(A, "standing")
    assert history.rosters().speaker(keyid(62), 3, START) == Speaker("", "early")
    assert said(history, 62, 3) == Speaker(A, "standing")


def test_what_was_logged_before_a_revocation_stays_the_organisations():
    history = History()
    first = history.founded(A, 60, 61)
    history.result(by=(60,))
    stolen = listed(60, revoked_at=LATER, revocation="compromised")
    history.organisation(A, stolen, listed(61), by=(61,), previous=first, sequence=1)
    assert said(history, 60, 1) == Speaker(A, "standing")  # and not disowned: it was revoked later than this
    assert history.rosters().speaker(keyid(60), 3, START + HOUR) == Speaker(A, "standing")  # announced, not yet due
    assert said(history, 60, 3) == Speaker("", "revoked")


@pytest.mark.parametrize(
    ("key", "state"),
    [
        (listed(61, valid_until="2026-09-21T17:00:00Z"), "expired"),
        (listed(61, valid_from="2027-01-01T00:00:00Z"), "early"),
        (None, "left-out"),
    ],
)
def test_a_key_out_of_its_time_speaks_for_nobody(key, state):
    history = History()
    first = history.founded(A, 60, 61)
    keys = [listed(60), *([key] if key else [])]
    history.organisation(A, *keys, by=(60, 61), previous=first, sequence=1)
    assert said(history, 61, 1) == Speaker(A, "standing")
    assert said(history, 61, 5) == Speaker("", state)
    assert not said(history, 61, 5).counts


def test_nobody_lists_the_key_of_another_as_their_own():
    history = History()
    history.founded(A, 60)
    thief = history.organisation(B, listed(61), listed(60), listed(62), by=(61,))
    rosters = history.rosters()
    assert said(history, 60, 2) == Speaker(A, "standing")
    assert said(history, 62, 2) == Speaker("", "unlisted")
    assert {(each.envelope, each.why, each.key) for each in rosters.told} == {
        (thief, "unconfirmed-key", keyid(60)),
        (thief, "unconfirmed-key", keyid(62)),
    }


def test_a_key_that_confirms_two_rosters_belongs_to_the_first():
    history = History()
    history.founded(A, 60)
    history.founded(B, 61, 60)
    assert said(history, 60, 2) == Speaker(A, "standing")
    assert [(each.why, each.key) for each in history.rosters().told] == [("key-elsewhere", keyid(60))]


def test_a_key_may_confirm_later():
    history = History()
    first = history.organisation(A, listed(60), listed(61), by=(60,))
    assert said(history, 61, 1) == Speaker("", "unlisted")
    history.organisation(A, listed(60), listed(61), by=(60, 61), previous=first, sequence=1)
    assert said(history, 61, 1) == Speaker("", "unlisted")
    assert said(history, 61, 2) == Speaker(A, "standing")


def refused(why, **wrong):
    """A second statement by the keys 60 and 61, with one thing of it changed."""
    history = History()
    first = history.founded(A, 60, 61)
    right = {"previous": first, "sequence": 1, "by": (60,), "keys": (listed(60), listed(61), listed(62))}
    fields = right | {name: value(first) if callable(value) else value for name, value in wrong.items()}
    keys = fields.pop("keys")
    second = history.organisation(fields.pop("domain", A), *keys, **fields)
    rosters = history.rosters()
    assert [(each.envelope, each.why) for each in rosters.told] == [(second, why)]
    assert len(rosters.organisations[A].versions) == 1


UNFIT = {
    "signed by a stranger": ("not-of-the-roster", {"by": (62,)}),
    "an unknown predecessor": ("unknown-previous", {"previous": "sha256:" + "9" * 64}),
    "a predecessor of another domain": ("unknown-previous", {"domain": B}),
    "a number left out": ("sequence", {"sequence": 2}),
    "the subject of another domain": ("subject", {"subject": about(B)}),
    "a subject by another name": ("subject", {"subject": Subject.of("system", about(A).fingerprint)}),
    "a first statement by another's key alone": (
        "not-its-own-key",
        {"previous": None, "sequence": 0, "keys": (listed(60),), "by": (61,)},
    ),
    "a first statement by a key that it revokes": (
        "not-its-own-key",
        {
            "previous": None,
            "sequence": 0,
            "keys": (listed(60), listed(61, revoked_at=AT, revocation="other")),
            "by": (61,),
        },
    ),
}


@pytest.mark.parametrize(("why", "wrong"), UNFIT.values(), ids=UNFIT)
def test_a_roster_that_does_not_follow_does_not_count(why, wrong):
    refused(why, **wrong)


def test_a_revoked_key_states_no_roster():
    history = History()
    first = history.founded(A, 60, 61)
    stolen = listed(60, revoked_at=AT, revocation="compromised")
    second = history.organisation(A, stolen, listed(61), by=(61,), previous=first, sequence=1)
    third = history.organisation(A, listed(61), listed(62), by=(60, 62), previous=second, sequence=2)
    assert [(each.envelope, each.why) for each in history.rosters().told] == [(third, "not-of-the-roster")]


@pytest.mark.parametrize("again", [{}, {"revoked_at": "2027-01-01T00:00:00Z", "revocation": "other"}])
def test_what_was_revoked_stays_revoked(again):
    history = History()
    first = history.founded(A, 60, 61)
    stolen = listed(60, revoked_at=AT, revocation="compromised")
    second = history.organisation(A, stolen, listed(61), by=(61,), previous=first, sequence=1)
    third = history.organisation(A, listed(60, **again), listed(61), by=(61,), previous=second, sequence=2)
    assert [(each.envelope, each.why) for each in history.rosters().told] == [(third, "no-longer-revoked")]
    assert said(history, 60, 3) == Speaker("", "revoked")


def test_what_was_revoked_does_not_come_back_by_being_left_out_for_a_while():
    history = History()
    first = history.founded(A, 60, 61)
    stolen = listed(60, revoked_at=AT, revocation="compromised")
    second = history.organisation(A, stolen, listed(61), by=(61,), previous=first, sequence=1)
    third = history.organisation(A, listed(61), by=(61,), previous=second, sequence=2)
    fourth = history.organisation(A, listed(60), listed(61), by=(60, 61), previous=third, sequence=3)
    assert [(each.envelope, each.why) for each in history.rosters().told] == [(fourth, "no-longer-revoked")]


def test_a_key_that_is_listed_and_has_not_confirmed_states_no_roster():
    history = History()
    first = history.organisation(A, listed(60), listed(61), by=(60,))
    second = history.organisation(A, listed(61), by=(61,), previous=first, sequence=1)
    assert [(each.envelope, each.why) for each in history.rosters().told] == [
        (first, "unconfirmed-key"),
        (second, "not-of-the-roster"),
    ]


def test_a_key_whose_time_is_over_states_no_roster():
    history = History()
    first = history.organisation(A, listed(60), listed(61, valid_until=LATER), by=(60, 61))
    for _ in range(3):
        history.result()
    second = history.organisation(A, listed(61), listed(62), by=(61, 62), previous=first, sequence=1)
    assert [(each.envelope, each.why) for each in history.rosters().told] == [(second, "not-of-the-roster")]


def test_of_two_successors_the_first_logged_counts():
    history = History()
    first = history.founded(A, 60, 61)
    second = history.organisation(A, listed(60), by=(60,), previous=first, sequence=1)
    fork = history.organisation(A, listed(61), by=(61,), previous=first, sequence=1)
    third = history.organisation(A, listed(60), listed(62), by=(60, 62), previous=second, sequence=2)
    rosters = history.rosters()
    assert [each.logged.envelope for each in rosters.organisations[A].versions] == [first, second, third]
    assert [(each.envelope, each.why) for each in rosters.told] == [(fork, "fork")]
    assert said(history, 61, 4) == Speaker("", "left-out")


def test_a_statement_logged_twice_counts_once():
    history = History()
    first = history.founded(A, 60)
    history.put(history.held[0].envelope)
    assert [each.logged.envelope for each in history.rosters().organisations[A].versions] == [first]
    assert history.rosters().told == ()


def test_of_two_that_claim_one_domain_the_first_counts_unless_the_domain_names_the_other():
    history = History()
    squatter = history.founded(A, 60)
    owner = history.founded(A, 61)
    first = history.rosters()
    assert said(history, 60, 2) == Speaker(A, "standing")
    assert said(history, 61, 2) == Speaker("", "unlisted")
    assert [(each.envelope, each.why) for each in first.told] == [(owner, "domain-taken")]
    assert not first.organisations[A].proved
    served = {A: domain_proof(organisation(domain=A, keys=(listed(61),)))}
    proved = history.rosters(served)
    assert proved.organisations[A].proved
    assert [(each.envelope, each.why) for each in proved.told] == [(squatter, "domain-taken")]
    assert proved.speaker(keyid(61), 2, START + 2 * HOUR) == Speaker(A, "standing")
    assert proved.speaker(keyid(60), 2, START + 2 * HOUR) == Speaker("", "unlisted")


def test_a_squatter_who_lists_the_owners_key_is_not_the_owner():
    """He speaks for the domain, then leaves only the owner's key standing, so that the owner's own text names him."""
    history = History()
    first = history.founded(A, 60)
    gone = listed(60, revoked_at=LATER, revocation="retired")
    history.organisation(A, gone, listed(61), by=(60,), previous=first, sequence=1)
    owner = history.founded(A, 61)
    served = {A: domain_proof(organisation(domain=A, keys=(listed(61),)))}
    rosters = history.rosters(served)
    assert rosters.organisations[A].proved
    assert [each.logged.envelope for each in rosters.organisations[A].versions] == [owner]
    assert rosters.speaker(keyid(60), 1, START) == Speaker("", "unlisted")


def test_a_text_that_names_no_roster_proves_nothing():
    history = History()
    history.founded(A, 60)
    served = {A: domain_proof(organisation(domain=A, keys=(listed(61),)))}
    assert not history.rosters(served).organisations[A].proved
    assert newest(history.rosters(served), A).keys == (listed(60),)


def test_the_domain_still_names_an_earlier_version():
    history = History()
    first = history.founded(A, 60)
    served = {A: domain_proof(newest(history.rosters(), A))}
    history.organisation(A, listed(60), listed(61), by=(60, 61), previous=first, sequence=1)
    assert history.rosters(served).organisations[A].proved


SERVED = organisation(domain=A, keys=(listed(60), listed(61), listed(62, revoked_at=AT, revocation="other")))
TEXT = domain_proof(SERVED).decode()


def test_the_text_that_a_domain_serves():
    ids = sorted([keyid(60), keyid(61)])
    assert f"aloi-organisation v1\ndomain {A}\nkey {ids[0]}\nkey {ids[1]}\n" == TEXT
    first, second = TEXT.splitlines()[2:]
    for text in (TEXT, TEXT[:-1], TEXT.replace("\n", "\r\n"), f"aloi-organisation v1\ndomain {A}\n{second}\n{first}\n"):
        check_domain_proof(text.encode(), SERVED)


BAD_TEXT = {
    "nothing": ("", "domain-proof-form"),
    "a page": ("<html></html>", "domain-proof-form"),
    "another form": (TEXT.replace("v1", "v2"), "domain-proof-form"),
    "no domain": (TEXT.replace(f"domain {A}\n", ""), "domain-proof-form"),
    "two domains": (TEXT + f"domain {B}\n", "domain-proof-form"),
    "more on a line": (TEXT.replace("key ", "key  "), "domain-proof-form"),
    "a line of something else": (TEXT + "contact x\n", "domain-proof-form"),
    "another separator": (TEXT.replace("\n", "\u2028"), "domain-proof-form"),
    "an empty line within": (TEXT.replace("\nkey", "\n\nkey"), "domain-proof-form"),
    "another domain": (TEXT.replace(A, B), "domain-proof-domain"),
    "a key too many": (TEXT + f"key {keyid(63)}\n", "domain-proof-keys"),
    "a key too few": (TEXT.rpartition("key")[0], "domain-proof-keys"),
    "a key twice": (TEXT + TEXT.splitlines()[-1] + "\n", "domain-proof-keys"),
    "the revoked key": (TEXT + f"key {keyid(62)}\n", "domain-proof-keys"),
    "a novel": (TEXT + "x" * 20_000, "too-large"),
    "no text": ("\udcff", "not-utf8"),
}


@pytest.mark.parametrize(("text", "reason"), BAD_TEXT.values(), ids=BAD_TEXT)
def test_another_text_is_refused(text, reason):
    with pytest.raises(EvidenceError) as caught:
        check_domain_proof(text.encode("utf-8", "surrogateescape"), SERVED)
    assert caught.value.reason == reason


def test_a_key_listed_under_another_id_makes_the_statement_unreadable():
    history = History()
    liar = msgspec.structs.replace(listed(60), id=keyid(61))
    history.put(dsse.write(dsse.sign(state(organisation(domain=A, keys=(liar,)), [about(A)]), KEYS[60])))
    read, unread = history.read()
    assert read == ()
    assert [each.why for each in unread] == ["key-id"]
