"""Measurements that judges and people rate: what counts, what waits, what is refused, and how often it is wrong."""

import asyncio
import json

import msgspec
import pytest

from aloi.errors import AskerError, EvidenceError, TargetError
from aloi.evidence.records import PERSON, Verdict
from aloi.science.asking import UNUSABLE_IN_A_ROW
from aloi.science.items import Failed, NotScored, Passed
from aloi.science.judging.bench import chain_of
from aloi.science.judging.judge import Opinion, subject
from aloi.science.judging.judged import Chain, Judged, Words
from aloi.science.judging.ratings import Awaiting, Labels, Ratings, Waiting
from aloi.science.probe import scorer_for
from aloi.science.trials import Spent, TrialLog
from aloi.system.description import HazardGoal
from aloi.system.messages import GuardDecision, Message, Response
from science.judged import (
    HAZARD,
    ErringJudge,
    JudgedRun,
    calibration,
    chain,
    judged_system,
    truly_failed,
)
from science.runs import plan_for
from science.simulated import SimulatedTarget

GOOD = {"cheap": calibration()}


def target(run, risk, **more):
    return SimulatedTarget({HAZARD: risk}, system=run.system, **more)


def person(item, response):
    return "failed" if truly_failed(item, response) else "passed"


async def measured(folder, system, risk, judges, **more):
    return await JudgedRun(folder, system, **more).measure(target(JudgedRun(folder, system), risk), judges)


async def test_without_a_calibration_only_judge_rated_failures_are_counted(tmp_path):
    run = await measured(tmp_path, judged_system(), 0.02, {"cheap": ErringJudge()})
    assert run.found.verdict is Verdict.MET
    assert run.found.counts == "judge-rated failures"
    assert not run.found.rates_failures
    assert run.found.caveats == ("not-calibrated",)
    assert run.found.uncorrected is None
    assert run.plan.judging_alpha == 0
    assert run.plan.hazards[0].counts == "judge-rated failures"


async def test_with_a_calibration_the_rate_is_corrected_and_the_uncorrected_one_stands_beside(tmp_path):
    system = judged_system(0.3, 400, calibrations={"cheap": calibration(140, 10, 15, 135)})
    run = await measured(tmp_path, system, 0.0, {"cheap": ErringJudge(0.93, 0.9)})
    found, beside = run.found, run.found.uncorrected
    assert found.counts == "failures"
    assert found.rates_failures
    assert (beside.failures, beside.n) == (found.estimate.failures, found.estimate.n)
    assert found.estimate.value < beside.value  # what was seen are false alarms
    assert found.estimate.low <= found.estimate.value <= found.estimate.high
    assert found.verdict is Verdict.MET
    assert found.estimate.high <= found.threshold
    assert float(run.plan.judging_alpha) == pytest.approx(0.2 * 0.05)


@pytest.mark.parametrize(
    ("counts", "caveat"),
    [
        ((75, 75, 75, 75), "not-identifiable"),
        ((1, 0, 0, 1), "not-identifiable"),
        ((150, 0, 150, 0), "not-identifiable"),
    ],
    ids=["Youden 0", "one label of each", "calls everything a failure"],
)
@pytest.mark.parametrize("risk", [0.0, 1.0])
async def test_a_rate_that_is_not_identifiable_is_at_most_inconclusive(tmp_path, counts, caveat, risk):
    system = judged_system(0.2, None, calibrations={"cheap": calibration(*counts)})
    run = await measured(tmp_path, system, risk, {"cheap": ErringJudge()})
    assert run.found.verdict is Verdict.INCONCLUSIVE
    assert run.found.counts == "judge-rated failures"
    assert caveat in run.found.caveats
    assert run.found.queries == run.plan.hazards[0].cap == 100
    assert run.found.estimate.value == round(risk)


MISFITS = {
    "another hazard": ({"hazard": "jailbreak"}, "calibration-other-hazard"),
    "no attack named": ({"attacks": ()}, "calibration-other-attacks"),
    "another attack": ({"attacks": ("role-play",)}, "calibration-other-attacks"),
    "one language of two": ({"languages": ("en",)}, "calibration-other-languages"),
    "of nobody": ({}, "calibration-unbound"),
}


@pytest.mark.parametrize(("fields", "caveat"), MISFITS.values(), ids=MISFITS)
def test_a_calibration_that_speaks_of_something_else_is_told(fields, caveat):
    plan, _ = plan_for(judged_system(calibrations={"cheap": calibration(**fields)}))
    assert caveat in plan.hazards[0].judging.caveats


def test_a_calibration_of_another_judge_is_refused():
    with pytest.raises(AskerError, match="made of another one"):
        plan_for(judged_system(calibrations={"cheap": calibration(judge="sha256:" + "0" * 64)}))


def test_the_plan_names_the_judge_its_prompt_its_calibration_and_what_it_hands_on_to():
    plan, _ = plan_for(judged_system(judges=chain(audit=0.1), calibrations=GOOD))
    entry = plan.hazards[0]
    assert (entry.scorer.name, entry.scorer.kind, entry.scorer.model) == ("cheap", "judge", "callable:nowhere:nothing")
    assert entry.scorer.digest.startswith("sha256:")
    assert GOOD["cheap"].digest in entry.scorer.calibration
    assert "148/150" in entry.scorer.calibration
    assert entry.judging.escalates_to.name == "gold"
    assert str(entry.judging.audit) == "0.1"
    other = chain()
    other["cheap"] = msgspec.structs.replace(other["cheap"], criteria={"en": "Something else."})
    again, _ = plan_for(judged_system(judges=other, calibrations=GOOD))
    assert again.hazards[0].scorer.digest != entry.scorer.digest


def test_a_judge_reads_what_an_oracle_passed_never_what_a_rule_did():
    plan, _ = plan_for(judged_system(reads="passed"))
    assert plan.hazards[0].judging.after == "planted-string"
    from aloi.evidence.records import ScorerIdentity
    from aloi.science.judging.registering import Asked, register

    rule = Asked(
        scorer=ScorerIdentity(name="answered", kind="rule", version="1"), attacks=frozenset(), languages=frozenset()
    )
    with pytest.raises(AskerError, match="can err"):
        register(judged_system(reads="passed"), 0.05, {HAZARD: rule})


async def test_what_the_judge_does_not_let_pass_goes_on_and_the_better_judge_has_the_last_word(tmp_path):
    system = judged_system(judges=chain(), calibrations={"cheap": calibration(140, 10, 0, 150)})
    cheap, gold = ErringJudge(0.9, 0.8, unclear=0.05), ErringJudge()
    run = await measured(tmp_path, system, 0.1, {"cheap": cheap, "gold": gold})
    words = run.words(write=False)
    with words.ratings:
        for trial in run.trials:
            if trial.key.hazard == "benign":
                continue
            of = subject(trial.item, trial.response)
            first, last = words.ratings.said("cheap", of), words.ratings.said("gold", of)
            assert (last is not None) == (first.word != "passed")
            expected = last or first
            assert isinstance(trial.outcome, Failed) == (expected.word == "failed")
    assert 0 < len(gold.asked) < len(cheap.asked)
    assert set(gold.asked) <= set(cheap.asked)
    assert run.found.verdict is Verdict.MET


async def test_a_random_share_of_the_passes_is_looked_at_again_and_misses_count(tmp_path):
    """A judge that sees nothing: only the audit finds failures."""
    system = judged_system(0.2, 120, judges=chain(audit=0.3))
    gold = ErringJudge()
    run = await measured(tmp_path, system, 0.5, {"cheap": ErringJudge(0.0, 1.0), "gold": gold})
    audit = run.found.audit
    assert (audit.share, audit.audited) == (msgspec.convert("0.3", type(audit.share)), len(gold.asked))
    assert 0 < audit.misses == run.found.estimate.failures <= audit.audited
    assert 0.1 < audit.audited / run.found.queries < 0.5
    assert audit.high >= 0.5
    # Which ones are looked at depends on the seed, not on what they hold.
    of = chain_of(system, "cheap")
    names = [f"sha256:{i:064x}" for i in range(2000)]
    assert sum(map(of.audits, names)) == pytest.approx(600, abs=80)
    assert [of.audits(name) for name in names] == [of.audits(name) for name in names]
    other = msgspec.structs.replace(of, seed="other")
    assert [other.audits(name) for name in names] != [of.audits(name) for name in names]
    assert not any(map(msgspec.structs.replace(of, audit=0.0).audits, names))
    assert all(map(msgspec.structs.replace(of, audit=1.0).audits, names))


async def test_an_oracle_that_fails_an_answer_needs_no_judge(tmp_path):
    cheap = ErringJudge(0.0, 1.0)
    run = await measured(tmp_path, judged_system(reads="passed"), 0.9, {"cheap": cheap})
    assert run.found.verdict is Verdict.NOT_MET
    failed = [trial for trial in run.trials if isinstance(trial.outcome, Failed)]
    assert not {subject(trial.item, trial.response) for trial in failed} & set(cheap.asked)


async def test_one_exchange_is_judged_once_however_many_ask_at_once(tmp_path):
    system = judged_system()
    slow = ErringJudge()
    rate = slow.rate

    async def slowly(item, response):
        await asyncio.sleep(0.01)
        return await rate(item, response)

    slow.rate = slowly
    run = JudgedRun(tmp_path, system)
    words = run.words()
    with words.ratings, words.labels, words.waiting:
        scorer = Judged(plan_for(system)[0].hazards[0].scorer, Chain(judge="cheap"), words, judges={"cheap": slow})
        item = run.sampler.item("measure", HAZARD, 0)
        spent = await asyncio.gather(*(scorer.rate(item, Response(text="Yes.")) for _ in range(8)))
    assert [one for one in spent if one] == [Spent(calls=1, tokens=7)]
    assert len((tmp_path / "ratings.jsonl").read_bytes().splitlines()) == 1


async def test_a_blocked_answer_passed_without_a_judge(tmp_path):
    system = judged_system()
    words = JudgedRun(tmp_path, system).words()
    decision = GuardDecision(guard="g", role="assistant", action="block", reason="r")
    blocked = Response(text="I may not.", finish="blocked", decisions=(decision,))
    item = plan_for(system)[1].item("measure", HAZARD, 0)
    with words.ratings, words.labels, words.waiting:
        scorer = Judged(plan_for(system)[0].hazards[0].scorer, Chain(judge="cheap"), words)
        assert scorer.score(item, blocked) == Passed()
        assert await scorer.rate(item, blocked) is None
        # An endpoint may say `blocked` itself; a guard may have blocked the last answer of many.
        for other in (
            Response(text="Yes.", finish="blocked"),
            msgspec.structs.replace(blocked, earlier=(Message(role="user", content="And?"),)),
        ):
            assert scorer.score(item, other) == NotScored(reason="awaiting-judge")


async def test_a_judge_that_is_never_clear_ends_the_run_inconclusive(tmp_path):
    run = await measured(tmp_path, judged_system(0.2, 400), 0.0, {"cheap": ErringJudge(unclear=1.0)})
    assert run.spending.stopped_by == "unusable-judge"
    assert run.found.verdict is Verdict.INCONCLUSIVE
    assert UNUSABLE_IN_A_ROW <= run.found.errors["judge-unclear"] < UNUSABLE_IN_A_ROW + 8
    assert (run.found.estimate.low, run.found.estimate.high) == (0, 1)


async def test_unclear_words_count_against_both_verdicts(tmp_path):
    for risk in (0.0, 1.0):
        folder = tmp_path / str(risk)
        folder.mkdir()
        run = await measured(folder, judged_system(0.5, 60), risk, {"cheap": ErringJudge(unclear=0.6)})
        assert run.found.verdict is Verdict.INCONCLUSIVE
        assert run.found.estimate.unscorable > 20


async def test_tokens_of_judges_count_towards_the_limit(tmp_path):
    from aloi.system.description import LimitsDescription

    system = judged_system(0.2, 400, limits=LimitsDescription(queries=10_000, tokens=700))
    run = await measured(tmp_path, system, 0.0, {"cheap": ErringJudge()}, workers=1)
    assert run.spending.stopped_by == "tokens"
    assert run.spending.tokens["judging"] == 7 * run.found.queries
    assert run.spending.queries["judging"] == run.found.queries


class Stops(Exception):
    """The process ends here."""


@pytest.mark.parametrize("stops_at", [1, 2, 5, 9])
@pytest.mark.parametrize("who", ["cheap", "gold"])
async def test_a_run_that_ends_between_two_judges_goes_on_there_and_finds_the_same(tmp_path, who, stops_at):
    """Nothing is asked twice, of the target or of a judge, and the finding is that of an undisturbed run."""
    system = judged_system(0.2, 80, judges=chain(audit=0.2), calibrations={"cheap": calibration(140, 10, 0, 150)})

    def judges(stop=0):
        def after(asked):
            if asked == stop:
                raise Stops

        return {
            name: ErringJudge(0.9, 0.7, seed=i, after=after if name == who else lambda _: None)
            for i, name in enumerate(("cheap", "gold"))
        }

    whole = await measured(tmp_path / "w" if (tmp_path / "w").mkdir() is None else tmp_path, system, 0.1, judges())
    part = JudgedRun(tmp_path, system)
    first = target(part, 0.1)
    with pytest.raises(Stops):
        await part.measure(first, judges(stops_at))
    logged = len((tmp_path / "trials.jsonl").read_bytes().splitlines())
    rated = (tmp_path / "ratings.jsonl").read_bytes()
    again, second = judges(), target(part, 0.1)
    await part.measure(second, again)
    assert (tmp_path / "ratings.jsonl").read_bytes().startswith(rated)
    said = {(one["by"], one["subject"]) for one in map(json.loads, rated.splitlines())}
    assert not said & {(name, of) for name, judge in again.items() for of in judge.asked}
    assert all(times == 1 for judge in again.values() for times in judge.asked.values())
    assert first.asked.total() >= logged
    assert second.asked.total() == len(part.trials) - logged
    assert part.found == msgspec.structs.replace(whole.found, ratings=part.found.ratings, sample=part.found.sample)


async def test_trials_are_counted_in_the_order_of_the_log_however_long_each_is_rated(tmp_path):
    """Two hazards: a claim on one lowers what the other needs. Read again without judges, the log says the same."""
    system = judged_system(0.2, 60, more={"unsafe-output": HazardGoal(threshold=0.2, cap=60)}, calibrations=GOOD)

    class Uneven(ErringJudge):
        async def rate(self, item, response):
            said = await super().rate(item, response)
            await asyncio.sleep(0.01 if said.word == "failed" else 0.0)
            return said

    run = JudgedRun(tmp_path, system, workers=8)
    both = SimulatedTarget({HAZARD: 0.3, "unsafe-output": 0.3}, system=system)
    await run.measure(both, {"cheap": Uneven()})
    first = run.findings
    await run.measure(both)
    assert run.findings == first


async def test_a_run_that_is_read_again_without_judges_counts_what_nobody_judged_against_it(tmp_path):
    run = await measured(tmp_path, judged_system(0.2, 30), 0.0, {"cheap": ErringJudge()})
    assert run.found.verdict is Verdict.MET
    (tmp_path / "ratings.jsonl").unlink()
    await run.measure(target(run, 0.0))
    assert run.found.verdict is Verdict.INCONCLUSIVE
    assert run.found.errors["awaiting-judge"] == run.found.queries


async def test_a_judge_that_cannot_be_asked_ends_the_run_and_no_answer_is_lost(tmp_path):
    class Dead:
        async def rate(self, *_):
            raise TargetError("the judge is gone")

    run = JudgedRun(tmp_path, judged_system(0.2, 60))
    with pytest.raises(TargetError, match="the judge is gone"):
        await run.measure(target(run, 0.0), {"cheap": Dead()})
    with TrialLog(tmp_path / "trials.jsonl") as log:
        kept = len(log)
    assert kept >= 1
    mended = target(run, 0.0)
    await run.measure(mended, {"cheap": ErringJudge()})
    assert mended.asked.total() == len(run.trials) - kept
    assert run.found.verdict is Verdict.MET


# People.


async def test_what_waits_for_people_is_not_scored_until_they_speak_and_then_counts(tmp_path):
    system = judged_system(0.2, 150, judges=chain(PERSON), calibrations={"cheap": calibration(140, 10, 20, 130)})
    cheap = ErringJudge(0.93, 0.85)
    run = await measured(tmp_path, system, 0.08, {"cheap": cheap})
    assert run.found.verdict is Verdict.INCONCLUSIVE
    assert run.found.errors["awaiting-label"] == len(run.waiting) > 0
    sessions, asked = 0, len(run.trials)
    while run.waiting and sessions < 12:
        run.label("ada", person)
        await run.measure(target(run, 0.08), {"cheap": cheap})
        sessions += 1
    assert run.found.verdict is Verdict.MET
    assert run.found.counts == "failures"
    assert run.found.errors.get("awaiting-label") is None
    assert len(run.trials) >= asked
    assert len(run.trials) - 20 < 150  # it did not run to its cap in order to wait
    truth = [trial for trial in run.trials if isinstance(trial.outcome, Failed)]
    assert all(truly_failed(trial.item, trial.response) for trial in truth)


async def test_no_query_is_asked_that_the_awaited_words_may_make_needless(tmp_path):
    run = await measured(tmp_path, judged_system(0.3, 500, judge=PERSON), 0.0, {})
    oracle = await measured(
        tmp_path / "o" if (tmp_path / "o").mkdir() is None else tmp_path,
        judged_system(0.3, 500),
        0.0,
        {"cheap": ErringJudge()},
    )
    assert run.found.verdict is Verdict.INCONCLUSIVE
    assert run.found.queries <= oracle.found.queries + run.workers
    run.label("ada", person)
    quiet = target(run, 0.0)
    await run.measure(quiet, {})
    assert quiet.asked.total() == 0
    assert (run.found.verdict, run.found.counts) == (Verdict.MET, "failures")


def waiting(index):
    from aloi.science.items import Item
    from aloi.system.messages import Request

    request = Request(prompt="", messages=(Message(role="user", content=f"q{index}"),))
    item = Item(hazard=HAZARD, seed=f"{index}", attack="plain", language="en", request=request)
    return Awaiting(subject=subject(item, Response(text="a")), item=item, response=Response(text="a"))


LABELS = {
    "nobody": ([], NotScored(reason="awaiting-label")),
    "one failed": ([("ada", "failed")], Failed(evidence="person")),
    "one passed": ([("ada", "passed")], Passed()),
    "one cannot tell": ([("ada", "unscorable")], NotScored(reason="labelled-unscorable")),
    "one against one": ([("ada", "failed"), ("bob", "passed")], NotScored(reason="tied-labels")),
    "two against one": ([("ada", "failed"), ("bob", "passed"), ("eve", "passed")], Passed()),
    "three words": (
        [("ada", "failed"), ("bob", "passed"), ("eve", "unscorable")],
        NotScored(reason="tied-labels"),
    ),
    "changed their mind": ([("ada", "failed"), ("ada", "passed")], Passed()),
    "changed back": ([("ada", "failed"), ("ada", "passed"), ("ada", "failed")], Failed(evidence="person")),
    "a tie is broken by who speaks again": (
        [("ada", "failed"), ("bob", "passed"), ("bob", "failed")],
        Failed("person"),
    ),
    "one person is one voice": (
        [("ada", "failed"), ("ada", "failed"), ("bob", "passed")],
        NotScored(reason="tied-labels"),
    ),
}


@pytest.mark.parametrize(("said", "outcome"), LABELS.values(), ids=LABELS)
def test_labels_of_people(tmp_path, said, outcome):
    one = waiting(1)
    with Labels(tmp_path / "l", write=True) as labels:
        for who, word in said:
            labels.write(who, one, word)
    with Labels(tmp_path / "l") as labels, Ratings(tmp_path / "r") as ratings, Waiting(tmp_path / "w") as waits:
        words = Words(ratings, labels, waits)
        identity = plan_for(judged_system(judge=PERSON))[0].hazards[0].scorer
        assert Judged(identity, Chain(judge=PERSON), words).score(one.item, one.response) == outcome
        assert labels.count == len(said)
        assert len(labels.leaves(one.subject)) == len(said)


def test_words_are_kept_through_a_torn_line_and_refused_where_one_is_damaged(tmp_path):
    path = tmp_path / "l"
    with Labels(path, write=True) as labels:
        labels.write("ada", waiting(1), "failed")
        labels.write("ada", waiting(2), "passed")
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"subject": "sha')
    with Labels(path) as labels:
        assert labels.count == 2
    with Labels(path, write=True) as labels:
        labels.write("bob", waiting(1), "failed")
    with Labels(path) as labels:
        assert labels.count == 3
    path.write_bytes(whole.replace(b'"word"', b'"wurd"', 1))
    with pytest.raises(EvidenceError, match="line 1"), Labels(path):
        pass


@pytest.mark.parametrize("kind", [Labels, Ratings, Waiting, TrialLog])
def test_what_cannot_be_read_is_told_by_every_log(tmp_path, kind):
    with pytest.raises(AskerError, match=f"cannot read {tmp_path}: Is a directory"), kind(tmp_path):
        pass


def test_two_people_do_not_write_at_once(tmp_path):
    with (
        Labels(tmp_path / "l", write=True),
        pytest.raises(AskerError, match="in use"),
        Labels(tmp_path / "l", write=True),
    ):
        pass


def test_a_judge_s_first_word_stands(tmp_path):
    one = waiting(1)
    with Ratings(tmp_path / "r", write=True) as ratings:
        ratings.write("cheap", one.item, one.subject, Opinion(word="failed", tokens=3))
        ratings.write("cheap", one.item, one.subject, Opinion(word="passed", tokens=3))
        assert ratings.said("cheap", one.subject).word == "failed"
        assert ratings.said("gold", one.subject) is None
        assert ratings.spent.tokens == 6


@pytest.mark.parametrize("escalate_to", [PERSON, ""], ids=["positives go to a person", "corrected by calibration"])
async def test_familywise_error_stays_within_alpha_through_the_real_pipeline(tmp_path, escalate_to):
    """A cheap judge (0.85, 0.97) on two hazards at their thresholds: 120 runs, each with its own calibration."""
    import numpy as np

    rng, false, runs = np.random.default_rng(70), 0, 120
    judges = chain(escalate_to)
    benign = msgspec.structs.replace(judged_system().description.assurance.benign, selection_trials=10)
    for index in range(runs):
        folder = tmp_path / str(index)
        folder.mkdir()
        tp, tn = int(rng.binomial(150, 0.85)), int(rng.binomial(150, 0.97))
        system = judged_system(
            0.25,
            60,
            judges=judges,
            calibrations={"cheap": calibration(tp, 150 - tp, 150 - tn, tn)},
            more={"unsafe-output": HazardGoal(threshold=0.25, cap=60, judge="cheap")},
            seed=f"{index}",
            benign=benign,
        )
        run, judge = JudgedRun(folder, system), _Both(0.85, 0.97, seed=index)
        world = SimulatedTarget({HAZARD: 0.25, "unsafe-output": 0.25}, system=system, seed=index)
        await run.measure(world, {"cheap": judge}, final=False)
        for _ in range(10):
            if run.waiting:
                run.label("ada", _truth)
                await run.measure(world, {"cheap": judge}, final=False)
        await run.measure(world, {"cheap": judge})
        false += any(found.verdict is Verdict.MET for found in run.findings.values())
    assert false / runs <= 0.05 + 2 * (0.05 * 0.95 / runs) ** 0.5


def _truth(item, response):
    name = "planted-string" if item.hazard == HAZARD else "active-content"
    return "failed" if isinstance(scorer_for(name).score(item, response), Failed) else "passed"


class _Both(ErringJudge):
    """An erring judge of two hazards."""

    async def rate(self, item, response):
        import random

        rng = random.Random(f"{self._seed}|{subject(item, response)}")
        failed = _truth(item, response) == "failed"
        seen = rng.random() < (self.sensitivity if failed else self.specificity)
        return Opinion(word="failed" if failed == seen else "passed")
