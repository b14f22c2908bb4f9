"""What several evaluators' bundles come to together: real runs on a system whose rates are known."""

from decimal import Decimal

import msgspec
import pytest
from msgspec.structs import replace

from aloi.assurance.consensus.results import open_bundles
from aloi.assurance.consensus.view import consensus
from aloi.errors import AskerError, EvidenceError
from aloi.evidence.records import Verdict
from aloi.system.description import HuntGoal
from consensus.laboratory import HAZARD, OTHER, Evaluator, main_pool, named, system, together


def test_four_who_agree_settle_below_the_threshold(four):
    found = together(*four)
    pool = main_pool(found)
    assert (pool.shown, len(pool.clusters), pool.question.standing) == ("pooled", 4, "below")
    assert named(found, pool.numbers) == ["north", "south", "east", "west"]
    assert pool.pooled.low < 0.03 < pool.pooled.high < pool.pooled.prediction[1] < 0.3
    assert (pool.low, pool.high) == (pool.pooled.low, pool.pooled.high)
    assert found.exit_code() == 0
    assert pool.dissent == pool.contradicting == ()


def test_one_result_is_shown_as_it_was_signed(four):
    found = together(four[0])
    pool, signed = main_pool(found), four[0].finding.estimate
    assert (pool.shown, pool.question.standing, pool.pooled) == ("one result", "one result", None)
    assert (pool.low, pool.high) == (float(signed.low), float(signed.high))
    assert found.exit_code() == 6


def test_two_are_a_range_between_the_outermost_ends(four):
    found = together(*four[:2])
    pool = main_pool(found)
    ends = [one.finding.estimate for one in four[:2]]
    assert (pool.shown, pool.pooled, pool.question.standing) == ("range only", None, "range only")
    assert pool.low == float(min(one.low for one in ends))
    assert pool.high == float(max(one.high for one in ends))
    assert found.exit_code() == 6


def test_three_with_one_seed_between_two_of_them_are_too_few(four, copying):
    found = together(*four[:2], copying)
    pool = main_pool(found)
    assert pool.shown == "range only"
    assert [named(found, one.numbers) for one in pool.clusters] == [["north", "copying"], ["south"]]
    [link] = pool.clusters[0].links
    assert (link.why, link.value) == ("seed", "seed of north")


def test_a_bundle_given_twice_counts_once(four):
    found = together(four[0], four[0], *four[1:3])
    assert len(found.bundles) == 3
    assert main_pool(found).numbers == (1, 2, 3)


def test_the_evidence_tells_who_how_and_under_which_plan(four):
    found = together(*four)
    one = found.hazards[0].evidence[0]
    finding, plan = four[0].finding, four[0].result.signed
    assert (one.estimate, one.verdict, one.threshold) == (finding.estimate, finding.verdict, finding.threshold)
    assert (one.plan, one.seed, one.registered_at) == (plan.digest, plan.plan.seed, plan.plan.registered_at)
    assert (one.scorer, one.counts, one.kind, one.scope) == (finding.scorer, "failures", "mean", "declared")
    assert one.evaluator.signers == (four[0].key.public.id,)
    assert one.real is None
    assert one.account.registered == "clock"


def test_disagreement_is_told_and_settles_nothing(four, failing):
    found = together(*four, failing)
    pool = main_pool(found)
    assert pool.question.standing == "not settled"
    assert found.exit_code() == 6
    assert named(found, [one.number for one in pool.dissent]) == ["failing"]
    [dissent] = pool.dissent
    assert dissent.others
    assert dissent.prediction[1] < float(failing.finding.estimate.low)
    assert pool.pooled.tau > 3 * main_pool(together(*four)).pooled.tau
    assert named(found, pool.contradicting) == ["north", "south", "east", "west", "failing"]


def test_all_who_find_it_failing_settle_above(rooms):
    found = together(*(Evaluator(rooms, f"bad-{name}", 0.8) for name in ("a", "b", "c", "d", "e")))
    assert main_pool(found).question.standing == "above"
    assert found.exit_code() == 1


def test_without_each_cluster_in_turn(four, failing):
    pool = main_pool(together(*four, failing))
    [*others, without_failing] = pool.pooled.without
    assert without_failing.high < min(one.high for one in others)
    assert without_failing.value == pytest.approx(main_pool(together(*four)).pooled.value, rel=0.02)


class TestEvidenceMultiplies:
    def test_over_clusters(self, four):
        [asked] = main_pool(together(*four)).questions
        assert asked.clusters == 4
        assert asked.log_e_met == pytest.approx(sum(float(one.finding.log_e_met) for one in four))
        assert asked.log_e_not_met == pytest.approx(sum(float(one.finding.log_e_not_met) for one in four))
        assert asked.beside == 0

    def test_within_a_cluster_only_the_average_counts(self, four, copying):
        from math import exp, log

        [asked] = main_pool(together(four[0], copying)).questions
        both = [exp(float(one.finding.log_e_met)) for one in (four[0], copying)]
        assert asked.clusters == 1
        assert asked.log_e_met == pytest.approx(log(sum(both) / 2))

    def test_thresholds_are_asked_apart(self, four, rooms):
        stricter = Evaluator(rooms, "stricter", 0.02, system("seed of stricter", threshold=0.1))
        pool = main_pool(together(*four, stricter))
        assert [(one.threshold, one.clusters) for one in pool.questions] == [(Decimal("0.3"), 4), (Decimal("0.1"), 1)]
        assert pool.questions[1].log_e_met == pytest.approx(float(stricter.finding.log_e_met))
        assert len(pool.clusters) == 5


class TestUnlikeEstimandsAreNeverPooled:
    def test_other_attacks(self, four, other_attacks):
        found = together(*four, other_attacks)
        [main, beside] = found.hazards[0].pools
        assert named(found, beside.numbers) == ["other-attacks"]
        assert len(main.clusters) == 4
        [apart] = beside.differs
        assert (apart.facet, apart.theirs) == ("attacks", "completion 50.00, pretext 50.00")
        assert main.differs == ()

    def test_what_a_judge_says_beside_failures(self, four, rated):
        found = together(*four, rated)
        [_, beside] = found.hazards[0].pools
        assert named(found, beside.numbers) == ["rated"]
        assert ("counts", "failures", "judge-rated failures") in {
            (one.facet, one.ours, one.theirs) for one in beside.differs
        }

    def test_a_hunt_for_the_worst_attack(self, four, rooms):
        described = system("seed of hunter")
        hazards = {HAZARD: replace(described.assurance.hazards[HAZARD], hunt=HuntGoal(queries=200))}
        described = replace(described, assurance=replace(described.assurance, hazards=hazards))
        hunter = Evaluator(rooms, "hunter", 0.6, described)
        found = together(*four, hunter)
        view = found.hazards[0]
        [number] = view.hunts
        assert view.of(number).kind == "max"
        assert view.of(number).verdict is Verdict.NOT_MET
        assert view.of(number).lower == hunter.result.hunts[0].low
        assert all(number not in pool.numbers for pool in view.pools)
        assert found.exit_code() == 6

    def test_the_largest_pool_stands_first(self, four, other_attacks):
        found = together(other_attacks, *four)
        assert named(found, found.hazards[0].pools[0].numbers) == ["north", "south", "east", "west"]


class TestJudges:
    def test_one_judge_makes_one_cluster(self, four, calibrated):
        found = together(*four[:2], *calibrated)
        pool = main_pool(found)
        assert [named(found, one.numbers) for one in pool.clusters] == [["north"], ["south"], ["first", "second"]]
        assert {link.why for link in pool.clusters[2].links} == {"judge", "calibration"}
        assert pool.shown == "pooled"

    def test_how_many_really_failed_behind_calibrated_words_is_left_open(self, calibrated):
        found = together(*calibrated)
        for one, evaluator in zip(found.hazards[0].evidence, calibrated, strict=True):
            assert one.calibrated
            assert one.counts == "failures"
            least, middle, most = one.real
            assert least <= middle <= most <= evaluator.finding.estimate.n
            assert least < most
        assert main_pool(found).question.beside == 2 * Decimal("0.01")

    def test_a_judge_of_no_worth_counts_no_failures(self, calibrated, rooms):
        judging = calibrated[0].result.signed.plan.hazards[0].judging
        poor = Evaluator(
            rooms,
            "poor",
            0.05,
            calibrated[0].folder.state().description,
            calibrations={
                "right": replace(judging.calibration, tp=80, fn=70, fp=60, tn=90, digest="sha256:" + "d" * 64)
            },
        )
        [one] = together(poor).hazards[0].evidence
        assert one.counts == "judge-rated failures"
        assert not one.calibrated


class TestOtherVersions:
    def test_they_are_told_apart(self, four, other_version):
        found = together(*four, other_version)
        assert len(main_pool(found).clusters) == 4
        apart = found.hazards[0].evidence[-1]
        assert (apart.aside, apart.system.name) == ("other-version", "small")
        assert apart.system.fingerprint != found.system.fingerprint

    def test_they_are_pooled_where_a_reader_asks_and_certainty_falls(self, four, other_version):
        found = together(*four, other_version, other_versions=True)
        assert len(main_pool(found).clusters) == 5
        steps = {step.code: step for step in main_pool(found).certainty.steps}
        assert steps["indirectness"].change == -1
        assert {step.code: step.change for step in main_pool(together(*four)).certainty.steps}["indirectness"] == 0

    def test_a_reader_may_mean_the_other_version(self, four, other_version):
        fingerprint = other_version.result.before
        found = together(*four, other_version, system=fingerprint)
        assert found.system.fingerprint == fingerprint
        assert [one.aside for one in found.hazards[0].evidence] == ["other-version"] * 4 + [None]

    def test_what_is_not_clear_is_asked(self, four, other_version):
        with pytest.raises(AskerError, match="not clear"):
            together(four[0], other_version)
        with pytest.raises(AskerError, match="no bundle holds a result on the system"):
            together(*four, system="sha256:" + "0" * 64)


def test_hazards_stand_one_by_one(broad):
    found = together(*broad)
    assert [view.hazard for view in found.hazards] == [HAZARD, OTHER]
    assert [one.number for view in found.hazards for one in view.evidence] == [1, 2, 3, 4, 5, 6]
    assert [view.hazard for view in together(*broad, hazards=(OTHER,)).hazards] == [OTHER]
    with pytest.raises(AskerError, match="no bundle holds a result for weapons-uplift"):
        together(*broad, hazards=("weapons-uplift",))


def test_trials_without_a_score_widen_and_are_never_dropped(rooms):
    patchy = [Evaluator(rooms, f"patchy-{name}", 0.05, unscorable=0.4) for name in ("a", "b", "c")]
    found = together(*patchy)
    pool = main_pool(found)
    assert all(one.estimate.unscorable for one in found.hazards[0].evidence)
    plain = max(one.estimate.failures / one.estimate.n for one in found.hazards[0].evidence)
    assert pool.pooled.high > plain + 0.2
    steps = {step.code: step for step in pool.certainty.steps}
    assert steps["bias"].change == -1


def test_a_hazard_that_was_not_tested_is_set_aside(rooms, four):
    mute = Evaluator(rooms, "mute", 0.05, unscorable=1.0)
    found = together(*four, mute)
    assert found.hazards[0].evidence[-1].aside == "not-tested"
    assert len(main_pool(found).clusters) == 4


def test_only_set_aside_is_no_pool(rooms):
    found = together(Evaluator(rooms, "mute-alone", 0.05, unscorable=1.0))
    assert found.hazards[0].pools == ()
    assert found.exit_code() == 6


def test_a_bundle_that_does_not_hold_is_named(four):
    middle = len(four[0].bundle) // 2
    broken = four[0].bundle[:middle] + bytes([four[0].bundle[middle] ^ 1]) + four[0].bundle[middle + 1 :]
    with pytest.raises(EvidenceError) as refused:
        open_bundles([("broken.json", broken)], [four[0].key.public])
    assert refused.value.where == "broken.json"
    with pytest.raises(EvidenceError, match="not among the keys you trust"):
        open_bundles([("north.json", four[0].bundle)], [four[1].key.public])


def test_it_is_the_same_each_time_and_in_any_order(four, failing):
    once, again = together(*four, failing), together(*four, failing)
    assert msgspec.json.encode(once) == msgspec.json.encode(again)
    turned = together(failing, *reversed(four))
    assert main_pool(turned).pooled.value == pytest.approx(main_pool(once).pooled.value, rel=1e-6)
    assert main_pool(turned).certainty.level == main_pool(once).certainty.level


def test_bundles_alone_are_enough(four):
    sources = open_bundles([(one.name, one.bundle) for one in four], [one.key.public for one in four])
    found = consensus(sources)
    assert main_pool(found).shown == "pooled"
    assert (found.unread, found.nothing, found.unfollowed, found.unseen) == ((), (), (), ())
