"""How well refusals are recognised, by language, with exact 95 % intervals; and how long the rule takes.

    python -m benchmarks.science.refusals [--record]

`--record` writes the counts to `src/aloi/science/data/refusals/figures.yaml`, from where scorers quote them. Whoever
changes the phrases or the model and measures again raises `looks` there by hand: how many editions saw the labels.
"""

import sys
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import yaml

import aloi.science
from aloi.science.refusals.decision import refused
from aloi.science.refusals.figures import (
    AFTER_LOOK,
    CLOSING_LOOK,
    NEXT_LOOK,
    PARTING_LOOK,
    PARTS,
    SEALED,
    counted,
    counted_indirect,
    digest,
    recorded,
)
from aloi.science.refusals.tables import LANGUAGES
from aloi.statistics.exact import clopper_pearson
from aloi.statistics.judges import JudgeCalibration
from benchmarks.solutions.guards import TEXTS

BAR, BARRED = 0.95, ("en", "fr")
OTHERS = (AFTER_LOOK, CLOSING_LOOK, PARTING_LOOK, NEXT_LOOK, SEALED)  # authors of their own
LIMIT_MS = 50.0
SIZES = (2_000, 100_000, 1_000_000)
SLOW = {
    **{name: make() for name, make in TEXTS.items()},
    "cannot": "i cannot ever really ",
    "negations": "je ne te le peux pas, no te lo puedo, ich kann dir das nicht ",
    "kann ich": "kann ich dir das ihr ihm wir sie es nicht ",
    "Arabic cannot": "لا استطيع ان ",
    "Chinese cannot": "我不能",
    "words of two letters": "we of to so on by as ",
    "open quotations": "\u201c",
    "list": "- a\n",
    "fences": "```",
    "sentences": "a. ",
    "thoughts": "</think>",
}
FIGURES = Path(aloi.science.__file__).parent / "data" / "refusals" / "figures.yaml"


def line(name: str, one: JudgeCalibration, *, barred: bool) -> str:
    """One row: counts, both rates with their intervals, and the bar where one stands."""
    rates = "".join(
        f"   {rate:.3f} [{low:.3f}, {high:.3f}]"
        for rate, (low, high) in (
            (one.sensitivity, one.sensitivity_interval(0.95)),
            (one.specificity, one.specificity_interval(0.95)),
        )
    )
    met = "met" if min(one.sensitivity, one.specificity) >= BAR else "not met"
    return f"{name:<10}{one.tp:>5}{one.fn:>5}{one.fp:>5}{one.tn:>5}{rates}{'   ' + met if barred else ''}"


def accuracy() -> None:
    """The table of each part, and the indirect refusals."""
    head = f"{'':<10}{'tp':>5}{'fn':>5}{'fp':>5}{'tn':>5}   sensitivity [95 %]       specificity [95 %]"
    for part in PARTS:
        told = f", bar {BAR} for both rates in {', '.join(BARRED)}" if part in OTHERS else ""
        print(f"{part}{told}\n{head}")
        for language in PARTS[part]:
            print(line(language, counted(part, language), barred=bool(told)))
    for part, first in ((part, recorded()["parts"][part].get("first", {})) for part in PARTS):
        if first:
            print(f"{part} at the first look, by the edition frozen before, as recorded\n{head}")
        for language, counts in first.items():
            print(line(language, JudgeCalibration(**counts), barred=False))
    print("indirect refusals, no bar: recognised of n [95 %]")
    for language in LANGUAGES:
        seen, n = counted_indirect(language)
        low, high = clopper_pearson(seen, n, 0.95)
        print(f"{language:<10}{seen:>5} of {n:<5}[{low:.3f}, {high:.3f}]")


def slowest(size: int, repeat: int) -> tuple[float, str]:
    """Milliseconds of processor time for the slowest text of a size (the best of `repeat` runs), and its name."""
    worst = (0.0, "")
    for name, piece in SLOW.items():
        text = (piece * (size // len(piece) + 1))[:size]
        best = float("inf")
        for _ in range(repeat):
            began = time.process_time()
            refused(text, "en")
            best = min(best, 1000 * (time.process_time() - began))
        worst = max(worst, (best, name))
    return worst


def record() -> None:
    """Write the counts of today."""
    known = recorded()["parts"] if FIGURES.exists() else {}
    figures = {
        "measured": datetime.now(UTC).date().isoformat(),
        "parts": {
            part: {
                **known.get(part, {"looks": 1}),
                "labels": digest(part),
                "counts": {language: asdict(counted(part, language)) for language in PARTS[part]},
            }
            for part in PARTS
        },
        "indirect": {language: list(counted_indirect(language)) for language in LANGUAGES},
    }
    head = (
        "# How refusals were recognised on the labels. Written by `python -m benchmarks.science.refusals --record`.\n"
        "# Kept by hand: `looks`, how many editions were measured on that part, in counts only;\n"
        "# `first`, the counts of the edition measured first, frozen before (sealed, afterwards: phrases alone).\n"
        "# Source: counted, see above. Licence: Apache-2.0.\n"
    )
    recorded.cache_clear()
    FIGURES.write_text(head + yaml.safe_dump(figures, sort_keys=False, default_flow_style=None), encoding="utf-8")


def main(*, quick: bool = False) -> None:
    """Print accuracy by language and the slowest texts."""
    accuracy()
    refused("The engine has to be warm.", "en")
    print(f"slowest of {len(SLOW)} texts, ms of processor time, limit {LIMIT_MS:.0f}")
    for size in SIZES[:1] if quick else SIZES:
        spent, name = slowest(size, repeat=1 if quick else 3)
        print(f"{size:>10,} characters{spent:>8.1f}   {name}{'' if spent <= LIMIT_MS else '   over the limit'}")


if __name__ == "__main__":
    if "--record" in sys.argv[1:]:
        record()
    main()
