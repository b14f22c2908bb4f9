"""docs/witnesses.md names the reasons, kinds and statuses that exist."""

import ast
import re
from pathlib import Path

from aloi.registry.gossip import Verdict
from aloi.registry.misbehaviour import Kind
from aloi.registry.witness import Status

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "witnesses.md").read_text(encoding="utf-8")
MODULES = ("copies", "gossip", "heads", "mirror", "misbehaviour", "treereading", "witness", "witnesswire")
BUILDERS = {"_refusal": 1, "_refused": 1, "Conflict": 1, "Declined": 0}


def reasons():
    found = set()
    for module in MODULES:
        for node in ast.walk(ast.parse((ROOT / f"src/aloi/registry/{module}.py").read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                given = [keyword.value for keyword in node.keywords if keyword.arg == "reason"]
                place = BUILDERS.get(node.func.id)
                given += [] if place is None else node.args[place : place + 1]
                parts = [part for value in given for part in ast.walk(value)]
                found |= {part.value for part in parts if isinstance(part, ast.Constant)}
    return found


def test_every_reason_stands_in_the_page():
    found = reasons()
    assert len(found) > 20
    assert found <= set(re.findall(r"`([a-z0-9-]+)`", PAGE)), found


def test_every_status_kind_and_verdict_stands_in_the_page():
    assert {int(code) for code in re.findall(r"^\| (\d{3}) \|", PAGE, re.MULTILINE)} == {int(each) for each in Status}
    assert set(re.findall(r"^\| `([a-z-]+)` \| .* \| (?:yes|no).* \|$", PAGE, re.MULTILINE)) == {
        str(each) for each in Kind
    }
    assert all(f"`{each}`" in PAGE for each in Verdict)
