"""The thresholds, frozen before any reserved source is read: the lowest that hold every allowance on calibration data.

Three kinds of data calibrate. Sources that are never learnt from, as they are. Our grammars' families of benign
prompts, each scored by a model that has not seen the family (`cross`), because a family that was learnt from says
nothing about new prompts. And what people wrote one by one, each file scored by a model that has read none of it.
"""

from collections import defaultdict
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from training.learn import Examples, Settings, Vector, fit, margins
from training.rows import Row

# The largest share of benign texts that may be blocked, by kind. The bars are 1, 2 and 5 %; a trigger-word family that
# the model has not seen is harder than a new prompt of a known kind, and is allowed twice its bar (decision 0037). So
# are those that people wrote, counted by themselves, since grammars draw many times as many (decision 0087).
WRITTEN = "written"
ALLOWED = {"ordinary": 0.01, "risky": 0.02, "trigger": 0.10, WRITTEN: 0.10}
_FOLDS = 5


def part(given: Examples, chosen: NDArray[np.bool_]) -> Examples:
    """The windows of the rows that are chosen."""
    windows = np.flatnonzero(chosen[given.owners])
    place = np.cumsum(chosen) - 1
    presences: sparse.csr_matrix = given.presences[windows]
    return Examples(presences, place[given.owners[windows]])


def cross(rows: list[Row], given: Examples, settings: Settings) -> dict[tuple[str, str], list[float]]:
    """Margins of our benign texts by (language, kind), each from a model fitted without its family or its file."""
    benign = [row for row in rows if row.kind and not row.attack]
    families = sorted({_together(row) for row in benign if not _person(row)})
    files = sorted({_together(row) for row in benign if _person(row)})
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for fold in range(_FOLDS):
        left_out = {*families[fold::_FOLDS], *files[fold::_FOLDS]}
        out = np.array([bool(row.kind) and not row.attack and _together(row) in left_out for row in rows])
        weights = fit([row for row, one in zip(rows, out, strict=True) if not one], part(given, ~out), settings)
        left = [row for row, one in zip(rows, out, strict=True) if one]
        for row, margin in zip(left, margins(part(given, out), weights, len(left)), strict=True):
            found[row.language, _kind(row)].append(float(margin))
    return found


def _person(row: Row) -> bool:
    return row.group.startswith(f"{WRITTEN}/")


def _together(row: Row) -> str:
    """What is left out with a row: a family of a grammar, or all of a file that a person wrote."""
    return "/".join(row.group.split("/")[:2])


def _kind(row: Row) -> str:
    return WRITTEN if _person(row) and row.kind != "ordinary" else row.kind


def frozen(
    benign: dict[tuple[str, str], list[float]], rows: list[Row], scores: Vector
) -> tuple[dict[str, float], list[dict[str, Any]]]:
    """The threshold of each language, and for each set of calibration data how much it blocks there.

    An allowance holds for all prompts of a kind in a language together: one percent of 68 prompts is none of them.
    """
    sets = [
        (language, kind, "ours, " + kind, margins) for (language, kind), margins in benign.items() if kind in ALLOWED
    ]
    for source in sorted({row.source for row in rows}):
        chosen = [float(score) for row, score in zip(rows, scores, strict=True) if row.source == source]
        sets.append((next(row.language for row in rows if row.source == source), "ordinary", source, chosen))
    pooled: dict[tuple[str, str], list[float]] = defaultdict(list)
    for language, kind, _, values in sets:
        pooled[language, kind] += values
    needed: dict[str, float] = {}
    for (language, kind), values in pooled.items():
        needed[language] = max(needed.get(language, -np.inf), _least(values, ALLOWED[kind]))
    thresholds = {language: float(f"{value:.3f}") for language, value in sorted(needed.items())}
    thresholds[""] = max(thresholds.values())
    table = [
        {
            "language": language,
            "set": name,
            "n": len(values),
            "blocked": int((np.asarray(values) >= thresholds[language]).sum()),
            "allowed": ALLOWED[kind],
        }
        for language, kind, name, values in sorted(sets)
    ]
    return thresholds, table


def _least(values: list[float], share: float) -> float:
    """The lowest threshold, on a grid of 0.001, that at most this share of the values reaches."""
    ordered = sorted(values, reverse=True)
    return float(np.floor(ordered[int(share * len(ordered))] * 1000 + 1) / 1000)
