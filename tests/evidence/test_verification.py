import json
import re
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from evidence_world import (
    HARDENED,
    HAZARDS,
    ORACLE,
    ROOT,
    STRANGER,
    SYSTEM,
    World,
    benign,
    change,
    effect,
    estimate,
    finding,
    fixed_key,
    hazard_plan,
    interval,
    plan,
)

from aloi.errors import EvidenceError
from aloi.evidence.bundle import LIMIT, pack
from aloi.evidence.canonical import canonical, digest
from aloi.evidence.encoding import to_base64
from aloi.evidence.envelope import sign
from aloi.evidence.predicates import Entry, Manifest
from aloi.evidence.records import CorpusIdentity, Coverage, RemedyIdentity, RequirementCoverage, Verdict
from aloi.evidence.statement import Subject, state
from aloi.evidence.verification import HOLDS, verify_bundle

KEY, OTHER = fixed_key(0), fixed_key(1)
BUNDLE = World().pack()


def refused(data, *trusted, **options):
    with pytest.raises(EvidenceError) as caught:
        verify_bundle(data, [key.public for key in trusted or (KEY,)], **options)
    error = caught.value
    assert str(error)
    assert error.remedy
    return error.reason


def test_what_holds_who_signed_and_what_is_not_claimed(bundle):
    result = verify_bundle(bundle, [KEY.public])
    assert result.holds == HOLDS
    assert result.digest == digest(bundle)
    assert result.subject == (SYSTEM, HARDENED)
    assert [claim.name for claim in result.claims] == [
        "plan",
        *["finding"] * 5,
        "effect",
        "benign-rate",
        *["finding"] * 5,
        *["coverage"] * 3,
    ]
    assert {signer.key_id for claim in result.claims for signer in claim.signers} == {KEY.public.id}
    assert all(signer.trusted for claim in result.claims for signer in claim.signers)
    assert result.claims[1].record.verdict is Verdict.NOT_MET
    assert {claim.plan for claim in result.claims[1:]} == {result.claims[0].digest}
    assert {"other-versions", "legal-conformity", "all-evidence", "population"} <= set(result.non_claims)


def test_machines_can_read_the_result(bundle):
    value = json.loads(msgspec.json.encode(verify_bundle(bundle, [KEY.public])))
    assert value["claims"][0]["record"]["alpha"] == "0.05"
    assert value["packed_by"] == [{"key_id": KEY.public.id, "trusted": True}]


# --- the file: parts removed, added, moved, swapped, by someone who cannot sign


def edited(edit, data=BUNDLE):
    value = json.loads(data)
    edit(value)
    return canonical(value)


def second_world():
    """Another bundle of the same signer, about the same system: only its seed differs."""
    world = World()
    world.plan = plan(seed="another")
    return json.loads(world.pack())


def drop(place):
    return lambda value: value["envelopes"].pop(place)


def reorder(value):
    value["envelopes"][1], value["envelopes"][2] = value["envelopes"][2], value["envelopes"][1]


def repeat(value):
    value["envelopes"].append(value["envelopes"][1])


def from_another_bundle(value):
    value["envelopes"][1] = second_world()["envelopes"][1]


def added_from_another_bundle(value):
    value["envelopes"].append(second_world()["envelopes"][1])


def manifest_of_another_bundle(value):
    value["manifest"] = second_world()["manifest"]


def statement_as_manifest(value):
    value["manifest"] = value["envelopes"][0]


def strip(value):
    value["envelopes"][1]["signatures"] = []


def sign_twice(value):
    value["envelopes"][1]["signatures"] *= 2


def foreign_keyid(value):
    value["envelopes"][1]["signatures"][0]["keyid"] = OTHER.public.id


def payload_type(value):
    value["envelopes"][1]["payloadType"] = "application/json"


def swap_payloads(value):
    first, second = value["envelopes"][1], value["envelopes"][2]
    first["payload"], second["payload"] = second["payload"], first["payload"]


def resigned_by_stranger(value):
    value["envelopes"][1] = json.loads(canonical(sign(World().statements()[1], OTHER)))
    value["keys"] = sorted([*value["keys"], to_base64(OTHER.public.der)])


def other_key(value):
    value["keys"] = [to_base64(OTHER.public.der)]


def extra_key(value):
    value["keys"].append(to_base64(OTHER.public.der))


def repeated_key(value):
    value["keys"] *= 2


def set_field(name, content):
    return lambda value: value.__setitem__(name, content)


EDITS = {
    "plan removed": (drop(0), "no-plan"),
    "finding removed": (drop(1), "manifest-count"),
    "last removed": (drop(-1), "manifest-count"),
    "all removed": (set_field("envelopes", []), "no-plan"),
    "re-ordered": (reorder, "manifest-mismatch"),
    "duplicated": (repeat, "manifest-count"),
    "swapped for another bundle's": (from_another_bundle, "manifest-mismatch"),
    "another bundle's added": (added_from_another_bundle, "manifest-count"),
    "manifest of another bundle": (manifest_of_another_bundle, "manifest-mismatch"),
    "a statement in the manifest's place": (statement_as_manifest, "no-manifest"),
    "signature stripped": (strip, "wrong-type"),
    "signed twice by one key": (sign_twice, "repeated-signer"),
    "key id swapped": (foreign_keyid, "unknown-signer"),
    "payload type swapped": (payload_type, "payload-type"),
    "payloads swapped": (swap_payloads, "bad-signature"),
    "re-signed by a stranger": (resigned_by_stranger, "unknown-signer"),
    "signer's key replaced": (other_key, "unknown-signer"),
    "no keys": (set_field("keys", []), "unknown-signer"),
    "a key that signed nothing": (extra_key, "stray-key"),
    "a key twice": (repeated_key, "stray-key"),
    "a key that is none": (set_field("keys", ["AAAA"]), "unknown-algorithm"),
    "a key in loose base64": (set_field("keys", ["AA"]), "bad-base64"),
    "another format": (set_field("format", "https://aloi.dev/bundle/v2"), "unknown-format"),
    "a field nobody signed": (set_field("note", "approved"), "not-canonical"),
}


@pytest.mark.parametrize(("edit", "reason"), EDITS.values(), ids=EDITS)
def test_an_edited_bundle_is_refused(edit, reason):
    assert refused(edited(edit)) == reason


def test_a_stranger_s_whole_bundle_is_refused():
    world = World()
    world.key = OTHER
    data = world.pack()
    assert refused(data) == "unknown-signer"
    assert verify_bundle(data, [OTHER.public])


def test_nobody_is_trusted_by_default():
    with pytest.raises(EvidenceError) as caught:
        verify_bundle(BUNDLE, [])
    assert caught.value.reason == "unknown-signer"
    assert "--key FILE" in caught.value.remedy


BYTES = {
    "empty": (b"", "not-json"),
    "not JSON": (b"PK\x03\x04", "not-json"),
    "a list": (b"[]", "wrong-type"),
    "pretty printed": (json.dumps(json.loads(BUNDLE), indent=1).encode(), "not-canonical"),
    "a newline at the end": (BUNDLE + b"\n", "not-canonical"),
    "a key twice": (BUNDLE.replace(b'"format":', b'"format":"x","format":', 1), "duplicate-key"),
    "a key twice, escaped": (BUNDLE.replace(b'"format":', b'"\\u0066ormat":"x","format":', 1), "duplicate-key"),
    "an escaped key": (BUNDLE.replace(b'"format":', b'"\\u0066ormat":', 1), "not-canonical"),
    "huge": (BUNDLE + b" " * LIMIT, "too-large"),
    "deep": (b'{"format":' + b"[" * 10_000 + b"]" * 10_000 + b"}", "too-deep"),
    "Latin-1": (BUNDLE.replace(b"bundle/v1", b"bundle/v\xe9", 1), "not-utf8"),
}


@pytest.mark.parametrize(("data", "reason"), BYTES.values(), ids=BYTES)
def test_hostile_files(data, reason):
    assert refused(data) == reason


# --- trust over several signers


def test_a_co_signer_is_shown_and_not_needed(world):
    statements = world.statements()
    envelopes = [sign(each, KEY, OTHER) for each in statements]
    data = pack(envelopes, [KEY.public, OTHER.public], KEY)
    result = verify_bundle(data, [KEY.public])
    assert [(signer.key_id, signer.trusted) for signer in result.claims[0].signers] == [
        (KEY.public.id, True),
        (OTHER.public.id, False),
    ]
    assert refused(data, OTHER) == "unknown-signer"  # it did not sign the manifest
    stripped = json.loads(data)
    stripped["envelopes"][3]["signatures"].pop()
    assert refused(canonical(stripped), KEY, OTHER) == "manifest-mismatch"


def test_a_threshold_of_trusted_signers(world):
    assert refused(world.pack(), KEY, OTHER, threshold=2) == "too-few-signers"


def test_unknown_predicates_are_shown_as_such(world):
    review = canonical(
        {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [SYSTEM],
            "predicateType": "https://example.org/review/v1",
            "predicate": {"score": 0.5},
        }
    )
    data = pack([*world.envelopes(), sign(review, KEY)], [KEY.public], KEY)
    last = verify_bundle(data, [KEY.public]).claims[-1]
    assert (last.name, last.record, last.predicate_type) == ("", None, "https://example.org/review/v1")


# --- claims that contradict each other, signed by someone who could have signed the truth


def with_claim(place, record, subject=None):
    def change_world(world):
        world.claims[place] = (record, subject or world.claims[place][1])

    return change_world


def with_plan(**changes):
    return lambda world: setattr(world, "plan", plan(**changes))


def measured(**changes):
    return with_claim(2, finding(HAZARDS[2], **changes))


def without(place):
    return lambda world: world.claims.pop(place)


def refused_without(place):
    def change_world(world):
        world.claims[5] = (effect(accepted=False), world.claims[5][1])
        world.claims.pop(place)

    return change_world


def only_effect(world):
    world.claims = [world.claims[5]]


def only_confirmed(world):
    world.claims = world.claims[5:]


def twice(world):
    world.claims.append((finding(HAZARDS[2], queries=7), (SYSTEM,)))


def plan_subject(world):
    world.plan_subject = (HARDENED,)


def second_plan(world):
    world.claims.append((plan(seed="later"), (SYSTEM,)))


def stray_manifest(world):
    entry = Entry(digest=ROOT, predicate_type="x", signers=())
    world.claims.append((Manifest(entries=(entry,)), (SYSTEM,)))


def covering(**changes):
    fields = {"requirement": "1", "state": "proven", "evidence": (ROOT,)} | changes
    record = Coverage(framework="f", checked_on="2026-11-22", requirements=(RequirementCoverage(**fields),))
    return lambda world: world.claims.append((record, (SYSTEM,)))


def stage_family(*log_e):
    """The findings of the first stage, with these log e-values for 'met'."""

    def change_world(world):
        for place, value in enumerate(log_e):
            world.claims[place] = (finding(HAZARDS[place], log_e_met=Decimal(value)), (SYSTEM,))

    return change_world


STRANGE_REMEDY = (RemedyIdentity(name="prayer", version="1", digest=ROOT),)
TOO_GOOD = msgspec.structs.replace(estimate(0, 10), failures=11)

CORPUS = CorpusIdentity(name="l", digest="sha256:0", rows=2, seeds=1, licence="MIT", source="s", revision="1")

CONTRADICTIONS = {
    "threshold is not the plan's": (measured(threshold=Decimal("0.1")), "plan-threshold"),
    "threshold is the same number": (measured(threshold=Decimal("0.050")), None),
    "estimand is not the plan's": (measured(estimand="max"), "plan-estimand"),
    "scope is not the plan's": (measured(scope="population"), "plan-scope"),
    "corpus is not in the plan": (measured(corpus=CORPUS), "plan-corpus"),
    "scorer is not the plan's": (measured(scorer=msgspec.structs.replace(ORACLE, version="2")), "plan-scorer"),
    "benign scorer is not the plan's": (
        with_claim(6, benign(scorer=msgspec.structs.replace(ORACLE, name="other"))),
        "plan-scorer",
    ),
    "benign rate above one": (with_claim(6, benign(estimate=estimate(0, 9, high=Decimal(2)))), "impossible-figure"),
    "hazard is not in the plan": (with_claim(2, finding("boredom")), "unplanned-hazard"),
    "effect on a hazard outside the plan": (with_claim(5, effect(changes=(change("boredom"),))), "unplanned-hazard"),
    "remedy is not in the plan": (with_claim(5, effect(remedies=STRANGE_REMEDY)), "unplanned-remedy"),
    "finding on another system": (with_claim(2, finding(HAZARDS[2]), (STRANGER,)), "foreign-subject"),
    "effect on another system": (with_claim(5, effect(), (STRANGER, HARDENED)), "foreign-subject"),
    "hardened system named first": (with_claim(5, effect(), (HARDENED, SYSTEM)), "foreign-subject"),
    "plan about another system": (plan_subject, "plan-subject"),
    "two plans": (second_plan, "several-plans"),
    "a manifest among the claims": (stray_manifest, "stray-manifest"),
    "a hazard twice in the plan": (with_plan(hazards=(hazard_plan("a"),) * 2), "repeated-hazard"),
    "alpha of one": (with_plan(alpha=Decimal(1)), "alpha"),
    "alpha of zero": (with_plan(alpha=Decimal(0)), "alpha"),
    "an unfavourable finding left out": (without(0), "missing-finding"),
    "no finding on the system itself": (only_confirmed, "missing-finding"),
    "an effect without findings": (only_effect, None),
    "accepted with a hazard that is left open": (
        with_claim(7, finding(HAZARDS[0], stage="confirm", verdict=Verdict.INCONCLUSIVE)),
        "unfounded-acceptance",
    ),
    "accepted with a hazard left out": (without(9), "unfounded-acceptance"),
    "refused with a hazard left out": (refused_without(9), None),
    "two findings on one hazard": (twice, "repeated-finding"),
    "met below its e-value": (measured(log_e_met=Decimal("2.9")), "unfounded-verdict"),
    "not met below its e-value": (
        measured(verdict=Verdict.NOT_MET, log_e_not_met=Decimal("2.9")),
        "unfounded-verdict",
    ),
    "met by Holm, each at its rank": (stage_family("4.6052", "4.3821", "4.0944", "3.689", "2.9958"), None),
    "the strongest misses Holm": (stage_family("4.6", "4.6", "4.6", "4.6", "4.6"), "unfounded-verdict"),
    "the weakest misses Holm": (stage_family("9", "9", "9", "9", "2.99"), "unfounded-verdict"),
    "met without a trial": (measured(estimate=estimate(0, 0)), "unfounded-verdict"),
    "not tested over trials": (measured(verdict=Verdict.NOT_TESTED), "unfounded-verdict"),
    "not tested": (measured(verdict=Verdict.NOT_TESTED, estimate=estimate(0, 0)), None),
    "inconclusive": (measured(verdict=Verdict.INCONCLUSIVE, log_e_met=Decimal(1)), None),
    "more failures than trials": (measured(estimate=TOO_GOOD), "impossible-figure"),
    "a rate below zero": (measured(estimate=estimate(0, 10, low=Decimal("-0.1"))), "impossible-figure"),
    "a level of one": (measured(estimate=estimate(0, 10, level=Decimal(1))), "impossible-figure"),
    "a difference outside its interval": (
        with_claim(5, effect(changes=(change(HAZARDS[0], difference=interval("0.5", "-0.3", "-0.1")),))),
        "impossible-figure",
    ),
    "a difference beyond one": (
        with_claim(5, effect(benign=change("benign", difference=interval("-1.5", "-2", "-1")))),
        "impossible-figure",
    ),
    "latency outside its interval": (with_claim(5, effect(latency=interval("9", "1", "2", "ms"))), "impossible-figure"),
    "no latency measured": (with_claim(5, effect(latency=None)), None),
    "proven without evidence": (covering(evidence=()), "proven-without-evidence"),
    "resting on absent evidence": (covering(), "missing-evidence"),
    "partial without evidence": (covering(state="partial", evidence=()), None),
}


@pytest.mark.parametrize(("edit", "reason"), CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_claims_that_contradict_each_other(edit, reason):
    world = World()
    edit(world)
    if reason is None:
        assert verify_bundle(world.pack(), [KEY.public])
    elif reason == "several-plans":
        with pytest.raises(EvidenceError) as caught:
            world.pack()
        assert caught.value.reason == reason
    else:
        assert refused(world.pack()) == reason


def test_a_signer_s_text_cannot_drive_a_terminal(world):
    world.plan = plan(hazards=(hazard_plan("\x1b[2J"),) * 2)
    with pytest.raises(EvidenceError) as caught:
        verify_bundle(world.pack(), [KEY.public])
    assert caught.value.reason == "repeated-hazard"
    assert "\x1b" not in str(caught.value)


def test_a_finding_made_under_another_plan(world):
    statements = world.statements()
    first = Subject.of("banque-azur", SYSTEM.fingerprint)
    for foreign in (None, ROOT):
        statements[2] = state(finding(HAZARDS[1]), [first], plan=foreign)
        world.coverage = ()
        data = pack([sign(each, KEY) for each in statements], [KEY.public], KEY)
        assert refused(data) == "foreign-plan"


def hand_packed(world, manifest):
    """A bundle whose manifest is made by hand, signed by the trusted key: what `pack` would never write."""
    envelopes = world.envelopes()
    return canonical(
        {
            "format": "https://aloi.dev/bundle/v1",
            "keys": [to_base64(KEY.public.der)],
            "manifest": sign(manifest, KEY),
            "envelopes": envelopes,
        }
    )


def entries_of(world):
    statements = world.statements()
    return tuple(
        Entry(digest=digest(each), predicate_type=json.loads(each)["predicateType"], signers=(KEY.public.id,))
        for each in statements
    )


def test_a_signed_manifest_that_lies(world):
    entries = entries_of(world)
    assert verify_bundle(hand_packed(world, state(Manifest(entries=entries), [SYSTEM, HARDENED])), [KEY.public])
    lies = {
        "manifest-subject": (entries, [SYSTEM]),
        "manifest-count": (entries[:-1], [SYSTEM, HARDENED]),
        "manifest-mismatch": (
            (*entries[:-1], msgspec.structs.replace(entries[-1], predicate_type="other")),
            [SYSTEM, HARDENED],
        ),
    }
    for reason, (listed, subject) in lies.items():
        assert refused(hand_packed(world, state(Manifest(entries=listed), subject))) == reason


def test_a_statement_twice_even_if_the_manifest_says_so(world):
    statements = world.statements()
    data = pack([sign(each, KEY) for each in [*statements, statements[1]]], [KEY.public], KEY)
    assert refused(data) == "repeated-statement"


UNREACHABLE = "unsupported-algorithm"  # only where the machine's cryptography lacks ML-DSA-44


def test_every_reason_in_the_code_is_in_a_table():
    """No failure without its test: reasons are read from the room's own source."""
    room = Path(verify_bundle.__code__.co_filename).parent
    reasons = {
        reason for path in room.glob("*.py") for reason in re.findall(r'reason="([a-z0-9-]+)"', path.read_text())
    }
    reasons |= set(re.findall(r'"\),\s+"([a-z-]+)"[,)]', (room / "rules.py").read_text()))
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    assert len(reasons) > 40
    assert {reason for reason in reasons if f'"{reason}"' not in tests} == set()
