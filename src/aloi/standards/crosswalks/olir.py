"""Mapping rows in the columns of NIST's OLIR template (NIST IR 8278A Rev. 1, section 3), as comma-separated text.

The focal document is the framework, the reference document is the hub. The relation is read from the focal element: a
control that is a part of a requirement makes the requirement the 'superset of' the control. Four columns of ours
stand behind NIST's: the rationale in French, who wrote the row, when, and how the requirement's text is known.
"""

import csv
import io
from collections.abc import Iterator, Mapping

from aloi.standards.crosswalks.rows import Said, cells, checked, owes, row, text_of, unknown_relation
from aloi.standards.frameworks import Framework
from aloi.standards.hub import Hub
from aloi.standards.mapping import Mapping as Rows
from aloi.standards.mapping import Relation, Row
from aloi.standards.reading import Table

RELATIONSHIPS: Mapping[Relation, str] = {
    "equal": "equal to",
    "subset": "superset of",
    "superset": "subset of",
    "intersects": "intersects with",
    "none": "not related to",
}
COLUMNS = (
    "Focal Document Element",
    "Focal Document Element Description",
    "Security Control Baseline",
    "Rationale",
    "Relationship",
    "Reference Document Element",
    "Reference Document Element Description",
    "Fulfilled By",
    "Group Identifier",
    "Comments",
    "Strength of Relationship",
)
FRENCH, AUTHOR, DATE, CERTAINTY = "Comments (fr)", "Author", "Date", "Certainty"
OWED = (
    "Focal Document Element",
    "Relationship",
    "Reference Document Element",
    "Comments",
    FRENCH,
    AUTHOR,
    DATE,
)
_RELATIONS: Mapping[str, Relation] = {told: relation for relation, told in RELATIONSHIPS.items()}


def write_olir(framework: Framework, hub: Hub) -> str:
    """The rows of a framework. The kind of rationale is 'Semantic': rows compare meanings, not words."""
    out = io.StringIO()
    writer = csv.DictWriter(out, (*COLUMNS, FRENCH, AUTHOR, DATE, CERTAINTY), lineterminator="\r\n")
    writer.writeheader()
    found = {one.id: one for one in framework.pack.requirements}
    for one in framework.rows:
        writer.writerow(
            {
                "Focal Document Element": one.object,
                "Focal Document Element Description": found[one.object].title.en,
                "Rationale": "Semantic",
                "Relationship": RELATIONSHIPS[one.relation],
                "Reference Document Element": one.subject,
                "Reference Document Element Description": hub.control(one.subject).title.en,
                # IR 8278A: 'Y' where nothing of the focal element is left over.
                "Fulfilled By": "Y" if one.relation in {"equal", "superset"} else "N",
                "Comments": one.rationale.en,
                FRENCH: one.rationale.fr,
                AUTHOR: one.author,
                DATE: one.date.isoformat(),
                CERTAINTY: framework.pack.sure(found[one.object]),
            }
        )
    return out.getvalue()


def read_olir(data: bytes, file: str, framework: Framework, hub: Hub) -> Rows:
    """Rows of a framework from such a table. Raises InvalidFile with every fault, by the line of its row."""
    table = Table(file)
    return checked(_rows(data, table), framework, hub, table)


def _rows(data: bytes, table: Table) -> Iterator[Row]:
    text = text_of(data, table)
    if text is None:
        return
    for at, found in cells(io.StringIO(text, newline=""), ",", OWED, table):
        filled = owes(found, OWED, at, table)
        relation = _RELATIONS.get(found.get("Relationship", "").strip().lower())
        if relation is None:
            unknown_relation(found.get("Relationship", ""), _RELATIONS, at, table)
        if not filled or relation is None:
            continue
        said = Said(
            found["Reference Document Element"],
            found["Focal Document Element"],
            relation,
            found["Comments"],
            found[FRENCH],
            found[AUTHOR],
            found[DATE],
        )
        if made := row(said, at, table):
            yield made
