"""Rows of our own that a person wrote one by one: `written/*.yaml`. Every ten in order of a family stay together.

They are taken as they are: case and accents, which the grammars vary, are undone before a text is read.
"""

from pathlib import Path
from typing import Any

import yaml

from training.rows import Row

HERE = Path(__file__).parent / "written"
_TOGETHER = 10


def rows() -> list[Row]:
    return [row for path in sorted(HERE.glob("*.yaml")) for row in _file(path)]


def _file(path: Path) -> list[Row]:
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return [
        Row(
            text=text,
            attack=content["attack"],
            language=content["language"],
            source="ours",
            group=f"written/{path.stem}/{family['id']}/{place // _TOGETHER:02}",
            kind=family.get("kind", ""),
        )
        for family in content["families"]
        for place, text in enumerate(family["texts"])
    ]
