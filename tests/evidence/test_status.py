"""Where each statement stands: histories of a log, kind and hostile."""

import random

import pytest
from evidence_world import HARDENED, HAZARDS, SYSTEM, benign, effect, finding, first_edition, plan
from federation_world import AT, HOUR, KEYS, KNOWN, History, keyid, listed
from vouching_world import incident, named

from aloi.evidence import envelope as dsse
from aloi.evidence.canonical import digest
from aloi.evidence.commitments import commit
from aloi.evidence.loggedstatements import read_logged
from aloi.evidence.roster import read_rosters
from aloi.evidence.statement import Subject, state
from aloi.evidence.status import read_statuses
from aloi.evidence.vouching import Attachment, Commitment, Dispute, Replication, Sealed, Withdrawal

A, B = "institute.example.org", "builder.example.com"
SALT = bytes(range(32))
UNKNOWN = "sha256:" + "9" * 64


def test_what_nobody_spoke_of_stands():
    history = History()
    result = history.result()
    status = history.status(result)
    assert (status.state, status.parties, status.current) == ("standing", (keyid(60),), "")


def test_its_signer_withdraws_it():
    history = History()
    result = history.result()
    word = history.withdraw(result, by=[60], reason="error-in-data")
    status = history.status(result)
    assert (status.state, status.withdrawals) == ("withdrawn", (word,))
    assert history.nothing() == []


@pytest.mark.parametrize(("record", "expected"), [(finding(HAZARDS[0]), True), (effect(), False)])
def test_a_finding_of_the_first_edition_is_replaced_by_a_finding_of_the_second(record, expected):
    history = History()
    old = history.put(dsse.write(dsse.sign(first_edition(finding(HAZARDS[0]), (SYSTEM,)), KEYS[60])))
    new = history.log(record, SYSTEM, by=[60])
    history.withdraw(old, by=[60], superseded_by=new, reason="superseded")
    assert history.status(old).state == "withdrawn"
    assert (history.status(old).superseded_by == new) is expected
    assert [why for _, why in history.nothing()] == ([] if expected else ["supersedes-otherwise"])


def test_another_key_of_the_same_organisation_withdraws_it():
    history = History()
    history.founded(A, 60, 61)
    result = history.result(by=[60])
    history.withdraw(result, by=[61])
    assert history.status(result).state == "withdrawn"
    assert history.status(result).parties == (A,)


def test_an_organisation_withdraws_what_its_key_signed_before_it_was_listed():
    history = History()
    result = history.result(by=[60])
    history.founded(A, 60, 61)
    history.withdraw(result, by=[61])
    assert history.status(result).state == "withdrawn"


def test_an_organisation_withdraws_what_a_stolen_key_signed():
    history = History()
    first = history.founded(A, 60, 61)
    stolen = listed(60, revoked_at=AT, revocation="compromised")
    history.organisation(A, stolen, listed(61), by=(61,), previous=first, sequence=1)
    forged = history.result(by=[60])
    assert history.status(forged).state == "void"
    history.withdraw(forged, by=[61])
    assert history.status(forged).state == "withdrawn"


def test_what_a_key_said_before_it_was_disowned_stands_and_is_told():
    history = History()
    first = history.founded(A, 60, 61)
    result = history.result(by=[60])
    stolen = listed(60, revoked_at=AT, revocation="compromised")
    history.organisation(A, stolen, listed(61), by=(61,), previous=first, sequence=1)
    status = history.status(result)
    assert (status.state, status.parties, status.disowned) == ("standing", (A,), True)


def withdrawn_by_a_stranger(history, result):
    history.withdraw(result, by=[62])
    return "stranger"


def withdrawn_by_another_organisation(history, result):
    history.founded(B, 62)
    history.withdraw(result, by=[62])
    return "stranger"


def withdrawn_by_who_lists_the_key_of_another(history, result):
    history.organisation(B, listed(62), listed(60), by=(62,))
    history.withdraw(result, by=[62])
    return "stranger"


def withdrawn_by_who_signs_the_same_again(history, result):
    """A copy with a stranger's signature beside: the stranger takes back the copy, never what the author said."""
    copy = history.log(finding(HAZARDS[0]), SYSTEM, by=[60, 62])
    history.withdraw(copy, by=[62])
    assert history.status(copy).state == "withdrawn"
    return ""


def withdrawn_by_a_revoked_key(history, result):
    first = history.founded(A, 60, 61)
    stolen = listed(60, revoked_at=AT, revocation="compromised")
    history.organisation(A, stolen, listed(61), by=(61,), previous=first, sequence=1)
    history.withdraw(result, by=[60])
    return "no-standing-key"


def withdrawn_under_another_name(history, result):
    record = Withdrawal(organisation="x", at=AT, reason="other", text="x")
    history.log(record, Subject.of("system", result), by=[60])
    return "subject-name"


def withdrawn_by_the_digest_of_its_payload(history, result):
    history.withdraw(history.statuses().statements[result].logged.statement, by=[60])
    return "unknown-statement"


def withdrawn_before_in_another_log(history, result):
    history.withdraw(UNKNOWN, by=[60])
    return "unknown-statement"


HOSTILE = {
    each.__name__: each
    for each in (
        withdrawn_by_a_stranger,
        withdrawn_by_another_organisation,
        withdrawn_by_who_lists_the_key_of_another,
        withdrawn_by_who_signs_the_same_again,
        withdrawn_by_a_revoked_key,
        withdrawn_under_another_name,
        withdrawn_by_the_digest_of_its_payload,
        withdrawn_before_in_another_log,
    )
}


@pytest.mark.parametrize("attempt", HOSTILE.values(), ids=HOSTILE)
def test_nobody_else_withdraws_it(attempt):
    history = History()
    result = history.result(by=[60])
    why = attempt(history, result)
    assert history.status(result).state == "standing"
    assert [code for _, code in history.nothing()] == ([why] if why else [])


def test_what_was_withdrawn_does_not_come_back():
    history = History()
    result = history.log(finding(HAZARDS[0]), SYSTEM, by=[60, 61])
    word = history.withdraw(result, by=[60])
    again = history.withdraw(word, by=[60])
    stripped = history.result(by=[60])  # the same, with the signature of one of the two
    beside = history.log(finding(HAZARDS[0]), SYSTEM, by=[60, 62])
    twice = history.put(history.held[0].envelope)
    states = history.statuses().statements
    assert [states[each].state for each in (result, stripped, beside, twice)] == ["withdrawn"] * 4
    assert states[word].state == states[again].state == "standing"
    assert history.nothing() == [(2, "final")]


def test_an_entry_logged_twice_is_where_it_was_first():
    history = History()
    result = history.result()
    history.put(history.held[0].envelope)
    assert history.status(result).logged.index == 0


def test_what_another_signed_as_well_is_his_own():
    history = History()
    result, other = history.result(by=[60]), history.result(by=[62])
    history.withdraw(result, by=[60])
    assert history.status(other).state == "standing"


def test_a_roster_is_changed_by_its_successor_alone():
    history = History()
    founded = history.founded(A, 60)
    history.withdraw(founded, by=[60])
    assert history.status(founded).state == "standing"
    assert history.nothing() == [(1, "of-a-roster")]


def test_the_order_in_which_they_were_logged_changes_no_state():
    history = History()
    history.founded(A, 60)
    first = history.result(by=[60])
    second = history.result(by=[60], hazard=HAZARDS[1])
    history.withdraw(first, by=[60], superseded_by=second)
    dispute = history.dispute(second, by=[62])
    history.dispute(dispute, by=[60])
    history.endorse(second, by=[63])
    states = {name: (one.state, one.current) for name, one in history.statuses().statements.items()}
    assert states[first] == ("withdrawn", second)
    assert states[second] == ("disputed", "")
    for seed in range(20):
        later = History()
        later.put(history.held[0].envelope)
        for each in random.Random(seed).sample(history.held[1:], len(history.held) - 1):
            later.put(each.envelope)
        assert {name: (one.state, one.current) for name, one in later.statuses().statements.items()} == states


def test_supersession_is_followed_to_what_stands():
    history = History()
    first, second, third = (history.log(finding(HAZARDS[0], queries=n), SYSTEM, by=[60]) for n in (121, 122, 123))
    history.withdraw(first, by=[60], superseded_by=second, reason="superseded")
    history.withdraw(second, by=[60], superseded_by=third, reason="superseded")
    found = history.statuses().statements
    assert (found[first].superseded_by, found[first].current) == (second, third)
    history.withdraw(third, by=[60])
    assert history.status(first).current == ""


def test_the_first_successor_that_is_named_counts():
    history = History()
    old, first, second = (history.log(finding(HAZARDS[0], queries=n), SYSTEM, by=[60]) for n in (121, 122, 123))
    history.withdraw(old, by=[60])
    history.withdraw(old, by=[60], superseded_by=first)
    history.withdraw(old, by=[60], superseded_by=second)
    assert history.status(old).superseded_by == first
    assert len(history.status(old).withdrawals) == 3


def test_supersession_that_leads_back_leads_nowhere():
    history = History()
    first, second = (history.log(finding(HAZARDS[0], queries=n), SYSTEM, by=[60]) for n in (121, 122))
    history.withdraw(first, by=[60], superseded_by=second)
    history.withdraw(second, by=[60], superseded_by=first)
    itself = history.result(by=[60], hazard=HAZARDS[1])
    history.withdraw(itself, by=[60], superseded_by=itself)
    for each in (first, second, itself):
        status = history.status(each)
        assert (status.state, status.current) == ("withdrawn", "")


def test_a_successor_is_of_the_same_kind_and_subject():
    history = History()
    result = history.result()
    elsewhere = history.log(finding(HAZARDS[0], queries=122), HARDENED, by=[60])
    other_kind = history.log(benign(), SYSTEM, by=[60])
    for wrong in (elsewhere, other_kind):
        history.withdraw(result, by=[60], superseded_by=wrong)
    assert history.status(result).superseded_by == ""
    assert [why for _, why in history.nothing()] == ["supersedes-otherwise"] * 2
    history.withdraw(result, by=[60], superseded_by=UNKNOWN)  # not of this look-up: told as it is
    assert history.status(result).current == UNKNOWN


def test_a_dispute_and_the_reply_to_it():
    history = History()
    result = history.result(by=[60])
    dispute = history.dispute(result, by=[62], reason="the judge is the maker's")
    reply = history.dispute(dispute, by=[60], reason="it was calibrated")
    found = history.statuses().statements
    assert (found[result].state, found[result].disputes) == ("disputed", (dispute,))
    assert (found[dispute].state, found[dispute].disputes) == ("disputed", (reply,))
    assert found[reply].state == "standing"
    history.withdraw(dispute, by=[62])
    found = history.statuses().statements
    assert (found[result].state, found[result].disputes) == ("standing", ())
    assert found[dispute].state == "withdrawn"


def test_one_party_has_one_voice():
    history = History()
    history.founded(A, 62, 63)
    result = history.result(by=[60])
    first = history.endorse(result, by=[62])
    history.endorse(result, by=[63], at="2026-11-27T00:00:00Z")
    other = history.endorse(result, by=[64])
    assert history.status(result).endorsements == (first, other)
    assert history.nothing() == [(3, "repeated")]
    dispute = history.dispute(result, by=[62])
    history.dispute(result, by=[63], reason="and more")
    assert history.status(result).disputes == (dispute,)
    assert history.status(result).endorsements == (other,)
    assert [why for _, why in history.nothing()] == ["own-dispute", "own-dispute", "repeated"]


def test_an_endorsement_that_is_withdrawn_does_not_count():
    history = History()
    result = history.result(by=[60])
    history.withdraw(history.endorse(result, by=[62]), by=[62])
    again = history.endorse(result, by=[62], at="2026-11-27T00:00:00Z")
    assert history.status(result).endorsements == (again,)
    assert history.nothing() == []


def test_nobody_endorses_what_is_their_own():
    history = History()
    history.founded(A, 60, 61)
    result = history.result(by=[60])
    for key in (60, 61):
        history.endorse(result, by=[key])
    together = history.endorse(result, by=[60, 64])
    status = history.status(result)
    assert status.endorsements == (together,)
    assert [why for _, why in history.nothing()] == ["own-statement"] * 2


def test_words_about_a_statement_hold_for_its_copies():
    history = History()
    result = history.result(by=[60])
    copy = history.log(finding(HAZARDS[0]), SYSTEM, by=[60, 65])
    dispute = history.dispute(result, by=[62])
    endorsement = history.endorse(copy, by=[63])
    for each in (result, copy):
        status = history.status(each)
        assert (status.state, status.disputes, status.endorsements) == ("disputed", (dispute,), (endorsement,))
    own = history.endorse(result, by=[65], at="2026-11-27T00:00:00Z")
    assert history.status(result).endorsements == (endorsement, own)
    assert history.status(copy).endorsements == (endorsement,)


def test_a_word_about_several_statements():
    history = History()
    results = [history.result(hazard=each) for each in HAZARDS[:2]]
    record = Dispute(organisation="x", at=AT, reason="not so")
    word = history.log(record, *(named(each) for each in results), SYSTEM, by=[62])
    assert [history.status(each).disputes for each in results] == [(word,)] * 2


def test_a_word_that_names_a_statement_twice_counts_once():
    history = History()
    result = history.result()
    record = Dispute(organisation="x", at=AT, reason="not so")
    entry = dsse.sign(state(record, [named(result), named(result)]), KEYS[62])
    word = history.put(dsse.write(entry))
    assert history.status(result).disputes == (word,)
    assert history.nothing() == []


def test_other_kinds_say_nothing_of_a_statement():
    history = History()
    result = history.result()
    history.log(Attachment(control="c", size=1, approved_by="x", approved_on="2026-11-26"), named(result), by=[62])
    assert history.status(result).state == "standing"
    assert history.nothing() == []


def test_a_long_quarrel_is_read():
    history = History()
    last = history.result(by=[60])
    for turn in range(1500):
        last = history.dispute(last, by=[62 + turn % 2], reason=str(turn))
    found = history.statuses().statements
    assert sum(one.state == "disputed" for one in found.values()) == 1500


def replicated(history, theirs, mine, by=62, kind="exact", sealed=None):
    record = Replication(organisation="x", at=AT, of=theirs, kind=kind, sealed=sealed)
    return history.log(record, named(mine), named(theirs), by=[by])


def test_a_finding_that_others_repeated():
    history = History()
    theirs = history.result(by=[60])
    mine = history.log(finding(HAZARDS[0], queries=300), SYSTEM, by=[62])
    word = replicated(history, theirs, mine)
    (repetition,) = history.status(theirs).replications
    assert (repetition.envelope, repetition.finding) == (word, mine)
    assert (repetition.exact, repetition.blind) == (True, False)
    assert history.status(mine).replications == ()
    replicated(history, theirs, mine, kind="conceptual")
    assert history.nothing() == [(3, "repeated")]
    history.withdraw(mine, by=[62])
    assert history.status(theirs).replications == ()
    assert {why for _, why in history.nothing()} == {"withdrawn-finding"}


def test_a_replication_holds_for_the_copies_of_what_it_repeats():
    history = History()
    theirs = history.result(by=[60])
    copy = history.result(by=[60, 64])
    record = Replication(organisation="x", at=AT, of=theirs, kind="exact")
    mine = history.log(finding(HAZARDS[0], queries=300), SYSTEM, by=[62])
    word = history.log(record, named(theirs), named(mine), by=[62])  # in whichever order they are named
    for each in (theirs, copy):
        assert [one.finding for one in history.status(each).replications] == [mine]
    history.withdraw(word, by=[62])
    assert history.status(theirs).replications == ()
    assert history.nothing() == []


def of_what_the_house_said_before_it_was_founded(history):
    theirs = history.result(by=[60])
    history.founded(A, 60, 61)
    mine = history.log(finding(HAZARDS[0], queries=300), SYSTEM, by=[61])
    replicated(history, theirs, mine, by=61)
    return theirs


def own_finding(history):
    theirs = history.result(by=[60])
    mine = history.log(finding(HAZARDS[0], queries=300), SYSTEM, by=[60])
    replicated(history, theirs, mine, by=60)
    return theirs


def of_another_key_of_the_house(history):
    history.founded(A, 60, 61)
    theirs = history.result(by=[60])
    mine = history.log(finding(HAZARDS[0], queries=300), SYSTEM, by=[61])
    replicated(history, theirs, mine, by=61)
    return theirs


def a_finding_of_somebody_else(history):
    theirs = history.result(by=[60])
    mine = history.log(finding(HAZARDS[0], queries=300), SYSTEM, by=[61])
    replicated(history, theirs, mine, by=62)
    return theirs


def of_another_hazard(history):
    theirs = history.result(by=[60])
    mine = history.result(by=[62], hazard=HAZARDS[1])
    replicated(history, theirs, mine, kind="conceptual")
    return theirs


def exactly_on_another_system(history):
    theirs = history.result(by=[60])
    mine = history.result(by=[62], system=HARDENED)
    replicated(history, theirs, mine)
    return theirs


def by_a_rate_of_ordinary_requests(history):
    theirs = history.result(by=[60])
    mine = history.log(benign(), SYSTEM, by=[62])
    replicated(history, theirs, mine)
    return theirs


def of_what_is_not_known(history):
    mine = history.result(by=[62])
    record = Replication(organisation="x", at=AT, of=UNKNOWN, kind="exact")
    history.log(record, named(mine), by=[62])
    return mine


UNREPEATED = {
    "own-statement": (own_finding, of_another_key_of_the_house, of_what_the_house_said_before_it_was_founded),
    "stranger": (a_finding_of_somebody_else,),
    "another-hazard": (of_another_hazard,),
    "another-system": (exactly_on_another_system,),
    "no-finding": (by_a_rate_of_ordinary_requests,),
    "unknown-statement": (of_what_is_not_known,),
}


@pytest.mark.parametrize(("why", "attempt"), [(why, each) for why, made in UNREPEATED.items() for each in made])
def test_what_is_no_replication(why, attempt):
    history = History()
    theirs = attempt(history)
    assert history.status(theirs).replications == ()
    assert [code for _, code in history.nothing()] == [why]


def test_a_concept_may_be_repeated_on_another_system():
    history = History()
    theirs = history.result(by=[60])
    replicated(history, theirs, history.result(by=[62], system=HARDENED), kind="conceptual")
    (repetition,) = history.status(theirs).replications
    assert not repetition.exact


def blind(history, *, commits=62, fixes=None, before=True, names=None):
    """A finding by 62 that it says it fixed before 60 logged its own."""
    record = finding(HAZARDS[0], queries=300)
    mine = digest(history.envelope(record, SYSTEM, by=[62]))
    made = Commitment(organisation="x", at=AT, commitment=commit(fixes or mine, SALT, "statement"))
    fixed = history.log(made, SYSTEM, by=[commits]) if before else ""
    theirs = history.result(by=[60])
    fixed = fixed or history.log(made, SYSTEM, by=[commits])
    assert history.log(record, SYSTEM, by=[62]) == mine
    replicated(history, theirs, mine, sealed=Sealed(commitment=names or fixed, salt=SALT))
    (repetition,) = history.status(theirs).replications
    return repetition.blind


def test_a_blind_replication():
    history = History()
    assert blind(history)
    assert history.nothing() == []


def test_it_is_not_blind_where_a_copy_of_the_other_was_logged_before():
    history = History()
    theirs = history.result(by=[60])
    record = finding(HAZARDS[0], queries=300)
    mine = digest(history.envelope(record, SYSTEM, by=[62]))
    fixed = Commitment(organisation="x", at=AT, commitment=commit(mine, SALT, "statement"))
    fixed = history.log(fixed, SYSTEM, by=[62])
    copy = history.result(by=[60, 64])
    history.log(record, SYSTEM, by=[62])
    replicated(history, copy, mine, sealed=Sealed(commitment=fixed, salt=SALT))
    assert [one.blind for one in history.status(theirs).replications] == [False]
    assert [why for _, why in history.nothing()] == ["late-commitment"]


NOT_BLIND = {
    "late-commitment": {"before": False},
    "foreign-commitment": {"commits": 61},
    "other-commitment": {"fixes": UNKNOWN},
    "unknown-commitment": {"names": UNKNOWN},
}


@pytest.mark.parametrize(("why", "wrong"), NOT_BLIND.items(), ids=NOT_BLIND)
def test_what_is_not_blind_is_told(why, wrong):
    history = History()
    assert not blind(history, **wrong)
    assert [code for _, code in history.nothing()] == [why]


def sealed_incident(history, by=62):
    record = incident(text=None, commitment=commit("told", SALT, "incident"), embargo_until="2027-02-01T00:00:00Z")
    return history.log(record, SYSTEM, by=[by])


def test_an_incident_is_opened():
    history = History()
    sealed = sealed_incident(history)
    opener = history.log(incident(text="told", sealed=Sealed(commitment=sealed, salt=SALT)), SYSTEM, by=[62])
    assert history.status(sealed).opened_by == opener
    assert history.status(opener).opened_by == ""
    assert history.nothing() == []


@pytest.mark.parametrize(
    ("why", "text", "by", "names"),
    [
        ("other-commitment", "told otherwise", 62, None),
        ("foreign-commitment", "told", 63, None),
        ("unknown-commitment", "told", 62, UNKNOWN),
    ],
)
def test_what_opens_no_incident(why, text, by, names):
    history = History()
    sealed = sealed_incident(history)
    history.log(incident(text=text, sealed=Sealed(commitment=names or sealed, salt=SALT)), SYSTEM, by=[by])
    assert history.status(sealed).opened_by == ""
    assert history.nothing() == [(1, why)]


def test_a_commitment_to_a_statement_opens_no_incident():
    history = History()
    made = Commitment(organisation="x", at=AT, commitment=commit("told", SALT, "incident"))
    fixed = history.log(made, SYSTEM, by=[62])
    history.log(incident(text="told", sealed=Sealed(commitment=fixed, salt=SALT)), SYSTEM, by=[62])
    assert history.nothing() == [(1, "unknown-commitment")]


def test_an_opening_that_is_withdrawn_opens_nothing():
    history = History()
    sealed = sealed_incident(history)
    opener = history.log(incident(text="told", sealed=Sealed(commitment=sealed, salt=SALT)), SYSTEM, by=[62])
    history.withdraw(opener, by=[62])
    assert history.status(sealed).opened_by == ""


def test_plans_that_no_finding_followed():
    history = History()
    followed, statement = history.planned()
    alone, _ = history.planned(seed="2")
    partly, other = history.planned(seed="3")
    results = [history.log(finding(each), SYSTEM, by=[60], under=statement) for each in HAZARDS]
    history.log(finding(HAZARDS[0], queries=9), SYSTEM, by=[60], under=other)
    stranger = history.log(finding(HAZARDS[1], queries=9), SYSTEM, by=[62], under=other)
    plans = {one.envelope: one for one in history.statuses().plans}
    assert (plans[followed].missing, plans[followed].results) == ((), tuple(results))
    assert (plans[alone].missing, plans[alone].followed) == (HAZARDS, False)
    assert plans[partly].missing == HAZARDS[1:]
    told = history.status(results[0]).registration
    assert (told.order, told.plan, told.seconds) == ("before", followed, 3 * HOUR)
    assert history.status(stranger).registration.order == "unknown"
    assert history.status(followed).registration is None


def test_a_plan_that_was_logged_after_its_result():
    history = History()
    statement = digest(state(plan(), [SYSTEM]))
    result = history.log(effect(), SYSTEM, HARDENED, by=[60], under=statement)
    late, _ = history.planned()
    told = history.status(result).registration
    assert (told.order, told.plan, told.seconds) == ("after", late, -HOUR)


def test_a_statement_by_an_organisation_counts_under_its_plan_whichever_key_signed():
    history = History()
    history.founded(A, 60, 61)
    registered, statement = history.planned(by=[60])
    history.log(finding(HAZARDS[0]), SYSTEM, by=[61], under=statement)
    (status,) = history.statuses().plans
    assert (status.envelope, status.missing) == (registered, HAZARDS[1:])


def test_words_of_an_unreadable_envelope_are_not_counted():
    history = History()
    result = history.result()
    record = Withdrawal(organisation="x", at=AT, reason="other", text="x")
    forged = dsse.sign(state(record, [named(result)]), KEYS[62])
    pretended = dsse.Envelope(
        payload=forged.payload,
        payload_type=forged.payload_type,
        signatures=(dsse.Signature(keyid=keyid(60), sig=forged.signatures[0].sig),),
    )
    history.put(dsse.write(pretended))
    read, unread = read_logged(history.held, KNOWN)
    assert [each.why for each in unread] == ["bad-signature"]
    assert read_statuses(read, read_rosters(read)).statements[result].state == "standing"


def random_history(seed):
    """Organisations that come, rotate and lose keys, and words of all kinds about anything that was logged."""
    rng = random.Random(seed)
    history, logged, newest = History(), [], {}
    for step in range(30):
        key, other = rng.choice(range(60, 66)), rng.choice(range(60, 66))
        about = rng.choice(logged) if logged else UNKNOWN
        match rng.randrange(8):
            case 0 | 1:
                logged.append(history.log(finding(rng.choice(HAZARDS[:2]), queries=step), SYSTEM, by=[key]))
            case 2:
                domain = rng.choice([A, B])
                keys = (listed(key), *([listed(other)] if other != key else ()))
                before, number = newest.get(domain, (None, -1))
                by = sorted({key, rng.choice([key, other])})
                made = history.organisation(domain, *keys, by=by, previous=before, sequence=number + 1)
                if rng.random() < 0.7:
                    newest[domain] = (made, number + 1)
            case 3:
                logged.append(history.endorse(about, by=[key], at=f"2026-11-27T00:00:{step:02}Z"))
            case 4:
                logged.append(history.dispute(about, by=[key], reason=str(step)))
            case 5 | 6:
                successor = rng.choice([None, *logged])
                logged.append(history.withdraw(about, by=[key], text=str(step), superseded_by=successor))
            case 7:
                history.put(
                    rng.choice(history.held).envelope if history.held else history.envelope(benign(), SYSTEM, by=[key])
                )
    return history


@pytest.mark.parametrize("seed", range(120))
def test_who_sees_more_of_the_log_never_finds_what_was_withdrawn_standing_again(seed):
    history = random_history(seed)
    read, unread = history.read()
    assert unread == ()
    gone = set()
    for size in range(0, len(read) + 1, 3):
        found = read_statuses(read[:size], read_rosters(read[:size])).statements
        withdrawn = {envelope for envelope, one in found.items() if one.state == "withdrawn"}
        assert gone <= withdrawn
        gone = withdrawn
        for one in found.values():
            assert one.current not in withdrawn
            assert set(one.withdrawals) <= set(found)
