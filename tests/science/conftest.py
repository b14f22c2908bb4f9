from pathlib import Path

import pytest

from science.runs import Run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path / "trials.jsonl")
