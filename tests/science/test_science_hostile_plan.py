"""Every field of a plan with every hostile value, from `data/hostile-plan.yaml`, as a verifier reads it when signed."""

import copy
import json
from decimal import Decimal

import pytest
from msgspec.structs import replace

from aloi.errors import EvidenceError
from aloi.evidence.bundle import pack
from aloi.evidence.envelope import sign
from aloi.evidence.keys import PrivateKey
from aloi.evidence.records import CorpusIdentity, HuntPlan, Plan, RemedyIdentity
from aloi.evidence.statement import Subject, claimed, read, state
from aloi.evidence.verification import verify_bundle
from science.hostile import table
from science.judged import calibration, chain, judged_system
from science.plan_fields import ABSENT, at, paths, put
from science.runs import plan_for

KEY = PrivateKey.generate("ed25519")
ROWS = table("hostile-plan")
CASES = [(path, value, outcome) for path, pairs in ROWS.items() for value, outcome in pairs]
CORPUS = CorpusIdentity(
    name="list", digest="sha256:" + "b" * 64, rows=40, seeds=20, licence="-", source="-", revision="1", left_out=2
)


def whole() -> Plan:
    """A plan in which every field is used: a judged, listed and hunted hazard, and listed ordinary requests."""
    made, _ = plan_for(judged_system(judges=chain(audit=0.1), calibrations={"cheap": calibration()}))
    hazard = replace(made.hazards[0], scope="suite", corpus=CORPUS)
    hunt = HuntPlan(
        hazard=hazard.hazard,
        estimand="max",
        attacks=("plain", "model-attacker"),
        cap=50,
        batch=8,
        alpha=Decimal("0.05"),
        attacker="callable:a:b",
        turns=4,
    )
    benign = replace(made.benign, corpus=CORPUS)
    in_place = (RemedyIdentity(name="output-budget", version="1", digest=f"sha256:{'0' * 64}"),)
    return replace(
        made, hazards=(hazard,), hunts=(hunt,), benign=benign, in_place=in_place, remedies=("secret-filter",)
    )


PLAN = whole()
SUBJECT = Subject.of("small", PLAN.system)
STATED = json.loads(state(PLAN, [SUBJECT]))


def reason(payload: bytes) -> str:
    """Why a verifier refuses a bundle with this plan; empty where it does not."""
    try:
        claimed(read(payload))  # the door: no bundle can be packed of what does not come through it
        verify_bundle(pack([sign(payload, KEY)], [KEY.public], KEY), [KEY.public])
    except EvidenceError as error:
        return error.reason if error.message.format(**error.facts) else "nothing is said"
    return ""


def edited(path: str, value: object) -> bytes:
    """The statement of the plan with another value in one field."""
    statement = copy.deepcopy(STATED)
    record = statement["predicate"]["record"]
    written = ABSENT if value == "<absent>" else at(record, path) * 2 if value == "<twice>" else value
    put(record, path, written)
    return json.dumps(statement).encode()


def test_the_plan_as_it_was_made_is_accepted():
    assert reason(json.dumps(STATED).encode()) == ""


def test_the_plan_of_these_tests_has_every_part():
    for path in paths(Plan):
        part = path.rpartition(".")[0]
        assert not part or at(STATED["predicate"]["record"], part), part


@pytest.mark.parametrize(("path", "value", "outcome"), CASES, ids=[f"{path} = {value!r}" for path, value, _ in CASES])
def test_a_hostile_value_in_a_signed_plan(path, value, outcome):
    refused = reason(edited(path, value))
    assert outcome == f"refused: {refused}" if refused else outcome.startswith("accepted: ")


def test_every_field_has_a_row_and_every_row_a_field():
    known = set(paths(Plan))
    assert known - ROWS.keys() == set(), "fields without a row in tests/science/data/hostile-plan.yaml"
    assert ROWS.keys() - known == set(), "rows of fields that do not exist"


@pytest.mark.parametrize("path", ROWS)
def test_every_field_meets_nothing_and_what_it_cannot_be(path):
    values = [value for value, _ in ROWS[path]]
    assert "<absent>" in values
    assert any(outcome.startswith("refused: ") for _, outcome in ROWS[path])
    assert all(len(outcome.partition(": ")[2]) > 0 for _, outcome in ROWS[path])
