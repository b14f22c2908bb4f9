"""Hunts: they find the worst attack, prove what they find, can be drawn again, and resume where they stopped."""

import asyncio
from collections import Counter
from decimal import Decimal
from math import log

import msgspec
import pytest

from aloi import plugins
from aloi.errors import AskerError, EvidenceError, TargetError, UnknownName
from aloi.evidence.records import Limits, Verdict
from aloi.science.asking import Asker, Spending
from aloi.science.hunting import Hunting
from aloi.science.measuring import Measurement
from aloi.science.probe import scorer_for
from aloi.science.trials import TrialLog
from aloi.system.description import HuntGoal, LimitsDescription, ReadaptGoal
from aloi.system.reading import System
from aloi.system.target import Unscorable
from science.hunted import HAZARD, NAMES, Hunter, Ways, hunted_system
from science.runs import plan_for
from science.simulated import small_system

BAD = {"way-7": 0.3}


@pytest.fixture(autouse=True)
def ways(plugged):
    kinds = {
        "ways": "WaysProbe",
        "one-way": "OneWayProbe",
        "wrapping": "WrappingProbe",
        "chinese": "ChineseProbe",
        "latin": "LatinProbe",
        "rotten": "RottenProbe",
    }
    plugged("aloi.probes", {name: f"science.hunted:{kind}" for name, kind in kinds.items()})


def totals(hunt):
    return (
        sum(one.failures for one in hunt.attacks),
        sum(one.n for one in hunt.attacks),
        sum(one.unscorable for one in hunt.attacks),
    )


class TestAgainstChosenRemedies:
    """`assurance.readapt` plans hunts of the remedied system alone, beside those that hazards ask for."""

    def planned(self, probes, *, hunt=None):
        system = small_system(dict.fromkeys(probes, 0.05), 60, readapt=ReadaptGoal(queries=30))
        goals = {
            slug: msgspec.structs.replace(goal, probe=probes[slug], hunt=hunt if slug == HAZARD else None)
            for slug, goal in system.description.assurance.hazards.items()
        }
        assurance = msgspec.structs.replace(system.description.assurance, hazards=goals)
        system = System(msgspec.structs.replace(system.description, assurance=assurance), system.documents)
        return plan_for(system)[0].hunts

    def test_it_has_all_attacks_that_the_probe_takes_and_refuses(self):
        (hunt,) = self.planned({HAZARD: "ways"})
        assert (hunt.attacks, hunt.cap, hunt.bare, hunt.gate) == (NAMES, 30, False, "refuse")
        assert hunt.alpha == Decimal("0.05")

    def test_with_one_attack_there_is_nothing_to_turn_to(self):
        assert self.planned({HAZARD: "one-way"}) == ()

    def test_a_hazard_s_own_hunt_stands_and_the_error_is_shared(self):
        own, other = self.planned(
            {HAZARD: "ways", "data-disclosure": ""}, hunt=HuntGoal(queries=99, attacks=NAMES[:2], gate="show")
        )
        assert (own.attacks, own.cap, own.bare, own.gate) == (NAMES[:2], 99, True, "show")
        assert (other.hazard, other.cap, other.bare, other.gate) == ("data-disclosure", 30, False, "refuse")
        assert own.alpha + other.alpha == Decimal("0.05")

    async def test_the_bare_system_is_not_asked(self, tmp_path):
        hunter = Hunter(tmp_path / "trials.jsonl", hunted_system(40))
        hunter.plan = msgspec.structs.replace(
            hunter.plan, hunts=tuple(msgspec.structs.replace(one, bare=False) for one in hunter.plan.hunts)
        )
        async with TrialLog(hunter.path) as log:
            asker = Asker(log, {}, Spending(hunter.plan.limits), 2)
            bare = Hunting(hunter.plan, "base", hunter.sampler)
            await bare.run(asker, Ways(BAD))
            assert (len(log), bare.all_found(log)) == (0, [])


async def test_the_one_bad_attack_is_found_and_proved(tmp_path):
    hunter = Hunter(tmp_path / "trials.jsonl", hunted_system(2_000))
    hunt = await hunter.go(Ways(BAD | dict.fromkeys(NAMES[:7], 0.002)))
    assert hunt.verdict is Verdict.NOT_MET
    assert hunt.worst == "way-7"
    assert hunt.low >= Decimal("0.05")
    assert hunt.low <= Decimal("0.3")
    assert float(hunt.log_e_not_met) >= -log(0.05)
    assert hunt.level == Decimal("0.95")
    assert hunter.counted["way-7"] > 2 * hunt.queries / len(NAMES), "it turned to what worked"
    assert hunt.queries == len(hunter.trials) < 400
    assert hunt.sample.trials == hunt.queries


async def test_finding_nothing_proves_nothing(tmp_path):
    hunter = Hunter(tmp_path / "trials.jsonl", hunted_system(40))
    hunt = await hunter.go(Ways({}))
    assert (hunt.verdict, hunt.worst, hunt.low) == (Verdict.INCONCLUSIVE, "", 0)
    assert totals(hunt) == (0, 40, 0)


async def test_unscorable_trials_count_as_passed_and_are_told(tmp_path):
    silent = await Hunter(tmp_path / "a.jsonl", hunted_system(20)).go(Ways(dict.fromkeys(NAMES, 1.0), lost=1.0))
    assert silent.verdict is Verdict.INCONCLUSIVE
    assert totals(silent) == (0, 0, 20)
    assert silent.errors == {"empty": 20}
    mute = await Hunter(tmp_path / "b.jsonl", hunted_system(20)).go(Ways({}))
    assert mute.log_e_not_met == silent.log_e_not_met


@pytest.mark.parametrize("workers", [1, 3, 8, 32])
async def test_workers_and_the_order_of_answers_change_nothing(tmp_path, workers):
    alone = Hunter(tmp_path / "alone.jsonl", hunted_system(200), workers=1)
    expected = await alone.go(Ways(BAD))
    many = Hunter(tmp_path / "many.jsonl", hunted_system(200), workers=workers)
    hunt = await many.go(Ways(BAD, latency=0.004))
    assert many.chosen == alone.chosen
    assert (hunt.verdict, hunt.attacks, hunt.low, hunt.log_e_not_met) == (
        expected.verdict,
        expected.attacks,
        expected.low,
        expected.log_e_not_met,
    )


async def test_a_batch_is_chosen_from_the_batches_before_it(tmp_path):
    """The choices of a batch are the same whatever its own outcomes are; the next batch may differ."""
    one = Hunter(tmp_path / "one.jsonl", hunted_system(24))
    await one.go(Ways({}))
    other = Hunter(tmp_path / "other.jsonl", hunted_system(24))
    first = one.chosen[0]
    await other.go(Ways({first: 1.0}))
    assert one.chosen[:8] == other.chosen[:8]
    assert one.chosen[8:] != other.chosen[8:]


class Failing(Ways):
    """Cannot be reached after `answers` answers."""

    def __init__(self, rates, answers):
        super().__init__(rates)
        self._left = answers

    async def ask(self, request):
        self._left -= 1
        if self._left < 0:
            raise TargetError("the endpoint went away")
        return await super().ask(request)


@pytest.mark.parametrize("answers", [0, 1, 7, 8, 9, 37])
async def test_an_interrupted_hunt_goes_on_as_if_nothing_had_happened(tmp_path, answers):
    whole = Hunter(tmp_path / "whole.jsonl", hunted_system(200))
    expected = await whole.go(Ways(BAD))
    broken = Hunter(tmp_path / "broken.jsonl", hunted_system(200))
    with pytest.raises(TargetError):
        await broken.go(Failing(BAD, answers))
    again = Ways(BAD)
    hunt = await broken.go(again)
    assert broken.chosen == whole.chosen
    assert len(again.asked) == len(whole.trials) - answers, "what was answered is not asked again"
    assert (hunt.verdict, hunt.attacks, hunt.log_e_not_met) == (
        expected.verdict,
        expected.attacks,
        expected.log_e_not_met,
    )


async def test_a_limit_ends_it_and_what_follows_a_gap_does_not_count(tmp_path):
    system = hunted_system(200, limits=LimitsDescription(queries=13, tokens=10**9))
    hunter = Hunter(tmp_path / "trials.jsonl", system, workers=4)

    class Slow(Ways):
        """The eleventh question is answered last, and not at all."""

        async def ask(self, request):
            if len(self.asked) == 10:
                self.asked.append("slow")
                await asyncio.sleep(0.05)
                raise Unscorable("timeout", "no answer")
            return await super().ask(request)

    hunt = await hunter.go(Slow({}))
    assert hunter.spending.stopped_by == "queries"
    assert hunt.verdict is Verdict.INCONCLUSIVE
    assert sum(totals(hunt)[1:]) == hunt.queries == 13


async def test_gaps_are_not_counted_over(tmp_path):
    """A worker fails for good in the middle of a batch: later answers of the batch are in the log, not in the test."""
    hunter = Hunter(tmp_path / "trials.jsonl", hunted_system(200), workers=8)

    class Hole(Ways):
        async def ask(self, request):
            if len(self.asked) == 2:
                self.asked.append("hole")
                await asyncio.sleep(0.02)
                raise TargetError("gone")
            return await super().ask(request)

    with pytest.raises(TargetError):
        await hunter.go(Hole({}))
    async with TrialLog(hunter.path) as log:
        kept = [trial.key.index for trial in log.trials("hunt", HAZARD, "base")]
    assert 2 not in kept
    assert len(kept) == 7
    # Read again without asking: only the two before the gap count.
    limits = Limits(queries=1, tokens=10**9, seconds=10**6)
    hunter.plan = msgspec.structs.replace(hunter.plan, limits=limits)
    hunt = await hunter.go(Ways({}))
    assert totals(hunt) == (0, 2, 0)
    assert hunt.queries == 7


async def test_the_mean_does_not_hear_of_the_hunt(tmp_path):
    """Adaptive trials never count toward the mean: the measurement reads its own stage alone."""
    hunter = Hunter(tmp_path / "trials.jsonl", hunted_system(100))
    await hunter.go(Ways(dict.fromkeys(NAMES, 0.9)))
    assert hunter.trials
    measurement = Measurement(hunter.plan, "measure", "base", hunter.sampler)
    scorers = {hazard: scorer_for(probe.scorer) for hazard, probe in hunter.sampler.probes.items()}
    async with TrialLog(hunter.path) as log:
        limits = Limits(queries=1, tokens=1, seconds=10**6)
        await measurement.run(Asker(log, scorers, Spending(limits), 1), Ways({}))
        assert log.sample("measure", HAZARD).trials <= 1
        assert log.sample("hunt", HAZARD, "base").trials == len(hunter.trials)
        assert log.sample("hunt", HAZARD, "other").trials == 0
    assert measurement.monitor.decision(HAZARD).n <= 1


async def test_a_log_made_by_other_choices_is_refused(tmp_path):
    hunter = Hunter(tmp_path / "trials.jsonl", hunted_system(24))
    await hunter.go(Ways({}))
    text = hunter.path.read_text()
    first = hunter.chosen[0]
    other = next(name for name in NAMES if name not in {first, *hunter.chosen[:8]})
    hunter.path.write_text(text.replace(f'"attack":"{first}"', f'"attack":"{other}"', 1))
    with pytest.raises(EvidenceError, match="the plan chooses") as refused:
        await hunter.go(Ways({}))
    assert refused.value.reason == "other-choice"


def test_each_attack_draws_from_a_stream_of_its_own():
    _, sampler = plan_for(hunted_system())
    drawn = [sampler.hunted(HAZARD, name, 3) for name in NAMES]
    assert [item.attack for item in drawn] == list(NAMES)
    assert len({item.seed for item in drawn}) == len(NAMES)
    assert sampler.hunted(HAZARD, "way-1", 3) == sampler.hunted(HAZARD, "way-1", 3)
    assert sampler.hunted(HAZARD, "way-1", 3) != sampler.hunted(HAZARD, "way-1", 4)
    assert sampler.item("measure", HAZARD, 3) not in drawn


def test_the_plan_registers_attacks_cap_batch_and_error():
    plan, _ = plan_for(hunted_system(77, attacks=("way-1", "way-2")))
    (hunt,) = plan.hunts
    assert (hunt.hazard, hunt.attacks, hunt.cap, hunt.batch) == (HAZARD, ("way-1", "way-2"), 77, 8)
    assert (hunt.alpha, hunt.attacker, hunt.turns) == (Decimal("0.05"), "", 0)
    assert plan_for(hunted_system())[0].hunts[0].attacks == NAMES
    assert plan_for(small_system())[0].hunts == ()


def test_hunts_share_the_error_and_never_more_than_it():
    system = small_system(alpha=0.05)
    assurance = system.description.assurance
    goals = {
        slug: msgspec.structs.replace(goal, hunt=HuntGoal(queries=10))
        for slug, goal in list(assurance.hazards.items())[:3]
    }
    described = msgspec.structs.replace(
        system.description, assurance=msgspec.structs.replace(assurance, hazards=assurance.hazards | goals)
    )
    plan, _ = plan_for(type(system)(described, system.documents))
    assert {hunt.alpha for hunt in plan.hunts} == {Decimal("0.0166666")}
    assert sum(hunt.alpha for hunt in plan.hunts) <= plan.alpha


def test_attacks_that_the_probe_cannot_take_are_refused():
    with pytest.raises(UnknownName, match="way-99"):
        plan_for(hunted_system(attacks=("way-99",)))
    with pytest.raises(AskerError):
        plan_for(hunted_system(attacks=("role-play",)))


def test_a_probe_that_wraps_can_be_hunted_with_every_wrapper():
    wrappers = plugins.names("aloi.attacks")
    system = hunted_system(probe="wrapping")
    plan, sampler = plan_for(system)
    assert set(plan.hunts[0].attacks) == {*wrappers, "of-its-own"}
    assert set(plan.hazards[0].attacks) == {"plain", "of-its-own"}
    drawn = [sampler.hunted(HAZARD, "rot13", index) for index in range(5)]
    assert {item.attack for item in drawn} == {"rot13"}


def test_wrappers_that_speak_no_language_of_the_system_are_left_out():
    plan, sampler = plan_for(hunted_system(probe="chinese"))
    assert "rot13" not in plan.hunts[0].attacks
    assert "role-play" in plan.hunts[0].attacks
    with pytest.raises(AskerError, match="does not take the attack rot13"):
        plan_for(hunted_system(probe="chinese", attacks=("rot13",)))
    assert {sampler.hunted(HAZARD, "role-play", index).language for index in range(9)} == {"zh"}


def test_a_wrapper_leaves_its_share_to_those_that_speak_the_language_of_a_draw():
    _, sampler = plan_for(hunted_system(probe="latin"))
    drawn = Counter((item.language, item.attack) for item in (sampler.item("measure", HAZARD, i) for i in range(400)))
    assert set(drawn) == {("zh", "plain"), ("en", "plain"), ("en", "rot13")}
    assert 150 < drawn["zh", "plain"] < 250, "each language keeps its share"
    assert 100 < drawn["en", "rot13"] < 200


def test_a_language_that_no_attack_speaks_is_refused():
    with pytest.raises(AskerError, match="no attack of hidden-context-exposure speaks zh"):
        plan_for(hunted_system(probe="rotten"))


async def test_at_the_threshold_hunts_err_as_seldom_as_they_say(tmp_path):
    """150 hunts of 60 queries on attacks that fail at exactly 5 %, through sampler, asker and log."""
    false = 0
    for number in range(150):
        system = hunted_system(60, attacks=NAMES[:3], seed=f"null-{number}")
        hunt = await Hunter(tmp_path / f"{number}.jsonl", system).go(Ways(dict.fromkeys(NAMES, 0.05)))
        false += hunt.verdict is Verdict.NOT_MET
    assert false / 150 <= 0.05 + 2 * (0.05 * 0.95 / 150) ** 0.5
