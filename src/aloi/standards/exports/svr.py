"""A bundle in one small statement, signed by whoever verified it: in-toto Simple Verification Result v0.1
(https://github.com/in-toto/attestation/blob/main/spec/predicates/svr.md). The bundle is told as the policy."""

from aloi.evidence import envelope as dsse
from aloi.evidence.canonical import canonical
from aloi.evidence.envelope import Envelope
from aloi.evidence.publickeys import SigningKey
from aloi.evidence.records import Finding, Verdict
from aloi.evidence.statement import STATEMENT
from aloi.standards.exports.evidence import Evidence

SVR = "https://in-toto.io/attestation/svr/v0.1"


def properties(evidence: Evidence, stage: str) -> tuple[str, ...]:
    """One property for each hazard that is met at its threshold, `ALOI_MET_<hazard>_AT_<threshold>`; no other word."""
    return tuple(
        f"ALOI_MET_{record.hazard}_AT_{record.threshold}"
        for _, record in evidence.measured()
        if isinstance(record, Finding) and record.stage == stage and record.verdict is Verdict.MET
    )


def svr(evidence: Evidence, stage: str, key: SigningKey) -> Envelope:
    """The statement, signed: the key's holder says that the bundle held, and what it proves of its system."""
    subject = evidence.verification.subject[-1 if stage == "confirm" else 0]
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
                        "digest": {"sha256": evidence.verification.digest.removeprefix("sha256:")},
                    },
                },
                "timeCreated": evidence.at,
                "properties": list(properties(evidence, stage)),
            },
        }
    )
    return dsse.sign(payload, key)
