"""A bundle as SARIF 2.1.0 (OASIS), for continuous integration: one result for each hazard of the standing system."""

from typing import Any

from aloi import __version__
from aloi.evidence.records import Finding, Verdict
from aloi.standards.exports.evidence import Evidence, figures, title

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
KINDS = {
    Verdict.MET: ("pass", "none"),
    Verdict.NOT_MET: ("fail", "error"),
    Verdict.INCONCLUSIVE: ("open", "none"),
    Verdict.NOT_TESTED: ("notApplicable", "none"),
}


def sarif(evidence: Evidence, stage: str) -> dict[str, Any]:
    """The log; `stage` says whether the bare system ('measure') or the remedied one ('confirm') stands."""
    found = [
        (claim, record)
        for claim, record in evidence.measured()
        if isinstance(record, Finding) and record.stage == stage
    ]
    rules = list(dict.fromkeys(record.hazard for _, record in found))
    results = []
    for claim, record in found:
        kind, level = KINDS[record.verdict]
        results.append(
            {
                "ruleId": record.hazard,
                "ruleIndex": rules.index(record.hazard),
                "kind": kind,
                "level": level,
                "message": {"text": title(record)},
                "locations": [{"logicalLocations": [{"name": claim.subject[-1].name, "kind": "module"}]}],
                "partialFingerprints": {"aloi/statement": claim.digest},
                "properties": figures(record),
            }
        )
    driver = {
        "name": "aloi",
        "version": __version__,
        "informationUri": "https://aloi.dev",
        "rules": [
            {"id": name, "shortDescription": {"text": f"Hazard {name}, at the threshold of the plan"}} for name in rules
        ],
    }
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"aloi/{evidence.verification.digest}"},
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
