"""Controls, requirements and the rows between them as OSCAL 1.2 catalogs and mapping-collections, and rows back.

An id that is no OSCAL token keeps its own form in a property; so do a row's French rationale, its author and its date.
"""

import re
import uuid
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Protocol

from msgspec import Struct, field

from aloi import __version__
from aloi.errors import EvidenceError
from aloi.evidence.canonical import digest
from aloi.evidence.decoding import decode
from aloi.standards.crosswalks.rows import Said, checked, other_edition, owes, row, unknown_relation
from aloi.standards.frameworks import Framework
from aloi.standards.hub import Hub
from aloi.standards.mapping import UNSAID, Relation, Row, RowWords, row_digest
from aloi.standards.mapping import Mapping as Rows
from aloi.standards.pack import Freshness, Pack, freshness
from aloi.standards.reading import LIMIT, Table
from aloi.translation import N_

OSCAL = "1.2.3"
NS = "https://aloi.dev/ns/oscal"
CATALOG = "catalog.json"
RELATIONSHIPS: Mapping[Relation, str] = {
    "equal": "equal-to",
    "subset": "subset-of",
    "superset": "superset-of",
    "intersects": "intersects-with",
    "none": "no-relationship",
}
_RELATIONS: Mapping[str, Relation] = {told: relation for relation, told in RELATIONSHIPS.items()}
FRENCH, AUTHOR, DATE = "rationale-fr", "author", "date"
Document = dict[str, Any]


class Naming(Protocol):
    """Names and the moment (RFC 3339 in UTC) of a set of documents."""

    @property
    def at(self) -> str:
        """When it is written."""
        ...

    def name(self, *parts: str) -> str:
        """A UUID that is the same whenever the same thing is written."""
        ...


class Alone(Struct, frozen=True, kw_only=True):
    """Names for the rows of one framework, written without a bundle."""

    framework: Framework
    at: str

    def name(self, *parts: str) -> str:
        """A UUID (version 5) over the framework's rows."""
        key = self.framework.pack.key
        rows = digest("\n".join(row_digest(key, one) for one in self.framework.rows).encode())
        return str(uuid.uuid5(uuid.NAMESPACE_URL, "\n".join((f"https://aloi.dev/framework/{key}", rows, *parts))))


def documents(framework: Framework, hub: Hub, at: str) -> dict[str, Document]:
    """File name to document: the two catalogs and, between them, the mapping-collection."""
    naming = Alone(framework=framework, at=at)
    return {
        CATALOG: controls_catalog(naming, hub),
        catalog_of(framework.pack): requirements_catalog(naming, framework.pack),
        collection_of(framework.pack): collection(naming, framework),
    }


def token(text: str) -> str:
    """An id as OSCAL writes one: a letter or underscore, then letters, digits, dots, hyphens and underscores."""
    made = re.sub(r"[^A-Za-z0-9._-]+", "_", text).strip("_")
    return made if re.match(r"[A-Za-z_]", made) else f"_{made}"


def catalog_of(pack: Pack) -> str:
    """The file name of a framework's catalog."""
    return f"catalog.{pack.key}.json"


def metadata(naming: Naming, name: str) -> Document:
    """The head of a document."""
    return {"title": line(name), "last-modified": naming.at, "version": __version__, "oscal-version": OSCAL}


def line(text: str) -> str:
    """A text of others' as OSCAL takes a title or a value: one line without spaces around it, and never empty."""
    return " ".join(text.split()) or "-"


def props(values: Mapping[str, str]) -> list[Document]:
    """Properties of Aloi's own namespace; what is empty is left out."""
    return [{"name": token(name), "ns": NS, "value": line(value)} for name, value in values.items() if value.strip()]


def controls_catalog(naming: Naming, hub: Hub) -> Document:
    """Aloi's controls as a catalog."""
    controls = [
        {
            "id": control.id,
            "title": control.title.en,
            "props": props({"proof": control.proof, "hazards": " ".join(control.hazards)}),
            "parts": [{"id": statement(control.id), "name": "statement", "prose": control.title.en}],
        }
        for control in hub.controls
    ]
    return {
        "catalog": {
            "uuid": naming.name("catalog"),
            "metadata": metadata(naming, "Controls of Aloi"),
            "controls": controls,
        }
    }


def statement(control: str) -> str:
    """The id of the statement of a control, which a finding is about."""
    return f"{control}_smt"


def requirements_catalog(naming: Naming, pack: Pack) -> Document:
    """A framework's requirements as a catalog: ids, in the words of Aloi, each with how it is known.

    What could not be confirmed, and that the text is to be checked again, stands in the remarks.
    """
    controls = [
        {
            "id": token(one.id),
            "title": line(one.title.en),
            "props": props({"id": one.id, "certainty": pack.sure(one)}),
        }
        for one in pack.requirements
    ]
    checked = freshness(pack, date.fromisoformat(naming.at[:10]))
    facts = {"checked-on": pack.checked_on, "due": checked.due, "overdue": "yes" if checked.stale else "no"}
    return {
        "catalog": {
            "uuid": naming.name("catalog", pack.key),
            "metadata": {
                **metadata(naming, f"{pack.title.en} ({pack.key}): ids, in the words of Aloi"),
                "props": props({name: str(fact) for name, fact in facts.items()}),
                "remarks": "\n\n".join((*told_stale(checked), *(one.en for one in pack.doubts())))
                or "No doubt is noted.",
            },
            "controls": controls,
        }
    }


def told_stale(checked: Freshness) -> tuple[str, ...]:
    """A sentence where the text of a framework should have been checked again."""
    if not checked.stale:
        return ()
    told = "Warning: this text was checked on {checked_on} and was to be checked again by {due}; it may have changed."
    return (told.format(checked_on=checked.checked_on, due=checked.due),)


def collection(naming: Naming, framework: Framework, words: RowWords = UNSAID) -> Document:
    """A framework's rows as a mapping-collection between the two catalogs.

    `words` says what stands of them.
    """
    key = framework.pack.key
    maps = [
        {
            "uuid": naming.name("map", key, one.subject, one.object),
            "relationship": RELATIONSHIPS[one.relation],
            "sources": [{"type": "control", "id-ref": one.subject}],
            "targets": [{"type": "control", "id-ref": token(one.object)}],
            "props": props(
                {
                    FRENCH: one.rationale.fr,
                    AUTHOR: one.author,
                    DATE: one.date.isoformat(),
                    "standing": words.get(row_digest(key, one), "proposed"),
                }
            ),
            "remarks": one.rationale.en,
        }
        for one in framework.rows
    ]
    mapping = {
        "uuid": naming.name("mapping", key),
        "source-resource": {"type": "catalog", "href": CATALOG},
        "target-resource": {"type": "catalog", "href": catalog_of(framework.pack)},
        "maps": maps,
    }
    return {
        "mapping-collection": {
            "uuid": naming.name("mapping-collection", key),
            "metadata": metadata(naming, f"Controls of Aloi to {framework.pack.title.en}"),
            "provenance": {
                "method": "human",
                "matching-rationale": "semantic",
                "status": "draft",
                "mapping-description": "Proposed by the developers; endorsements are signed statements beside it.",
            },
            "mappings": [mapping],
        }
    }


def collection_of(pack: Pack) -> str:
    """The file name of the mapping-collection of a framework."""
    return f"mapping.{pack.key}.json"


class _Prop(Struct, frozen=True):
    name: str
    value: str
    ns: str = ""


class _Item(Struct, frozen=True):
    id: str = field(name="id-ref")
    type: str = "control"


class _Map(Struct, frozen=True):
    relationship: str
    sources: tuple[_Item, ...]
    targets: tuple[_Item, ...]
    props: tuple[_Prop, ...] = ()
    remarks: str = ""


class _Resource(Struct, frozen=True):
    href: str


class _Mapping(Struct, frozen=True):
    target: _Resource = field(name="target-resource")
    maps: tuple[_Map, ...]


class _Collection(Struct, frozen=True):
    mappings: tuple[_Mapping, ...]


class _Document(Struct, frozen=True):
    collection: _Collection = field(name="mapping-collection")


def read_oscal(data: bytes, file: str, framework: Framework, hub: Hub) -> Rows:
    """Rows of a framework from a mapping-collection. Raises InvalidFile with every fault, by its place.

    Only mappings into this framework's own catalog are read; a map relates one control to one requirement.
    """
    table = Table(file)
    return checked(_rows(data, framework, table), framework, hub, table)


def _rows(data: bytes, framework: Framework, table: Table) -> Iterator[Row]:
    try:
        document = decode(data, _Document, limit=LIMIT)
    except EvidenceError as error:
        remedy = N_("write it as an OSCAL 1.2 mapping-collection in JSON")
        facts = dict(error.facts)
        table.fault(error.message, str(facts.pop("path", "$")), remedy=remedy, **facts)
        return
    ids = {token(one.id): one.id for one in framework.pack.requirements}
    own = catalog_of(framework.pack)
    found = [(i, one) for i, one in enumerate(document.collection.mappings) if _file(one.target.href) == own]
    if not found:
        told = ", ".join(one.target.href for one in document.collection.mappings) or "-"
        other_edition(told, framework, table)
    for i, mapping in found:
        for j, one in enumerate(mapping.maps):
            if made := _row(one, ids, f"mappings[{i}].maps[{j}]", table):
                yield made


def _file(href: str) -> str:
    return href.rpartition("/")[2]


def _row(one: _Map, ids: Mapping[str, str], at: str, table: Table) -> Row | None:
    if len(one.sources) != 1 or len(one.targets) != 1:
        remedy = N_("write one map for each control and requirement")
        table.fault(N_("{at}: relates several things at once"), at, remedy=remedy)
        return None
    told = {prop.name: prop.value for prop in one.props if prop.ns in {NS, ""}}
    parts = {"remarks": one.remarks, **{name: told.get(name, "") for name in (FRENCH, AUTHOR, DATE)}}
    filled = owes(parts, tuple(parts), at, table)
    relation = _RELATIONS.get(one.relationship)
    if relation is None:
        unknown_relation(one.relationship, _RELATIONS, at, table)
    if not filled or relation is None:
        return None
    target = one.targets[0].id
    said = Said(
        one.sources[0].id, ids.get(target, target), relation, one.remarks, parts[FRENCH], parts[AUTHOR], parts[DATE]
    )
    return row(said, at, table)
