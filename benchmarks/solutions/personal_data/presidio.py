"""Presidio on the same texts, in its own environment and process; skipped with a sentence where it is missing."""

import json
import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.solutions.personal_data.corpus import Labelled

HOME = Path(__file__).parents[2] / "peers" / "presidio"
PYTHON = Path(os.environ.get("ALOI_PEER_PRESIDIO", HOME / ".venv" / "bin" / "python"))
KINDS = {
    "IBAN_CODE": "iban",
    "CREDIT_CARD": "card",
    "EMAIL_ADDRESS": "email",
    "IP_ADDRESS": "ip",
    "PHONE_NUMBER": "phone",
}
Span = tuple[str, int, int]


def compare(texts: Sequence[Labelled], show: Callable[[Sequence[list[Span]], tuple[str, ...]], None]) -> None:
    """Print what Presidio finds of the kinds that it knows: as installed, and told about both languages.

    `show` prints a table of what was found in each text, for these kinds.
    """
    if not PYTHON.exists():
        print(f"Presidio: not compared, {HOME.name}/requirements.txt is not installed (benchmarks/peers/presidio)")
        return
    known = tuple(KINDS.values())
    for mode in ("default", "configured"):
        rows = _run(mode, texts)
        errors = [row["error"] for row in rows if isinstance(row, dict)]
        why = f" ({errors[0]})" if errors else ""
        print(f"Presidio 2.2.366, {mode}: {len(errors)} of {len(rows)} texts end in an error{why}")
        spans = [
            [] if isinstance(row, dict) else [(KINDS[kind], low, high) for kind, low, high in row if kind in KINDS]
            for row in rows
        ]
        show(spans, known)


def _run(mode: str, texts: Sequence[Labelled]) -> list[dict[str, str] | list[tuple[str, int, int]]]:
    lines = "\n".join(json.dumps({"text": one.text, "language": one.language}) for one in texts)
    done = subprocess.run(
        [PYTHON, HOME / "run.py", mode], input=lines, capture_output=True, text=True, check=True, timeout=1800
    )
    return [json.loads(line) for line in done.stdout.splitlines()]
