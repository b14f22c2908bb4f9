"""Updates of a detector, and what was accepted of them: what is read, and what contradicts itself."""

import json
from decimal import Decimal

import jsonschema
import pytest
from msgspec.structs import replace

from aloi.errors import EvidenceError
from aloi.evidence import envelope as dsse
from aloi.evidence.acceptedupdates import FILE_LIMIT, LIMIT, read, read_update, write
from aloi.evidence.canonical import canonical
from aloi.evidence.encoding import to_base64
from aloi.evidence.predicates import usual_non_claims
from aloi.evidence.schemas import schemas
from aloi.evidence.statement import STATEMENT, claimed
from aloi.evidence.statement import read as read_statement
from aloi.evidence.updates import BUCKETS, MOST, LanguageLearnt, LanguageMeasured, Measured
from aloi.evidence.verification import verify_statement
from aloi.system import ngrams
from evidence.evidence_world import HARDENED, fixed_key
from evidence.update_world import ACCEPTOR, AUTHOR, CAUGHT, QUIET, acceptance, accepted, paired, signed, update


def test_buckets_are_those_of_the_detector():
    assert BUCKETS == ngrams.BUCKETS


@pytest.mark.parametrize(("envelope", "key"), [(signed(), AUTHOR), (accepted(signed()), ACCEPTOR)])
def test_they_hold_and_fit_their_schema(envelope, key):
    claim = verify_statement(dsse.write(envelope), [key.public])
    assert claim.record in (update(), acceptance())
    assert claim.non_claims == usual_non_claims(claim.record)
    predicate = json.loads(dsse.verify(envelope, [key.public]).payload)["predicate"]
    jsonschema.validate(predicate, schemas()[f"{claim.name}.v1"])


PLAIN = json.loads(canonical(update()))
UPDATES = {
    "an index beyond the table": {"buckets": [3, 70_000, 524_288]},
    "an index below it": {"buckets": [-1, 70_000, 80_000]},
    "indices that do not ascend": {"buckets": [70_000, 3, 80_000]},
    "an index twice": {"buckets": [3, 3, 80_000]},
    "an index that is none": {"buckets": [3.5, 4, 5]},
    "a change too many": {"changes": [9, -4, 1, 1]},
    "a huge change": {"changes": [9, -4, 128]},
    "a change of nothing": {"changes": [9, 0, 1]},
    "a change that is no number": {"changes": [9, None, 1]},
    "no change": {"buckets": [], "changes": []},
    "too many changes": {"buckets": list(range(MOST + 1)), "changes": [1] * (MOST + 1)},
    "a huge bias": {"bias": "1.0001"},
    "a bias that is no number": {"bias": "NaN"},
    "an infinite bias": {"bias": "-Infinity"},
    "a bias as a binary float": {"bias": 0.5},
    "a penalty of nothing": {"strength": "0"},
    "n-grams of one text": {"least": 1},
    "no ordinary texts": {"ordinary": 0, "languages": [{"language": "en", "attacks": 40, "ordinary": 0}]},
    "fewer attacks than n-grams need": {
        "attacks": 2,
        "languages": [{"language": "en", "attacks": 2, "ordinary": 200}],
    },
    "more texts than its languages have": {"attacks": 41},
    "no source": {"sources": []},
    "another detector": {"detector": "injection-screen"},
    "a base that is no digest": {"base": "sha256:b"},
}


def refused(read_it, *given):
    with pytest.raises(EvidenceError) as caught:
        read_it(*given)
    return caught.value.reason


def payload(kind, record):
    predicate = {"record": record, "non_claims": ["other-attacks"]}
    subject = [{"name": HARDENED.name, "digest": {"sha256": HARDENED.digest.sha256}}]
    uri = f"https://aloi.dev/predicate/{kind}/v1"
    return json.dumps({"_type": STATEMENT, "subject": subject, "predicateType": uri, "predicate": predicate}).encode()


@pytest.mark.parametrize("changes", UPDATES.values(), ids=UPDATES)
def test_an_update_that_cannot_be_is_refused(changes):
    assert claimed(read_statement(payload("detector-update", PLAIN))).record == update()
    envelope = dsse.sign(payload("detector-update", PLAIN | changes), AUTHOR)
    reason = refused(verify_statement, dsse.write(envelope), [AUTHOR.public])
    assert reason in {"wrong-type", "invalid-value", "float"}


LOUD = paired(500, 2, 8, 0, "0.004", "0.03")
ACCEPTANCES = {
    "no more attacks stopped": {"whole": Measured(attacks=paired(50, 10, 2, 1, "-0.1", "0.1"), ordinary=QUIET)},
    "more false alarms than the margin": {"whole": Measured(attacks=CAUGHT, ordinary=LOUD)},
    "more of them in a language": {"languages": (LanguageMeasured(language="fr", attacks=CAUGHT, ordinary=LOUD),)},
    "a margin of everything": {"margin": Decimal(1)},
    "no threshold": {"threshold": Decimal(0)},
    "on no day": {"at": "2026-02-30T00:00:00Z"},
}


@pytest.mark.parametrize("changes", ACCEPTANCES.values(), ids=ACCEPTANCES)
def test_an_acceptance_that_its_figures_refuse_is_refused(changes):
    with pytest.raises(ValueError, match=r".+"):
        acceptance(**changes)


@pytest.mark.parametrize(
    "counts",
    [
        (50, 10, 41, 0, "0.1", "0.9"),
        (50, 10, 0, 11, "-0.9", "0.1"),
        (50, 10, 30, 0, "0.61", "0.9"),
        (50, 10, 30, 0, "-2", "0.9"),
    ],
)
def test_counts_that_cannot_be_are_refused(counts):
    with pytest.raises(ValueError, match=r"cannot be|not the difference"):
        paired(*counts)


def test_a_difference_of_other_counts_is_refused():
    with pytest.raises(ValueError, match="not the difference"):
        replace(CAUGHT, gained=29)


FILE = write(signed(), accepted(signed()), ACCEPTOR.public)
OTHER = update(languages=(LanguageLearnt(language="de", attacks=40, ordinary=200),))
ELSEWHERE = update(base="sha256:" + "c" * 64)


def file(**changes):
    return canonical(json.loads(FILE) | changes)


def plain(envelope):
    return json.loads(dsse.write(envelope))


FILES = {
    "an update alone": (dsse.write(signed()), "wrong-type"),
    "an acceptance alone": (dsse.write(accepted(signed())), "wrong-type"),
    "another format": (file(format="https://aloi.dev/accepted-update/v2"), "not-accepted"),
    "another update than was accepted": (file(update=plain(signed(OTHER))), "not-accepted"),
    "an acceptance of another update": (file(acceptance=plain(accepted(signed(OTHER)))), "not-accepted"),
    "two updates": (file(acceptance=plain(signed())), "unknown-signer"),
    "an update for another model": (
        file(update=plain(signed(ELSEWHERE)), acceptance=plain(accepted(signed(ELSEWHERE)))),
        "not-accepted",
    ),
    "the key of somebody else": (file(key=to_base64(AUTHOR.public.der)), "unknown-signer"),
    "a key that is none": (file(key="AAAA"), "unknown-algorithm"),
    "a flipped signature": (
        file(acceptance=plain(accepted(signed())) | {"signatures": plain(signed())["signatures"]}),
        "unknown-signer",
    ),
    "cut short": (FILE[:-20], "not-json"),
    "too large": (FILE + b" " * FILE_LIMIT, "too-large"),
    "nothing": (b"", "not-json"),
}


def test_the_file_gives_the_update_back():
    assert read(FILE) == update()


@pytest.mark.parametrize(("data", "reason"), FILES.values(), ids=FILES)
def test_a_file_that_nobody_accepted_is_refused(data, reason):
    assert refused(read, data) == reason


def test_no_byte_of_the_update_can_be_changed():
    for place in range(0, len(FILE), 97):
        changed = bytearray(FILE)
        changed[place] ^= 1
        try:
            assert read(bytes(changed)) == update(), "only what carries no meaning may differ"
        except EvidenceError:
            continue


def test_an_update_that_is_too_large_is_not_read():
    assert refused(read_update, dsse.write(signed()) + b" " * LIMIT) == "too-large"


def test_a_stranger_signed_it():
    assert refused(verify_statement, dsse.write(signed()), [fixed_key(1).public]) == "unknown-signer"
