"""The usual turns of refusals and of answers: every frame of `turns.yaml` with every deed and adverbial."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml


@cache
def _frames() -> Any:
    return yaml.safe_load((Path(__file__).parent / "turns.yaml").read_text(encoding="utf-8"))


def said(language: str, kind: str) -> Iterator[str]:
    """The sentences of a kind, `refused` or `answered`."""
    turns = _frames()[language]
    for frame in turns[kind]:
        for deed in turns["deeds"][:6] if "{a}" in frame.lower() else turns["deeds"]:
            thing, verb = deed if isinstance(deed, list) else ("", deed)
            for adverbial in turns["adverbials"] if "{a}" in frame.lower() else [""]:
                slots = {"{a}": adverbial, "{A}": adverbial.capitalize(), "{v}": verb}
                slots |= {"{o}": thing, "{O}": thing[:1].upper() + thing[1:]}
                text = re.sub(r"\{[aAvoO]\}", lambda match, slots=slots: slots[match[0]], frame)
                yield re.sub(r"\bde (?=[aeiouyé])", "d'", text) if language == "fr" else text
