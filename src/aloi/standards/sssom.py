"""Mapping rows as an SSSOM TSV file, and back (https://mapping-commons.github.io/sssom/, version 1.0).

A row's relation is a SKOS predicate: what the control holds is a part of what the requirement asks ('subset') reads
`skos:broadMatch`, since the object is the broader one. 'none' is `skos:relatedMatch` under the modifier `Not`.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping

import msgspec
import yaml

from aloi.standards.frameworks import Framework
from aloi.standards.hub import Hub
from aloi.standards.mapping import Mapping as Rows
from aloi.standards.mapping import Relation, Row, check_rows
from aloi.standards.reading import LIMIT, UNSEEN, Table
from aloi.translation import N_

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
FRENCH = "ext_rationale_fr"
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
)
OWED = ("subject_id", "predicate_id", "object_id", "author_label", "mapping_date", "comment", FRENCH)
CONTROL, REQUIREMENT = "aloi", "req"
# Every row of such a file names its own author.
AUTHOR = "see rows"


def write_sssom(framework: Framework, hub: Hub) -> str:
    """The rows of a framework as SSSOM/TSV, the metadata as commented YAML above the table."""
    pack = framework.pack
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
        "extension_definitions": [{"slot_name": FRENCH, "type_hint": "http://www.w3.org/2001/XMLSchema#string"}],
    }
    lines = yaml.safe_dump(head, sort_keys=False, allow_unicode=True, width=1_000).splitlines()
    out = io.StringIO()
    out.writelines(f"#{line}\n" for line in lines)
    writer = csv.DictWriter(out, COLUMNS, delimiter="\t", lineterminator="\n")
    writer.writeheader()
    titles = {one.id: one.title.en for one in pack.requirements}
    for row in framework.rows:
        writer.writerow(
            {
                "subject_id": f"{CONTROL}:{row.subject}",
                "subject_label": hub.control(row.subject).title.en,
                "predicate_modifier": NOT if row.relation == "none" else "",
                "predicate_id": PREDICATES[row.relation],
                "object_id": f"{REQUIREMENT}:{row.object}",
                "object_label": titles[row.object],
                "mapping_justification": "semapv:ManualMappingCuration",
                "author_label": row.author,
                "mapping_date": row.date.isoformat(),
                "comment": row.rationale.en,
                FRENCH: row.rationale.fr,
            }
        )
    return out.getvalue()


def read_sssom(data: bytes, file: str, framework: Framework, hub: Hub) -> Rows:
    """Rows of a framework from SSSOM/TSV. Raises InvalidFile with every fault, by the line of its row."""
    table = Table(file)
    if len(data) > LIMIT:
        message = N_("{at}: {got} bytes, at most {limit}")
        table.fault(message, "$", remedy=N_("split the file"), got=len(data), limit=LIMIT)
        table.close()
    rows = tuple(_rows(data, framework.pack.key, table))
    table.close()
    mapping = Rows(framework=framework.pack.key, licence=framework.licence or "unknown", author=AUTHOR, rows=rows)
    check_rows(mapping, framework.pack, hub, table)
    table.close()
    return mapping


def _rows(data: bytes, key: str, table: Table) -> Iterator[Row]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        table.lines["$"] = data.count(b"\n", 0, error.start) + 1
        table.fault(N_("{at}: this is not UTF-8"), "$", remedy=N_("save the file as UTF-8"))
        return
    if (told := _SET.search(text)) and told[1] != key:
        table.lines["$"] = text.count("\n", 0, told.start()) + 1
        remedy = N_("import it into its own edition, or map this edition anew")
        table.fault(N_("{at}: maps {got}, the pack is {want}"), "$", remedy=remedy, got=told[1], want=key)
        return
    # Lines are kept, so that a cell that holds some does not move the numbers of the rows behind it.
    kept = ("\n" if line.startswith("#") else line for line in io.StringIO(text, newline=""))
    reader = csv.reader(kept, delimiter="\t", strict=True)
    numbered, begun = [], 1
    try:
        for cells in reader:
            if any(cells):
                numbered.append((begun, cells))
            begun = reader.line_num + 1
    except csv.Error as error:
        table.lines["$"] = begun
        table.fault(N_("{at}: {problem}"), "$", remedy=N_("save it as tab-separated text"), problem=error)
        return
    head = numbered[0][1] if numbered else []
    if missing := [name for name in OWED if name not in head]:
        table.lines["$"] = numbered[0][0] if numbered else 1
        remedy = N_("add the columns {missing}")
        table.fault(N_("{at}: this is no table of mappings"), "$", remedy=remedy, missing=", ".join(missing))
        return
    for i, (line, cells) in enumerate(numbered[1:]):
        at = f"rows[{i}]"
        table.lines[at] = line
        if row := _row(dict(zip(head, cells, strict=False)), at, table):
            yield row


def _row(cells: dict[str, str], at: str, table: Table) -> Row | None:
    before = len(table.faults)
    for name in OWED:
        if not cells.get(name, "").strip():
            remedy = N_("say it, in both languages where it is a rationale")
            table.fault(N_("{at}: {name} is empty"), at, remedy=remedy, name=name)
    for name, cell in cells.items():
        if UNSEEN.search(cell):
            message = N_("{at}: {name} holds a sign that is not shown or that moves others")
            table.fault(message, at, remedy=N_("write it without control characters"), name=name)
    modifier, predicate = cells.get("predicate_modifier", ""), cells.get("predicate_id", "")
    relation = _RELATIONS.get(predicate)
    if modifier == NOT:  # not to be equal is not to have nothing in common
        relation = "none" if predicate == PREDICATES["none"] else None
    if relation is None or modifier not in {"", NOT}:
        known = ", ".join(dict.fromkeys(PREDICATES.values()))
        table.fault(N_("{at}: no relation {id}"), at, remedy=N_("one of {known}"), id=predicate, known=known)
    if len(table.faults) > before or relation is None:
        return None
    try:
        return msgspec.convert(
            {
                "subject": _local(cells["subject_id"]),
                "object": _local(cells["object_id"]),
                "relation": relation,
                "rationale": {"en": cells["comment"], "fr": cells[FRENCH]},
                "author": cells["author_label"],
                "date": cells["mapping_date"],
            },
            Row,
        )
    except msgspec.ValidationError as error:
        table.fault(N_("{at}: {problem}"), at, remedy=N_("correct the row"), problem=error)
        return None


def _local(curie: str) -> str:
    """What stands behind the prefix of a compact identifier; an id may itself hold colons."""
    prefix, _, rest = curie.partition(":")
    return rest if prefix in {CONTROL, REQUIREMENT} else curie
