"""Bundles of monitoring: what holds, and what contradicts itself."""

import json
from decimal import Decimal

import jsonschema
import pytest
from msgspec.structs import replace

from aloi.assurance.consensus.results import open_bundles
from aloi.errors import EvidenceError
from aloi.evidence.bundle import pack
from aloi.evidence.canonical import canonical
from aloi.evidence.monitoring import Ends, GuardSeconds, Monitoring
from aloi.evidence.schemas import schemas
from aloi.evidence.statement import claimed, read, state
from aloi.evidence.verification import verify_bundle
from evidence.evidence_world import HARDENED, World
from evidence.monitoring_world import BEGAN, CALM, ENDED, KEY, REMEDIES, SHIFT, bundle, monitoring, rate, signed

PLAN = "sha256:" + "7" * 64


def refused(data):
    with pytest.raises(EvidenceError) as caught:
        verify_bundle(data, [KEY.public])
    return caught.value.reason


def test_it_holds_without_a_plan():
    told = verify_bundle(bundle(), [KEY.public])
    assert [claim.record for claim in told.claims] == [monitoring(), CALM]
    assert told.subject == (HARDENED,)
    assert "other-hazards" in told.non_claims
    assert "all-evidence" in told.non_claims
    assert not told.planned


def test_it_fits_its_schema_and_is_read_as_it_was_signed():
    payload = state(monitoring(), [HARDENED])
    jsonschema.validate(json.loads(payload)["predicate"], schemas()["monitoring.v1"])
    assert claimed(read(payload)).record == monitoring()


def shift(**changes):
    return {"shift": replace(SHIFT, **changes)}


REFERENCE = SHIFT.reference
CONTRADICTIONS = {
    "guards of another digest": ({"remedies": REMEDIES[:1]}, "guard-set"),
    "guards in another order": ({"remedies": REMEDIES[::-1]}, "guard-set"),
    "an act of a guard that did not run": (
        {"acts": (replace(monitoring().acts[0], guard="judge-rail"),)},
        "unknown-guard",
    ),
    "an act twice": ({"acts": monitoring().acts[:1] * 2}, "impossible-figure"),
    "an act among other exchanges": (
        {"acts": (replace(monitoring().acts[0], rate=rate(4, 30)),)},
        "impossible-figure",
    ),
    "more acts than exchanges": (
        {"acts": (replace(monitoring().acts[0], rate=rate(20_001, 20_000, value=1, low=1, high=1)),)},
        "impossible-figure",
    ),
    "another rate of blocks": ({"blocked": rate(1_500, 20_000)}, "impossible-figure"),
    "another rate of changes": ({"changed": rate(400, 20_001)}, "impossible-figure"),
    "another rate of errors": ({"errors": rate(25, 20_000)}, "impossible-figure"),
    "other ends": ({"exchanges": Ends(answered=1)}, "impossible-figure"),
    "bounds beyond 1": ({"blocked": rate(1_600, 20_000, high=Decimal(2))}, "impossible-figure"),
    "labels beyond 1": ({"misses": rate(1, 20, high=Decimal(2))}, "impossible-figure"),
    "a median above the rest": (
        {"guard_seconds": GuardSeconds(p50=Decimal("0.02"), p95=Decimal("0.01"), n=4)},
        "impossible-figure",
    ),
    "more watched than screened": (shift(screened=16_001), "impossible-figure"),
    "more blocks watched than there were": (shift(blocked=1_401), "impossible-figure"),
    "more blocks than watched": (shift(screened=10), "impossible-figure"),
    "a reference of nothing": (shift(reference=replace(REFERENCE, screened=0, blocked=0)), "impossible-figure"),
    "more blocks than a reference": (shift(reference=replace(REFERENCE, blocked=4_001)), "impossible-figure"),
    "bounds that leave the reference out": (shift(low=Decimal("0.051")), "impossible-figure"),
    "bounds below it": (shift(high=Decimal("0.049")), "impossible-figure"),
    "no error": (shift(alpha=Decimal(0)), "impossible-figure"),
    "an e-value above its peak": (shift(log_e=Decimal(6)), "impossible-figure"),
    "a peak below the beginning": (shift(log_e=Decimal(-2), peak_log_e=Decimal(-1)), "impossible-figure"),
    "an alarm without the e-value": (shift(peak_log_e=Decimal("3.6")), "unfounded-alarm"),
    "an alarm that is kept quiet": (shift(rang_at=None, towards=None), "unfounded-alarm"),
    "an alarm towards nowhere": (shift(towards=None), "unfounded-alarm"),
    "an alarm before the period": (shift(rang_at="2026-11-26T09:59:59Z"), "unfounded-alarm"),
    "an alarm after it": (shift(rang_at="2026-11-27T10:00:01Z"), "unfounded-alarm"),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_what_contradicts_itself_is_refused(name):
    changes, reason = CONTRADICTIONS[name]
    assert refused(bundle(monitoring(**changes))) == reason


def test_an_alarm_exactly_at_its_threshold_survives_the_rounding():
    at = (2 / SHIFT.alpha).ln().quantize(Decimal("0.00001"))
    for told in ({}, {"rang_at": None, "towards": None}):
        verify_bundle(bundle(monitoring(**shift(peak_log_e=at, **told))), [KEY.public])


def test_what_an_earlier_statement_counted_is_not_counted_again():
    """Its exchanges are none of this period: only the watched ones have to be among these."""
    earlier = replace(REFERENCE, screened=10**9, blocked=5 * 10**7, statement=PLAN)
    told = monitoring(**shift(reference=earlier, screened=20_000, blocked=1_600))
    verify_bundle(bundle(told), [KEY.public])
    assert refused(bundle(monitoring(**shift(reference=replace(earlier, statement=None))))) == "impossible-figure"


BROKEN = {
    "ends before it begins": {"began": ENDED, "ended": BEGAN},
    "on no day": {"began": "2026-02-30T00:00:00Z"},
    "less than nothing": {"uncounted": -1},
    "an alarm on no day": {"shift": json.loads(canonical(SHIFT)) | {"rang_at": "2026-13-01T00:00:00Z"}},
    "no digest": {"guard_set": "sha256:zz"},
    "a role that nobody has": {"acts": [json.loads(canonical(monitoring().acts[0])) | {"role": "judge"}]},
    "a reference that ends before it begins": {
        "shift": json.loads(canonical(SHIFT))
        | {"reference": json.loads(canonical(replace(REFERENCE))) | {"began": ENDED}}
    },
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_monitoring_is_not_read(name):
    statement = json.loads(state(monitoring(), [HARDENED]))
    statement["predicate"]["record"] |= BROKEN[name]
    with pytest.raises(EvidenceError) as caught:
        claimed(read(canonical(statement)))
    assert caught.value.reason in {"invalid-value", "wrong-type"}


def test_one_set_of_guards_is_told_once():
    other = monitoring(software="aloi 9")
    assert refused(bundle(monitoring(), other)) == "repeated-monitoring"


def test_it_answers_to_no_plan():
    data = pack([signed(monitoring(), PLAN)], [KEY.public], KEY)
    assert refused(data) == "foreign-plan"


def test_it_stands_in_no_bundle_that_has_a_plan():
    world = World()
    world.key = KEY
    planned = verify_bundle(world.pack(), [KEY.public]).claims[0].digest
    for plan in (None, planned):
        data = pack([*world.envelopes(), signed(monitoring(), plan)], [KEY.public], KEY)
        assert refused(data) == "stray-monitoring"


def test_no_consensus_is_made_of_it():
    with pytest.raises(EvidenceError) as caught:
        open_bundles([("b", bundle())], [KEY.public])
    assert caught.value.reason == "no-plan"


def test_any_byte_that_changes_is_noticed():
    data = bundle()
    for place in range(0, len(data), 97):
        changed = bytearray(data)
        changed[place] ^= 1
        with pytest.raises(EvidenceError):
            verify_bundle(bytes(changed), [KEY.public])


def test_constructors_keep_the_period_in_order():
    with pytest.raises(ValueError, match="before it begins"):
        Monitoring(
            **{name: getattr(monitoring(), name) for name in Monitoring.__struct_fields__}
            | {"ended": "2026-01-01T00:00:00Z"}
        )
