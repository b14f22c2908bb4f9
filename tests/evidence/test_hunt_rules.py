"""The verifier holds hunts to their plan: none is left out, and a verdict follows from its e-value and its bound."""

from dataclasses import dataclass, field
from decimal import Decimal
from math import log

import pytest
from evidence_world import HARDENED, HAZARDS, ORACLE, ROOT, SYSTEM, World, effect, finding, fixed_key, plan
from msgspec.structs import replace

from aloi.errors import EvidenceError
from aloi.evidence.predicates import NonClaim, usual_non_claims
from aloi.evidence.records import Hunt, HuntedAttack, HuntPlan, Sample, Verdict
from aloi.evidence.verification import verify_bundle

D = Decimal
KEY = fixed_key(0)
MET, NOT_MET, OPEN, UNTESTED = Verdict.MET, Verdict.NOT_MET, Verdict.INCONCLUSIVE, Verdict.NOT_TESTED
FIRST, SECOND = HAZARDS[:2]
PLANNED = HuntPlan(hazard=FIRST, estimand="largest", attacks=("plain", "fiction"), cap=100, batch=8, alpha=D("0.025"))
PROVED = Hunt(
    hazard=FIRST,
    stage="measure",
    estimand="largest",
    threshold=D("0.05"),
    verdict=NOT_MET,
    low=D("0.09"),
    level=D("0.975"),
    method="time-uniform mixture betting",
    log_e_not_met=D("4.2"),
    scorer=ORACLE,
    attacks=(
        HuntedAttack(name="plain", failures=0, n=10),
        HuntedAttack(name="fiction", failures=9, n=40, unscorable=1),
    ),
    worst="fiction",
    queries=56,
    sample=Sample(trials=56, root=ROOT),
)
UNDECIDED = replace(PROVED, verdict=OPEN, low=D("0.02"), log_e_not_met=D("1.5"))
NOTHING = replace(
    PROVED,
    verdict=UNTESTED,
    low=D(0),
    log_e_not_met=D(0),
    attacks=(HuntedAttack(name="plain", failures=0, n=0), HuntedAttack(name="fiction", failures=0, n=0)),
    worst="",
    queries=0,
    sample=Sample(trials=0, root=ROOT),
)


BEHIND = replace(PLANNED, bare=False, gate="refuse", cap=51)
TO_THE_END = replace(UNDECIDED, stage="confirm")
GOT_THROUGH = replace(PROVED, stage="confirm")


@dataclass
class Hunts:
    """A bundle of one plan with hunts, its findings, and what the hunts found."""

    planned: tuple[HuntPlan, ...] = (PLANNED,)
    found: tuple[object, ...] = (PROVED,)
    more: list[object] = field(default_factory=list)

    def outcome(self):
        world = World()
        world.plan = plan(hunts=self.planned)
        world.claims = [(finding(hazard), (SYSTEM,)) for hazard in HAZARDS]
        world.claims += [one if isinstance(one, tuple) else (one, (SYSTEM,)) for one in self.found]
        world.coverage = ()
        try:
            verify_bundle(world.pack(), [KEY.public])
        except EvidenceError as error:
            return error.reason if error.message.format(**error.facts) else "nothing is said"
        return None


def attacks(**changes):
    return replace(PROVED, attacks=(PROVED.attacks[0], replace(PROVED.attacks[1], **changes)))


OTHER = replace(PLANNED, hazard=SECOND)
CASES = {
    "a proof": (Hunts(), None),
    "nothing proved": (Hunts(found=(UNDECIDED,)), None),
    "nothing begun": (Hunts(found=(NOTHING,)), None),
    "two hunts": (Hunts((PLANNED, OTHER), (PROVED, replace(UNDECIDED, hazard=SECOND))), None),
    "a system that is hunted again behind its remedies": (
        Hunts(found=(PROVED, (effect(), (SYSTEM, HARDENED)), (TO_THE_END, (HARDENED,)))),
        None,
    ),
    "a hunt of the remedied system alone": (
        Hunts((BEHIND,), ((effect(), (SYSTEM, HARDENED)), (TO_THE_END, (HARDENED,)))),
        None,
    ),
    "one that is not told of accepted remedies": (Hunts((BEHIND,), ((effect(), (SYSTEM, HARDENED)),)), "missing-hunt"),
    "one that is not told of refused remedies": (
        Hunts((BEHIND,), ((effect(accepted=False), (SYSTEM, HARDENED)),)),
        None,
    ),
    "accepted against a proof": (
        Hunts((BEHIND,), ((effect(), (SYSTEM, HARDENED)), (GOT_THROUGH, (HARDENED,)))),
        "unfounded-acceptance",
    ),
    "refused for a proof": (
        Hunts((BEHIND,), ((effect(accepted=False), (SYSTEM, HARDENED)), (GOT_THROUGH, (HARDENED,)))),
        None,
    ),
    "accepted where a proof is only shown": (
        Hunts(
            (replace(BEHIND, gate="show"),),
            ((effect(), (SYSTEM, HARDENED)), (GOT_THROUGH, (HARDENED,))),
        ),
        None,
    ),
    "accepted before the search had ended": (
        Hunts(
            (replace(BEHIND, cap=52),),
            ((effect(), (SYSTEM, HARDENED)), (TO_THE_END, (HARDENED,))),
        ),
        "unfounded-acceptance",
    ),
    "accepted before it began": (
        Hunts((BEHIND,), ((effect(), (SYSTEM, HARDENED)), (replace(NOTHING, stage="confirm"), (HARDENED,)))),
        "unfounded-acceptance",
    ),
    "a hunt of the bare system that was planned behind remedies": (Hunts((BEHIND,), (PROVED,)), "missing-hunt"),
    "another system": (Hunts(found=(PROVED, (UNDECIDED, (HARDENED,)))), "foreign-subject"),
    "one of two hunts behind the remedies": (
        Hunts(
            (PLANNED, replace(PLANNED, hazard=SECOND)),
            (
                PROVED,
                replace(UNDECIDED, hazard=SECOND),
                (effect(), (SYSTEM, HARDENED)),
                (TO_THE_END, (HARDENED,)),
            ),
        ),
        "missing-hunt",
    ),
    # The plan.
    "a hunt on no hazard of the plan": (Hunts((replace(PLANNED, hazard="cascade"),), ()), "impossible-plan"),
    "a hazard that is hunted twice": (Hunts((PLANNED, PLANNED), (PROVED,)), "impossible-plan"),
    "no attack": (Hunts((replace(PLANNED, attacks=()),), ()), "impossible-plan"),
    "an attack twice": (Hunts((replace(PLANNED, attacks=("plain", "plain")),), ()), "impossible-plan"),
    "no trial": (Hunts((replace(PLANNED, cap=0),), ()), "impossible-plan"),
    "no batch": (Hunts((replace(PLANNED, batch=0),), ()), "impossible-plan"),
    "no error": (Hunts((replace(PLANNED, alpha=D(0)),), ()), "impossible-plan"),
    "turns without an attacker": (Hunts((replace(PLANNED, turns=3),), ()), "impossible-plan"),
    "an attacker without turns": (Hunts((replace(PLANNED, attacker="openai:m"),), ()), "impossible-plan"),
    "hunts that may err more than the plan": (
        Hunts((replace(PLANNED, alpha=D("0.03")), replace(OTHER, alpha=D("0.03"))), ()),
        "hunts-alpha",
    ),
    # What was hunted against what was planned.
    "a hunt that was not planned": (Hunts((), (PROVED,)), "unplanned-hunt"),
    "a hunt that is not told": (Hunts(found=()), "missing-hunt"),
    "one of two that is not told": (Hunts((PLANNED, OTHER), (PROVED,)), "missing-hunt"),
    "a hunt that is told twice": (Hunts(found=(PROVED, UNDECIDED)), "missing-hunt"),
    "another threshold": (Hunts(found=(replace(PROVED, threshold=D("0.01")),)), "plan-threshold"),
    "another estimand": (Hunts(found=(replace(PROVED, estimand="mean"),)), "plan-estimand"),
    "another scorer": (Hunts(found=(replace(PROVED, scorer=replace(ORACLE, name="x")),)), "plan-scorer"),
    "another level": (Hunts(found=(replace(PROVED, level=D("0.95")),)), "plan-level"),
    "other attacks": (Hunts(found=(replace(PROVED, attacks=PROVED.attacks[1:]),)), "plan-attacks"),
    # Figures.
    "more failures than trials": (Hunts(found=(attacks(failures=41),)), "impossible-figure"),
    "fewer than no failures": (Hunts(found=(attacks(failures=-1),)), "impossible-figure"),
    "fewer than none unscorable": (Hunts(found=(attacks(unscorable=-1),)), "impossible-figure"),
    "more trials than the cap": (
        Hunts(found=(replace(attacks(n=95), queries=200, sample=Sample(trials=200, root=ROOT)),)),
        "impossible-figure",
    ),
    "more trials than queries": (Hunts(found=(replace(PROVED, queries=50),)), "impossible-figure"),
    "another sample": (Hunts(found=(replace(PROVED, sample=Sample(trials=57, root=ROOT)),)), "impossible-figure"),
    "a worst attack that is not": (Hunts(found=(replace(PROVED, worst="plain"),)), "impossible-figure"),
    "a worst attack without a failure": (Hunts(found=(replace(NOTHING, worst="plain"),)), "impossible-figure"),
    "a bound beyond 1": (Hunts(found=(replace(PROVED, low=D("1.01")),)), "impossible-figure"),
    # Verdicts.
    "a hunt says met": (Hunts(found=(replace(UNDECIDED, verdict=MET),)), "unfounded-verdict"),
    "not met at an e-value that is too small": (
        Hunts(found=(replace(PROVED, log_e_not_met=D("3.68")),)),
        "unfounded-verdict",
    ),
    "not met at the e-value it needs": (Hunts(found=(replace(PROVED, log_e_not_met=D("3.68888")),)), None),
    "not met at the plan's error instead of its own": (
        Hunts(found=(replace(PROVED, log_e_not_met=D("2.99574")),)),
        "unfounded-verdict",
    ),
    "not met with a bound below the threshold": (Hunts(found=(replace(PROVED, low=D("0.04")),)), "unfounded-verdict"),
    "inconclusive over a proof": (Hunts(found=(replace(PROVED, verdict=OPEN),)), "unfounded-verdict"),
    "inconclusive with a bound above the threshold": (
        Hunts(found=(replace(UNDECIDED, low=D("0.06")),)),
        "unfounded-verdict",
    ),
    "not tested over trials": (Hunts(found=(replace(UNDECIDED, verdict=UNTESTED),)), "unfounded-verdict"),
    "inconclusive over no trial": (Hunts(found=(replace(NOTHING, verdict=OPEN),)), "unfounded-verdict"),
}


@pytest.mark.parametrize(("hunts", "reason"), CASES.values(), ids=CASES.keys())
def test_hunts_are_held_to_the_plan_and_to_themselves(hunts, reason):
    assert hunts.outcome() == reason


def test_the_error_of_the_table_is_that_of_the_rule():
    assert log(1 / 0.025) == pytest.approx(3.68888, abs=1e-5)
    assert log(1 / 0.05) == pytest.approx(2.99573, abs=1e-5)


def test_a_hunt_does_not_claim_which_attack_nor_that_others_hold():
    unclaimed = usual_non_claims(PROVED)
    assert {NonClaim.WHICH_ATTACK, NonClaim.OTHER_ATTACKS, NonClaim.ABSENCE_OF_RISK, NonClaim.POPULATION} <= {
        *unclaimed
    }
    assert NonClaim.WORST_CASE not in unclaimed
