"""An incident as STIX 2.1: read by the library of those who made the standard, whole, and never before its day."""

import copy
import email
import json
import re
from pathlib import Path

import pytest
import stix2
from hatchling.build import prepare_metadata_for_build_wheel
from hypothesis import given
from hypothesis import strategies as st

from aloi.evidence.incidents import HAZARD, Incident, hazard_digest
from aloi.evidence.statement import Subject
from aloi.standards.exports.references import dangling_stix
from aloi.standards.exports.stix import Told, stix, withheld

AT, LATER = "2026-11-26T08:00:00Z", "2027-02-01T00:00:00Z"
DIGESTS = st.text("0123456789abcdef", min_size=64, max_size=64).map(lambda text: f"sha256:{text}")
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
SYSTEMS = st.lists(st.builds(Subject.of, NAMES.filter(lambda name: name != HAZARD), DIGESTS), max_size=4, unique=True)


def made(**said):
    given_ = {"organisation": "Institut «é» & <b>", "at": AT, "hazard": "indirect-injection", "kind": "pattern"}
    sealed = "embargo_until" in said
    text = {"commitment": b"1" * 32} if sealed else {"text": "A page says what to do, and the agent does it."}
    return Incident(**given_ | text | said)


def told(record=None, subjects=(), envelope="sha256:" + "1" * 64, **said):
    hazard = Subject.of(HAZARD, hazard_digest("indirect-injection"))
    given_ = {
        "signer": "ed25519:" + "2" * 64,
        "title": "Indirect injection",
        "references": [("owasp-llm", "LLM01:2026")],
    }
    return Told(record=record or made(), envelope=envelope, subjects=tuple(subjects) or (hazard,), **given_ | said)


@given(
    st.builds(
        made,
        kind=st.sampled_from(["pattern", "incident"]),
        severity=st.none() | NAMES,
        harm_types=st.lists(NAMES, max_size=3).map(tuple),
        affected_stakeholders=st.lists(NAMES, max_size=3).map(tuple),
        first_known_occurrence=st.none() | st.dates().map(str),
    )
    | st.builds(made, embargo_until=st.just(LATER)),
    SYSTEMS,
    DIGESTS,
    st.lists(st.tuples(NAMES, NAMES), max_size=3),
)
def test_every_incident_is_read_by_the_library_and_whole(record, subjects, envelope, references):
    document = json.loads(json.dumps(stix(told(record, subjects, envelope, references=references))))
    assert dangling_stix(document) == ()
    read = stix2.parse(document, allow_custom=False)
    assert [one["type"] for one in read.objects][:2] == [
        "identity",
        "attack-pattern" if record.kind == "pattern" else "incident",
    ]
    software = [one for one in read.objects if one["type"] == "software"]
    assert [(one.name, one.version) for one in software] == [(one.name, one.fingerprint) for one in subjects]
    assert [one.id for one in software] == [stix2.Software(name=one.name, version=one.version).id for one in software]
    assert len([one for one in read.objects if one["type"] == "relationship"]) == len(subjects)
    seen = [one.first_seen.date().isoformat() for one in read.objects if one["type"] == "sighting"]
    assert seen == [one for one in [record.first_known_occurrence] if one]


def test_the_same_statement_gives_the_same_objects_and_another_does_not():
    one, other = stix(told()), stix(told(envelope="sha256:" + "3" * 64))
    assert one == stix(told())
    shared = {each["id"] for each in one["objects"]} & {each["id"] for each in other["objects"]}
    assert {id_.partition("--")[0] for id_ in shared} == {"identity"}
    stranger = stix(told(signer="ed25519:" + "4" * 64))
    assert stranger["objects"][0]["id"] != one["objects"][0]["id"], "a name that another key uses is another identity"


def test_what_is_said_stands_where_it_can_be_found():
    record = made(severity="high", harm_types=("privacy",), affected_stakeholders=("customers",))
    main = stix(told(record))["objects"][1]
    assert main["labels"] == ["hazard:indirect-injection", "severity:high", "harm:privacy", "affected:customers"]
    assert main["description"] == record.text
    assert [one["external_id"] for one in main["external_references"]] == ["sha256:" + "1" * 64, "LLM01:2026"]


def test_a_sealed_text_is_not_in_it_and_its_day_is():
    sealed = made(embargo_until=LATER)
    main = stix(told(sealed))["objects"][1]
    assert LATER in main["description"]
    assert "sealed" in main["description"]


@pytest.mark.parametrize(
    ("record", "now", "until"),
    [
        (made(embargo_until=LATER), AT, LATER),
        (made(embargo_until=LATER), "2027-01-31T23:59:59Z", LATER),
        (made(embargo_until=LATER), LATER, None),
        (made(), AT, None),
    ],
)
def test_an_embargo_ends_on_its_day(record, now, until):
    assert withheld(record, now) == until


SPOILED = {
    "an author": ("created_by_ref", "identity--gone"),
    "a system": ("target_ref", "software--gone"),
    "what was seen": ("sighting_of_ref", "attack-pattern--gone"),
    "an id of another type": ("id", "malware--00000000-0000-4000-8000-000000000000"),
}


@pytest.mark.parametrize("case", SPOILED)
def test_a_dangling_reference_is_found(case):
    key, value = SPOILED[case]
    record = made(first_known_occurrence="2026-11-01")
    document = copy.deepcopy(stix(told(record, [Subject.of("bot", "sha256:" + "5" * 64)])))
    assert dangling_stix(document) == ()
    next(one for one in reversed(document["objects"]) if key in one)[key] = value
    assert dangling_stix(document)


def test_an_object_that_stands_twice_is_found():
    document = stix(told())
    document["objects"].append(document["objects"][1])
    assert any("twice" in one for one in dangling_stix(document))


def test_the_extra_is_named_and_asks_for_nothing_more(tmp_path, monkeypatch):
    """`pip install '.[stix]'` knows the extra, by the metadata that the build gives."""
    monkeypatch.chdir(Path(__file__).parents[2])
    made = prepare_metadata_for_build_wheel(str(tmp_path))
    about = email.message_from_bytes((tmp_path / made / "METADATA").read_bytes())
    assert "stix" in about.get_all("Provides-Extra")
    assert not [need for need in about.get_all("Requires-Dist") if re.search(r"extra\s*==\s*.stix", need)]
