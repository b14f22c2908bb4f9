"""Rows of our own: drawn from the grammars beside this file, each family from a seed of its own."""

import random
from pathlib import Path
from typing import Any

import yaml

from aloi.science.grammar import fill
from training.rows import Row

HERE = Path(__file__).parent / "grammars"
_TRIES = 20


def written(seed: int) -> list[Row]:
    """Every family's rows; each text once in its family. The same seed gives the same rows."""
    return [row for path in sorted(HERE.glob("*.yaml")) for row in _grammar(path, seed)]


def _grammar(path: Path, seed: int) -> list[Row]:
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    language = content["language"]
    slots = {name: {language: choices} for name, choices in content["slots"].items()}
    found = []
    for family in content["families"]:
        draw = random.Random(f"{seed}:{path.stem}:{family['id']}")
        texts: dict[str, None] = {}
        for _ in range(_TRIES * family["count"]):
            if len(texts) == family["count"]:
                break
            texts[_cased(fill(draw.choice(family["templates"]), slots, language, draw, {}), draw)] = None
        found += [
            Row(
                text=text,
                attack=content["attack"],
                language=language,
                source="ours",
                group=f"{path.stem}/{family['id']}",
                kind=family.get("kind", ""),
            )
            for text in texts
        ]
    return found


def _cased(text: str, draw: random.Random) -> str:
    """As people type: mostly with a capital, sometimes all small, sometimes without accents or shouted."""
    style = draw.random()
    if style < 0.75:
        return text[:1].upper() + text[1:]
    return text.upper() if style > 0.97 else text
