"""Typed relations from Aloi's controls to a framework's requirements. A row is only *proposed* until it is endorsed."""

from collections.abc import Mapping as ReadOnly
from datetime import date
from types import MappingProxyType
from typing import Literal

import msgspec
import yaml
from msgspec import Struct

from aloi.evidence.canonical import canonical, digest
from aloi.standards.hub import Hub
from aloi.standards.pack import Pack, Slug
from aloi.standards.reading import Table, Text, Words, read_table
from aloi.translation import N_

Relation = Literal["equal", "subset", "superset", "intersects", "none"]


class Row(Struct, frozen=True, kw_only=True):
    """What the control `subject` is to the requirement `object`: one of five relations (set theory of NIST IR 8278A).

    'subset' reads: what the control holds is a part of what the requirement asks. 'none' states that the two do not
    meet. Organisations endorse or dispute a row by its digest (`aloi.standards.endorsing`). `author` is the file's
    author where the row names nobody else.
    """

    subject: Slug
    object: Words
    relation: Relation
    rationale: Text
    author: str = ""
    date: date


class Mapping(Struct, frozen=True, kw_only=True):
    """The rows of one framework at an edition."""

    framework: Words
    licence: Words
    author: Words
    rows: tuple[Row, ...] = ()


# What stands of the rows that organisations spoke of, by a row's digest; of any other row nothing, it is proposed.
RowWords = ReadOnly[str, Literal["endorsed", "disputed"]]
UNSAID: RowWords = MappingProxyType({})


def row_digest(framework: str, row: Row) -> str:
    """What an endorsement signs: the row's own words under its framework."""
    return digest(canonical({"framework": framework, **msgspec.to_builtins(row)}))


def parse_mapping(data: bytes, file: str, pack: Pack, hub: Hub) -> Mapping:
    """A framework's rows from their YAML, joined to `pack` and `hub`. Raises InvalidFile with every fault."""
    table = Table(file)
    mapping = read_table(data, Mapping, table)
    if mapping.framework != pack.key:
        remedy = N_("an id without its edition says nothing: map this edition anew, or name the right one")
        message = N_("{at}: maps {got}, the pack is {want}")
        table.fault(message, "framework", remedy=remedy, got=mapping.framework, want=pack.key)
    check_rows(mapping, pack, hub, table)
    table.close()
    rows = tuple(msgspec.structs.replace(row, author=row.author or mapping.author) for row in mapping.rows)
    return msgspec.structs.replace(mapping, rows=rows)


def check_rows(mapping: Mapping, pack: Pack, hub: Hub, table: Table) -> None:
    """Note rows that name what is not there, and those that stand twice."""
    requirements = {requirement.id for requirement in pack.requirements}
    controls = {control.id for control in hub.controls}
    seen: set[tuple[str, str]] = set()
    for i, row in enumerate(mapping.rows):
        at = f"rows[{i}]"
        if row.subject not in controls:
            remedy = N_("add the control to the hub, or correct the name")
            table.fault(N_("{at}: no control {id}"), f"{at}.subject", remedy=remedy, id=row.subject)
        if row.object not in requirements:
            remedy = N_("cite an id of {framework}, as the pack writes it")
            table.fault(
                N_("{at}: no requirement {id}"), f"{at}.object", remedy=remedy, id=row.object, framework=pack.key
            )
        if (row.subject, row.object) in seen:
            message = N_("{at}: {id} is already related to {other}")
            table.fault(message, at, remedy=N_("keep one of the two"), id=row.subject, other=row.object)
        seen.add((row.subject, row.object))


def written(mapping: Mapping) -> str:
    """A mapping as the YAML that `parse_mapping` reads."""
    return yaml.safe_dump(msgspec.to_builtins(mapping), sort_keys=False, allow_unicode=True, width=120)
