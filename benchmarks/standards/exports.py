"""A thousand bundles drawn at random, exported: how many keep to the schemas, and how many references dangle.

    python -m benchmarks.standards.exports [COUNT]

CycloneDX by the official schema that cyclonedx-python-lib carries, strictly; OSCAL by its official schema, which `make
.venv/oscal` installs, and by the models of compliance-trestle; SARIF by its official schema, which `make .venv/schemas`
installs, and by the models of sarif-pydantic, which have to know every member.
"""

import importlib
import json
import logging
import sys
import time
from collections.abc import Iterator

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from pydantic import BaseModel, ValidationError
from sarif_pydantic import Sarif

from aloi.standards.coverage import cover
from aloi.standards.exports import oscal
from aloi.standards.exports.cyclonedx import bom
from aloi.standards.exports.references import dangling_cyclonedx, dangling_oscal
from aloi.standards.exports.sarif import sarif
from aloi.standards.frameworks import framework
from aloi.standards.gaps import next_evidence
from aloi.standards.hub import hub
from benchmarks.bars import bar
from benchmarks.standards.bundles import drawn
from benchmarks.standards.schemas import NO_OSCAL, NO_SARIF, official_oscal, official_sarif

COUNT = 1_000
FRAMEWORKS = ("owasp-llm@2026", "nist-ai-600-1@2024-07", "eu-ai-act@2026-07-27")
MODELS = {
    "catalog": ("catalog", "Catalog"),
    "profile": ("profile", "Profile"),
    "assessment-plan": ("assessment_plan", "AssessmentPlan"),
    "assessment-results": ("assessment_results", "AssessmentResults"),
    "plan-of-action-and-milestones": ("poam", "PlanOfActionAndMilestones"),
    "mapping-collection": ("mapping", "MappingCollection"),
}


def read_by_trestle(document: dict[str, object]) -> bool:
    """Whether the library reads an OSCAL document."""
    ((kind, body),) = document.items()
    module, name = MODELS[kind]
    try:
        getattr(importlib.import_module(f"trestle.oscal.{module}"), name).model_validate(body)
    except ValidationError as error:
        print(f"{kind}: {error.errors()[0]}")
        return False
    return True


def read_by_sarif(document: dict[str, object]) -> bool:
    """Whether the library reads a SARIF log, and knows every member of it: what it does not know, it carries along."""
    try:
        read = Sarif.model_validate(document)
    except ValidationError as error:
        print(f"sarif: {error.errors()[0]}")
        return False
    return not list(_unknown(read))


def _unknown(value: object) -> Iterator[str]:
    """Members that no model of the library names; what stands in `properties` is free."""
    if isinstance(value, BaseModel):
        yield from value.model_extra or ()
        for name in type(value).model_fields:
            if name != "properties":
                yield from _unknown(getattr(value, name))
    elif isinstance(value, list):
        for one in value:
            yield from _unknown(one)


def main() -> int:
    """Export, validate, count."""
    logging.getLogger("trestle").setLevel(logging.ERROR)
    count = int(sys.argv[1]) if sys.argv[1:] and sys.argv[1].isdigit() else COUNT
    strict, official, nist = JsonStrictValidator(SchemaVersion.V1_7), official_sarif(), official_oscal()
    frameworks = [framework(name) for name in FRAMEWORKS]
    invalid, dangling, documents, spent = 0, 0, 0, 0.0
    for seed in range(count):
        evidence = drawn(seed)
        began = time.process_time()
        coverages = [(one, cover(one, evidence.items)) for one in frameworks]
        steps = {one.pack.key: next_evidence(found, one, evidence.items) for one, found in coverages}
        written = json.loads(json.dumps(oscal.documents(evidence, hub(), frameworks, steps)))
        material = json.dumps(bom(evidence, coverages))
        dangling += len(dangling_oscal(written)) + len(dangling_cyclonedx(json.loads(material)))
        spent += time.process_time() - began
        documents += len(written) + 2
        invalid += sum(not (read_by_trestle(one) and (nist is None or nist.is_valid(one))) for one in written.values())
        invalid += strict.validate_str(material) is not None
        log = json.loads(json.dumps(sarif(evidence)))
        invalid += not (read_by_sarif(log) and (official is None or official.is_valid(log)))
    print(f"{count} bundles, {documents} documents; {1000 * spent / count:.0f} ms of CPU a bundle, checks included")
    print(f"OSCAL by its official schema: {documents - 2 * count} documents" if nist else NO_OSCAL)
    print(f"SARIF by its official schema: {count} logs" if official else NO_SARIF)
    bar("documents that are refused", str(invalid), "0", met=not invalid)
    bar("references that dangle", str(dangling), "0", met=not dangling)
    return int(bool(invalid or dangling))


if __name__ == "__main__":
    sys.exit(main())
