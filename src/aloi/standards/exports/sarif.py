"""A bundle as SARIF 2.1.0 (OASIS), for continuous integration: what counts for each hazard of the standing system."""

from typing import Any

from aloi import __version__
from aloi.evidence.records import Verdict
from aloi.standards.exports.source import Source, figures, title
from aloi.standards.judging import by_hazard

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
KINDS = {
    Verdict.MET: ("pass", "none"),
    Verdict.NOT_MET: ("fail", "error"),
    Verdict.INCONCLUSIVE: ("open", "none"),
    Verdict.NOT_TESTED: ("notApplicable", "none"),
}


def sarif(source: Source) -> dict[str, Any]:
    """The log: for each hazard the findings and hunts that count, under the verdict that they come to together."""
    standing = by_hazard(source.items)
    rules = list(standing)
    claims = {claim.digest: (claim, record) for claim, record in source.measured()}
    results = []
    for hazard, (verdict, found) in standing.items():
        kind, level = KINDS[verdict]
        for claim, record in (claims[item.digest] for item in found):
            results.append(
                {
                    "ruleId": hazard,
                    "ruleIndex": rules.index(hazard),
                    "kind": kind,
                    "level": level,
                    "message": {"text": title(record)},
                    "locations": [{"logicalLocations": [{"name": claim.subject[-1].name, "kind": "module"}]}],
                    "partialFingerprints": {"aloi/statement": claim.digest},
                    "properties": {**figures(record), "standing": str(verdict)},
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
        "automationDetails": {"id": f"aloi/{source.verification.digest}"},
        "results": results,
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
