"""One statement of each kind that is signed beside bundles, by fixed keys."""

from aloi.evidence import envelope as dsse
from aloi.evidence.canonical import digest
from aloi.evidence.commitments import commit
from aloi.evidence.envelope import Envelope
from aloi.evidence.incidents import Incident
from aloi.evidence.organisations import ORGANISATION, Organisation, Relation, RosterKey, organisation_digest
from aloi.evidence.records import Record
from aloi.evidence.statement import Subject, state
from aloi.evidence.vouching import (
    STATEMENT,
    Appraisal,
    Attachment,
    Commitment,
    Dispute,
    Endorsement,
    Replication,
    Sealed,
    Withdrawal,
)
from evidence.evidence_world import SYSTEM, fixed_key

AT = "2026-11-26T10:00:00Z"
FIRST, SECOND = "sha256:" + "11" * 32, "sha256:" + "22" * 32
SALT = bytes(range(32))
KEY = fixed_key(41)
DOMAIN = "institute.example.org"
RELATION = Relation(to="*", kind="third_party", access="black-box", funding="the state's budget")


def organisation(**changes: object) -> Organisation:
    fields: dict[str, object] = {
        "name": "Institute",
        "kind": "public",
        "domain": DOMAIN,
        "keys": (RosterKey.of(KEY.public, "2026-01-01T00:00:00Z"),),
        "relations": (RELATION,),
        "at": AT,
    }
    return Organisation(**(fields | changes))  # type: ignore[arg-type]  # a test names only what it changes


def incident(**changes: object) -> Incident:
    fields: dict[str, object] = {
        "organisation": "Institute",
        "at": AT,
        "hazard": "indirect-injection",
        "kind": "pattern",
        "text": "A line in a calendar makes the assistant forward what it reads.",
        "first_known_occurrence": "2026-11-20",
        "severity": "serious",
        "harm_types": ("privacy",),
        "affected_stakeholders": ("users",),
    }
    return Incident(**(fields | changes))  # type: ignore[arg-type]  # a test names only what it changes


SEALED_INCIDENT = incident(
    text=None, commitment=commit("what it is", SALT, "incident"), embargo_until="2027-02-01T00:00:00Z"
)
WITHDRAWAL = Withdrawal(
    organisation="Institute", at=AT, reason="error-in-data", text="A third was asked twice.", superseded_by=SECOND
)
COMMITMENT = Commitment(organisation="Institute", at=AT, commitment=commit(FIRST, SALT, "statement"))
REPLICATION = Replication(
    organisation="Institute", at=AT, of=SECOND, kind="exact", sealed=Sealed(commitment=FIRST, salt=SALT)
)

APPRAISAL = Appraisal(
    organisation="Institute",
    at=AT,
    hazard="data-disclosure",
    step="indirectness",
    change=-1,
    reason="It was measured in English, and serves people who speak Breton.",
)


def named(envelope: str) -> Subject:
    """A statement as the subject of another one."""
    return Subject.of(STATEMENT, envelope)


def signed(record: Record, *subjects: Subject, key: int = 41) -> Envelope:
    return dsse.sign(state(record, subjects), fixed_key(key))


def envelope_of(envelope: Envelope) -> str:
    return digest(dsse.write(envelope))


def beside() -> dict[str, Envelope]:
    """By predicate name; a sealed incident has the name `sealed-incident`."""
    statement = named(FIRST)
    return {
        "attachment": signed(
            Attachment(control="risk-register", size=1, approved_by="Board", approved_on="2026-11-26"), SYSTEM
        ),
        "endorsement": signed(Endorsement(organisation="Institute", at=AT), statement),
        "dispute": signed(Dispute(organisation="Institute", at=AT, reason="the judge is the maker's"), statement),
        "withdrawal": signed(WITHDRAWAL, statement),
        "commitment": signed(COMMITMENT, SYSTEM),
        "replication": signed(REPLICATION, statement),
        "appraisal": signed(APPRAISAL, SYSTEM),
        "organisation": signed(organisation(), Subject.of(ORGANISATION, organisation_digest(DOMAIN))),
        "incident": signed(incident(), SYSTEM),
        "sealed-incident": signed(SEALED_INCIDENT, SYSTEM),
    }
