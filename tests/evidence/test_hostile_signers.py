"""A signer you trust may still sign nonsense: the verifier says yes or an EvidenceError, nothing else."""

import json

import pytest
from evidence_world import SYSTEM, World, benign, first_edition
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aloi.errors import EvidenceError
from aloi.evidence.bundle import pack
from aloi.evidence.canonical import canonical
from aloi.evidence.envelope import sign
from aloi.evidence.keys import PublicKey
from aloi.evidence.verification import verify_bundle, verify_statement

WORLD = World()
STATEMENTS = [json.loads(each) for each in WORLD.statements()]

NUMBERS = st.sampled_from(["NaN", "sNaN", "-Infinity", "-0", "0", "-1", "1E+9", "1e-9", "1E+99999", "0.05", "1", "2"])
VALUES = (
    NUMBERS
    | st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64)
    | st.text(max_size=5)
    | st.just([])
    | st.just({})
    | st.sampled_from(["met", "not met", "not tested", "confirm", "measure", "data-disclosure", "proven", "population"])
)


def places(value, path=()):
    """Every path inside a JSON value."""
    yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from places(child, (*path, key))


ALL = [(number, path) for number, each in enumerate(STATEMENTS) for path in places(each) if path]


def altered(number, path, value):
    changed = json.loads(json.dumps(STATEMENTS[number]))
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return changed


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.sampled_from(ALL), VALUES)
def test_any_one_value_may_be_nonsense(place, value):
    payloads = [json.dumps(each).encode() for each in STATEMENTS]
    payloads[place[0]] = json.dumps(altered(*place, value)).encode()
    try:
        data = pack([sign(each, WORLD.key) for each in payloads], [WORLD.key.public], WORLD.key)
        verify_bundle(data, [WORLD.key.public])
    except EvidenceError as error:
        message, remedy, facts = error.message, error.remedy, error.facts
        assert all((message.format(**facts), remedy.format(**facts)))


@given(st.binary(max_size=120))
def test_any_bytes_may_stand_for_a_bundle_or_a_key(data):
    for read in (lambda: verify_bundle(data, [WORLD.key.public]), lambda: PublicKey(data)):
        try:
            read()
        except EvidenceError:
            continue
        raise AssertionError("random bytes were accepted")


def test_a_long_name_neither_holds_up_nor_writes_to_the_terminal():
    value = json.loads(first_edition(benign(), (SYSTEM,)))
    value["predicate"]["record"]["errors"] = {"\x1b[2J" + "?pass" * 20_000: 2**60}
    signed = canonical(sign(json.dumps(value).encode(), WORLD.key))
    with pytest.raises(EvidenceError) as caught:
        verify_statement(signed, [WORLD.key.public])
    assert caught.value.reason == "number-out-of-range"
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 400
