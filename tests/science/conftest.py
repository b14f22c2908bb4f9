from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aloi import plugins
from science.runs import Run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path / "trials.jsonl")


@pytest.fixture
def plugged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, dict[str, str]], None]]:
    """Plug in under a group what lies in a module that can be imported: name to `module:object`."""

    def plug(group: str, points: dict[str, str]) -> None:
        info = tmp_path / "plugged-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plugged\nVersion: 1\n")
        lines = [f"{name} = {value}" for name, value in points.items()]
        (info / "entry_points.txt").write_text("\n".join([f"[{group}]", *lines, ""]))
        monkeypatch.syspath_prepend(str(tmp_path))
        plugins._found.cache_clear()

    yield plug
    monkeypatch.undo()
    plugins._found.cache_clear()
