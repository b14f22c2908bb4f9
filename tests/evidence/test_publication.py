"""What proofs from a log show of a bundle, and what they do not."""

import random

import log_world
import published_world as world
import pytest
from evidence_world import fixed_key
from log_world import OTHER_LOG, refused
from published_world import (
    BUNDLE,
    EARLY,
    ENVELOPES,
    FIRST,
    HONEST,
    LAST,
    LATE,
    MANIFEST,
    NOBODY,
    PLAN,
    PLAN_PROOF,
    POLICY_OF_TWO,
    PROOFS,
    PUBLISHED,
    REGISTERED,
    TRUSTED,
    at,
    entries,
    head,
    proof,
)

from aloi.errors import EvidenceError
from aloi.evidence import envelope as dsse
from aloi.evidence import logentry, logproof, policyfile
from aloi.evidence.canonical import digest
from aloi.evidence.notes import ED25519, NoteKey
from aloi.evidence.publication import Registration, Seen
from aloi.evidence.verification import HOLDS, LOGGED, verify_bundle

ORIGIN = log_world.ORIGIN
SECOND_LOG = "log.example/two"
BOTH_LOGS = policyfile.read(
    f"log {NoteKey(SECOND_LOG, ED25519, OTHER_LOG.public)}\n{log_world.POLICY}".encode(), "trust.policy"
)


def verified(proofs, policy=POLICY_OF_TWO):
    return verify_bundle(BUNDLE, TRUSTED, policy=policy, proofs=proofs)


def registered(proofs, policy=POLICY_OF_TWO):
    (one,) = verified(proofs, policy).registered
    return one


def test_every_statement_is_proved_logged_and_the_plan_before_its_results():
    told = verified(PROOFS)
    assert told.holds == (*HOLDS, *LOGGED)
    assert [each.digest for each in told.published] == [*(claim.digest for claim in told.claims), world_manifest()]
    assert [each.name for each in told.published] == [*(claim.name for claim in told.claims), "manifest"]
    assert [(each.log, each.index) for each in told.published] == [(ORIGIN, i) for i in range(1, len(HONEST))]
    plan, *results = told.published
    assert (plan.proof, plan.size, plan.by) == ("plan.tlog-proof", 2, REGISTERED + 1)
    assert plan.seen == (
        Seen(witness="north", operator="University", time=REGISTERED),
        Seen(witness="south", operator="Notary", time=REGISTERED + 1),
    )
    assert {each.by for each in results} == {PUBLISHED + 1}
    assert told.registered == (
        Registration(
            log=ORIGIN,
            plan_by=REGISTERED + 1,
            order="seen-before",
            results=len(ENVELOPES) - 1,
            results_by=PUBLISHED + 1,
            gap=7200,
        ),
    )
    assert "earlier-runs" in told.non_claims
    assert "registration-time" not in told.non_claims
    without = verify_bundle(BUNDLE, TRUSTED)
    assert [code for code in without.non_claims if code != "registration-time"] == [
        code for code in told.non_claims if code != "earlier-runs"
    ]


def world_manifest():
    return digest(dsse.verify(MANIFEST, TRUSTED).payload)


def test_without_a_policy_nothing_is_said_of_logs():
    told = verify_bundle(BUNDLE, TRUSTED, proofs={"any": b"not even read"})
    assert (told.published, told.registered, told.holds) == ((), (), HOLDS)
    assert "registration-time" in told.non_claims


def test_the_plan_alone():
    told = registered({"a": PLAN_PROOF})
    assert (told.order, told.results, told.results_by, told.gap) == ("alone", 0, None, None)


def test_a_result_alone_registers_nothing():
    told = verified({"a": PROOFS["3.tlog-proof"]})
    assert told.registered == ()
    assert "registration-time" in told.non_claims


def test_the_manifest_stands_for_the_whole_bundle():
    told = verified({"a": PLAN_PROOF, "b": PROOFS[f"{LAST}.tlog-proof"]})
    assert [each.name for each in told.published] == ["plan", "manifest"]
    assert told.registered[0].order == "seen-before"


def test_where_no_witness_is_asked_for_no_time_is_known():
    told = verified(PROOFS, NOBODY)
    assert {each.by for each in told.published} == {None}
    assert told.registered == ()
    assert "registration-time" in told.non_claims
    assert told.holds == (*HOLDS, "inclusion", "checkpoints")


def test_a_plan_in_the_same_head_as_its_results_is_before_them_in_order_alone():
    late = proof(ENVELOPES[PLAN], HONEST, LATE)
    told = registered({"a": late, "b": PROOFS["1.tlog-proof"]})
    assert (told.order, told.gap) == ("logged-before", None)


def test_one_result_that_was_there_already_is_enough():
    seen_late = head(HONEST, 3, at(REGISTERED))  # the plan and the first finding
    told = registered(PROOFS | {"plan.tlog-proof": proof(ENVELOPES[PLAN], HONEST, seen_late)})
    assert (told.order, told.gap) == ("logged-before", None)


def test_a_plan_logged_after_a_result_registers_nothing():
    log = entries(FIRST, PLAN, LAST)
    note = head(log, len(log), at(PUBLISHED))
    told = verified({str(each): proof(ENVELOPES[each], log, note) for each in (FIRST, PLAN, LAST)})
    assert told.registered[0].order == "after"
    assert "registration-time" in told.non_claims
    assert "earlier-runs" not in told.non_claims


def test_clocks_that_contradict_the_log_show_no_time_between():
    early_results = head(HONEST, len(HONEST), at(REGISTERED - 9))
    told = registered({"a": PLAN_PROOF, "b": proof(ENVELOPES[FIRST], HONEST, early_results)})
    assert (told.order, told.gap) == ("logged-before", None)


def test_the_time_is_that_of_a_quorum_whatever_one_witness_says():
    note = head(HONEST, 2, {"north": 5, "annex": 6, "post": REGISTERED + 60, "south": REGISTERED})
    (one,) = verified({"a": proof(ENVELOPES[PLAN], HONEST, note)}).published
    assert one.by == REGISTERED  # the University's two witnesses are one voice
    assert len(one.seen) == 4


def test_two_logs_are_told_apart():
    second = entries(PLAN)
    other = head(second, 2, at(REGISTERED - 60), SECOND_LOG, OTHER_LOG)
    told = verified(PROOFS | {"elsewhere": proof(ENVELOPES[PLAN], second, other)}, BOTH_LOGS)
    assert [(each.log, each.order) for each in told.registered] == [(ORIGIN, "seen-before"), (SECOND_LOG, "alone")]


def test_a_result_that_another_log_had_before_the_plan():
    second = entries(FIRST)
    other = head(second, 2, at(REGISTERED - 60), SECOND_LOG, OTHER_LOG)
    told = verified({"a": PLAN_PROOF, "b": proof(ENVELOPES[FIRST], second, other)}, BOTH_LOGS)
    assert [each.order for each in told.registered] == ["after"]
    assert "registration-time" in told.non_claims


def test_of_two_proofs_of_the_plan_the_earlier_counts():
    told = registered({"a": proof(ENVELOPES[PLAN], HONEST, LATE), "b": PLAN_PROOF, "c": PROOFS["1.tlog-proof"]})
    assert (told.plan_by, told.order) == (REGISTERED + 1, "seen-before")


def whole(envelope):
    return dsse.write(envelope)


def with_statement(envelope):
    return logentry.of(envelope, with_statement=True)


@pytest.mark.parametrize("form", [logentry.of, with_statement, whole])
def test_a_log_may_hold_digests_or_the_envelope_itself(form):
    log = [b"another's", form(ENVELOPES[FIRST])]
    note = head(log, 2, at(PUBLISHED))
    (one,) = verified({"a": proof(log[1], log, note)}).published
    assert one.name == "finding"


OTHER_BUNDLE = world.World()
OTHER_BUNDLE.plan = world.World().plan.__class__(
    **{name: getattr(OTHER_BUNDLE.plan, name) for name in OTHER_BUNDLE.plan.__struct_fields__} | {"seed": "another"}
)
FOREIGN = OTHER_BUNDLE.envelopes()[FIRST]
FOREIGN_LOG = [b"another's", logentry.of(FOREIGN)]
RESIGNED = dsse.sign(dsse.verify(ENVELOPES[FIRST], TRUSTED).payload, fixed_key(5))
RESIGNED_LOG = [b"another's", logentry.of(RESIGNED)]


def under(note):
    return proof(ENVELOPES[FIRST], HONEST, note)


def altered(**changed):
    told = logproof.read(PROOFS["1.tlog-proof"])
    fields = {name: getattr(told, name) for name in told.__struct_fields__} | changed
    return logproof.write(logproof.LogProof(**fields))


ATTACKS = {
    "no proof at all": ({}, "no-proof"),
    "a proof of another bundle's statement": (
        {"x": proof(FOREIGN, FOREIGN_LOG, head(FOREIGN_LOG, 2, at(PUBLISHED)))},
        "not-included",
    ),
    "a proof of the statement signed by another": (
        {"x": proof(RESIGNED, RESIGNED_LOG, head(RESIGNED_LOG, 2, at(PUBLISHED)))},
        "not-included",
    ),
    "a proof of another's entry": ({"x": proof(world.OTHERS[0], HONEST, LATE)}, "not-included"),
    "a stray proof beside good ones": (PROOFS | {"x": proof(world.OTHERS[0], HONEST, LATE)}, "not-included"),
    "another place": ({"x": altered(index=3)}, "not-included"),
    "the path of another entry": ({"x": altered(path=logproof.read(PROOFS["2.tlog-proof"]).path)}, "not-included"),
    "the head of before it was logged": (
        {"x": altered(note=EARLY)},
        "not-included",
    ),
    "the head of a fork": ({"x": altered(note=head([b"x"] * len(HONEST), len(HONEST), at(PUBLISHED)))}, "not-included"),
    "a log that nobody named": (
        {"x": under(head(HONEST, len(HONEST), at(PUBLISHED), SECOND_LOG, OTHER_LOG))},
        "no-known-signature",
    ),
    "the log's name under another key": (
        {"x": under(head(HONEST, len(HONEST), at(PUBLISHED), ORIGIN, OTHER_LOG))},
        "no-known-signature",
    ),
    "one operator": ({"x": under(head(HONEST, len(HONEST), {"north": 5, "annex": 6}))}, "too-few-witnesses"),
    "a cosignature that does not hold": (
        {
            "x": under(
                log_world.with_line(
                    LATE, 1, data=LATE.signatures[1].data[:-1] + bytes([LATE.signatures[1].data[-1] ^ 1])
                )
            )
        },
        "bad-signature",
    ),
    "a later time than was signed": (
        {"x": under(log_world.with_line(LATE, 1, data=(9).to_bytes(8, "big") + LATE.signatures[1].data[8:]))},
        "bad-signature",
    ),
    "not a proof": ({"x": BUNDLE}, "proof-form"),
    "an empty file": ({"x": b""}, "proof-form"),
}


@pytest.mark.parametrize(("proofs", "reason"), ATTACKS.values(), ids=ATTACKS)
def test_what_does_not_hold_is_refused_with_its_reason_and_its_file(proofs, reason):
    refused(reason, verified, proofs)
    if proofs:
        with pytest.raises(EvidenceError) as caught:
            verified(proofs)
        assert caught.value.where == "x"


def test_a_bundle_that_does_not_hold_is_refused_before_any_proof_is_read():
    with pytest.raises(EvidenceError) as caught:
        verify_bundle(BUNDLE, [fixed_key(9).public], policy=POLICY_OF_TWO, proofs={"x": b""})
    assert caught.value.reason == "unknown-signer"


def test_no_change_of_a_byte_of_a_proof_is_accepted():
    chance = random.Random(20261128)
    for _ in range(400):
        place = chance.randrange(len(PLAN_PROOF))
        data = PLAN_PROOF[:place] + bytes([PLAN_PROOF[place] ^ 1 << chance.randrange(8)]) + PLAN_PROOF[place + 1 :]
        with pytest.raises(EvidenceError):
            verified({"x": data})
