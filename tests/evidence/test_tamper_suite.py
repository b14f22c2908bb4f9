"""The tamper suite that `make bench BENCH=tamper` runs in full: every attack, and some mutants of each kind of file."""

import random

import pytest
from benchmarks.evidence import tamper, tampering

ARTEFACTS = {each.name: each for each in tampering.artefacts()}
ATTACKS = [pytest.param(each, id=f"{each.kind}: {each.name}") for each in tampering.attacks()]


@pytest.mark.parametrize("name", ARTEFACTS)
def test_no_mutant_says_anything_else(name):
    outcome = tamper.tampered(ARTEFACTS[name], 120)
    assert outcome.accepted == []
    assert outcome.refused.total() + outcome.same == 120


@pytest.mark.parametrize("attack", ATTACKS)
def test_every_attack_is_refused_for_its_reason(attack):
    assert tamper.attacked(attack) == attack.reason


def test_there_are_as_many_as_are_asked_for():
    assert len(ATTACKS) >= 40
    assert {"bundle", "envelope", "log entry", "proof", "checkpoint", "cosignatures", "look-up answer"} <= set(
        ARTEFACTS
    )


def test_a_verifier_that_accepts_is_seen():
    careless = tampering.Artefact("careless", b"some bytes", range(10), lambda data: data)
    outcome = tamper.tampered(careless, 50)
    assert len(outcome.accepted) == 50
    deaf = careless._replace(verify=lambda _: "always the same")
    assert tamper.tampered(deaf, 50).same == 50
    assert tamper.attacked(tampering.Attack("none", "none", lambda: None, "any")) == ""


def test_mutants_differ_and_are_the_same_in_every_run():
    made = list(tamper.mutants(b"0123456789" * 9, range(20, 40), 300, random.Random(1)))
    assert made == list(tamper.mutants(b"0123456789" * 9, range(20, 40), 300, random.Random(1)))
    assert all(each != b"0123456789" * 9 and each.startswith(b"0123456789" * 2) for each in made)
