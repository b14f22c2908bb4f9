import json
from pathlib import Path

import jsonschema
import pytest
from evidence_world import World, first_edition

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
        name, edition = claim_type(statement["predicateType"])
        assert made[f"{name}.v{edition}"]["$id"] == statement["predicateType"]
        jsonschema.validate(statement["predicate"], made[f"{name}.v{edition}"])


@pytest.mark.parametrize("payload", [first_edition(record, about) for record, about in World().claims])
def test_what_was_signed_before_fits_the_schema_of_its_edition(payload):
    statement = json.loads(payload)
    name, edition = claim_type(statement["predicateType"])
    assert edition == 1
    jsonschema.validate(statement["predicate"], schemas()[f"{name}.v1"])


def test_the_bundle_fits_its_schema(bundle):
    jsonschema.validate(json.loads(bundle), schemas()["bundle.v1"])


def test_a_finding_without_non_claims_does_not_fit():
    predicate = json.loads(World().statements()[1])["predicate"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(predicate | {"non_claims": []}, schemas()["finding.v2"])
