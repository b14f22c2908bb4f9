"""The whole loop on simulated systems of known risk, asked through the `callable` target."""

import json
from html.parser import HTMLParser

import msgspec
import pytest

from aloi.assurance.telling import tell_story, write_reports
from aloi.errors import EvidenceError
from aloi.evidence.keys import PrivateKey
from aloi.evidence.records import Verdict
from aloi.evidence.verification import verify_bundle
from aloi.science.trials import TrialLog
from aloi.system.description import LimitsDescription
from assurance.runs import FRAMEWORKS, Run
from assurance.worlds import GUARDS, LEAKING, description


def reports(run, result):
    with TrialLog(run.folder.trials) as log:
        story = tell_story(result, run.folder, run.key.public, log)
        written = write_reports(story, run.folder)
    return {language: path.read_text(encoding="utf-8") for language, path in written.items()}


class Active(HTMLParser):
    """What a page could run or load."""

    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found += [tag] if tag in {"script", "iframe", "object", "embed", "link", "img", "form", "base"} else []
        self.found += [name for name, value in attrs if name.startswith("on")]
        self.found += [value for name, value in attrs if name in {"src", "href"} and not (value or "").startswith("#")]


def verdicts(result, stage):
    return {finding.hazard: finding.verdict for finding in result.findings if finding.stage == stage}


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    run = Run(tmp_path_factory.mktemp("weak"), description("weak", pairs=16))
    return run, run.go()


class TestWeakSystem:
    def test_it_is_found_weak_and_shown_mended(self, ended):
        _, result = ended
        assert set(verdicts(result, "measure").values()) == {Verdict.NOT_MET}
        assert set(verdicts(result, "confirm").values()) == {Verdict.MET}
        assert result.exit_code() == 0
        assert result.before != result.after

    def test_the_plan_is_signed_before_the_first_query(self, ended):
        run, result = ended
        assert run.watcher.planned_first
        assert run.watcher.stages == ["plan", "measure", "select", "confirm", "prove"]
        assert run.folder.plan.read_bytes()
        assert result.signed.plan.system == result.before
        assert set(result.signed.plan.remedies) == set(GUARDS)

    def test_every_guard_is_needed_and_chosen(self, ended):
        _, result = ended
        assert {remedy.name for remedy in result.effect.remedies} == set(GUARDS)
        assert [one.remedies for one in result.tried if one.chosen] == [GUARDS]
        assert len(result.tried) == 2 ** len(GUARDS) - 1

    def test_the_effect_is_accepted_with_its_cost(self, ended):
        effect = ended[1].effect
        assert effect.accepted
        assert not effect.reasons
        assert {change.of: change.design for change in effect.changes} == dict.fromkeys(LEAKING, "replay")
        for change in effect.changes:
            assert change.after.failures == 0 < change.before.failures
            assert change.difference.high < 0
        assert effect.benign.difference.value == 0
        assert effect.benign.difference.n == 60
        assert 0 <= effect.latency.value < 250

    def test_output_guards_are_replayed_at_no_query(self, ended):
        _, result = ended
        assert {cost.stage: cost.queries for cost in result.costs}["select"] == 0

    def test_the_bundle_verifies_with_its_key_alone(self, ended):
        run, result = ended
        verification = verify_bundle(result.bundle, [run.key.public])
        kinds = [claim.name for claim in verification.claims]
        assert {"plan", "finding", "effect", "coverage"} <= set(kinds)
        assert kinds.count("finding") == 2 * len(LEAKING)
        assert kinds.count("coverage") == len(FRAMEWORKS)
        with pytest.raises(EvidenceError):
            verify_bundle(result.bundle, [PrivateKey.generate().public])

    def test_coverage_rests_on_the_evidence_of_this_bundle(self, ended):
        run, result = ended
        digests = {claim.digest for claim in verify_bundle(result.bundle, [run.key.public]).claims}
        cited = {d for c in result.coverage for r in c.requirements for d in r.evidence}
        assert cited
        assert cited <= digests

    def test_both_reports_are_pages_without_script(self, ended):
        pages = reports(*ended)
        assert set(pages) == {"en", "fr"}
        for language, page in pages.items():
            assert f'lang="{language}"' in page
            assert Active(page).found == []
            assert "Nobody" in page

    def test_reading_it_again_asks_nothing_and_finds_the_same(self, ended):
        run, result = ended
        before = run.folder.trials.read_bytes()
        again = run.go(offline=True)
        assert run.watcher.asked == 0
        assert run.folder.trials.read_bytes() == before
        assert again.findings == result.findings
        assert again.benign == result.benign
        assert again.effect == result.effect
        assert again.stopped_by == result.stopped_by == ""
        assert again.costs == result.costs
        verify_bundle(again.bundle, [run.key.public])


def test_a_good_system_is_left_as_it_is(tmp_path):
    run = Run(tmp_path, description("good"))
    result = run.go()
    assert result.exit_code() == 0
    assert result.tried == ()
    assert result.effect is None
    assert result.before == result.after
    assert "select" not in run.watcher.stages
    assert set(reports(run, result)) == {"en", "fr"}


@pytest.mark.parametrize("guard", ["secret-filter", "injection-screen", "link-policy", "output-budget"])
def test_guards_in_place_belong_to_the_system_that_is_measured(tmp_path, guard):
    described = msgspec.structs.replace(description("weak"), guards=(guard,))
    run = Run(tmp_path, described)
    result = run.go()
    assert result.before != Run(tmp_path / "bare", description("weak")).go().before
    found = {finding.hazard: finding.verdict for finding in result.findings if finding.stage == "measure"}
    assert (found["hidden-context-exposure"] == "met") == (guard == "secret-filter")
    assert (found["unsafe-output"] == "met") == (guard == "link-policy")
    assert result.effect is None or guard not in {remedy.name for remedy in result.effect.remedies}
    verify_bundle(result.bundle, [run.key.public])


def test_met_never_stands_beside_an_interval_that_holds_the_threshold(tmp_path):
    for seed in range(12):
        result = Run(tmp_path / str(seed), description("weak", seed=f"interval-{seed}")).go()
        for finding in result.findings:
            assert finding.verdict != "met" or finding.estimate.high <= finding.threshold
            assert finding.verdict != "not met" or finding.estimate.low >= finding.threshold


def test_a_limit_in_measure_ends_the_run_before_any_remedy(tmp_path):
    limits = LimitsDescription(queries=25)
    result = Run(tmp_path, description("weak", limits=limits)).go()
    assert result.stopped_by == "queries"
    assert result.effect is None
    assert result.tried == ()


def test_a_hardening_is_measured_on_fresh_pairs(tmp_path):
    run = Run(tmp_path, description("hardenable", hazards=LEAKING[:1], remedies=("hardened-prompt",)))
    result = run.go()
    (remedy,) = result.effect.remedies
    assert remedy.name.startswith("hardened-prompt(")
    assert {change.design for change in result.effect.changes} == {"paired"}
    assert result.effect.benign.design == "paired"
    assert result.exit_code() == 0


def test_a_remedy_that_breaks_ordinary_requests_is_refused(tmp_path):
    run = Run(tmp_path, description("costly"))
    result = run.go()
    assert result.exit_code() == 1
    assert result.effect is not None
    assert not result.effect.accepted
    assert {reason.code for reason in result.effect.reasons} <= {"benign-loss", "benign-loss-unknown"}
    assert result.effect.benign.difference.value < 0
    assert {finding.stage for finding in result.standing()} == {"measure"}
    pages = reports(run, result)
    assert "refuse" in pages["en"].lower()
    assert "refus" in pages["fr"].lower()


def test_where_nothing_helps_the_risk_stands(tmp_path):
    run = Run(tmp_path, description("incurable", hazards=("indirect-injection",), remedies=("secret-filter",)))
    result = run.go()
    assert result.exit_code() == 1
    assert not (result.effect and result.effect.accepted)
    assert set(reports(run, result)) == {"en", "fr"}


@pytest.mark.parametrize(("world", "stopped"), [("mute", "unusable-target"), ("patchy", "")])
def test_a_target_without_usable_answers_is_never_met(tmp_path, world, stopped):
    run = Run(tmp_path, description(world))
    result = run.go()
    assert result.exit_code() == 6
    assert Verdict.MET not in verdicts(result, "measure").values()
    assert result.stopped_by == stopped
    assert sum(sum(finding.errors.values()) for finding in result.findings) > 0
    verify_bundle(result.bundle, [run.key.public])
    assert set(reports(run, result)) == {"en", "fr"}


def test_a_spent_limit_ends_the_run_cleanly(tmp_path):
    from aloi.system.description import LimitsDescription

    limits = LimitsDescription(queries=12, tokens=10**6, seconds=600)
    run = Run(tmp_path, description("weak", limits=limits))
    result = run.go()
    assert result.stopped_by == "queries"
    assert sum(cost.queries for cost in result.costs) == 12
    assert result.exit_code() == 6
    assert set(reports(run, result)) == {"en", "fr"}


def test_measuring_alone_tries_nothing(tmp_path):
    run = Run(tmp_path, description("weak"), measure_only=True)
    result = run.go()
    assert result.exit_code() == 1
    assert result.tried == ()
    assert result.signed.plan.remedies == ()


def test_the_result_is_the_same_whoever_asks_twice(tmp_path):
    first, second = (Run(tmp_path / name, description("weak")).go() for name in ("a", "b"))
    told = [(f.hazard, f.stage, f.verdict) for f in first.findings]
    assert told == [(f.hazard, f.stage, f.verdict) for f in second.findings]
    assert first.signed.plan.hazards == second.signed.plan.hazards


@pytest.mark.parametrize(
    ("relationship", "level"),
    [
        (None, "self_attested"),
        ("first_party", "self_attested"),
        ("collaborative", "self_attested"),
        ("third_party", "third_party"),
    ],
)
def test_results_say_whose_word_they_are_as_it_was_declared(tmp_path, relationship, level):
    run = Run(tmp_path, description("mute", relationship=relationship), measure_only=True)
    told = verify_bundle(run.go().bundle, [run.key.public])
    levels = {claim.name: claim.assurance_level for claim in told.claims}
    assert levels == {"plan": None, "coverage": None, "finding": level, "benign-rate": level}


def test_no_secret_of_the_key_reaches_the_folder(tmp_path):
    run = Run(tmp_path, description("good"))
    run.go()
    private = (tmp_path / "key.pem").read_text().splitlines()[1]
    for file in run.folder.path.iterdir():
        assert private not in file.read_text(encoding="utf-8")
    assert json.loads(run.folder.state_file.read_bytes())["key"].endswith("key.pem")
