"""Mapping rows as an SSSOM TSV file, and back (https://mapping-commons.github.io/sssom/, version 1.0).

A row's relation is a SKOS predicate: what the control holds is a part of what the requirement asks ('subset') reads
`skos:broadMatch`, since the object is the broader one. 'none' is `skos:relatedMatch` under the modifier `Not`.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping

import yaml

from aloi.standards.crosswalks.rows import Said, cells, checked, other_edition, owes, row, text_of, unknown_relation
from aloi.standards.frameworks import Framework
from aloi.standards.hub import Hub
from aloi.standards.mapping import Mapping as Rows
from aloi.standards.mapping import Relation, Row
from aloi.standards.pack import freshness
from aloi.standards.reading import Table

PREDICATES: Mapping[Relation, str] = {
    "equal": "skos:exactMatch",
    "subset": "skos:broadMatch",
    "superset": "skos:narrowMatch",
    "intersects": "skos:relatedMatch",
    "none": "skos:relatedMatch",
}
_RELATIONS: Mapping[str, Relation] = {
    predicate: relation for relation, predicate in PREDICATES.items() if relation != "none"
}
NOT = "Not"
SET = "https://aloi.dev/mapping/"
# Which edition a file of ours maps; others' files say it otherwise, and are believed.
_SET = re.compile(rf"^#mapping_set_id: {re.escape(SET)}(\S+)$", re.MULTILINE)
FRENCH, CERTAINTY = "ext_rationale_fr", "ext_certainty"
COLUMNS = (
    "subject_id",
    "subject_label",
    "predicate_modifier",
    "predicate_id",
    "object_id",
    "object_label",
    "mapping_justification",
    "author_label",
    "mapping_date",
    "comment",
    FRENCH,
    CERTAINTY,
)
OWED = ("subject_id", "predicate_id", "object_id", "author_label", "mapping_date", "comment", FRENCH)
CONTROL, REQUIREMENT = "aloi", "req"


def write_sssom(framework: Framework, hub: Hub) -> str:
    """The rows of a framework as SSSOM/TSV, the metadata as commented YAML above the table."""
    pack = framework.pack
    checked = freshness(pack, pack.checked_on)
    head = {
        "mapping_set_id": f"{SET}{pack.key}",
        "mapping_set_title": f"Aloi controls to {pack.title.en}",
        "license": framework.licence,
        "curie_map": {
            CONTROL: "https://aloi.dev/control/",
            REQUIREMENT: f"https://aloi.dev/framework/{pack.key}/",
            "skos": "http://www.w3.org/2004/02/skos/core#",
            "semapv": "https://w3id.org/semapv/vocab/",
        },
        "extension_definitions": [
            {"slot_name": name, "type_hint": "http://www.w3.org/2001/XMLSchema#string"} for name in (FRENCH, CERTAINTY)
        ],
        "comment": f"Text checked on {checked.checked_on}, to be checked again by {checked.due}.",
    }
    lines = yaml.safe_dump(head, sort_keys=False, allow_unicode=True, width=1_000).splitlines()
    out = io.StringIO()
    out.writelines(f"#{line}\n" for line in lines)
    writer = csv.DictWriter(out, COLUMNS, delimiter="\t", lineterminator="\n")
    writer.writeheader()
    found = {one.id: one for one in pack.requirements}
    for one in framework.rows:
        writer.writerow(
            {
                "subject_id": f"{CONTROL}:{one.subject}",
                "subject_label": hub.control(one.subject).title.en,
                "predicate_modifier": NOT if one.relation == "none" else "",
                "predicate_id": PREDICATES[one.relation],
                "object_id": f"{REQUIREMENT}:{one.object}",
                "object_label": found[one.object].title.en,
                "mapping_justification": "semapv:ManualMappingCuration",
                "author_label": one.author,
                "mapping_date": one.date.isoformat(),
                "comment": one.rationale.en,
                FRENCH: one.rationale.fr,
                CERTAINTY: pack.sure(found[one.object]),
            }
        )
    return out.getvalue()


def read_sssom(data: bytes, file: str, framework: Framework, hub: Hub) -> Rows:
    """Rows of a framework from SSSOM/TSV. Raises InvalidFile with every fault, by the line of its row."""
    table = Table(file)
    return checked(_rows(data, framework, table), framework, hub, table)


def _rows(data: bytes, framework: Framework, table: Table) -> Iterator[Row]:
    text = text_of(data, table)
    if text is None:
        return
    if (told := _SET.search(text)) and told[1] != framework.pack.key:
        table.lines["$"] = text.count("\n", 0, told.start()) + 1
        other_edition(told[1], framework, table)
        return
    # Lines are kept, so that a cell that holds some does not move the numbers of the rows behind it.
    kept = ("\n" if line.startswith("#") else line for line in io.StringIO(text, newline=""))
    for at, found in cells(kept, "\t", OWED, table):
        filled = owes(found, OWED, at, table)
        relation = _relation(found.get("predicate_modifier", ""), found.get("predicate_id", ""))
        if relation is None:
            unknown_relation(found.get("predicate_id", ""), PREDICATES.values(), at, table)
        if not filled or relation is None:
            continue
        said = Said(
            _local(found["subject_id"]),
            _local(found["object_id"]),
            relation,
            found["comment"],
            found[FRENCH],
            found["author_label"],
            found["mapping_date"],
        )
        if made := row(said, at, table):
            yield made


def _relation(modifier: str, predicate: str) -> Relation | None:
    if modifier == NOT:  # not to be equal is not to have nothing in common
        return "none" if predicate == PREDICATES["none"] else None
    return _RELATIONS.get(predicate) if not modifier else None


def _local(curie: str) -> str:
    """What stands behind the prefix of a compact identifier; an id may itself hold colons."""
    prefix, _, rest = curie.partition(":")
    return rest if prefix in {CONTROL, REQUIREMENT} else curie
