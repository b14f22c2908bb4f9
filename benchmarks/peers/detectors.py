"""Score texts with other people's detectors. Run by the Python of the peers' environment.

    .venv/peers/bin/python benchmarks/peers/detectors.py NAME < texts.jsonl > scores.jsonl

One JSON string a line in; out, for each, [score in [0, 1], whether its default blocks, CPU milliseconds].
"""

import importlib
import json
import sys
import time
from collections.abc import Callable

Score = Callable[[str], tuple[float, bool]]


def prompt_guardrail() -> Score:
    guardify = importlib.import_module("guardify")

    def score(text: str) -> tuple[float, bool]:
        told = guardify.detect(text)
        flagged = told["label"] != "safe"
        return (told["score"] if flagged else 1 - told["score"]), flagged

    return score


def toolwall() -> Score:
    detector = importlib.import_module("toolwall.detect").CompositeDetector(use_judge=False)

    def score(text: str) -> tuple[float, bool]:
        value, _ = detector.score(text)
        return value, value >= 0.6  # its policy blocks from here by default

    return score


def aicordon() -> Score:
    detector = importlib.import_module("aicordon.picket").load(mode="dpi")

    def score(text: str) -> tuple[float, bool]:
        flagged = detector.check(text).flagged
        return float(flagged), flagged

    return score


def main() -> None:
    score = {"prompt-guardrail": prompt_guardrail, "toolwall": toolwall, "aicordon": aicordon}[sys.argv[1]]()
    score("What loads on first use is not counted.")
    for line in sys.stdin:
        text = json.loads(line)
        began = time.process_time()
        value, flagged = score(text)
        print(json.dumps([float(value), bool(flagged), 1000 * (time.process_time() - began)]))


if __name__ == "__main__":
    main()
