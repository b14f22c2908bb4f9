"""Frameworks side by side: what conflicts, what converges, and the same rows in others' formats."""

import csv
import io
import json
from datetime import date

import msgspec
import pytest
from benchmarks.standards.exports import read_by_trestle
from standards_world import SHIPPED, finding, plan, shipped

from aloi.errors import InvalidFile, UnknownName
from aloi.standards.conflicts import Citation, conflicts
from aloi.standards.convergence import convergence
from aloi.standards.crosswalks import oscal
from aloi.standards.crosswalks.olir import COLUMNS, read_olir, write_olir
from aloi.standards.crosswalks.sssom import read_sssom, write_sssom
from aloi.standards.exports.references import dangling_oscal
from aloi.standards.frameworks import read_framework
from aloi.standards.hub import MEASURED, hub
from aloi.standards.mapping import Row, parse_mapping, written
from aloi.standards.reading import Text

OWASP, NIST, EU = shipped("owasp-llm@2026"), shipped("nist-ai-600-1@2024-07"), shipped("eu-ai-act@2026-07-27")
ALL = [read_framework(found) for found in SHIPPED.values()]
KEYS = [framework.pack.key for framework in ALL]


def related(*triples, framework=OWASP):
    """A framework with these rows alone: control, relation, requirement."""
    rows = (
        Row(subject=subject, object=object_, relation=relation, rationale=Text(en="a", fr="b"), date=date(2026, 1, 1))
        for subject, relation, object_ in triples
    )
    return framework._replace(rows=tuple(rows))


A, B = "hidden-context", "output-handling"
FIRST, SECOND, THIRD = "LLM01:2026", "LLM02:2026", "LLM03:2026"
CONTRADICTIONS = {
    "one control, two requirements": ([(A, "equal", FIRST), (A, "equal", SECOND)], 1),
    "two controls, one requirement": ([(A, "equal", FIRST), (B, "equal", FIRST)], 1),
    "apart here, meeting there": (
        [(A, "equal", FIRST), (B, "none", FIRST), (A, "equal", SECOND), (B, "intersects", SECOND)],
        2,  # A is equal to two requirements as well
    ),
    "each a part of the other": (
        [(A, "equal", FIRST), (B, "superset", FIRST), (A, "superset", SECOND), (B, "subset", SECOND)],
        1,
    ),
    "a part of one": ([(A, "subset", FIRST), (B, "subset", FIRST)], 0),
    "a part and the whole": ([(A, "subset", FIRST), (B, "superset", FIRST)], 0),
    "apart alone": ([(A, "equal", FIRST), (B, "none", FIRST)], 0),
    "apart from what a wider one meets": ([(A, "none", FIRST), (B, "superset", FIRST)], 0),
}


@pytest.mark.parametrize("case", CONTRADICTIONS, ids=list(CONTRADICTIONS))
def test_contradictions(case):
    triples, count = CONTRADICTIONS[case]
    found = [one for one in conflicts([related(*triples)]) if one.kind == "contradiction"]
    assert len(found) == count, found
    assert all(one.rows for one in found)
    assert all(one.message.format(**one.facts) for one in found)


def test_a_contradiction_over_two_frameworks_names_both():
    one = related((A, "equal", FIRST), (B, "none", FIRST))
    other = related((A, "superset", "2.9"), (B, "superset", "2.9"), framework=NIST)
    (found,) = (each for each in conflicts([one, other]) if each.kind == "contradiction")
    assert found.framework == "owasp-llm@2026 nist-ai-600-1@2024-07"


def test_what_ships_contradicts_nothing_and_no_control_is_idle():
    kinds = {one.kind for one in conflicts(ALL)}
    assert kinds <= {"unreached"}


CITED = {
    "an id that was replaced": (Citation("x", "owasp-llm", "LLM06:2025"), "stale"),
    "an id of another edition": (Citation("x", "owasp-llm@2025", "LLM01:2026"), "stale"),
    "no such id": (Citation("x", "owasp-llm", "LLM11:2026"), "dangling"),
    "the right id": (Citation("x", "owasp-llm@2026", "LLM01:2026"), None),
    "a framework that is not at hand": (Citation("x", "else", "1"), None),
}


@pytest.mark.parametrize("case", CITED, ids=list(CITED))
def test_citations(case):
    citation, kind = CITED[case]
    found = [one.kind for one in conflicts([OWASP], [citation]) if one.kind in {"stale", "dangling"}]
    assert found == ([kind] if kind else [])


def test_what_nothing_reaches_is_listed():
    found = conflicts([related((A, "equal", FIRST), (A, "none", SECOND))])
    unreached = {one.facts["id"] for one in found if one.kind == "unreached"}
    assert unreached == {one.id for one in OWASP.pack.requirements} - {FIRST}
    assert {one.facts["control"] for one in found if one.kind == "idle"} == {c.id for c in hub().controls} - {A}


def test_two_frameworks_share_what_one_control_reaches():
    found = convergence(OWASP, NIST)
    hidden = next(one for one in found.shared if one.control == A)
    assert [one.requirement for one in hidden.first] == ["LLM08:2026"]
    assert [one.requirement for one in hidden.second] == ["2.9"]
    reached = {one.requirement for shared in found.shared for one in shared.first}
    assert reached | set(found.only_first) == {one.id for one in OWASP.pack.requirements}
    assert not reached & set(found.only_first)


def test_the_best_next_evidence_is_what_satisfies_most_and_is_true():
    gains = convergence(OWASP, EU, [plan(jailbreak="0.05")]).gains
    assert [len(gain.proven) for gain in gains] == sorted((len(gain.proven) for gain in gains), reverse=True)
    injection = next(gain for gain in gains if gain.control == "prompt-injection")
    assert injection.proven == ("owasp-llm@2026 LLM01:2026",)
    then = convergence(OWASP, EU, [finding("jailbreak", "met"), finding("indirect-injection", "met")]).gains
    assert "prompt-injection" not in {gain.control for gain in then}


def test_what_is_not_met_is_no_gain_since_a_remedy_comes_first():
    gains = convergence(OWASP, NIST, [finding("hidden-context-exposure", "not met")]).gains
    assert "hidden-context" not in {gain.control for gain in gains}


def test_a_file_that_nobody_read_is_not_promised_to_satisfy_anything():
    gains = {gain.control: gain for gain in convergence(shipped("iso-iec-42001@2023"), EU).gains}
    assert "iso-iec-42001@2023 A.6.2.8" in gains["event-log"].begun
    written = {control.id for control in hub().controls if control.proof not in MEASURED}
    assert [name for name, gain in gains.items() if name in written and gain.proven] == []


def test_a_framework_beside_itself_is_counted_once():
    found = convergence(OWASP, OWASP)
    assert all(len(gain.proven) == len(set(gain.proven)) for gain in found.gains)
    unreached = {one.id for one in OWASP.pack.requirements} - {row.object for row in OWASP.rows}
    assert set(found.only_first) == unreached


def oscal_of(framework):
    made = oscal.documents(framework, hub(), "2026-11-26T08:00:00Z")
    return json.dumps(made[oscal.collection_of(framework.pack)])


FORMATS = {
    "sssom": (lambda framework: write_sssom(framework, hub()), read_sssom),
    "olir": (lambda framework: write_olir(framework, hub()), read_olir),
    "oscal": (oscal_of, oscal.read_oscal),
}


@pytest.mark.parametrize("framework", [one for one in ALL if one.rows], ids=[one.pack.key for one in ALL if one.rows])
@pytest.mark.parametrize("kind", FORMATS)
def test_rows_come_back_as_they_were(framework, kind):
    write, read_from = FORMATS[kind]
    read = read_from(write(framework).encode(), "rows", framework, hub())
    assert read.rows == framework.rows
    again = parse_mapping(written(read).encode(), "rows.yaml", framework.pack, hub())
    assert again.rows == framework.rows


LINE = next(line for line in write_sssom(OWASP, hub()).splitlines() if line.startswith("aloi:"))
HEAD = next(line for line in write_sssom(OWASP, hub()).splitlines() if line.startswith("subject_id"))
BAD = {
    "empty": ("", 0),
    "no table": ("#a: b\nsubject_id\tobject_id\n", 0),
    "another relation": (f"{HEAD}\n{LINE.replace('skos:exactMatch', 'skos:closeMatch')}\n", 2),
    "no French": (f"{HEAD}\n{LINE.replace(OWASP.rows[0].rationale.fr, '')}\n", 2),
    "no such requirement": (f"{HEAD}\n{LINE.replace('LLM01:2026', 'LLM01:2025')}\n", 2),
    "no such control": (f"#x\n\n{HEAD}\n{LINE.replace('aloi:prompt-injection', 'aloi:prompt')}\n", 4),
    "no day": (f"{HEAD}\n{LINE.replace('2026-11-22', '22/11/2026')}\n", 2),
    "not quite equal is not apart": (
        f"{HEAD}\n{LINE.replace(chr(9) + chr(9) + 'skos', chr(9) + 'Not' + chr(9) + 'skos')}\n",
        2,
    ),
    "another edition": (f"#mapping_set_id: https://aloi.dev/mapping/owasp-llm@2025\n{HEAD}\n{LINE}\n", 0),
    "behind a cell of two lines": (
        f"{HEAD}\n{LINE.replace('Both are', chr(34) + 'Both' + chr(10) + 'are')}" + f"{chr(34)}\n{LINE}\n",
        0,
    ),
    "twice": (f"{HEAD}\n{LINE}\n{LINE}\n", 3),
}


@pytest.mark.parametrize("case", BAD, ids=list(BAD))
def test_faults_of_an_sssom_file_name_their_line(case):
    text, line = BAD[case]
    with pytest.raises(InvalidFile) as caught:
        read_sssom(text.encode(), "rows.sssom.tsv", OWASP, hub())
    assert all(fault.remedy for fault in caught.value.faults)
    if line:
        assert {fault.line for fault in caught.value.faults} == {line}


@pytest.mark.parametrize("kind", FORMATS)
def test_bytes_that_are_no_text_and_a_huge_file_are_told(kind):
    for data in (b"", b"\xff\xfe\x00", b"#" * (4 * 1024 * 1024 + 1)):
        with pytest.raises(InvalidFile) as caught:
            FORMATS[kind][1](data, "rows", OWASP, hub())
        assert all(fault.remedy for fault in caught.value.faults)


@pytest.mark.parametrize("framework", ALL, ids=KEYS)
def test_no_two_ids_of_a_framework_are_one_token_of_oscal(framework):
    ids = [one.id for one in framework.pack.requirements]
    assert len({oscal.token(one) for one in ids}) == len(ids)


@pytest.mark.parametrize("framework", [OWASP, EU], ids=["owasp", "eu"])
def test_a_mapping_alone_is_read_by_trestle_and_whole(framework):
    made = oscal.documents(framework, hub(), "2026-11-26T08:00:00Z")
    assert all(read_by_trestle(document) for document in json.loads(json.dumps(made)).values())
    assert dangling_oscal(made) == ()
    assert made == oscal.documents(framework, hub(), "2026-11-26T08:00:00Z")


def spoilt(change):
    """The rows of OWASP as OSCAL, with one map changed."""
    document = json.loads(oscal_of(OWASP))
    change(document["mapping-collection"]["mappings"][0]["maps"][1])
    return document


def drop(name):
    def change(one):
        one["props"] = [prop for prop in one["props"] if prop["name"] != name]

    return change


SPOILT = {
    "another relation": lambda one: one.update(relationship="equivalent-to"),
    "no French": drop("rationale-fr"),
    "no author": drop("author"),
    "no day": drop("date"),
    "no rationale": lambda one: one.pop("remarks"),
    "no such requirement": lambda one: one["targets"][0].update({"id-ref": "LLM01_2025"}),
    "no such control": lambda one: one["sources"][0].update({"id-ref": "prompt"}),
    "two at once": lambda one: one["targets"].append(one["targets"][0]),
    "none": lambda one: one.update(sources=[]),
    "no day of a calendar": lambda one: next(p for p in one["props"] if p["name"] == "date").update(value="2026-02-30"),
}


@pytest.mark.parametrize("case", SPOILT, ids=list(SPOILT))
def test_faults_of_an_oscal_file_name_their_place(case):
    with pytest.raises(InvalidFile) as caught:
        oscal.read_oscal(json.dumps(spoilt(SPOILT[case])).encode(), "mapping.json", OWASP, hub())
    (fault,) = caught.value.faults
    assert fault.remedy
    assert "[1]" in fault.facts["at"]


def test_an_oscal_file_of_another_edition_or_shape_is_told():
    document = spoilt(lambda _one: None)
    document["mapping-collection"]["mappings"][0]["target-resource"]["href"] = "catalog.owasp-llm@2025.json"
    for text in (json.dumps(document), '{"mapping-collection": {"mappings": []}}', '{"catalog": {}}', "[]", "{"):
        with pytest.raises(InvalidFile) as caught:
            oscal.read_oscal(text.encode(), "mapping.json", OWASP, hub())
        assert all(fault.remedy for fault in caught.value.faults)


CELLS = next(line for line in write_olir(OWASP, hub()).splitlines() if line.startswith("LLM01"))
COLUMNS_LINE = write_olir(OWASP, hub()).splitlines()[0]
BAD_OLIR = {
    "another relation": CELLS.replace("equal to", "like"),
    "no French": CELLS.replace(OWASP.rows[0].rationale.fr, ""),
    "no such requirement": CELLS.replace("LLM01:2026", "LLM01:2025"),
    "no such control": CELLS.replace("prompt-injection", "prompt"),
    "no day": CELLS.replace("2026-11-22", "soon"),
    "cut short": CELLS[:60],
}


@pytest.mark.parametrize("case", BAD_OLIR, ids=list(BAD_OLIR))
def test_faults_of_an_olir_file_name_their_line(case):
    with pytest.raises(InvalidFile) as caught:
        read_olir(f"{COLUMNS_LINE}\r\n{BAD_OLIR[case]}\r\n".encode(), "rows.csv", OWASP, hub())
    assert {fault.line for fault in caught.value.faults} == {2}
    assert all(fault.remedy for fault in caught.value.faults)


def test_olir_reads_the_relation_from_the_requirement():
    rows = list(csv.DictReader(io.StringIO(write_olir(EU, hub()))))
    assert tuple(rows[0])[: len(COLUMNS)] == COLUMNS
    assert len(rows) == len(EU.rows)
    by_pair = {(row.object, row.subject): row.relation for row in EU.rows}
    turned = {"superset of": "subset", "subset of": "superset", "equal to": "equal", "intersects with": "intersects"}
    for row in rows:
        pair = row["Focal Document Element"], row["Reference Document Element"]
        assert turned[row["Relationship"]] == by_pair[pair]
        assert (row["Fulfilled By"] == "Y") == (by_pair[pair] in {"equal", "superset"})


def test_a_row_is_found_by_its_pair_or_the_nearest_are_offered():
    assert OWASP.row(A, "LLM08:2026").relation == "equal"
    with pytest.raises(UnknownName):
        OWASP.row(A, "LLM09:2026")


def test_a_pack_replaces_ids_of_another_edition_alone():
    assert [msgspec.to_builtins(one) for one in OWASP.pack.replaces][5] == {"old": "LLM06:2025", "new": "LLM03:2026"}
    assert len({one.new for one in OWASP.pack.replaces}) == 10
