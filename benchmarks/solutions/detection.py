"""How well the injection detector tells attacks from ordinary prompts, source by source, beside what others ship.

    make bench BENCH=detection          with `make peers` before it, others' detectors stand in the same tables

Nothing here is trained or tuned on: the thresholds were frozen on calibration data (docs/detector.md). Every run is a
look at the reserved sources and says so.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from msgspec import Struct

from aloi.solutions.detector import read
from aloi.solutions.guards import injection
from aloi.statistics.exact import clopper_pearson
from benchmarks.bars import bar
from benchmarks.solutions.detection_data import Set, declared, sets

ROOT = Path(__file__).parents[2]
PEERS = ROOT / ".venv" / "peers" / "bin" / "python"
NAMES = ("prompt-guardrail", "toolwall", "aicordon")
# Bars of the product: least detection of direct attacks, and most benign prompts blocked, by kind.
DIRECT = {"en": 0.85, "fr": 0.60}
BENIGN = {"trigger": 0.05, "risky": 0.02, "ordinary": 0.01}
LEVEL = 0.95


class Scores(Struct, frozen=True):
    """For each text of a set its score and whether the default blocks, and the CPU milliseconds they took."""

    values: np.ndarray
    blocked: np.ndarray
    milliseconds: np.ndarray


Detector = Callable[[list[str]], Scores]


def _ours(score: Callable[[str], float]) -> Detector:
    def run(texts: list[str]) -> Scores:
        values, spent = [], []
        for text in texts:
            began = time.process_time()
            values.append(score(text))
            spent.append(1000 * (time.process_time() - began))
        return Scores(np.array(values), np.array(values) >= 0.5, np.array(spent))

    return run


def _peer(name: str) -> Detector:
    def run(texts: list[str]) -> Scores:
        command = [str(PEERS), "-W", "ignore", str(ROOT / "benchmarks" / "peers" / "detectors.py"), name]
        given = "\n".join(json.dumps(text) for text in texts)
        alone = {"OMP_NUM_THREADS": "1", **os.environ}
        told = subprocess.run(command, input=given, capture_output=True, text=True, check=True, env=alone)
        rows = [json.loads(line) for line in told.stdout.splitlines()]
        return Scores(*(np.array(column) for column in zip(*rows, strict=True)))

    return run


def detectors() -> dict[str, Detector]:
    found = {
        "injection-detector": _ours(lambda text: read(text).score),
        "injection-screen (rules)": _ours(lambda text: injection.read(text).score),
    }
    return found | ({name: _peer(name) for name in NAMES} if PEERS.exists() else {})


def _share(count: int, n: int) -> str:
    low, high = clopper_pearson(count, n, LEVEL)
    return f"{count / n:6.1%} [{low:5.1%}, {high:6.1%}]"


def _at_one_percent(scores: list[Scores], tested: list[Set], language: str) -> float:
    """The lowest score that at most 1 % of the pooled benign texts of a language exceed."""
    pooled = np.concatenate(
        [one.values for one, of in zip(scores, tested, strict=True) if not of.attack and of.language == language]
    )
    ordered = np.sort(pooled)[::-1]
    return float(ordered[int(0.01 * len(ordered))])


def table(name: str, scores: list[Scores], tested: list[Set]) -> None:
    """One detector: what its default blocks in each source, and what it would at 1 % false alarms here."""
    print(f"\n{name}: blocked at its default [95 % exact], and for attacks above 1 % of the benign texts here")
    levels = {code: _at_one_percent(scores, tested, code) for code in {of.language for of in tested if not of.attack}}
    for one, of in zip(scores, tested, strict=True):
        exact = ""
        if of.attack:
            level = levels.get(of.language, max(levels.values()))
            exact = f"{(one.values > level).mean():6.1%}"
        print(
            f"  {of.id:28}{of.language}  {of.kind:9}{of.standing:9}n={len(of.texts):5}  "
            f"{_share(int(one.blocked.sum()), len(of.texts))}  {exact}"
        )
    for code in ("en", "fr"):
        mean = _macro(scores, tested, code, "direct", "reserved")
        rest = _macro(scores, tested, code, "direct", "more")
        print(f"  macro, direct, {code}: reserved {mean}; more {rest}")
    print(f"  CPU per text, all texts: median {np.median(np.concatenate([one.milliseconds for one in scores])):.2f} ms")


def _macro(scores: list[Scores], tested: list[Set], code: str, kind: str, standing: str) -> str:
    shares = [
        one.blocked.mean()
        for one, of in zip(scores, tested, strict=True)
        if (of.language, of.kind, of.standing) == (code, kind, standing)
    ]
    return f"{np.mean(shares):.1%} of {len(shares)}" if shares else "none"


def bars(scores: list[Scores], tested: list[Set]) -> bool:
    """Print each bar with its figure; whether all that were measured are met."""
    good = True
    for one, of in zip(scores, tested, strict=True):
        share = float(one.blocked.mean())
        if of.standing == "reserved" and of.kind == "direct" and of.language in DIRECT:
            wanted, met = f">= {DIRECT[of.language]:.0%}", share >= DIRECT[of.language]
        elif not of.attack:
            wanted, met = f"<= {BENIGN[of.kind]:.0%}", share <= BENIGN[of.kind]
        else:
            continue
        bar(f"{of.id} ({of.kind}, {of.standing}), blocked at the frozen threshold", f"{share:.1%}", wanted, met=met)
        good = good and (met or of.standing != "reserved")
    for row in declared()["missing"]:
        print(f"not measured: {row['id']} ({row['kind']}, {row['language']}): no package that we found carries it")
    return good


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        tested = sets(Path(os.environ.get("ALOI_WHEELS", folder)))
    results = {name: [run(of.texts) for of in tested] for name, run in detectors().items()}
    for name, scores in results.items():
        table(name, scores, tested)
    if not PEERS.exists():
        print("\nothers' detectors: not installed; `make peers` installs them beside this environment")
    print()
    return int(not bars(results["injection-detector"], tested))


if __name__ == "__main__":
    sys.exit(main())
