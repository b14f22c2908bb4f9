"""What was said of results since they were signed: by files beside bundles, or by a log."""

import pytest

from aloi.evidence.canonical import digest
from aloi.evidence.commitments import commit
from aloi.evidence.records import Plan
from aloi.evidence.statement import Subject, state
from aloi.evidence.vouching import Commitment, Dispute, Replication, Sealed, Withdrawal
from consensus.laboratory import AT, Evaluator, Log, about, main_pool, named, system, together

SALT = bytes(range(32))


def withdrawal(by: Evaluator, of: Evaluator) -> bytes:
    record = Withdrawal(organisation=by.name, at=AT, reason="error-in-data", text="A third was asked twice.")
    return by.says(record, about(of.envelope()))


def dispute(by: Evaluator, envelope: str, reason: str = "The planted strings are known.") -> bytes:
    return by.says(Dispute(organisation=by.name, at=AT, reason=reason), about(envelope))


def step(found, code):
    return next(each for each in main_pool(found).certainty.steps if each.code == code)


class TestBesideBundles:
    def test_what_is_withdrawn_leaves_the_pool_and_is_told(self, four, failing):
        found = together(*four, failing, statements=[withdrawal(failing, failing)])
        assert named(found, main_pool(found).numbers) == ["north", "south", "east", "west"]
        assert main_pool(found).question.standing == "below"
        taken = found.hazards[0].evidence[-1]
        assert taken.aside == "withdrawn"
        [word] = taken.account.withdrawals
        assert (word.by, word.reason) == ((failing.key.public.id,), "error-in-data")

    def test_nobody_withdraws_another_ones_result(self, four):
        found = together(*four, statements=[withdrawal(four[1], four[0])])
        assert len(main_pool(found).numbers) == 4
        assert [(one.why) for one in found.nothing] == ["stranger"]

    def test_a_dispute_stands_beside_the_result_with_its_reply(self, four):
        said = dispute(four[1], four[0].envelope())
        reply = dispute(four[0], digest(said), "They were drawn afresh.")
        found = together(*four, statements=[reply, said])
        assert len(main_pool(found).numbers) == 4
        [word] = found.hazards[0].evidence[0].account.disputes
        assert word.text == "The planted strings are known."
        assert [one.text for one in word.replies] == ["They were drawn afresh."]

    def test_an_answer_that_rests_on_what_is_disputed_is_less_certain(self, four, rooms):
        found = together(*four, statements=[dispute(four[3], one.envelope()) for one in four[:2]])
        assert (main_pool(found).question.standing, main_pool(found).undisputed) == ("below", "range only")
        assert step(found, "bias").change == -1
        assert "rests-on-disputed" in {fact.code for fact in step(found, "bias").facts}
        fifth = Evaluator(rooms, "fifth", 0.05)
        firm = together(*four, fifth, statements=[dispute(four[3], four[0].envelope())])
        assert (main_pool(firm).question.standing, main_pool(firm).undisputed) == ("below", "below")
        assert step(firm, "bias").change == 0

    def test_a_word_by_an_unknown_key_is_told_as_unread(self, four, failing):
        found = together(*four, statements=[dispute(failing, four[0].envelope()), b"no envelope"])
        assert sorted(why for _, why in found.unread) == ["not-json", "unknown-signer"]
        assert found.hazards[0].evidence[0].account.state == "standing"

    def test_two_keys_of_one_organisation_are_one_cluster(self, four):
        domain = "institute.example.org"
        first = four[0].organisation(domain)
        from aloi.evidence.organisations import ORGANISATION, Organisation, Relation, RosterKey, organisation_digest

        both = Organisation(
            name="Institute",
            kind="public",
            domain=domain,
            keys=tuple(RosterKey.of(one.key.public, "2020-01-01T00:00:00Z") for one in four[:2]),
            relations=(Relation(to="*", kind="third_party", access="black-box", funding="the state"),),
            at="2026-11-26T11:00:00Z",
            sequence=1,
            previous=digest(first),
        )
        from aloi.evidence import envelope as dsse

        subject = Subject.of(ORGANISATION, organisation_digest(domain))
        second = dsse.write(dsse.sign(state(both, [subject]), four[0].key, four[1].key))
        found = together(*four, statements=[second, first])
        [cluster, *_] = main_pool(found).clusters
        assert named(found, cluster.numbers) == ["Institute", "Institute"]
        assert [(link.why, link.value) for link in cluster.links] == [("organisation", domain)]
        assert len(main_pool(found).clusters) == 3

    def test_third_parties_start_at_moderate_and_no_file_proves_when(self, four):
        orgs = [one.organisation(f"{one.name}.example.org") for one in four]
        found = together(*four, statements=orgs)
        assert main_pool(found).certainty.start == "moderate"
        assert found.hazards[0].evidence[0].evaluator.name == "north of north.example.org"
        assert {one.evaluator.relation for one in found.hazards[0].evidence} == {"third_party"}
        assert main_pool(together(*four)).certainty.start == "low"

    def test_what_three_clusters_reach_counts(self, four):
        orgs = [one.organisation(f"{one.name}.example.org") for one in four]
        assert main_pool(together(*four, statements=orgs[:3])).certainty.start == "moderate"
        assert main_pool(together(*four, statements=orgs[:2])).certainty.start == "low"

    def test_an_owner_is_no_third_party(self, four):
        orgs = [one.organisation(f"{one.name}.example.org") for one in four[:2]]
        orgs += [one.organisation(f"{one.name}.example.org", "first_party", "bank.example") for one in four[2:]]
        assert main_pool(together(*four, statements=orgs, owner="bank.example")).certainty.start == "low"

    def test_a_plan_that_no_finding_followed(self, four, failing):
        plan = next(one.record for one in failing.source.verification.claims if isinstance(one.record, Plan))
        subject = failing.source.plan.subject[0]
        found = together(*four, statements=[failing.says(plan, subject)])
        assert step(found, "reporting").change == 0  # nobody vouched for that key
        found = together(*four, statements=[failing.says(plan, subject), failing.organisation("f.example.org")])
        [one] = found.unfollowed
        assert (one.by, one.hazards) == (("f.example.org",), ("hidden-context-exposure",))
        assert step(found, "reporting").change == -1

    def test_a_finding_that_was_not_given_in_a_bundle(self, four, failing):
        from aloi.evidence import envelope as dsse

        loose = [dsse.write(each) for each in failing.source.envelopes]
        found = together(*four, statements=[*loose, failing.organisation("f.example.org")])
        [one] = found.unseen
        assert (one.by, one.verdict) == (("f.example.org",), failing.finding.verdict)
        assert step(found, "reporting").change == -1
        assert found.unfollowed == ()

    def test_files_prove_no_blindness(self, four):
        sealed = commit(four[1].envelope(), SALT, "statement")
        fixed = four[1].says(Commitment(organisation="x", at=AT, commitment=sealed), four[1].source.plan.subject[0])
        record = Replication(
            organisation="x",
            at=AT,
            of=four[0].envelope(),
            kind="conceptual",
            sealed=Sealed(commitment=digest(fixed), salt=SALT),
        )
        found = together(*four, statements=[fixed, four[1].says(record, about(four[1].envelope()))])
        assert step(found, "replication").change == 0


class TestByALog:
    @pytest.fixture
    def logged(self, four):
        """Third parties whose plans a log held before their results; `south` fixed its result before `north` told."""
        log = Log(*four)
        for one in four:
            log.put(one.organisation(f"{one.name}.example.org"))
        for one in four:
            log.plan(one)
        sealed = commit(four[1].envelope(), SALT, "statement")
        self.fixed = log.put(
            four[1].says(Commitment(organisation="x", at=AT, commitment=sealed), four[1].source.plan.subject[0])
        )
        for one in four:
            log.results(one)
        return log

    def test_third_parties_with_plans_logged_before_start_high(self, four, logged):
        found = together(*four, said=logged.said())
        pool = main_pool(found)
        assert found.from_log
        assert {one.account.registered for one in found.hazards[0].evidence} == {"log"}
        assert (pool.certainty.start, pool.certainty.level) == ("high", "high")
        assert [fact.code for fact in step(found, "reporting").facts] == ["complete"]

    def test_a_plan_logged_after_its_result_is_no_registration(self, four):
        log = Log(*four)
        for one in four:
            log.put(one.organisation(f"{one.name}.example.org"))
            log.results(one)
            log.plan(one)
        found = together(*four, said=log.said())
        assert {one.account.registered for one in found.hazards[0].evidence} == {"after"}
        assert main_pool(found).certainty.start == "low"

    def test_a_blind_replication_lifts(self, four, logged):
        record = Replication(
            organisation="x",
            at=AT,
            of=four[0].envelope(),
            kind="conceptual",
            sealed=Sealed(commitment=self.fixed, salt=SALT),
        )
        logged.put(four[1].says(record, about(four[1].envelope())))
        assert step(together(*four, said=logged.said()), "replication").change == 1

    def test_what_was_fixed_too_late_is_not_blind(self, four, logged):
        sealed = commit(four[1].envelope(), SALT, "statement")
        late = logged.put(
            four[1].says(
                Commitment(organisation="x", at="2026-11-27T10:00:00Z", commitment=sealed),
                four[1].source.plan.subject[0],
            )
        )
        record = Replication(
            organisation="x", at=AT, of=four[0].envelope(), kind="conceptual", sealed=Sealed(commitment=late, salt=SALT)
        )
        logged.put(four[1].says(record, about(four[1].envelope())))
        found = together(*four, said=logged.said())
        assert step(found, "replication").change == 0
        assert "late-commitment" in {one.why for one in found.nothing}

    def test_what_the_log_holds_and_nobody_gave_is_told(self, four, logged):
        found = together(*four[:3], said=logged.said())
        assert [one.by for one in found.unseen] == [("west.example.org",)]
        assert step(found, "reporting").change == -1

    def test_a_withdrawal_in_the_log_counts(self, four, logged):
        logged.put(withdrawal(four[0], four[0]))
        found = together(*four, said=logged.said())
        assert found.hazards[0].evidence[0].aside == "withdrawn"
        assert len(main_pool(found).clusters) == 3

    def test_a_result_that_the_log_does_not_hold_is_told(self, four, failing, logged):
        found = together(*four, failing, said=logged.said())
        assert [bool(one.account.places) for one in found.hazards[0].evidence] == [True] * 4 + [False]
        assert found.hazards[0].evidence[-1].account.registered == "clock"


def test_the_certainty_of_few_or_failing_results(four, failing, rooms):
    alone = together(four[0])
    assert main_pool(alone).certainty.level == "very low"
    assert [fact.code for fact in step(alone, "inconsistency").facts] == ["too-few-clusters"]
    apart = together(*four, failing)
    assert [fact.code for fact in step(apart, "inconsistency").facts] == ["prediction-spans"]
    short = Evaluator(rooms, "short", 0.02, system("seed of short", threshold=0.02))
    strict = together(short)
    [size] = [fact for fact in step(strict, "imprecision").facts if fact.code == "optimal-size"]
    assert size.against
    assert size.figures["n"] < size.figures["wanted"]


@pytest.mark.parametrize(
    ("threshold", "least", "most"), [(0.05, 300, 1000), (1e-9, 1e9, 1e11), (0.6, 5, 60), (0.999, 3, 20)]
)
def test_any_threshold_of_a_plan_has_an_optimal_size(threshold, least, most):
    from aloi.assurance.consensus.certainty import optimal_size

    assert least <= optimal_size(threshold) <= most
