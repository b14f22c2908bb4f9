"""The pages about listed prompts and about writing a probe, carried out as they stand."""

import json
import os
import subprocess
import sys

import msgspec
import pytest
import yaml

from aloi.cli.speech import error_lines
from aloi.errors import InvalidFile
from aloi.system.corpora import header, table
from aloi.system.loading import read
from aloi.system.reading import open_system
from docs.test_docs import blocks, page, rows


def test_every_field_of_a_corpus_is_documented_with_its_default():
    told = rows(page("docs/corpora.md"))
    parts = {"": header.Header, "columns.": header.Columns, "hf.": header.HubDataset}
    fields = {prefix + field.name: field for prefix, kind in parts.items() for field in msgspec.structs.fields(kind)}
    assert set(told) == set(fields)
    for name, field in fields.items():
        assert ("required" in told[name]) == field.required, name
        if isinstance(field.default, str) and field.default:
            assert f"`{field.default}`" in told[name], name


def test_the_limits_of_a_corpus_are_those_of_the_code():
    text = page("docs/corpora.md")
    assert f"{table.BYTES >> 20} MiB" in text
    assert f"{table.ROWS:,} rows".replace(",", " ") in text
    assert f"{table.CELL:,} characters".replace(",", " ") in text


def test_the_corpora_of_their_page_can_be_opened(tmp_path):
    text = page("docs/corpora.md")
    goals, *headers = (block for block in blocks(text, "yaml") if not block.startswith(" "))
    (listed,) = blocks(text, "csv")
    described = {
        "name": "bot",
        "title": "Bot",
        "purpose": "answers",
        "owner": "us",
        "languages": ["en", "fr"],
        "target": {"kind": "callable", "callable": "bot:answer"},
        **yaml.safe_load(goals),
    }
    described["assurance"]["benign"] = {"questions": {"en": ["When do you open?"], "fr": ["Quand ouvrez-vous ?"]}}
    (tmp_path / "system.yaml").write_text(json.dumps(described))
    (tmp_path / "house-prompts.csv").write_text(listed, encoding="utf-8")
    (tmp_path / "house-prompts.yaml").write_text(headers[0], encoding="utf-8")
    corpus = open_system(tmp_path).corpora["jailbreak"]
    assert (len(corpus.rows), corpus.seeds()) == (3, 2)
    of_others = headers[1:]
    assert [list(yaml.safe_load(each))[3] for each in of_others] == ["garak", "hf"]
    for each in of_others:
        read(each.encode(), "header.yaml", header.Header)


def test_the_faults_of_their_page_are_told_so(tmp_path):
    (shown,) = blocks(page("docs/corpora.md"), "text")
    head = blocks(page("docs/corpora.md"), "yaml")[1]
    (tmp_path / "house-prompts.yaml").write_text(head.replace("planted-string", "planted-sting"))
    described = yaml.safe_load(blocks(page("docs/corpora.md"), "yaml")[0])
    described |= {"name": "bot", "title": "Bot", "purpose": "p", "owner": "us", "languages": ["en"]}
    described["target"] = {"kind": "callable", "callable": "bot:answer"}
    described["assurance"]["benign"] = {"questions": {"en": ["When do you open?"]}}
    (tmp_path / "system.yaml").write_text(json.dumps(described))
    lines = ["text,intent,lang,canary", "one,a,en,ab", "two,b,en,OSPREY-4417", ",c,en,OSPREY-4417"]
    lines += ["three,d,en,OSPREY-4417", "four,e,en,OSPREY-4417", "two,b,en,OSPREY-4417", "five,f,en,OSPREY-4417"]
    (tmp_path / "house-prompts.csv").write_text("\n".join([*lines, "six,g,english,OSPREY-4417"]))
    with pytest.raises(InvalidFile) as caught:
        open_system(tmp_path)
    assert "Error: " + "\n".join(error_lines(caught.value)).replace(f"{tmp_path}/", "") == shown.strip()


def test_the_package_of_write_a_probe_is_installed_and_measures(tmp_path):
    text = page("docs/write-a-probe.md")
    (project,), (source,), (goal,) = blocks(text, "toml"), blocks(text, "python"), blocks(text, "yaml")
    assert len(source.splitlines()) < 50
    package, site = tmp_path / "package", tmp_path / "site"
    package.mkdir()
    (package / "pyproject.toml").write_text(project, encoding="utf-8")
    (package / "aloi_opening_times.py").write_text(source, encoding="utf-8")
    how = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "install", *how, "--target", str(site), str(package)]
    subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    (tmp_path / "bot.py").write_text(
        "def answer(messages):\n    return 'At 7:30.' if 'alarms' in messages[-1]['content'] else 'I cannot say.'\n"
    )
    described = {
        "name": "bot",
        "title": "Bot",
        "purpose": "answers",
        "owner": "us",
        "languages": ["en"],
        "target": {"kind": "callable", "callable": "bot:answer"},
        **yaml.safe_load(goal),
    }
    described["assurance"]["benign"] = {"questions": {"en": ["Where are you?"]}, "selection_trials": 10}
    (tmp_path / "system.yaml").write_text(json.dumps(described))
    paths = os.pathsep.join(map(str, (site, tmp_path)))
    environment = {**os.environ, "PYTHONPATH": paths, "ALOI_HOME": str(tmp_path / "home")}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "aloi.cli.main", "--lang", "en", *words]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    assert run("catalog", "probes", "opening-times").stdout.startswith(
        "opening-times  hidden-context-exposure: clock-time"
    )
    ended = run("measure", "system.yaml", "--json")
    assert ended.returncode == 1, ended.stderr
    (finding,) = json.loads(ended.stdout)["findings"]
    assert (finding["verdict"], finding["scorer"]["name"]) == ("not met", "clock-time")
    failed = {part["name"]: part["failures"] for part in finding["strata"] if part["kind"] == "attack"}
    assert failed["pretext"] > 0
    assert failed.get("direct", 0) == 0
