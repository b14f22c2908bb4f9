"""A signed incident as a STIX 2.1 bundle (OASIS), for those who share threats: what it is, who says so, which systems.

A pattern of attack is an attack-pattern, what happened an incident: STIX leaves that object with a name and a text, so
hazard, severity, harm and who is affected stand in its labels, and the day of the first known occurrence in a sighting.
"""

import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct

from aloi.evidence.canonical import canonical
from aloi.evidence.incidents import HAZARD, Incident
from aloi.evidence.statement import Subject
from aloi.standards.exports.source import NAMESPACE

# STIX 2.1, section 2.9: the namespace under which the id of an observable is made from what it says.
OBSERVABLES = uuid.UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")
KINDS = {"pattern": "attack-pattern", "incident": "incident"}

Object = dict[str, Any]


class Told(Struct, frozen=True, kw_only=True):
    """A verified incident: the digest of its envelope, who signed it, its subjects, and its hazard as others name it.

    `references` are pairs of a list (`mitre-atlas`, `owasp-llm@2026`) and an id in it.
    """

    record: Incident
    envelope: str
    signer: str
    subjects: tuple[Subject, ...]
    title: str
    references: Sequence[tuple[str, str]] = ()

    def name(self, kind: str, *parts: str) -> str:
        """The id of an object of this statement: the same every time."""
        return _id(kind, self.envelope, kind, *parts)


def _id(kind: str, *parts: str) -> str:
    return f"{kind}--{uuid.uuid5(NAMESPACE, chr(10).join(parts))}"


def withheld(record: Incident, now: str) -> str | None:
    """Until when it is not to be shared; None where it may be, or where it was told. `now` is RFC 3339 in UTC."""
    until = record.embargo_until
    return until if until and now < until else None


def stix(told: Told) -> Object:
    """The bundle. A text that is sealed is not in it; that it was fixed is."""
    identity = _identity(told)
    main = _main(told, identity["id"])
    systems = [_software(subject) for subject in told.subjects if subject.name != HAZARD]
    objects = [
        identity,
        main,
        *systems,
        *(_related(told, main["id"], system["id"], identity["id"]) for system in systems),
        *_sighted(told, main["id"], identity["id"]),
    ]
    return {"type": "bundle", "id": told.name("bundle"), "objects": objects}


def _common(told: Told, kind: str, id_: str) -> Object:
    at = told.record.at
    return {"type": kind, "spec_version": "2.1", "id": id_, "created": at, "modified": at}


def _identity(told: Told) -> Object:
    """The organisation, one for each key that speaks under its name: a name alone proves nothing."""
    name = told.record.organisation
    id_ = _id("identity", told.signer, name)
    said = f"As the statement says; signed by key {told.signer}."
    return {
        **_common(told, "identity", id_),
        "name": name,
        "description": said,
        "identity_class": "organization",
    }


def _main(told: Told, by: str) -> Object:
    record = told.record
    kind = KINDS[record.kind]
    labels = [f"hazard:{record.hazard}"]
    labels += [f"severity:{record.severity}"] if record.severity else []
    labels += [f"harm:{one}" for one in record.harm_types]
    labels += [f"affected:{one}" for one in record.affected_stakeholders]
    return {
        **_common(told, kind, told.name(kind)),
        "created_by_ref": by,
        "name": told.title,
        "description": record.text or f"The text is sealed until {record.embargo_until}; a commitment fixed it.",
        "labels": labels,
        "external_references": [
            {"source_name": "aloi", "description": "Signed statement (DSSE, in-toto)", "external_id": told.envelope},
            *({"source_name": source, "external_id": id_} for source, id_ in told.references),
        ],
    }


def _software(subject: Subject) -> Object:
    """A system, by name and fingerprint."""
    said = {"name": subject.name, "version": subject.fingerprint}
    id_ = f"software--{uuid.uuid5(OBSERVABLES, canonical(said).decode())}"
    return {"type": "software", "spec_version": "2.1", "id": id_, **said}


def _related(told: Told, source: str, target: str, by: str) -> Object:
    return {
        **_common(told, "relationship", told.name("relationship", target)),
        "created_by_ref": by,
        "relationship_type": "related-to",
        "description": "It affects this system.",
        "source_ref": source,
        "target_ref": target,
    }


def _sighted(told: Told, of: str, by: str) -> Iterator[Object]:
    if day := told.record.first_known_occurrence:
        yield {
            **_common(told, "sighting", told.name("sighting")),
            "created_by_ref": by,
            "first_seen": f"{day}T00:00:00Z",
            "sighting_of_ref": of,
        }
