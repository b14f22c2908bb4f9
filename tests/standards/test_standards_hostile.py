"""Bad packs, mappings, hubs, files and attachments: each is refused with the file, the row and what to do."""

import os
import tracemalloc
from datetime import date

import pytest
from standards_world import shipped
from test_standards_reading import GOOD, HEAD, HUB, MAP, PACK, ROW

from aloi.errors import AskerError, EvidenceError, InvalidFile
from aloi.evidence import envelope as dsse
from aloi.evidence.canonical import canonical
from aloi.evidence.keys import PrivateKey
from aloi.evidence.statement import Subject, state
from aloi.evidence.vouching import Attachment
from aloi.standards.attaching import attach, read_attachment
from aloi.standards.crosswalks.sssom import OWED, read_sssom
from aloi.standards.files import contents
from aloi.standards.frameworks import FrameworkFiles, read_framework
from aloi.standards.hub import hub, parse_hub
from aloi.standards.mapping import parse_mapping
from aloi.standards.pack import parse_pack
from aloi.standards.reading import LIMIT, NODES

KEY = PrivateKey.generate()
DAY = date(2026, 11, 26)
GOOD_ROW = ROW.format(s="robustness", o="A.1", r="equal")
CONTROL = "  - {id: c, title: {en: a, fr: b}, proof: plan}\n"
HEADER = "\t".join(OWED) + "\n"
LINE = "aloi:robustness\tskos:exactMatch\treq:LLM01:2026\tMe\t2026-11-22\tWhy\tPourquoi\n"


def pack(data):
    return parse_pack(data, "bad.yaml")


def rows(data):
    return parse_mapping(data, "bad.yaml", PACK, hub())


def controls(data):
    return parse_hub(data, "bad.yaml")


def sssom(data):
    return read_sssom(data, "bad.yaml", shipped("owasp-llm@2026"), hub())


def replaced(*pairs):
    return "".join(["replaces:\n", *(f"  - {{old: {old}, new: {new}}}\n" for old, new in pairs)])


BOMB = "x: [&a [y], &b [*a, *a], &c [*b, *b], [*c, *c]]\n"
SECOND = GOOD.replace("A.1", "A.2")
# The reader, what it is given, and the row and path of its first fault.
CASES = {
    "pack: a list that holds itself": (pack, HEAD + "  &a\n  - *a\n", 15, "requirements[0]"),
    "pack: a table that holds itself": (pack, "id: &a {b: *a}\n", 1, "id.b"),
    "pack: an alias bomb": (pack, BOMB + HEAD + GOOD, 1, "x[1][0]"),
    "pack: a merged table": (pack, "a: &a {b: c}\n<<: *a\n" + HEAD + GOOD, 2, "<<"),
    "pack: ids that replace each other": (
        pack,
        HEAD + GOOD + SECOND + replaced(("A.1", "A.2"), ("A.2", "A.1")),
        17,
        "replaces[0]",
    ),
    "pack: an id that replaces itself": (pack, HEAD + GOOD + replaced(("A.1", "A.1")), 16, "replaces[0]"),
    "pack: a chain of replacements": (pack, HEAD + GOOD + replaced(("A.0", "A.1"), ("B.0", "A.0")), 17, "replaces[1]"),
    "pack: an id replaced twice": (
        pack,
        HEAD + GOOD + SECOND + replaced(("A.0", "A.1"), ("A.0", "A.2")),
        18,
        "replaces[1].old",
    ),
    "pack: a heading with a parent": (
        pack,
        HEAD.replace("requirements:", "groups: [{id: G, title: {en: a, fr: b}, parent: G}]\nrequirements:") + GOOD,
        13,
        "groups[0].parent",
    ),
    "pack: no French": (pack, HEAD + GOOD.replace(", fr: Un", ""), 14, "requirements[0].title.fr"),
    "pack: empty French": (pack, HEAD + GOOD.replace("fr: Un", "fr: ''"), 14, "requirements[0].title.fr"),
    "pack: French of blanks": (pack, HEAD + GOOD.replace("fr: Un", "fr: '  '"), 14, "requirements[0].title.fr"),
    "pack: a day that is none": (
        pack,
        HEAD.replace("in_force_from: 2026-01-01", "in_force_from: 2026-02-30") + GOOD,
        6,
        "in_force_from",
    ),
    "pack: a moment for a day": (
        pack,
        HEAD.replace("in_force_from: 2026-01-01", "in_force_from: 2026-01-01T00:00:00Z") + GOOD,
        6,
        "in_force_from",
    ),
    "pack: a horizon of centuries": (pack, HEAD.replace("horizon: 30", "horizon: 99999") + GOOD, 8, "horizon"),
    "pack: a key twice": (pack, HEAD + GOOD + "id: other\n", 15, "id"),
    "pack: a key of its own": (pack, HEAD + GOOD + "compliant: yes\n", 15, "compliant"),
    "pack: a table as key": (pack, "? {a: b}\n: c\n" + HEAD + GOOD, 1, "?"),
    "pack: not UTF-8": (pack, (HEAD + GOOD).encode().replace(b"One", b"\xff"), 14, "$"),
    "pack: a byte that is no text": (pack, (HEAD + GOOD).encode().replace(b"One", b"\x00"), 14, "$"),
    "pack: UTF-16 without its mark": (pack, (HEAD + GOOD).encode("utf-16-le"), 1, "$"),
    "pack: words that clear the screen": (
        pack,
        HEAD + GOOD.replace("en: One", 'en: "\\e[2J"'),
        14,
        "requirements[0].title.en",
    ),
    "pack: words that run backwards": (
        pack,
        HEAD + GOOD.replace("en: One", "en: \u202eenO"),
        14,
        "requirements[0].title.en",
    ),
    "pack: known in no way that is told": (
        pack,
        HEAD.replace("requirements:", "certainty: secondary\nrequirements:") + GOOD,
        13,
        "certainty",
    ),
    "pack: a hundred megabytes": (pack, b"#" * 100_000_000, None, "$"),
    "pack: small, and millions of values": (pack, b"a: [" + b"1," * NODES + b"]", 1, "$"),
    "pack: small, and very deep": (pack, b"[" * 100_000, 1, "[0]" * 13),
    "rows: an edition that is unknown": (rows, MAP.replace("@1", "@1999") + GOOD_ROW, 1, "framework"),
    "rows: no edition": (rows, MAP.replace("@1", "") + GOOD_ROW, 1, "framework"),
    "rows: a relation that is none": (rows, MAP + GOOD_ROW.replace("equal", "implies"), 5, "rows[0].relation"),
    "rows: no French": (rows, MAP + GOOD_ROW.replace(", fr: Pourquoi", ""), 5, "rows[0].rationale.fr"),
    "rows: empty French": (rows, MAP + GOOD_ROW.replace("fr: Pourquoi", "fr: ''"), 5, "rows[0].rationale.fr"),
    "rows: a day that is none": (rows, MAP + GOOD_ROW.replace("2026-11-22", "2026-13-01"), 5, "rows[0].date"),
    "rows: an alias bomb": (rows, BOMB + MAP + GOOD_ROW, 1, "x[1][0]"),
    "rows: a row twice": (rows, MAP + GOOD_ROW * 2, 6, "rows[1]"),
    "rows: a key twice": (rows, MAP + GOOD_ROW.replace("{subject", "{subject: x, subject"), 5, "rows[0].subject"),
    "rows: not UTF-8": (rows, (MAP + GOOD_ROW).encode().replace(b"Why", b"\xe9"), 5, "$"),
    "rows: a pack": (rows, HEAD + GOOD, 1, "id"),
    "hub: a control that holds itself": (controls, HUB + "  - &a {id: *a}\n", 7, "controls[0].id"),
    "hub: empty French": (controls, HUB + CONTROL.replace("fr: b", "fr: ''"), 7, "controls[0].title.fr"),
    "hub: another kind of proof": (controls, HUB + CONTROL.replace("plan", "faith"), 7, "controls[0].proof"),
    "hub: not UTF-8": (controls, (HUB + CONTROL).encode().replace(b"en: a", b"en: \xff"), 7, "$"),
    "sssom: another relation": (sssom, HEADER + LINE.replace("exactMatch", "exampleMatch"), 2, "rows[0]"),
    "sssom: no French": (sssom, HEADER + LINE.replace("Pourquoi", " "), 2, "rows[0]"),
    "sssom: a day that is none": (sssom, HEADER + LINE.replace("2026-11-22", "2026-02-30"), 2, "rows[0]"),
    "sssom: another edition": (
        sssom,
        "#a: b\n#mapping_set_id: https://aloi.dev/mapping/owasp-llm@2025\n" + HEADER + LINE,
        2,
        "$",
    ),
    "sssom: not UTF-8": (sssom, (HEADER + LINE).encode() + b"\xff\n", 3, "$"),
    "sssom: no header": (sssom, "#a: b\n" + LINE, 2, "$"),
    "sssom: a cell without an end": (sssom, HEADER + LINE + '"' + "x" * 200_000, 3, "$"),
    "sssom: words that clear the screen": (sssom, HEADER + LINE.replace("Why", "\x1b[2J"), 2, "rows[0]"),
    "sssom: an id that is not there": (sssom, HEADER + LINE + LINE.replace("LLM01", "LLM99"), 3, "rows[1].object"),
    "sssom: a row twice": (sssom, HEADER + LINE * 2, 3, "rows[1]"),
    "sssom: too large": (sssom, b"x" * (LIMIT + 1), None, "$"),
}


@pytest.mark.parametrize("case", CASES, ids=list(CASES))
def test_a_bad_table_is_refused_with_its_file_row_and_remedy(case):
    reader, given, line, path = CASES[case]
    with pytest.raises(InvalidFile) as caught:
        reader(given if isinstance(given, bytes) else given.encode())
    assert caught.value.file == "bad.yaml"
    first = caught.value.faults[0]
    assert (first.line, first.path) == (line, path)
    for fault in caught.value.faults:
        assert str(fault)
        assert fault.remedy.format(**fault.facts)


def test_a_small_file_costs_little_memory_whatever_is_in_it():
    data = b"a: [" + b"1," * ((LIMIT - 5) // 2) + b"]"
    tracemalloc.start()
    try:
        with pytest.raises(InvalidFile):
            pack(data)
        assert tracemalloc.get_traced_memory()[1] < 200_000_000
    finally:
        tracemalloc.stop()


def fifo(path):
    os.mkfifo(path)


def sparse(path):
    with path.open("wb") as file:
        file.truncate(100_000_000)


FILES = {
    "a folder": (lambda path: path.mkdir(), "is no file"),
    "a pipe": (fifo, "is no file"),
    "a device": (lambda path: path.symlink_to("/dev/zero"), "is no file"),
    "nothing": (lambda path: None, "cannot read"),
    "a link to itself": (lambda path: path.symlink_to(path), "cannot read"),
    "a hundred megabytes": (sparse, "has 100000000 bytes"),
}


@pytest.mark.parametrize("case", FILES, ids=list(FILES))
def test_what_cannot_be_read_is_refused_before_it_is(case, tmp_path):
    make, told = FILES[case]
    path = tmp_path / "acme.yaml"
    make(path)
    asked = {"approved_by": "B", "approved_on": DAY, "valid_until": None, "today": DAY, "key": KEY}
    tracemalloc.start()
    try:
        for read in (
            lambda: contents(path),
            lambda: read_framework(FrameworkFiles(pack=path)),
            lambda: attach(path, hub(), "human-oversight", **asked),
        ):
            with pytest.raises(AskerError, match=told) as caught:
                read()
            assert caught.value.facts["file"] == path
            assert caught.value.remedy
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_a_file_that_has_expired_is_not_attached(tmp_path):
    file = tmp_path / "old.pdf"
    file.write_bytes(b"x")
    days = {"approved_on": date(2024, 1, 1), "today": DAY}
    with pytest.raises(AskerError, match=r"old\.pdf expired on 2025-01-01"):
        attach(file, hub(), "human-oversight", approved_by="B", valid_until=date(2025, 1, 1), key=KEY, **days)
    attach(file, hub(), "human-oversight", approved_by="B", valid_until=DAY, key=KEY, **days)


@pytest.mark.parametrize("day", ["2026-02-30", "for ever", "2026-1-1", "20260101", ""])
@pytest.mark.parametrize("field", ["approved_on", "valid_until"])
def test_a_signed_day_that_is_none_is_refused(day, field):
    days = {"approved_on": "2026-01-01", "valid_until": "2027-01-01", field: day}
    record = Attachment(control="human-oversight", size=1, approved_by="B", **days)
    payload = state(record, [Subject.of("a", "sha256:" + "0" * 64)])
    with pytest.raises(EvidenceError) as caught:
        read_attachment(canonical(dsse.sign(payload, KEY)), [KEY.public])
    assert caught.value.reason == "no-day"
