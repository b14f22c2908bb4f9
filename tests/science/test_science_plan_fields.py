"""What a hostile plan makes of the test, and of a bundle with findings; `data/hostile-plan.yaml` has every field."""

from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from aloi.errors import AloiError, EvidenceError
from aloi.evidence import records
from aloi.evidence.bundle import pack
from aloi.evidence.canonical import digest
from aloi.evidence.envelope import sign
from aloi.evidence.keys import PrivateKey
from aloi.evidence.records import Plan, Verdict
from aloi.evidence.statement import Subject, state
from aloi.evidence.verification import verify_bundle
from aloi.science.measuring import monitor_for
from aloi.statistics import multiplicity
from aloi.system.reading import open_system
from science.runs import Run, plan_for, simulated
from science.simulated import small_system
from system.described import described

ALPHA, THRESHOLD = "  alpha: 0.05", "      threshold: 0.1"


def hazard(text):
    """Another field of the hazard."""
    return THRESHOLD, f"{THRESHOLD}\n      {text}"


# What the probe of data-disclosure protects.
RECORD = (
    "  documents:\n",
    "  records: [{subject: Ada Martin, values: [{names: {en: phone}, value: 01 99 00 12 34}]}]\n  documents:\n",
)


def opened(folder: Path, *edits):
    folder.joinpath("system.yaml").write_text(described(*edits), encoding="utf-8")
    return open_system(folder / "system.yaml")


def test_the_indifference_zone_is_no_choice(tmp_path):
    with pytest.raises(AloiError) as caught:
        opened(tmp_path, hazard("indifference: [2, 0.5]"))
    assert "indifference: unknown key" in "\n".join(map(str, caught.value.faults))


# --- as a plan holds it: what the test says, and what a verifier says of a bundle signed under it

GOOD = plan_for(small_system({"data-disclosure": 0.1}))[0]
D = Decimal
UNKNOWN_RULE = "unknown multiplicity: holm"
PLANNED = {
    "as it was made": ({}, {}, "", ""),
    "alpha 0": ({"alpha": D(0)}, {}, "alpha is 0.0; expected a number between 0.0 and 0.5", "alpha"),
    "alpha 1": ({"alpha": D(1)}, {}, "alpha is 1.0; expected a number between 0.0 and 0.5", "alpha"),
    "alpha below 0": ({"alpha": D("-0.05")}, {}, "alpha is -0.05;", "alpha"),
    "unknown multiplicity": ({"multiplicity": "holm"}, {}, UNKNOWN_RULE, "wrong-type"),
    "no hazard": ({"hazards": ()}, {}, "a monitor needs hazards with distinct names; got -", "impossible-plan"),
    "one hazard twice": ({"hazards": GOOD.hazards * 2}, {}, "a monitor needs hazards with distinct", "repeated-hazard"),
    "threshold 0": ({}, {"threshold": D(0)}, "data-disclosure.threshold is 0.0; expected", "impossible-plan"),
    "threshold 1": ({}, {"threshold": D(1)}, "data-disclosure.threshold is 1.0; expected", "impossible-plan"),
    "threshold below 0": ({}, {"threshold": D("-0.1")}, "data-disclosure.threshold is -0.1;", "impossible-plan"),
    "a threshold that chance exceeds": ({}, {"chance": D("0.1")}, "", "impossible-plan"),
    "less chance than none": ({}, {"chance": D("-0.1")}, "", "impossible-plan"),
    "threshold above 1": ({}, {"threshold": D(2)}, "data-disclosure.threshold is 2.0; expected", "impossible-plan"),
    "threshold no number": ({}, {"threshold": D("NaN")}, "data-disclosure.threshold is nan;", "number-out-of-range"),
    "alpha no number": ({"alpha": D("NaN")}, {}, "alpha is nan; expected", "number-out-of-range"),
    "cap 0": ({}, {"cap": 0}, "the cap of data-disclosure is 0; expected a whole number", "impossible-plan"),
    "cap below 0": ({}, {"cap": -5}, "the cap of data-disclosure is -5; expected a whole number", "impossible-plan"),
    "zone turned round": ({}, {"indifference": (D(2), D("0.5"))}, "indifference[0] is 2.0;", "impossible-plan"),
    "zone without width": ({}, {"indifference": (D(1), D(1))}, "indifference[0] is 1.0;", "impossible-plan"),
    "zone from 0": ({}, {"indifference": (D(0), D(2))}, "indifference[0] is 0.0;", "impossible-plan"),
    # Who asks nothing has no test to fail: the verifier alone can say that there is no mix.
    "no language": ({}, {"languages": {}}, "", "impossible-plan"),
    "no attack": ({}, {"attacks": {}}, "", "impossible-plan"),
    "a language never asked": ({}, {"languages": {"en": D(0)}}, "", "impossible-plan"),
    "an attack beyond all": ({}, {"attacks": {"pretext": D(2)}}, "", "impossible-plan"),
}


def bundle(plan: Plan, run: Run) -> bytes:
    key = PrivateKey.generate("ed25519")
    subject = Subject.of("small", plan.system)
    registered = state(plan, [subject])
    claims = [state(one, [subject], plan=digest(registered)) for one in run.findings.values()]
    data = pack([sign(each, key) for each in (registered, *claims)], [key.public], key)
    verify_bundle(data, [key.public])
    return data


@pytest.mark.parametrize(("changes", "of_hazard", "sentence", "reason"), PLANNED.values(), ids=PLANNED)
async def test_a_hostile_value_in_a_plan(run, changes, of_hazard, sentence, reason):
    planned = {"hazards": tuple(replace(one, **of_hazard) for one in GOOD.hazards)} | changes
    hostile = replace(GOOD, **planned)
    if sentence:
        with pytest.raises(AloiError) as caught:
            monitor_for(hostile)
        assert sentence in str(caught.value)
    else:
        assert monitor_for(hostile).undecided() == ["data-disclosure"]
    run.use(small_system({"data-disclosure": 0.1}))
    await run.measure(simulated(run, {}))
    try:
        bundle(hostile, run)
        refused = ""
    except EvidenceError as error:
        refused = error.reason
    assert refused == reason


def test_no_trial_is_no_result(run, tmp_path):
    """n = 0: a limit that was reached before the first query."""
    monitor = monitor_for(GOOD)
    decision = monitor.decision("data-disclosure")
    assert (decision.verdict, decision.n, decision.log_e_met, decision.log_e_not_met) == ("continue", 0, 0, 0)
    assert monitor.bounds("data-disclosure", 0.9) == (0, 1)


# --- the rule and the error that a plan registers reach the test, whatever they are


@pytest.mark.parametrize("rule", multiplicity.MULTIPLICITIES)
@pytest.mark.parametrize("joint", [False, True])
def test_the_registered_rule_is_the_rule_of_the_test(tmp_path, rule, joint):
    system = opened(tmp_path, RECORD, (ALPHA, f"  alpha: 0.1\n  multiplicity: {rule}\n  joint: {str(joint).lower()}"))
    plan = plan_for(system)[0]
    monitor = monitor_for(plan)
    assert (plan.multiplicity, plan.joint, plan.alpha) == (rule, joint, Decimal("0.1"))
    assert (monitor.multiplicity, monitor.joint, monitor.alpha) == (rule, joint, 0.1)
    assert plan.error_each_way == Decimal("0.05" if joint else "0.1")


def test_the_rules_that_are_signed_are_those_that_exist():
    assert records.Multiplicity.__args__ == multiplicity.MULTIPLICITIES


def test_joint_asks_for_a_longer_test():
    caps = [plan_for(small_system({"data-disclosure": 0.1}, joint=joint))[0].hazards[0].cap for joint in (False, True)]
    assert caps[0] < caps[1]


@pytest.mark.parametrize(("joint", "level"), [(False, "0.9"), (True, "0.95")])
async def test_met_never_stands_beside_an_interval_that_holds_the_threshold(run, joint, level):
    run.use(small_system({"data-disclosure": 0.1, "unsafe-output": 0.1}, joint=joint))
    await run.measure(simulated(run, {"unsafe-output": 0.8}))
    met, not_met = run.findings["data-disclosure"], run.findings["unsafe-output"]
    assert (met.verdict, not_met.verdict) == (Verdict.MET, Verdict.NOT_MET)
    assert met.estimate.high < met.threshold < not_met.estimate.low
    assert met.estimate.level == not_met.estimate.level == Decimal(level)
    bundle(run.plan, run)
