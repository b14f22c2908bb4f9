"""The verifier recomputes the rule that a plan registers, and refuses parts that no measurement can give."""

from decimal import Decimal

import msgspec
import pytest
from evidence_world import HAZARDS, SYSTEM, World, benign, estimate, finding, fixed_key, interval, plan

from aloi.errors import EvidenceError
from aloi.evidence.records import Cell, Contrast, Estimate, Exploration, Stratum, Verdict
from aloi.evidence.verification import verify_bundle

KEY = fixed_key(0)
MET, NOT_MET, UNDECIDED = Verdict.MET, Verdict.NOT_MET, Verdict.INCONCLUSIVE


def outcome(world):
    try:
        verify_bundle(world.pack(), [KEY.public])
    except EvidenceError as error:
        return error.reason if error.message.format(**error.facts) else "nothing is said"
    return None


def family(rule, verdicts, *, joint=False):
    """A bundle of five hazards whose first stage has these (verdict, log e-value), under `rule`."""
    world = World()
    world.plan = plan(multiplicity=rule, joint=joint)
    world.claims = []
    for hazard, (verdict, log_e) in zip(HAZARDS, verdicts, strict=True):
        facts = {"log_e_met" if verdict is MET else "log_e_not_met": Decimal(str(log_e))}
        world.claims.append((finding(hazard, verdict=verdict, **facts), (SYSTEM,)))
    world.coverage = ()
    return world


# alpha is 0.05 over five hazards: log(5 / 0.05) = 4.6052, log(4 / 0.05) = 4.3820, log(3 / 0.05) = 4.0943,
# log(2 / 0.05) = 3.6889, log(1 / 0.05) = 2.9957. Halved alpha adds log 2 = 0.6931 to each.
LADDER = [4.6052, 4.3821, 4.0944, 3.6889, 2.9958]
ALTERNATING = [(MET if i % 2 else NOT_MET, log_e) for i, log_e in enumerate(LADDER)]
OPEN = (UNDECIDED, 0)
RULES = {
    "Holm per family: each met at its rank": ("holm_per_family", [(MET, e) for e in LADDER], False, None),
    "Holm per family: directions do not help each other": ("holm_per_family", ALTERNATING, False, "unfounded-verdict"),
    "directional Holm: they do": ("holm_directional", ALTERNATING, False, None),
    "directional Holm, whatever the order of the hazards": ("holm_directional", ALTERNATING[::-1], False, None),
    "directional Holm: the strongest misses it": (
        "holm_directional",
        [(MET, 4.6), *ALTERNATING[1:]],
        False,
        "unfounded-verdict",
    ),
    "directional Holm: the weakest misses it": (
        "holm_directional",
        [*ALTERNATING[:4], (NOT_MET, 2.99)],
        False,
        "unfounded-verdict",
    ),
    "Bonferroni: each at m / alpha": ("bonferroni", [(MET, 4.6052)] * 4 + [(NOT_MET, 4.6052)], False, None),
    "Bonferroni: no rank helps": ("bonferroni", [(MET, e) for e in LADDER], False, "unfounded-verdict"),
    "joint Holm: half of alpha": (
        "holm_per_family",
        [(MET, round(e + 0.6932, 4)) for e in LADDER],
        True,
        None,
    ),
    "joint Holm: all of alpha is too much": ("holm_per_family", [(MET, e) for e in LADDER], True, "unfounded-verdict"),
    "joint Bonferroni": ("bonferroni", [(MET, 5.2984)] * 5, True, None),
    "joint Bonferroni: too small": ("bonferroni", [(MET, 5.298)] * 5, True, "unfounded-verdict"),
    "joint directional": ("holm_directional", [(MET, 5.2984), (NOT_MET, 5.0752), OPEN, OPEN, OPEN], True, None),
    "joint directional: too small": (
        "holm_directional",
        [(MET, 5.2984), (NOT_MET, 5.07), OPEN, OPEN, OPEN],
        True,
        "unfounded-verdict",
    ),
    "an e-value of nothing": ("bonferroni", [(MET, -700)] * 5, False, "unfounded-verdict"),
}


@pytest.mark.parametrize(("rule", "verdicts", "joint", "reason"), RULES.values(), ids=RULES)
def test_claims_by_the_rule_of_the_plan(rule, verdicts, joint, reason):
    assert outcome(family(rule, verdicts, joint=joint)) == reason


@pytest.mark.parametrize(("rule", "reason"), [("holm_uniform", "wrong-type"), ("", "wrong-type"), (None, "wrong-type")])
def test_a_rule_that_nobody_knows_is_refused(rule, reason):
    assert outcome(family(rule, [OPEN] * 5)) == reason


def test_leaving_out_a_hazard_at_a_later_stage_makes_no_claim_easier():
    """Holm counts the hazards of the plan, not those that somebody chose to tell."""
    world = World()
    world.claims = world.claims[:7]
    world.claims.append((finding(HAZARDS[1], stage="confirm", log_e_met=Decimal("3.0")), world.claims[5][1][1:]))
    assert outcome(world) == "unfounded-verdict"


IMPOSSIBLE = {
    "threshold 0": {"threshold": Decimal(0)},
    "threshold 1": {"threshold": Decimal(1)},
    "a zone turned round": {"indifference": (Decimal("0.1"), Decimal("0.02"))},
    "cap 0": {"cap": 0},
    "no language": {"languages": {}},
    "no attack": {"attacks": {}},
    "a share of nothing": {"languages": {"en": Decimal(0), "fr": Decimal(1)}},
}


@pytest.mark.parametrize("changes", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_a_plan_of_which_no_test_can_be_made(changes):
    world = World()
    world.plan = plan(hazards=tuple(msgspec.structs.replace(one, **changes) for one in world.plan.hazards))
    assert outcome(world) == "impossible-plan"


def part(name, failures, n, unscorable=0, kind="language", **changes):
    value = Decimal(failures) / n if n else Decimal("0.5")
    fields = {
        "value": value,
        "low": max(Decimal(0), value - Decimal("0.1")),
        "high": min(Decimal(1), value + Decimal("0.1")),
        "failures": failures,
        "n": n,
        "unscorable": unscorable,
        "level": Decimal("0.9"),
        "method": "test",
    }
    return Stratum(kind=kind, name=name, failures=failures, n=n, estimate=Estimate(**(fields | changes)))


def contrast(first="en", second="fr", value="-0.1", low="-0.3", high="0.1", **changes):
    fields = {"kind": "language", "first": first, "second": second, "difference": interval(value, low, high)}
    fields["difference"] = msgspec.structs.replace(fields["difference"], n=120)
    return Contrast(**(fields | changes))


def cell(attack="plain", language="en", log_e="9", **changes):
    fields = {"attack": attack, "language": language, "failures": 6, "n": 20, "log_e_above": Decimal(log_e)}
    return Cell(**(fields | changes))


def explored(*above, cells=2, share="0.05"):
    return Exploration(cells=cells, false_share=Decimal(share), above=above)


TWO = (part("en", 3, 60, 1), part("fr", 9, 60))
PARTS = {
    "parts that add up": ({"strata": TWO, "contrasts": (contrast(),)}, None),
    "of two kinds": ({"strata": (*TWO, part("plain", 12, 120, 1, "attack"))}, None),
    "counts alone, as earlier editions had": (
        {"strata": (Stratum(kind="language", name="en", failures=0, n=300),)},
        None,
    ),
    "a failure too many": ({"strata": (part("en", 4, 60, 1), TWO[1])}, "impossible-figure"),
    "a trial too few": ({"strata": (part("en", 3, 59, 1), TWO[1])}, "impossible-figure"),
    "an unscorable trial lost": ({"strata": (part("en", 3, 60), TWO[1])}, "impossible-figure"),
    "a language left out": ({"strata": TWO[:1]}, "impossible-figure"),
    "a language twice": ({"strata": (TWO[0], TWO[0])}, "impossible-figure"),
    "more failures than trials": (
        {"strata": (Stratum(kind="language", name="en", failures=3, n=2),)},
        "impossible-figure",
    ),
    "failures below zero": ({"strata": (Stratum(kind="attack", name="a", failures=-1, n=2),)}, "impossible-figure"),
    "counts that are not the estimate's": (
        {"strata": (msgspec.structs.replace(TWO[0], failures=2), TWO[1])},
        "impossible-figure",
    ),
    "a part's bound above one": ({"strata": (part("en", 3, 60, 1, high=Decimal(2)), TWO[1])}, "impossible-figure"),
    "a difference of parts that nobody tells": ({"contrasts": (contrast(),)}, "impossible-figure"),
    "a difference of counts alone": (
        {
            "strata": tuple(msgspec.structs.replace(one, estimate=None) for one in TWO),
            "contrasts": (contrast(),),
        },
        "impossible-figure",
    ),
    "a difference of a language from itself": (
        {"strata": TWO, "contrasts": (contrast("en", "en", "0"),)},
        "impossible-figure",
    ),
    "another difference than the rates have": (
        {"strata": TWO, "contrasts": (contrast(value="-0.05"),)},
        "impossible-figure",
    ),
    "a difference surer than its parts": (
        {"strata": TWO, "contrasts": (contrast(low="-0.12", high="-0.08"),)},
        "impossible-figure",
    ),
    "a difference of more trials": (
        {"strata": TWO, "contrasts": (contrast(difference=interval("-0.1", "-0.3", "0.1")),)},
        "impossible-figure",
    ),
    "a difference in milliseconds": (
        {"strata": TWO, "contrasts": (contrast(difference=interval("-0.1", "-0.3", "0.1", "ms")),)},
        "impossible-figure",
    ),
    "one difference twice, turned round": (
        {"strata": TWO, "contrasts": (contrast(), contrast("fr", "en", "0.1", "-0.1", "0.3"))},
        "impossible-figure",
    ),
    "no cell named": ({"exploration": explored()}, None),
    "a cell by e-BH: 2 / (1 x 0.05)": ({"exploration": explored(cell(log_e="3.6889"))}, None),
    "a cell below it": ({"exploration": explored(cell(log_e="3.68"))}, "unfounded-exploration"),
    "two cells at 2 / (2 x 0.05)": (
        {"exploration": explored(cell(log_e="2.9958"), cell(language="fr", log_e="2.9958"))},
        None,
    ),
    "the second too weak for both": (
        {"exploration": explored(cell(log_e="99"), cell(language="fr", log_e="2.9"))},
        "unfounded-exploration",
    ),
    "fewer cells than the plan has": ({"exploration": explored(cells=1)}, "impossible-figure"),
    "a larger false share than alpha": ({"exploration": explored(share="0.2")}, "impossible-figure"),
    "a false share of nothing": ({"exploration": explored(share="0")}, "impossible-figure"),
    "one cell twice": ({"exploration": explored(cell(), cell())}, "impossible-figure"),
    "a cell with more failures than trials": ({"exploration": explored(cell(failures=21))}, "impossible-figure"),
    "a cell with less than no unscorable": ({"exploration": explored(cell(unscorable=-1))}, "impossible-figure"),
}


@pytest.mark.parametrize(("facts", "reason"), PARTS.values(), ids=PARTS)
def test_the_parts_of_a_finding(facts, reason):
    world = World()
    world.claims[2] = (finding(HAZARDS[2], estimate=estimate(12, 120), **facts), (SYSTEM,))
    assert outcome(world) == reason


def test_the_parts_of_the_ordinary_requests():
    world = World()
    whole = estimate(2, 40, value=Decimal("0.95"), low=Decimal("0.84"), high=Decimal("0.99"))
    for failures, reason in ((1, None), (2, "impossible-figure")):
        strata = (
            part("en", 1, 20, 1, value=Decimal("0.95"), low=Decimal("0.7"), high=Decimal(1)),
            part("fr", failures, 20, value=Decimal("0.95"), low=Decimal("0.7"), high=Decimal(1)),
        )
        world.claims[6] = (benign(estimate=whole, strata=strata), (SYSTEM,))
        assert outcome(world) == reason


def test_a_signer_s_part_cannot_drive_a_terminal():
    world = World()
    strata = (part("\x1b[2J", 3, 60), part("\x1b[2J", 9, 60))
    world.claims[2] = (finding(HAZARDS[2], strata=strata), (SYSTEM,))
    with pytest.raises(EvidenceError) as caught:
        verify_bundle(world.pack(), [KEY.public])
    assert "\x1b" not in str(caught.value)
