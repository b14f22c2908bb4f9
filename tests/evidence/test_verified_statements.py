"""One statement alone, and one item of a run, against keys and bundles."""

import msgspec
import pytest
from evidence_world import SYSTEM, World, finding, fixed_key
from vouching_world import DOMAIN, KEY, beside, envelope_of, organisation

from aloi.errors import EvidenceError
from aloi.evidence import envelope as dsse
from aloi.evidence.bundle import pack
from aloi.evidence.canonical import canonical, digest
from aloi.evidence.commitments import reveal, seal
from aloi.evidence.domainproof import domain_proof
from aloi.evidence.items import verify_item
from aloi.evidence.merkle import Tree
from aloi.evidence.organisations import ORGANISATION, RosterKey, organisation_digest
from aloi.evidence.records import Sample
from aloi.evidence.statement import Subject, state
from aloi.evidence.verification import verify_bundle, verify_statement

SECRET = bytes(range(32))
BESIDE = beside()
STRANGER = fixed_key(42)


def organised(*keys, by=(41,)):
    record = organisation(keys=tuple(RosterKey.of(key.public, "2026-01-01T00:00:00Z") for key in keys))
    payload = state(record, [Subject.of(ORGANISATION, organisation_digest(DOMAIN))])
    return record, dsse.write(dsse.sign(payload, *(fixed_key(each) for each in by)))


@pytest.mark.parametrize("name", BESIDE)
def test_each_kind_alone(name):
    claim = verify_statement(dsse.write(BESIDE[name]), [KEY.public])
    assert claim.name == name.removeprefix("sealed-")
    assert claim.envelope == envelope_of(BESIDE[name])
    assert [(each.key_id, each.trusted) for each in claim.signers] == [(KEY.public.id, True)]
    assert claim.non_claims


def test_a_bundle_tells_by_which_digest_others_name_its_statements():
    world = World()
    claims = verify_bundle(world.pack(), [world.key.public]).claims
    assert [claim.envelope for claim in claims] == [envelope_of(each) for each in world.envelopes()]


def test_the_text_of_its_domain_makes_an_organisations_keys_trusted():
    record, data = organised(KEY)
    assert verify_statement(data, [], served=domain_proof(record)).signers[0].trusted
    record, data = organised(KEY, STRANGER, by=(41, 42))
    assert len(verify_statement(data, [], threshold=2, served=domain_proof(record)).signers) == 2


def reason_of(*arguments, **options):
    with pytest.raises(EvidenceError) as caught:
        verify_statement(*arguments, **options)
    return caught.value.reason


def test_what_is_not_trusted_is_refused():
    record, data = organised(KEY)
    stranger, other = organised(STRANGER, by=(42,))
    assert reason_of(dsse.write(BESIDE["dispute"]), []) == "unknown-signer"
    assert reason_of(dsse.write(BESIDE["dispute"]), [STRANGER.public]) == "unknown-signer"
    assert reason_of(dsse.write(BESIDE["dispute"]), [KEY.public], threshold=2) == "too-few-signers"
    assert reason_of(data, []) == "unknown-signer", "it lists its own key, which vouches for nothing"
    assert reason_of(data, [], threshold=2, served=domain_proof(record)) == "too-few-signers"
    assert reason_of(other, [], served=domain_proof(record)) == "domain-proof-keys"
    assert reason_of(data, [], served=domain_proof(stranger)) == "domain-proof-keys"
    assert reason_of(data, [], served=b"") == "domain-proof-form"
    assert reason_of(dsse.write(BESIDE["dispute"]), [KEY.public], served=domain_proof(record)) == "no-organisation"


def test_a_revoked_key_is_not_trusted_for_the_keys_that_it_lists():
    retired = msgspec.structs.replace(
        RosterKey.of(STRANGER.public, "2026-01-01T00:00:00Z"), revoked_at="2026-02-01T00:00:00Z", revocation="retired"
    )
    record = organisation(keys=(RosterKey.of(KEY.public, "2026-01-01T00:00:00Z"), retired))
    payload = state(record, [Subject.of(ORGANISATION, organisation_digest(DOMAIN))])
    by_the_revoked = dsse.write(dsse.sign(payload, STRANGER))
    assert reason_of(by_the_revoked, [], served=domain_proof(record)) == "unknown-signer"
    assert verify_statement(dsse.write(dsse.sign(payload, KEY)), [], served=domain_proof(record)).signers[0].trusted


def test_what_was_changed_is_refused():
    data = dsse.write(BESIDE["withdrawal"])
    refused = 0
    for position in range(len(data)):
        changed = data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]
        try:
            claim = verify_statement(changed, [KEY.public])
        except EvidenceError:
            refused += 1
        else:
            assert claim.digest == digest(dsse.verify(BESIDE["withdrawal"], [KEY.public]).payload), position
    assert refused > 0.95 * len(data)


TRIALS = [(f"asked {number}", f"said {number}") for number in range(5)]
SEALS = [seal(SECRET, str(number), *trial) for number, trial in enumerate(TRIALS)]


def sealed_claims(trials=5):
    tree = Tree()
    for each in SEALS:
        tree.append(each)
    world = World()
    sample = Sample(trials=trials, root="sha256:" + "5e" * 32, sealed="sha256:" + tree.root().hex())
    world.claims[0] = (msgspec.structs.replace(world.claims[0][0], sample=sample), (SYSTEM,))
    return verify_bundle(pack(world.envelopes(), [world.key.public], world.key), [world.key.public]).claims


def item(number=2):
    return canonical(reveal(SECRET, str(number), *TRIALS[number], SEALS, number))


def test_an_item_belongs_to_the_claims_that_commit_to_it():
    found = verify_item(item(), sealed_claims())
    assert [claim.record.hazard for claim in found.claims] == [World().claims[0][0].hazard]
    assert found.opening.prompt.text == "asked 2"


def test_an_item_of_no_claim():
    world = World()
    with pytest.raises(EvidenceError) as caught:
        verify_item(item(), verify_bundle(world.pack(), [world.key.public]).claims)
    assert caught.value.reason == "nothing-sealed"
    with pytest.raises(EvidenceError) as caught:
        verify_item(item(), sealed_claims(trials=6))
    assert caught.value.reason == "not-included"


def test_a_root_that_is_none_opens_nothing():
    claim = sealed_claims()[1]
    record = msgspec.structs.replace(finding("x"), sample=Sample(trials=5, root="x", sealed="x"))
    with pytest.raises(EvidenceError) as caught:
        verify_item(item(), [msgspec.structs.replace(claim, record=record)])
    assert caught.value.reason == "not-included"


def test_a_statement_of_a_kind_that_is_not_ours():
    payload = canonical(
        {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": "x", "digest": {"sha256": "0" * 64}}],
            "predicateType": "https://example.org/other/v1",
            "predicate": {},
        }
    )
    claim = verify_statement(dsse.write(dsse.sign(payload, KEY)), [KEY.public])
    assert (claim.name, claim.record) == ("", None)
