"""Claims on a judged hazard: the verifier recomputes what a calibration allows, and the e-values of the counts."""

from decimal import Decimal
from math import log

import msgspec
import pytest
from evidence_world import HAZARDS, ROOT, SYSTEM, World, estimate, finding, fixed_key, hazard_plan, plan
from msgspec.structs import replace

from aloi.errors import EvidenceError
from aloi.evidence import judged
from aloi.evidence.records import PERSON, Audit, Calibration, Judging, Sample, ScorerIdentity, Verdict, number
from aloi.evidence.verification import verify_bundle
from aloi.statistics.betting import MET, NOT_MET, Tally, log_e
from aloi.statistics.judges import JudgeCalibration, allowance

JUDGE = ScorerIdentity(name="cheap", kind="judge", version="1", model="openai:m", digest=ROOT)
PEOPLE = ScorerIdentity(name=PERSON, kind="judge", version="1")
D = Decimal
GOOD = (290, 10, 2, 298)


def calibration(tp=290, fn=10, fp=2, tn=298, **more):
    fields = {"hazard": HAZARDS[0], "labelled_by": "Test", "labelled_on": "2026-11-22", "digest": ROOT}
    return Calibration(tp=tp, fn=fn, fp=fp, tn=tn, **fields | more)


def floor(value):
    return D(int(value * 10**6)) / 10**6


def judging(counts=GOOD, *, person=False, **changes):
    found = calibration(*counts)
    allowed = allowance(JudgeCalibration(*counts), 0.05, confirmed=person)
    least, most = allowed.false_alarms
    fields = {
        "judge": "cheap",
        "escalates_to": ScorerIdentity(name=PERSON, kind="judge", version="1") if person else None,
        "calibration": found,
        "sensitivity": floor(allowed.sensitivity),
        "false_alarms": (floor(least), floor(most) + D("0.000001") if most else D(0)),
        "identifiable": allowed.identifiable,
    }
    return Judging(**fields | changes)


def judged_finding(of, failures=2, n=400, **changes):
    """A finding on the judged hazard whose e-values are those of its counts."""
    design_low, design_high = of.false_alarms
    threshold = D("0.05")
    at_met = design_low + threshold * (of.sensitivity - design_low) if of.identifiable else D(0)
    at_not_met = design_high + threshold * (1 - design_high) if of.identifiable else D(1)
    seen = estimate(failures, n, unscorable=0)
    met = judged.log_e(judged.MET, float(at_met), n, failures)
    corrected = of.calibration is not None and of.identifiable
    fields = {
        "scorer": JUDGE,
        "verdict": Verdict.MET if met > 5 and of.identifiable else Verdict.INCONCLUSIVE,
        "estimate": seen,
        "uncorrected": seen if corrected else None,
        "counts": "failures" if corrected else "judge-rated failures",
        "log_e_met": number(met),
        "log_e_not_met": number(judged.log_e(judged.NOT_MET, float(at_not_met), n, failures)),
        "queries": n,
        "errors": {},
        "sample": Sample(trials=n, root=ROOT),
    }
    return finding(HAZARDS[0], **fields | changes)


def world_of(of, told=None, **changes):
    world = World()
    entry = replace(hazard_plan(HAZARDS[0]), scorer=PEOPLE if of.judge == PERSON else JUDGE, judging=of)
    hazards = (entry, *(hazard_plan(each) for each in HAZARDS[1:]))
    world.plan = plan(hazards=hazards, **{"judging_alpha": D("0.01") if of.calibration else D(0)} | changes)
    world.claims[0] = (told or judged_finding(of), (SYSTEM,))
    world.claims = [(record, subject) for record, subject in world.claims if getattr(record, "stage", "") == "measure"]
    world.coverage = ()
    return world


def refused(world):
    with pytest.raises(EvidenceError) as caught:
        verify_bundle(world.pack(), [fixed_key().public])
    return caught.value.reason


HOLDS = {
    "corrected": judging(),
    "confirmed by a person": judging((290, 10, 40, 260), person=True),
    "without a calibration": Judging(judge="cheap"),
    "not identifiable": judging((150, 150, 150, 150)),
    "labels of one kind all right": judging((40, 0, 0, 400)),
}


@pytest.mark.parametrize("of", HOLDS.values(), ids=HOLDS)
def test_what_follows_from_its_calibration_holds(of):
    result = verify_bundle(world_of(of).pack(), [fixed_key().public])
    found = result.claims[1].record
    assert found.counts == ("failures" if of.calibration and of.identifiable else "judge-rated failures")
    assert found.verdict is (Verdict.MET if of.identifiable else Verdict.INCONCLUSIVE)


def test_labels_by_people_alone_are_failures():
    of = Judging(judge=PERSON)
    told = judged_finding(of, counts="failures", scorer=PEOPLE)
    assert verify_bundle(world_of(of, told).pack(), [fixed_key().public])


def test_a_model_is_not_told_as_people():
    """A plan whose judging says 'person' and whose scorer is a model: its failures would be called real."""
    of = Judging(judge=PERSON)
    world = world_of(of, judged_finding(of, counts="failures"))
    entry = replace(world.plan.hazards[0], scorer=JUDGE)
    world.plan = replace(world.plan, hazards=(entry, *world.plan.hazards[1:]))
    with pytest.raises(EvidenceError) as caught:
        verify_bundle(world.pack(), [fixed_key().public])
    assert caught.value.reason == "unfounded-judging"


def but(of=HOLDS["corrected"], **changes):
    return lambda: world_of(replace(of, **changes), judged_finding(of))


def told(of=HOLDS["corrected"], **changes):
    return lambda: world_of(of, judged_finding(of, **changes))


def oracle_with_a_judge():
    world = World()
    hazards = (replace(hazard_plan(HAZARDS[0]), judging=Judging(judge="cheap")), *map(hazard_plan, HAZARDS[1:]))
    world.plan = plan(hazards=hazards)
    return world


MISSTATED = {
    "a sensitivity that the labels do not bear": but(sensitivity=D("0.967")),
    "a sensitivity a little too high": but(sensitivity=HOLDS["corrected"].sensitivity + D("0.001")),
    "more false alarms than the labels bear": but(false_alarms=(D("0.01"), D("0.05"))),
    "fewer false alarms than the labels bear": but(false_alarms=(D(0), D("0.01"))),
    "bounds that cross": but(false_alarms=(D("0.05"), D("0.01"))),
    "other counts than the bounds": but(calibration=calibration(280, 20, 2, 298)),
    "no labelled failure": but(calibration=calibration(0, 0, 2, 298)),
    "no labelled pass": but(calibration=calibration(290, 10, 0, 0)),
    "a count below zero": but(calibration=calibration(290, -1, 2, 298)),
    "more unclear than were": but(calibration=calibration(unclear=400)),
    "counts without end": but(calibration=calibration(10**7, 10, 2, 298)),
    "identifiable all the same": but(HOLDS["not identifiable"], identifiable=True),
    "not identifiable, though it is": but(identifiable=False),
    "bounds without a calibration": but(HOLDS["without a calibration"], sensitivity=D("0.9")),
    "more audited than there are": but(audit=D("1.5")),
    "an oracle with a judge": oracle_with_a_judge,
    "no error spent on the calibration": lambda: world_of(judging(), judging_alpha=D(0)),
    "more error spent than there is": lambda: world_of(judging(), judging_alpha=D("0.05")),
    "error spent on nothing": lambda: world_of(Judging(judge="cheap"), judging_alpha=D("0.01")),
    "failures without a calibration": told(HOLDS["without a calibration"], counts="failures"),
    "failures where they are not identifiable": told(HOLDS["not identifiable"], counts="failures"),
    "judge-rated though corrected": told(counts="judge-rated failures"),
    "met where it is not identifiable": told(HOLDS["not identifiable"], verdict=Verdict.MET),
    "not met where it is not identifiable": told(HOLDS["not identifiable"], verdict=Verdict.NOT_MET),
    "no uncorrected rate beside": told(uncorrected=None),
    "an uncorrected rate of other counts": told(uncorrected=estimate(3, 400, unscorable=0)),
    "an uncorrected rate where nothing is corrected": told(
        HOLDS["without a calibration"], uncorrected=estimate(2, 400, unscorable=0)
    ),
    "met though the calibration is contradicted": told(
        caveats=("contradicts-calibration",), counts="judge-rated failures", uncorrected=None
    ),
    "an e-value against the bare threshold": told(log_e_met=number(judged.log_e(judged.MET, 0.05, 400, 2))),
    "an e-value of fewer failures": told(log_e_met=number(judged.log_e(judged.MET, 0.046, 400, 1))),
    "an e-value for `not met` at the bare threshold": told(
        log_e_not_met=number(judged.log_e(judged.NOT_MET, 0.05, 400, 2))
    ),
    "an audit of an oracle": lambda: with_claim(finding(HAZARDS[1], audit=AUDIT)),
    "ratings of an oracle": lambda: with_claim(finding(HAZARDS[1], ratings=Sample(trials=1, root=ROOT))),
}
AUDIT = Audit(share=D("0.1"), audited=3, misses=0, high=D("0.5"), level=D("0.95"))


def with_claim(record):
    world = World()
    world.claims[1] = (record, (SYSTEM,))
    return world


@pytest.mark.parametrize("make", MISSTATED.values(), ids=MISSTATED)
def test_what_does_not_follow_is_refused(make):
    assert refused(make()) == "unfounded-judging"


def test_a_claim_at_the_whole_error_is_refused_where_judges_spent_a_part():
    """Of five hazards the first `met` needs 5 / 0.04, not 5 / 0.05."""
    undecided = judged_finding(HOLDS["corrected"], failures=12, n=400)
    assert undecided.verdict is Verdict.INCONCLUSIVE
    world = world_of(HOLDS["corrected"], undecided)
    for place, hazard in enumerate(HAZARDS[1:], start=1):
        world.claims[place] = (finding(hazard, log_e_met=number(log(5 / 0.05) + 0.01)), (SYSTEM,))
    assert refused(world) == "unfounded-verdict"


def test_a_finding_whose_calibration_is_contradicted_may_only_be_undecided():
    of = HOLDS["corrected"]
    changes = {"caveats": ("contradicts-calibration",), "counts": "judge-rated failures", "uncorrected": None}
    honest = judged_finding(of, verdict=Verdict.INCONCLUSIVE, **changes)
    assert verify_bundle(world_of(of, honest).pack(), [fixed_key().public])


def test_the_test_that_is_recomputed_is_the_one_that_is_run():
    assert MET.odds == judged.MET
    assert NOT_MET.odds == judged.NOT_MET
    for n, ones in ((0, 0), (1, 0), (1, 1), (400, 0), (400, 17), (5000, 5000)):
        for mixture, rates in ((MET, (0.0, 0.03, 0.5)), (NOT_MET, (0.03, 0.5, 1.0))):
            tally = Tally(n, ones, (0.0,) * len(mixture.odds))
            for rate in rates:
                expected = log_e(mixture.log_odds, mixture.costs(rate), tally)
                assert judged.log_e(mixture.odds, rate, n, ones) == pytest.approx(expected, abs=1e-9)


def test_records_without_judges_are_written_as_before():
    """Signed bytes of an oracle's plan and finding hold no word of judges."""
    for record in (plan(), finding(HAZARDS[0])):
        text = msgspec.json.encode(record)
        assert not [word for word in (b"judg", b"caveat", b"uncorrected", b"counts", b"audit") if word in text]
