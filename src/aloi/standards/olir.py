"""Mapping rows in the columns of NIST's OLIR template (NIST IR 8278A Rev. 1, section 3), as comma-separated text.

The focal document is the framework, the reference document is the hub. The relation is read from the focal element: a
control that is a part of a requirement makes the requirement the 'superset of' the control.
"""

import csv
import io
from collections.abc import Mapping

from aloi.standards.frameworks import Framework
from aloi.standards.hub import Hub
from aloi.standards.mapping import Relation

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


def write_olir(framework: Framework, hub: Hub) -> str:
    """The rows of a framework. The kind of rationale is 'Semantic': rows compare meanings, not words."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    titles = {one.id: one.title.en for one in framework.pack.requirements}
    for row in framework.rows:
        writer.writerow(
            {
                "Focal Document Element": row.object,
                "Focal Document Element Description": titles[row.object],
                "Rationale": "Semantic",
                "Relationship": RELATIONSHIPS[row.relation],
                "Reference Document Element": row.subject,
                "Reference Document Element Description": hub.control(row.subject).title.en,
                # IR 8278A: 'Y' where nothing of the focal element is left over.
                "Fulfilled By": "Y" if row.relation in {"equal", "superset"} else "N",
                "Comments": row.rationale.en,
            }
        )
    return out.getvalue()
