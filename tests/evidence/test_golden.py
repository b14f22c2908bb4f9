"""Bundles of every edition verify for ever (`golden/make.py` made them)."""

from pathlib import Path

import lookup_world
import monitoring_world
import pytest
import results_world
import update_world
from evidence_world import ROOT, World
from vouching_world import KEY, beside

from aloi.evidence import envelope as dsse
from aloi.evidence import policyfile
from aloi.evidence.canonical import digest
from aloi.evidence.keys import PublicKey
from aloi.evidence.lookup import verify_lookup
from aloi.evidence.predicates import predicate_type
from aloi.evidence.statement import claimed, read
from aloi.evidence.verification import verify_bundle, verify_statement

GOLDEN = Path(__file__).parent / "golden"
EDITIONS = {
    "bundle-v1": "sha256:ae3d2b959eb2a89a5ff969ccf9e4a70ecb138a00894d7c01675994d78fbc757f",
    "bundle-v2": "sha256:605b77bab66c812a1e89fc06bc3025e21ab56070e9a806cfa57b45553a86562b",
}


@pytest.mark.parametrize(("name", "expected"), EDITIONS.items(), ids=EDITIONS)
def test_old_bundles_verify(name, expected):
    data = (GOLDEN / f"{name}.json").read_bytes()
    assert digest(data) == expected
    result = verify_bundle(data, [PublicKey.from_pem((GOLDEN / f"{name}.pem").read_bytes())])
    assert [claim.name for claim in result.claims].count("finding") == 10
    assert result.subject[0].name == "banque-azur"


def test_the_newest_edition_is_what_we_write():
    assert (GOLDEN / "bundle-v2.json").read_bytes() == World().pack()


def test_both_editions_say_the_same():
    key = PublicKey.from_pem((GOLDEN / "bundle-v1.pem").read_bytes())
    first, second = (verify_bundle((GOLDEN / f"{name}.json").read_bytes(), [key]) for name in EDITIONS)
    told = [claim for claim in first.claims if claim.name != "coverage"]  # which cites digests
    again = [claim for claim in second.claims if claim.name != "coverage"]
    assert [(one.name, one.record, one.plan, one.subject, one.non_claims) for one in told] == [
        (one.name, one.record, one.plan, one.subject, one.non_claims) for one in again
    ]
    assert {one.predicate_type for one in told} & {one.predicate_type for one in again} == {predicate_type("plan")}
    assert {one.assurance_level for one in told} == {None}
    assert {one.assurance_level for one in again} == {None, "self_attested"}


def test_old_proofs_show_what_they_showed():
    policy = policyfile.read((GOLDEN / "logged-v1.policy").read_bytes(), "policy")
    proofs = {name: (GOLDEN / f"logged-v1.{name}.tlog-proof").read_bytes() for name in ("plan", "finding", "manifest")}
    key = PublicKey.from_pem((GOLDEN / "bundle-v1.pem").read_bytes())
    told = verify_bundle((GOLDEN / "bundle-v1.json").read_bytes(), [key], policy=policy, proofs=proofs)
    assert [(each.name, each.proof, each.index) for each in told.published] == [
        ("plan", "plan", 1),
        ("finding", "finding", 2),
        ("manifest", "manifest", 17),
    ]
    assert [(each.order, each.gap) for each in told.registered] == [("seen-before", 7200)]


LOOKUPS = {"lookup-v1": "sha256:7420b59c26c3dd650fdff436bde02a042d7559d0e4da12ec13c6515bd4412c5d"}


@pytest.mark.parametrize(("name", "expected"), LOOKUPS.items(), ids=LOOKUPS)
def test_old_answers_to_a_look_up_verify(name, expected):
    data = (GOLDEN / f"{name}.json").read_bytes()
    assert digest(data) == expected
    told = verify_lookup(data, lookup_world.A, lookup_world.POLICY)
    assert told.indices == (0, 1, 3, 4, 5, 6, 9, 10)


def test_the_newest_edition_of_an_answer_is_what_a_log_gives():
    assert (GOLDEN / "lookup-v1.json").read_bytes() == lookup_world.spelt(lookup_world.answer())


BESIDE = {
    "beside-v1": "sha256:d0de28bc6e8340d9f2dc91b41db07bd402dd3463ca1d51b81d8561b1a1bd65a0",
    "beside-v2": "sha256:d0a8c22128c957ea0fdd694cd1836529401bfb95a5bbf8c1efd17999ab5614a3",
}


@pytest.mark.parametrize(("name", "expected"), BESIDE.items(), ids=BESIDE)
def test_old_statements_beside_bundles_verify(name, expected):
    data = (GOLDEN / f"{name}.jsonl").read_bytes()
    assert digest(data) == expected
    for line in data.splitlines():
        assert claimed(read(dsse.verify(dsse.read(line), [KEY.public]).payload)) is not None


def test_the_newest_edition_of_what_stands_beside_is_what_we_write():
    lines = (GOLDEN / "beside-v2.jsonl").read_bytes().splitlines()
    assert lines == [dsse.write(each) for each in beside().values()]


RESULTS = {
    "results-v1": "sha256:74ac03b5065fa1f229bb514fccf7534027c5f4133f34bbf754f4298d321be986",
    "results-v2": "sha256:62668e119253a75b0217223ea84bdc1aa197e03b168bf0470668cbbffa5d54be",
}


@pytest.mark.parametrize(("name", "expected"), RESULTS.items(), ids=RESULTS)
def test_old_results_say_what_they_said(name, expected):
    data = (GOLDEN / f"{name}.jsonl").read_bytes()
    assert digest(data) == expected
    told = [verify_statement(line, [results_world.KEY.public]) for line in data.splitlines()]
    assert [claim.record for claim in told] == list(results_world.RESULTS.values())
    assert {claim.predicate_type.rpartition("/")[2] for claim in told} == {name.removeprefix("results-")}
    assert {claim.plan for claim in told} == {ROOT}


def test_the_newest_edition_of_results_is_what_we_write():
    assert (GOLDEN / "results-v2.jsonl").read_bytes() == results_world.lines()


MONITORED = {"monitoring-v1": "sha256:e77b5706a633e323042887e24beab0612a0cf9c39bba7f7254276e35ba79a7ec"}


@pytest.mark.parametrize(("name", "expected"), MONITORED.items(), ids=MONITORED)
def test_old_bundles_of_monitoring_verify(name, expected):
    data = (GOLDEN / f"{name}.json").read_bytes()
    assert digest(data) == expected
    told = verify_bundle(data, [monitoring_world.KEY.public])
    assert [claim.record.shift.rang_at for claim in told.claims] == ["2026-11-26T18:30:00Z", None]


def test_the_newest_edition_of_monitoring_is_what_we_write():
    assert (GOLDEN / "monitoring-v1.json").read_bytes() == monitoring_world.bundle()


UPDATED = {"update-v1": "sha256:e39df3313b65fc75510271d4c4d949e85a603a4bda2e68cf5efd2c0ff97f8ad5"}


@pytest.mark.parametrize(("name", "expected"), UPDATED.items(), ids=UPDATED)
def test_old_updates_of_a_detector_verify(name, expected):
    data = (GOLDEN / f"{name}.jsonl").read_bytes()
    assert digest(data) == expected
    keys = [update_world.AUTHOR.public, update_world.ACCEPTOR.public]
    assert [verify_statement(line, keys).name for line in data.splitlines()] == ["detector-update", "update-acceptance"]


def test_the_newest_edition_of_an_update_is_what_we_write():
    assert (GOLDEN / "update-v1.jsonl").read_bytes() == update_world.lines()
