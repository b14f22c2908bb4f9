"""Consensus from what logs hold: nothing given by hand, all of it held to its plan, each log complete for itself."""

import pytest
from msgspec.structs import replace

from aloi.evidence import envelope as dsse
from aloi.evidence.commitments import commit
from aloi.evidence.records import Finding
from aloi.evidence.statement import state
from aloi.evidence.vouching import Commitment, Replication, Sealed, Withdrawal
from consensus.laboratory import AT, HAZARD, Evaluator, Log, about, looked_up, main_pool, system, together

SALT = bytes(range(32))


def published(*evaluators, known=None):
    log = Log(*(known or evaluators))
    for one in evaluators:
        log.plan(one)
    for one in evaluators:
        log.results(one)
    return log


def fingerprint(one):
    return one.source.plan.subject[0].fingerprint


def facts(found, code):
    step = next(each for each in main_pool(found).certainty.steps if each.code == code)
    return {fact.code: fact.figures for fact in step.facts}


def test_a_log_says_what_its_bundles_say(four):
    found = looked_up(published(*four).answered(), system=fingerprint(four[0]))
    given = main_pool(together(*four))
    assert main_pool(found).pooled == given.pooled
    assert found.bundles == ()
    assert found.unread == ()
    assert found.unseen == ()
    [log] = found.logs
    assert (log.log, log.entries, log.size) == ("one.example.org", log.size, log.size)
    assert {one.evaluator.name for one in found.hazards[0].evidence} == {"named by the registry"}
    assert {one.account.registered for one in found.hazards[0].evidence} == {"log"}
    assert all(one.account.places[0].log == "one.example.org" for one in found.hazards[0].evidence)


def test_bundles_beside_a_log_count_once(four, failing):
    found = looked_up(published(*four).answered(), system=fingerprint(four[0]), beside=(four[0], failing))
    assert len(main_pool(found).numbers) == 5
    registered = {one.account.registered for one in found.hazards[0].evidence if not one.account.places}
    assert registered == {"clock"}
    assert len(found.bundles) == 2


def test_what_was_registered_and_never_published_is_told(four, failing):
    log = published(*four, known=(*four, failing))
    log.plan(failing)
    found = looked_up(log.answered(), system=fingerprint(four[0]))
    assert [one.hazards for one in found.unfollowed] == [(HAZARD,)]
    assert facts(found, "reporting")["unfollowed-plans"] == {"count": 1}


def test_a_plan_alone_is_an_answer_too(four):
    log = Log(four[0])
    log.plan(four[0])
    found = looked_up(log.answered(), system=fingerprint(four[0]))
    assert found.hazards == ()
    assert found.system.name == four[0].source.plan.subject[0].name
    assert [one.hazards for one in found.unfollowed] == [(HAZARD,)]
    assert found.exit_code() == 6
    assert looked_up(Log().answered(), system="sha256:" + "0" * 64).exit_code() == 6


def test_results_that_contradict_their_plan_are_not_counted(four, failing):
    """A party that publishes two findings where its plan allows one chooses after the fact."""
    log = published(*four)
    other = four[0].source.verification.claims
    finding = next(one for one in other if isinstance(one.record, Finding))
    better = replace(finding.record, sample=replace(finding.record.sample, trials=finding.record.sample.trials + 1))
    envelope = dsse.write(dsse.sign(state(better, finding.subject, plan=finding.plan), four[0].key))
    log.put(envelope)
    found = looked_up(log.answered(), system=fingerprint(four[0]))
    assert len(main_pool(found).clusters) == 3
    assert {why for _, why in found.unread} == {"repeated-finding"}
    assert len(found.unseen) == 2
    assert facts(found, "reporting")["unseen-results"] == {"count": 2}


def test_a_finding_without_its_plan_is_not_counted(four):
    log = Log(*four)
    for one in four[:3]:
        log.plan(one)
    for one in four:
        log.results(one)
    found = looked_up(log.answered(), system=fingerprint(four[0]))
    assert len(main_pool(found).numbers) == 3
    assert [why for envelope, why in found.unread if envelope == four[3].envelope()] == ["no-plan"]


def test_results_of_both_editions_are_pooled_alike_and_missed_alike(four):
    log = Log(*four)
    for one in four:
        log.plan(one)
    for one in four[:2]:
        log.results(one)
    old = [envelope for one in four[2:] for envelope in log.results_of_the_first_edition(one)]
    found = looked_up(log.answered(), system=fingerprint(four[0]))
    assert main_pool(found).pooled == main_pool(together(*four)).pooled
    assert found.unread == ()
    log.erase(log.said().statuses.statements[old[0]].logged.index)
    assert looked_up(log.answered(), system=fingerprint(four[0])).unjudged == 1


def test_what_was_erased_or_signed_by_a_stranger_is_told_and_counts_against(four, failing):
    log = published(*four, failing, known=four)
    log.erase(log.said().statuses.statements[four[0].envelope()].logged.index)
    found = looked_up(log.answered(), system=fingerprint(four[0]))
    whys = [why for _, why in found.unread]
    assert "erased" in whys
    assert "unknown-signer" in whys
    assert found.unjudged == 2
    assert facts(found, "reporting")["unjudged-results"] == {"count": 2}
    assert found.logs[0].erased == 1


class TestSeveralLogs:
    def test_each_counts_and_a_result_in_both_counts_once(self, four):
        one, two = published(*four[:3]), published(*four[2:])
        found = looked_up(one.answered(), two.answered("https://two.example.org"), system=fingerprint(four[0]))
        assert len(main_pool(found).numbers) == 4
        assert [log.log for log in found.logs] == ["one.example.org", "two.example.org"]
        both = [len(each.account.places) for each in found.hazards[0].evidence]
        assert sorted(both) == [1, 1, 1, 2]

    def test_a_withdrawal_in_another_log_counts(self, four):
        two = Log(*four)
        record = Withdrawal(organisation="x", at=AT, reason="error-in-data", text="A third was asked twice.")
        two.put(four[0].says(record, about(four[0].envelope())))
        answered = two.answered("https://two.example.org", later=1_000_000)
        found = looked_up(published(*four).answered(), answered, system=fingerprint(four[0]))
        assert len(main_pool(found).numbers) == 3
        assert found.nothing == ()

    def test_a_result_that_another_log_held_earlier_was_not_registered_before(self, four):
        early = Log(*four)
        for one in four:
            early.results(one)
        late = published(*four).answered("https://two.example.org", later=1_000_000)
        found = looked_up(early.answered(), late, system=fingerprint(four[0]))
        assert {one.account.registered for one in found.hazards[0].evidence} == {"after"}
        alone = looked_up(late, system=fingerprint(four[0]))
        assert {one.account.registered for one in alone.hazards[0].evidence} == {"log"}

    @pytest.mark.parametrize(("later", "count"), [(0, 0), (9_000_000, 1)])
    def test_what_another_log_showed_before_the_commitment_was_not_blind(self, four, later, count):
        """The first log shows the finding at once, or long after the second held the commitment."""
        two = Log(*four)
        for one in four:
            two.plan(one)
        fixed = commit(four[1].envelope(), SALT, "statement")
        record = Commitment(organisation="x", at=AT, commitment=fixed)
        sealed = two.put(four[1].says(record, four[1].source.plan.subject[0]))
        for one in four:
            two.results(one)
        repeats = Replication(
            organisation="x", at=AT, of=four[0].envelope(), kind="exact", sealed=Sealed(commitment=sealed, salt=SALT)
        )
        two.put(four[1].says(repeats, about(four[1].envelope()), about(four[0].envelope())))
        second = two.answered("https://two.example.org", later=1_000_000)
        assert facts(looked_up(second, system=fingerprint(four[0])), "replication") == {
            "blind-replications": {"count": 1}
        }
        first = published(four[0], known=four).answered(later=later)
        found = looked_up(first, second, system=fingerprint(four[0]))
        assert facts(found, "replication") == {"blind-replications": {"count": count}}


def test_a_withdrawn_finding_makes_room_for_its_successor(rooms):
    one = Evaluator(rooms, "corrects", 0.05, system("seed of corrects"))
    log = published(one)
    claim = next(each for each in one.source.verification.claims if isinstance(each.record, Finding))
    changed = replace(claim.record, sample=replace(claim.record.sample, trials=claim.record.sample.trials + 1))
    new = dsse.write(dsse.sign(state(changed, claim.subject, plan=claim.plan), one.key))
    log.put(new)
    record = Withdrawal(organisation="x", at=AT, reason="error-in-data", text="One was not counted.")
    log.put(one.says(record, about(one.envelope())))
    found = looked_up(log.answered(), system=fingerprint(one))
    assert [each.aside for each in found.hazards[0].evidence] == ["withdrawn", None]
    assert main_pool(found).numbers == (2,)
    assert found.unread == ()
