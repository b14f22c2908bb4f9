"""Every byte counts: no change of one byte, and no cut, of what was signed is accepted."""

import os
import random
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest
from evidence_world import HAZARDS, SYSTEM, World, finding, fixed_key, hazard_plan, plan

from aloi.errors import EvidenceError
from aloi.evidence import envelope as dsse
from aloi.evidence.canonical import canonical
from aloi.evidence.verification import verify_bundle

KEY = fixed_key()
STATEMENT = canonical(
    {"_type": "https://in-toto.io/Statement/v1", "predicate": {"ok": "é"}, "predicateType": "x", "subject": [SYSTEM]}
)
ENVELOPE = dsse.write(dsse.sign(STATEMENT, KEY))


def small_bundle():
    world = World()
    world.plan = plan(hazards=(hazard_plan(HAZARDS[1]),))
    world.claims = [(finding(HAZARDS[1]), (SYSTEM,))]
    world.coverage = ()
    return world.pack()


def accepted_envelope_changes(positions):
    """Of all 255 changes at each position, those that verify. Anything but an EvidenceError ends the test."""
    accepted = []
    data = bytearray(ENVELOPE)
    for position in positions:
        original = data[position]
        for value in range(256):
            if value == original:
                continue
            data[position] = value
            try:
                dsse.verify(dsse.read(bytes(data)), [KEY.public])
            except EvidenceError:
                continue
            accepted.append((position, value))
        data[position] = original
    return accepted


def test_every_single_byte_change_of_an_envelope_is_refused():
    dsse.verify(dsse.read(ENVELOPE), [KEY.public])
    workers = max(1, min(2, os.cpu_count() or 1))
    shares = [range(start, len(ENVELOPE), workers) for start in range(workers)]
    with ProcessPoolExecutor(workers, mp_context=get_context("forkserver")) as pool:
        assert [change for share in pool.map(accepted_envelope_changes, shares) for change in share] == []


def printable(byte):
    """Another letter or digit: what an editor, not a disk, would do to it."""
    return ord("A") + (byte - ord("A") + 1) % 26 if chr(byte).isalpha() else ord("0") + (byte + 1) % 10


@pytest.mark.parametrize(
    "change", [lambda byte: byte ^ 1, lambda byte: byte ^ 0x20, printable], ids=["low bit", "case bit", "printable"]
)
def test_every_byte_of_a_bundle_counts(change):
    bundle = small_bundle()
    verify_bundle(bundle, [KEY.public])
    data = bytearray(bundle)
    for position, original in enumerate(bundle):
        data[position] = change(original)
        with pytest.raises(EvidenceError):
            verify_bundle(bytes(data), [KEY.public])
        data[position] = original


def test_random_bytes_of_the_whole_demo_bundle_count(bundle):
    draw = random.Random(20261122)
    for _ in range(300):
        data = bytearray(bundle)
        data[draw.randrange(len(data))] ^= draw.randrange(1, 256)
        with pytest.raises(EvidenceError):
            verify_bundle(bytes(data), [KEY.public])


def test_a_file_cut_at_any_length_is_refused():
    bundle = small_bundle()
    for length in range(len(bundle)):
        with pytest.raises(EvidenceError):
            verify_bundle(bundle[:length], [KEY.public])


@pytest.mark.parametrize("removed", [1, 2, 7])
def test_bytes_taken_out_anywhere_are_missed(removed):
    bundle = small_bundle()
    for position in range(0, len(bundle) - removed, 5):
        with pytest.raises(EvidenceError):
            verify_bundle(bundle[:position] + bundle[position + removed :], [KEY.public])


@pytest.mark.parametrize("added", [b" ", b"0", b'"', b"\n", b"\0", b",{}"])
def test_bytes_put_in_anywhere_are_noticed(added):
    bundle = small_bundle()
    for position in range(0, len(bundle) + 1, 11):
        with pytest.raises(EvidenceError):
            verify_bundle(bundle[:position] + added + bundle[position:], [KEY.public])
