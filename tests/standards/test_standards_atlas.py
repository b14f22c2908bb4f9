"""MITRE's own file, in both of its forms: what became of our ids, and the whole of it as a pack."""

from datetime import date
from pathlib import Path

import pytest
from standards_world import shipped

from aloi.errors import InvalidFile
from aloi.standards.atlas import LIMIT, VALUES, fates, read_atlas, whole
from aloi.standards.coverage import cover
from aloi.standards.frameworks import FrameworkFiles, read_framework
from aloi.standards.pack import parse_pack

HERE = Path(__file__).parent / "upstream"
NEW, OLD = ((HERE / name).read_bytes() for name in ("atlas-new.yaml", "atlas-old.yaml"))
OURS = shipped("mitre-atlas@2026.09").pack
DAY = date(2026, 11, 26)


def test_both_forms_say_what_they_hold():
    new, old = read_atlas(NEW, "new.yaml"), read_atlas(OLD, "old.yaml")
    assert (new.version, new.released) == ("2026.99", date(2026, 10, 14))
    assert (old.version, old.released) == ("5.6.0", None)
    assert new.counts() == {"tactic": 2, "technique": 6, "mitigation": 1}
    assert old.counts() == {"tactic": 1, "technique": 3, "mitigation": 1}


def test_every_id_of_ours_has_its_fate():
    found = {one.id: one for one in fates(read_atlas(NEW, "new.yaml"), OURS)}
    assert set(found) == {requirement.id for requirement in OURS.requirements}
    states = {id_: one.state for id_, one in found.items() if one.state != "gone"}
    expected = {"AML.T0010": "same", "AML.T0051.000": "same", "AML.T0029": "renamed", "AML.T0054": "deprecated"}
    assert states == expected
    assert found["AML.T0029"].theirs == "Denial of AI Service: Renamed"
    assert found["AML.T0088"].elsewhere == ("AML.T9988",), "the name is there under another id"
    assert found["AML.T0020"].elsewhere == ()


def test_what_needs_a_look_comes_first():
    states = [one.state for one in fates(read_atlas(NEW, "new.yaml"), OURS)]
    assert states == sorted(states, key=("gone", "deprecated", "renamed", "same").index)


def test_the_whole_file_is_a_pack_that_our_reader_takes(tmp_path):
    file = tmp_path / "atlas.yaml"
    file.write_text(whole(read_atlas(NEW, "new.yaml"), OURS, today=DAY), encoding="utf-8")
    framework = read_framework(FrameworkFiles(pack=file))
    pack = framework.pack
    assert (pack.key, pack.text_policy, pack.checked_on) == ("mitre-atlas@2026.99", "title", DAY)
    assert (pack.in_force_from, pack.unconfirmed) == (date(2026, 10, 14), ())
    assert pack.licence.startswith("Apache-2.0")
    assert [group.id for group in pack.groups] == ["AML.TA0004", "AML.TA0011", "mitigations"]
    told = {one.id: (one.group, one.title.fr, one.takes) for one in pack.requirements}
    assert told == {
        "AML.T0010": (
            "AML.TA0004",
            "Compromission de la chaîne d'approvisionnement de l'IA",
            ("artefact", "measurement"),
        ),
        "AML.T0051": ("AML.TA0011", "LLM Prompt Injection", ("measurement",)),
        "AML.T0051.000": ("AML.TA0011", "Injection directe d'instructions", ("measurement",)),
        "AML.T0029": ("", "Denial of AI Service: Renamed", ("measurement",)),
        "AML.T9988": ("", "Generate Deepfakes", ("measurement",)),
        "AML.M0013": ("mitigations", "Code Signing", ("document", "artefact")),
    }
    assert {one.state for one in cover(framework, []).requirements} == {"not tested", "needs a document"}


def test_a_file_without_a_day_says_so():
    pack = parse_pack(whole(read_atlas(OLD, "old.yaml"), OURS, today=DAY).encode(), "atlas.yaml")
    assert (pack.key, pack.in_force_from, len(pack.unconfirmed)) == ("mitre-atlas@5.6.0", DAY, 1)
    assert [one.group for one in pack.requirements] == ["AML.TA0004", "AML.TA0004", "", "mitigations"]


def test_the_same_file_gives_the_same_pack():
    once = whole(read_atlas(NEW, "a.yaml"), OURS, today=DAY)
    assert once == whole(read_atlas(NEW, "b.yaml"), OURS, today=DAY)


def changed(old, new):
    text = NEW.decode()
    assert old in text
    return text.replace(old, new).encode()


def row(text, data=NEW):
    return data.decode().splitlines().index(text) + 1


# What is wrong: the bytes, and the row and path that are told.
BAD = {
    "a link": (b"v6/ATLAS-2026.09.yaml", [(1, "$")]),
    "another YAML": (b"a: 1\n", [(1, "$")]),
    "nothing": (b"", [(None, "$")]),
    "no YAML": (b"a: ]", [(1, "$")]),
    "not UTF-8": (b"a: 1\nb: \xff\n", [(2, "$")]),
    "an id of another kind": (
        changed("AML.M0013:\n    name", "AML.T0099:\n    name"),
        [(row("  AML.M0013:"), "mitigations.AML.T0099")],
    ),
    "an id that stands twice": (
        changed("  AML.T9988:", "  AML.T0010:"),
        [(row("  AML.T9988:"), "techniques.AML.T0010")],
    ),
    "no name": (changed("    name: Direct\n", ""), [(row("  AML.T0051.000:"), "techniques.AML.T0051.000.name")]),
    "a name that moves the cursor": (
        changed("name: Direct", 'name: "\\e[2J"'),
        [(row("    name: Direct"), "techniques.AML.T0051.000.name")],
    ),
    "a list for a table": (
        changed(
            "collection:\n  id: ATLAS-collection\n  name: ATLAS\n  version: '2026.99'\n  modified-date: '2026-10-14'\n",
            "collection: []\n",
        ),
        [(row("collection:"), "collection"), (row("collection:"), "collection.version")],
    ),
    "a version that is none": (changed("'2026.99'", "'../x'"), [(row("  version: '2026.99'"), "collection.version")]),
    "an alias where we read": (
        changed("name: Direct", "name: *again"),
        [(row("    name: Direct"), "techniques.AML.T0051.000.name")],
    ),
    "an alias bomb": (b"techniques: {a: &a [x], b: &b [*a, *a], c: [*b, *b]}\n", [(1, "techniques.b[0]")]),
    "a cycle": (b"techniques: &a [*a]\n", [(1, "techniques[0]")]),
    "too deep": (b"a: " + b"[" * 60 + b"]" * 60, [(1, "a" + "[0]" * 12)]),
    "too many values": (b"a: [" + b"1," * VALUES + b"]", [(1, "$")]),
    "too large": (b"#" * (LIMIT + 1), [(None, "$")]),
}


@pytest.mark.parametrize("case", BAD, ids=list(BAD))
def test_what_is_wrong_is_told_with_its_row_and_its_remedy(case):
    data, expected = BAD[case]
    with pytest.raises(InvalidFile) as caught:
        read_atlas(data, "atlas.yaml")
    assert caught.value.file == "atlas.yaml"
    told = [(fault.line, fault.path) for fault in caught.value.faults]
    assert told[: len(expected)] == expected
    assert all(fault.remedy.format(**fault.facts) for fault in caught.value.faults)
