import json
from pathlib import Path

import jsonschema
import pytest
from evidence_world import World

from aloi.evidence.predicates import claim_type
from aloi.evidence.schemas import schemas

FOLDER = Path(__file__).parents[2] / "schemas"


def test_committed_schemas_are_the_generated_ones():
    written = {path.name.removesuffix(".json"): json.loads(path.read_bytes()) for path in FOLDER.glob("*.json")}
    assert written == schemas()  # else: python tests/evidence/make_schemas.py


@pytest.mark.parametrize("stem", schemas())
def test_they_are_valid_schemas(stem):
    jsonschema.Draft202012Validator.check_schema(schemas()[stem])


def test_what_we_sign_fits_its_schema():
    made = schemas()
    for payload in World().statements():
        statement = json.loads(payload)
        name, _ = claim_type(statement["predicateType"])
        jsonschema.validate(statement["predicate"], made[f"{name}.v1"])


def test_the_bundle_fits_its_schema(bundle):
    jsonschema.validate(json.loads(bundle), schemas()["bundle.v1"])


def test_a_finding_without_non_claims_does_not_fit():
    predicate = json.loads(World().statements()[1])["predicate"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(predicate | {"non_claims": []}, schemas()["finding.v1"])
