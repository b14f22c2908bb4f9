"""A bundle in one small statement, signed by whoever verified it: in-toto Simple Verification Result v0.1
(https://github.com/in-toto/attestation/blob/main/spec/predicates/svr.md). The bundle is told as the policy."""

from collections.abc import Iterable
from decimal import Decimal

from aloi.evidence import envelope as dsse
from aloi.evidence.canonical import canonical
from aloi.evidence.envelope import Envelope
from aloi.evidence.publickeys import SigningKey
from aloi.evidence.records import Finding, Hunt, Verdict
from aloi.evidence.statement import STATEMENT
from aloi.standards.exports.source import Source
from aloi.standards.judging import EvidenceItem, by_hazard

SVR = "https://in-toto.io/attestation/svr/v0.1"


def properties(source: Source) -> tuple[str, ...]:
    """One property for each hazard whose counted verdict is met, `ALOI_MET_<hazard>_AT_<threshold>`; no other word."""
    return tuple(
        f"ALOI_MET_{hazard}_AT_{max(_thresholds(found))}"
        for hazard, (verdict, found) in by_hazard(source.items).items()
        if verdict is Verdict.MET
    )


def _thresholds(found: Iterable[EvidenceItem]) -> list[Decimal]:
    return [item.record.threshold for item in found if isinstance(item.record, Finding | Hunt)]


def svr(source: Source, key: SigningKey) -> Envelope:
    """The statement, signed: the key's holder says that the bundle held, and what it proves of its system."""
    subject = source.standing
    payload = canonical(
        {
            "_type": STATEMENT,
            "subject": [{"name": subject.name, "digest": {"sha256": subject.digest.sha256}}],
            "predicateType": SVR,
            "predicate": {
                "verifier": {
                    "id": f"https://aloi.dev/verifier/v1/{key.public.id}",
                    "policy": {
                        "uri": "https://aloi.dev/bundle/v1",
                        "digest": {"sha256": source.verification.digest.removeprefix("sha256:")},
                    },
                },
                "timeCreated": source.at,
                "properties": list(properties(source)),
            },
        }
    )
    return dsse.sign(payload, key)
