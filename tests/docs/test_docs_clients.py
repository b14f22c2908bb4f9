"""The clients that the documentation names as tested are those of the locked requirements."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOCKS = {"litellm": "benchmarks/peers/litellm.txt"}


def test_versions_of_clients_are_those_that_tests_install() -> None:
    page = (ROOT / "docs" / "gateway.md").read_text()
    told = dict(re.findall(r"^\| `([a-z-]+)` \| ([0-9.]+) \|", page, re.MULTILINE))
    assert set(told) == {"openai", "anthropic", "langchain-openai", "litellm"}
    for name, version in told.items():
        lock = (ROOT / LOCKS.get(name, "requirements/dev.txt")).read_text()
        assert f"\n{name}=={version} " in lock, name
