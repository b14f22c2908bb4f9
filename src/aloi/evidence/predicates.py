"""The predicates that are signed: which record each type carries, and what it expressly does not claim.

Every predicate has one shape under `https://aloi.dev/predicate/<name>/v1`:
`{"record": {…}, "plan": "sha256:…", "non_claims": ["other-versions", …]}`. Results have a second edition, `…/v2`, whose
shape `aloi.evidence.evalresults` tells; what is read of either is the same claim.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, Generic, TypeVar

from msgspec import Meta

from aloi.evidence.fields import Code, Digest
from aloi.evidence.incidents import Incident
from aloi.evidence.monitoring import Monitoring
from aloi.evidence.organisations import Organisation
from aloi.evidence.records import BenignRate, Coverage, Effect, Finding, Hunt, Plan, Record
from aloi.evidence.updates import DetectorUpdate, UpdateAcceptance
from aloi.evidence.vouching import Appraisal, Attachment, Commitment, Dispute, Endorsement, Replication, Withdrawal

PREDICATE = "https://aloi.dev/predicate/{name}/v{edition}"


class NonClaim(StrEnum):
    """What a reader could wrongly infer. Codes are stable; their sentences are rendered by the faces."""

    OTHER_HAZARDS = "other-hazards"
    OTHER_VERSIONS = "other-versions"
    OTHER_LANGUAGES = "other-languages"
    OTHER_ATTACKS = "other-attacks"
    OTHER_USES = "other-uses"
    POPULATION = "population"
    WORST_CASE = "worst-case"
    WHICH_ATTACK = "which-attack"
    ABSENCE_OF_RISK = "absence-of-risk"
    FUTURE_BEHAVIOUR = "future-behaviour"
    REGISTRATION_TIME = "registration-time"
    EARLIER_RUNS = "earlier-runs"
    INDEPENDENCE = "independence"
    ALL_EVIDENCE = "all-evidence"
    CONTRARY = "contrary"
    AGREEMENT = "agreement"
    SEALED_CONTENT = "sealed-content"
    IDENTITY = "identity"
    FAULT = "fault"
    DOCUMENT_CONTENT = "document-content"
    LEGAL_CONFORMITY = "legal-conformity"
    SECRECY = "secrecy"


class Entry(Record, frozen=True, kw_only=True):
    """One envelope of a bundle: the digest of its payload, what it states, and the key ids that signed it."""

    digest: Digest
    predicate_type: str
    signers: tuple[str, ...]


class Manifest(Record, frozen=True, kw_only=True):
    """Every envelope of a bundle, in order: nothing can be left out, added, swapped or moved unseen."""

    entries: tuple[Entry, ...]


R_co = TypeVar("R_co", bound=Record, covariant=True)


class Claim(Record, Generic[R_co], frozen=True, kw_only=True):
    """A record as it is signed: under which plan (digest of the plan's statement), and what it does not claim."""

    record: R_co
    plan: Digest | None = None
    non_claims: Annotated[tuple[Code, ...], Meta(min_length=1)]


CLAIMS: Mapping[str, type[Claim[Any]]] = MappingProxyType(
    {
        "plan": Claim[Plan],
        "finding": Claim[Finding],
        "hunt": Claim[Hunt],
        "benign-rate": Claim[BenignRate],
        "effect": Claim[Effect],
        "coverage": Claim[Coverage],
        "attachment": Claim[Attachment],
        "endorsement": Claim[Endorsement],
        "dispute": Claim[Dispute],
        "withdrawal": Claim[Withdrawal],
        "commitment": Claim[Commitment],
        "replication": Claim[Replication],
        "appraisal": Claim[Appraisal],
        "organisation": Claim[Organisation],
        "incident": Claim[Incident],
        "monitoring": Claim[Monitoring],
        "detector-update": Claim[DetectorUpdate],
        "update-acceptance": Claim[UpdateAcceptance],
        "manifest": Claim[Manifest],
    }
)
# Of all others there is one edition.
EDITIONS: Mapping[str, int] = MappingProxyType({"finding": 2, "hunt": 2, "benign-rate": 2, "effect": 2})
_NAMES: Mapping[type[Record], str] = MappingProxyType(
    {
        Plan: "plan",
        Finding: "finding",
        Hunt: "hunt",
        BenignRate: "benign-rate",
        Effect: "effect",
        Coverage: "coverage",
        Attachment: "attachment",
        Endorsement: "endorsement",
        Dispute: "dispute",
        Withdrawal: "withdrawal",
        Commitment: "commitment",
        Replication: "replication",
        Appraisal: "appraisal",
        Organisation: "organisation",
        Incident: "incident",
        Monitoring: "monitoring",
        DetectorUpdate: "detector-update",
        UpdateAcceptance: "update-acceptance",
        Manifest: "manifest",
    }
)

_RESULT = (
    NonClaim.OTHER_HAZARDS,
    NonClaim.OTHER_VERSIONS,
    NonClaim.OTHER_LANGUAGES,
    NonClaim.OTHER_ATTACKS,
    NonClaim.OTHER_USES,
    NonClaim.WORST_CASE,
    NonClaim.ABSENCE_OF_RISK,
    NonClaim.FUTURE_BEHAVIOUR,
    NonClaim.INDEPENDENCE,
)
_UPDATE = (
    NonClaim.OTHER_LANGUAGES,
    NonClaim.OTHER_ATTACKS,
    NonClaim.OTHER_USES,
    NonClaim.POPULATION,
    NonClaim.ABSENCE_OF_RISK,
    NonClaim.FUTURE_BEHAVIOUR,
    NonClaim.INDEPENDENCE,
)
_USUAL: Mapping[str, tuple[NonClaim, ...]] = MappingProxyType(
    {
        "plan": (NonClaim.OTHER_HAZARDS, NonClaim.OTHER_VERSIONS, NonClaim.REGISTRATION_TIME),
        "finding": _RESULT,
        "hunt": (
            *(code for code in _RESULT if code is not NonClaim.WORST_CASE),
            NonClaim.POPULATION,
            NonClaim.WHICH_ATTACK,
        ),
        "benign-rate": (*_RESULT, NonClaim.POPULATION),
        "effect": (*_RESULT, NonClaim.POPULATION),
        "coverage": (NonClaim.OTHER_VERSIONS, NonClaim.LEGAL_CONFORMITY, NonClaim.INDEPENDENCE),
        "attachment": (NonClaim.DOCUMENT_CONTENT, NonClaim.LEGAL_CONFORMITY),
        "endorsement": (NonClaim.LEGAL_CONFORMITY, NonClaim.INDEPENDENCE),
        "dispute": (NonClaim.LEGAL_CONFORMITY, NonClaim.INDEPENDENCE),
        "withdrawal": (NonClaim.CONTRARY,),
        "commitment": (NonClaim.SEALED_CONTENT,),
        "replication": (NonClaim.INDEPENDENCE, NonClaim.AGREEMENT),
        "appraisal": (NonClaim.OTHER_HAZARDS, NonClaim.OTHER_VERSIONS, NonClaim.INDEPENDENCE),
        "organisation": (NonClaim.IDENTITY, NonClaim.INDEPENDENCE),
        "incident": (NonClaim.OTHER_VERSIONS, NonClaim.POPULATION, NonClaim.FAULT, NonClaim.LEGAL_CONFORMITY),
        "monitoring": (
            NonClaim.OTHER_HAZARDS,
            NonClaim.OTHER_VERSIONS,
            NonClaim.OTHER_USES,
            NonClaim.ABSENCE_OF_RISK,
            NonClaim.FUTURE_BEHAVIOUR,
            NonClaim.INDEPENDENCE,
            NonClaim.FAULT,
            NonClaim.LEGAL_CONFORMITY,
        ),
        "detector-update": (*_UPDATE, NonClaim.SECRECY),
        "update-acceptance": _UPDATE,
        "manifest": (NonClaim.ALL_EVIDENCE,),
    }
)


def name_of(record: Record) -> str:
    """A record's predicate name, a key of `CLAIMS`. Raises KeyError for a record that is not signed alone."""
    return _NAMES[type(record)]


def predicate_type(name: str, edition: int | None = None) -> str:
    """The URI of a predicate name in an edition; without one, in that which is written today."""
    return PREDICATE.format(name=name, edition=EDITIONS.get(name, 1) if edition is None else edition)


_TYPES = MappingProxyType(
    {
        predicate_type(name, edition): (name, edition)
        for name in CLAIMS
        for edition in range(1, EDITIONS.get(name, 1) + 1)
    }
)


def claim_type(uri: str) -> tuple[str, int] | None:
    """The name and the edition behind a predicate's URI, old ones included; None for one that is not ours."""
    return _TYPES.get(uri)


def kind_of(uri: str) -> str:
    """What a predicate's URI says of a statement's kind, whichever the edition: its name, or the URI of others."""
    known = _TYPES.get(uri)
    return known[0] if known else uri


def usual_non_claims(record: Record) -> tuple[NonClaim, ...]:
    """What a record of this kind does not claim, before anything particular to it is added."""
    usual = _USUAL[name_of(record)]
    if isinstance(record, Finding) and record.scope != "population":
        return (*usual, NonClaim.POPULATION)
    return usual
