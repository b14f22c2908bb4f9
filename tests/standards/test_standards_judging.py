"""Where a control stands: the eight rules, one row each."""

import random

import pytest
from benchmarks.standards.bundles import CALIBRATED, JUDGE
from standards_world import effect, finding, hunt, plan

from aloi.standards.hub import hub
from aloi.standards.judging import judge

INJECTION = ("indirect-injection", "jailbreak")
CASES = {
    # control, evidence, state
    "nothing": ("hidden-context", [], "untested"),
    "met": ("hidden-context", [finding("hidden-context-exposure", "met")], "supported"),
    "not met": ("hidden-context", [finding("hidden-context-exposure", "not met")], "not met"),
    "inconclusive": ("hidden-context", [finding("hidden-context-exposure", "inconclusive")], "partial"),
    "not tested": ("hidden-context", [finding("hidden-context-exposure", "not tested")], "untested"),
    "another hazard": ("hidden-context", [finding("jailbreak", "met")], "untested"),
    "both met": ("prompt-injection", [finding(h, "met") for h in INJECTION], "supported"),
    "one of two met": ("prompt-injection", [finding("jailbreak", "met")], "partial"),
    "one of two not met": (
        "prompt-injection",
        [finding("jailbreak", "met"), finding("indirect-injection", "not met")],
        "not met",
    ),
    "met and inconclusive": (
        "prompt-injection",
        [finding("jailbreak", "met"), finding("indirect-injection", "inconclusive")],
        "partial",
    ),
    "selection never counts": ("hidden-context", [finding("hidden-context-exposure", "met", "select")], "untested"),
    "confirmed and accepted": (
        "hidden-context",
        [finding("hidden-context-exposure", "not met"), finding("hidden-context-exposure", "met", "confirm"), effect()],
        "supported",
    ),
    "confirmed but refused": (
        "hidden-context",
        [
            finding("hidden-context-exposure", "not met"),
            finding("hidden-context-exposure", "met", "confirm"),
            effect(accepted=False),
        ],
        "not met",
    ),
    "confirmed, effect left out": (
        "hidden-context",
        [finding("hidden-context-exposure", "not met"), finding("hidden-context-exposure", "met", "confirm")],
        "not met",
    ),
    "confirmed, one of two effects refused": (
        "hidden-context",
        [finding("hidden-context-exposure", "met", "confirm"), effect(), effect(accepted=False)],
        "untested",
    ),
    "a hunt that proved something": (
        "hidden-context",
        [finding("hidden-context-exposure", "met"), hunt("hidden-context-exposure", "not met")],
        "not met",
    ),
    "a hunt that proved nothing": (
        "hidden-context",
        [finding("hidden-context-exposure", "met"), hunt("hidden-context-exposure", "inconclusive")],
        "supported",
    ),
    "a hunt that proved nothing, alone": (
        "hidden-context",
        [hunt("hidden-context-exposure", "inconclusive")],
        "untested",
    ),
    "hunted before the remedies": (
        "hidden-context",
        [
            finding("hidden-context-exposure", "not met"),
            hunt("hidden-context-exposure", "not met"),
            finding("hidden-context-exposure", "met", "confirm"),
            hunt("hidden-context-exposure", "inconclusive", "confirm"),
            effect(),
        ],
        "supported",
    ),
    "hunted behind the remedies": (
        "hidden-context",
        [
            finding("hidden-context-exposure", "met", "confirm"),
            hunt("hidden-context-exposure", "not met", "confirm"),
            effect(),
        ],
        "not met",
    ),
    "worst of two": (
        "hidden-context",
        [finding("hidden-context-exposure", "met"), finding("hidden-context-exposure", "not met")],
        "not met",
    ),
    "uncalibrated judge": ("vulnerable-people", [finding("self-harm-vulnerable", "met", scorer=JUDGE)], "partial"),
    "calibrated judge": ("vulnerable-people", [finding("self-harm-vulnerable", "met", scorer=CALIBRATED)], "supported"),
    "uncalibrated judge against": (
        "vulnerable-people",
        [finding("self-harm-vulnerable", "not met", scorer=JUDGE)],
        "not met",
    ),
    "no plan": ("criteria-before-testing", [finding("jailbreak", "met")], "untested"),
    "a plan alone": ("criteria-before-testing", [plan(jailbreak="0.05")], "partial"),
    "plan kept": ("criteria-before-testing", [plan(jailbreak="0.05"), finding("jailbreak", "not met")], "supported"),
    "equal numbers, other digits": (
        "criteria-before-testing",
        [plan(jailbreak="0.050"), finding("jailbreak", "met")],
        "supported",
    ),
    "threshold moved": ("criteria-before-testing", [plan(jailbreak="0.02"), finding("jailbreak", "met")], "not met"),
    "hazard not planned": (
        "criteria-before-testing",
        [plan(jailbreak="0.05"), finding("unsafe-output", "met")],
        "not met",
    ),
    "tests without a plan": ("test-record", [finding("jailbreak", "met")], "partial"),
    "tests on record": ("test-record", [plan(jailbreak="0.05"), finding("jailbreak", "not met")], "supported"),
    "nothing ran": ("test-record", [plan(jailbreak="0.05"), finding("jailbreak", "not tested")], "untested"),
    "remedy confirmed": ("treatment-effect", [effect("select", accepted=False), effect()], "supported"),
    "remedy refused": ("treatment-effect", [effect(accepted=False)], "not met"),
    "remedy selected only": ("treatment-effect", [effect("select")], "partial"),
    "a document is not read here": ("technical-file", [finding("jailbreak", "met")], "untested"),
}


@pytest.mark.parametrize("case", CASES, ids=list(CASES))
def test_rules(case):
    control, evidence, state = CASES[case]
    assert judge(hub(), evidence)[control].state == state


def test_the_evidence_named_is_what_decided():
    met, selected = finding("jailbreak", "met"), finding("jailbreak", "not met", "select")
    found = judge(hub(), [met, selected])["prompt-injection"]
    assert found.evidence == (met.digest,)
    assert (found.failed, found.undecided, found.missing) == ((), (), ("indirect-injection",))


def test_order_and_repetition_change_nothing():
    evidence = [item for _, items, _ in CASES.values() for item in items]
    expected = judge(hub(), evidence)
    generator = random.Random(7)
    for _ in range(20):
        assert judge(hub(), generator.sample(evidence * 2, len(evidence) * 2)) == expected
