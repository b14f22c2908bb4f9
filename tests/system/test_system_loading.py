"""A file that a person wrote: every fault is told, with its line and its path, and nothing hostile gets far."""

import subprocess
import sys
import time

import pytest

from aloi.errors import Fault, InvalidFile
from aloi.system.description import SystemDescription
from aloi.system.loading import LIMIT, VALUES, dotted, read
from system.described import DESCRIPTION, described


def faults(text: str | bytes) -> list[Fault]:
    data = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(InvalidFile) as caught:
        read(data, "system.yaml", SystemDescription)
    return list(caught.value.faults)


def line_of(text: str, part: str) -> int:
    return next(i for i, line in enumerate(text.splitlines(), start=1) if part in line)


def test_a_good_file_gives_the_struct_and_the_line_of_every_path():
    description, lines = read(DESCRIPTION.encode(), "system.yaml", SystemDescription)
    assert description.context.secrets[0].value == "KESTREL-7731"
    assert lines["context", "secrets", 0, "value"] == line_of(DESCRIPTION, "value: KESTREL")
    assert lines["assurance", "alpha"] == line_of(DESCRIPTION, "alpha:")


WITHOUT_FAULTS = """
import sys
from aloi.system.description import SystemDescription
from aloi.system.loading import read
read(sys.stdin.buffer.read(), "system.yaml", SystemDescription)
print("jsonschema" in sys.modules)
"""


def test_a_good_file_is_read_without_what_tells_of_faults():
    command = [sys.executable, "-c", WITHOUT_FAULTS]
    ended = subprocess.run(command, input=DESCRIPTION, capture_output=True, encoding="utf-8", timeout=30, check=True)
    assert ended.stdout.strip() == "False"


def test_all_faults_of_one_file_are_told_in_the_order_of_its_lines():
    text = described(
        ("languages: [en, fr]", "languages: [en, no]"),  # YAML reads `no` as false
        ("owner: Nobody", "ownr: Nobody"),
        ("  alpha: 0.05", "  alpha: 0.7\n  alpha: 0.05\n  alhpa: 1"),
        ("max_tokens: 48", "max_tokens: many"),
    )
    told = [(str(fault), fault.line) for fault in faults(text)]
    assert told == [
        ("owner: missing", 1),
        ("ownr: unknown key", line_of(text, "ownr")),
        ("languages[1]: got False, expected string", line_of(text, "languages")),
        ("target.max_tokens: got 'many', expected integer", line_of(text, "max_tokens")),
        ("assurance.alpha: the key stands twice", line_of(text, "alpha: 0.05")),
        ("assurance.alhpa: unknown key", line_of(text, "alhpa")),
    ]


def test_an_unknown_key_offers_the_nearest_names():
    fault = next(fault for fault in faults(described(("  alpha: 0.05", "  alhpa: 0.05"))) if "alhpa" in str(fault))
    assert fault.remedy.format(**fault.facts) == "nearest known: alpha"


WRONG_VALUES = {
    "threshold 0": ("threshold: 0.1", "threshold: 0", "assurance.hazards.data-disclosure.threshold: got 0,"),
    "threshold too small for any test": ("threshold: 0.1", "threshold: 1.0e-9", "expected at least 0.0001"),
    "threshold 1": ("threshold: 0.1", "threshold: 1", "expected at most 0.5"),
    "not a number": ("alpha: 0.05", "alpha: .nan", "assurance.alpha: got nan, expected a number"),
    "infinite": ("alpha: 0.05", "max_added_latency_ms: .inf", "max_added_latency_ms: got inf, expected a number"),
    "cap 0": ("threshold: 0.1", "threshold: 0.1\n      cap: 0", "cap: got 0, expected at least 1"),
    "cap of the wrong type": ("threshold: 0.1", "threshold: 0.1\n      cap: lots", "cap: got 'lots', expected integer"),
    "a boolean is no number": ("max_tokens: 48", "max_tokens: true", "max_tokens: got True, expected integer"),
    "slug": ("data-disclosure:", "Data Disclosure:", "assurance.hazards.Data Disclosure: got 'Data Disclosure'"),
    "no hazard": ("  hazards:\n    data-disclosure:\n      threshold: 0.1", "  hazards: {}", "at least one entry"),
    "no name for a secret": ("names: {en: code}", "names: {}", "context.secrets[0].names: got {}"),
    "number beyond JSON": ("alpha: 0.05", f"limits: {{queries: {2**53}}}", f"queries: got {2**53}, expected at most"),
    "half a surrogate pair": ("title: Small", 'title: "a\\uD800"', "title: holds a character"),
    "NUL": ("title: Small", 'title: "a\\0"', "title: holds a character"),
    "another version": ("name: small", "name: small\nversion: 2", "version: got 2, expected one of [1]"),
    "top is a list": (DESCRIPTION, "[1, 2]", "$: got [1, 2], expected object"),
    "empty": (DESCRIPTION, "", "$: got None, expected object"),
    "a date": ("owner: Nobody", "owner: 2026-11-22", "owner: got datetime.date(2026, 11, 22), expected string"),
    "merge keys are not read": ("owner: Nobody", "<<: {owner: X}", "<<: unknown key"),
}


@pytest.mark.parametrize("case", WRONG_VALUES)
def test_a_wrong_value_is_named_with_what_was_expected(case):
    old, new, expected = WRONG_VALUES[case]
    told = faults(described((old, new)))
    assert any(expected in str(fault) for fault in told), [str(fault) for fault in told]


NOT_YAML = {
    "binary": b"\x89PNG\r\n\x1a\n\x00\xff\xfe",
    "latin-1": "owner: Société".encode("latin-1"),
    "utf-16": DESCRIPTION.encode("utf-16"),
    "unclosed": b"a: [1, 2",
    "tab": b"a:\n\t- 1",
    "two documents": b"---\na: 1\n---\nb: 2\n",
    "python object": b"name: !!python/object/apply:os.system [ls]\ntitle: !!python/name:os.system x",
    "undefined alias": b"a: *b",
    "control character": b"a: \x07",
}


@pytest.mark.parametrize("case", NOT_YAML)
def test_what_is_not_plain_yaml_is_one_clear_fault(case, tmp_path):
    told = faults(NOT_YAML[case])
    assert told
    assert not list(tmp_path.iterdir())
    if case != "python object":  # its tags are ignored or refused, and nothing is run
        assert str(told[0]).startswith("$: this is not YAML: ")


def test_a_fault_of_writing_names_its_line():
    assert faults("name: x\ntitle: [1, 2\nowner: y\n")[0].line == 3


BOMBS = {
    "aliases of aliases": "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
    + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join(['*' + chr(97 + i)] * 10)}]\n" for i in range(20)),
    "an alias to itself": "a: &a [*a]",
    "nested lists": "a: " + "[" * 20_000,
    "nested maps": "{a: " * 5_000,
    "many values": "a:\n" + "  - 1\n" * (VALUES + 1),
    "larger than is read": "#" * 5_000_000,
}


@pytest.mark.parametrize("case", BOMBS)
def test_a_bomb_is_refused_quickly(case):
    start = time.process_time()
    assert faults(BOMBS[case])[0].path == "$"
    assert time.process_time() - start < 10


def test_a_large_but_honest_file_is_read():
    text = described(("prompt: Answer.", "prompt: |\n" + "  One sentence of a long prompt.\n" * 3_000))
    assert len(text) < LIMIT
    assert len(read(text.encode(), "f", SystemDescription)[0].prompt) > 90_000


def test_an_alias_may_repeat_a_value():
    text = described(("title: Small", "title: &t Small"), ("purpose: Tests.", "purpose: *t"))
    assert read(text.encode(), "f", SystemDescription)[0].purpose == "Small"


def test_a_key_from_the_file_is_shown_short_and_printable():
    told = faults(described(("owner: Nobody", '"\\e[31m' + "k" * 900 + '": 1')))
    message = next(str(fault) for fault in told if "unknown key" in str(fault))
    assert "\x1b" not in message
    assert len(message) < 120


def test_thousands_of_faults_take_seconds_not_minutes():
    start = time.process_time()
    assert len(faults("context:\n  documents:\n" + "    - 1\n" * 10_000)) > 10_000
    assert time.process_time() - start < 20


def test_paths_are_written_as_people_write_them():
    assert dotted(("context", "documents", 2, "id")) == "context.documents[2].id"
    assert dotted(()) == "$"
