"""One labelled text, and how the packages' files are read into them. A text is kept once, whatever its blanks."""

import csv
import io
import json
import random
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import yaml
from msgspec import Struct


class Row(Struct, frozen=True, kw_only=True):
    """`source` says where it comes from, `group` which rows belong together (a family of ours, a file of
    theirs), `kind` what a benign family of ours is like."""

    text: str
    attack: bool
    language: str
    source: str
    group: str = ""
    kind: str = ""


def _csv(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8"))))


def parquet(data: bytes, spec: dict[str, Any]) -> Iterator[tuple[str, bool, str]]:
    """A labelled table; `drop` names values of columns whose rows are left out."""
    import pyarrow.parquet  # noqa: PLC0415 - only this reader needs it

    for row in pyarrow.parquet.read_table(io.BytesIO(data)).to_pylist():
        if not any(row[column] in values for column, values in spec.get("drop", {}).items()):
            yield row["text"], bool(row["label"]), row["category"]


def labelled_csv(data: bytes, _: dict[str, Any]) -> Iterator[tuple[str, bool, str]]:
    for row in _csv(data):
        yield row["text"], row["label"] == "1", ""


def template(data: bytes, spec: dict[str, Any]) -> Iterator[tuple[str, bool, str]]:
    """A jailbreak with a place for a request, filled by one of ours so that no row is about a place-holder."""
    content = yaml.safe_load(data)
    text = content["value"]
    filling = random.Random(text).choice(spec["fillings"])
    for place in ("{{ prompt }}", "{{prompt}}"):
        text = text.replace(place, filling)
    yield text, True, ""


def jsonl(data: bytes, spec: dict[str, Any]) -> Iterator[tuple[str, bool, str]]:
    for line in data.decode("utf-8").splitlines():
        if line.strip():
            yield json.loads(line)[spec["field"]], spec["attack"], ""


def conversations(data: bytes, _: dict[str, Any]) -> Iterator[tuple[str, bool, str]]:
    """What is said first in each conversation."""
    for turns in yaml.safe_load(data)["conversations"]:
        yield str(turns[0]), False, ""


def strings(data: bytes, _: dict[str, Any]) -> Iterator[tuple[str, bool, str]]:
    for text in json.loads(data):
        yield text, True, ""


def column(data: bytes, spec: dict[str, Any]) -> Iterator[tuple[str, bool, str]]:
    for row in _csv(data):
        yield row[spec["field"]], True, ""


def chunks(data: bytes, spec: dict[str, Any]) -> Iterator[tuple[str, bool, str]]:
    """A file in pieces of about `size` characters, cut between lines."""
    piece = ""
    for line in data.decode("utf-8").splitlines(keepends=True):
        piece += line
        if len(piece) >= spec["size"]:
            yield piece, spec["attack"], ""
            piece = ""


READERS: dict[str, Callable[[bytes, dict[str, Any]], Iterator[tuple[str, bool, str]]]] = {
    "parquet": parquet,
    "labelled-csv": labelled_csv,
    "template": template,
    "jsonl": jsonl,
    "conversations": conversations,
    "strings": strings,
    "column": column,
    "chunks": chunks,
}


def read(wheel: zipfile.ZipFile, members: list[str], spec: dict[str, Any]) -> Iterator[Row]:
    """Every row of the files `members` of a wheel, in the order of the files' names; `take` halves them by parity."""
    parity = {"even": 0, "odd": 1}.get(spec.get("take", ""))
    for member in members:
        for place, (text, attack, group) in enumerate(READERS[spec["reader"]](wheel.read(member), spec)):
            if text and text.strip() and parity in {None, place % 2}:
                yield Row(
                    text=text,
                    attack=attack,
                    language=spec.get("language", "en"),
                    source=spec["id"],
                    group=group or member.rsplit("/", 1)[-1],
                )


def distinct(rows: list[Row]) -> list[Row]:
    """Each text once, in the order they came. A text that is labelled both ways is left out altogether."""
    labels: dict[str, set[bool]] = {}
    for row in rows:
        labels.setdefault(_key(row.text), set()).add(row.attack)
    kept: dict[str, Row] = {}
    for row in rows:
        if len(labels[key := _key(row.text)]) == 1:
            kept.setdefault(key, row)
    return list(kept.values())


def _key(text: str) -> str:
    return " ".join(text.lower().split())
