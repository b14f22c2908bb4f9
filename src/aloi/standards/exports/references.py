"""Check that nothing in an export points at what is not there: others' libraries accept dangling references."""

from collections.abc import Iterator, Mapping
from typing import Any

from aloi.errors import EvidenceError
from aloi.translation import N_

# Members of OSCAL documents that hold a reference, and of CycloneDX those that hold one or a list of them.
OSCAL_UUIDS = {"observation-uuid", "subject-uuid", "component-uuid", "party-uuid", "risk-uuid"}
CYCLONEDX_REFS = {"assessor", "requirement", "target", "claims", "counterClaims", "evidence", "counterEvidence"}


def dangling_oscal(documents: Mapping[str, Any]) -> tuple[str, ...]:
    """References of a set of OSCAL documents, by file name, that nothing in the set answers, as `file: reference`."""
    uuids = {value for document in documents.values() for key, value in _members(document) if key == "uuid"}
    controls = {name: _ids(document) for name, document in documents.items()}
    missing = []
    for name, document in documents.items():
        known = set.union(set(), *(controls[other] for other in documents if other.startswith("catalog")))
        for key, value in _members(document):
            match key, value:
                case "href", str() if value.startswith("#"):
                    holds = value[1:] in _local(document)
                case "href", str() if value.endswith(".json"):
                    holds = value in documents
                case _, str() if key in OSCAL_UUIDS:
                    holds = value in uuids
                case "control-id" | "target-id" | "id-ref", str():
                    holds = value in known
                case "with-ids", list():
                    holds = set(value) <= known
                case _:
                    holds = True
            if not holds:
                missing.append(f"{name}: {key} {value}")
        missing += _mapped(name, document, controls)
    return tuple(missing)


def _mapped(name: str, document: Any, controls: Mapping[str, set[str]]) -> Iterator[str]:
    """Each side of a mapping has to lie in the catalog that it names, and not just anywhere."""
    for mapping in document.get("mapping-collection", {}).get("mappings", ()):
        for side, resource in (("sources", "source-resource"), ("targets", "target-resource")):
            known = controls.get(mapping[resource]["href"], set())
            for one in mapping["maps"]:
                yield from (f"{name}: {side} {item['id-ref']}" for item in one[side] if item["id-ref"] not in known)


def dangling_cyclonedx(document: Any) -> tuple[str, ...]:
    """References inside a CycloneDX document that no `bom-ref` of it answers, and references that stand twice."""
    refs = [value for key, value in _members(document) if key == "bom-ref"]
    missing = [f"bom-ref {one} stands twice" for one in {one for one in refs if refs.count(one) > 1}]
    known = set(refs)
    # Declarations themselves hold lists of claims and of evidence, which are no references.
    for key, value in _members(document.get("declarations", {})):
        if key in CYCLONEDX_REFS:
            some = value if isinstance(value, list) else [value]
            missing += [f"{key} {one}" for one in some if isinstance(one, str) and one not in known]
    return tuple(missing)


def dangling_stix(document: Any) -> tuple[str, ...]:
    """References inside a STIX bundle that no object of it answers, ids that stand twice, and those of another type."""
    objects = document["objects"]
    ids = [one["id"] for one in objects]
    missing = [f"id {one} stands twice" for one in {one for one in ids if ids.count(one) > 1}]
    missing += [f"id {one['id']} of a {one['type']}" for one in objects if not one["id"].startswith(f"{one['type']}--")]
    for key, value in _members(objects):
        some = value if key.endswith("_refs") else [value] if key.endswith("_ref") else []
        missing += [f"{key} {one}" for one in some if one not in ids]
    return tuple(missing)


def require_whole(missing: tuple[str, ...]) -> None:
    """Raises EvidenceError ('dangling-reference') where an export would point at nothing: it is then not written."""
    if missing:
        raise EvidenceError(
            N_("the export would point at what is not in it: {first} (and {more} more)"),
            reason="dangling-reference",
            remedy=N_("this is a fault of Aloi or of a framework that was plugged in; the bundle is untouched"),
            first=missing[0],
            more=len(missing) - 1,
        )


def _members(value: Any) -> Iterator[tuple[str, Any]]:
    """Every member of every object, however deep; an OSCAL `rlink` points at a file kept elsewhere, by its digest."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield key, one
            if key != "rlinks":
                yield from _members(one)
    elif isinstance(value, list):
        for one in value:
            yield from _members(one)


def _local(document: Any) -> set[str]:
    return {value for key, value in _members(document) if key == "uuid"}


def _ids(document: Any) -> set[str]:
    """Ids of controls and of their parts in a catalog."""
    return {value for key, value in _members(document.get("catalog", {})) if key == "id"}
