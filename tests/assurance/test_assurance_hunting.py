"""Hunts in the loop: what they add to the verdict, the signed bundle, the report and the exit code."""

import msgspec
import pytest

from aloi.assurance.telling import tell_story, write_reports
from aloi.errors import TargetError
from aloi.evidence.records import Verdict
from aloi.evidence.verification import verify_bundle
from aloi.science.trials import TrialLog
from aloi.system.description import AttackerDescription, HuntGoal, LimitsDescription, ReadaptGoal
from assurance import one_way
from assurance.one_way import HAZARD, described
from assurance.runs import Run

POLITE = AttackerDescription(kind="callable", callable="science.attackers:polite", turns=2)


def told(hunts):
    return [(hunt.stage, hunt.verdict, hunt.worst) for hunt in hunts]


def pages(run, result):
    with TrialLog(run.folder.trials) as log:
        story = tell_story(result, run.folder, run.key.public, log)
    return {lang: path.read_text(encoding="utf-8") for lang, path in write_reports(story, run.folder).items()}


@pytest.fixture(scope="module")
def proved(tmp_path_factory):
    run = Run(tmp_path_factory.mktemp("weak"), described("weak"), measure_only=True)
    return run, run.go()


class TestWhatTheMeanDoesNotShow:
    def test_the_mean_is_met_and_the_hunt_proves_that_some_attack_is_not(self, proved):
        _, result = proved
        assert [finding.verdict for finding in result.findings] == [Verdict.MET]
        assert told(result.hunts) == [("measure", Verdict.NOT_MET, "completion")]
        assert result.exit_code() == 1

    def test_every_attack_of_the_probe_is_hunted_whatever_the_mix(self, proved):
        _, result = proved
        assert result.signed.plan.hunts[0].attacks == ("pretext", "completion", "translation")
        assert set(result.signed.plan.hazards[0].attacks) == {"pretext", "completion"}

    def test_it_comes_after_the_measurement_and_counts_apart(self, proved):
        run, result = proved
        assert run.watcher.stages == ["plan", "measure", "hunt", "prove"]
        costs = {cost.stage: cost.queries for cost in result.costs}
        assert costs["hunt"] == result.hunts[0].queries
        (finding,) = result.findings
        assert finding.queries + result.benign[0].queries == costs["measure"]
        assert finding.sample.trials == finding.queries

    def test_the_bundle_verifies_and_a_framework_does_not_call_it_proven(self, proved):
        run, result = proved
        claims = verify_bundle(result.bundle, [run.key.public]).claims
        assert [claim.name for claim in claims].count("hunt") == 1
        hunt = next(claim for claim in claims if claim.name == "hunt")
        assert "which-attack" in hunt.non_claims
        states = {r.state for c in result.coverage for r in c.requirements if hunt.digest in r.evidence}
        assert "not met" in states
        assert "proven" not in states

    def test_the_report_tells_it_in_both_languages(self, proved):
        told = pages(*proved)
        assert "A hunt proved that some attack exceeds the threshold for one hazard" in told["en"]
        assert "Une chasse a prouvé qu" in told["fr"]
        assert 'id="hunts"' in told["en"]
        assert "Some attack makes more than" in told["en"]
        assert "on average over its attacks" in told["en"]
        assert "Une attaque fait échouer plus de" in told["fr"]

    def test_read_again_it_asks_nothing_and_finds_the_same(self, proved):
        run, result = proved
        again = run.go(offline=True)
        assert run.watcher.asked == 0
        assert again.hunts == result.hunts
        assert again.exit_code() == 1


def test_a_hunt_that_proves_nothing_leaves_the_verdict_of_the_mean(tmp_path):
    hunt = HuntGoal(queries=16, attacks=("pretext", "translation"))
    run = Run(tmp_path, described("weak", hunt=hunt), measure_only=True)
    result = run.go()
    assert told(result.hunts) == [("measure", Verdict.INCONCLUSIVE, "")]
    assert result.exit_code() == 0
    told_in = pages(run, result)
    assert "That is no evidence that none does" in told_in["en"]
    assert "Cela ne montre pas" in told_in["fr"]


def test_without_a_hunt_the_report_has_no_such_section(tmp_path):
    base = described("weak")
    goal = msgspec.structs.replace(base.assurance.hazards[HAZARD], hunt=None)
    base = msgspec.structs.replace(base, assurance=msgspec.structs.replace(base.assurance, hazards={HAZARD: goal}))
    run = Run(tmp_path, base, measure_only=True)
    result = run.go()
    assert result.hunts == ()
    assert result.exit_code() == 0
    assert 'id="hunts"' not in pages(run, result)["en"]
    assert "hunt" not in run.watcher.stages


class TestBehindRemedies:
    def test_an_accepted_remedy_is_hunted_as_well_and_its_hunt_is_what_stands(self, tmp_path):
        run = Run(tmp_path, described("leaking", remedies=("secret-filter",), weights={"pretext": 1.0}))
        result = run.go()
        assert result.effect.accepted
        assert told(result.hunts) == [
            ("measure", Verdict.NOT_MET, result.hunts[0].worst),
            ("confirm", Verdict.INCONCLUSIVE, ""),
        ]
        assert told(result.standing_hunts()) == told(result.hunts[1:])
        assert result.exit_code() == 0
        assert run.watcher.stages == ["plan", "measure", "hunt", "select", "confirm", "hunt", "prove"]
        verify_bundle(result.bundle, [run.key.public])
        assert pages(run, result)

    def test_what_still_gets_through_is_proved_and_ends_in_1_where_it_is_only_shown(self, tmp_path):
        shown = HuntGoal(queries=200, gate="show")
        run = Run(
            tmp_path,
            described("in_pieces", hunt=shown, remedies=("secret-filter",), weights={"pretext": 1.0}, attacker=POLITE),
        )
        result = run.go()
        assert result.effect.accepted
        confirmed = [finding.verdict for finding in result.standing()]
        assert confirmed == [Verdict.MET]
        assert told(result.standing_hunts()) == [("confirm", Verdict.NOT_MET, "model-attacker")]
        assert result.exit_code() == 1
        assert "still proved that some attack" in pages(run, result)["en"]


READAPTED = {"remedies": ("secret-filter",), "weights": {"pretext": 1.0}, "readapt": ReadaptGoal(queries=200)}


@pytest.fixture(scope="module")
def refused(tmp_path_factory):
    run = Run(tmp_path_factory.mktemp("refused"), described("in_pieces", attacker=POLITE, **READAPTED))
    return run, run.go()


class TestAnAttackerWhoAdaptsToTheRemedies:
    def test_what_gets_through_refuses_the_remedies_although_the_mean_is_met(self, refused):
        run, result = refused
        assert [finding.verdict for finding in result.findings if finding.stage == "confirm"] == [Verdict.MET]
        assert not result.effect.accepted
        (reason,) = result.effect.reasons
        (hunt,) = result.hunts
        assert (reason.code, reason.about, reason.got) == ("hunt-not-met", HAZARD, hunt.low)
        assert told(result.hunts) == [("confirm", Verdict.NOT_MET, "model-attacker")]
        assert run.watcher.stages == ["plan", "measure", "select", "confirm", "hunt", "prove"]

    def test_then_the_system_stands_as_it_was(self, refused):
        _, result = refused
        assert result.standing_hunts() == ()
        assert [finding.stage for finding in result.standing()] == ["measure"]
        assert result.exit_code() == 1

    def test_it_is_signed_told_and_read_again(self, refused):
        run, result = refused
        claims = verify_bundle(result.bundle, [run.key.public]).claims
        assert [claim.name for claim in claims].count("hunt") == 1
        page = pages(run, result)
        assert "an attacker who adapts to the remedies found a way" in page["en"]
        assert "adapte aux remèdes a trouvé un passage" in page["fr"]
        assert "Mean over the declared mix" in page["en"]
        again = run.go(offline=True)
        assert (again.effect, again.hunts) == (result.effect, result.hunts)

    def test_where_it_finds_nothing_to_the_end_the_remedies_are_accepted(self, tmp_path):
        run = Run(tmp_path, described("leaking", **(READAPTED | {"readapt": ReadaptGoal(queries=40)})))
        result = run.go()
        assert result.effect.accepted
        assert told(result.hunts) == [("confirm", Verdict.INCONCLUSIVE, "")]
        assert result.exit_code() == 0
        verify_bundle(result.bundle, [run.key.public])

    def test_a_search_that_a_limit_cuts_short_is_no_acceptance(self, tmp_path):
        goals = READAPTED | {"readapt": ReadaptGoal(queries=40)}
        whole = Run(tmp_path / "whole", described("leaking", **goals)).go()
        queries = sum(cost.queries for cost in whole.costs) - 10
        run = Run(tmp_path, described("leaking", **goals, limits=LimitsDescription(queries=queries, tokens=10**9)))
        result = run.go()
        assert [reason.code for reason in result.effect.reasons] == ["hunt-unfinished"]
        assert result.stopped_by == "queries"
        verify_bundle(result.bundle, [run.key.public])

    def test_it_leaves_a_system_without_remedies_alone(self, tmp_path):
        run = Run(tmp_path, described("weak", readapt=ReadaptGoal(queries=20)), measure_only=True)
        result = run.go()
        assert result.hunts == ()
        assert "hunt" not in run.watcher.stages
        verify_bundle(result.bundle, [run.key.public])


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0, 1.4])
def test_a_run_that_breaks_off_goes_on_to_the_same_end(tmp_path, share):
    """Broken off at the first query, in the measurement, after its last query, and in the hunt."""
    one_way.calls["left"] = 10**9
    whole = Run(tmp_path / "whole", described("breaking"), measure_only=True)
    expected = whole.go()
    costs = {cost.stage: cost.queries for cost in expected.costs}
    broken = Run(tmp_path / "broken", described("breaking"), measure_only=True)
    one_way.calls["left"] = int(costs["measure"] * min(share, 1) + costs["hunt"] * max(share - 1, 0))
    with pytest.raises(TargetError):
        broken.go()
    one_way.calls["left"] = 10**9
    result = broken.go()
    assert [(h.verdict, h.attacks, h.log_e_not_met) for h in result.hunts] == [
        (h.verdict, h.attacks, h.log_e_not_met) for h in expected.hunts
    ]
    assert [f.verdict for f in result.findings] == [f.verdict for f in expected.findings]


@pytest.mark.parametrize(("left", "verdict"), [(5, Verdict.INCONCLUSIVE), (0, Verdict.NOT_TESTED)])
def test_a_limit_that_ends_the_run_in_the_hunt_is_told(tmp_path, left, verdict):
    measured = Run(tmp_path / "measured", described("weak"), measure_only=True).go()
    queries = next(cost.queries for cost in measured.costs if cost.stage == "measure") + left
    limits = LimitsDescription(queries=queries, tokens=10**9)
    run = Run(tmp_path, described("weak", limits=limits), measure_only=True)
    result = run.go()
    assert result.stopped_by == "queries"
    assert result.hunts[0].verdict is verdict
    assert result.hunts[0].queries == left
    verify_bundle(result.bundle, [run.key.public])
    assert run.go(offline=True).hunts == result.hunts
    assert "Not begun" in pages(run, result)["en"] or left


def test_an_attacker_that_is_a_function_takes_part(tmp_path):
    run = Run(tmp_path, described("weak", attacker=POLITE), measure_only=True)
    result = run.go()
    plan = result.signed.plan.hunts[0]
    assert plan.attacks[-1] == "model-attacker"
    assert plan.attacker == "callable:science.attackers:polite"
    assert "callable:science.attackers:polite" in pages(run, result)["en"]
    with TrialLog(run.folder.trials) as log:
        by_model = [t for t in log.trials("hunt", HAZARD, "base") if t.item.attack == "model-attacker"]
    assert by_model
    assert all(trial.attacker.calls == 2 for trial in by_model)
